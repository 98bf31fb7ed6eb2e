"""Measure how soon an interrupt ends a call: its processor time after the interrupt, over that of a shorter call."""

from __future__ import annotations

import signal
import threading
import time

from costs import Work, quickest
from processes import run

PROGRAM = """
import numpy as np, fanin
from fanin import _core
from interrupts import measured
print(measured(lambda: {call}, lambda: {unit}))
"""


def overrun(call: str, unit: str, threads: int = 1, **environment: str) -> float:
    """Return how long a call goes on after Ctrl-C, in units of the time of a shorter call.

    Both are expressions, and run in a process of their own. Another Python thread raises the interrupt once the call
    has run for as long as the shorter one takes, so the call must let other threads run.
    """
    options = {"FANIN_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"}  # threads that wait take no time
    return float(run(PROGRAM.format(call=call, unit=unit), **options | environment))


def measured(call: Work, unit: Work) -> float:
    """Return what `overrun` does, measured in this process."""
    unit()  # loads everything and starts the threads
    once = quickest(unit)
    start = time.process_time()

    def interrupt() -> None:
        while time.process_time() < start + once:  # this thread sleeps, so only the call takes time
            time.sleep(0.001)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        call()
    except KeyboardInterrupt:
        return (time.process_time() - start) / once - 1
    raise AssertionError("the call ended before it was interrupted")
