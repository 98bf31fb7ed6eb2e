"""How many threads compute; no value depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from . import _core
from .arguments import integer, optional


def set_num_threads(n: int | None) -> None:
    """Use at most `n` threads a call, in the whole process; None for the default.

    The default is FANIN_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs this process may use. Small arrays take one.
    """
    _core.set_num_threads(optional(_threads, "n", n))


def get_num_threads() -> int:
    """The most threads a call here uses.

    Examples
    --------
    >>> with num_threads(1):
    ...     get_num_threads()
    1
    """
    return _core.get_num_threads()


def num_threads(n: int) -> AbstractContextManager[None]:
    """Use at most `n` threads a call inside a `with` block, on this Python thread alone."""
    return _limited(_threads("n", n))


def _threads(argument: str, value: Any) -> int:
    return integer(argument, value, 1, 2**31 - 1)


@contextmanager
def _limited(n: int) -> Iterator[None]:
    outer = _core.swap_thread_limit(n)
    try:
        yield
    finally:
        _core.swap_thread_limit(outer)
