"""Compute means of an activation f over Gaussian signals u = √q·z, from which mean-field theory follows.

Means over one signal, such as E f(u)², come from `quadrature`. Means over two signals with correlation c come from
Mehler's formula E f(u₁)f(u₂) = Σ aₖ²cᵏ, where aₖ = E f(√q·z)·Heₖ(z)/√k!: one set of coefficients serves every c.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arrays.types import Activation
from . import activations
from .quadrature import mean_square

Values: TypeAlias = NDArray[np.float64]

LEAST, MOST = 1e-12, 1e12  # below and above these variances an activation looks as it does at 0 and at infinity

_TERMS = 2048  # terms of Mehler's series; those left out hold 5e-7 of ReLU's mean square
_NODES = 32  # nodes in a panel, which is at most 1 wide: the last Heₖ has 7 waves there
_REACH = 12
_LEVELS = 32  # how often a panel is halved: in one of width 2^-32 a jump no longer counts


def square(activation: Activation, q: float) -> float:
    """Compute E f(u)²; it is infinite where f grows too fast."""
    return _mean_square(activation, q, "value")


def slope_square(activation: Activation, q: float) -> float:
    """Compute E f'(u)², and for q = 0 or infinity its limit, which differs from f'(0)² if f has a kink at 0."""
    return _mean_square(activation, _within(q), "slope")


def growth(activation: Activation, q: float) -> float:
    """Compute the derivative of E f(u)² with respect to q.

    Schoenholz et al. give it as E f'(u)² + E f(u)·f''(u). Integrated by parts this is E (z² - 1)·f(u)²/2q, which needs
    no f''.
    """
    q = _within(q)
    return (_mean_square(activation, q, "moment") - square(activation, q)) / (2 * q)


def mean(activation: Activation, q: float) -> float:
    """Compute E f(u) from E (f(u) + r)² - E (f(u) - r)², where r² = E f(u)²."""
    r = math.sqrt(square(activation, q))
    if not 0 < r < math.inf:
        return r
    f, root = activations.function(activation), math.sqrt(q)

    def shifted(shift: float) -> float:
        return mean_square(lambda z: f(root * np.asarray(z)) / r + shift, "forward", repr(activation))

    return r * (shifted(1.0) - shifted(-1.0)) / 4


def _within(q: float) -> float:
    return min(max(q, LEAST), MOST)


@functools.lru_cache(maxsize=2**14)
def _mean_square(activation: Activation, q: float, what: Literal["value", "slope", "moment"]) -> float:
    f, root = activations.function(activation), math.sqrt(q)
    differentiate = what == "slope" and callable(activation)
    if what == "slope" and not differentiate:
        f = activations.derivative(activation)

    def scaled(z: Any) -> NDArray[np.floating[Any]]:
        y = f(root * z)
        return z * y if what == "moment" else y

    try:
        result = mean_square(scaled, "backward" if differentiate else "forward", repr(activation))
    except ValueError:
        if q <= 1:
            raise
        _mean_square(activation, 1.0, what)  # raises too, unless f only grows too fast
        return math.inf
    return result / q if differentiate else result


class Pair(NamedTuple):
    """Hold E f(u₁)f(u₂), where u₁ and u₂ have one variance, as a series in their correlation c: Σ shareₖ·cᵏ.

    What the computed terms miss of E f(u)² is put on one more even and one more odd power, chosen such that the slope
    at c = 1 is q·E f'(u)². With kinks in f the error is 1e-7 of E f(u)², and q times that where f is constant beyond
    its kinks. With jumps it is 1e-3, but only next to c = ±1.
    """

    shares: Values
    powers: Values
    odd: NDArray[np.bool_]

    @classmethod
    def of(cls, activation: Activation, q: float) -> Pair:
        """Compute the series of an activation at the variance q."""
        return _pair(activation, _within(q))

    @property
    def square(self) -> float:
        """E f(u)²; NaN where it is infinite."""
        return float(self.shares.sum())

    def product(self, c: Values) -> Values:
        """Compute E f(u₁)f(u₂) for correlations c."""
        c = np.asarray(c)[..., None]
        signs = np.where(self.odd & (c < 0), -1.0, 1.0)
        return np.asarray((signs * np.abs(c) ** self.powers) @ self.shares)

    def slope(self, c: float) -> float:
        """Compute the derivative with respect to c, for c >= 0: q·E f'(u₁)f'(u₂)."""
        return float(c ** np.maximum(self.powers - 1, 0) @ (self.powers * self.shares))

    def chord(self, c: float) -> float:
        """Compute the slope of the line between c >= 0 and 1, accurately even where c is close to 1."""
        if c == 1:
            return self.slope(c)
        lost = -np.expm1(self.powers * math.log(c)) if c > 0 else self.powers > 0
        return float(lost @ self.shares) / (1 - c)


@functools.lru_cache(maxsize=64)
@np.errstate(all="ignore")
def _pair(activation: Activation, q: float) -> Pair:
    z, weight, parts = _half_line(activations.function(activation), math.sqrt(q))
    totals = 2 * np.square(parts) @ weight
    if not np.isfinite(totals).all():
        return Pair(np.array([math.nan]), np.zeros(1), np.zeros(1, bool))
    weighted = 2 * weight * parts
    before, hermite = np.zeros_like(z), np.ones_like(z)
    shares: list[float] = []
    for k in range(_TERMS):
        shares.append(float(weighted[k % 2] @ hermite) ** 2)
        if k % 64 == 63 and totals.sum() - sum(shares) <= 1e-14 * totals.sum():
            break
        before, hermite = hermite, (z * hermite - math.sqrt(k) * before) / math.sqrt(k + 1)
    k = len(shares)
    rest = [max(0.0, total - sum(shares[parity::2])) for parity, total in enumerate(totals)]
    powers = np.arange(k, dtype=np.float64)
    try:
        steep = q * slope_square(activation, q) - float(powers @ shares)
    except ValueError:  # a callable with a jump has no slope
        steep = math.inf
    # With a kink in f the shares fall as k^-5/2, and those left out have the mean power 3k. With a jump it is infinite.
    tail = steep / sum(rest) if sum(rest) > 0 and k * sum(rest) < steep < math.inf else 3.0 * k
    return Pair(np.array([*shares, *rest]), np.append(powers, [tail, tail]), np.arange(k + 2) % 2 == 1)


def _half_line(f: activations.Function, root: float) -> tuple[Values, Values, Values]:
    """Return nodes z > 0, weights for means over the standard normal, and the even and odd part of f(root·z) there.

    A panel is halved until the Legendre polynomials of high degree are negligible in it; this narrows panels at kinks.
    """
    x, share = np.polynomial.legendre.leggauss(_NODES)
    basis = np.polynomial.legendre.legvander(x, _NODES - 1) * (share[:, None] / 2) * (2 * np.arange(_NODES) + 1)
    left, width, rms = np.arange(_REACH, dtype=np.float64), 1.0, 0.0
    settled = []
    for level in range(_LEVELS):
        z = left[:, None] + width * (1 + x) / 2
        above, below = (np.asarray(f(sign * root * z), np.float64) for sign in (1, -1))
        parts = np.stack([above + below, above - below]) / 2
        weight = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * (width * share / 2)
        rms = rms or math.sqrt(2 * float(np.sum(parts**2 * weight)))
        error = np.abs(parts @ basis[:, _NODES // 2 :]).max(axis=(0, 2)) * np.exp(-left * left / 4) * width
        halve = (error > 1e-11 * rms) & (level < _LEVELS - 1)
        settled.append([values[..., ~halve, :].reshape(*values.shape[:-2], -1) for values in (z, weight, parts)])
        width /= 2
        left = (left[halve, None] + [0.0, width]).ravel()
    z, weight, parts = (np.concatenate(values, axis=-1) for values in zip(*settled, strict=True))
    return z, weight, parts


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function changes its sign between two points, by the method of Ridders (1979)."""
    low, high = min(low, high), max(low, high)
    at_low, at_high = f(low), f(high)
    if at_low == 0:
        return low
    for _ in range(100):
        middle = (low + high) / 2
        value = f(middle)
        if value == 0 or not low < middle < high or high - low <= 1e-14 * max(abs(low), abs(high)):
            return middle
        step = (middle - low) * value / math.sqrt(value * value - at_low * at_high)
        x = middle + math.copysign(1, at_low - at_high) * step
        at_x = f(x)
        if at_x == 0:
            return x
        points = sorted({low: at_low, middle: value, x: at_x, high: at_high}.items())
        (low, at_low), (high, at_high) = next(
            pair for pair in itertools.pairwise(points) if (pair[0][1] < 0) != (pair[1][1] < 0)
        )
    return (low + high) / 2
