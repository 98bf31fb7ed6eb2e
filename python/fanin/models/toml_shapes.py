"""Read names and shapes from a TOML file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..files import limits
from ..files.regular import read_text
from ..files.toml_reader import parse
from ..text import short


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return shapes by name. Tables within tables join their names with dots; a whole name may also stand in quotes.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("model.toml").write_text('''
    ... embed.weight = [1000, 64]
    ... "head.bias" = [10]
    ... [block.0]
    ... fc.weight = [256, 64]
    ... ''')
    >>> read_toml("model.toml")
    {'embed.weight': [1000, 64], 'head.bias': [10], 'block.0.fc.weight': [256, 64]}
    """
    what = f"{os.fspath(path)}: the file"
    shapes: dict[str, Any] = {}
    for name, shape in _leaves(parse(read_text(path, limits.TOML_BYTES), what)):
        if len(name) > limits.NAME_LENGTH:
            raise ValueError(f"{what} must have names of at most {limits.NAME_LENGTH} characters, got {short(name)}")
        if name in shapes:
            raise ValueError(f"{what} must give each name once, got {short(name)} again")
        shapes[name] = shape
    return shapes


def _leaves(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
