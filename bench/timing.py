"""Time callables fairly: pinned, warmed up, in turn, and reported by their minimum."""

from __future__ import annotations

import gc
import math
import os
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

Call = Callable[[], object]
Clock = Callable[[Call, int], float]  # makes a number of calls and returns the seconds that one takes

_SHORTEST_SAMPLE = 2e-3  # seconds of a sample, at least: clock and loop then take less than a thousandth of it
# Seconds of untimed calls before each sample, so that it finds the caches as such calls leave them: after stores that
# bypass the cache, the next few passes of ordinary ones over the same buffer are up to three times slower.
_SETTLE = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold the seconds that a call took, over the rounds."""

    minimum: float
    median: float
    rounds: int


def pin(cpus: Collection[int]) -> None:
    """Restrict every thread of this process to `cpus`, also those that a library started earlier."""
    if not hasattr(os, "sched_setaffinity"):
        return
    for thread in os.listdir("/proc/self/task"):
        with suppress(ProcessLookupError):  # the thread has ended meanwhile
            os.sched_setaffinity(int(thread), cpus)


def usable_cpus() -> list[int]:
    """Return the CPUs that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def _sample(call: Call, repeats: int) -> float:
    settled = time.perf_counter() + _SETTLE
    call()
    while time.perf_counter() < settled:
        call()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def interleaved(calls: Mapping[str, Call], rounds: int, clocks: Mapping[str, Clock] = {}) -> dict[str, Sample]:
    """Time each call once in every round, in turn, so that drifts of the machine affect all of them alike.

    The host's clock is used, except for calls that have a clock of their own.
    """
    # The call before the first sample may compile, allocate or start threads.
    repeats = {}
    for label, call in calls.items():
        repeats[label] = max(1, math.ceil(_SHORTEST_SAMPLE / clocks.get(label, _sample)(call, 1)))
    times: dict[str, list[float]] = {label: [] for label in calls}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for label, call in calls.items():
                times[label].append(clocks.get(label, _sample)(call, repeats[label]))
    finally:
        gc.enable()
    return {label: Sample(min(t), statistics.median(t), rounds) for label, t in times.items()}
