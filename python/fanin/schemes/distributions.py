"""Plain distributions: the same for any shape."""

from __future__ import annotations

from dataclasses import dataclass

from .. import _core
from ..arrays.types import Bounds, Shape
from .base import Native, Scheme, require, require_scale
from .truncation import moments

SQRT3 = float.fromhex("0x1.bb67ae8584caap+0")


@dataclass(frozen=True, slots=True)
class Constant(Scheme):
    """One value everywhere; seed and name are not used."""

    value: float = 0.0

    def mean(self, shape: Shape) -> float:
        return self.value

    def std(self, shape: Shape) -> float:
        return 0.0

    def describe(self) -> str:
        return f"constant({Scheme.describe(self).partition('=')[2]}"

    def _scaled(self, factor: float) -> Constant:
        return Constant(factor * self.value)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.constant, (self.value,)


@dataclass(frozen=True, slots=True)
class Uniform(Scheme):
    """Uniform between `low` and `high`."""

    low: float = 0.0
    high: float = 1.0

    def mean(self, shape: Shape) -> float:
        return self.low / 2 + self.high / 2

    def std(self, shape: Shape) -> float:
        return (self.high - self.low) / (2 * SQRT3)

    def _scaled(self, factor: float) -> Uniform:
        require_scale("factor of uniform", factor)
        return Uniform(factor * self.low, factor * self.high)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.uniform, (self.low, self.high, seed, name)


@dataclass(frozen=True, slots=True)
class Normal(Scheme):
    """Normal with mean `mu` and standard deviation `sigma`."""

    mu: float = 0.0
    sigma: float = 1.0

    def mean(self, shape: Shape) -> float:
        return self.mu

    def std(self, shape: Shape) -> float:
        return self.sigma

    def _scaled(self, factor: float) -> Normal:
        require_scale("factor of normal", factor)
        return Normal(factor * self.mu, factor * self.sigma)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.normal, (self.mu, self.sigma, seed, name)


@dataclass(frozen=True, slots=True)
class TruncatedNormal(Scheme):
    """Normal(mu, sigma) conditioned to lie within bounds, which are in units of sigma or absolute."""

    mu: float = 0.0
    sigma: float = 1.0
    low: float = -2.0
    high: float = 2.0
    bounds: Bounds = "std"

    def __post_init__(self) -> None:
        require("bounds", self.bounds, ("std", "absolute"))

    def mean(self, shape: Shape) -> float:
        return self._moments()[0]

    def std(self, shape: Shape) -> float:
        return self._moments()[1]

    def _scaled(self, factor: float) -> TruncatedNormal:
        require_scale("factor of truncated_normal", factor)
        bound = factor if self.bounds == "absolute" else 1.0
        return TruncatedNormal(factor * self.mu, factor * self.sigma, bound * self.low, bound * self.high, self.bounds)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        arguments = (self.mu, self.sigma, self.low, self.high, self.bounds == "std", seed, name)
        return _core.truncated_normal, arguments

    def _moments(self) -> tuple[float, float]:
        low, high = self.low, self.high
        if self.sigma == 0:
            return (self.mu if self.bounds == "std" else min(max(self.mu, low), high)), 0.0
        if self.bounds == "absolute":
            low, high = (low - self.mu) / self.sigma, (high - self.mu) / self.sigma
        mean, std = moments(low, high)
        return self.mu + mean * self.sigma, std * self.sigma


def constant(value: float = 0.0) -> Constant:
    """One value everywhere."""
    return Constant(value)


def zeros() -> Constant:
    """Zeros."""
    return Constant(0.0)


def ones() -> Constant:
    """Ones."""
    return Constant(1.0)


def uniform(low: float = 0.0, high: float = 1.0) -> Uniform:
    """Uniform values between two bounds."""
    return Uniform(low, high)


def normal(mean: float = 0.0, std: float = 1.0) -> Normal:
    """Normal values."""
    return Normal(mean, std)


def truncated_normal(
    mean: float = 0.0, std: float = 1.0, low: float = -2.0, high: float = 2.0, *, bounds: Bounds = "std"
) -> TruncatedNormal:
    """Normal values conditioned to lie within bounds, which are in units of std or absolute."""
    return TruncatedNormal(mean, std, low, high, bounds)
