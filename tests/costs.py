"""What work costs, in what no other process and no slow machine changes: calls, and ratios of processor time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType

Work = Callable[[], object]


def calls(work: Work) -> int:
    """How many functions work calls in this thread, Python's and C's."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def seconds(work: Work) -> float:
    """Processor time of the whole process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def growth(small: Work, large: Work) -> float:
    """How many times as long the large work takes as the small one: each at its quickest of three, in turn."""
    pairs = [(seconds(small), seconds(large)) for _ in range(3)]
    return min(pair[1] for pair in pairs) / min(pair[0] for pair in pairs)
