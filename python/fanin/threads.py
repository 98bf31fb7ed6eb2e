"""Set how many threads compute. No value depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from . import _core
from .arguments import integer, optional


def set_num_threads(n: int | None) -> None:
    """Set the largest number of threads that a call uses, for the whole process.

    Parameters
    ----------
    n : int or None
        The number, at least 1. None restores the default: the environment variable FANIN_NUM_THREADS, else
        OMP_NUM_THREADS, else the number of CPUs that this process may use. Small arrays take one thread.

    Raises
    ------
    ValueError
        If n is below 1.

    Examples
    --------
    >>> set_num_threads(2)
    >>> get_num_threads()
    2
    >>> set_num_threads(None)
    """
    _core.set_num_threads(optional(_threads, "n", n))


def get_num_threads() -> int:
    """Return the largest number of threads that a call uses here.

    Returns
    -------
    int
        What `num_threads` says inside its `with` block, else what `set_num_threads` says.

    Examples
    --------
    >>> with num_threads(1):
    ...     get_num_threads()
    1
    """
    return _core.get_num_threads()


def num_threads(n: int) -> AbstractContextManager[None]:
    """Set the largest number of threads that a call uses inside a `with` block, for this Python thread alone.

    Parameters
    ----------
    n : int
        The number, at least 1.

    Raises
    ------
    ValueError
        If n is below 1.

    Examples
    --------
    >>> with num_threads(1):
    ...     get_num_threads()
    1
    """
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
