"""Networks of sines, which have an initialization of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .. import _core
from ..arguments import flag, positive, scale
from ..arrays.types import Layout, Shape
from ..axes import require_layout
from ..fans import Fans
from .distributions import SQRT3
from .pieces import Native
from .registry import register
from .scheme import Scheme, keep
from .variance import VarianceScaling, scaling


@register()
@dataclass(frozen=True, slots=True, repr=False)
class SirenFirst(Scheme):
    """Draw the weights of the layer on the coordinates of a network of sines, uniform within ±gain/fan_in: see `siren`.

    Examples
    --------
    >>> siren_first(layout="OI").expected_std((256, 2)) * 3**0.5
    0.5
    """

    gain: float = 1.0
    layout: Layout | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_layout(self.layout)
        keep(self, "gain", scale("gain", self.gain))

    def expected_mean(self, shape: Shape) -> float:
        return 0.0

    def expected_std(self, shape: Shape) -> float:
        return self._bound(shape) / SQRT3

    def scaled(self, factor: float) -> SirenFirst:
        return self.replace(gain=scale("factor of siren", factor) * self.gain)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        bound = self._bound(shape)
        return _core.uniform, (-bound, bound, seed, name)

    def _bound(self, shape: Shape) -> float:
        fan = Fans.of(shape, self.layout).fan_in
        return self.gain / fan if fan else 0.0


@register()
def siren(first: bool = False, omega: float = 30.0, *, layout: Layout | None = None) -> SirenFirst | VarianceScaling:
    """Draw the weights of layers whose activation is sin(ω·x): Sitzmann et al. (2020).

    Parameters
    ----------
    first : bool
        Whether the layer is the one on the coordinates, whose weights are uniform within ±1/fan_in. Those of the others
        are uniform within ±√(6/fan_in)/ω. Default False.
    omega : float
        The ω of the activation. Default 30.

    Examples
    --------
    >>> siren(True, layout="OI").expected_std((256, 2)) * 3**0.5
    0.5
    """
    omega = positive("omega", omega)
    if flag("first", first):
        return SirenFirst(layout=layout)
    return scaling(math.sqrt(2.0) / omega, "fan_in", "uniform", layout)


siren_first = SirenFirst
