"""Fill a module by a plan, in place, and compare one with a plan."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..arguments import flag, integer, optional
from ..plans import Plan
from ..plans.filling import require_target
from ..plans.rows import Row
from ..recipes.recipe import listed
from ..text import printable
from .modules import PARAMETER, Entry, entries, require_module
from .replay import as_array

_LAZY = torch.nn.parameter.UninitializedTensorMixin


def fill_(module: Any, plan: Plan, *, partial: bool = False) -> Plan:
    """Draw the parameters of a module in place, by a plan; its buffers get the values that the plan carries.

    Parameters keep their memory, dtype, device and `requires_grad`. Names that the plan ties are tied, as they may not
    be any more after `to_empty`. Autograd is told that the values changed. What the plan skipped is left alone.

    Parameters
    ----------
    module : torch.nn.Module
        The module. Its parameters must have memory, as `module.to_empty(device=…)` gives it. On a GPU they are drawn in
        torch's current stream, if fanin was built with CUDA.
    plan : Plan
        The plan, of this module or one that has parameters of the same names.
    partial : bool
        Whether the module may lack parameters of the plan, as a stage of a pipeline does. Default False.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    ValueError
        If a parameter has no memory, another shape, or no row in the plan; nothing is drawn then.
    TypeError
        If `module` is not a torch.nn.Module, or `plan` no plan.

    Examples
    --------
    >>> import fanin, torch
    >>> plan = fanin.torch.plan(lambda: torch.nn.Linear(64, 10), seed=0)
    >>> model = fanin.torch.fill_(torch.nn.Linear(64, 10), plan)
    """
    require_module("module", module)
    if not isinstance(plan, Plan):
        raise TypeError(f"plan must be a Plan, as fanin.torch.plan makes it, got {type(plan).__name__}")
    partial = flag("partial", partial)
    found = entries(module)
    tensors = _planned(found, plan)
    for name, tensor in tensors.items():
        require_memory(name, tensor)
    wanted = [row for row in plan.rows if not partial or any(name in tensors for name in (row.name, *row.aliases))]
    plan.fill_rows(wanted, tensors)
    _tie(found, plan)
    _restore(found, plan)
    _mark(module, tensors)
    return plan


def require_memory(name: str, tensor: Any) -> None:
    """Raise ValueError if a tensor has no shape or no memory yet."""
    if isinstance(tensor, _LAZY):
        raise ValueError(f"{name!r} must have a shape: pass a first batch through its lazy module")
    if tensor.is_meta:
        raise ValueError(f"{name!r} must have memory, and is on the meta device: use module.to_empty(device='cpu')")


def _planned(found: list[Entry], plan: Plan) -> dict[str, Any]:
    """Return the tensors that the plan draws, by name; ValueError if it knows nothing of a parameter."""
    skipped = {name for name, _ in plan.skipped}
    tensors, unknown = {}, []
    for entry in found:
        if entry.kind != PARAMETER:
            continue
        names = (entry.name, *entry.aliases)
        known = next((name for name in names if name in plan), None)
        if known is not None:
            tensors[known] = entry.tensor
        elif not any(name in skipped for name in names):
            unknown.append(entry.name)
    if unknown:
        raise ValueError(f"module must have parameters of the plan, got {listed(list(map(repr, unknown)))}")
    return tensors


def _tie(found: list[Entry], plan: Plan) -> None:
    """Put the parameter that was drawn in place of those that are tied to it."""
    by_name = {entry.name: entry for entry in found if entry.kind == PARAMETER}
    for alias, name in plan.ties.items():
        one, other = by_name.get(name), by_name.get(alias)
        if one is None or other is None or one.tensor.shape != other.tensor.shape:
            continue
        for module, key, _ in other.places:
            module._parameters[key] = one.tensor


def _restore(found: list[Entry], plan: Plan) -> None:
    """Give buffers, and tensors that are plain attributes, the values that the plan carries."""
    tensor_of = getattr(plan.buffers, "tensor", None)
    if tensor_of is None:
        return
    with torch.no_grad():
        for entry in found:
            if entry.name in plan.buffers and not entry.tensor.is_meta:
                entry.tensor.detach().copy_(tensor_of(entry.name))


def _mark(module: Any, tensors: dict[str, Any]) -> None:
    """Tell transformers, whose models would draw their weights anew, that these have their values."""
    if any(kind.__name__ == "PreTrainedModel" for kind in type(module).__mro__):
        for tensor in tensors.values():
            tensor._is_hf_initialized = True


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold what `verify` found; it is true if the module has what the plan draws.

    Attributes
    ----------
    tensors : int
        The number of tensors that were compared.
    elements : int
        The number of their elements that were.
    seconds : float
        The wall-clock time.
    problems : tuple of str
        A line for every tensor that differs, with the first element that does.
    """

    tensors: int
    elements: int
    seconds: float
    problems: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there is no problem."""
        return not self.problems

    def __str__(self) -> str:
        """Return the problems, or that there are none, and what was compared."""
        verdict = "\n".join(map(printable, self.problems)) or "every bit is as planned"
        return f"{verdict}\n{self.tensors} tensors, {self.elements:,} elements compared in {self.seconds:.2f} s"


def verify(module: Any, plan: Plan, *, sample: int | None = None) -> Compared:
    """Draw the parameters of a module again, and compare every bit.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is not changed.
    plan : Plan
        The plan.
    sample : int, optional
        The most elements to compare of each parameter, whose first rows are taken. Default: all.

    Returns
    -------
    Compared
        An object that is true if all is as planned; else its `problems` name the first element that differs in each
        tensor.

    Raises
    ------
    ValueError
        If a parameter has no memory, another shape, or no row in the plan, or the module lacks one.

    Examples
    --------
    >>> import fanin, torch
    >>> model = torch.nn.Linear(64, 10)
    >>> plan = fanin.torch.init_(model, "torch-default", seed=0)
    >>> bool(fanin.torch.verify(model, plan))
    True
    >>> _ = model.bias.data.zero_()
    >>> print(fanin.torch.verify(model, plan).problems[0].partition(":")[0])
    bias differs first at [0]
    """
    start = time.perf_counter()
    sample = optional(lambda name, value: integer(name, value, 1), "sample", sample)
    tensors = _planned(entries(require_module("module", module)), plan)
    missing = [row.name for row in plan.rows if not any(name in tensors for name in (row.name, *row.aliases))]
    if missing:
        raise ValueError(
            f"module must have every parameter of the plan, got none named {listed(list(map(repr, missing)))}"
        )
    elements, problems = 0, []
    for name, tensor in tensors.items():
        require_memory(name, tensor)
        row = plan.row(name)
        require_target(row, name, tensor)
        count = 0
        for index in _blocks(row, sample):
            theirs = as_array(tensor[index])
            ours = np.asarray(row.scheme(row.shape, seed=plan.seed, name=row.stream, dtype=theirs.dtype, index=index))
            count += ours.size
            if (where := _first_difference(ours, theirs, index)) is not None:
                problems.append(f"{name} differs first at {where}")
                break
        elements += count
    return Compared(len(tensors), elements, time.perf_counter() - start, tuple(problems))


_BLOCK = 1 << 22  # elements that are drawn at a time


def _blocks(row: Row, sample: int | None) -> Iterator[tuple[slice, ...]]:
    """Yield the indices of blocks of rows, up to so many elements."""
    most = row.size if sample is None else min(sample, row.size)
    if not row.size:
        return
    if not row.shape or row.scheme.is_whole:
        yield (...,)  # type: ignore[misc]
        return
    width = row.size // row.shape[0]
    rows, step = -(-most // width), max(1, _BLOCK // width)
    for start in range(0, rows, step):
        yield (slice(start, min(start + step, rows)),)


def _first_difference(ours: Any, theirs: Any, index: tuple[Any, ...]) -> str | None:
    words = f"u{ours.dtype.itemsize}"
    different = np.ascontiguousarray(ours).reshape(-1).view(words) != theirs.reshape(-1).view(words)
    if not different.any():
        return None
    flat = int(np.flatnonzero(different)[0])
    place = [int(part) for part in np.unravel_index(flat, ours.shape)]
    if place and isinstance(index[0], slice):
        place[0] += index[0].start
    return f"[{', '.join(map(str, place))}]: {theirs.ravel()[flat]!s} in the module, {ours.ravel()[flat]!s} by the plan"
