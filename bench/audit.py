"""Measure reading a large array once for all its statistics, beside NumPy, which reads it once for each."""

from __future__ import annotations

import numpy as np

import fanin
from fanin import _core

from .figures import OURS, Figure, Figures
from .fills import LARGE, use_threads
from .timing import Call, interleaved, usable_cpus

NUMPY = "numpy mean, std, min, max"

_CPUS = usable_cpus()


def statistics(rounds: int, dtype: str, threads: int) -> Figures:
    """Measure the statistics of 16 Mi normal values, in milliseconds."""
    if threads > len(_CPUS):
        return {OURS: None}
    use_threads(threads)
    x = fanin.normal((LARGE,), seed=0, name="weight", dtype=dtype)

    def separately() -> None:
        np.mean(x), np.std(x), np.min(x), np.max(x)

    calls: dict[str, Call] = {OURS: lambda: _core.statistics(x), NUMPY: separately}
    samples = interleaved(calls, rounds)
    return {label: Figure(s.minimum * 1e3, s.median * 1e3) for label, s in samples.items()}
