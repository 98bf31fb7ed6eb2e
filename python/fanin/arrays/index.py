"""Index a shape with integers and slices as NumPy would, without an array in memory."""

from __future__ import annotations

import operator
from types import EllipsisType

import numpy as np

from ..text import short
from .types import Index

Box = tuple[int | tuple[int, int, int], ...]


def box(index: Index, shape: tuple[int, ...]) -> tuple[Box, bool]:
    """Return what `index` selects, one entry for each axis, and whether NumPy would return a scalar.

    An entry is an int where an integer removes the axis, else (start, step, count).

    >>> box((3, slice(None, None, -2)), (5, 7))
    ((3, (6, -2, 4)), False)
    """
    items = [_item(item) for item in (index if isinstance(index, tuple) else (index,))]
    ellipses = sum(item is Ellipsis for item in items)
    missing = len(shape) - (len(items) - ellipses)
    if ellipses > 1:
        raise IndexError("index can only have a single ellipsis ('...')")
    if missing < 0:
        raise IndexError(f"too many indices: shape {shape} is {len(shape)}-dimensional, got {len(items) - ellipses}")
    at = items.index(Ellipsis) if ellipses else len(items)
    items[at : at + ellipses] = [slice(None)] * missing
    entries = tuple(_entry(item, size, axis) for axis, (item, size) in enumerate(zip(items, shape, strict=True)))
    return entries, not ellipses and all(isinstance(entry, int) for entry in entries)


def _item(item: object) -> int | slice | EllipsisType:
    if isinstance(item, slice | EllipsisType):
        return item
    try:
        if not isinstance(item, bool | np.bool_):
            return operator.index(item)  # type: ignore[arg-type]
    except TypeError:
        pass
    raise TypeError(f"index may hold integers, slices and '...' (not None, bools or arrays), got {short(item)}")


def _entry(item: int | slice | EllipsisType, size: int, axis: int) -> int | tuple[int, int, int]:
    if isinstance(item, slice):
        start, stop, step = item.indices(size)
        count = len(range(start, stop, step))
        if count < 2:  # the step does not matter, and may exceed the core's integers
            return (start, 1, 1) if count else (0, 1, 0)
        return (start, step, count)
    assert isinstance(item, int)
    if not -size <= item < size:
        raise IndexError(f"index {short(item)} is out of bounds for axis {axis} with size {size}")
    return item % size
