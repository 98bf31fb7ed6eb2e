"""Parameters that are drawn region by region, as code that writes to views of them does."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import integers, optional
from ..arrays.types import Index
from ..text import short
from .assembled import Assembled
from .boxes import Box, as_text, common, within, without
from .cuts import Loop, Nest
from .part_names import as_names, part_name
from .pieces import Many, Piece, Pieces
from .registry import register
from .scheme import Scheme, as_scheme


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Regions(Assembled):
    """Draw boxes of a parameter by schemes of their own, over what another scheme draws of the rest.

    This is what `w.normal_(); w[pad].zero_()` does, or `w.view(heads, 3, size, width)[:, 0].normal_()`. Each box is a
    tensor of its own name and shape, for which its fans are counted; a later box hides what it shares with earlier
    ones, and what is hidden changes nothing else.

    Parameters
    ----------
    schemes : sequence of Scheme
        What draws each box.
    boxes : sequence of str or index
        The index of each, as a text, "0" or ":, 2:4", or as `numpy.s_` makes it: integers, which remove an axis of the
        box, and slices that go forwards.
    of : Scheme, optional
        What draws the rest, as if there were no boxes. Default: the boxes hold every element.
    names : str or sequence of str, optional
        The names of the boxes: one for each, or a template, as in `stack`; boxes of one name and shape hold the same
        values. The number of a box counts `of` as 0, if it is given. Default "{name}{#}", as draws are numbered.
    view : sequence of int, optional
        The shape in which the boxes are indexed: the parameter's, with axes split as `reshape` splits them. Default:
        the parameter's own.

    Examples
    --------
    >>> from fanin import schemes
    >>> scheme = regions([schemes.zeros(), schemes.ones()], ["0", "2:, 1"], of=schemes.normal())
    >>> w = scheme((4, 2), seed=0, name="w")
    >>> w[0], w[2:, 1]
    (array([0., 0.], dtype=float32), array([1., 1.], dtype=float32))
    >>> bool((w[1] == schemes.normal()((4, 2), seed=0, name="w")[1]).all())
    True
    """

    schemes: Sequence[Scheme]
    boxes: Sequence[Index | str]
    of: Scheme | None = field(default=None, kw_only=True)
    names: str | Sequence[str] | None = field(default=None, kw_only=True)
    view: Sequence[int] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for argument in ("schemes", "boxes"):
            value = getattr(self, argument)
            is_one = isinstance(value, str | bytes | Mapping) or getattr(value, "shape", None) == ()
            if is_one or not isinstance(value, Iterable):
                raise TypeError(f"{argument} must be a sequence, one for each box, got {short(value)}")
        found = tuple(as_scheme(f"schemes[{number}]", scheme) for number, scheme in enumerate(self.schemes))
        boxes = tuple(as_text(f"boxes[{number}]", index) for number, index in enumerate(self.boxes))
        if len(boxes) != len(found):
            raise ValueError(
                f"boxes must be one for each of {len(found)} schemes, got {len(boxes)}: schemes {short(found)}, "
                f"boxes {short(boxes)}"
            )
        object.__setattr__(self, "schemes", found)
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "of", optional(as_scheme, "of", self.of))
        object.__setattr__(self, "view", optional(lambda name, value: integers(name, value, 0), "view", self.view))
        if self.names is not None:
            object.__setattr__(self, "names", as_names("names", self.names, len(found), distinct=False))

    def scaled(self, factor: float) -> Regions:
        of = None if self.of is None else factor * self.of
        return self.replace(of=of, schemes=tuple(factor * scheme for scheme in self.schemes))

    @property
    def is_whole(self) -> bool:
        return any(scheme.is_whole for scheme in (*self.schemes, *(() if self.of is None else (self.of,))))

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        view = shape if self.view is None else tuple(self.view)
        laid = _laid(shape, view, tuple(map(str, self.boxes)))
        if self.of is None and laid.rest:
            raise ValueError(
                f"boxes must hold every element of shape {shape} unless of is given, {laid.rest} are in none"
            )
        first, names = int(self.of is not None), "{name}{#}" if self.names is None else self.names

        def piece(place: int) -> Piece:
            number, layout = laid.fragments[place]
            if number is None:
                assert self.of is not None
                return Piece(self.of, name, shape, layout)
            own = part_name(names, number, number + first, name)
            return Piece(self.schemes[number], own, laid.shapes[number], layout)

        return Many(len(laid.fragments), piece, laid.near)


class _Laid(NamedTuple):
    """Boxes laid over a parameter: what is seen of each, or, without a number, of what is below them.

    Attributes
    ----------
    shapes : list of tuple of int
        The shape of each box.
    fragments : list of tuple
        The number of a box, and where a fragment of it lies.
    least, most : ndarray
        The first and the last index of each fragment.
    rest : int
        The number of elements in no box.
    """

    shapes: list[tuple[int, ...]]
    fragments: list[tuple[int | None, Nest]]
    least: NDArray[np.int64]
    most: NDArray[np.int64]
    rest: int

    def near(self, box: Box) -> list[int]:
        """Return the numbers of the fragments that reach into a box."""
        starts, stops = [at.start for at in box], [at.stop for at in box]
        return np.flatnonzero(((self.least < stops) & (self.most >= starts)).all(axis=1)).tolist()


@functools.lru_cache(maxsize=256)
def _laid(shape: tuple[int, ...], view: tuple[int, ...], texts: tuple[str, ...]) -> _Laid:
    axes, rank = _split(shape, view), len(shape)
    boxes = [within(f"boxes[{number}]", text, view) for number, text in enumerate(texts)]
    left: list[Box] = [tuple(range(size) for size in view)] if all(view) else []
    seen: list[tuple[int | None, Box]] = []
    for number in reversed(range(len(boxes))):
        rest: list[Box] = []
        for fragment in left:
            inner = common(fragment, boxes[number][0])
            if inner is None:
                rest.append(fragment)
            else:
                seen.append((number, inner))
                rest += without(fragment, inner)
        left = rest
    seen += [(None, fragment) for fragment in left]
    layouts: list[tuple[int | None, Nest]] = []
    for owner, fragment in reversed(seen):
        nest = _of_rest(axes, fragment, rank) if owner is None else _of_box(axes, fragment, *boxes[owner], rank)
        layouts.append((owner, nest))
    return _Laid(
        [tuple(len(box[axis]) for axis in kept) for box, kept in boxes],
        layouts,
        np.array([nest.start for _, nest in layouts], np.int64).reshape(-1, rank),
        np.array([nest.last for _, nest in layouts], np.int64).reshape(-1, rank),
        sum(math.prod(map(len, fragment)) for fragment in left),
    )


# An axis of the parameter, and the distance along it that is one step along an axis of the view.
_Axis = tuple[int, int]


def _split(shape: tuple[int, ...], view: tuple[int, ...]) -> tuple[_Axis, ...]:
    """Return which axis of a shape each axis of a view is a part of."""
    axes: list[_Axis] = []
    sizes = list(view)
    for axis in reversed(range(len(shape))):
        step = 1
        while sizes and (step < shape[axis] or sizes[-1] == 1 or not shape[axis]):
            axes.append((axis, step))
            step *= sizes.pop()
            if not step:
                break
        if step != shape[axis]:
            break
    else:
        if not sizes:
            return tuple(reversed(axes))
    raise ValueError(f"view must be shape {shape} with axes split, got {view}")


def _start(axes: tuple[_Axis, ...], fragment: Box, rank: int) -> tuple[int, ...]:
    start = [0] * rank
    for (axis, step), at in zip(axes, fragment, strict=True):
        start[axis] += step * at.start
    return tuple(start)


def _of_rest(axes: tuple[_Axis, ...], fragment: Box, rank: int) -> Nest:
    start = _start(axes, fragment, rank)
    steps = [(axis, step * at.step, len(at)) for (axis, step), at in zip(axes, fragment, strict=True)]
    return Nest.of(start, start, (Loop(size, axis, step, axis, step) for axis, step, size in steps))


def _of_box(axes: tuple[_Axis, ...], fragment: Box, box: Box, kept: tuple[int, ...], rank: int) -> Nest:
    first, loops = [], []
    for own, number in enumerate(kept):
        (axis, step), at, whole = axes[number], fragment[number], box[number]
        first.append((at.start - whole.start) // whole.step)
        loops.append(Loop(len(at), axis, step * at.step, own, at.step // whole.step if len(at) > 1 else 1))
    return Nest.of(_start(axes, fragment, rank), tuple(first), loops)


regions = Regions
