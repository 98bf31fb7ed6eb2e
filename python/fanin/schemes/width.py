"""Schemes that know how wide the network is: maximal update parametrization, µP, Yang et al. (2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import _core
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Mode, Shape
from ..fans import Fans
from .base import Native, Scheme
from .pieces import Pieces
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


@dataclass(frozen=True, slots=True)
class Mup(Scheme):
    """A scheme tuned at one width, for any other: see `mup`."""

    of: Scheme
    base: tuple[int, ...]
    readout: bool = False
    layout: Layout | None = None

    def mean(self, shape: Shape) -> float:
        return self._at(shape).mean(shape)

    def std(self, shape: Shape) -> float:
        return self._at(shape).std(shape)

    def _at(self, shape: Shape) -> Scheme:
        with _core.Ieee754():
            return self.of._scaled(self._factor(as_shape(shape)))

    def _factor(self, sizes: tuple[int, ...]) -> float:
        """Of the std that the scheme has at this shape, where its fans may have grown already."""
        if len(sizes) != len(self.base):
            raise ValueError(f"shape must have as many dimensions as base {self.base}, got {sizes}")
        grown = [size / base for size, base in zip(sizes, self.base, strict=True) if size != base]
        if len(grown) > 2:
            raise ValueError(f"shape must differ in at most 2 dimensions from base {self.base}, got {sizes}")
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
        if layout is None and sizes[0] * self.base[-1] == sizes[-1] * self.base[0]:
            layout = "OI"  # both ends grew alike
        return _Growth(Fans.of(sizes, layout), Fans.of(self.base, layout))

    def _scaled(self, factor: float) -> Mup:
        return self._with(of=self.of._scaled(factor))

    def _pieces(self, shape: Shape, name: str) -> Pieces | None:
        return self._at(shape)._pieces(shape, name)

    def _is_whole(self) -> bool:
        return self.of._is_whole()

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        return self._at(shape)._native(shape, seed, name)


def mup(scheme: Scheme, base: Shape, *, readout: bool = False, layout: Layout | None = None) -> Mup:
    """A scheme under µP: what it is at the base shape, and at other widths so that features learn as fast.

    Where two dimensions have grown, a hidden weight, the std falls with the root of the input's width; where one has,
    an input or output weight or a bias, it stays what it is at the base shape: Yang et al. (2021), as in `mup.init`.

    Parameters
    ----------
    scheme : Scheme
        With a fixed std, or variance scaling.
    base : sequence of int
        The parameter's shape in the model whose hyperparameters are kept. A dimension that equals it has not grown.
    readout : bool
        The output layer, whose forward pass divides by the width: its weight and bias are multiplied by its root.
    layout : str
        Of a scheme that has none of its own, where input and output have grown by different factors.

    Examples
    --------
    >>> from fanin import schemes
    >>> mup(schemes.normal(std=0.02), (256, 256)).std((1024, 1024))
    0.01
    """
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a scheme, got {scheme!r}")
    return Mup(scheme, as_shape(base), readout, layout)
