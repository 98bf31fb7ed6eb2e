"""Turn results into what JSON can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..schemes import Scheme


def as_json(value: Any) -> Any:
    """Return a value as JSON can hold it: numbers that are not finite are None, and functions their names."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Scheme):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if callable(value):
        return getattr(value, "__name__", repr(value))
    return None if isinstance(value, float) and not math.isfinite(value) else value
