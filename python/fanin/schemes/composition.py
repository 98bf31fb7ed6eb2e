"""Parameters put together along an axis: fused blocks of different schemes, rows of zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..arguments import integer, integers, optional
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..text import short
from .distributions import Constant, Normal
from .pieces import Native, Piece, Pieces
from .registry import register
from .scheme import Scheme, as_scheme


class Assembled(Scheme):
    """A scheme of pieces: its moments follow from theirs."""

    __slots__ = ()

    def expected_mean(self, shape: Shape) -> float:
        counts, means, _ = self._moments(shape)
        return math.fsum(n * m for n, m in zip(counts, means, strict=True)) / max(1, sum(counts))

    def expected_std(self, shape: Shape) -> float:
        counts, means, stds = self._moments(shape)
        total = max(1, sum(counts))
        mean = math.fsum(n * m for n, m in zip(counts, means, strict=True)) / total
        squares = (n * (s**2 + (m - mean) ** 2) for n, m, s in zip(counts, means, stds, strict=True))
        return math.sqrt(math.fsum(squares) / total)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        raise TypeError(f"{self.describe()} is drawn in pieces")

    def _moments(self, shape: Shape) -> tuple[list[int], list[float], list[float]]:
        sizes = as_shape(shape)
        pieces = self.pieces(sizes, "")
        assert pieces is not None
        axis, along = pieces
        counts = [math.prod(sizes) // max(1, sizes[axis]) * (piece.stop - piece.start) for piece in along]
        schemes = [as_scheme("scheme", piece.scheme) for piece in along]
        means = [scheme.expected_mean(piece.shape) for scheme, piece in zip(schemes, along, strict=True)]
        stds = [scheme.expected_std(piece.shape) for scheme, piece in zip(schemes, along, strict=True)]
        return counts, means, stds


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Concatenate(Assembled):
    """Draw fused blocks by different schemes, one after the other along an axis.

    Each block is a parameter of its own shape, for which its fans are counted, and of its own name, which is the
    whole's followed by its number: `name[0]`, `name[1]`, …

    Parameters
    ----------
    schemes : sequence of Scheme
        The scheme of every block.
    sizes : sequence of int, optional
        The sizes of the blocks along the axis. Default: they are equal.
    axis : int
        The axis. Default 0: the outputs of the layout "OI"; -1 are those of "IO".

    Examples
    --------
    >>> from fanin import schemes
    >>> qkv = concatenate([schemes.orthogonal(layout="OI")] * 2 + [schemes.zeros()])
    >>> w = qkv((12, 4), seed=0, name="qkv.weight")
    >>> bool((w[:4] == schemes.orthogonal(layout="OI")((4, 4), seed=0, name="qkv.weight[0]")).all())
    True
    """

    schemes: Sequence[Scheme]
    sizes: Sequence[int] | None = None
    axis: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.schemes, str | bytes) or not isinstance(self.schemes, Sequence) or not self.schemes:
            raise TypeError(f"schemes must be a sequence of schemes, got {short(self.schemes)}")
        found = tuple(as_scheme(f"schemes[{number}]", scheme) for number, scheme in enumerate(self.schemes))
        object.__setattr__(self, "schemes", found)
        object.__setattr__(self, "sizes", optional(lambda name, value: integers(name, value, 0), "sizes", self.sizes))
        object.__setattr__(self, "axis", integer("axis", self.axis))
        if self.sizes is not None and len(self.sizes) != len(found):
            raise ValueError(f"sizes must be one for each of {len(found)} schemes, got {self.sizes}")

    def scaled(self, factor: float) -> Concatenate:
        return self.replace(schemes=tuple(factor * scheme for scheme in self.schemes))

    @property
    def is_whole(self) -> bool:
        return any(scheme.is_whole for scheme in self.schemes)

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        axis = _axis(self.axis, shape)
        along, start = [], 0
        for number, (scheme, size) in enumerate(zip(self.schemes, self._sizes(shape, axis), strict=True)):
            part = (*shape[:axis], size, *shape[axis + 1 :])
            along.append(Piece(start, start + size, scheme, f"{name}[{number}]", part, 0))
            start += size
        return axis, along

    def _sizes(self, shape: tuple[int, ...], axis: int) -> Sequence[int]:
        count = len(self.schemes)
        if self.sizes is None:
            if shape[axis] % count:
                raise ValueError(f"axis {axis} of shape {shape} must be a multiple of {count}, or sizes be given")
            return (shape[axis] // count,) * count
        if sum(self.sizes) != shape[axis]:
            raise ValueError(f"sizes must add up to {shape[axis]}, axis {axis} of shape {shape}, got {self.sizes}")
        return self.sizes


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Padded(Assembled):
    """Draw by a scheme, but zeros at one position of axis 0, as in the embedding of a padding token.

    Parameters
    ----------
    of : Scheme
        What draws the other positions, which do not depend on the one of zeros.
    row : int
        The position of zeros; negative ones count from the last.

    Examples
    --------
    >>> from fanin import schemes
    >>> padded(schemes.normal(), 0)((3, 2), seed=0, name="wte.weight")[0]
    array([0., 0.], dtype=float32)
    """

    of: Scheme
    row: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", as_scheme("of", self.of))
        object.__setattr__(self, "row", integer("row", self.row))

    def scaled(self, factor: float) -> Padded:
        return Padded(factor * self.of, self.row)

    @property
    def is_whole(self) -> bool:
        return self.of.is_whole

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        if not shape or not -shape[0] <= self.row < shape[0]:
            raise ValueError(f"row, or padding, must be one of the rows of shape {shape}, got {self.row}")
        row, rows = self.row % shape[0], shape[0]
        return 0, [
            Piece(0, row, self.of, name, shape, 0),
            Piece(row, row + 1, Constant(0.0), name, shape, row),
            Piece(row + 1, rows, self.of, name, shape, row + 1),
        ]


@register()
def embedding(std: float = 0.02, *, padding: int | None = None) -> Normal | Padded:
    """Draw normal rows, one for each token, and zeros for the padding token.

    The other rows do not depend on it, nor on how many follow.

    Parameters
    ----------
    std : float
        The std of the rows. GPT-2 has 0.02; torch's default of 1 suits no tied output layer.
    padding : int, optional
        The row of zeros. Default: there is none.

    Examples
    --------
    >>> embedding(padding=0)((3, 2), seed=0, name="wte.weight")[0]
    array([0., 0.], dtype=float32)
    """
    rows = Normal(0.0, std)
    return rows if padding is None else Padded(rows, integer("padding", padding))


def _axis(axis: int, shape: tuple[int, ...]) -> int:
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} of shape {shape}, got {axis}")
    return axis % len(shape)


concatenate, padded = Concatenate, Padded
