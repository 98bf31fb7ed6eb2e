"""Check shapes."""

from __future__ import annotations

import math
import operator

from .types import Shape


def as_shape(shape: Shape) -> tuple[int, ...]:
    """Return `shape` as a tuple of ints; raise ValueError where no array can have it."""
    try:
        sizes = tuple(map(operator.index, shape))  # type: ignore[arg-type]  # fails fast for an int
    except TypeError:
        sizes = (_size(shape),)
    if min(sizes, default=0) < 0:
        axis = next(axis for axis, size in enumerate(sizes) if size < 0)
        raise ValueError(f"shape must have no negative axis, got {sizes[axis]} at axis {axis}")
    if math.prod(filter(None, sizes)) >= 2**63:
        raise ValueError(f"shape must have fewer than 2^63 elements, got {sizes}")
    return sizes


def _size(shape: object) -> int:
    try:
        return operator.index(shape)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"shape must be an integer or a sequence of integers, got {shape!r}") from None
