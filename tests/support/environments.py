"""The floating-point environments that a program can call from: rounding modes, and subnormals as zero."""

import contextlib
import ctypes
import ctypes.util
import platform
import sys

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the layout of fenv_t is glibc's")

MODES = {
    "to nearest": (0, 0),
    "upward": (0x800, 0x400000),
    "downward": (0x400, 0x800000),
    "toward zero": (0xC00, 0xC00000),
}
ENVIRONMENTS = [(mode, flush) for mode in MODES for flush in (False, True)]  # the first is what programs start in


@contextlib.contextmanager
def environment(mode, flush):
    """Let this thread round so, and flush subnormals to zero or not, inside a `with` block."""
    libm = ctypes.CDLL(ctypes.util.find_library("m"))
    on_arm = platform.machine() == "aarch64"
    saved, changed = (ctypes.c_uint32 * 16)(), (ctypes.c_uint32 * 16)()
    libm.fegetenv(saved)
    assert libm.fesetround(MODES[mode][on_arm]) == 0
    libm.fegetenv(changed)
    if flush and on_arm:
        changed[0] |= 1 << 24  # fpcr.FZ
    elif flush:
        changed[7] |= 0x8040  # mxcsr: flush to zero, denormals are zero
    libm.fesetenv(changed)
    try:
        yield
        assert libm.fegetround() == MODES[mode][on_arm], "the caller's rounding mode must be left as it was"
    finally:
        libm.fesetenv(saved)
