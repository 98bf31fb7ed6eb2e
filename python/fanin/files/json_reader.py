"""Read JSON that may be hostile: whole, within bounds, or member by member, without building what is not needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..text import short
from . import limits


def parse(text: str, what: str) -> Any:
    """Return the value of a JSON text.

    Raise ValueError, whose message starts with `what`, if it is not JSON, gives a name twice, or is too deep or large.

    Examples
    --------
    >>> parse('{"a": 1, "a": 2}', "x.json: the file")
    Traceback (most recent call last):
    ValueError: x.json: the file must give each name once, got 'a' again
    """
    _require_shallow(text, what)
    try:
        return _BOUNDED.decode(text)
    except _Refused as error:
        raise ValueError(f"{what} {error.args[0]}") from None
    except _LongNumber as error:
        raise ValueError(_too_long(text, error.args[0], what)) from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid JSON: {error}") from None


def parse_object(text: str, what: str) -> dict[str, Any]:
    """Return the object that a JSON text consists of; raise ValueError as `parse` does, and for any other value."""
    value = parse(text, what)
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object, got {short(value)}")
    return value


class _Refused(Exception):
    """Say what is wrong with a text."""


class _LongNumber(Exception):
    """Hold a number that has too many digits."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names: set[str] = set()
        for name, _ in pairs:
            if name in names:
                raise _Refused(f"must give each name once, got {short(name)} again")
            names.add(name)
    return found


def _integer(digits: str) -> int:
    if len(digits) > limits.DIGITS:
        raise _LongNumber(digits)
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > limits.DIGITS:
        raise _LongNumber(digits)
    return float(digits)


_BOUNDED = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_float)
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
_KEY = re.compile(r'("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\n\r]*:')


def _require_shallow(text: str, what: str) -> None:
    if text.count("[") + text.count("{") <= limits.DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in "[{":
            depth += 1
            if depth > limits.DEPTH:
                raise ValueError(
                    f"{what} must have at most {limits.DEPTH} lists and objects within each other, got more"
                    f"{_at(text, token.start())}"
                )
        elif sign in "]}":
            depth -= 1


def _too_long(text: str, number: str, what: str) -> str:
    digits = sum(map(str.isdecimal, number))
    return (
        f"{what} must have numbers of at most {limits.DIGITS} characters, got one of {digits} digits"
        f"{_at(text, text.find(number))}"
    )


def _at(text: str, place: int) -> str:
    """Say where a place is: the last key before it, if that is near, or its position."""
    keys = _KEY.findall(text, max(0, place - 1000), place)
    return f" at {short(keys[-1][1:-1])}" if keys else f" at character {place}"


_FLAT = re.compile(r"\{[^{}]*\}")
_JSON = json.JSONDecoder()
_SIGNS = {sign: re.compile(rf"[ \t\n\r]*{re.escape(sign)}[ \t\n\r]*") for sign in "{}:,"}


@dataclass(slots=True)
class Reader:
    """Read a JSON text step by step, from `at` on.

    Raise ValueError, whose message starts with `what`, where the text is not valid.

    Examples
    --------
    >>> reader = Reader('{"a": "x", "b": "y"}', "x.json: the file")
    >>> {name: reader.string() for name in reader.members()}
    {'a': 'x', 'b': 'y'}
    """

    text: str
    what: str
    at: int = 0

    def members(self) -> Iterator[str]:
        """Yield the names in an object; at each the reader stands at the value, which must be read before the next."""
        if not self._skip("{"):
            raise ValueError(f"{self.what} must be a JSON object, got {short(self.text[self.at : self.at + 100])}")
        names: set[str] = set()
        if self._skip("}"):
            return
        while True:
            name = self.string()
            if len(name) > limits.NAME_LENGTH:
                raise ValueError(
                    f"{self.what} must have names of at most {limits.NAME_LENGTH} characters, got {short(name)}"
                )
            if name in names:
                raise ValueError(f"{self.what} must give each name once, got {short(name)} again")
            if len(names) == limits.NAMES:
                raise ValueError(f"{self.what} must have at most {limits.NAMES} names, got more")
            names.add(name)
            self._require(self._skip(":"))
            yield name
            if self._skip("}"):
                return
            self._require(self._skip(","))

    def string(self) -> str:
        """Read a string."""
        self._require(self.text.startswith('"', self.at))
        try:
            value, self.at = _JSON.raw_decode(self.text, self.at)
        except ValueError as error:
            raise ValueError(f"{self.what} must be valid JSON: {error}") from None
        return str(value)

    def null(self) -> bool:
        """Read null if it is here, and tell whether it is."""
        found = self.text.startswith("null", self.at)
        self.at += 4 * found
        return found

    def flat_object(self, most: int = limits.ENTRY_LENGTH) -> str | None:
        """Read an object without objects in it, of at most `most` characters; return its text, None if none is here."""
        found = _FLAT.match(self.text, self.at, self.at + most)
        self.at = found.end() if found else self.at
        return found and found[0]

    def end(self) -> None:
        """Require that nothing but space is left."""
        self._require(not self.text[self.at :].strip(" \t\n\r"))

    def _skip(self, sign: str) -> bool:
        """Read a sign if it is next, with the space around it, and tell whether it is."""
        found = _SIGNS[sign].match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _require(self, valid: bool) -> None:
        if not valid:
            near = short(self.text[self.at : self.at + 50])
            raise ValueError(f"{self.what} must be valid JSON, got {near} at {self.at}")
