"""Plain distributions: the same for any shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .. import _core
from ..arguments import choice, number, scale
from ..arrays.types import Bounds, Shape
from .pieces import Native
from .registry import register
from .scheme import Scheme, keep
from .truncation import moments

SQRT3 = float.fromhex("0x1.bb67ae8584caap+0")


@register(random=False)
@dataclass(frozen=True, slots=True, repr=False)
class Constant(Scheme):
    """Fill with one value.

    Seed and name are not used.

    Examples
    --------
    >>> constant(0.5)(2, seed=0, name="fc.bias")
    array([0.5, 0.5], dtype=float32)
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        keep(self, "value", number("value", self.value))

    def expected_mean(self, shape: Shape) -> float:
        return self.value

    def expected_std(self, shape: Shape) -> float:
        return 0.0

    def describe(self) -> str:
        return f"constant({Scheme.describe(self).partition('=')[2]}"

    def __repr__(self) -> str:
        return f"constant({self.value!r})"

    def scaled(self, factor: float) -> Constant:
        return Constant(factor * self.value)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.constant, (self.value,)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Uniform(Scheme):
    """Draw uniform values between two bounds.

    Parameters
    ----------
    low, high : float
        The bounds, finite and in order. No value is beyond them, in any dtype.

    Examples
    --------
    >>> uniform(-1.0, 1.0).expected_std(10) * 3**0.5
    1.0
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        keep(self, "low", number("low", self.low))
        keep(self, "high", number("high", self.high))
        if self.low > self.high:
            raise ValueError(f"low must not exceed high, got low={self.low} and high={self.high}")

    def expected_mean(self, shape: Shape) -> float:
        return self.low / 2 + self.high / 2

    def expected_std(self, shape: Shape) -> float:
        return (self.high - self.low) / (2 * SQRT3)

    def scaled(self, factor: float) -> Uniform:
        factor = scale("factor of uniform", factor)
        return Uniform(factor * self.low, factor * self.high)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.uniform, (self.low, self.high, seed, name)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Normal(Scheme):
    """Draw normal values.

    Examples
    --------
    >>> normal(std=0.02).expected_std(10)
    0.02
    """

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        keep(self, "mean", number("mean", self.mean))
        keep(self, "std", scale("std", self.std))

    def expected_mean(self, shape: Shape) -> float:
        return self.mean

    def expected_std(self, shape: Shape) -> float:
        return self.std

    def scaled(self, factor: float) -> Normal:
        factor = scale("factor of normal", factor)
        return Normal(factor * self.mean, factor * self.std)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.normal, (self.mean, self.std, seed, name)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class TruncatedNormal(Scheme):
    """Draw normal values conditioned to lie between two bounds.

    Parameters
    ----------
    mean, std : float
        Those of the normal before it is cut; the values' own std is smaller. Defaults 0 and 1.
    low, high : float
        The bounds, finite or infinite, in units of std or absolute. No value is beyond them, in any dtype.
    bounds : {"std", "absolute"}
        "std": values lie between mean + low·std and mean + high·std; "absolute": between low and high.

    Examples
    --------
    >>> round(truncated_normal(std=0.02).expected_std(10), 6)
    0.017593
    """

    mean: float = 0.0
    std: float = 1.0
    low: float = -2.0
    high: float = 2.0
    bounds: Bounds = field(default="std", kw_only=True)

    def __post_init__(self) -> None:
        keep(self, "mean", number("mean", self.mean))
        keep(self, "std", scale("std", self.std))
        keep(self, "low", number("low", self.low, finite=False))
        keep(self, "high", number("high", self.high, finite=False))
        choice("bounds", self.bounds, ("std", "absolute"))
        if self.low > self.high or (self.low == self.high and math.isinf(self.low)):
            raise ValueError(f"low must not exceed high, got low={self.low} and high={self.high}")
        if self.std == 0 and self.bounds == "absolute" and not self.low <= self.mean <= self.high:
            raise ValueError(
                f"mean must lie between low and high where std is 0, got mean={self.mean}, low={self.low} and "
                f"high={self.high}"
            )

    def expected_mean(self, shape: Shape) -> float:
        return self._moments()[0]

    def expected_std(self, shape: Shape) -> float:
        return self._moments()[1]

    def scaled(self, factor: float) -> TruncatedNormal:
        factor = scale("factor of truncated_normal", factor)
        bound = factor if self.bounds == "absolute" else 1.0
        return self.replace(
            mean=factor * self.mean, std=factor * self.std, low=bound * self.low, high=bound * self.high
        )

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        arguments = (self.mean, self.std, self.low, self.high, self.bounds == "std", seed, name)
        return _core.truncated_normal, arguments

    def _moments(self) -> tuple[float, float]:
        low, high = self.low, self.high
        if self.std == 0:
            return self.mean, 0.0
        if self.bounds == "absolute":
            low, high = (low - self.mean) / self.std, (high - self.mean) / self.std
        mean, std = moments(low, high)
        return self.mean + mean * self.std, std * self.std


@register(random=False)
def zeros() -> Constant:
    """Fill with zeros.

    Examples
    --------
    >>> zeros()(2, seed=0, name="fc.bias")
    array([0., 0.], dtype=float32)
    """
    return Constant(0.0)


@register(random=False)
def ones() -> Constant:
    """Fill with ones.

    Examples
    --------
    >>> ones()(2, seed=0, name="norm.weight")
    array([1., 1.], dtype=float32)
    """
    return Constant(1.0)


constant, uniform, normal, truncated_normal = Constant, Uniform, Normal, TruncatedNormal
