"""Fill arrays that exist with the parameters of a plan, in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from .. import _core
from ..arrays import dtypes
from ..arrays.target import copy, is_torch, memory, require_array
from ..arrays.target import dtype as dtype_of
from ..models.arrays import View, overlaps
from ..recipes.recipe import listed
from ..schemes import Scheme
from ..schemes.pieces import samplers
from .contents import Contents
from .rows import Row

# A parameter, the name and the array to fill, the device that the array is on, and an ndarray with the same addresses.
_Target = tuple[Row, str, Any, str, NDArray[Any]]


def fill(plan: Contents, arrays: Mapping[str, Any], rows: Sequence[Row] | None = None) -> None:
    """Draw every parameter, or those of some rows, into the array of its name: this is `Plan.fill`."""
    rows = plan.rows if rows is None else rows
    if not isinstance(arrays, Mapping):
        raise TypeError(
            f"arrays must be a mapping from names to arrays, got {type(arrays).__name__}; "
            "fanin.torch.init_ fills a torch.nn.Module"
        )
    _require_names(plan, arrays, rows)
    targets = [target for row in rows for target in _targets(row, arrays)]
    _require_apart(targets)
    copied = [space != "cpu" and not has_kernel(row.scheme, row.shape, row.name) for row, _, _, space, _ in targets]
    for (row, name, array, _, _), is_copied in zip(targets, copied, strict=True):
        if is_copied and not is_torch(array):
            raise ValueError(
                f"{name!r}: the array must be torch's or on the CPU, as no GPU can draw {row.scheme.describe()} yet"
            )
    for (row, _, array, _, values), is_copied in zip(targets, copied, strict=True):
        if is_copied:
            copy(row.scheme(row.shape, seed=plan.seed, name=row.stream, dtype=values.dtype), array)
        else:
            row.scheme(row.shape, seed=plan.seed, name=row.stream, out=array)


def has_kernel(scheme: Scheme, shape: tuple[int, ...], name: str) -> bool:
    """Tell whether a GPU can draw a parameter."""
    pieces = scheme.pieces(shape, name)
    found = [scheme.native(shape, 0, name)[0]] if pieces is None else samplers(pieces)
    return all(_core.has_gpu_kernel(sampler.__name__) for sampler in found)


def _require_names(plan: Contents, arrays: Mapping[str, Any], rows: Sequence[Row]) -> None:
    known = {name for name, _ in plan.skipped}
    missing = []
    for row in rows:
        names = row.name, *row.aliases
        known.update(names)
        if not any(name in arrays for name in names):
            missing.append(row.name)
    if missing:
        raise ValueError(
            f"arrays must have every parameter of the plan, got none named {listed(list(map(repr, missing)))}"
        )
    unknown = [name for name in arrays if name not in known]
    if unknown:
        raise ValueError(f"arrays must have names of the plan's parameters, got {listed(list(map(repr, unknown)))}")


def _targets(row: Row, arrays: Mapping[str, Any]) -> list[_Target]:
    """Return the arrays that a parameter goes to: that of its name, and those of aliases with memory of their own."""
    names = [name for name in (row.name, *row.aliases) if name in arrays]
    targets = [(row, name, array := arrays[name], *require_target(row, name, array)) for name in names]
    if len(targets) < 2:
        return targets
    return list({_view(target).key: target for target in targets}.values())


def require_target(row: Row, name: str, array: Any) -> tuple[str, NDArray[Any]]:
    """Return the device of an array and an ndarray with its addresses; check first that it can hold the parameter."""
    try:
        require_array(array)
        dtypes.find(dtype_of(array), dtypes.FLOATS)
        space, values = memory(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type(error)(f"{name!r}: {error}") from error
    if values.shape != row.shape:
        raise ValueError(f"{name!r}: the array must have shape {row.shape}, got {values.shape}")
    if not (values.flags.writeable and values.dtype.isnative):
        raise ValueError(f"{name!r}: the array must be writable and of native byte order")
    if not values.flags.c_contiguous and _core.overlaps(values.shape, values.strides, values.itemsize):
        raise ValueError(f"{name!r}: the array must not have elements whose memory overlaps")
    return space, values


def _require_apart(targets: list[_Target]) -> None:
    """Raise ValueError if two parameters would be written to the same memory: one of them would lose its values."""
    bounds = sorted((space, *_bounds(values)) for _, _, _, space, values in targets if values.size)
    if all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(bounds)):  # a quick test, which settles most models
        return
    for first, second in overlaps([_view(target) for target in targets if target[0].size]):
        raise ValueError(f"{second.name!r}: the array must not share memory with that of {first.name!r}")


def _bounds(values: NDArray[Any]) -> tuple[int, int]:
    if not values.flags.c_contiguous:
        return View("", "cpu", values).bounds
    begin: int = values.__array_interface__["data"][0]
    return begin, begin + values.nbytes


def _view(target: _Target) -> View:
    _, name, _, space, values = target
    return View(name, space, values)
