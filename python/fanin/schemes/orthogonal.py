"""Orthogonal schemes: Haar-random matrices, drawn reflector by reflector (docs/orthogonal.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import SupportsIndex

from .. import _core
from ..arguments import integer, number
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Shape
from ..fans import Blocks, as_blocks, block_sizes, require_matrix_layout
from .pieces import Native
from .registry import register
from .scheme import Scheme


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Orthogonal(Scheme):
    """Haar-random orthogonal matrices: Saxe et al. (2014), drawn as Stewart (1980).

    The weight is seen as a matrix of its outputs by all else. It gets orthonormal rows where it has no more rows than
    columns, else orthonormal columns; no such matrix is more likely than another.

    Parameters
    ----------
    gain : float
        What multiplies the matrix; it may be 0 or negative. Default 1.
    blocks : int or sequence of int
        A number of equal blocks of outputs, or their sizes, each a matrix of its own: the gates of a fused recurrent
        weight, or q, k and v of a fused attention weight. Default: the whole.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.

    Examples
    --------
    >>> orthogonal(layout="OI").expected_std((64, 256))
    0.0625
    """

    gain: float = 1.0
    blocks: Blocks = 1
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        object.__setattr__(self, "gain", number("gain", self.gain))
        object.__setattr__(self, "blocks", as_blocks(self.blocks))

    def sizes(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        """Return the outputs of every matrix, and their inputs."""
        axes = as_shape(shape)
        if len(axes) < 2:
            raise ValueError(f"shape must have at least 2 dimensions, out and in, got {axes}")
        outs, ins = (axes[0], axes[1:]) if self.layout == "OI" else (axes[-1], axes[:-1])
        return block_sizes(self.blocks, outs, axes), math.prod(ins)

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        sizes, ins = self.sizes(shape)
        elements = sum(sizes) * ins  # the sum of squares of a matrix is its number of orthonormal vectors
        return abs(self.gain) * math.sqrt(sum(min(size, ins) for size in sizes) / elements) if elements else 0.0

    def scaled(self, factor: float) -> Orthogonal:
        return self.replace(gain=factor * self.gain)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        sizes = () if self.blocks == 1 else self.sizes(shape)[0]
        return _core.orthogonal, (self.gain, self.layout == "OI", sizes, seed, name)


def square(n: SupportsIndex | None = None, count: SupportsIndex | None = None) -> tuple[int, ...] | None:
    """Return the shape of square matrices.

    Parameters
    ----------
    n : int, optional
        The size of an n × n matrix. Default: that of `out`.
    count : int, optional
        The number of matrices: the result has the shape (count, n, n). Default: one matrix, of shape (n, n).
    """
    if n is None:
        if count is not None:
            raise TypeError(f"n is needed with count: the matrices have the shape (count, n, n); got count={count!r}")
        return None
    side = integer("n", n, 0)
    return (side, side) if count is None else (integer("count", count, 0), side, side)


@register(shape=square)
@dataclass(frozen=True, slots=True, repr=False)
class Haar(Scheme):
    """Square Haar-random orthogonal matrices, one for every index of the axes before the last two.

    Examples
    --------
    >>> haar()((3, 4, 4), seed=0, name="w").shape
    (3, 4, 4)
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "gain", number("gain", self.gain))

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        n = _side(as_shape(shape))
        return abs(self.gain) / math.sqrt(n) if n else 0.0

    def scaled(self, factor: float) -> Haar:
        return self.replace(gain=factor * self.gain)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        _side(shape)
        return _core.haar, (self.gain, seed, name)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class DeltaOrthogonal(Scheme):
    """An orthogonal matrix at the centre of a 1-, 2- or 3-D convolution's kernel, 0 elsewhere: Xiao et al. (2018).

    The convolution, circularly padded, then keeps the norm of its input. It needs no more inputs than outputs.

    Parameters
    ----------
    gain : float
        What multiplies the matrix; it may be 0 or negative. Default 1.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.

    Examples
    --------
    >>> w = delta_orthogonal(layout="OI")((4, 4, 3), seed=0, name="conv.weight")
    >>> bool((w[:, :, 0] == 0).all())
    True
    """

    gain: float = 1.0
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        object.__setattr__(self, "gain", number("gain", self.gain))

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        axes = as_shape(shape)
        ins = axes[1 if self.layout == "OI" else -2]
        elements = math.prod(axes)
        return abs(self.gain) * math.sqrt(ins / elements) if elements else 0.0

    def scaled(self, factor: float) -> DeltaOrthogonal:
        return self.replace(gain=factor * self.gain)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.delta_orthogonal, (self.gain, self.layout == "OI", seed, name)


def _side(axes: tuple[int, ...]) -> int:
    if len(axes) < 2 or axes[-1] != axes[-2]:
        raise ValueError(f"shape must end in two equal dimensions, got {axes}")
    return axes[-1]


orthogonal, haar, delta_orthogonal = Orthogonal, Haar, DeltaOrthogonal
