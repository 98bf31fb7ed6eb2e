"""Match names with patterns: shell-style ones, or regular expressions, in time proportional to the name's length.

Python's `re` tries one way to match after another, which is quick where there are few; but `(a+)+b` has exponentially
many. Such a pattern is matched here, all ways at once (Glushkov, 1961; Thompson, 1968): each character of the name
leads from one set of places in the pattern to the next. Sets and the steps between them are cached. `re` only tells
whether a single character matches, as with `[0-9]`.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..files import limits
from ..text import short

_FLAGS = {"a": re.ASCII, "i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "u": re.UNICODE, "x": re.VERBOSE}
_LEADING = re.compile(r"\(\?([a-zA-Z]+)\)")
_GROUP = re.compile(r"\((?:\?(?::|P<[^\W\d]\w*>))?(?!\?)")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*+\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|0[0-7]{0,2}|[^\dbBAZz])", re.DOTALL)
_END = re.compile(r"(?:\$|\\Z)(?=\||\Z)")
_ANY = re.compile(".", re.DOTALL)
_COUNT = re.compile(r"[*+?]|\{(?!\})([0-9]*)(?:(,)([0-9]*))?\}")
_SPACE = re.compile(r"(?:[ \t\n\r\f\v]|#[^\n]*)*+")
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
            few = _ways(node) <= _FEW
            return re.compile(pattern[1:-1]) if few else Expression(pattern[1:-1]), _ending(node)[0]
        # What `fnmatch` makes decides only once where a star ends, so it is quick for every pattern.
        return re.compile(fnmatch.translate(pattern)), re.split(r"[*?\]]", pattern)[-1]
    except (ValueError, re.error) as error:
        raise ValueError(
            f"pattern must be shell-style or a regular expression between slashes, got {short(pattern)}: {error}"
        ) from None


# ---- What a regular expression says ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Character:
    """Match one character, as `re` would."""

    regex: re.Pattern[str]

    @property
    def literal(self) -> str:
        """The only character that matches, or "" if there are several."""
        text = self.regex.pattern
        if self.regex.flags & re.IGNORECASE or text == ".":
            return ""
        return text if len(text) == 1 else text[1:] if len(text) == 2 and not text[1].isalnum() else ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Match parts one after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Match one of several parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Match a part at least `least` and at most `most` times; None means any number."""

    part: Node
    least: int
    most: int | None


Node: TypeAlias = Character | Sequence | Choice | Repeat


def parsed(text: str) -> Node:
    """Return a regular expression as a tree; raise ValueError if it is not one, or is too large."""
    node = _Parser(text).parse()
    if (size := _size(node)) > limits.PATTERN_STATES:
        raise ValueError(f"it has {short(size)} characters with all repetitions, over {limits.PATTERN_STATES}")
    return node


class _Parser:
    """Parse a regular expression from left to right.

    Back references, look-around and the like are refused: they need to know more than the place in the pattern.
    """

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth, self.flags = text, 0, 0, re.NOFLAG.value
        while found := _LEADING.match(text, self.at):
            self.at = found.end()
            for letter in found[1]:
                if letter not in _FLAGS:
                    raise ValueError(f"(?{letter}) is no flag; it has {', '.join(_FLAGS)}")
                self.flags |= _FLAGS[letter].value

    def parse(self) -> Node:
        node = self.choice()
        if self.at < len(self.text):
            raise ValueError(f"unbalanced ) at {self.at}")
        return node

    def choice(self) -> Node:
        parts = [self.sequence()]
        while self.skip("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Node:
        parts: list[Node] = []
        self.space()
        if not self.depth:  # the whole name is matched anyway
            _ = self.skip("^") or self.skip(r"\A")
        while self.space() < len(self.text) and self.text[self.at] not in "|)":
            if not self.depth and (found := _END.match(self.text, self.at)):
                self.at = found.end()
                break
            parts.append(self.repeated(self.atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self, node: Node) -> Node:
        self.space()
        found = _COUNT.match(self.text, self.at)
        if not found:
            return node
        self.at = found.end()
        match found[0]:
            case "*":
                least, most = 0, None
            case "+":
                least, most = 1, None
            case "?":
                least, most = 0, 1
            case _:
                least = int(found[1] or 0)
                most = (int(found[3]) if found[3] else None) if found[2] else least
        if least > limits.PATTERN_STATES or (most or 0) > limits.PATTERN_STATES:
            raise ValueError(f"{found[0]} is more than {limits.PATTERN_STATES} times")
        if most is not None and least > most:
            raise ValueError(f"{found[0]} is at least more than at most")
        self.skip("?")  # "as few as possible" matches the same names
        if self.skip("+"):
            raise ValueError(f"possessive {found[0]}+ is not taken")
        if _COUNT.match(self.text, self.space()):
            raise ValueError(f"multiple repeat at {self.at}")
        return Repeat(node, least, most)

    def atom(self) -> Node:
        start, sign = self.at, self.text[self.at]
        if sign == "(":
            return self.group()
        if _COUNT.match(self.text, start):
            raise ValueError(f"nothing to repeat at {start}")
        if sign in "^$":
            raise ValueError(f"{sign} is taken at an end only, got it at {start}")
        found = {"[": _CLASS, "\\": _ESCAPE}.get(sign, _ANY).match(self.text, start)
        if not found:
            why = "unterminated class" if sign == "[" else "reference or position, which is not taken,"
            raise ValueError(f"{why} at {start}")
        self.at = found.end()
        text = found[0] if sign in "[\\." else re.escape(found[0])
        return Character(re.compile(text, self.flags & ~re.VERBOSE))

    def group(self) -> Node:
        start = self.at
        if not (found := _GROUP.match(self.text, start)):
            raise ValueError(f"{self.text[start : start + 3]} is not taken: a group is (…), (?:…) or (?P<name>…)")
        if self.depth == limits.PATTERN_DEPTH:
            raise ValueError(f"more than {limits.PATTERN_DEPTH} groups are within each other")
        self.at = found.end()
        self.depth += 1
        node = self.choice()
        self.depth -= 1
        if not self.skip(")"):
            raise ValueError(f"missing ), of the ( at {start}")
        return node

    def skip(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.at)
        self.at += len(sign) * found
        return found

    def space(self) -> int:
        """Skip the space and comments that a verbose expression may have, and return the place after them."""
        if self.flags & re.VERBOSE and (found := _SPACE.match(self.text, self.at)):
            self.at = found.end()
        return self.at


def _size(node: Node) -> int:
    """Count the characters of a pattern whose repetitions are written out."""
    match node:
        case Character():
            return 1
        case Repeat(part, least, most):
            return _size(part) * max(1, least if most is None else most)
        case _:
            return max(1, sum(map(_size, node.parts)))


def _ways(node: Node) -> float:
    """Count the ways that `re` may try at each place in a name; infinity if that depends on the name."""
    ways, loops = _counted_ways(node)
    return ways if loops < 2 else math.inf


def _counted_ways(node: Node) -> tuple[float, int]:
    """Count the ways to match a part without its unbounded repetitions, and count these repetitions."""
    match node:
        case Character():
            return 1, 0
        case Repeat(part, least, most):
            ways, loops = _counted_ways(part)
            if most is None:
                return (1, 1) if ways == 1 and not loops else (math.inf, 1)
            if ways > 1 and most > 1:
                return math.inf, loops
            return (most - least + 1) * ways, loops * most
        case _:
            counted = [_counted_ways(part) for part in node.parts]
            ways = sum(w for w, _ in counted) if isinstance(node, Choice) else math.prod(w for w, _ in counted)
            return ways, sum(loops for _, loops in counted)


def _ending(node: Node) -> tuple[str, bool]:
    """Return the text with which every name that matches ends, and whether that is the whole name."""
    if isinstance(node, Character):
        return node.literal, node.literal != ""
    ending = ""
    if isinstance(node, Sequence):
        for part in reversed(node.parts):
            text, whole = _ending(part)
            ending = text + ending
            if not whole:
                return ending, False
        return ending, True
    return "", False


# ---- How it is matched -----------------------------------------------------------------------------------------------


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
