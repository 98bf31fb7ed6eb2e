"""Variance scaling: the std of a weight follows from its fans, so that signals or gradients keep their size."""

from __future__ import annotations

import functools
import math
from dataclasses import InitVar, dataclass, field
from typing import Any, Unpack

from .. import _core, arguments
from ..arrays.shape import as_shape
from ..arrays.types import Activation, Convention, Distribution, Layout, Mode, Shape
from ..axes import require_layout
from ..fans import (
    CONVENTIONS,
    FOREIGN_MODES,
    MODES,
    Blocks,
    FanOptions,
    Fans,
    as_blocks,
    block_sizes,
    output_axis,
)
from ..signals.gains import gain as gain_of
from .cuts import Block
from .distributions import SQRT3, Normal, TruncatedNormal, Uniform
from .pieces import Native, Piece, Pieces
from .registry import register
from .scheme import Scheme, keep

DISTRIBUTIONS = ("normal", "truncated_normal", "uniform")
_DISTRIBUTIONS = {"untruncated_normal": "normal", "truncated": "truncated_normal"}


@register()
@dataclass(frozen=True, slots=True, repr=False)
class VarianceScaling(Scheme):
    """Draw values of mean 0 and variance scale/fan, as in Keras and JAX: std gain/√fan with gain = √scale.

    Parameters
    ----------
    scale : float, optional
        What the variance is multiplied by. Default 1.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        The fan that divides it, or mean of the fans, of the global shape. Default "fan_in".
    distribution : {"normal", "truncated_normal", "uniform"}
        The law of the values. All have the same std: the truncated normal, the default, is widened for what is cut off.
    gain : float, optional
        √scale, instead of it.
    truncate : float
        Where "truncated_normal" is cut, in units of the normal's own std. Default 2.

    Examples
    --------
    >>> variance_scaling(2.0, "fan_avg", "uniform", layout="IO").expected_std((100, 300))
    0.1
    """

    scale: InitVar[float | None] = None
    gain: float | None = field(default=None, kw_only=True)
    mode: Mode = "fan_in"
    distribution: Distribution = "truncated_normal"
    layout: Layout | None = field(default=None, kw_only=True)
    truncate: float = field(default=2.0, kw_only=True, metadata={"quiet": True})
    groups: int = field(default=1, kw_only=True, metadata={"quiet": True})
    transposed: bool = field(default=False, kw_only=True, metadata={"quiet": True})
    blocks: Blocks = field(default=1, kw_only=True, metadata={"quiet": True})
    convention: Convention | None = field(default=None, kw_only=True, metadata={"quiet": True})

    def __post_init__(self, scale: float | None) -> None:
        if scale is not None and self.gain is not None:
            raise TypeError(f"scale and gain must not both be given, as gain is √scale; got {scale} and {self.gain}")
        if self.layout is not None or self.convention is None:
            require_layout(self.layout)
        if self.convention is not None:
            arguments.choice("convention", self.convention, CONVENTIONS)
        arguments.choice("mode", self.mode, MODES, FOREIGN_MODES)
        arguments.choice("distribution", self.distribution, DISTRIBUTIONS, _DISTRIBUTIONS)
        if self.gain is not None:
            gain = arguments.scale("gain", self.gain)
        else:
            gain = math.sqrt(arguments.scale("scale", 1.0 if scale is None else scale))
        cut = arguments.positive("truncate", self.truncate)
        keep(self, "gain", gain)
        keep(self, "truncate", cut if self.distribution == "truncated_normal" else 2.0)
        keep(self, "groups", arguments.integer("groups", self.groups, 1))
        keep(self, "transposed", arguments.flag("transposed", self.transposed))
        keep(self, "blocks", as_blocks(self.blocks))

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        sizes = as_shape(shape)
        stds = self._stds(sizes)
        if len(set(stds)) == 1:
            return stds[0]
        outs = self._sizes(sizes)
        squares = math.fsum(size * std * std for size, std in zip(outs, stds, strict=True))
        return math.sqrt(squares / max(1, sum(outs)))

    def scaled(self, factor: float) -> VarianceScaling:
        return self.replace(gain=arguments.scale("factor of variance_scaling", factor) * self._gain)

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        if isinstance(self.blocks, int):
            return None
        axis = output_axis(shape, self.layout, self.transposed)
        found, start = [], 0
        for size, std in zip(self._sizes(shape), self._stds(shape), strict=True):
            found.append(Piece(self._of_std(std), name, shape, Block(axis, start, start + size, start)))
            start += size
        return found

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        std = self._stds(shape)[0]
        if self.distribution == "normal":
            return _core.normal, (0.0, std, seed, name)
        if self.distribution == "uniform":
            return _core.uniform, (-SQRT3 * std, SQRT3 * std, seed, name)
        wide = std / _core.truncated_std(self.truncate)
        return _core.truncated_normal, (0.0, wide, -self.truncate, self.truncate, True, seed, name)

    @property
    def _gain(self) -> float:
        assert self.gain is not None  # the constructor has set it
        return self.gain

    def _stds(self, shape: tuple[int, ...]) -> tuple[float, ...]:
        """Return the std of every block; 0 where there is no fan, and so no value."""
        blocks: Any = self.blocks  # a number, or a tuple of sizes
        fans = (shape, self.layout, self.groups, self.transposed, blocks, self.convention)
        return _stds(self._gain, self.mode, *fans)

    def _sizes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return block_sizes(self.blocks, shape[output_axis(shape, self.layout, self.transposed)], shape)

    def _of_std(self, std: float) -> Scheme:
        if self.distribution == "normal":
            return Normal(0.0, std)
        if self.distribution == "uniform":
            return Uniform(-SQRT3 * std, SQRT3 * std)
        return TruncatedNormal(0.0, std / _core.truncated_std(self.truncate), -self.truncate, self.truncate)


@functools.lru_cache(maxsize=4096)  # a model has few shapes
def _stds(gain: float, mode: Mode, *fans: Any) -> tuple[float, ...]:
    """Return the std of every block; what follows `mode` are the arguments of `Fans.of_blocks`."""
    roots = [math.sqrt(each.by(mode)) for each in Fans.of_blocks(*fans)]
    return tuple(gain / root if root else 0.0 for root in roots)


def scaling(
    gain: float,
    mode: Mode,
    distribution: Distribution,
    layout: Layout | None,
    truncate: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Return variance scaling of a gain; a normal is cut where `truncate` says."""
    if truncate is not None:
        return VarianceScaling(None, mode, "truncated_normal", gain=gain, layout=layout, truncate=truncate, **fans)
    return VarianceScaling(None, mode, distribution, gain=gain, layout=layout, **fans)


def gain_for(activation: Activation, gain: float | None, mode: Mode) -> float:
    """Return a gain that is given, or else the activation's: backward where gradients keep their size."""
    arguments.choice("mode", mode, MODES, FOREIGN_MODES)
    return gain_of(activation, derivative=mode == "fan_out") if gain is None else arguments.scale("gain", gain)


@register(aliases=("glorot_uniform",))
def xavier_uniform(
    *,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Draw uniform values of variance 2·gain²/(fan_in + fan_out): Glorot and Bengio (2010), `glorot_uniform`.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default "linear", gain 1.
    gain : float, optional
        A gain instead of the activation's.

    Examples
    --------
    >>> xavier_uniform(layout="OI").expected_std((300, 100))
    0.07071067811865475
    """
    return scaling(gain_for(activation, gain, "fan_avg"), "fan_avg", "uniform", layout, **fans)


@register(aliases=("glorot_normal",))
def xavier_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Draw normal values of variance 2·gain²/(fan_in + fan_out): Glorot and Bengio (2010), `glorot_normal`.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default "linear", gain 1.
    gain : float, optional
        A gain instead of the activation's.

    Examples
    --------
    >>> xavier_normal(layout="IO").expected_std((100, 300))
    0.07071067811865475
    """
    return scaling(gain_for(activation, gain, "fan_avg"), "fan_avg", "normal", layout, truncate, **fans)


@register(aliases=("kaiming_uniform",))
def he_uniform(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Draw uniform values of variance gain²/fan_in: He et al. (2015); also called `kaiming_uniform`.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default "relu", gain √2.
    gain : float, optional
        A gain instead of the activation's.

    Examples
    --------
    >>> he_uniform(layout="OI").expected_std((10, 200))
    0.1
    """
    return scaling(gain_for(activation, gain, mode), mode, "uniform", layout, **fans)


@register(aliases=("kaiming_normal",))
def he_normal(
    *,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
    **fans: Unpack[FanOptions],
) -> VarianceScaling:
    """Draw normal values of variance gain²/fan_in: He et al. (2015); also called `kaiming_normal`.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation that follows the weight. It sets the gain: see `fanin.gain`. Default "relu", gain √2.
    gain : float, optional
        A gain instead of the activation's.

    Examples
    --------
    >>> he_normal(layout="OI").expected_std((10, 200))
    0.1
    """
    return scaling(gain_for(activation, gain, mode), mode, "normal", layout, truncate, **fans)


@register()
def lecun_uniform(*, layout: Layout | None = None, **fans: Unpack[FanOptions]) -> VarianceScaling:
    """Draw uniform values of variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    Examples
    --------
    >>> lecun_uniform(layout="OI").expected_std((10, 100))
    0.1
    """
    return scaling(1.0, "fan_in", "uniform", layout, **fans)


@register()
def lecun_normal(
    *, layout: Layout | None = None, truncate: float | None = None, **fans: Unpack[FanOptions]
) -> VarianceScaling:
    """Draw normal values of variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    Examples
    --------
    >>> lecun_normal(layout="OI").expected_std((10, 100))
    0.1
    """
    return scaling(1.0, "fan_in", "normal", layout, truncate, **fans)


variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
