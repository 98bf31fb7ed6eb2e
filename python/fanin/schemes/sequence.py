"""Parameters of sequence models: state spaces and positions."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from decimal import Context, Decimal

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arguments import flag, positive, scale
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..text import short
from .exact import log
from .pieces import Native
from .registry import register
from .scheme import Scheme, keep

_LONGEST = 2**16  # states or features: each is computed in decimal arithmetic, for all others of its row

# π to 60 digits.
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


@register()
@dataclass(frozen=True, slots=True, repr=False)
class MambaStepBias(Scheme):
    """Draw the bias of Mamba's time step: softplus of it is log-uniform in [low, high], Gu and Dao (2023).

    Parameters
    ----------
    low, high : float
        The bounds of the time steps, positive and in order. Defaults 0.001 and 0.1.
    floor : float
        The time step that none is below. Default 0.0001.

    Examples
    --------
    >>> b = mamba_step_bias()(1000, seed=0, name="dt_proj.bias", dtype="float64")
    >>> import numpy as np
    >>> steps = np.log1p(np.exp(b))
    >>> bool(((steps >= 1e-3) & (steps <= 0.1)).all())
    True
    """

    low: float = 1e-3
    high: float = 0.1
    floor: float = 1e-4

    def __post_init__(self) -> None:
        keep(self, "low", positive("low", self.low))
        keep(self, "high", positive("high", self.high))
        keep(self, "floor", scale("floor", self.floor))
        if self.low > self.high:
            raise ValueError(f"low must not exceed high, got low={self.low} and high={self.high}")

    def expected_mean(self, shape: Shape) -> float:
        return float(_step_biases(self.low, self.high, self.floor).mean())

    def expected_std(self, shape: Shape) -> float:
        return float(_step_biases(self.low, self.high, self.floor).std())

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.step_bias, (self.low, self.high, self.floor, seed, name)


@register(random=False)
@dataclass(frozen=True, slots=True, repr=False)
class MambaLogRange(Scheme):
    """Set Mamba's A_log: ln 1, ln 2, …, ln N along the last axis, Gu and Dao (2023), as S4D-Real of Gu et al. (2022).

    Examples
    --------
    >>> mamba_log_range()((1, 3), seed=0, name="A_log")
    array([[0.       , 0.6931472, 1.0986123]], dtype=float32)
    """

    def expected_mean(self, shape: Shape) -> float:
        return float(_logs(_last(shape)).mean()) if _last(shape) else 0.0

    def expected_std(self, shape: Shape) -> float:
        return float(_logs(_last(shape)).std()) if _last(shape) else 0.0

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _core.broadcast, (_logs(_last(shape)), len(shape) - 1)


@register(random=False)
@dataclass(frozen=True, slots=True, repr=False)
class Sinusoid(Scheme):
    """Set positions as sines and cosines of base^(−2i/features)·position: Vaswani et al. (2017).

    Parameters
    ----------
    base : float
        The slowest wave is about 2π·base positions long. Default 10000.
    interleaved : bool
        Sine and cosine of a frequency side by side, as in the paper; else all sines, then all cosines, as in
        tensor2tensor and fairseq with their frequencies spread over features/2 − 1 steps, here always features/2.
        Default True.

    Examples
    --------
    >>> sinusoid()((2, 4), seed=0, name="position").round(4)
    array([[0.    , 1.    , 0.    , 1.    ],
           [0.8415, 0.5403, 0.01  , 1.    ]], dtype=float32)
    """

    base: float = 10000.0
    interleaved: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        keep(self, "base", positive("base", self.base))
        keep(self, "interleaved", flag("interleaved", self.interleaved))

    def expected_mean(self, shape: Shape) -> float:
        return float(self._table(shape).mean()) if math.prod(as_shape(shape)) else 0.0

    def expected_std(self, shape: Shape) -> float:
        return float(self._table(shape).std()) if math.prod(as_shape(shape)) else 0.0

    def _table(self, shape: Shape) -> NDArray[np.float64]:
        table: NDArray[np.float64] = self(shape, seed=0, name="", dtype="float64")
        return table

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        if len(shape) != 2 or shape[1] > _LONGEST:
            raise ValueError(
                f"shape must have 2 dimensions, positions and features, at most {_LONGEST} of these, got {shape}"
            )
        return _core.sinusoid, (*_turns(self.base, shape[1]), self.interleaved)


def _last(shape: Shape) -> int:
    sizes = as_shape(shape)
    if not sizes or sizes[-1] > _LONGEST:
        raise ValueError(f"shape must have at least 1 dimension, whose last is at most {_LONGEST}, got {short(sizes)}")
    return sizes[-1]


@functools.lru_cache(maxsize=8)
def _step_biases(low: float, high: float, floor: float) -> NDArray[np.float64]:
    """Return equally likely values, for the moments only."""
    u = (np.arange(4096) + 0.5) / 4096
    steps = np.maximum(low * (high / low) ** u, floor)
    return steps + np.log(-np.expm1(-steps))


@functools.lru_cache(maxsize=8)
def _logs(count: int) -> NDArray[np.float64]:
    return np.array([log(number) for number in range(1, count + 1)], np.float64)


@functools.lru_cache(maxsize=8)
def _turns(base: float, features: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return base^(−2i/features)/2π, as unevaluated sums of two numbers."""
    digits = Context(prec=60)
    high, low = [], []
    for number in range((features + 1) // 2):
        exponent = digits.divide(Decimal(-2 * number), Decimal(features))
        turns = digits.divide(digits.power(Decimal(base), exponent), 2 * _PI)
        high.append(float(turns))
        low.append(float(digits.subtract(turns, Decimal(high[-1]))))
    return np.array(high), np.array(low)


mamba_step_bias, mamba_log_range, sinusoid = MambaStepBias, MambaLogRange, Sinusoid
