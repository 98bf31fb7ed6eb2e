"""Compute recorded values by torch, on the CPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from .values import Constant, Draw, Empty, Geometry, Known, Operation, Read, Replaced, Value, in_order

CPU = torch.device("cpu")


def evaluate(root: Value, draw: Callable[[Draw], Any] | None = None) -> Any:
    """Return the tensor that a value stands for.

    Parameters
    ----------
    root : Value
        The value. What was never written of it is NaN, or 0 where the dtype has no NaN.
    draw : callable, optional
        A function that returns the tensor of a draw. Default: the value is not random, and none is needed.
    """
    found: dict[Value, Any] = {}
    with torch._C.DisableTorchFunction(), _disable_current_modes(), torch.no_grad():
        for value in in_order(root):
            found[value] = _computed(value, found, draw)
    return found[root]


def _computed(value: Value, found: dict[Value, Any], draw: Callable[[Draw], Any] | None) -> Any:
    match value:
        case Constant():
            return torch.full(value.shape, value.value, dtype=value.dtype, device=CPU)
        case Known():
            return value.tensor
        case Empty() | Replaced():
            filler = math.nan if value.dtype.is_floating_point or value.dtype.is_complex else 0
            return torch.full(value.shape, filler, dtype=value.dtype, device=CPU)
        case Draw():
            assert draw is not None, f"{value.law} is random"
            return draw(value)
        case Read():
            storage = torch.zeros(value.nbytes, dtype=torch.uint8, device=CPU)
            for layer in value.layers:
                _view(storage, layer.geometry).copy_(found[layer.value])
            return _view(storage, value.geometry)
        case Operation():
            return _operation(value, found)
    raise NotImplementedError(f"fanin cannot draw {value.law}")  # type: ignore[attr-defined]


def _operation(value: Operation, found: dict[Value, Any]) -> Any:
    def take(each: Any) -> Any:
        return found[each] if isinstance(each, Value) else CPU if isinstance(each, torch.device) else each

    args, kwargs = tree_map(take, value.args), tree_map(take, value.kwargs)
    kind, key = value.pick
    if kind == "all":
        return value.func(*args, **kwargs)
    if kind == "out":
        return tree_leaves(value.func(*args, **kwargs))[key]
    written = args if kind == "arg" else kwargs  # in place, so of a copy
    written[key] = written[key].clone()
    value.func(*args, **kwargs)
    return written[key]


def _view(storage: Any, geometry: Geometry) -> Any:
    return storage.view(geometry.dtype).as_strided(geometry.shape, geometry.strides, geometry.offset)
