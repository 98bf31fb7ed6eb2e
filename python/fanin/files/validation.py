"""Check names, shapes and sizes that come from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

from ..text import short
from . import limits


def as_name(name: object, where: str = "") -> str:
    """Return a parameter's name; raise ValueError, whose message starts with `where`, if it cannot be one."""
    try:
        if isinstance(name, str):
            name.encode()
            return name
    except UnicodeEncodeError:
        pass
    raise ValueError(f"{where}name must be a string without lone surrogates, got {short(name)}")


def as_shape(shape: object, what: str = "shape") -> tuple[int, ...]:
    """Return a shape as a tuple of int; raise ValueError, whose message starts with `what`, if it cannot be one.

    Examples
    --------
    >>> as_shape([3, 4])
    (3, 4)
    """
    # Tuples and lists are Sequences too; naming them makes the test quick.
    if not isinstance(shape, (tuple, list, Sequence)) or isinstance(shape, (str, bytes)) or len(shape) > limits.AXES:
        raise ValueError(f"{what} must be a sequence of at most {limits.AXES} integers, got {short(shape)}")
    sizes = tuple(
        [  # faster by way of a list, and this runs for every parameter
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
    """Return an integer in [low, high]; raise ValueError, whose message starts with `must`, for anything else.

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
