"""The schemes that use fans as plain functions: each builds its object of `fanin.schemes` and calls it.

`layout` and what follows it are the scheme's; shape, seed, name and the placement (dtype, index, out, device, stream)
are those of `fanin.normal`.
"""

from __future__ import annotations

from typing import Unpack

from . import schemes
from ._types import Activation, Array, Distribution, Layout, Mode, Placement, Seed, Shape


def variance_scaling(
    shape: Shape | None = None,
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    truncate: float = 2.0,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.variance_scaling`: variance scale/fan."""
    scheme = schemes.variance_scaling(scale, mode, distribution, layout=layout, truncate=truncate)
    return scheme(shape, seed=seed, name=name, **placement)


def xavier_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.xavier_uniform`: Glorot and Bengio (2010)."""
    scheme = schemes.xavier_uniform(layout=layout, activation=activation, gain=gain)
    return scheme(shape, seed=seed, name=name, **placement)


def xavier_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.xavier_normal`: Glorot and Bengio (2010)."""
    scheme = schemes.xavier_normal(layout=layout, activation=activation, gain=gain, truncate=truncate)
    return scheme(shape, seed=seed, name=name, **placement)


def he_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.he_uniform`: He et al. (2015)."""
    scheme = schemes.he_uniform(layout=layout, activation=activation, gain=gain, mode=mode)
    return scheme(shape, seed=seed, name=name, **placement)


def he_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.he_normal`: He et al. (2015).

    Examples
    --------
    >>> w = he_normal((64, 32, 3, 3), seed=0, name="conv1.weight", layout="OI", dtype="float64")
    >>> float(round(w.std() * (32 * 9 / 2) ** 0.5, 1))
    1.0
    """
    scheme = schemes.he_normal(layout=layout, activation=activation, gain=gain, mode=mode, truncate=truncate)
    return scheme(shape, seed=seed, name=name, **placement)


def lecun_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.lecun_uniform`: LeCun et al. (1998)."""
    return schemes.lecun_uniform(layout=layout)(shape, seed=seed, name=name, **placement)


def lecun_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    truncate: float | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.lecun_normal`: LeCun et al. (1998)."""
    return schemes.lecun_normal(layout=layout, truncate=truncate)(shape, seed=seed, name=name, **placement)


glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
