"""Run programs in interpreters of their own, and measure how much memory they take."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

from paths import SUPPORT, TESTS

# For programs that import what tests import.
_FOLDERS = [str(SUPPORT), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(_FOLDERS)}
TIMEOUT = 1800  # seconds: only a program that hangs takes so long


def run(program: str, *arguments: object, **environment: str) -> str:
    """Return what a program prints in a fresh interpreter; fail the test if it hangs or its status is not 0."""
    return command(sys.executable, "-c", textwrap.dedent(program), *arguments, **environment)


def command(*words: object, **environment: str) -> str:
    """Return what a command prints; fail the test if it hangs or its status is not 0."""
    done = subprocess.run(
        list(map(str, words)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=ENVIRONMENT | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def peak() -> int:
    """Return the largest number of bytes that this process has had in memory."""
    if sys.platform == "linux":  # where ru_maxrss would be the parent's if that was larger
        return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
