"""Parameters of sequence models: state spaces and positions."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from decimal import Context, Decimal

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from .base import Native, Scheme
from .exact import log

# π to 60 digits.
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


@dataclass(frozen=True, slots=True)
class StepBias(Scheme):
    """The bias that makes softplus log-uniform between two time steps: see `mamba_step_bias`."""

    low: float = 1e-3
    high: float = 0.1
    floor: float = 1e-4

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high < math.inf:
            raise ValueError(f"low and high must be positive, finite and in order, got {self.low} and {self.high}")
        if not 0 <= self.floor < math.inf:
            raise ValueError(f"floor must be finite and not negative, got {self.floor}")

    def mean(self, shape: Shape) -> float:
        return float(_step_biases(self.low, self.high, self.floor).mean())

    def std(self, shape: Shape) -> float:
        return float(_step_biases(self.low, self.high, self.floor).std())

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.step_bias, (self.low, self.high, self.floor, seed, name)


@dataclass(frozen=True, slots=True)
class LogRange(Scheme):
    """ln 1, ln 2, … along the last axis: see `mamba_log_range`."""

    def mean(self, shape: Shape) -> float:
        return float(_logs(_last(shape)).mean()) if _last(shape) else 0.0

    def std(self, shape: Shape) -> float:
        return float(_logs(_last(shape)).std()) if _last(shape) else 0.0

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return _core.broadcast, (_logs(_last(shape)), len(as_shape(shape)) - 1)


@dataclass(frozen=True, slots=True)
class Sinusoid(Scheme):
    """Sines and cosines of the position at falling frequencies: see `sinusoid`."""

    base: float = 10000.0
    interleaved: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.base < math.inf:
            raise ValueError(f"base must be positive and finite, got {self.base}")

    def mean(self, shape: Shape) -> float:
        return float(self._table(shape).mean()) if math.prod(as_shape(shape)) else 0.0

    def std(self, shape: Shape) -> float:
        return float(self._table(shape).std()) if math.prod(as_shape(shape)) else 0.0

    def _table(self, shape: Shape) -> NDArray[np.float64]:
        table: NDArray[np.float64] = self(shape, seed=0, name="", dtype="float64")
        return table

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        sizes = as_shape(shape)
        if len(sizes) != 2:
            raise ValueError(f"shape must have 2 dimensions, positions and features, got {sizes}")
        return _core.sinusoid, (*_turns(self.base, sizes[1]), self.interleaved)


def _last(shape: Shape) -> int:
    sizes = as_shape(shape)
    if not sizes:
        raise ValueError("shape must have at least 1 dimension, got ()")
    return sizes[-1]


@functools.lru_cache(maxsize=8)
def _step_biases(low: float, high: float, floor: float) -> NDArray[np.float64]:
    """Equally likely values, for the moments only."""
    u = (np.arange(4096) + 0.5) / 4096
    steps = np.maximum(low * (high / low) ** u, floor)
    return steps + np.log(-np.expm1(-steps))


@functools.lru_cache(maxsize=8)
def _logs(count: int) -> NDArray[np.float64]:
    return np.array([log(number) for number in range(1, count + 1)], np.float64)


@functools.lru_cache(maxsize=8)
def _turns(base: float, features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """base^(−2i/features)/2π, in two parts."""
    digits = Context(prec=60)
    high, low = [], []
    for number in range((features + 1) // 2):
        exponent = digits.divide(Decimal(-2 * number), Decimal(features))
        turns = digits.divide(digits.power(Decimal(base), exponent), 2 * _PI)
        high.append(float(turns))
        low.append(float(digits.subtract(turns, Decimal(high[-1]))))
    return np.array(high), np.array(low)


def mamba_step_bias(low: float = 1e-3, high: float = 0.1, floor: float = 1e-4) -> StepBias:
    """The bias of Mamba's time step: softplus of it is log-uniform in [low, high], Gu and Dao (2023).

    Parameters
    ----------
    low, high : float
        Time steps.
    floor : float
        No time step is smaller.

    Examples
    --------
    >>> b = mamba_step_bias()(1000, seed=0, name="dt_proj.bias", dtype="float64")
    >>> import numpy as np
    >>> steps = np.log1p(np.exp(b))
    >>> bool(((steps >= 1e-3) & (steps <= 0.1)).all())
    True
    """
    return StepBias(low, high, floor)


def mamba_log_range() -> LogRange:
    """Mamba's A_log: ln 1, ln 2, …, ln N along the last axis, Gu and Dao (2023), as S4D-Real of Gu et al. (2022).

    Examples
    --------
    >>> mamba_log_range()((1, 3), seed=0, name="A_log")
    array([[0.       , 0.6931472, 1.0986123]], dtype=float32)
    """
    return LogRange()


def sinusoid(base: float = 10000.0, *, interleaved: bool = True) -> Sinusoid:
    """Positions as sines and cosines of base^(−2i/features)·position: Vaswani et al. (2017).

    Parameters
    ----------
    base : float
        The slowest wave is about 2π·base positions long.
    interleaved : bool
        Sine and cosine of a frequency side by side, as in the paper; else all sines, then all cosines, as in
        tensor2tensor and fairseq with their frequencies spread over features/2 − 1 steps, here always features/2.

    Examples
    --------
    >>> sinusoid()((2, 4), seed=0, name="position").round(4)
    array([[0.    , 1.    , 0.    , 1.    ],
           [0.8415, 0.5403, 0.01  , 1.    ]], dtype=float32)
    """
    return Sinusoid(base, interleaved)
