"""Laws that are expressions of one draw: Bernoulli, exponential, log-normal and integers; and permutations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import _core
from ..arguments import integer, number, positive, scale
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from .expression import Elementwise
from .pieces import Native
from .program import Program, Where
from .registry import register
from .scheme import Scheme

_LARGEST_INTEGER = 2**53  # every integer up to it is a float64


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Bernoulli(Elementwise):
    """Draw ones and zeros: one with probability `p`.

    Parameters
    ----------
    p : float
        The probability of a one, from 0 to 1; it is rounded to a multiple of 2**-32. Default 0.5.

    Notes
    -----
    They are the same ones in every dtype.

    Examples
    --------
    >>> bernoulli(0.5)(6, seed=0, name="mask")
    array([1., 1., 0., 1., 1., 0.], dtype=float32)
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", number("p", self.p))
        if not 0 <= self.p <= 1:
            raise ValueError(f"p must be between 0 and 1, got {self.p}")

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        return program.draw("bernoulli", where, self.p)

    def expected_mean(self, shape: Shape) -> float:
        return self.p

    def expected_std(self, shape: Shape) -> float:
        return math.sqrt(self.p * (1 - self.p))


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Exponential(Elementwise):
    """Draw exponential values: positive ones, whose density falls by a factor of e over 1/rate.

    Parameters
    ----------
    rate : float
        The inverse of mean and std, positive; torch calls it lambd, and NumPy's scale is 1/rate. Default 1.

    Examples
    --------
    >>> exponential(4.0).expected_mean(10)
    0.25
    """

    rate: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", positive("rate", self.rate))

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        return program.draw("exponential", where, self.rate)

    def expected_mean(self, shape: Shape) -> float:
        return 1 / self.rate

    def expected_std(self, shape: Shape) -> float:
        return 1 / self.rate


@register()
@dataclass(frozen=True, slots=True, repr=False)
class LogNormal(Elementwise):
    """Draw values whose logarithm is normal.

    Parameters
    ----------
    mean, std : float
        Those of the logarithm. Defaults 0 and 1; torch's defaults are 1 and 2.

    Examples
    --------
    >>> round(log_normal(0.0, 0.5).expected_mean(10), 4)
    1.1331
    """

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", number("mean", self.mean))
        object.__setattr__(self, "std", scale("std", self.std))

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        return program.draw("log_normal", where, self.mean, self.std)

    def expected_mean(self, shape: Shape) -> float:
        return _exp(self.mean + self.std**2 / 2)

    def expected_std(self, shape: Shape) -> float:
        # √(e^(s²) − 1) is e^(s²/2)·√(1 − e^(−s²)), of which nothing overflows before the result does.
        return _exp(self.mean + self.std**2) * math.sqrt(-math.expm1(-self.std * self.std))


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Integers(Elementwise):
    """Draw whole numbers from `low` on and below `high`, all equally likely.

    Parameters
    ----------
    low, high : int
        The least number, and the first that is not drawn; within 2**53 of 0, and of each other.

    Notes
    -----
    They are the same numbers in every dtype, rounded to it: float32 holds all up to 2**24, float16 up to 2048 and
    bfloat16 up to 256. No number is more likely than another by more than 2**-64.

    Examples
    --------
    >>> draws = integers(0, 10)(1000, seed=0, name="w")
    >>> sorted(set(draws.tolist()))
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = integer(name, getattr(self, name), -_LARGEST_INTEGER, _LARGEST_INTEGER)
            object.__setattr__(self, name, value)
        if not 0 < self.high - self.low <= _LARGEST_INTEGER:
            raise ValueError(f"low must be below high, by at most 2^53, got low={self.low} and high={self.high}")

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        return program.draw("integers", where, self.low, self.high)

    def expected_mean(self, shape: Shape) -> float:
        return (self.low + self.high - 1) / 2

    def expected_std(self, shape: Shape) -> float:
        return _spread_of_integers(self.high - self.low)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Permutation(Scheme):
    """Put the numbers 0, 1, … in random order along the last axis, for every index of the others.

    The order is that of random words, which are keyed by seed and name: the same as chooses the weights of `sparse`.

    Examples
    --------
    >>> order = permutation()(5, seed=0, name="order")
    >>> sorted(order.tolist())
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """

    def expected_mean(self, shape: Shape) -> float:
        return max(0, _last(shape) - 1) / 2

    def expected_std(self, shape: Shape) -> float:
        return _spread_of_integers(max(1, _last(shape)))

    @property
    def is_whole(self) -> bool:
        return True

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.permutation, (seed, name)


def _last(shape: Shape) -> int:
    sizes = as_shape(shape)
    if not sizes:
        raise ValueError("shape must have at least 1 dimension, of which the last is permuted, got ()")
    return sizes[-1]


def _spread_of_integers(count: int) -> float:
    return math.sqrt((count * count - 1) / 12)


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


bernoulli, exponential, log_normal, integers, permutation = Bernoulli, Exponential, LogNormal, Integers, Permutation
