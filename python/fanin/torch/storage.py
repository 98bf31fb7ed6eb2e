"""What was written to which elements of a storage: sets of bytes as intervals, and the writes that still show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import Empty, Geometry, Layer, Read, Value


class Spans:
    """A set of bytes of a storage, as sorted intervals that neither overlap nor touch.

    A matrix takes one interval, some of its columns one for each row: never one for each element of what is contiguous.
    """

    __slots__ = ("begins", "ends")

    def __init__(self, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        self.begins, self.ends = begins, ends

    @classmethod
    def of(cls, geometry: Geometry) -> Spans:
        """Return the bytes of the elements of a view."""
        return _spans(geometry)

    def __bool__(self) -> bool:
        return len(self.begins) > 0

    @property
    def first(self) -> int:
        """The first byte."""
        return int(self.begins[0])

    def within(self, other: Spans) -> Spans:
        """Return the bytes that another set has too."""
        return self._cut(other, inside=True)

    def without(self, other: Spans) -> Spans:
        """Return the bytes that another set does not have."""
        return self._cut(other, inside=False)

    def _cut(self, other: Spans, *, inside: bool) -> Spans:
        # Between two neighboring ends of intervals either all bytes are in a set or none.
        points = np.unique(np.concatenate([self.begins, self.ends, other.begins, other.ends]))
        starts = points[:-1]
        kept = self._has(starts) & (other._has(starts) == inside)
        return merged(starts[kept], points[1:][kept])

    def _has(self, points: NDArray[np.int64]) -> NDArray[np.bool_]:
        begun = np.searchsorted(self.begins, points, "right")
        ended = np.searchsorted(self.ends, points, "right")
        return begun > ended


def merged(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> Spans:
    """Return the set of sorted intervals, which may touch or overlap."""
    if len(begins) < 2:
        return Spans(begins, ends)
    ends = np.maximum.accumulate(ends)
    apart = begins[1:] > ends[:-1]
    return Spans(begins[np.append(True, apart)], ends[np.append(apart, True)])


@lru_cache(maxsize=4096)
def _spans(geometry: Geometry) -> Spans:
    none = np.zeros(0, np.int64)
    if 0 in geometry.shape:
        return Spans(none, none)
    itemsize = geometry.dtype.itemsize
    run = 1
    outer: list[tuple[int, int]] = []
    for stride, size in sorted(zip(geometry.strides, geometry.shape, strict=True)):
        if size == 1 or stride == 0:
            continue
        if stride == run and not outer:
            run *= size
        else:
            outer.append((stride, size))
    begins = np.array([geometry.offset], np.int64)
    for stride, size in reversed(outer):
        begins = (begins[:, None] + stride * np.arange(size, dtype=np.int64)).ravel()
    begins = np.sort(begins) * itemsize
    return merged(begins, begins + run * itemsize)


class Writes:
    """What was written to one storage, the last write last.

    Parameters
    ----------
    storage : torch.UntypedStorage
        It is kept alive, as its address is what it is known by.
    origin : Value or None
        What it held when it was first met; None where it was made while recording, and held nothing.
    """

    def __init__(self, storage: Any, origin: tuple[Geometry, Value] | None = None) -> None:
        self.storage = storage
        self.was_made, self.was_written = origin is None, False
        self._layers: dict[Geometry, Value] = {} if origin is None else dict([origin])

    def write(self, geometry: Geometry, value: Value) -> None:
        """Write a value to a view."""
        self.was_written = True
        if geometry.is_packed and math.prod(geometry.shape) * geometry.dtype.itemsize == self.storage.nbytes():
            self._layers.clear()
        self._layers.pop(geometry, None)
        self._layers[geometry] = value

    def read(self, geometry: Geometry) -> Value:
        """Return the value of a view."""
        if self._layers:
            last = next(reversed(self._layers))
            if last == geometry:
                return self._layers[last]
        layers = list(self._seen(geometry))[::-1]
        if len(layers) == 1 and layers[0].geometry == geometry:
            return layers[0].value
        return Read(layers, geometry, self.storage.nbytes())

    def _seen(self, geometry: Geometry) -> Iterator[Layer]:
        """Yield the writes that show in a view, the last first, and what was never written."""
        left = Spans.of(geometry)
        for place, value in reversed(self._layers.items()):
            if not left:
                return
            if seen := left.within(Spans.of(place)):
                yield Layer(place, value, seen)
                left = left.without(Spans.of(place))
        if left:
            yield Layer(geometry, Empty(geometry.shape, geometry.dtype), left)
