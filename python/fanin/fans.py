"""Compute fans: how many inputs feed a unit, and how many units an input feeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, SupportsIndex, TypeAlias, TypedDict

from .arguments import choice, flag, integer, integers
from .arrays.shape import as_shape
from .arrays.types import Convention, Layout, Mode, Shape
from .axes import PLAIN, Axes, require_layout, size_of
from .entry import entry
from .text import short

Blocks: TypeAlias = SupportsIndex | Sequence[SupportsIndex]

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
FOREIGN_MODES = {"in": "fan_in", "out": "fan_out", "avg": "fan_avg", "fan_average": "fan_avg", "fan_mean": "fan_avg"}
CONVENTIONS = ("torch", "keras", "jax")
_CONVENTIONS = {"torch": "OI", "keras": "IO", "jax": "IO"}


class FanOptions(TypedDict, total=False):
    """List the options that decide the fans of a weight, beside its shape and layout: see `Fans.of`."""

    groups: int
    transposed: bool
    blocks: Blocks
    convention: Convention | None


class Fans(NamedTuple):
    """Hold the fans of one weight.

    Parameters
    ----------
    fan_in, fan_out : int
        The numbers of inputs and outputs, exact whatever their size.

    Examples
    --------
    >>> Fans.of((64, 32, 3, 3), "OI")
    Fans(fan_in=288, fan_out=576)
    >>> Fans.of((784, 10), "IO").by("fan_avg")
    397.0
    """

    fan_in: int
    fan_out: int

    @classmethod
    @entry
    def of(
        cls,
        shape: Shape,
        layout: Layout | None,
        *,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
    ) -> Fans:
        """Return the fans of a weight from its global shape; each spatial position counts.

        Parameters
        ----------
        shape : sequence of int
            The shape of the weight as it is stored. A grouped convolution stores the inputs of one group.
        layout : str
            "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. Or a letter for
            every axis: O output, I input, B batch (counts in no fan: experts, or the channels of Keras's depthwise
            convolution, "HWBO"), and X, Y, Z, H, W, D, T spatial. An attention kernel (embedding, heads, size) is
            "IOO". `fanin.layout` gives it from the numbers of axes.
        groups : int
            The number of groups of a grouped convolution: an input feeds the outputs of its group only. Default 1.
        transposed : bool
            Whether the weight is that of a transposed convolution, which PyTorch and Keras store with in and out
            swapped. Default False.
        blocks : int or sequence of int
            A number of equal blocks of outputs, or their sizes, as of fused gates, or of q, k and v. The fans are those
            of one block. Default 1.
        convention : {"torch", "keras", "jax"}, optional
            The library whose fans are computed, from the shape alone: PyTorch's fan_out counts all groups and blocks,
            and both PyTorch and Keras swap the fans of transposed convolutions. The layout is then the library's, and
            may be None. Default: the definitions above.

        Raises
        ------
        ValueError
            If the shape has no inputs or outputs, the layout does not fit it, groups or blocks do not divide its
            outputs, or blocks have unequal fans: `of_blocks` returns those.

        Examples
        --------
        >>> Fans.of((64, 1, 3, 3), "OI", groups=64)  # depthwise
        Fans(fan_in=9, fan_out=9)
        >>> Fans.of((64, 1, 3, 3), "OI", convention="torch")
        Fans(fan_in=9, fan_out=576)
        """
        each = cls.of_blocks(shape, layout, groups=groups, transposed=transposed, blocks=blocks, convention=convention)
        if len(set(each)) > 1:
            raise ValueError(f"blocks of unequal sizes have fans of their own, see Fans.of_blocks; got {short(blocks)}")
        return each[0]

    @classmethod
    def of_blocks(
        cls,
        shape: Shape,
        layout: Layout | None,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
    ) -> tuple[Fans, ...]:
        """Return the fans of every block; the parameters are those of `of`.

        Examples
        --------
        >>> Fans.of_blocks((6144, 4096), "OI", blocks=(4096, 1024, 1024))[1]
        Fans(fan_in=4096, fan_out=1024)
        """
        sizes = as_shape(shape)
        if type(groups) is not int:
            groups = integer("groups", groups, 1)
        if type(transposed) is not bool:
            transposed = flag("transposed", transposed)
        blocks = as_blocks(blocks)
        if convention is not None:
            choice("convention", convention, CONVENTIONS)
            return (_as_library(cls, sizes, layout, convention, groups, transposed, blocks),)
        axis, fan_in, each, shared = _connections(sizes, layout, groups, transposed)
        if blocks == 1:
            return (cls(fan_in, sizes[axis] * each // shared),)
        return tuple(cls(fan_in, size * each // shared) for size in block_sizes(blocks, sizes[axis], sizes))

    @property
    @entry
    def avg(self) -> float:
        """The mean of both fans."""
        return (self.fan_in + self.fan_out) / 2

    @property
    @entry
    def geo_avg(self) -> float:
        """The geometric mean of both fans."""
        return math.sqrt(self.fan_in * self.fan_out)

    @entry
    def by(self, mode: Mode) -> float:
        """Return the fan that `mode` names: "fan_in", "fan_out", "fan_avg" or "fan_geo_avg"."""
        match choice("mode", mode, MODES, FOREIGN_MODES):
            case "fan_in":
                return float(self.fan_in)
            case "fan_out":
                return float(self.fan_out)
            case "fan_avg":
                return self.avg
            case _:
                return self.geo_avg


def output_axis(sizes: tuple[int, ...], layout: Layout | None, transposed: bool) -> int:
    """Return the axis that blocks divide."""
    return _connections(sizes, layout, 1, transposed)[0]


def as_blocks(blocks: Blocks) -> int | tuple[int, ...]:
    """Return a number of blocks, or their sizes."""
    if type(blocks) is int or (hasattr(blocks, "__index__") and getattr(blocks, "shape", ()) == ()):
        return integer("blocks", blocks, 1)
    try:
        sizes = integers("blocks", blocks, 0)
    except TypeError:
        raise TypeError(f"blocks must be an integer or a sequence of integers, got {short(blocks)}") from None
    if not sizes:
        raise ValueError(f"blocks must be a number of blocks, or their sizes, got {short(blocks)}")
    return sizes


def block_sizes(blocks: Blocks, outs: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the outputs of every block; raise ValueError unless they are all of a shape's outputs."""
    blocks = as_blocks(blocks)
    if not isinstance(blocks, int):
        if sum(blocks) != outs:
            raise ValueError(f"blocks must add up to the {outs} outputs of shape {shape}, got {blocks}")
        return blocks
    if outs % blocks:
        raise ValueError(f"blocks must divide the {outs} outputs of shape {shape}, got {blocks}")
    return (outs // blocks,) * blocks


def _connections(
    sizes: tuple[int, ...], layout: Layout | None, groups: int, transposed: bool
) -> tuple[int, int, int, int]:
    """Return the axis of outputs, fan_in, and the numbers that fan_out is this axis times and divided by."""
    if layout is None:
        require_layout(layout)
    if len(sizes) < 2 and layout in PLAIN:
        raise ValueError(
            f"shape must have at least 2 dimensions, in and out, for its fans, got {sizes}; "
            "for biases and scales use zeros, ones, uniform or normal"
        )
    axes = Axes.of(layout, sizes)
    if transposed and layout not in PLAIN:
        raise ValueError(f"transposed must be False where the layout names every axis, got layout {layout!r}")
    outs, ins = (axes.ins, axes.outs) if transposed else (axes.outs, axes.ins)
    axis, field, inputs = outs[0], size_of(axes.spatial, sizes), size_of(ins, sizes)
    fan_in, each = inputs * field, size_of(outs[1:], sizes) * field
    if groups == 1:
        return axis, fan_in, each, 1
    split, end = (inputs, "inputs") if transposed else (sizes[axis], "outputs")
    if groups < 1 or split % groups:
        raise ValueError(f"groups must be at least 1 and divide the {end} of shape {sizes}, got {short(groups)}")
    return (axis, fan_in // groups, each, 1) if transposed else (axis, fan_in, each, groups)


def _as_library(
    cls: type[Fans],
    sizes: tuple[int, ...],
    layout: Layout | None,
    convention: Convention,
    groups: int,
    transposed: bool,
    blocks: Blocks,
) -> Fans:
    implied = _CONVENTIONS[convention]
    if layout not in (None, implied):
        raise ValueError(f"layout must be None or {implied!r} with convention {convention!r}, got {short(layout)}")
    if (groups, transposed, blocks) != (1, False, 1):
        raise ValueError(
            f"groups, transposed and blocks must be left out: {convention} reads fans from the shape alone"
        )
    if convention == "keras" and len(sizes) < 2:
        return cls(*(sizes * 2 or (1, 1)))
    return cls.of(sizes, implied)
