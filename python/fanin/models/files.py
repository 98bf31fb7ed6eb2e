"""Read text that may be hostile: of bounded size, and with one kind of error."""

from __future__ import annotations

import json
import os
from typing import Any

from .checks import short

_MOST_TEXT = 10_000_000  # bytes of a config.json, an index or a TOML file


def read_text(path: str | os.PathLike[str]) -> str:
    """A small file's text; ValueError where it is not small, or not UTF-8."""
    with open(path, "rb") as file:
        data = file.read(_MOST_TEXT + 1)
    if len(data) > _MOST_TEXT:
        raise ValueError(f"{os.fspath(path)}: the file must have at most {_MOST_TEXT} bytes, got more")
    return decode(data, f"{os.fspath(path)}: the file")


def decode(data: bytes, what: str) -> str:
    """Bytes as text; ValueError, starting with `what`, where they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{what} must be UTF-8, got {error.object[error.start : error.end]!r} at {error.start}"
        ) from None


def parse_object(text: str, what: str) -> dict[str, Any]:
    """The JSON object that a text is; ValueError, starting with `what`, for anything else and for a name given twice.

    Examples
    --------
    >>> parse_object('{"a": 1, "a": 2}', "x.json: the file")
    Traceback (most recent call last):
    ValueError: x.json: the file must give each name once, got 'a' again
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise _Repeated(name)
            found[name] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except _Repeated as error:
        raise ValueError(f"{what} must give each name once, got {short(error.args[0])} again") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object, got {short(value)}")
    return value


class _Repeated(Exception):
    """A name given twice."""
