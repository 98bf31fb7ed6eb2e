"""Tensors put together from pieces, each of which is drawn in its place by a scheme of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arrays import dtypes, gpu, target
from ..arrays.index import box
from ..arrays.request import Request
from ..arrays.types import Array
from .cuts import Layout, Part, hull

# A native sampler and its own arguments: it is called with these, then dtype, shape, box and memory.
Native: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]


class Drawn(Protocol):
    """What draws a piece: a scheme."""

    @property
    def is_whole(self) -> bool:
        """Whether drawing a small part costs nearly as much as drawing all of it."""

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        """Return the native sampler and its own arguments."""

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        """Return the pieces that it is put together from itself, or None."""


class Piece(NamedTuple):
    """Elements of a tensor that belong to a tensor of another scheme, name and shape.

    Attributes
    ----------
    scheme : Scheme
        What draws them.
    name : str
        The name of the tensor that they belong to.
    shape : tuple of int
        The shape of that tensor.
    layout : Layout
        Which of its elements they are, and where they lie in the whole.
    """

    scheme: Drawn
    name: str
    shape: tuple[int, ...]
    layout: Layout


# The pieces of a tensor: each of its elements belongs to one of them.
Pieces: TypeAlias = Sequence[Piece]


class Many(Sequence[Piece]):
    """Pieces that are made when they are asked for, since there may be more than can be made for every small part.

    Parameters
    ----------
    count : int
        The number of pieces.
    make : callable
        A function that returns the piece of a number.
    near : callable
        A function that returns the numbers of the pieces that may have elements in a box, a range for every axis.
    """

    def __init__(
        self, count: int, make: Callable[[int], Piece], near: Callable[[tuple[range, ...]], Iterable[int]]
    ) -> None:
        self.size, self.make, self.near = count, make, near

    def __len__(self) -> int:
        """Return the number of pieces."""
        return self.size

    @overload
    def __getitem__(self, index: int) -> Piece: ...

    @overload
    def __getitem__(self, index: slice) -> list[Piece]: ...

    def __getitem__(self, index: int | slice) -> Piece | list[Piece]:
        """Return the piece of a number, or those of several."""
        found = range(self.size)[index]
        return self.make(found) if isinstance(found, int) else [self.make(number) for number in found]


class Leaf(NamedTuple):
    """Hold what one native sampler draws: how, of which tensor, and its parts with their places in the result."""

    native: Native
    shape: tuple[int, ...]
    is_whole: bool
    parts: list[Part]


def assemble(pieces: Pieces, request: Request, seed: int) -> Array:
    """Draw what was asked for, piece by piece."""
    wanted = request.box or box(..., request.shape)[0]
    sizes = [entry[2] for entry in wanted if not isinstance(entry, int)]
    leaves = [] if 0 in sizes else list(_leaves(pieces, seed, [Part.of(wanted)]))
    if request.out is None:
        result = np.empty(sizes, dtypes.native(request.dtype))
        for leaf in leaves:
            if request.memory is None:
                _draw(leaf, request.dtype, result)
            else:  # a GPU draws it, into an array of its own
                _copy(leaf, request.dtype, result, request.memory)
        return request.finish(result)
    _core.constant(0.0, request.dtype, request.shape, wanted, request.memory)  # refuses what cannot be written to
    try:
        if target.is_gpus(request.memory):
            for leaf in leaves:
                _draw_there(leaf, request.dtype, request.memory)
        else:
            array = target.as_ndarray(request.out)
            for leaf in leaves:
                _draw(leaf, request.dtype, array)
    finally:
        target.written(request.out)
    return request.out


def samplers(pieces: Pieces) -> Iterator[Callable[..., Any]]:
    """Yield the native sampler of every piece."""
    for piece in pieces:
        nested = piece.scheme.pieces(piece.shape, piece.name)
        if nested is None:
            yield piece.scheme.native(piece.shape, 0, piece.name)[0]
        else:
            yield from samplers(nested)


def names(pieces: Pieces) -> Iterator[str]:
    """Yield the name of every piece, and of those that it consists of."""
    for piece in pieces:
        yield piece.name
        nested = piece.scheme.pieces(piece.shape, piece.name)
        if nested is not None:
            yield from names(nested)


def _leaves(pieces: Pieces, seed: int, parts: list[Part]) -> Iterator[Leaf]:
    if isinstance(pieces, Many):
        pieces = [pieces[number] for number in pieces.near(hull(parts))]
    for scheme, name, shape, layout in pieces:
        found = layout.cut(parts[0]) if len(parts) == 1 else [each for part in parts for each in layout.cut(part)]
        if not found:
            continue
        nested = scheme.pieces(shape, name)
        if nested is None:
            yield Leaf(scheme.native(shape, seed, name), shape, scheme.is_whole, found)
        else:
            yield from _leaves(nested, seed, found)


def _draw(leaf: Leaf, dtype: _core.Dtype, memory: NDArray[Any]) -> None:
    """Draw into an array in the memory of the CPU."""
    (sampler, arguments), shape, is_whole, parts = leaf
    if is_whole and len(parts) > 1:
        _copy(leaf, dtype, memory, None)
        return
    for part in parts:
        sampler(*arguments, dtype, shape, part.box, part.view(memory))


def _copy(leaf: Leaf, dtype: _core.Dtype, memory: NDArray[Any], device: _core.Gpu | None) -> None:
    """Draw an array that has all the parts, on a device, and copy them from it."""
    (sampler, arguments), shape, _, parts = leaf
    if len(parts) == 1:
        parts[0].view(memory)[...] = sampler(*arguments, dtype, shape, parts[0].box, device)
        return
    bounds = hull(parts)
    drawn = sampler(*arguments, dtype, shape, tuple((at.start, 1, len(at)) for at in bounds), device)
    for part in parts:
        part.view(memory)[...] = drawn[part.within(tuple(at.start for at in bounds))]


def _draw_there(leaf: Leaf, dtype: _core.Dtype, memory: _core.Memory) -> None:
    """Draw into the memory of a GPU."""
    (sampler, arguments), shape, _, parts = leaf
    addresses = gpu.addresses(memory)
    for part in parts:
        sampler(*arguments, dtype, shape, part.box, gpu.part(memory, part.view(addresses)))
