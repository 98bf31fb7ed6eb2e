"""Give every draw the name of its random stream: that of a parameter, with a number where it has several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .values import Draw, Geometry, Layer, Operation, Read, Value, in_order, title


class Stream(NamedTuple):
    """The random stream of a draw: draw 0 of a parameter has its name, draw k the name and #k."""

    owner: str
    number: int

    def of(self, name: str) -> str:
        """Return the stream's name where the owner is called `name`."""
        return f"{name}#{self.number}" if self.number else name


def numbered(values: Iterable[tuple[str, Value]]) -> dict[Draw, Stream]:
    """Return the stream of every draw that shows in parameters, given by name and value, in the order of the model.

    The draws of a parameter are numbered by the first element that they reach, then by call; one that another parameter
    had before keeps its stream, and counts. So no parameter changes what those before it have.
    """
    found: dict[Draw, Stream] = {}
    for name, value in values:
        live = reach(value)
        ordered = sorted(live, key=lambda draw: (live[draw], draw.number))
        for number, draw in enumerate(ordered):
            found.setdefault(draw, Stream(name, number))
    return found


def reach(root: Value) -> dict[Draw, int]:
    """Return the draws that a value depends on, each with the position, in C order, of the first element it reaches.

    Through an operation that is neither elementwise nor `cat` a draw may reach every element.
    """
    found: dict[Value, dict[Draw, int]] = {}
    for value in in_order(root):
        if not value.is_random:
            found[value] = {}
        elif isinstance(value, Draw):
            found[value] = {value: 0}
        else:
            reached: dict[Draw, int] = {}
            for draw, position in _reached(value, found):
                reached[draw] = min(position, reached.get(draw, position))
            found[value] = reached
    return found[root]


def _reached(value: Value, found: dict[Value, dict[Draw, int]]) -> Iterable[tuple[Draw, int]]:
    if isinstance(value, Read):
        for layer in value.layers:
            start = _first_seen(value.geometry, layer)
            for draw, inner in found[layer.value].items():
                yield draw, start if not inner else max(start, _moved(inner, layer.geometry, value.geometry))
        return
    starts = _starts(value) if isinstance(value, Operation) else {}
    for each in value.inputs:
        for draw, inner in found[each].items():
            if each in starts:
                yield draw, starts[each] + inner if not inner or value.shape[1:] == each.shape[1:] else starts[each]
            else:
                yield draw, inner if each.shape == value.shape else 0


def _starts(value: Operation) -> dict[Value, int]:
    """Return where each part of what `cat` joins begins; empty for other operations."""
    if title(value.func) != "cat" or not value.shape:
        return {}
    axis = value.args[1] if len(value.args) > 1 else value.kwargs.get("dim", 0)
    inner = int(np.prod(value.shape[axis % len(value.shape) + 1 :], dtype=np.int64))
    starts: dict[Value, int] = {}
    at = 0
    for part in value.args[0]:
        starts.setdefault(part, at * inner)
        at += part.shape[axis] if part.shape != (0,) else 0
    return starts


def _first_seen(geometry: Geometry, layer: Layer) -> int:
    """Return the first position in a view that shows a layer."""
    begins = layer.seen.begins // geometry.dtype.itemsize
    return int(min(_positions(geometry, begins)))


def _moved(position: int, inner: Geometry, outer: Geometry) -> int:
    """Return the position in a view of the element that has a position in another view of the same memory."""
    at = inner.offset
    for size, stride in zip(reversed(inner.shape), reversed(inner.strides), strict=True):
        position, index = divmod(position, size)
        at += index * stride
    return int(_positions(outer, np.array([at * inner.dtype.itemsize // outer.dtype.itemsize]))[0])


def _positions(geometry: Geometry, elements: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions, in C order, of elements of a storage that a view has."""
    left = elements - geometry.offset
    if geometry.is_in_order:
        return left
    position = np.zeros_like(left)
    steps = np.cumprod([1, *geometry.shape[:0:-1]], dtype=np.int64)[::-1]
    for stride, step in sorted(zip(geometry.strides, steps, strict=True), reverse=True):
        if stride:
            position += left // stride * step
            left = left % stride
    return position
