"""Sample a distribution: each value is a function of the seed, the name and its position alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _core
from .arrays.dtypes import FLOATS, WORDS, Dtypes, find
from .arrays.request import Request
from .arrays.seed import as_seed
from .arrays.types import Array, Bounds, Device, DType, Index, Out, Seed, Shape


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
    """Bind a request and draw it; a new array of a whole tensor, which most ask for, needs none."""
    if index is None and out is None and device is None and shape is not None:
        return sampler(*arguments, find(dtype, supported), shape, None, None)
    return Request(shape, dtype, index, out, device, supported).draw(sampler, arguments)


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
    """Uniform values between `low` and `high`.

    Parameters
    ----------
    shape : int or sequence of int, optional
        Of the whole tensor. Default: that of `out`.
    low, high : float
        Bounds, finite. No value is beyond them, in any dtype; one may equal a bound only by rounding.
    seed, name, dtype, index, out, device
        As for `normal`, which also lists the errors.

    Examples
    --------
    >>> u = uniform((2, 3), -1.0, 1.0, seed=0, name="w")
    >>> u.shape, u.dtype, bool((abs(u) <= 1).all())
    ((2, 3), dtype('float32'), True)
    """
    return draw(_core.uniform, (low, high, as_seed(seed), name), shape, dtype, index, out, device)


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
    """Normal values.

    Parameters
    ----------
    shape : int or sequence of int, optional
        Of the whole tensor. Default: that of `out`.
    mean, std : float
        Of the distribution.
    seed : int or numpy.random.SeedSequence
        In [0, 2**64).
    name : str
        The parameter's name: it selects a stream of its own.
    dtype : optional
        float32, float64, float16 or bfloat16, as a name, a NumPy or a torch dtype. Default: that of `out`, else
        float32. bfloat16 and float16 are the float32 values, rounded.
    index : optional
        A part of the tensor, as in NumPy's basic indexing: the result is the full tensor's `[index]`, computed
        without the rest.
    out : optional
        A writable array to fill and return: NumPy's, with any strides, or any that supports DLPack, such as a torch
        tensor or parameter; on a GPU also one with the CUDA array interface, such as CuPy's. A GPU's is filled in its
        owner's current stream, and the call returns before it is (docs/cuda.md). After KeyboardInterrupt its values are
        unspecified.
    device : optional
        Where to compute: "cpu", "cuda" or "cuda:1". Default: where `out` is, else the CPU. The values are the same; an
        array that is returned is NumPy's.

    Returns
    -------
    ndarray
        Or `out`, where given; or a NumPy scalar, where `index` picks one element.

    Raises
    ------
    ValueError
        For a shape, parameter, name or `out` that cannot be; it names the argument, its value and what is allowed.
    TypeError
        For an unsupported dtype, seed, index or kind of `out`.
    IndexError
        Where `index` leaves the shape.
    RuntimeError
        Where CUDA is asked for and cannot be used: `fanin.cuda.status` says more.

    Examples
    --------
    >>> w = normal((1000, 1000), std=0.02, seed=0, name="wte.weight")
    >>> part = normal((1000, 1000), std=0.02, seed=0, name="wte.weight", index=(slice(500, None), 7))
    >>> bool((part == w[500:, 7]).all())
    True
    """
    return draw(_core.normal, (mean, std, as_seed(seed), name), shape, dtype, index, out, device)


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
    """Normal values conditioned to lie between two bounds.

    Parameters
    ----------
    shape : int or sequence of int, optional
        Of the whole tensor. Default: that of `out`.
    mean, std : float
        Of the normal before it is cut; the values' own std is smaller.
    low, high : float
        Bounds, finite or infinite. No value is beyond them, in any dtype.
    bounds : {"std", "absolute"}
        "std": values lie between mean + low·std and mean + high·std; "absolute": between low and high.
    seed, name, dtype, index, out, device
        As for `normal`, which also lists the errors.

    Examples
    --------
    >>> t = truncated_normal((2, 3), std=0.02, seed=0, name="w")
    >>> bool((abs(t) <= 0.04).all())
    True
    """
    if bounds not in ("std", "absolute"):
        raise ValueError(f"bounds must be 'std' or 'absolute', got {bounds!r}")
    arguments = (mean, std, low, high, bounds == "std", as_seed(seed), name)
    return draw(_core.truncated_normal, arguments, shape, dtype, index, out, device)


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
    """Uniformly random words.

    Parameters
    ----------
    shape : int or sequence of int, optional
        Of the whole tensor. Default: that of `out`.
    dtype : optional
        uint32 or uint64. Default: that of `out`, else uint32.
    seed, name, index, out, device
        As for `normal`, which also lists the errors.

    Examples
    --------
    >>> bits(4, seed=0, name="w").dtype
    dtype('uint32')
    """
    return draw(_core.bits, (as_seed(seed), name), shape, dtype, index, out, device, WORDS)


def constant(
    shape: Shape | None = None,
    value: float = 0.0,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """One value everywhere.

    Parameters
    ----------
    shape : int or sequence of int, optional
        Of the whole tensor. Default: that of `out`.
    value : float
        Rounded to the dtype.
    dtype, index, out, device
        As for `normal`, which also lists the errors.

    Examples
    --------
    >>> constant(3, 0.5)
    array([0.5, 0.5, 0.5], dtype=float32)
    """
    return draw(_core.constant, (value,), shape, dtype, index, out, device)


def zeros(
    shape: Shape | None = None,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Zeros; the parameters are those of `constant`.

    Examples
    --------
    >>> zeros(3)
    array([0., 0., 0.], dtype=float32)
    """
    return constant(shape, 0.0, dtype=dtype, index=index, out=out, device=device)


def ones(
    shape: Shape | None = None,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array:
    """Ones; the parameters are those of `constant`.

    Examples
    --------
    >>> ones(3)
    array([1., 1., 1.], dtype=float32)
    """
    return constant(shape, 1.0, dtype=dtype, index=index, out=out, device=device)
