"""Measure what needs a process of its own: imports, memory, and the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .figures import OURS, Figure, Figures
from .timing import pin, usable_cpus

_CPUS = usable_cpus()
_MIB = 1 << 20


def run(*arguments: str) -> str:
    """Return what Python prints with these arguments, in a process of its own."""
    pin(_CPUS)
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # as users have it
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def figure(values: list[float]) -> Figure:
    """Return the figure of some values: minimum and median."""
    return Figure(min(values), statistics.median(values))


def imports(rounds: int) -> Figures:
    """Measure `import fanin` after `import numpy`, and the latter, from compiled bytecode, in milliseconds."""
    program = (
        "from time import perf_counter as t; a = t(); import numpy; b = t(); import fanin; c = t()\n"
        "print((c - b) * 1e3, (b - a) * 1e3)"
    )
    pairs = [tuple(map(float, run("-c", program).split())) for _ in range(rounds + 1)][1:]
    ours, numpys = zip(*pairs, strict=True)
    return {OURS: figure(list(ours)), "numpy": figure(list(numpys))}


# Code that prepares an array of n elements, and code that fills it.
_FILLS = {
    "float32": ("np.ones(n, 'f4')", "fanin.normal(n, out=out, **key)"),
    "float64": ("np.ones(n, 'f8')", "fanin.normal(n, out=out, **key)"),
    "bfloat16": ("np.ones(n, ml_dtypes.bfloat16)", "fanin.normal(n, out=out, **key)"),
    "uniform": ("np.ones(n, 'f4')", "fanin.uniform(n, out=out, **key)"),
    "truncated normal": ("np.ones(n, 'f4')", "fanin.truncated_normal(n, out=out, **key)"),
    "transposed out": ("np.ones((64, n // 64), 'f4').T", "fanin.normal((n // 64, 64), out=out, **key)"),
    "reversed index": ("np.ones(n, 'f4')", "fanin.normal(n, index=np.s_[::-1], out=out, **key)"),
    "columns of 2^40": (
        "np.ones((n // 256, 256), 'f4')",
        "fanin.normal((1 << 20, 1 << 20), index=np.s_[: n // 256, 1000:1256], out=out, **key)",
    ),
}
# Code that resets the peak of the resident size, and reads it. (ru_maxrss would be the parent's, if that is larger.)
_PEAK = """
import re
def restart():
    open("/proc/self/clear_refs", "w").write("5")
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
# It measures the second fill; the first, a small one, loads the code.
_MEMORY = (
    _PEAK
    + """
import numpy as np, ml_dtypes, fanin
key = {{"seed": 0, "name": "w"}}
for n in (1 << 22, 1 << 26):
    out = None
    out = {out}
    restart()
    before = peak()
    {fill}
    after = peak()
print(after - before)
"""
)


def memory(rounds: int) -> Figures:
    """Measure by how many MiB a fill of 64 Mi elements raises the peak of a process, at worst over several kinds."""
    if not Path("/proc/self/clear_refs").exists():
        return {OURS: None}
    kinds = {}
    for kind, (out, fill) in _FILLS.items():
        program = _MEMORY.format(out=out, fill=fill)
        kinds[kind] = figure([int(run("-c", program)) / 1024 for _ in range(min(rounds, 3))])
    return {OURS: max(kinds.values(), key=lambda figure: figure.minimum), **kinds}


# Shape, index and dtype of an orthogonal matrix.
_MATRICES = {
    "4096 × 4096 float32": ("(4096, 4096)", "...", "float32"),
    "4096 × 4096 float16": ("(4096, 4096)", "...", "float16"),
    "4096 × 4096 float64": ("(4096, 4096)", "...", "float64"),
    "rows 0:1376 of 11008 × 4096": ("(11008, 4096)", "np.s_[:1376]", "float32"),
    "256 × 65536 float64": ("(256, 65536)", "...", "float64"),
    "65536 × 256 float16": ("(65536, 256)", "...", "float16"),
    "64 × 500000 float32": ("(64, 500000)", "...", "float32"),
}
# It measures as above; a small call has loaded the code and started threads, and `out` exists.
_WORKSPACE = (
    _PEAK
    + """
import numpy as np, fanin
init = fanin.seeded(0, layout="OI")
fanin.set_num_threads(2)
init.orthogonal("w", (600, 600), dtype="{dtype}")
out = np.ones(np.lib.stride_tricks.as_strided(np.zeros(1), {shape}, (0, 0))[{index}].shape, "{dtype}")
restart()
before = peak()
init.orthogonal("w", {shape}, index={index}, out=out)
print(peak() - before)
"""
)


def workspace(rounds: int) -> Figures:
    """Measure by how many MiB an orthogonal matrix raises the peak of a process, at worst over several kinds."""
    if not Path("/proc/self/clear_refs").exists():
        return {OURS: None}
    kinds = {}
    for kind, (shape, index, dtype) in _MATRICES.items():
        program = _WORKSPACE.format(shape=shape, index=index, dtype=dtype)
        kinds[kind] = figure([int(run("-c", program)) / 1024 for _ in range(min(rounds, 2))])
    return {OURS: max(kinds.values(), key=lambda figure: figure.minimum), **kinds}


def seconds(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _write(path: Path, size: int) -> None:
    """Do what every writer of a complete file must: reserve the space, write, and wait for the disk."""
    piece = b"\x5a" * (4 * _MIB)
    with open(path, "wb", buffering=0) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        for start in range(0, size, len(piece)):
            file.write(piece[: size - start])
        os.fsync(file.fileno())
    path.unlink()


def gpt2(rounds: int) -> Figures:
    """Measure `fanin init gpt2` in seconds: all of it, and without the interpreter's start and a plain write."""
    whole, start, disk = [], [], []
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder, "gpt2.safetensors")
        for _ in range(min(rounds, 5)):
            start.append(seconds(lambda: run("-c", "pass")))
            whole.append(seconds(lambda: run("-m", "fanin", "init", "gpt2", "-o", str(path))))
            size = path.stat().st_size
            path.unlink()
            disk.append(seconds(partial(_write, path, size)))
    beyond = [w - s - d for w, s, d in zip(whole, start, disk, strict=True)]
    parts = {"the whole command": whole, "interpreter start": start, "a plain write of the file": disk}
    # It takes the difference of minima, since that within a round would have the disk's noise twice.
    ours = Figure(min(whole) - min(start) - min(disk), statistics.median(beyond))
    return {OURS: ours, **{label: figure(values) for label, values in parts.items()}}
