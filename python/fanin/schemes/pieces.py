"""Tensors put together from pieces along an axis, each drawn in its place by a scheme of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from .. import _core
from .._core import Memory
from ..arrays import dtypes as _dtypes
from ..arrays import gpu as _gpu
from ..arrays import target as _out
from ..arrays.index import Box, box
from ..arrays.types import Array, Device, DType, Index, Out
from ..sampling import require_stream

if TYPE_CHECKING:
    from .base import Scheme


class Piece(NamedTuple):
    """Positions `start` to `stop` of an axis: those from `first` on of a tensor of another scheme, name and shape."""

    start: int
    stop: int
    scheme: Scheme
    name: str
    shape: tuple[int, ...]
    first: int


Pieces: TypeAlias = tuple[int, list[Piece]]  # an axis, and what lies along it in order, without gaps


def assemble(
    pieces: Pieces,
    shape: tuple[int, ...],
    seed: int,
    dtype: DType,
    index: Index,
    out: Out,
    device: Device,
    stream: str,
) -> Array:
    """Draw the tensor, or a part of it; the arguments are those of a scheme's call."""
    require_stream(stream)
    gpu = None if device is None or out is not None else _gpu.drawing(device)
    part, scalar = box(... if index is None else index, shape)
    leaves = list(_leaves(pieces, seed, part, ()))
    wanted = tuple(entry[2] for entry in part if not isinstance(entry, int))
    found = _dtypes.find(_out.dtype(out) if out is not None and dtype is None else dtype, _dtypes.FLOATS)
    target: Any  # an ndarray, or a GPU's Memory
    if out is None:
        target = np.empty(wanted, _dtypes.native(found))
    else:
        target = _out.writable(out, device)
        _core.constant(0.0, found, shape, part, target)  # refuses what cannot be written to, before a piece is
        if not _out.is_gpus(target):
            target = _out.as_ndarray(out)
    try:
        for place, sampler, arguments, whole, inner in leaves:
            if isinstance(target, Memory):
                sampler(*arguments, found, whole, inner, target.part(place))
            elif gpu is None:
                sampler(*arguments, found, whole, inner, target[(..., *place)])
            else:
                target[(..., *place)] = sampler(*arguments, found, whole, inner, gpu)
    finally:
        if out is not None:
            _out.written(out)
    if out is not None:
        return out
    return target[()] if scalar else target


def _leaves(pieces: Pieces, seed: int, part: Box, where: tuple[slice, ...]) -> Iterator[tuple[Any, ...]]:
    """Where in the result, sampler, its arguments, its tensor's shape, and what it draws of that."""
    axis, along = pieces
    axis %= len(part)
    kept = [number for number, entry in enumerate(part) if not isinstance(entry, int)]
    where = where or (slice(None),) * len(kept)
    for piece in along:
        entry, positions = _overlap(part[axis], piece)
        if not positions.stop > positions.start:
            continue
        inner = (*part[:axis], entry, *part[axis + 1 :])
        place = tuple(_within(outer, positions) if kept[k] == axis else outer for k, outer in enumerate(where))
        nested = piece.scheme._pieces(piece.shape, piece.name)
        if nested is not None:
            yield from _leaves(nested, seed, inner, place)
        else:
            sampler, arguments = piece.scheme._native(piece.shape, seed, piece.name)
            yield place, sampler, arguments, piece.shape, inner


def _overlap(entry: int | tuple[int, int, int], piece: Piece) -> tuple[int | tuple[int, int, int], slice]:
    """What an index's entry selects of a piece, in its own positions, and where that lies in the result."""
    shift = piece.first - piece.start
    if isinstance(entry, int):
        return entry + shift, slice(0, piece.start <= entry < piece.stop)
    start, step, count = entry
    chosen = range(start, start + step * count, step)
    inside = range(piece.start, piece.stop)
    low, high = (inside.start, inside.stop) if step > 0 else (inside.stop - 1, inside.start - 1)
    first = max(0, -((start - low) // step))
    last = min(count, max(first, -((start - high) // step)))
    position = chosen[first] if first < last else 0
    return (position + shift, step, last - first), slice(first, last)


def _within(outer: slice, inner: slice) -> slice:
    start = outer.start or 0
    return slice(start + inner.start, start + inner.stop)
