"""Tell which axes of a weight are outputs, inputs, spatial, or of a batch: its layout."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, SupportsIndex, TypeAlias

from .arguments import integer, integers
from .arrays.types import Layout
from .entry import entry
from .text import short

SPATIAL = "XYZHWDT"
PLAIN = ("OI", "IO")  # any number of spatial axes is implied

_PLAIN = '"OI" for (out, in, *spatial), as in PyTorch, or "IO" for (*spatial, in, out), as in Keras and JAX'
_ALLOWED = (
    f"{_PLAIN}, or one capital letter an axis: O output, at least once, I input, "
    f"any of {', '.join(SPATIAL)} spatial, B batch"
)

_NAMES = {"O": "out_axis", "I": "in_axis", "B": "batch_axis"}
_MOST_DIMENSIONS = 64  # the most that an array of NumPy has

Numbers: TypeAlias = SupportsIndex | Sequence[SupportsIndex]


class Matrices(NamedTuple):
    """Describe the matrices that a weight consists of, one for every index of its batch axes.

    Parameters
    ----------
    number : int
        The number of matrices.
    outs, ins : int
        The numbers of outputs and inputs of each.
    positions : int
        The number of spatial positions that each has for an input; its columns are `ins * positions`.
    """

    number: int
    outs: int
    ins: int
    positions: int


class Axes(NamedTuple):
    """Hold the axes of a weight by what they are.

    Parameters
    ----------
    letters : str
        A letter for every axis.
    outs, ins, spatial, batch : tuple of int
        The numbers of the axes of each kind, in order. There is at least one axis of outputs.
    """

    letters: str
    outs: tuple[int, ...]
    ins: tuple[int, ...]
    spatial: tuple[int, ...]
    batch: tuple[int, ...]

    @classmethod
    def of(cls, layout: Layout | None, shape: tuple[int, ...]) -> Axes:
        """Return the axes of a shape; a matrix without a layout is (out, in).

        Raises
        ------
        ValueError
            If the layout is unknown or does not fit the shape, or if it is None and the shape is not that of a matrix.
        """
        if layout is None:
            if len(shape) != 2:
                raise ValueError(
                    f"layout must be {_ALLOWED}; none was given, and only a matrix, (out, in), needs none: shape has "
                    f"{len(shape)} dimensions"
                )
            layout = "OI"
        elif not isinstance(layout, str):
            require_layout(layout)
        if len(shape) < 2 and layout in PLAIN:
            raise ValueError(f"shape must have at least 2 dimensions, out and in, got {shape}")
        axes = _axes(layout, len(shape))
        if len(axes.letters) != len(shape):
            raise ValueError(f"layout must have a letter for each axis of shape {shape}, got {short(layout)}")
        return axes

    def matrices(self, shape: tuple[int, ...]) -> Matrices:
        """Return the matrices of a weight of this shape."""
        return Matrices(*(size_of(axes, shape) for axes in (self.batch, self.outs, self.ins, self.spatial)))


def size_of(axes: tuple[int, ...], shape: tuple[int, ...]) -> int:
    """Return the product of the sizes of some axes."""
    return math.prod([shape[axis] for axis in axes])


def require_layout(layout: Layout | None) -> None:
    """Raise a ValueError unless `layout` says which axes are in and out, as fans need it."""
    if layout is None:
        raise ValueError(f"layout must be {_ALLOWED}; none was given, and a guess would change the std")
    if isinstance(layout, str) and layout in PLAIN:
        return
    if not isinstance(layout, str) or "O" not in layout or not set(layout) <= {*"OIB", *SPATIAL}:
        raise ValueError(f"layout must be {_ALLOWED}; got {short(layout)}")


def require_matrix_layout(layout: Layout | None) -> None:
    """Raise a ValueError unless `layout` is None, which a matrix may have, or says which axes are in and out."""
    if layout is not None:
        require_layout(layout)


def require_plain_layout(layout: Layout | None) -> None:
    """Raise a ValueError unless `layout` is "OI" or "IO"."""
    if not (isinstance(layout, str) and layout in PLAIN):
        raise ValueError(f"layout must be {_PLAIN}; got {short(layout)}")


@lru_cache(maxsize=1024)
def _axes(layout: Layout, rank: int) -> Axes:
    require_layout(layout)
    letters = layout
    if layout in PLAIN:
        field = _spatial(rank - 2)
        letters = layout + field if layout == "OI" else field + layout
    kinds = ("O", "I", SPATIAL, "B")
    numbers = (tuple(axis for axis, letter in enumerate(letters) if letter in kind) for kind in kinds)
    return Axes(letters, *numbers)


def _spatial(count: int) -> str:
    return "".join(itertools.islice(itertools.cycle(SPATIAL), count))


@entry
def layout(ndim: SupportsIndex, *, in_axis: Numbers = -2, out_axis: Numbers = -1, batch_axis: Numbers = ()) -> Layout:
    """Return the layout, a letter for every axis, of a weight whose axes are known by number.

    The arguments are those of `jax.nn.initializers.variance_scaling`, with its defaults; all other axes are spatial.

    Parameters
    ----------
    ndim : int
        The number of dimensions of the weight.
    in_axis, out_axis, batch_axis : int or sequence of int
        The axes of inputs, of outputs, and of a batch, which counts in no fan. Negative ones count from the end.

    Returns
    -------
    str
        "O" for outputs, "I" for inputs, "B" for a batch, and X, Y, Z, … for the spatial axes.

    Raises
    ------
    TypeError
        If an argument is neither an integer nor a sequence of integers.
    ValueError
        If an axis is not one of the weight's or is given twice, or if no axis is one of outputs.

    Examples
    --------
    >>> layout(4)
    'XYIO'
    >>> layout(3, in_axis=1, out_axis=2, batch_axis=0)  # experts
    'BIO'
    >>> layout(3, in_axis=0, out_axis=(1, 2))  # an attention kernel: embedding, heads, size
    'IOO'
    """
    rank = integer("ndim", ndim, 1, _MOST_DIMENSIONS)
    letters: dict[int, str] = {}
    roles: tuple[tuple[str, str, Numbers], ...] = (
        ("out_axis", "O", out_axis),
        ("in_axis", "I", in_axis),
        ("batch_axis", "B", batch_axis),
    )
    for argument, letter, axes in roles:
        for axis in _integers(argument, axes):
            if not -rank <= axis < rank:
                allowed = f"axes of the weight, from {-rank} to {rank - 1}"
                raise ValueError(f"{argument} must be {allowed}, got {short(axis)}")
            if axis % rank in letters:
                raise ValueError(
                    f"{argument} must be axes that have no letter yet, got {axis}, which is one of "
                    f"{_NAMES[letters[axis % rank]]}"
                )
            letters[axis % rank] = letter
    if "O" not in letters.values():
        raise ValueError(f"out_axis must have at least one axis, got {short(out_axis)}")
    spatial = iter(_spatial(rank - len(letters)))
    return "".join(letters.get(axis) or next(spatial) for axis in range(rank))


def _integers(argument: str, value: Any) -> tuple[int, ...]:
    if hasattr(value, "__index__") and getattr(value, "shape", ()) == ():
        return (integer(argument, value),)
    try:
        return integers(argument, value)
    except TypeError:
        raise TypeError(f"{argument} must be an integer or a sequence of integers, got {short(value)}") from None
