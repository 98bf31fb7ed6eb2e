"""Read text that may be hostile: of bounded size, and with one kind of error."""

from __future__ import annotations

import json
import os
import stat
from typing import Any, BinaryIO

from .checks import short

_MOST = 10_000_000  # bytes of a config.json or a TOML file


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading; ValueError for what is none, as a pipe, which might never give a byte."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError(f"{os.fspath(path)}: it must be a regular file")
    return open(path, "rb")


def read_text(path: str | os.PathLike[str], most: int = _MOST) -> str:
    """A small file's text; ValueError where it is not small, or not UTF-8."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{os.fspath(path)}: the file must have at most {most} bytes, got more")
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
    try:
        value = _JSON.decode(text)
    except _Repeated as error:
        raise ValueError(f"{what} must give each name once, got {short(error.args[0])} again") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be a JSON object, got {short(value)}")
    return value


class _Repeated(Exception):
    """A name given twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Repeated(name)
        found[name] = value
    return found


_JSON = json.JSONDecoder(object_pairs_hook=_unique)
