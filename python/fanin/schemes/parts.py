"""Parameters that are others put together or turned: stacked layers and experts, transposed weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..arguments import integer, integers, optional
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..text import short
from .assembled import Assembled, Moments, axis_of
from .cuts import Loop, Nest
from .part_names import as_names, part_name
from .pieces import Many, Piece, Pieces
from .registry import register
from .scheme import Scheme, as_scheme


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Stack(Assembled):
    """Draw layers or experts that are stacked along an axis, such that each equals the separate one.

    The slice at position `k` of the axis is the tensor that has a name of its own and the shape without that axis, for
    which its fans are counted: a scanned or fused weight equals its unstacked layers in every bit.

    Parameters
    ----------
    of : Scheme or sequence of Scheme
        What draws every slice, or the scheme of each.
    names : str or sequence of str
        The names of the slices, as the separate parameters have them: one for each, or a template. In it {} stands for
        the number of the slice; {name} for the stacked parameter's own name, {leaf} for the last component of that
        name, {parent} for what is before it, {parent.parent} for what is before that. {#} is the number as draws have
        it: nothing for 0, "#1" for 1. A brace that is one is written twice.
    axis : int
        The axis, which the slices do not have. Default 0.
    start : int
        The number of the first slice. Default 0.

    Examples
    --------
    >>> from fanin import schemes
    >>> scanned = stack(schemes.he_normal(layout="IO"), names="layers.{}.mlp.wi")
    >>> w = scanned((12, 64, 256), seed=0, name="layers.mlp.wi")
    >>> bool((w[3] == schemes.he_normal(layout="IO")((64, 256), seed=0, name="layers.3.mlp.wi")).all())
    True
    """

    of: Scheme | Sequence[Scheme]
    names: str | Sequence[str]
    axis: int = 0
    start: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.of, Sequence) and not isinstance(self.of, str | bytes):
            found = tuple(as_scheme(f"of[{number}]", scheme) for number, scheme in enumerate(self.of))
            if not found:
                raise ValueError(f"of must be a scheme, or one for every slice, got {short(self.of)}")
            object.__setattr__(self, "of", found)
        else:
            object.__setattr__(self, "of", as_scheme("of", self.of))
        object.__setattr__(self, "names", as_names("names", self.names))
        object.__setattr__(self, "axis", integer("axis", self.axis))
        object.__setattr__(self, "start", integer("start", self.start, 0))

    def scaled(self, factor: float) -> Stack:
        scaled = tuple(factor * scheme for scheme in self._schemes)
        return self.replace(of=scaled if isinstance(self.of, tuple) else scaled[0])

    @property
    def is_whole(self) -> bool:
        return any(scheme.is_whole for scheme in self._schemes)

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        axis = axis_of(self.axis, shape)
        for argument, each in (("of", self.of), ("names", self.names)):
            if isinstance(each, tuple) and len(each) != shape[axis]:
                raise ValueError(
                    f"{argument} must be one for each of {shape[axis]} slices, axis {axis} of shape {shape}, "
                    f"got {len(each)}: {short(each)}"
                )
        part = self._slice(shape)
        loops = tuple(Loop(size, own + (own >= axis), 1, own, 1) for own, size in enumerate(part))
        first, schemes = (0,) * len(part), self._schemes

        def piece(position: int) -> Piece:
            here = tuple(position if number == axis else 0 for number in range(len(shape)))
            scheme = schemes[position % len(schemes)]
            own = part_name(self.names, position, self.start + position, name)
            return Piece(scheme, own, part, Nest(here, first, loops))

        return Many(shape[axis], piece, lambda box: box[axis])

    def _slice(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        axis = axis_of(self.axis, shape)
        return shape[:axis] + shape[axis + 1 :]

    def _moments(self, shape: Shape) -> Moments:
        """Return those of one slice for each scheme: there may be too many slices to ask them all."""
        part = self._slice(as_shape(shape))
        count = math.prod(part)
        return [(count, scheme.expected_mean(part), scheme.expected_std(part)) for scheme in self._schemes]

    @property
    def _schemes(self) -> tuple[Scheme, ...]:
        return self.of if isinstance(self.of, tuple) else (self.of,)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Transpose(Assembled):
    """Draw a parameter with its axes in another order, such that a layer of Flax or Keras equals that of torch.

    The scheme sees the shape before the axes are moved, and its fans are those of that shape.

    Parameters
    ----------
    of : Scheme
        What draws the tensor whose axes are moved.
    axes : sequence of int, optional
        Where each axis of the parameter comes from, as in `numpy.transpose`: (1, 0) for a matrix, (2, 3, 1, 0) for
        a convolution of Flax or Keras, (*spatial, in, out), that is one of torch, (out, in, *spatial). Default: the
        axes in reverse.

    Examples
    --------
    >>> from fanin import schemes
    >>> kernel = transpose(schemes.he_normal(layout="OI"), (1, 0))((64, 256), seed=0, name="fc.weight")
    >>> bool((kernel.T == schemes.he_normal(layout="OI")((256, 64), seed=0, name="fc.weight")).all())
    True
    """

    of: Scheme
    axes: Sequence[int] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", as_scheme("of", self.of))
        object.__setattr__(self, "axes", optional(integers, "axes", self.axes))
        if self.axes is not None and sorted(axis % max(1, len(self.axes)) for axis in self.axes) != [
            *range(len(self.axes))
        ]:
            raise ValueError(f"axes must be the numbers of all axes in some order, each once, got {self.axes}")

    def scaled(self, factor: float) -> Transpose:
        return self.replace(of=factor * self.of)

    @property
    def is_whole(self) -> bool:
        return self.of.is_whole

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        rank = len(shape)
        axes = tuple(reversed(range(rank))) if self.axes is None else tuple(self.axes)
        if len(axes) != rank:
            raise ValueError(f"axes must be one for each axis of shape {shape}, got {axes}")
        sizes = dict(zip((axis % rank for axis in axes), shape, strict=True))
        loops = tuple(Loop(size, axis, 1, own, 1) for axis, (own, size) in enumerate(sizes.items()))
        zeros = (0,) * rank
        return [Piece(self.of, name, tuple(sizes[own] for own in range(rank)), Nest(zeros, zeros, loops))]


stack, transpose = Stack, Transpose
