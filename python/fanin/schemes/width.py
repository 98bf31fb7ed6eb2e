"""Schemes that know how wide the network is: maximal update parametrization, µP, Yang et al. (2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ..arguments import flag
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Mode, Shape
from ..axes import require_layout
from ..fans import Fans
from .pieces import Native, Pieces
from .registry import register
from .scheme import Scheme, as_scheme, keep
from .variance import VarianceScaling


@dataclass(frozen=True, slots=True)
class _Growth:
    here: Fans
    base: Fans

    @property
    def fan_in(self) -> float:
        return self.here.fan_in / self.base.fan_in

    def by(self, mode: Mode) -> float:
        return self.here.by(mode) / self.base.by(mode)


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Mup(Scheme):
    """Draw by a scheme under µP: what it is at the base shape, and at other widths so that features learn as fast.

    Where two dimensions have grown, a hidden weight, the std falls with the root of the input's width; where one has,
    an input or output weight or a bias, it stays what it is at the base shape: Yang et al. (2021), as in `mup.init`.

    Parameters
    ----------
    of : Scheme
        A scheme with a fixed std, or variance scaling.
    base : sequence of int
        The parameter's shape in the model whose hyperparameters are kept. A dimension that equals it has not grown.
    readout : bool
        Whether it is the output layer, whose forward pass divides by the width: its weight and bias are multiplied by
        its root. Default False.
    layout : str, optional
        The layout for a scheme that has none of its own, where input and output have grown by different factors.

    Examples
    --------
    >>> from fanin import schemes
    >>> mup(schemes.normal(std=0.02), (256, 256)).expected_std((1024, 1024))
    0.01
    """

    of: Scheme
    base: Shape
    readout: bool = field(default=False, kw_only=True)
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        keep(self, "of", as_scheme("of", self.of))
        keep(self, "base", as_shape(self.base, "base"))
        keep(self, "readout", flag("readout", self.readout))
        if self.layout is not None:
            require_layout(self.layout)

    def expected_mean(self, shape: Shape) -> float:
        return self._at(shape).expected_mean(shape)

    def expected_std(self, shape: Shape) -> float:
        return self._at(shape).expected_std(shape)

    def _at(self, shape: Shape) -> Scheme:
        return self.of.scaled(self._factor(as_shape(shape)))

    def _factor(self, sizes: tuple[int, ...]) -> float:
        """Return the factor of the std that the scheme has at this shape, where its fans may have grown already."""
        base = as_shape(self.base)
        if len(sizes) != len(base):
            raise ValueError(f"shape must have as many dimensions as base {base}, got {sizes}")
        grown = [size / old for size, old in zip(sizes, base, strict=True) if size != old]
        if len(grown) > 2:
            raise ValueError(f"shape must differ in at most 2 dimensions from base {base}, got {sizes}")
        factor = math.sqrt(grown[-1]) if self.readout and grown else 1.0
        hidden = len(grown) == 2
        if not isinstance(self.of, VarianceScaling):
            return factor / math.sqrt(self._growth(sizes, self.layout).fan_in) if hidden else factor
        growth = self._growth(sizes, self.of.layout)
        if self.of.mode == "fan_in":
            return factor if hidden else factor * math.sqrt(growth.fan_in)
        factor *= math.sqrt(growth.by(self.of.mode))
        return factor / math.sqrt(growth.fan_in) if hidden else factor

    def _growth(self, sizes: tuple[int, ...], layout: Layout | None) -> _Growth:
        base = as_shape(self.base)
        if layout is None and sizes[0] * base[-1] == sizes[-1] * base[0]:
            layout = "OI"  # both ends grew alike
        return _Growth(Fans.of(sizes, layout), Fans.of(base, layout))

    def scaled(self, factor: float) -> Mup:
        return self.replace(of=self.of.scaled(factor))

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        return self._at(shape).pieces(shape, name)

    @property
    def is_whole(self) -> bool:
        return self.of.is_whole

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return self._at(shape).native(shape, seed, name)


mup = Mup
