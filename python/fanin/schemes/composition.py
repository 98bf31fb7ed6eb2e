"""Parameters put together along an axis: fused blocks of different schemes, rows of zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..arrays.shape import as_shape
from ..arrays.types import Shape
from .base import Native, Scheme
from .distributions import Constant, Normal
from .pieces import Piece, Pieces


class _Assembled(Scheme):
    """A scheme of pieces: their moments are the whole's."""

    __slots__ = ()

    def mean(self, shape: Shape) -> float:
        counts, means, _ = self._moments(shape)
        return math.fsum(n * m for n, m in zip(counts, means, strict=True)) / max(1, sum(counts))

    def std(self, shape: Shape) -> float:
        counts, means, stds = self._moments(shape)
        total = max(1, sum(counts))
        mean = math.fsum(n * m for n, m in zip(counts, means, strict=True)) / total
        squares = (n * (s**2 + (m - mean) ** 2) for n, m, s in zip(counts, means, stds, strict=True))
        return math.sqrt(math.fsum(squares) / total)

    def _moments(self, shape: Shape) -> tuple[list[int], list[float], list[float]]:
        sizes = as_shape(shape)
        pieces = self._pieces(sizes, "")
        assert pieces is not None
        axis, along = pieces
        counts = [math.prod(sizes) // max(1, sizes[axis]) * (piece.stop - piece.start) for piece in along]
        means = [piece.scheme.mean(piece.shape) for piece in along]
        stds = [piece.scheme.std(piece.shape) for piece in along]
        return counts, means, stds

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        raise AssertionError("drawn in pieces")


@dataclass(frozen=True, slots=True)
class Concatenate(_Assembled):
    """Several schemes, one after the other along an axis: see `concatenate`."""

    schemes: tuple[Scheme, ...]
    sizes: tuple[int, ...] | None = None
    axis: int = 0

    def __post_init__(self) -> None:
        if not self.schemes or not all(isinstance(scheme, Scheme) for scheme in self.schemes):
            raise TypeError(f"schemes must be a sequence of schemes, got {self.schemes!r}")
        if self.sizes is not None and (len(self.sizes) != len(self.schemes) or min(self.sizes) < 0):
            raise ValueError(f"sizes must be one for each of {len(self.schemes)} schemes, got {self.sizes}")

    def _scaled(self, factor: float) -> Concatenate:
        return self._with(schemes=tuple(factor * scheme for scheme in self.schemes))

    def _is_whole(self) -> bool:
        return any(scheme._is_whole() for scheme in self.schemes)

    def _pieces(self, shape: Shape, name: str) -> Pieces:
        shape = as_shape(shape)
        axis = _axis(self.axis, shape)
        along, start = [], 0
        for number, (scheme, size) in enumerate(zip(self.schemes, self._sizes(shape, axis), strict=True)):
            part = (*shape[:axis], size, *shape[axis + 1 :])
            along.append(Piece(start, start + size, scheme, f"{name}[{number}]", part, 0))
            start += size
        return axis, along

    def _sizes(self, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
        count = len(self.schemes)
        if self.sizes is None:
            if shape[axis] % count:
                raise ValueError(f"axis {axis} of shape {shape} must be a multiple of {count}, or sizes be given")
            return (shape[axis] // count,) * count
        if sum(self.sizes) != shape[axis]:
            raise ValueError(f"sizes must add up to {shape[axis]}, axis {axis} of shape {shape}, got {self.sizes}")
        return self.sizes


@dataclass(frozen=True, slots=True)
class Padded(_Assembled):
    """A scheme, but zeros at one position of axis 0: see `embedding`."""

    of: Scheme
    row: int

    def _scaled(self, factor: float) -> Padded:
        return Padded(factor * self.of, self.row)

    def _is_whole(self) -> bool:
        return self.of._is_whole()

    def _pieces(self, shape: Shape, name: str) -> Pieces:
        shape = as_shape(shape)
        if not shape or not -shape[0] <= self.row < shape[0]:
            raise ValueError(f"padding must be a row of shape {shape}, got {self.row}")
        row, rows = self.row % shape[0], shape[0]
        return 0, [
            Piece(0, row, self.of, name, shape, 0),
            Piece(row, row + 1, Constant(0.0), name, shape, row),
            Piece(row + 1, rows, self.of, name, shape, row + 1),
        ]


def _axis(axis: int, shape: tuple[int, ...]) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} of shape {shape}, got {axis}")
    return axis % len(shape)


def concatenate(schemes: Sequence[Scheme], sizes: Sequence[int] | None = None, axis: int = 0) -> Concatenate:
    """Fused blocks of different schemes, one after the other along an axis.

    Each block is a parameter of its own shape, for which its fans are counted, and of its own name, which is the
    whole's followed by its number: `name[0]`, `name[1]`, …

    Parameters
    ----------
    schemes : sequence of Scheme
        One for every block.
    sizes : sequence of int, optional
        Of the blocks along the axis. Default: equal.
    axis : int
        Default 0: the outputs of the layout "OI"; -1 are those of "IO".

    Examples
    --------
    >>> from fanin import schemes
    >>> qkv = concatenate([schemes.orthogonal(layout="OI")] * 2 + [schemes.zeros()])
    >>> w = qkv((12, 4), seed=0, name="qkv.weight")
    >>> bool((w[:4] == schemes.orthogonal(layout="OI")((4, 4), seed=0, name="qkv.weight[0]")).all())
    True
    """
    return Concatenate(tuple(schemes), None if sizes is None else tuple(sizes), axis)


def embedding(std: float = 0.02, *, padding: int | None = None) -> Normal | Padded:
    """Normal rows, one for each token, and zeros for the padding token.

    The other rows do not depend on it, nor on how many follow.

    Parameters
    ----------
    std : float
        GPT-2 has 0.02; torch's default of 1 suits no tied output layer.
    padding : int, optional
        The row of zeros.

    Examples
    --------
    >>> embedding(padding=0)((3, 2), seed=0, name="wte.weight")[0]
    array([0., 0.], dtype=float32)
    """
    return Normal(0.0, std) if padding is None else Padded(Normal(0.0, std), padding)
