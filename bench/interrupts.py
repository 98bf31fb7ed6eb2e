"""Measure how soon a call ends after Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np

import fanin

from .figures import OURS, Figure, Figures
from .fills import use_threads
from .timing import Call

_UNDER_WAY = 0.3  # seconds that a call has run when it is interrupted


def _answer(call: Call) -> float:
    """Return the milliseconds from the signal, which another thread sends, to KeyboardInterrupt."""
    sent = 0.0

    def interrupt() -> None:
        nonlocal sent
        sent = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(_UNDER_WAY, interrupt)
    timer.start()
    try:
        while True:
            call()
    except KeyboardInterrupt:
        return (time.perf_counter() - sent) * 1e3
    finally:
        timer.join()


def answers(rounds: int) -> Figures:
    """Return the longest time that each call took to end, over the rounds, and the longest of all calls."""
    use_threads(2)
    init = fanin.seeded(0, layout="OI")
    numbers, matrix = np.empty(2**25), np.empty((16384, 16384), np.float32)
    calls: dict[str, Call] = {
        "truncated normals beyond 6 std, float64": lambda: init.truncated_normal("w", low=6, high=np.inf, out=numbers),
        "orthogonal 16384 × 16384": lambda: init.orthogonal("w", out=matrix),
        "sparse lines of 2³¹": lambda: init.sparse("w", (64, 2**31), sparsity=0.5, index=np.s_[:, :8]),
    }
    worst = {label: max(_answer(call) for _ in range(rounds)) for label, call in calls.items()}
    figures = {label: Figure(value, value) for label, value in worst.items()}
    return {OURS: max(figures.values(), key=lambda figure: figure.value), **figures}
