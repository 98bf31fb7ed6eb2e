"""Families: parameters whose names differ in the number of their layer only, as one rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def families(values: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    r"""Patterns that match the names and nothing else but further layers, each with its value.

    A family of several values is taken apart.

    Examples
    --------
    >>> for pattern, value in families({"h.0.bias": 1, "h.1.bias": 1, "0.bias": 2, "2.bias": 3}):
    ...     print(pattern, value)
    /h\.[0-9]+\.bias/ 1
    /0\.bias/ 2
    /2\.bias/ 3
    """
    members: dict[str, list[str]] = {}
    for name in values:
        members.setdefault(_family(name), []).append(name)
    for family, names in members.items():
        if len(names) > 1 and len({values[name] for name in names}) == 1:
            yield f"/{family}/", values[names[0]]
        else:
            yield from ((f"/{re.escape(name)}/", values[name]) for name in names)


def _family(name: str) -> str:
    return r"\.".join("[0-9]+" if part.isdecimal() else re.escape(part) for part in name.split("."))
