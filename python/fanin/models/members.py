"""The members of a JSON object, read one by one: of a hostile header, nothing is built that is then thrown away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .checks import short

_MOST = 500_000  # members of an object: a hostile header takes seconds, no real one has so many
_SIGNS = {sign: re.compile(rf"[ \t\n\r]*{re.escape(sign)}[ \t\n\r]*") for sign in "{}:,"}
_FLAT = re.compile(r"\{[^{}]*\}")
_JSON = json.JSONDecoder()


@dataclass(slots=True)
class Reader:
    """A JSON text, read from `at` on; ValueError, starting with `what` it is, where it is not valid.

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
        """The names of an object, each with the reader at its value, which must be read before the next."""
        if not self._skip("{"):
            raise ValueError(f"{self.what} must be a JSON object, got {short(self.text[self.at : self.at + 100])}")
        names: set[str] = set()
        if self._skip("}"):
            return
        while True:
            name = self.string()
            if name in names:
                raise ValueError(f"{self.what} must give each name once, got {short(name)} again")
            if len(names) == _MOST:
                raise ValueError(f"{self.what} must have at most {_MOST} names, got more")
            names.add(name)
            self._require(self._skip(":"))
            yield name
            if self._skip("}"):
                return
            self._require(self._skip(","))

    def string(self) -> str:
        """A string."""
        self._require(self.text.startswith('"', self.at))
        try:
            value, self.at = _JSON.raw_decode(self.text, self.at)
        except ValueError as error:
            raise ValueError(f"{self.what} must be valid JSON: {error}") from None
        return str(value)

    def null(self) -> bool:
        """Whether null is here, which is then read."""
        found = self.text.startswith("null", self.at)
        self.at += 4 * found
        return found

    def flat_object(self, most: int = 4096) -> str | None:
        """The text of an object of at most so many characters, in which there is no other; None if there is none."""
        found = _FLAT.match(self.text, self.at, self.at + most)
        self.at = found.end() if found else self.at
        return found and found[0]

    def end(self) -> None:
        """Nothing but space is left."""
        self._require(not self.text[self.at :].strip(" \t\n\r"))

    def _skip(self, sign: str) -> bool:
        """Whether this sign is next, which is then read, with the space around it."""
        found = _SIGNS[sign].match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _require(self, valid: bool) -> None:
        if not valid:
            near = short(self.text[self.at : self.at + 50])
            raise ValueError(f"{self.what} must be valid JSON, got {near} at {self.at}")
