"""Variance scaling: the std that keeps signals, or gradients, at the size they have."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Unpack

from .. import _core
from ..arrays.shape import as_shape
from ..arrays.types import Activation, Convention, Distribution, Layout, Mode, Shape
from ..axes import require_layout
from ..fans import MODES, FanOptions, Fans, as_blocks, block_sizes, output_axis
from ..signals.gains import gain as gain_of
from .base import Native, Scheme, require, require_scale
from .distributions import SQRT3, Normal, TruncatedNormal, Uniform
from .pieces import Piece, Pieces

_DISTRIBUTIONS = ("normal", "truncated_normal", "uniform")


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
    layout : str
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis, see `fanin.Fans.of`. There is no default.
    truncate : float
        Where "truncated_normal" is cut, in units of the normal's own std.
    groups, transposed, blocks, convention
        How the fans follow from the shape: see `fanin.Fans.of`. Each block has the std of its own fans.

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
    groups: int = 1
    transposed: bool = False
    blocks: int | tuple[int, ...] = 1
    convention: Convention | None = None

    def __post_init__(self) -> None:
        if self.layout is not None or self.convention is None:
            require_layout(self.layout)
        require("mode", self.mode, MODES)
        require("distribution", self.distribution, _DISTRIBUTIONS)
        require_scale("gain", self.gain)
        if not 0 < self.truncate < math.inf:
            raise ValueError(f"truncate must be finite and positive, got {self.truncate}")
        object.__setattr__(self, "blocks", as_blocks(self.blocks))

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        with _core.Ieee754():
            stds = self._stds(shape)
            if len(set(stds)) == 1:
                return stds[0]
            sizes = self._sizes(as_shape(shape))
            squares = math.fsum(size * std * std for size, std in zip(sizes, stds, strict=True))
            return math.sqrt(squares / max(1, sum(sizes)))

    def describe(self) -> str:
        how = f"gain={self.gain!r}".removesuffix(".0")
        how += f", mode={self.mode}, distribution={self.distribution}, layout={self.layout}"
        if self.distribution == "truncated_normal":
            how += f", truncate={float(self.truncate)!r}".removesuffix(".0")
        for name, default in (("groups", 1), ("transposed", False), ("blocks", 1), ("convention", None)):
            value = getattr(self, name)
            if value != default:
                how += f", {name}={'+'.join(map(str, value)) if isinstance(value, tuple) else value}"
        return f"variance_scaling({how})"

    def _stds(self, shape: Shape) -> list[float]:
        """Of every block."""
        each = Fans.of_blocks(shape, self.layout, self.groups, self.transposed, self.blocks, self.convention)
        return [self._std(fans.by(self.mode)) for fans in each]

    def _std(self, fan: float) -> float:
        return self.gain / math.sqrt(fan) if fan else 0.0  # without a fan there are no values

    def _sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return block_sizes(self.blocks, shape[output_axis(shape, self.layout, self.transposed)], shape)

    def _scaled(self, factor: float) -> VarianceScaling:
        require_scale("factor of variance_scaling", factor)
        return self._with(gain=factor * self.gain)

    def _pieces(self, shape: Shape, name: str) -> Pieces | None:
        if isinstance(self.blocks, int):
            return None
        shape = as_shape(shape)
        along, start = [], 0
        with _core.Ieee754():
            for size, std in zip(self._sizes(shape), self._stds(shape), strict=True):
                along.append(Piece(start, start + size, self._of_std(std), name, shape, start))
                start += size
        return output_axis(shape, self.layout, self.transposed), along

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        with _core.Ieee754():
            return self._of_std(self._stds(shape)[0])._native(shape, seed, name)

    def _of_std(self, std: float) -> Scheme:
        if self.distribution == "normal":
            return Normal(0.0, std)
        if self.distribution == "uniform":
            return Uniform(-SQRT3 * std, SQRT3 * std)
        return TruncatedNormal(0.0, std / _core.truncated_std(self.truncate), -self.truncate, self.truncate)


def _gain(activation: Activation, gain: float | None, mode: Mode) -> float:
    return gain_of(activation, derivative=mode == "fan_out") if gain is None else gain


def _scaling(
    gain: float,
    mode: Mode,
    distribution: Distribution,
    layout: Layout | None,
    fans: FanOptions,
    truncate: float | None = None,
) -> VarianceScaling:
    if truncate is not None:
        return VarianceScaling(gain, mode, "truncated_normal", layout, truncate, **fans)  # type: ignore[arg-type]
    return VarianceScaling(gain, mode, distribution, layout, **fans)  # type: ignore[arg-type]


def variance_scaling(
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    *,
    layout: Layout | None = None,
    truncate: float = 2.0,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Variance scale/fan, as in Keras and JAX; `VarianceScaling` explains the parameters.

    Examples
    --------
    >>> variance_scaling(2.0, "fan_avg", "uniform", layout="IO").std((100, 300))
    0.1
    """
    require_scale("scale", scale)
    with _core.Ieee754():
        return VarianceScaling(math.sqrt(scale), mode, distribution, layout, truncate, **fans)  # type: ignore[arg-type]


def xavier_uniform(
    *,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Uniform, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_uniform`.

    Parameters
    ----------
    layout : str
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis. There is no default.
    activation : str, (str, float) or callable
        Sets the gain: see `fanin.gain`. Default "linear", gain 1.
    gain : float, optional
        Instead of the activation's.
    groups, transposed, blocks, convention
        How the fans follow from the shape: see `fanin.Fans.of`.

    Examples
    --------
    >>> xavier_uniform(layout="OI").std((300, 100))
    0.07071067811865475
    """
    return _scaling(_gain(activation, gain, "fan_avg"), "fan_avg", "uniform", layout, fans)


def xavier_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Normal, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_normal`.

    Parameters
    ----------
    layout, activation, gain, groups, transposed, blocks, convention
        As for `xavier_uniform`.
    truncate : float, optional
        Cut there, in std, and widened to keep the variance; Keras's and JAX's is 2.0. Default: not cut, as in torch.
    """
    return _scaling(_gain(activation, gain, "fan_avg"), "fan_avg", "normal", layout, fans, truncate)


def he_uniform(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Uniform, variance gain²/fan_in: He et al. (2015); also called `kaiming_uniform`.

    Parameters
    ----------
    layout : str
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's; or a letter for every
        axis. There is no default.
    activation : str, (str, float) or callable
        Sets the gain: see `fanin.gain`. Default "relu", gain √2.
    gain : float, optional
        Instead of the activation's.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        "fan_in" keeps the size of signals, "fan_out", with the activation's backward gain, that of gradients.
    groups, transposed, blocks, convention
        How the fans follow from the shape: see `fanin.Fans.of`.

    Examples
    --------
    >>> he_uniform(layout="OI").std((10, 200))
    0.1
    """
    return _scaling(_gain(activation, gain, mode), mode, "uniform", layout, fans)


def he_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Normal, variance gain²/fan_in: He et al. (2015); also called `kaiming_normal`.

    Parameters
    ----------
    layout, activation, gain, mode, groups, transposed, blocks, convention
        As for `he_uniform`.
    truncate : float, optional
        Cut there, in std, and widened to keep the variance; Keras's and JAX's is 2.0. Default: not cut, as in torch.
    """
    return _scaling(_gain(activation, gain, mode), mode, "normal", layout, fans, truncate)


def lecun_uniform(*, layout: Layout | None = None, **fans: Unpack[FanOptions]) -> VarianceScaling:
    """Uniform, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017)."""
    return _scaling(1.0, "fan_in", "uniform", layout, fans)


def lecun_normal(
    *, layout: Layout | None = None, truncate: float | None = None, **fans: Unpack[FanOptions]
) -> VarianceScaling:
    """Normal, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    `truncate` as for `he_normal`.
    """
    return _scaling(1.0, "fan_in", "normal", layout, fans, truncate)


glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
