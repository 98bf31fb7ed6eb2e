"""Names and shapes in a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from typing import Any

from .checks import short
from .files import read_text

_MOST_DOTS = 100


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Shapes by name. Tables nest names, with dots between; a name may also be written in quotes.

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
    text = read_text(path)
    for number, line in enumerate(text.splitlines(), 1):  # tomllib's time grows with the square of a name's parts
        if line.count(".") > _MOST_DOTS:
            raise ValueError(
                f"{what} must have at most {_MOST_DOTS} dots in a line, got {line.count('.')} in line {number}"
            )
    try:
        leaves = list(_leaves(tomllib.loads(text)))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid TOML: {error}") from None
    shapes: dict[str, Any] = {}
    for name, shape in leaves:
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
