"""Schemes: small frozen objects that say how a parameter is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import _core
from ._orthogonal import DeltaOrthogonal, Haar, Orthogonal, delta_orthogonal, haar, orthogonal
from ._scheme import Native, Scheme, require, text
from ._truncation import moments
from ._types import Activation, Bounds, Distribution, Layout, Mode, Shape
from .fans import MODES, Fans, require_layout
from .gains import gain as gain_of

__all__ = [
    "Constant",
    "DeltaOrthogonal",
    "Haar",
    "Normal",
    "Orthogonal",
    "Scheme",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "haar",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

_DISTRIBUTIONS = ("normal", "truncated_normal", "uniform")
_SQRT3 = float.fromhex("0x1.bb67ae8584caap+0")


@dataclass(frozen=True, slots=True)
class Constant(Scheme):
    """One value everywhere; seed and name are not used."""

    value: float = 0.0

    def mean(self, shape: Shape) -> float:
        return self.value

    def std(self, shape: Shape) -> float:
        return 0.0

    def describe(self) -> str:
        return f"constant({text(self.value)})"

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
        return (self.high - self.low) / (2 * _SQRT3)

    def describe(self) -> str:
        return f"uniform(low={text(self.low)}, high={text(self.high)})"

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

    def describe(self) -> str:
        return f"normal(mean={text(self.mu)}, std={text(self.sigma)})"

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

    def describe(self) -> str:
        numbers = f"mean={text(self.mu)}, std={text(self.sigma)}, low={text(self.low)}, high={text(self.high)}"
        return f"truncated_normal({numbers}, bounds={self.bounds})"

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


@dataclass(frozen=True, slots=True)
class VarianceScaling(Scheme):
    """Mean 0 and std gain/√fan, in the distribution of choice.

    Parameters
    ----------
    gain : float
        Default 1.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan, or mean of the fans, of the global shape.
    distribution : {"normal", "truncated_normal", "uniform"}
        All have the same std: the truncated normal is widened for what is cut off, at any truncation.
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.
    truncate : float
        Where "truncated_normal" is cut, in units of the normal's own std.

    Examples
    --------
    >>> VarianceScaling(gain=2.0, layout="IO").std((256, 100))
    0.125
    """

    gain: float = 1.0
    mode: Mode = "fan_in"
    distribution: Distribution = "truncated_normal"
    layout: Layout | None = None
    truncate: float = 2.0

    def __post_init__(self) -> None:
        require_layout(self.layout)
        require("mode", self.mode, MODES)
        require("distribution", self.distribution, _DISTRIBUTIONS)
        if not 0 <= self.gain < math.inf:
            raise ValueError(f"gain must be finite and not negative, got {self.gain}")
        if not 0 < self.truncate < math.inf:
            raise ValueError(f"truncate must be finite and positive, got {self.truncate}")

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        with _core.Ieee754():
            return self._std(shape)

    def _std(self, shape: Shape) -> float:
        fan = Fans.of(shape, self.layout).by(self.mode)
        return self.gain / math.sqrt(fan) if fan else 0.0  # without inputs or outputs there are no values

    def describe(self) -> str:
        how = f"gain={text(self.gain)}, mode={self.mode}, distribution={self.distribution}, layout={self.layout}"
        cut = f", truncate={text(self.truncate)}" if self.distribution == "truncated_normal" else ""
        return f"variance_scaling({how}{cut})"

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        cut = self.truncate
        with _core.Ieee754():
            std = self._std(shape)
            if self.distribution == "normal":
                return _core.normal, (0.0, std, seed, name)
            if self.distribution == "uniform":
                bound = _SQRT3 * std
                return _core.uniform, (-bound, bound, seed, name)
            return _core.truncated_normal, (0.0, std / _core.truncated_std(cut), -cut, cut, True, seed, name)


def _gain(activation: Activation, gain: float | None) -> float:
    return gain_of(activation) if gain is None else gain


def _normal(gain: float, mode: Mode, layout: Layout | None, truncate: float | None) -> VarianceScaling:
    if truncate is None:
        return VarianceScaling(gain, mode, "normal", layout)
    return VarianceScaling(gain, mode, "truncated_normal", layout, truncate)


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


def variance_scaling(
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    *,
    layout: Layout | None = None,
    truncate: float = 2.0,
) -> VarianceScaling:
    """Variance scale/fan, as in Keras and JAX; `VarianceScaling` explains the parameters.

    Examples
    --------
    >>> variance_scaling(2.0, "fan_avg", "uniform", layout="IO").std((100, 300))
    0.1
    """
    if not 0 <= scale < math.inf:
        raise ValueError(f"scale must be finite and not negative, got {scale}")
    with _core.Ieee754():
        return VarianceScaling(math.sqrt(scale), mode, distribution, layout, truncate)


def xavier_uniform(
    *, layout: Layout | None = None, activation: Activation = "linear", gain: float | None = None
) -> VarianceScaling:
    """Uniform, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_uniform`.

    Parameters
    ----------
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.
    activation : str or (str, float)
        Sets the gain: see `fanin.gain`. Default "linear", gain 1.
    gain : float, optional
        Instead of the activation's.

    Examples
    --------
    >>> xavier_uniform(layout="OI").std((300, 100))
    0.07071067811865475
    """
    return VarianceScaling(_gain(activation, gain), "fan_avg", "uniform", layout)


def xavier_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
) -> VarianceScaling:
    """Normal, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_normal`.

    Parameters
    ----------
    layout, activation, gain
        As for `xavier_uniform`.
    truncate : float, optional
        Cut there, in std, and widened to keep the variance; Keras's and JAX's is 2.0. Default: not cut, as in torch.
    """
    return _normal(_gain(activation, gain), "fan_avg", layout, truncate)


def he_uniform(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
) -> VarianceScaling:
    """Uniform, variance gain²/fan_in: He et al. (2015); also called `kaiming_uniform`.

    Parameters
    ----------
    layout : {"OI", "IO"}
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. There is no default.
    activation : str or (str, float)
        Sets the gain: see `fanin.gain`. Default "relu", gain √2.
    gain : float, optional
        Instead of the activation's.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        "fan_in" keeps the size of signals, "fan_out" that of gradients.

    Examples
    --------
    >>> he_uniform(layout="OI").std((10, 200))
    0.1
    """
    return VarianceScaling(_gain(activation, gain), mode, "uniform", layout)


def he_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
) -> VarianceScaling:
    """Normal, variance gain²/fan_in: He et al. (2015); also called `kaiming_normal`.

    Parameters
    ----------
    layout, activation, gain, mode
        As for `he_uniform`.
    truncate : float, optional
        Cut there, in std, and widened to keep the variance; Keras's and JAX's is 2.0. Default: not cut, as in torch.
    """
    return _normal(_gain(activation, gain), mode, layout, truncate)


def lecun_uniform(*, layout: Layout | None = None) -> VarianceScaling:
    """Uniform, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017)."""
    return VarianceScaling(1.0, "fan_in", "uniform", layout)


def lecun_normal(*, layout: Layout | None = None, truncate: float | None = None) -> VarianceScaling:
    """Normal, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    `truncate` as for `he_normal`.
    """
    return _normal(1.0, "fan_in", layout, truncate)


glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
