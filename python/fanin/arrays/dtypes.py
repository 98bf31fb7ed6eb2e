"""Turn every spelling of a dtype into the native type that it stands for."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .._core import Dtype
from ..text import short
from .types import DType

Dtypes = dict[Any, Dtype]


def _spellings(*types: Dtype) -> Dtypes:
    """Map the name, NumPy dtype and scalar type of each native type to that type; None stands for the first."""
    found: Dtypes = {None: types[0]}
    for each in types:
        name = each.name
        found[name] = each
        if name != "bfloat16":  # NumPy knows it only once ml_dtypes is imported
            dtype = np.dtype(name)
            found[dtype] = found[dtype.type] = each
    return found


FLOATS = _spellings(Dtype.float32, Dtype.float64, Dtype.float16, Dtype.bfloat16)
WORDS = _spellings(Dtype.uint32, Dtype.uint64)
ANY = _spellings(*Dtype)


def find(dtype: DType, supported: Dtypes, argument: str = "dtype") -> Dtype:
    """Return the native type that `dtype` stands for; raise TypeError, listing what is supported, if there is none."""
    try:
        return supported[dtype]
    except (KeyError, TypeError):  # not in the dict, but perhaps another spelling of what is
        spelled = _name(dtype)
    if spelled not in supported:
        allowed = ", ".join(dict.fromkeys(each.name for each in supported.values()))
        raise TypeError(f"{argument} must be one of {allowed}, got {short(dtype)}")
    supported[dtype] = supported[spelled]
    return supported[spelled]


def name(dtype: DType) -> str:
    """Return the name of a dtype that weights can have; None stands for float32."""
    return find(dtype, FLOATS).name


def _name(dtype: DType) -> str:
    """Return NumPy's name of a dtype, or "" where NumPy has none. Import no framework to find out."""
    if isinstance(dtype, int) or (
        hasattr(dtype, "__array__") and not isinstance(dtype, type)
    ):  # it is a value, such as np.float32(0.5)
        return ""
    text = str(dtype)
    if text.startswith("torch."):
        return text.removeprefix("torch.")
    try:
        native = np.dtype(dtype)
    except (TypeError, ValueError):
        return ""
    return native.name if native.isnative else ""


def native(dtype: Dtype) -> np.dtype[Any]:
    """Return NumPy's dtype of a native type."""
    if dtype is not Dtype.bfloat16:
        return np.dtype(dtype.name)
    found: np.dtype[Any] = np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    return found
