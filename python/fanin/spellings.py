"""The schemes as plain functions: each builds its object of `fanin.schemes` and calls it.

`layout` and what follows it are the scheme's; shape, seed, name and the placement (dtype, index, out, device, stream)
are those of `fanin.normal`.
"""

from __future__ import annotations

from typing import SupportsIndex, Unpack

from . import schemes
from ._orthogonal import Blocks
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


def orthogonal(
    shape: Shape | None = None,
    gain: float = 1.0,
    blocks: Blocks = 1,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.orthogonal`: Haar-random, orthonormal rows or columns.

    Examples
    --------
    >>> w = orthogonal((3, 5), seed=0, name="rnn.weight_hh", layout="OI", dtype="float64")
    >>> bool(abs(w @ w.T - [[1, 0, 0], [0, 1, 0], [0, 0, 1]]).max() < 1e-14)
    True
    """
    return schemes.orthogonal(gain, blocks, layout=layout)(shape, seed=seed, name=name, **placement)


def haar(
    n: SupportsIndex | None = None,
    count: SupportsIndex | None = None,
    *,
    gain: float = 1.0,
    seed: Seed,
    name: str,
    **placement: Unpack[Placement],
) -> Array:
    """Draw Haar-random orthogonal matrices.

    Parameters
    ----------
    n : int, optional
        Of an n × n matrix. Default: that of `out`.
    count : int, optional
        Of matrices: the result has the shape (count, n, n). Default: one, of shape (n, n).
    gain : float
        Multiplies the matrices.
    seed, name, dtype, index, out, device, stream
        As for `fanin.normal`, which also lists the errors.

    Examples
    --------
    >>> haar(4, 10, seed=0, name="w").shape
    (10, 4, 4)
    """
    shape = None if n is None else (n, n) if count is None else (count, n, n)
    return schemes.haar(gain)(shape, seed=seed, name=name, **placement)


def delta_orthogonal(
    shape: Shape | None = None,
    gain: float = 1.0,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Draw `fanin.schemes.delta_orthogonal`: Xiao et al. (2018)."""
    return schemes.delta_orthogonal(gain, layout=layout)(shape, seed=seed, name=name, **placement)


glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal
