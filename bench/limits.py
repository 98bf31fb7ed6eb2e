"""Measure the machine's limits by the native library in bench/native."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from .timing import Call

BUILD = "cmake -S . -B build -DFANIN_BUILD_BENCH=ON && cmake --build build"
_LIBRARY = Path(__file__).parent.parent / "build" / "bench" / "libfanin_limits.so"

STORE = "limit: non-temporal store"
PHILOX = "limit: Philox multiplies"
FMA = "limit: FMA"


@cache
def _library() -> ctypes.CDLL | None:
    if not _LIBRARY.exists():
        return None
    library = ctypes.CDLL(str(_LIBRARY))
    library.fanin_limit_fma.restype = ctypes.c_float
    library.fanin_limit_philox_multiply.restype = ctypes.c_uint64
    return library


def available() -> bool:
    """Tell whether the native library is built."""
    return _library() is not None


def limit(name: str) -> Callable[[NDArray[Any]], Call] | None:
    """Return a function that makes calls for one limit: stores into a buffer, or an operation for each element."""
    library = _library()
    if library is None:
        return None
    count = {STORE: None, PHILOX: library.fanin_limit_philox_multiply, FMA: library.fanin_limit_fma}[name]

    def make(buffer: NDArray[Any]) -> Call:
        if count is not None:
            return partial(count, ctypes.c_size_t(buffer.size))
        start = buffer.ctypes.data + -buffer.ctypes.data % 64  # without what precedes the first whole cache line
        return partial(library.fanin_limit_store, ctypes.c_void_p(start), ctypes.c_size_t(buffer.size - 32))

    return make
