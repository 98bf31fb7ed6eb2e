"""What this build can do on a GPU."""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """Whether CUDA can be used, and if not, why."""

    available: bool
    reason: str


def status() -> Status:
    """Whether this build and this machine can compute with CUDA; never raises.

    Examples
    --------
    >>> status().available
    False
    """
    return Status(False, "fanin was built without CUDA; it computes on the CPU")
