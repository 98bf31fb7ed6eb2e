"""Merge parameters whose names differ only in the number of their layer into one rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


def families(values: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    r"""Yield patterns with their values, which match the given names, and further layers, but nothing else.

    Names that differ only in the number of their layer are a family. If its values are equal it gets one pattern, else
    each name gets its own.

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
