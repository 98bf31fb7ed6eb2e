"""Measure planning whole models, filling them in memory, and streaming them to disk."""

from __future__ import annotations

import gc
import importlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import fanin
from fanin import schemes
from fanin.recipes import Recipe, Rule

from .figures import OURS, Figure, Figures
from .fills import use_threads
from .processes import figure, run, seconds
from .timing import usable_cpus

IN_PLACE, TRANSFORMERS = "fanin, into arrays that exist", "transformers, GPT2Model(config)"
DD = "dd conv=fdatasync"

_CPUS = usable_cpus()
_MOST = 3  # rounds, at most, since each takes long
_HAS_PROC = Path("/proc/self/clear_refs").exists()

# A program for a process of its own. It resets the peak of its resident size, which would be its parent's if larger.
_SAVE = """
import fanin, re, sys, time
open("/proc/self/clear_refs", "w").write("5")
plan = fanin.plan("llama-7b", "llama", seed=0, dtype="bfloat16")
start = time.perf_counter()
plan.save(sys.argv[1])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(time.perf_counter() - start, int(peak[1]) / 1024)
"""


def fill(rounds: int) -> Figures:
    """Measure drawing the 1.56 G parameters of GPT-2 XL in bfloat16, planning included, in seconds.

    Memory is new to the process in every round, except in the row that says so, but not to the machine: a virtual
    machine may have to fetch it from its host, which takes as long for any library.
    """
    use_threads(len(_CPUS))
    kept = fanin.plan("gpt2-xl", "gpt2", seed=0, dtype="bfloat16").fill()
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: fanin.plan("gpt2-xl", "gpt2", seed=0, dtype="bfloat16").fill(),
        IN_PLACE: lambda: fanin.plan(kept, "gpt2", seed=0).fill(kept),
    }
    construct = _construction()
    if construct:
        calls[TRANSFORMERS] = construct
    taken: dict[str, list[float]] = {label: [] for label in calls}
    for _ in range(min(rounds, _MOST)):
        for label, call in calls.items():
            taken[label].append(seconds(call))
            gc.collect()
    return {label: figure(taken[label]) if label in taken else None for label in (OURS, IN_PLACE, TRANSFORMERS)}


def _construction() -> Callable[[], object] | None:
    """Return a call that builds the same model by transformers, which draws parameters one by one in torch."""
    try:
        torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError:
        return None
    config = transformers.GPT2Config(n_layer=48, n_embd=1600, n_head=25)

    def construct() -> None:
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            transformers.GPT2Model(config)
        finally:
            torch.set_default_dtype(before)

    return construct


def stream(rounds: int) -> Figures:
    """Measure writing the 13.5 GB of Llama 7B to disk, beside dd that writes as many zeros; they take turns."""
    taken: dict[str, list[float]] = {OURS: [], DD: []}
    with tempfile.TemporaryDirectory(dir=".") as folder:
        path = Path(folder, "model.safetensors")
        if not (_HAS_PROC and shutil.which("dd") and shutil.disk_usage(folder).free > 16e9):
            return {OURS: None, DD: None}
        size = fanin.plan("llama-7b", "llama", seed=0, dtype="bfloat16").nbytes
        writers = {OURS: lambda: float(run("-c", _SAVE, str(path)).split()[0]), DD: lambda: _dd(path, size)}
        for number in range(
            min(rounds, 2 * _MOST)
        ):  # an even number, so that each is first as often: a disk may be quicker after a rest
            for label in (OURS, DD) if number % 2 else (DD, OURS):
                taken[label].append(writers[label]())
                path.unlink()
    return {label: figure(values) for label, values in taken.items()}


def memory(rounds: int) -> Figures:
    """Measure the peak memory of a process that streams Llama 7B, with interpreter and NumPy, in MiB."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        if not (_HAS_PROC and shutil.disk_usage(folder).free > 16e9):
            return {OURS: None}
        peak = float(run("-c", _SAVE, str(Path(folder, "model.safetensors"))).split()[1])
    return {OURS: Figure(peak, peak)}


def command(rounds: int) -> Figures:
    """Measure `fanin plan llama-70b`, with the start of the interpreter, in seconds."""
    return {OURS: figure([seconds(lambda: run("-m", "fanin", "plan", "llama-70b")) for _ in range(rounds)])}


def tiny(rounds: int) -> Figures:
    """Measure planning and filling 100 000 parameters of 4 × 4, in seconds."""
    use_threads(len(_CPUS))
    shapes = {f"layers.{i // 10}.block.{i % 10}.weight": (4, 4) for i in range(100_000)}
    recipe = Recipe("tiny", [Rule("*.bias", schemes.zeros(), optional=True), Rule("*", schemes.normal(std=0.02))])
    return {OURS: figure([seconds(lambda: fanin.plan(shapes, recipe, seed=0).fill()) for _ in range(rounds)])}


def _dd(path: Path, size: int) -> float:
    pieces = -(-size // (4 << 20))
    words = ["dd", "if=/dev/zero", f"of={path}", "bs=4M", f"count={pieces}", "conv=fdatasync"]
    return seconds(lambda: subprocess.run(words, check=True, capture_output=True))
