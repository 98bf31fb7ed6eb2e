"""Orthogonal schemes: Haar-random matrices, drawn reflector by reflector (docs/orthogonal.md)."""

from __future__ import annotations

import math
from dataclasses import InitVar, dataclass, field
from typing import SupportsIndex

from .. import _core
from ..arguments import flag, integer, number
from ..arrays.shape import as_shape
from ..arrays.types import Activation, Layout, Shape
from ..axes import Axes, require_matrix_layout, size_of
from ..fans import Blocks, as_blocks, block_sizes
from ..signals.gains import gain as gain_of
from .pieces import Native
from .registry import register
from .scheme import Scheme, keep


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Orthogonal(Scheme):
    """Draw Haar-random orthogonal matrices: Saxe et al. (2014), by the reflectors of Stewart (1980).

    The weight is seen as a matrix of its outputs by all else. It gets orthonormal rows where it has no more rows than
    columns, else orthonormal columns; no such matrix is more likely than another.

    Parameters
    ----------
    gain : float, optional
        What multiplies the matrix; it may be 0 or negative. Default: the activation's, or 1.
    blocks : int or sequence of int
        A number of equal blocks of outputs, or their sizes, each a matrix of its own: the gates of a fused recurrent
        weight, or q, k and v of a fused attention weight. Default: the whole.
    activation : str, (str, float) or callable, optional
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default: none does.
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis, see `fanin.layout`. There is a matrix for every index of batch axes, B. Default: (out, in), for a matrix
        alone.

    Examples
    --------
    >>> orthogonal(layout="OI").expected_std((64, 256))
    0.0625
    """

    gain: float | None = None
    blocks: Blocks = 1
    activation: InitVar[Activation | None] = field(default=None, kw_only=True)
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self, activation: Activation | None) -> None:
        require_matrix_layout(self.layout)
        keep(self, "gain", _gain(self.gain, activation))
        keep(self, "blocks", as_blocks(self.blocks))

    def sizes(self, shape: Shape) -> tuple[tuple[int, ...], int]:
        """Return the outputs of every matrix of a batch index, and their inputs."""
        sizes = as_shape(shape)
        axes = Axes.of(self.layout, sizes)
        each = size_of(axes.outs[1:], sizes)
        blocks = block_sizes(self.blocks, sizes[axes.outs[0]], sizes)
        return tuple(size * each for size in blocks), size_of(axes.ins + axes.spatial, sizes)

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        sizes, ins = self.sizes(shape)
        elements = sum(sizes) * ins  # the sum of squares of a matrix is its number of orthonormal vectors
        assert self.gain is not None  # the constructor has set it
        return abs(self.gain) * math.sqrt(sum(min(size, ins) for size in sizes) / elements) if elements else 0.0

    def scaled(self, factor: float) -> Orthogonal:
        assert self.gain is not None
        return self.replace(gain=factor * self.gain)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        axes = Axes.of(self.layout, shape)
        blocks = () if self.blocks == 1 else block_sizes(self.blocks, shape[axes.outs[0]], shape)
        return _core.orthogonal, (self.gain, axes.letters, blocks, seed, name)


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
    """Draw square Haar-random orthogonal matrices, one for every index of the axes before the last two.

    Parameters
    ----------
    gain : float
        What multiplies the matrices; it may be 0 or negative. Default 1.
    special : bool
        Whether the determinant of every matrix, but for the gain, is +1, as in the group SO(n). Default False: it is
        as often -1, as in O(n).

    Examples
    --------
    >>> haar()((3, 4, 4), seed=0, name="w").shape
    (3, 4, 4)
    """

    gain: float = 1.0
    special: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        keep(self, "gain", number("gain", self.gain))
        keep(self, "special", flag("special", self.special))

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
        return _core.haar, (self.gain, self.special, seed, name)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class DeltaOrthogonal(Scheme):
    """Draw an orthogonal matrix at the centre of a 1-, 2- or 3-D convolution's kernel, 0 elsewhere: Xiao et al. (2018).

    The convolution, circularly padded, then keeps the norm of its input. It needs no more inputs than outputs.

    Parameters
    ----------
    gain : float, optional
        What multiplies the matrix; it may be 0 or negative. Default: the activation's, or 1.
    activation : str, (str, float) or callable, optional
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default: none does.
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis, see `fanin.layout`. There is a matrix for every index of batch axes, B. Default: (out, in), for a matrix
        alone.

    Examples
    --------
    >>> w = delta_orthogonal(layout="OI")((4, 4, 3), seed=0, name="conv.weight")
    >>> bool((w[:, :, 0] == 0).all())
    True
    """

    gain: float | None = None
    activation: InitVar[Activation | None] = field(default=None, kw_only=True)
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self, activation: Activation | None) -> None:
        require_matrix_layout(self.layout)
        keep(self, "gain", _gain(self.gain, activation))

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        sizes = as_shape(shape)
        _, outs, ins, positions = Axes.of(self.layout, sizes).matrices(sizes)
        elements = outs * ins * positions
        assert self.gain is not None  # the constructor has set it
        return abs(self.gain) * math.sqrt(ins / elements) if elements else 0.0

    def scaled(self, factor: float) -> DeltaOrthogonal:
        assert self.gain is not None
        return self.replace(gain=factor * self.gain)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.delta_orthogonal, (self.gain, Axes.of(self.layout, shape).letters, seed, name)


def _gain(gain: float | None, activation: Activation | None) -> float:
    if gain is not None and activation is not None:
        raise TypeError(f"gain and activation must not both be given, got gain={gain} and activation={activation!r}")
    return number("gain", 1.0 if gain is None else gain) if activation is None else gain_of(activation)


def _side(axes: tuple[int, ...]) -> int:
    if len(axes) < 2 or axes[-1] != axes[-2]:
        raise ValueError(f"shape must end in two equal dimensions, got {axes}")
    return axes[-1]


orthogonal, haar, delta_orthogonal = Orthogonal, Haar, DeltaOrthogonal
