"""Weights of which most entries are zero: identities and sparse weights."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

from .. import _core
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Per, Shape
from ..axes import Axes, require_matrix_layout
from .base import Native, Scheme, require, require_finite, require_scale


@dataclass(frozen=True, slots=True)
class Identity(Scheme):
    """`gain` on the diagonal of a matrix, square or not: see `identity`."""

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite("gain", self.gain)

    def mean(self, shape: Shape) -> float:
        rows, columns = _matrix(shape)
        return self.gain / max(rows, columns, 1)

    def std(self, shape: Shape) -> float:
        rows, columns = _matrix(shape)
        return _spread(self.gain, 1 / max(rows, columns, 1)) if rows * columns else 0.0

    def _scaled(self, factor: float) -> Identity:
        return Identity(factor * self.gain)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        _matrix(shape)
        return _core.dirac, (self.gain, 1, "OI")


@dataclass(frozen=True, slots=True)
class Dirac(Scheme):
    """The convolution that passes its input channels on: see `dirac`."""

    gain: float = 1.0
    groups: int = 1
    layout: Layout | None = None

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        require_finite("gain", self.gain)

    def mean(self, shape: Shape) -> float:
        return self.gain * self._density(shape)

    def std(self, shape: Shape) -> float:
        return _spread(self.gain, self._density(shape))

    def _density(self, shape: Shape) -> float:
        sizes = as_shape(shape)
        _, outs, ins, positions = Axes.of(self.layout, sizes).matrices(sizes)
        count = outs * ins * positions
        return self.groups * min(outs // self.groups, ins) / count if count else 0.0

    def _scaled(self, factor: float) -> Dirac:
        return self._with(gain=factor * self.gain)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        sizes = as_shape(shape)
        if len(sizes) < 3:
            raise ValueError(f"shape must have at least 3 dimensions, out, in and spatial ones, got {sizes}")
        return _core.dirac, (self.gain, self.groups, Axes.of(self.layout, sizes).letters)


@dataclass(frozen=True, slots=True)
class Sparse(Scheme):
    """Normal values at a fixed number of places a line, zeros elsewhere: see `sparse`."""

    sigma: float = 0.01
    nonzeros: int | None = None
    sparsity: float | None = None
    per: Per = "output"
    layout: Layout | None = None

    def __post_init__(self) -> None:
        require_matrix_layout(self.layout)
        require_scale("std", self.sigma)
        require("per", self.per, ("output", "input"))
        if (self.nonzeros is None) == (self.sparsity is None):
            raise ValueError(
                f"one of nonzeros and sparsity must be given, got nonzeros={self.nonzeros}, sparsity={self.sparsity}"
            )
        if self.nonzeros is not None and (isinstance(self.nonzeros, bool) or operator.index(self.nonzeros) < 0):
            raise ValueError(f"nonzeros must be an integer and not negative, got {self.nonzeros}")
        if self.sparsity is not None and not 0 <= self.sparsity <= 1:
            raise ValueError(f"sparsity must be between 0 and 1, got {self.sparsity}")

    def count(self, shape: Shape) -> tuple[int, int]:
        """The non-zero entries of a line, and its length."""
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

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        chosen, length = self.count(shape)
        return self.sigma * math.sqrt(chosen / length) if length else 0.0

    def _scaled(self, factor: float) -> Sparse:
        require_scale("factor of sparse", factor)
        return self._with(sigma=factor * self.sigma)

    def _is_whole(self) -> bool:
        return True

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        letters = Axes.of(self.layout, as_shape(shape)).letters
        return _core.sparse, (self.sigma, self.count(shape)[0], self.per == "output", letters, seed, name)


def _matrix(shape: Shape) -> tuple[int, int]:
    sizes = as_shape(shape)
    if len(sizes) != 2:
        raise ValueError(f"shape must have 2 dimensions, got {sizes}; for convolutions use dirac")
    return sizes[0], sizes[1]


def _spread(value: float, density: float) -> float:
    """The std of entries of which that part has one value, and the others 0."""
    return abs(value) * math.sqrt(density * (1 - density))


def identity(gain: float = 1.0) -> Identity:
    """`gain` on the diagonal of a matrix, which need not be square, and zeros elsewhere; also called `eye`.

    For recurrent weights with ReLU: Le, Jaitly and Hinton (2015).

    Examples
    --------
    >>> identity()((2, 3), seed=0, name="w")
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    return Identity(gain)


def dirac(gain: float = 1.0, groups: int = 1, *, layout: Layout | None = None) -> Dirac:
    """The convolution whose output channels are its input channels, as many as there are of both.

    Parameters
    ----------
    gain : float
        Multiplies them.
    groups : int
        In each, outputs repeat the group's inputs.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.

    Notes
    -----
    The one is at index (size − 1)//2 of each spatial axis, which "same" padding maps to itself in every framework.
    `torch.nn.init.dirac_` has it at size//2: the same for odd sizes, one to the right for even ones.

    Examples
    --------
    >>> dirac(layout="OI")((1, 1, 5), seed=0, name="conv.weight")
    array([[[0., 0., 1., 0., 0.]]], dtype=float32)
    """
    return Dirac(gain, groups, layout)


def sparse(
    std: float = 0.01,
    *,
    nonzeros: int | None = None,
    sparsity: float | None = None,
    per: Per = "output",
    layout: Layout | None = None,
) -> Sparse:
    """Exactly so many non-zero weights for every output, or every input: Martens (2010).

    Which ones is decided by the order of random words: a keyed permutation of every line.

    Parameters
    ----------
    std : float
        Of the non-zero weights, which are normal; Martens has 1, torch 0.01.
    nonzeros : int
        Of a line; Martens has 15 for every output.
    sparsity : float
        Instead: the part of a line that is zero, rounded up to a whole number, as in torch.
    per : {"output", "input"}
        A line is all weights into one output, or all out of one input, as the columns of `torch.nn.init.sparse_`.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.

    Examples
    --------
    >>> w = sparse(nonzeros=15, layout="OI")((100, 300), seed=0, name="w")
    >>> bool(((w != 0).sum(axis=1) == 15).all())
    True
    """
    return Sparse(std, nonzeros, sparsity, per, layout)


eye = identity
