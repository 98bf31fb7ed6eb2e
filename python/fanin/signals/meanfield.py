"""Compute the mean-field theory of a layer that is repeated: where signals settle, how far they carry, order and chaos.

In a wide network preactivations are Gaussian, and two numbers describe them: their variance q, the same for every
unit, and the correlation c between the preactivations of two inputs. A layer maps both numbers, and gradients follow
from the slopes of these maps: Poole et al. (2016), Schoenholz et al. (2017).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays.types import Activation
from . import gaussian
from .gaussian import Pair

Values: TypeAlias = NDArray[np.float64]
Phase: TypeAlias = Literal["ordered", "chaotic", "critical"]

TOLERANCE = 1e-4  # a net with |log χ| up to this counts as critical: its gradients change e-fold in 10 000 layers

_SAME = 1e-9  # where |log V(q)/q| is up to this, the quadrature cannot tell q from a fixed point
_SPAN = 1e8  # a variance that falls or grows by a larger factor is taken to end at 0 or infinity


@dataclass(frozen=True, slots=True)
class MeanField:
    """Describe a layer of a wide network, x ← f(W·x + b), by how it maps variance and correlation of preactivations.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        The function f: a name, alone or with its parameters, or a callable; see `fanin.gain`. Gated units have two
        inputs and are refused.
    weight_variance : float
        σw²: the variance of a weight times fan_in, finite and not negative.
    bias_variance : float
        σb²: the variance of a bias, finite and not negative. Default 0.
    input_square : float
        The mean square of what enters the first layer, positive. The variance starts there and goes to a fixed point;
        where there are several, the start decides which: ReLU with σw² = 2 and σb² = 0 keeps any variance, and through
        GELU and SiLU small signals vanish where larger ones explode. Default 1.

    Raises
    ------
    ValueError
        If the activation is unknown or has no finite mean square, a variance is negative or not finite, or input_square
        is not positive and finite. `chi` raises it too for a callable with jumps, which has no slope.
    TypeError
        If the activation is another kind of object.

    Notes
    -----
    Gaussian means are good to 1e-10. In a network of finite width n the theory holds up to O(depth/n). It holds for
    orthogonal weights as for Gaussian ones (Pennington et al., 2017).

    References
    ----------
    Poole et al., Exponential expressivity in deep neural networks through transient chaos, 2016. Schoenholz et al.,
    Deep information propagation, 2017. Daniely et al., Toward deeper understanding of neural networks, 2016: the
    series of the correlation map. Hayou et al., On the impact of the activation function, 2019: smooth f against ReLU.

    Examples
    --------
    >>> field = MeanField("tanh", 2.5, 0.05)
    >>> round(field.fixed_point, 4), round(field.chi, 4), field.phase
    (1.064, 1.1335, 'chaotic')
    >>> round(field.fixed_correlation, 4), round(field.xi_c, 2)
    (0.4468, 11.8)
    >>> MeanField("relu", 2.0).phase
    'critical'
    """

    activation: Activation
    weight_variance: float
    bias_variance: float = 0.0
    input_square: float = 1.0

    def __post_init__(self) -> None:
        for name in ("weight_variance", "bias_variance"):
            require(name, getattr(self, name))
        require("input_square", self.input_square, positive=True)
        gaussian.square(self.activation, 1.0)

    def variance(self, q: float) -> float:
        """Compute V(q) = σw²·E f(√q·z)² + σb²: the variance of the next layer's preactivations, if this one's is q."""
        return self._times_weight(gaussian.square(self.activation, q)) + self.bias_variance

    @property
    def fixed_point(self) -> float:
        """q*, where the variance settles: 0 if it dies out, infinity if it diverges.

        It is the first fixed point of V on the way up or down from the start σw²·input_square + σb², or the start
        itself where that is a fixed point. Layers lead there wherever V grows with q, as it does for every activation
        of the package.
        """
        return _fixed_point(self)

    @property
    def chi(self) -> float:
        """χ₁ = σw²·E f'(√q*·z)²: a layer multiplies the mean squares of gradients and of small differences by it."""
        return self._times_weight(gaussian.slope_square(self.activation, self.fixed_point))

    @property
    def phase(self) -> Phase:
        """The phase: "critical" where abs(log χ₁) <= 1e-4, else "ordered" where χ₁ < 1 and "chaotic" where χ₁ > 1."""
        return phase_of(self.chi)

    def correlation(self, c: ArrayLike, q: float | None = None) -> Values:
        """Compute C(c) = (σw²·E f(u₁)f(u₂) + σb²)/V(q): the correlation of two inputs' preactivations a layer later.

        Parameters
        ----------
        c : array_like
            The correlation before the layer, in [-1, 1].
        q : float, optional
            The variance of both inputs' preactivations. Default: q*, and the limit where q* is 0 or infinite.

        Returns
        -------
        float64 array of c's shape
            The correlation after the layer. The error is at most 1e-6 for continuous f and q up to 10. It is NaN if
            E f(√q·z)² is infinite.

        Raises
        ------
        ValueError
            If c is outside [-1, 1], or q is negative or not finite.

        Examples
        --------
        >>> MeanField("relu", 2.0).correlation([0.0, 1.0]).round(4)  # 1/π: Cho and Saul (2009)
        array([0.3183, 1.    ])
        """
        given = np.asarray(c, np.float64)
        if not (np.abs(given) <= 1).all():
            raise ValueError(f"c must be in [-1, 1], got {c!r}")
        if q is not None:
            require("q", q)
        pair = self._pair(q)
        total = pair.square
        if self.weight_variance == 0 or total + self.bias_variance == 0:  # two inputs have equal preactivations
            return np.ones_like(given)
        bias = self.bias_variance / self.weight_variance
        return np.asarray((pair.product(given) + bias) / (total + bias))

    @property
    def fixed_correlation(self) -> float:
        """c*, to which the correlation of two inputs converges from any c in [0, 1): 1 unless the net is chaotic.

        C(1) is 1, C(0) >= 0, and C is convex for c >= 0, since its series has no negative term. So C has a second fixed
        point exactly where its slope at 1 exceeds 1 (by 1e-6 here). Where q* is 0 or infinite, C is taken in the limit.
        """
        return _fixed_correlation(self)

    @property
    def xi_q(self) -> float:
        """The number of layers in which the variance comes e times closer to q*: 1/abs(log V'(q*)), or infinity."""
        return _depth_scale(self._times_weight(gaussian.growth(self.activation, self.fixed_point)))

    @property
    def xi_c(self) -> float:
        """The number of layers in which the covariance of two inputs comes e times closer to its limit: 1/abs(log χ).

        χ is the slope σw²·E f'(u₁)f'(u₂) at c*: χ₁ in the ordered phase, the slope of C at c* < 1 in the chaotic one.
        The number is infinite where the net is critical.
        """
        c = self.fixed_correlation
        if not c < 1:
            return _depth_scale(self.chi)
        pair = self._pair(None)
        return _depth_scale(pair.slope(c) / (pair.square + self.bias_variance / self.weight_variance))

    @property
    def trainable_depth(self) -> float:
        """6·ξc: the depth up to which Schoenholz et al. could train networks."""
        return 6 * self.xi_c

    def _times_weight(self, value: float) -> float:
        return self.weight_variance * value if self.weight_variance else 0.0  # even if the value is infinite

    def _pair(self, q: float | None) -> Pair:
        return Pair.of(self.activation, self.fixed_point if q is None else q)


@functools.lru_cache(maxsize=1024)
def _fixed_point(field: MeanField) -> float:
    def excess(log_q: float) -> float:
        q = math.exp(log_q)
        return math.log(min(max(field.variance(q), 1e-300), 1e300) / q)

    start = field.weight_variance * field.input_square + field.bias_variance
    if start == 0 or abs(excess(math.log(start))) <= _SAME:
        return start
    up = excess(math.log(start)) > 0
    factor = 2.0 if up else 0.5
    low, high = field.bias_variance or start / _SPAN, max(start, 1.0) * _SPAN
    before, q = start, start * factor
    while (excess(math.log(q)) > 0) == up:
        if not low <= q <= high:
            return math.inf if up else 0.0
        before, q = q, q * factor
    return math.exp(gaussian.root(excess, math.log(before), math.log(q)))


@functools.lru_cache(maxsize=1024)
def _fixed_correlation(field: MeanField) -> float:
    pair = field._pair(None)
    total = pair.square
    if field.weight_variance == 0 or total + field.bias_variance == 0:
        return 1.0
    if math.isnan(total):
        return math.nan
    total += field.bias_variance / field.weight_variance

    def steepness(c: float) -> float:
        return pair.chord(c) / total - 1

    if steepness(1.0) <= 1e-6:
        return 1.0
    return gaussian.root(steepness, 0.0, 1.0) if steepness(0.0) < 0 else 0.0


def _depth_scale(factor: float) -> float:
    rate = abs(_log(abs(factor)))
    return 1 / rate if rate > TOLERANCE else math.inf


def phase_of(chi: float) -> Phase:
    """Return the phase of a net whose layers multiply mean squares of gradients by `chi`."""
    rate = _log(chi)
    return "critical" if abs(rate) <= TOLERANCE else "ordered" if rate < 0 else "chaotic"


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def require(name: str, value: float, positive: bool = False) -> None:
    """Raise ValueError unless a mean square is finite and not negative, or positive where that is asked."""
    if not 0 <= value < math.inf or (positive and value == 0):
        raise ValueError(f"{name} must be finite and {'positive' if positive else 'not negative'}, got {value}")


@functools.lru_cache(maxsize=256)
def critical_weight_variance(activation: Activation, bias_variance: float = 0.0) -> float:
    """Find the σw² between order and chaos: the largest at which gradients and small differences do not grow.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        The function f: a name, alone or with its parameters, or a callable; see `fanin.gain`.
    bias_variance : float
        σb²: the variance of a bias, finite and not negative. Default 0.

    Returns
    -------
    float
        σw²: the variance of a weight times fan_in. Its relative error is at most 1e-8, or 1e-5 where χ₁ touches 1
        without crossing it, as for odd f without biases.

    Raises
    ------
    ValueError
        If an argument is one that `MeanField` refuses, or if there is no such σw² between 1e-6 and 1e6.
    TypeError
        If the activation is another kind of object.

    Notes
    -----
    For most f, χ₁ is 1 at this σw². With σb² below about 0.1, χ₁ jumps for GELU, SiLU and Mish: from less than 1, where
    signals settle or die out, to more than 1, where they explode. Then no σw² keeps both signals and gradients over
    many layers, if input_square is 1.

    References
    ----------
    Schoenholz et al., Deep information propagation, 2017; Hayou et al., 2019, for other f.

    Examples
    --------
    >>> round(critical_weight_variance("relu"), 8), round(critical_weight_variance("tanh", 0.05), 3)
    (2.0, 1.761)
    """
    require("bias_variance", bias_variance)

    def excess(log_weight: float) -> float:
        return min(max(_log(MeanField(activation, math.exp(log_weight), bias_variance).chi), -50.0), 50.0)

    here = 0.0
    up = excess(here) < 0
    while (excess(here) < 0) == up:
        if abs(here) > 14:
            raise ValueError(
                f"activation must have a weight variance between 1e-6 and 1e6 that makes χ₁ 1, "
                f"got {activation!r} with bias_variance={bias_variance}"
            )
        here += 0.5 if up else -0.5
    return math.exp(gaussian.root(excess, here, here - 0.5 if up else here + 0.5))


def phase_diagram(activation: Activation, weight_variances: ArrayLike, bias_variances: ArrayLike) -> Values:
    """Compute χ₁ for many variances at once, for a picture: below 1 is order, above 1 chaos.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        The function f: a name, alone or with its parameters, or a callable; see `fanin.gain`.
    weight_variances : array_like (m,)
        Values of σw², the variance of a weight times fan_in.
    bias_variances : array_like (n,)
        Values of σb², the variance of a bias.

    Returns
    -------
    float64 array (n, m)
        χ₁, with a row for each σb² and a column for each σw². It equals `MeanField(...).chi` with an input_square of 1
        up to a relative error of 1e-3, since V is interpolated.

    Raises
    ------
    ValueError
        If an argument is one that `MeanField` refuses, or a list of variances has not one dimension.

    Examples
    --------
    >>> phase_diagram("tanh", [1.0, 1.761, 3.0], [0.05]).round(2)
    array([[0.76, 1.  , 1.21]])
    """
    weights, biases = (np.asarray(values, np.float64) for values in (weight_variances, bias_variances))
    for name, values in (("weight_variances", weights), ("bias_variances", biases)):
        if values.ndim != 1 or not ((values >= 0) & np.isfinite(values)).all():
            raise ValueError(f"{name} must be a list of finite numbers that are not negative, got {values}")
    rows = [_chi(activation, weights, bias) for bias in biases]
    return np.array(rows).reshape(len(biases), len(weights))


def _chi(activation: Activation, weights: Values, bias: float) -> Values:
    grid, values, slopes = _table(activation)
    with np.errstate(divide="ignore"):
        start = np.log(weights + bias)
        excess = np.log(weights[:, None] * values + bias) - grid
    # Go from the start to the next point of the grid where the excess has the other sign, as _fixed_point does.
    index, here = np.arange(grid.size), np.searchsorted(grid[:-1], start)[:, None]
    up = np.take_along_axis(excess, here, 1) > 0
    passed = np.where(up, (index > here) & (excess <= 0), (index < here) & (excess >= 0))
    left = np.where(up, passed.argmax(1, keepdims=True) - 1, index[-1] - passed[:, ::-1].argmax(1, keepdims=True))
    settles = passed.any(1, keepdims=True)
    left = np.where(settles, left, 0)
    first, second = (np.take_along_axis(excess, left + step, 1) for step in (0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = grid[left] + (grid[1] - grid[0]) * first / (first - second)
    log_q = np.where(settles, crossing, np.where(up, grid[-1], grid[0]))[:, 0]
    return np.asarray(weights * np.exp(np.interp(log_q, grid, np.log(slopes))))


@functools.lru_cache(maxsize=16)
def _table(activation: Activation) -> tuple[Values, Values, Values]:
    """Tabulate E f(√q·z)² and E f'(√q·z)² over a grid of log q, eight points to an octave."""
    reach = math.log(_SPAN)
    grid = np.linspace(-reach, reach, 2 * round(8 * reach / math.log(2)) + 1)
    means = (gaussian.square, gaussian.slope_square)
    values, slopes = (np.array([of(activation, math.exp(t)) for t in grid]) for of in means)
    return grid, np.minimum(values, 1e300), np.clip(slopes, 1e-300, 1e300)
