"""Check the arguments of layers."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from ..arrays.types import Shape
from . import flax, keras, recommended, torch
from .base import Library

_LIBRARIES: dict[str, Library] = {"fanin": recommended, "torch": torch, "keras": keras, "flax": flax}


def library(framework: str) -> Library:
    """Return the layers of a framework by its name."""
    if framework not in _LIBRARIES:
        raise ValueError(f"framework must be one of {', '.join(_LIBRARIES)}, got {framework!r}")
    return _LIBRARIES[framework]


def integer(argument: str, value: object, least: int = 0) -> int:
    """Return `value` as an int, or raise an error unless it is an integer of at least `least`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be an integer, got {value!r}") from None
    if isinstance(value, bool) or number < least:
        raise ValueError(f"{argument} must be at least {least}, got {value}")
    return number


def sizes(argument: str, shape: Shape, least: int = 0) -> tuple[int, ...]:
    """Return a size, or a sequence of sizes, as a tuple of ints."""
    return tuple(integer(argument, size, least) for size in (shape if isinstance(shape, Iterable) else (shape,)))


def extents(size: Shape) -> tuple[int, ...]:
    """Return the size of a kernel along each of its one to three dimensions."""
    found = sizes("size", size, 1)
    if not 1 <= len(found) <= 3:
        raise ValueError(f"size must have 1 to 3 dimensions, got {size}")
    return found


def row(argument: str, value: int | None, rows: int) -> int | None:
    """Return the number of a row of a table, negative ones as they are; None if none is given."""
    if value is None:
        return None
    number = integer(argument, value, -rows)
    if number >= rows:
        raise ValueError(f"{argument} must be one of the {rows} rows, got {value}")
    return number


def divided(argument: str, value: int, by: str, parts: int) -> tuple[int, int]:
    """Return a number and how many equal parts it is divided into; raise ValueError if that leaves a remainder."""
    whole, count = integer(argument, value), integer(by, parts, 1)
    if whole % count:
        raise ValueError(f"{by} must divide the {whole} {argument}, got {count}")
    return whole, count


def channels_and_kernel(inputs: int, outputs: int, size: Shape, groups: int) -> tuple[int, int, tuple[int, ...], int]:
    """Return input and output channels, size of the kernel and number of groups of a convolution."""
    ins, count = divided("inputs", inputs, "groups", groups)
    return ins, divided("outputs", outputs, "groups", groups)[0], extents(size), count
