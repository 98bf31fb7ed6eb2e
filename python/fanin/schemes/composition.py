"""Parameters put together along an axis: fused blocks of different schemes, rows of zeros."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..arguments import integer, integers, optional
from ..text import short
from .assembled import Assembled, axis_of
from .cuts import Block, Loop, Nest
from .distributions import Constant, Normal
from .part_names import as_names, part_name
from .pieces import Piece, Pieces
from .registry import register
from .scheme import Scheme, as_scheme, keep


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Concatenate(Assembled):
    """Draw fused blocks by different schemes, one after the other along an axis.

    Each block is a parameter of its own shape, for which its fans are counted, and of its own name. With `names` a
    fused weight equals the separate ones; else a block's name is the whole's followed by its number: `name[0]`, …

    Parameters
    ----------
    schemes : sequence of Scheme
        The scheme of every block.
    sizes : sequence of int, optional
        The sizes of the blocks along the axis. Default: they are equal.
    axis : int
        The axis. Default 0: the outputs of the layout "OI"; -1 are those of "IO".
    names : str or sequence of str, optional
        The names of the blocks, as the separate parameters have them: one for each, or a template in which {} is the
        block's number. See `stack` for what else may stand in it. Default: the numbers in brackets, as above.
    groups : int, optional
        How often the blocks take turns along the axis, as queries, keys and values do by groups of heads: each group
        has the same share of every block, in order. Default: they do not.

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
    names: str | Sequence[str] | None = field(default=None, kw_only=True, metadata={"quiet": True})
    groups: int | None = field(default=None, kw_only=True, metadata={"quiet": True})

    def __post_init__(self) -> None:
        if isinstance(self.schemes, str | bytes) or not isinstance(self.schemes, Sequence) or not self.schemes:
            raise TypeError(f"schemes must be a sequence of schemes, got {short(self.schemes)}")
        found = tuple(as_scheme(f"schemes[{number}]", scheme) for number, scheme in enumerate(self.schemes))
        keep(self, "schemes", found)
        keep(self, "sizes", optional(lambda name, value: integers(name, value, 0), "sizes", self.sizes))
        keep(self, "axis", integer("axis", self.axis))
        if self.sizes is not None and len(self.sizes) != len(found):
            raise ValueError(f"sizes must be one for each of {len(found)} schemes, got {self.sizes}")
        if self.names is not None:
            object.__setattr__(self, "names", as_names("names", self.names, len(found)))
        if self.groups is not None:
            object.__setattr__(self, "groups", integer("groups", self.groups, 1))

    def scaled(self, factor: float) -> Concatenate:
        return self.replace(schemes=tuple(factor * scheme for scheme in self.schemes))

    @property
    def is_whole(self) -> bool:
        return any(scheme.is_whole for scheme in self.schemes)

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        axis, groups = axis_of(self.axis, shape), self.groups or 1
        sizes = self._sizes(shape, axis)
        if groups > 1 and any(size % groups for size in sizes):
            raise ValueError(f"groups must divide the size of every block, {tuple(sizes)}, got {groups}")
        found: list[Piece] = []
        start = 0
        for number, (scheme, size) in enumerate(zip(self.schemes, sizes, strict=True)):
            own = f"{name}[{number}]" if self.names is None else part_name(self.names, number, number, name)
            part, stop = (*shape[:axis], size, *shape[axis + 1 :]), start + size // groups
            layout = Block(axis, start, stop, 0) if groups == 1 else _turns(axis, start, stop, shape, groups)
            found.append(Piece(scheme, own, part, layout))
            start = stop
        return found

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
        keep(self, "of", as_scheme("of", self.of))
        keep(self, "row", integer("row", self.row))

    def scaled(self, factor: float) -> Padded:
        return Padded(factor * self.of, self.row)

    @property
    def is_whole(self) -> bool:
        return self.of.is_whole

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        if not shape or not -shape[0] <= self.row < shape[0]:
            raise ValueError(f"row, or padding, must be one of the rows of shape {shape}, got {self.row}")
        row, rows = self.row % shape[0], shape[0]
        return [
            Piece(self.of, name, shape, Block(0, 0, row, 0)),
            Piece(Constant(0.0), name, shape, Block(0, row, row + 1, row)),
            Piece(self.of, name, shape, Block(0, row + 1, rows, row + 1)),
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


def _turns(axis: int, start: int, stop: int, shape: tuple[int, ...], groups: int) -> Nest:
    """Return where a block lies that has these positions of the first group of an axis, and its turn in each other."""
    loops = [Loop(size, number, 1, number, 1) for number, size in enumerate(shape)]
    loops[axis] = Loop(stop - start, axis, 1, axis, 1)
    turns = Loop(groups, axis, shape[axis] // groups, axis, stop - start)
    zeros = (0,) * len(shape)
    return Nest((*zeros[:axis], start, *zeros[axis + 1 :]), zeros, (*loops, turns))


concatenate, padded = Concatenate, Padded
