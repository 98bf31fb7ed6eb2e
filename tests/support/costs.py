"""Measure what work costs: how many calls it makes, and how its processor time compares with that of other work.

A slow machine does not change such ratios. Other processes change them little, by taking room in caches and on cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType

Work = Callable[[], object]


def calls(work: Work) -> int:
    """Count the functions, Python's and C's, that some work calls in this thread."""
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


def seconds(work: Work, least: float = 0.0) -> float:
    """Return the processor time that some work takes, which is repeated until it has taken `least` seconds."""
    start, times, total = time.process_time(), 0, 0.0
    while times == 0 or total < least:
        work()
        times += 1
        total = time.process_time() - start
    return total / times


def quickest(work: Work) -> float:
    """Return the processor time of short work: the least of three means over 0.1 s, since Windows counts by 16 ms."""
    return min(seconds(work, 0.1) for _ in range(3))


def require_linear(work: Callable[[int], Work], count: int) -> None:
    """Assert that work on 32 times as many parts takes less than 150 times as long.

    It takes up to 45 times as long, since fewer of the parts fit into the caches. If the cost of each part grew with
    their number, it would take 32² = 1024 times as long.
    """
    small, large = work(count), work(32 * count)
    pairs = [(seconds(small, 0.1), seconds(large)) for _ in range(3)]
    assert min(pair[1] for pair in pairs) < 150 * min(pair[0] for pair in pairs)
