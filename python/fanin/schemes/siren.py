"""Networks of sines, which have an initialization of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .. import _core
from ..arrays.types import Layout, Shape
from ..axes import require_layout
from ..fans import Fans
from .base import Native, Scheme, require_scale
from .distributions import SQRT3, Uniform
from .variance import VarianceScaling


@dataclass(frozen=True, slots=True)
class SirenFirst(Scheme):
    """Uniform within ±gain/fan_in: see `siren`."""

    gain: float = 1.0
    layout: Layout | None = None

    def __post_init__(self) -> None:
        require_layout(self.layout)
        require_scale("gain", self.gain)

    def mean(self, shape: Shape) -> float:
        return 0.0

    def std(self, shape: Shape) -> float:
        return self._bound(shape) / SQRT3

    def _bound(self, shape: Shape) -> float:
        fan = Fans.of(shape, self.layout).fan_in
        return self.gain / fan if fan else 0.0

    def _scaled(self, factor: float) -> SirenFirst:
        require_scale("factor of siren", factor)
        return self._with(gain=factor * self.gain)

    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        with _core.Ieee754():
            bound = self._bound(shape)
        return Uniform(-bound, bound)._native(shape, seed, name)


def siren(first: bool = False, omega: float = 30.0, *, layout: Layout | None = None) -> SirenFirst | VarianceScaling:
    """Weights of layers whose activation is sin(ω·x): Sitzmann et al. (2020).

    Parameters
    ----------
    first : bool
        The layer on the coordinates: uniform within ±1/fan_in. The others: uniform within ±√(6/fan_in)/ω.
    omega : float
        The ω of the activation.
    layout : str
        As for `he_uniform`.

    Examples
    --------
    >>> siren(True, layout="OI").std((256, 2)) * 3**0.5
    0.5
    """
    if not 0 < omega < math.inf:
        raise ValueError(f"omega must be positive and finite, got {omega}")
    if first:
        return SirenFirst(1.0, layout)
    with _core.Ieee754():
        return VarianceScaling(math.sqrt(2.0) / omega, "fan_in", "uniform", layout)
