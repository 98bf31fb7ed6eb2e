"""Weights of which most entries are zero: identities and sparse weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .. import _core
from ..arguments import choice, integer, number, optional, scale
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Per, Shape
from ..axes import Axes, Matrices, require_matrix_layout
from .pieces import Native
from .registry import register
from .scheme import Scheme, keep


@register(random=False, aliases=("eye",))
@dataclass(frozen=True, slots=True, repr=False)
class Identity(Scheme):
    """Set the diagonal of a matrix, which need not be square, to `gain`, and all else to 0; also called `eye`.

    For recurrent weights with ReLU: Le, Jaitly and Hinton (2015).

    Parameters
    ----------
    gain : float
        The value on the diagonal. Default 1.
    layout : str, optional
        A letter for every axis, where there are batch axes: see `fanin.layout`. Default: (out, in), for a matrix alone.

    Examples
    --------
    >>> identity()((2, 3), seed=0, name="w")
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """

    gain: float = 1.0
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        keep(self, "gain", number("gain", self.gain))

    def expected_mean(self, shape: Shape) -> float:
        return self.gain * _density(self._matrices(as_shape(shape)), 1)

    def expected_std(self, shape: Shape) -> float:
        return _spread(self.gain, _density(self._matrices(as_shape(shape)), 1))

    def scaled(self, factor: float) -> Identity:
        return self.replace(gain=factor * self.gain)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        self._matrices(shape)
        return _core.dirac, (self.gain, 1, Axes.of(self.layout, shape).letters)

    def _matrices(self, shape: tuple[int, ...]) -> Matrices:
        if self.layout is None and len(shape) != 2:
            raise ValueError(f"shape must have 2 dimensions without a layout, got {shape}; for convolutions use dirac")
        axes = Axes.of(self.layout, shape)
        if axes.spatial:
            raise ValueError(f"shape must have no spatial axes, got {shape} of layout {self.layout!r}: use dirac")
        return axes.matrices(shape)


@register(random=False)
@dataclass(frozen=True, slots=True, repr=False)
class Dirac(Scheme):
    """Make the convolution whose output channels are its input channels, as many as there are of both.

    Parameters
    ----------
    gain : float
        What multiplies the channels. Default 1.
    groups : int
        The number of groups, in each of which outputs repeat the group's inputs. Default 1.
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis, see `fanin.layout`. There is a matrix for every index of batch axes, B. Default: (out, in), for a matrix
        alone.

    Notes
    -----
    The one is at index (size − 1)//2 of each spatial axis, which "same" padding maps to itself in every framework.
    `torch.nn.init.dirac_` has it at size//2: the same for odd sizes, one to the right for even ones.

    Examples
    --------
    >>> dirac(layout="OI")((1, 1, 5), seed=0, name="conv.weight")
    array([[[0., 0., 1., 0., 0.]]], dtype=float32)
    """

    gain: float = 1.0
    groups: int = 1
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        keep(self, "gain", number("gain", self.gain))
        keep(self, "groups", integer("groups", self.groups, 1))

    def expected_mean(self, shape: Shape) -> float:
        return self.gain * self._density(as_shape(shape))

    def expected_std(self, shape: Shape) -> float:
        return _spread(self.gain, self._density(as_shape(shape)))

    def scaled(self, factor: float) -> Dirac:
        return self.replace(gain=factor * self.gain)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        axes = Axes.of(self.layout, shape)
        if not axes.spatial:
            raise ValueError(f"shape must have at least 3 dimensions, out, in and spatial ones, got {shape}")
        return _core.dirac, (self.gain, self.groups, axes.letters)

    def _density(self, shape: tuple[int, ...]) -> float:
        return _density(Axes.of(self.layout, shape).matrices(shape), self.groups)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Sparse(Scheme):
    """Draw exactly so many non-zero weights for every output, or every input: Martens (2010).

    Which ones is decided by the order of random words: a keyed permutation of every line.

    Parameters
    ----------
    std : float
        The std of the non-zero weights, which are normal; Martens has 1, torch 0.01. Default 0.01.
    nonzeros : int, optional
        The number of non-zero weights of a line; Martens has 15 for every output.
    sparsity : float, optional
        Instead: the part of a line that is zero, from 0 to 1, rounded up to a whole number, as in torch.
    per : {"output", "input"}
        A line is all weights into one output, or all out of one input, as the columns of `torch.nn.init.sparse_`.
        Default "output".
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis, see `fanin.layout`. There is a matrix for every index of batch axes, B. Default: (out, in), for a matrix
        alone.

    Examples
    --------
    >>> w = sparse(nonzeros=15, layout="OI")((100, 300), seed=0, name="w")
    >>> bool(((w != 0).sum(axis=1) == 15).all())
    True
    """

    std: float = 0.01
    nonzeros: int | None = field(default=None, kw_only=True)
    sparsity: float | None = field(default=None, kw_only=True)
    per: Per = field(default="output", kw_only=True)
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        choice("per", self.per, ("output", "input"))
        keep(self, "std", scale("std", self.std))
        keep(self, "sparsity", optional(number, "sparsity", self.sparsity))
        if (self.nonzeros is None) == (self.sparsity is None):
            raise ValueError(
                f"one of nonzeros and sparsity must be given, got nonzeros={self.nonzeros}, sparsity={self.sparsity}"
            )
        if self.nonzeros is not None:
            keep(self, "nonzeros", integer("nonzeros", self.nonzeros, 0))
        if self.sparsity is not None and not 0 <= self.sparsity <= 1:
            raise ValueError(f"sparsity must be between 0 and 1, got {self.sparsity}")

    def count(self, shape: Shape) -> tuple[int, int]:
        """Return the number of non-zero entries of a line, and its length."""
        sizes = as_shape(shape)
        _, outs, ins, positions = Axes.of(self.layout, sizes).matrices(sizes)
        length = ins * positions if self.per == "output" else outs
        if self.sparsity is not None:
            return length - math.ceil(self.sparsity * length), length
        assert self.nonzeros is not None
        if self.nonzeros > length:
            raise ValueError(
                f"nonzeros must be at most {length}, the weights of one {self.per} of shape {sizes}, "
                f"got {self.nonzeros}"
            )
        return self.nonzeros, length

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        chosen, length = self.count(shape)
        return self.std * math.sqrt(chosen / length) if length else 0.0

    def scaled(self, factor: float) -> Sparse:
        return self.replace(std=scale("factor of sparse", factor) * self.std)

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        letters = Axes.of(self.layout, shape).letters
        return _core.sparse, (self.std, self.count(shape)[0], self.per == "output", letters, seed, name)


def _density(matrices: Matrices, groups: int) -> float:
    """Return the part of entries that a diagonal takes."""
    count = matrices.outs * matrices.ins * matrices.positions
    return groups * min(matrices.outs // groups, matrices.ins) / count if count else 0.0


def _spread(value: float, density: float) -> float:
    """Return the std of entries of which that part has one value, and the others are 0."""
    return abs(value) * math.sqrt(density * (1 - density))


identity, dirac, sparse = Identity, Dirac, Sparse
eye = Identity
