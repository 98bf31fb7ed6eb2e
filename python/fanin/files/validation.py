"""What a name, a shape and a size from outside must be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

from ..text import short
from . import limits


def as_name(name: object, where: str = "") -> str:
    """A parameter's name; ValueError, starting with `where`, if it is none."""
    try:
        if isinstance(name, str):
            name.encode()
            return name
    except UnicodeEncodeError:
        pass
    raise ValueError(f"{where}name must be a string without lone surrogates, got {short(name)}")


def as_shape(shape: object, what: str = "shape") -> tuple[int, ...]:
    """A shape as a tuple of int; ValueError, starting with `what`, if it is none.

    Examples
    --------
    >>> as_shape([3, 4])
    (3, 4)
    """
    # A tuple or a list is a Sequence, and quickly known to be one.
    if not isinstance(shape, (tuple, list, Sequence)) or isinstance(shape, (str, bytes)) or len(shape) > limits.AXES:
        raise ValueError(f"{what} must be a sequence of at most {limits.AXES} integers, got {short(shape)}")
    sizes = tuple(
        [  # a list is the faster way to a tuple, and this is asked of every parameter
            size
            if type(size) is int and 0 <= size <= limits.ELEMENTS
            else as_integer(size, f"{what} must have at axis {axis}", 0, limits.ELEMENTS)
            for axis, size in enumerate(shape)
        ]
    )
    if math.prod(filter(None, sizes)) > limits.ELEMENTS:
        raise ValueError(f"{what} must have fewer than 2^63 elements, got {short(sizes)}")
    return sizes


def as_integer(value: Any, must: str, low: int, high: int) -> int:
    """An integer in [low, high]; ValueError, starting with what `must` be one, if it is none.

    Examples
    --------
    >>> as_integer(-1, "layers must be", 0, 100)
    Traceback (most recent call last):
    ValueError: layers must be an integer in [0, 100], got -1
    """
    try:
        if not isinstance(value, bool) and low <= (number := index(value)) <= high:
            return number
    except TypeError:
        pass
    raise ValueError(f"{must} an integer in [{low}, {high}], got {short(value)}")
