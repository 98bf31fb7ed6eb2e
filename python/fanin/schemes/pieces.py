"""Tensors put together from pieces along an axis, each drawn in its place by a scheme of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arrays import dtypes, target
from ..arrays.index import Box, box
from ..arrays.request import Request
from ..arrays.types import Array

# A native sampler and its own arguments: it is called with these, then dtype, shape, box and memory.
Native: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


class Drawn(Protocol):
    """What draws a piece: a scheme."""

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        """Return the native sampler and its own arguments."""

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        """Return the pieces that it is put together from itself, or None."""


class Piece(NamedTuple):
    """Positions of an axis that belong to a tensor of another scheme, name and shape.

    Attributes
    ----------
    start, stop : int
        The positions along the axis of the whole.
    scheme : Scheme
        What draws them.
    name : str
        The name of the tensor that they belong to.
    shape : tuple of int
        The shape of that tensor.
    first : int
        The position on its axis that `start` is.
    """

    start: int
    stop: int
    scheme: Drawn
    name: str
    shape: tuple[int, ...]
    first: int


# An axis, and the pieces that lie along it in order, without gaps.
Pieces: TypeAlias = "tuple[int, list[Piece]]"


class Leaf(NamedTuple):
    """What one native sampler draws: where in the result, how, and which part of which tensor."""

    place: tuple[slice, ...]
    native: Native
    shape: tuple[int, ...]
    box: Box


def assemble(pieces: Pieces, request: Request, seed: int) -> Array:
    """Draw what was asked for, piece by piece."""
    part = request.box or box(..., request.shape)[0]
    leaves = list(_leaves(pieces, seed, part, ()))
    if request.out is None:
        wanted = tuple(entry[2] for entry in part if not isinstance(entry, int))
        result = np.empty(wanted, dtypes.native(request.dtype))
        for leaf in leaves:
            _draw(leaf, request, _view(result, leaf.place))
        return request.finish(result)
    _core.constant(0.0, request.dtype, request.shape, part, request.memory)  # refuses what cannot be written to
    memory = request.memory if target.is_gpus(request.memory) else target.as_ndarray(request.out)
    try:
        for leaf in leaves:
            _draw(
                leaf, request, _view(memory, leaf.place) if isinstance(memory, np.ndarray) else memory.part(leaf.place)
            )
    finally:
        target.written(request.out)
    return request.out


def samplers(pieces: Pieces) -> Iterator[Callable[..., Any]]:
    """Yield the native sampler of every piece."""
    _, along = pieces
    for piece in along:
        nested = piece.scheme.pieces(piece.shape, piece.name)
        if nested is None:
            yield piece.scheme.native(piece.shape, 0, piece.name)[0]
        else:
            yield from samplers(nested)


def names(pieces: Pieces) -> Iterator[str]:
    """Yield the name of every piece, and of those that it consists of."""
    for piece in pieces[1]:
        yield piece.name
        nested = piece.scheme.pieces(piece.shape, piece.name)
        if nested is not None:
            yield from names(nested)


def _view(array: NDArray[Any], place: tuple[slice, ...]) -> NDArray[Any]:
    index: tuple[Any, ...] = (..., *place)  # also of an array without axes it is a view
    view: NDArray[Any] = array[index]
    return view


def _draw(leaf: Leaf, request: Request, memory: Any) -> None:
    sampler, arguments = leaf.native
    if request.out is None and request.memory is not None:  # a GPU draws it, into an array of its own
        memory[...] = sampler(*arguments, request.dtype, leaf.shape, leaf.box, request.memory)
    else:
        sampler(*arguments, request.dtype, leaf.shape, leaf.box, memory)


def _leaves(pieces: Pieces, seed: int, part: Box, where: tuple[slice, ...]) -> Iterator[Leaf]:
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
        nested = piece.scheme.pieces(piece.shape, piece.name)
        if nested is not None:
            yield from _leaves(nested, seed, inner, place)
        else:
            yield Leaf(place, piece.scheme.native(piece.shape, seed, piece.name), piece.shape, inner)


def _overlap(entry: int | tuple[int, int, int], piece: Piece) -> tuple[int | tuple[int, int, int], slice]:
    """Return what an index's entry selects of a piece, in its own positions, and where that lies in the result."""
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
