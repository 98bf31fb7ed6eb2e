"""Orthogonal schemes: Haar-random matrices, drawn reflector by reflector (docs/orthogonal.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import _core
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Shape
from ..axes import Axes, require_matrix_layout, size_of
from ..fans import Blocks, as_blocks, block_sizes
from .base import Native, Scheme, require_finite


@dataclass(frozen=True, slots=True)
class Orthogonal(Scheme):
    """Haar-orthogonal matrices: see `orthogonal`."""

    gain: float = 1.0
    blocks: int | tuple[int, ...] = 1
    layout: Layout | None = None

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        require_finite("gain", self.gain)
        object.__setattr__(self, "blocks", as_blocks(self.blocks))

    def sizes(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        """The outputs of every matrix of a batch index, and their inputs."""
        sizes = as_shape(shape)
        axes = Axes.of(self.layout, sizes)
        each = size_of(axes.outs[1:], sizes)
        blocks = block_sizes(self.blocks, sizes[axes.outs[0]], sizes)
        return tuple(size * each for size in blocks), size_of(axes.ins + axes.spatial, sizes)

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        sizes, ins = self.sizes(shape)
        elements = sum(sizes) * ins  # the sum of squares of a matrix is its number of orthonormal vectors
        return abs(self.gain) * math.sqrt(sum(min(size, ins) for size in sizes) / elements) if elements else 0.0

    def _scaled(self, factor: float) -> Orthogonal:
        return self._with(gain=factor * self.gain)

    def _is_whole(self) -> bool:
        return True

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        sizes = as_shape(shape)
        axes = Axes.of(self.layout, sizes)
        blocks = () if self.blocks == 1 else block_sizes(self.blocks, sizes[axes.outs[0]], sizes)
        return _core.orthogonal, (self.gain, axes.letters, blocks, seed, name)


@dataclass(frozen=True, slots=True)
class Haar(Scheme):
    """Square Haar-orthogonal matrices, one for every index of the axes before the last two: see `fanin.haar`."""

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite("gain", self.gain)

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        n = as_shape(shape)[-1]
        return abs(self.gain) / math.sqrt(n) if n else 0.0

    def _scaled(self, factor: float) -> Haar:
        return self._with(gain=factor * self.gain)

    def _is_whole(self) -> bool:
        return True

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        axes = as_shape(shape)
        if len(axes) < 2 or axes[-1] != axes[-2]:
            raise ValueError(f"shape must end in two equal dimensions, got {axes}")
        return _core.haar, (self.gain, False, seed, name)


@dataclass(frozen=True, slots=True)
class DeltaOrthogonal(Scheme):
    """An orthogonal matrix at the centre of a convolution's kernel, 0 elsewhere: see `delta_orthogonal`."""

    gain: float = 1.0
    layout: Layout | None = None

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        require_finite("gain", self.gain)

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        sizes = as_shape(shape)
        _, outs, ins, positions = Axes.of(self.layout, sizes).matrices(sizes)
        elements = outs * ins * positions
        return abs(self.gain) * math.sqrt(ins / elements) if elements else 0.0

    def _scaled(self, factor: float) -> DeltaOrthogonal:
        return self._with(gain=factor * self.gain)

    def _is_whole(self) -> bool:
        return True

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.delta_orthogonal, (self.gain, Axes.of(self.layout, as_shape(shape)).letters, seed, name)


def orthogonal(gain: float = 1.0, blocks: Blocks = 1, *, layout: Layout | None = None) -> Orthogonal:
    """Haar-random orthogonal matrices: Saxe et al. (2014), drawn as Stewart (1980).

    The weight is seen as a matrix of its outputs by all else. It gets orthonormal rows where it has no more rows than
    columns, else orthonormal columns; no such matrix is more likely than another.

    Parameters
    ----------
    gain : float
        Multiplies the matrix; may be 0 or negative.
    blocks : int or sequence of int
        A number of equal blocks of outputs, or their sizes, each a matrix of its own: the gates of a fused recurrent
        weight, or q, k and v of a fused attention weight. Default: the whole.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.

    Examples
    --------
    >>> orthogonal(layout="OI").std((64, 256))
    0.0625
    """
    return Orthogonal(gain, blocks, layout)  # type: ignore[arg-type]


def haar(gain: float = 1.0) -> Haar:
    """Square Haar-random orthogonal matrices along the last two axes.

    Examples
    --------
    >>> haar()((3, 4, 4), seed=0, name="w").shape
    (3, 4, 4)
    """
    return Haar(gain)


def delta_orthogonal(gain: float = 1.0, *, layout: Layout | None = None) -> DeltaOrthogonal:
    """An orthogonal matrix at the centre of a 1-, 2- or 3-D convolution's kernel, 0 elsewhere: Xiao et al. (2018).

    The convolution, circularly padded, then keeps the norm of its input. It needs no more inputs than outputs.

    Parameters
    ----------
    gain, layout
        As for `orthogonal`.

    Examples
    --------
    >>> w = delta_orthogonal(layout="OI")((4, 4, 3), seed=0, name="conv.weight")
    >>> bool((w[:, :, 0] == 0).all())
    True
    """
    return DeltaOrthogonal(gain, layout)
