"""Match names with patterns: shell-style ones, or regular expressions, in time proportional to the name's length.

Python's `re` tries one way to match after another, which is quick where there are few; but `(a+)+b` has exponentially
many. Such a pattern is matched here, all ways at once (Glushkov, 1961; Thompson, 1968): each character of the name
leads from one set of places in the pattern to the next. Sets and the steps between them are cached. `re` only tells
whether a single character matches, as with `[0-9]`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import Protocol

from ..files import limits
from ..text import short
from .regular_expression import Character, Choice, Node, Repeat, Sequence, ending_of, parsed, ways

_FEW = 32  # with up to so many ways to match, and at most one unbounded repetition, `re` is quick enough
_STEPS_KEPT = 20_000  # the cache of steps is emptied when it has so many


class Matcher(Protocol):
    """Tell whether a whole name matches a pattern."""

    def fullmatch(self, name: str, /) -> object: ...


def compiled(pattern: str) -> tuple[Matcher, str]:
    r"""Return the matcher of a pattern, and the text with which every name that matches ends.

    Raise ValueError for a text that is not a pattern.

    Examples
    --------
    >>> matcher, ending = compiled(r"/layers\.[0-9]+\.weight/")
    >>> bool(matcher.fullmatch("layers.11.weight")), ending
    (True, '.weight')
    """
    try:
        if len(pattern) > limits.PATTERN_LENGTH:
            raise ValueError(f"it has more than {limits.PATTERN_LENGTH} characters")
        if len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
            node = parsed(pattern[1:-1])
            few = ways(node) <= _FEW
            return re.compile(pattern[1:-1]) if few else Expression(pattern[1:-1]), ending_of(node)[0]
        # What `fnmatch` makes decides only once where a star ends, so it is quick for every pattern.
        return re.compile(fnmatch.translate(pattern)), re.split(r"[*?\]]", pattern)[-1]
    except (ValueError, re.error) as error:
        raise ValueError(
            f"pattern must be shell-style or a regular expression between slashes, got {short(pattern)}: {error}"
        ) from None


class _Places(dict[str, "_Places | None"]):
    """Hold a set of places in the pattern, and a cache: the set to which each character leads, None for no place."""

    __slots__ = ("expression", "final", "following")

    def __init__(self, expression: Expression, following: int, final: bool) -> None:
        super().__init__()
        self.expression, self.following, self.final = expression, following, final

    def __missing__(self, character: str) -> _Places | None:
        found = self[character] = self.expression._step(self.following, character)
        return found


class Expression:
    """Match whole names with a regular expression, in time proportional to the name's length.

    Examples
    --------
    >>> Expression("(a+)+b").fullmatch("a" * 10_000)
    False
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._follow: list[int] = []  # for each place, the places that may be next, a bit each
        self._eights: dict[tuple[int, int], int] = {}  # what `_following` has returned
        self._where: dict[Character, int] = {}  # the places of each kind of character
        self._empty, self._first, self._last = self._add(parsed(text))
        self._forget()

    def __reduce__(self) -> tuple[type[Expression], tuple[str]]:
        return Expression, (self.text,)

    def fullmatch(self, name: str, /) -> bool:
        """Tell whether the whole name matches the expression."""
        places: _Places | None = self._start
        for character in name:
            places = places[character]  # type: ignore[index]
            if places is None:
                return False
        return places.final  # type: ignore[union-attr]

    def _step(self, following: int, character: str) -> _Places | None:
        """Return the places to which a character leads, out of those that may be next."""
        self._steps += 1
        if self._steps > _STEPS_KEPT:
            self._forget()
        where = self._accepting.get(character)
        if where is None:
            where = sum(places for kind, places in self._where.items() if kind.regex.match(character))
            self._accepting[character] = where
        here = following & where
        if not here:
            return None
        if here not in self._met:
            after = 0
            for number, eight in enumerate(here.to_bytes(-(-here.bit_length() // 8), "little")):
                if eight:
                    after |= self._following(number, eight)
            self._met[here] = _Places(self, after, here & self._last != 0)
        return self._met[here]

    def _following(self, number: int, eight: int) -> int:
        """Return the places that may follow some of the eight places 8·number, …, and cache them."""
        found = self._eights.get((number, eight))
        if found is None:
            found = self._eights[number, eight] = _union(self._follow[8 * number + place] for place in _bits(eight))
        return found

    def _forget(self) -> None:
        self._steps = 0
        self._met: dict[int, _Places] = {}
        self._accepting: dict[str, int] = {}  # for each character that was met, the places that it matches
        self._start = _Places(self, self._first, self._empty)

    def _add(self, node: Node) -> tuple[bool, int, int]:
        """Add the places of a part; return whether it may be empty, and the places where it may begin and end."""
        match node:
            case Character():
                place = 1 << len(self._follow)
                self._follow.append(0)
                self._where[node] = self._where.get(node, 0) | place
                return False, place, place
            case Choice(parts):
                added = [self._add(part) for part in parts]
                return any(part[0] for part in added), _union(part[1] for part in added), _union(p[2] for p in added)
            case Repeat(part, least, most):
                copies = (self._add(part) for _ in range(max(1, least) if most is None else most))
                return self._joined(self._counted(copies, least, loops=most is None))
            case Sequence(parts):
                return self._joined(map(self._add, parts))

    def _counted(
        self, copies: Iterator[tuple[bool, int, int]], least: int, *, loops: bool
    ) -> Iterator[tuple[bool, int, int]]:
        """Yield the copies of a repeated part. Those beyond `least` may be left out; with `loops` each may repeat."""
        for number, (empty, first, last) in enumerate(copies):
            if loops:
                self._link(last, first)
            yield empty or number >= least, first, last

    def _joined(self, parts: Iterator[tuple[bool, int, int]]) -> tuple[bool, int, int]:
        """Join parts that follow each other: return whether all may be empty, and where they may begin and end."""
        empty, first, last = True, 0, 0
        for may_skip, begin, end in parts:
            self._link(last, begin)
            first |= begin if empty else 0
            last = end | (last if may_skip else 0)
            empty = empty and may_skip
        return empty, first, last

    def _link(self, last: int, first: int) -> None:
        for place in _bits(last):
            self._follow[place] |= first


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _union(masks: Iterator[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found
