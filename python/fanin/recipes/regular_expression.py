"""Read a regular expression into a tree, and say what the tree tells without matching anything."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TypeAlias

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
            raise ValueError(f"{found[0]} has a least number of times above the largest")
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
            why = "unterminated class" if sign == "[" else "a reference or position, which is not taken,"
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
            raise ValueError(f"missing ) for the ( at {start}")
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


def ways(node: Node) -> float:
    """Count the ways that `re` may try at each place in a name; infinity if that depends on the name."""
    count, loops = _counted_ways(node)
    return count if loops < 2 else math.inf


def _counted_ways(node: Node) -> tuple[float, int]:
    """Count the ways to match a part without its unbounded repetitions, and count these repetitions."""
    match node:
        case Character():
            return 1, 0
        case Repeat(part, least, most):
            count, loops = _counted_ways(part)
            if most is None:
                return (1, 1) if count == 1 and not loops else (math.inf, 1)
            if count > 1 and most > 1:
                return math.inf, loops
            return (most - least + 1) * count, loops * most
        case _:
            counted = [_counted_ways(part) for part in node.parts]
            count = sum(w for w, _ in counted) if isinstance(node, Choice) else math.prod(w for w, _ in counted)
            return count, sum(loops for _, loops in counted)


def ending_of(node: Node) -> tuple[str, bool]:
    """Return the text with which every name that matches ends, and whether that is the whole name."""
    if isinstance(node, Character):
        return node.literal, node.literal != ""
    ending = ""
    if isinstance(node, Sequence):
        for part in reversed(node.parts):
            text, whole = ending_of(part)
            ending = text + ending
            if not whole:
                return ending, False
        return ending, True
    return "", False
