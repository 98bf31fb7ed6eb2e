"""Fill arrays that exist with the parameters of a plan, in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import _dtypes, _out
from .row import Row

if TYPE_CHECKING:
    from .planning import Plan


def fill(plan: Plan, arrays: Mapping[str, Any]) -> None:
    """Draw every parameter into the array of its name; see `Plan.fill`."""
    targets = list(_targets(plan, arrays))
    for row, name in targets:
        _require_like(row, name, arrays[name])
    for row, name in targets:
        row.scheme(row.shape, seed=plan.seed, name=row.stream, out=arrays[name])


def _targets(plan: Plan, arrays: Mapping[str, Any]) -> list[tuple[Row, str]]:
    """Where each parameter goes: its own name, and aliases that have memory of their own."""
    targets = []
    missing = []
    known = {name for name, _ in plan.skipped}
    for row in plan.rows:
        names = [name for name in (row.name, *row.aliases) if name in arrays]
        known.update(row.aliases, (row.name,))
        if not names:
            missing.append(row.name)
        first = names[:1]
        apart = [name for name in names[1:] if not _same_memory(arrays[first[0]], arrays[name])]
        targets += [(row, name) for name in first + apart]
    if missing:
        raise ValueError(f"arrays must have every parameter of the plan, got none named {_listed(missing)}")
    unknown = [name for name in arrays if name not in known]
    if unknown:
        raise ValueError(f"arrays must have names of the plan's parameters, got {_listed(unknown)}")
    return targets


def _require_like(row: Row, name: str, array: Any) -> None:
    """Every array is looked at before the first is written to."""
    try:
        _out.require_array(array)
        _dtypes.code(_out.dtype(array), _dtypes.FLOATS)
        values = _out.as_ndarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise type(error)(f"{name!r}: {error}") from error
    if values.shape != row.shape:
        raise ValueError(f"{name!r}: the array must have shape {row.shape}, got {values.shape}")
    if not (values.flags.writeable and values.dtype.isnative):
        raise ValueError(f"{name!r}: the array must be writable and of native byte order")


def _same_memory(first: Any, second: Any) -> bool:
    if first is second:
        return True
    try:
        a, b = _out.as_ndarray(first), _out.as_ndarray(second)
    except (TypeError, ValueError, RuntimeError):
        return False
    return a.__array_interface__["data"][0] == b.__array_interface__["data"][0] and a.strides == b.strides


def _listed(names: list[str]) -> str:
    more = len(names) - 10
    return ", ".join(map(repr, names[:10])) + (f" and {more} more" if more > 0 else "")
