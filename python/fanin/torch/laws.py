"""Which law each random operation of torch draws from: one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from .. import schemes
from .values import Constant, Draw, Operation, Unsupported, Value

aten = torch.ops.aten

_UNIT = schemes.uniform(0.0, 1.0)
_STANDARD = schemes.normal(0.0, 1.0)
_PRECISION = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}  # bits of a significand

_MOST_INTEGERS = 2**53  # that fanin chooses from

Arguments = Mapping[str, Any]


def drawn(name: str, bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    """Return what a random operation draws.

    Parameters
    ----------
    name : str
        The name of the operation, as `normal_`.
    bound : mapping
        Its arguments by name, with those that have their default; tensors are values.
    shape, dtype
        Those of the tensor that it draws.
    """
    law = LAWS.get(name.rstrip("_").removesuffix("_like").removesuffix("_functional"))
    return Unsupported(name, shape, dtype) if law is None else law(bound, shape, dtype)


def _normal(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    mean, std = bound.get("mean", 0.0), bound.get("std", 1.0)
    if isinstance(mean, Value) or isinstance(std, Value):
        spread = _operation(aten.mul.Tensor, shape, dtype, Draw("normal", _STANDARD, shape, dtype), std)
        return _operation(aten.add.Tensor, shape, dtype, spread, mean)
    if not dtype.is_complex:
        return Draw("normal", schemes.normal(mean, std), shape, dtype)
    parts = Draw("normal", schemes.normal(0.0, std * math.sqrt(0.5)), (*shape, 2), dtype.to_real())
    centered = _operation(aten.view_as_complex.default, shape, dtype, parts)
    return centered if mean == 0 else _operation(aten.add.Tensor, shape, dtype, centered, mean)


def _uniform(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    scheme = schemes.uniform(bound.get("from", 0.0), bound.get("to", 1.0))
    if not dtype.is_complex:
        return Draw("uniform", scheme, shape, dtype)
    parts = Draw("uniform", scheme, (*shape, 2), dtype.to_real())
    return _operation(aten.view_as_complex.default, shape, dtype, parts)


def _bernoulli(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    p: Any = bound.get("p", bound.get("self"))
    p = p.value if isinstance(p, Constant) else p  # of a tensor that has one number everywhere
    if isinstance(p, Value):
        below = _operation(aten.lt.Tensor, shape, torch.bool, Draw("uniform", _UNIT, shape, torch.float32), p)
        return Operation(aten._to_copy.default, [below], {"dtype": dtype}, shape, dtype)
    return Draw("bernoulli", schemes.bernoulli(p), shape, dtype)


def _exponential(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    return Draw("exponential", schemes.exponential(bound.get("lambd", 1.0)), shape, dtype)


def _log_normal(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    return Draw("log_normal", schemes.log_normal(bound.get("mean", 1.0), bound.get("std", 2.0)), shape, dtype)


def _integers(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    low = bound.get("low", bound.get("from", 0)) or 0
    high = bound.get("high", bound.get("to"))
    if high is None:
        high = 2 ** _PRECISION[dtype] + 1 if dtype.is_floating_point else torch.iinfo(dtype).max
    if high - low > _MOST_INTEGERS:
        return Unsupported(f"random_ from {low} to {high}", shape, dtype)
    return Draw("integers", schemes.integers(low, high), shape, dtype)


def _permutation(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    return Draw("permutation", schemes.permutation(), shape, dtype)


def _cauchy(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    median, sigma = bound.get("median", 0.0), bound.get("sigma", 1.0)
    law = f"cauchy({median}, {sigma})"
    return Draw(law, _UNIT, shape, dtype, formula=lambda u: median + sigma * torch.tan(math.pi * (u - 0.5)))


def _geometric(bound: Arguments, shape: Sequence[int], dtype: Any) -> Value:
    p = bound["p"]
    formula = lambda u: torch.ceil(torch.log1p(-u) / math.log1p(-p)).clamp(min=1)  # noqa: E731
    return Draw(f"geometric({p})", _UNIT, shape, dtype, formula=formula)


def _operation(func: Any, shape: Sequence[int], dtype: Any, *args: Any) -> Operation:
    return Operation(func, args, {}, shape, dtype)


LAWS: dict[str, Callable[[Arguments, Sequence[int], Any], Value]] = {
    "normal": _normal,
    "randn": _normal,
    "uniform": _uniform,
    "rand": _uniform,
    "bernoulli": _bernoulli,
    "exponential": _exponential,
    "log_normal": _log_normal,
    "random": _integers,
    "randint": _integers,
    "randperm": _permutation,
    "cauchy": _cauchy,
    "geometric": _geometric,
}
