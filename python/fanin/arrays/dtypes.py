"""Every spelling of a dtype, and the native code it stands for."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from .types import DType

Codes = dict[Any, int]

_NAMES = ("float32", "float64", "float16", "bfloat16", "uint32", "uint64")  # in the order of the native codes


def _codes(*names: str) -> Codes:
    """Codes by name, NumPy dtype and scalar type; None stands for the first name."""
    codes: Codes = {None: _NAMES.index(names[0])}
    for name in names:
        codes[name] = _NAMES.index(name)
        if name != "bfloat16":  # NumPy knows it only once ml_dtypes is imported
            dtype = np.dtype(name)
            codes[dtype] = codes[dtype.type] = codes[name]
    return codes


FLOATS = _codes("float32", "float64", "float16", "bfloat16")
WORDS = _codes("uint32", "uint64")
ANY = _codes(*_NAMES)


def code(dtype: DType, supported: Codes) -> int:
    """The native code of `dtype`; TypeError with the supported list if it has none."""
    try:
        return supported[dtype]
    except (KeyError, TypeError):  # a spelling not met before
        spelled = _name(dtype)
    if spelled not in supported:
        allowed = ", ".join(key for key in supported if isinstance(key, str))
        raise TypeError(f"dtype must be one of {allowed}, got {dtype!r}")
    supported[dtype] = supported[spelled]
    return supported[spelled]


def name(dtype: DType) -> str:
    """The name of a dtype that weights can have; float32 for None."""
    return _NAMES[code(dtype, FLOATS)]


def _name(dtype: DType) -> str:
    """`dtype` in NumPy's words; empty where it has no name there. No framework is imported to find out."""
    text = str(dtype)
    if text.startswith("torch."):
        return text.removeprefix("torch.")
    try:
        native = np.dtype(dtype)
    except (TypeError, ValueError):
        return ""
    return native.name if native.isnative else ""


def native(code: int) -> np.dtype[Any]:
    """NumPy's dtype of a native code."""
    spelled = _NAMES[code]
    return np.dtype(importlib.import_module("ml_dtypes").bfloat16 if spelled == "bfloat16" else spelled)
