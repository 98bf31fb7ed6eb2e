"""Fans: how many inputs feed a unit, and how many units an input feeds."""

from __future__ import annotations

import math
from typing import NamedTuple

from ._index import as_shape
from ._types import Layout, Mode, Shape

MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
_LAYOUTS = '"OI" for (out, in, *spatial), as in PyTorch, or "IO" for (*spatial, in, out), as in Keras and JAX'


class Fans(NamedTuple):
    """The fans of one weight.

    Parameters
    ----------
    fan_in, fan_out : int
        Exact, whatever their size.

    Examples
    --------
    >>> Fans.of((64, 32, 3, 3), "OI")
    Fans(fan_in=288, fan_out=576)
    >>> Fans.of((784, 10), "IO").by("fan_avg")
    397.0
    """

    fan_in: int
    fan_out: int

    @classmethod
    def of(cls, shape: Shape, layout: Layout | None) -> Fans:
        """The fans of a linear or convolutional weight, from its global shape; each spatial position counts."""
        require_layout(layout)
        sizes = as_shape(shape)
        if len(sizes) < 2:
            raise ValueError(
                f"shape must have at least 2 dimensions, in and out, for its fans, got {sizes}; "
                "for biases and scales use zeros, ones, uniform or normal"
            )
        if layout == "OI":
            fan_out, fan_in, *spatial = sizes
        else:
            *spatial, fan_in, fan_out = sizes
        field = math.prod(spatial)
        return cls(fan_in * field, fan_out * field)

    @property
    def avg(self) -> float:
        """Their mean."""
        return (self.fan_in + self.fan_out) / 2

    @property
    def geo_avg(self) -> float:
        """Their geometric mean."""
        return math.sqrt(self.fan_in * self.fan_out)

    def by(self, mode: Mode) -> float:
        """The fan that `mode` names: "fan_in", "fan_out", "fan_avg" or "fan_geo_avg"."""
        match mode:
            case "fan_in":
                return float(self.fan_in)
            case "fan_out":
                return float(self.fan_out)
            case "fan_avg":
                return self.avg
            case "fan_geo_avg":
                return self.geo_avg
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")


def require_layout(layout: Layout | None) -> None:
    """ValueError unless `layout` says which axes are in and out."""
    if layout not in ("OI", "IO"):
        given = "none was given, and a guess would change the std" if layout is None else f"got {layout!r}"
        raise ValueError(f"layout must be {_LAYOUTS}; {given}")
