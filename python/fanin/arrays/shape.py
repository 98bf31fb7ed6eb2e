"""Check shapes."""

from __future__ import annotations

import math
import operator

from ..text import short
from .types import Shape


def as_shape(shape: Shape, argument: str = "shape") -> tuple[int, ...]:
    """Return `shape` as a tuple of ints; raise ValueError if no array can have it, TypeError if it is not a shape."""
    if type(shape) is tuple:
        product = 1
        for size in shape:
            if type(size) is not int or size < 0:
                break
            product *= size or 1
        else:
            if product < 2**63:
                return shape
    try:
        sizes = (operator.index(shape),) if _is_one(shape) else tuple(map(_size, shape))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{argument} must be an integer or a sequence of integers, got {short(shape)}") from None
    if min(sizes, default=0) < 0:
        axis = next(axis for axis, size in enumerate(sizes) if size < 0)
        raise ValueError(f"{argument} must have no negative axis, got {short(sizes[axis])} at axis {axis}")
    if math.prod(filter(None, sizes)) >= 2**63:
        raise ValueError(f"{argument} must have fewer than 2^63 elements, got {short(sizes)}")
    return sizes


def _size(size: object) -> int:
    if isinstance(size, bool):
        raise TypeError
    return operator.index(size)  # type: ignore[arg-type]


def _is_one(shape: object) -> bool:
    """Tell whether a shape is a single integer: an int, a NumPy integer, or an array without axes."""
    if isinstance(shape, bool | str | bytes | dict | set):
        raise TypeError
    return hasattr(shape, "__index__") and getattr(shape, "shape", ()) == ()
