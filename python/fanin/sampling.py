"""Sample a distribution: each value is a function of the seed, the name and its position alone.

These functions are called for very small arrays too: a new array of a whole tensor, which most ask for, needs no
`Request`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _core
from .arguments import choice, real
from .arrays.dtypes import FLOATS, WORDS, Dtypes, find
from .arrays.request import Request
from .arrays.seed import as_seed
from .arrays.types import Array, Bounds, Device, DType, Index, Out, Seed, Shape
from .docstrings import completed
from .entry import entry

_FLOAT32 = FLOATS[None]


def draw(
    sampler: Callable[..., Any],
    arguments: tuple[Any, ...],
    shape: Shape | None,
    dtype: DType,
    index: Index,
    out: Out,
    device: Device,
    supported: Dtypes = FLOATS,
) -> Array:
    """Bind a request and draw it."""
    return Request(shape, dtype, index, out, device, supported).draw(sampler, arguments)


@completed
@entry
def uniform(
    shape: Shape | None = None,
    low: float = 0.0,
    high: float = 1.0,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Draw uniform values between two bounds.

    Parameters
    ----------
    low, high : float
        The bounds, finite and in order. No value is beyond them, in any dtype; one may equal a bound only by rounding.
        Defaults 0 and 1.

    Examples
    --------
    >>> u = uniform((2, 3), -1.0, 1.0, seed=0, name="w")
    >>> u.shape, u.dtype, bool((abs(u) <= 1).all())
    ((2, 3), dtype('float32'), True)
    """
    if type(low) is not float or type(high) is not float:
        low, high = real("low", low), real("high", high)
    if type(seed) is not int:
        seed = as_seed(seed)
    if index is None and out is None and device is None and shape is not None:
        kind = _FLOAT32 if dtype is None else find(dtype, FLOATS)
        return _core.uniform(low, high, seed, name, kind, shape, None, None)
    return draw(_core.uniform, (low, high, seed, name), shape, dtype, index, out, device)


@completed
@entry
def normal(
    shape: Shape | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Draw normal values.

    Parameters
    ----------
    mean, std : float
        The mean and the standard deviation, which is not negative. Defaults 0 and 1.

    Returns
    -------
    ndarray
        The array. It is `out`, if that is given, and a NumPy scalar, if `index` picks one element.

    Raises
    ------
    ValueError
        If a shape, parameter, name or `out` cannot be used; it names the argument, its value and what is allowed.
    TypeError
        If a dtype, seed, index or kind of `out` is not supported.
    IndexError
        If `index` leaves the shape.
    RuntimeError
        If CUDA is asked for and cannot be used: `fanin.cuda.status` says more.

    Examples
    --------
    >>> w = normal((1000, 1000), std=0.02, seed=0, name="wte.weight")
    >>> part = normal((1000, 1000), std=0.02, seed=0, name="wte.weight", index=(slice(500, None), 7))
    >>> bool((part == w[500:, 7]).all())
    True
    """
    if type(mean) is not float or type(std) is not float:
        mean, std = real("mean", mean), real("std", std)
    if type(seed) is not int:
        seed = as_seed(seed)
    if index is None and out is None and device is None and shape is not None:
        kind = _FLOAT32 if dtype is None else find(dtype, FLOATS)
        return _core.normal(mean, std, seed, name, kind, shape, None, None)
    return draw(_core.normal, (mean, std, seed, name), shape, dtype, index, out, device)


@completed
@entry
def truncated_normal(
    shape: Shape | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
    *,
    bounds: Bounds = "std",
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Draw normal values conditioned to lie between two bounds.

    Parameters
    ----------
    mean, std : float
        The mean and std of the normal before it is cut; the values' own std is smaller. Defaults 0 and 1.
    low, high : float
        The bounds, finite or infinite. No value is beyond them, in any dtype. Defaults -2 and 2.
    bounds : {"std", "absolute"}
        "std": values lie between mean + low·std and mean + high·std; "absolute": between low and high.

    Examples
    --------
    >>> t = truncated_normal((2, 3), std=0.02, seed=0, name="w")
    >>> bool((abs(t) <= 0.04).all())
    True
    """
    choice("bounds", bounds, ("std", "absolute"))
    if not (type(mean) is type(std) is type(low) is type(high) is float):
        mean, std, low, high = real("mean", mean), real("std", std), real("low", low), real("high", high)
    if type(seed) is not int:
        seed = as_seed(seed)
    if index is None and out is None and device is None and shape is not None:
        kind = _FLOAT32 if dtype is None else find(dtype, FLOATS)
        return _core.truncated_normal(mean, std, low, high, bounds == "std", seed, name, kind, shape, None, None)
    return draw(
        _core.truncated_normal, (mean, std, low, high, bounds == "std", seed, name), shape, dtype, index, out, device
    )


@completed
@entry
def bits(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Draw uniformly random words.

    Parameters
    ----------
    dtype : optional
        uint32 or uint64. Default: that of `out`, else uint32.

    Examples
    --------
    >>> bits(4, seed=0, name="w").dtype
    dtype('uint32')
    """
    return draw(_core.bits, (as_seed(seed), name), shape, dtype, index, out, device, WORDS)


@completed
@entry
def constant(
    shape: Shape | None = None,
    value: float = 0.0,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Fill with one value.

    Parameters
    ----------
    value : float
        The value, rounded to the dtype. Default 0.

    Examples
    --------
    >>> constant(3, 0.5)
    array([0.5, 0.5, 0.5], dtype=float32)
    """
    return draw(_core.constant, (real("value", value),), shape, dtype, index, out, device)


@completed
@entry
def zeros(
    shape: Shape | None = None,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Fill with zeros.

    Examples
    --------
    >>> zeros(3)
    array([0., 0., 0.], dtype=float32)
    """
    return constant(shape, 0.0, dtype=dtype, index=index, out=out, device=device)


@completed
@entry
def ones(
    shape: Shape | None = None,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Fill with ones.

    Examples
    --------
    >>> ones(3)
    array([1., 1., 1.], dtype=float32)
    """
    return constant(shape, 1.0, dtype=dtype, index=index, out=out, device=device)
