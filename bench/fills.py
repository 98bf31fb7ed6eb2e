"""Measure fills of large arrays, fanin's beside the peers' and the machine's limits."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import DTypeLike, NDArray

import fanin
from fanin.arrays.types import Per

from . import limits, peers
from .figures import OURS, Figure, Figures
from .timing import Call, Sample, interleaved, pin, usable_cpus

LARGE = 1 << 24  # elements: 64 MiB of float32
RESIDENT = 1 << 17  # 512 KiB of float32, in the L2 cache

_CPUS = usable_cpus()


def use_threads(count: int) -> None:
    """Give every library `count` threads on as many CPUs: the last ones, since the first tend to serve interrupts."""
    pin(_CPUS[-count:])
    fanin.set_num_threads(count)
    peers.set_num_threads(count)


def buffer(count: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return an array as numpy.empty does: 16 bytes past a cache line, in large pages if the system grants them.

    A caller with NumPy has such memory. torch's own allocations start at a cache line, where its normal is slower.
    """
    array = np.empty(count, dtype)
    array[:] = 1  # so that its pages are present
    return array


def ours(what: str, out: NDArray[Any]) -> Call:
    """Return a call of fanin that draws what a peer is asked for, into the same buffer."""
    init = fanin.seeded(0)
    return {
        "uniform": partial(init.uniform, "weight", out=out),
        "normal": partial(init.normal, "weight", out=out),
        "normal bf16": partial(init.normal, "weight", out=out.view(ml_dtypes.bfloat16)),
        "truncated normal": partial(init.truncated_normal, "weight", out=out),
        "exponential": partial(init.exponential, "weight", out=out),
    }[what]


def per_element(samples: dict[str, Sample], count: int) -> dict[str, Figure | None]:
    """Turn seconds for a call into nanoseconds for an element."""
    scale = 1e9 / count
    return {label: Figure(s.minimum * scale, s.median * scale) for label, s in samples.items()}


def fill(
    rounds: int,
    what: str,
    others: Sequence[str] = (),
    *,
    bounds: Sequence[str] = (),
    threads: int = 1,
    count: int = LARGE,
) -> Figures:
    """Measure one sampler, fanin's and the peers', and the limits, over one buffer, in nanoseconds for each element."""
    if threads > len(_CPUS):
        return {OURS: None}
    use_threads(threads)
    out = buffer(count, np.uint16 if what == "normal bf16" else np.float32)
    calls = {OURS: ours(what, out)}
    if threads > 1:

        def alone() -> None:
            fanin.set_num_threads(1)
            calls[OURS]()
            fanin.set_num_threads(threads)

        calls["fanin, one thread"] = alone
    makers = {peer: peers.sampler(peer, what) for peer in others} | {bound: limits.limit(bound) for bound in bounds}
    use_threads(threads)  # once more, for the threads that loading the peers started
    calls |= {label: make(out) for label, make in makers.items() if make is not None}
    figures = per_element(interleaved(calls, rounds), count)
    return figures | {label: None for label in makers if label not in figures}


def column_slice(rounds: int) -> Figures:
    """Measure filling 1024 columns of an 8192 × 8192 matrix, aligned and unaligned, beside a contiguous fill."""
    use_threads(1)
    out = buffer(8192 * 1024, np.float32).reshape(8192, 1024)

    def columns(first: int) -> Call:
        index = np.s_[:, first : first + 1024]
        return partial(fanin.normal, (8192, 8192), seed=0, name="weight", index=index, out=out)

    calls = {OURS: columns(1000), "fanin, from column 1024": columns(1024), "fanin, contiguous": ours("normal", out)}
    return per_element(interleaved(calls, rounds), out.size)


def sparse(rounds: int, per: Per, threads: int) -> Figures:
    """Measure drawing a tenth of the weights of a 4096 × 4096 matrix, beside all of them."""
    use_threads(threads)
    out = buffer(4096 * 4096, np.float32).reshape(4096, 4096)
    scheme = fanin.schemes.sparse(sparsity=0.9, per=per, layout="OI")
    calls: dict[str, Call] = {
        OURS: partial(scheme, out=out, seed=0, name="weight"),
        "fanin.normal": ours("normal", out),
    }
    if importlib.util.find_spec("torch") and per == "input":
        torch = importlib.import_module("torch")
        calls["torch sparse_"] = partial(torch.nn.init.sparse_, torch.from_numpy(out), 0.9)
    return per_element(interleaved(calls, rounds), out.size)


def fma(rounds: int) -> Figures:
    """Measure a float32 fused multiply-add, in nanoseconds."""
    make = limits.limit(limits.FMA)
    if make is None:
        return {limits.FMA: None}
    use_threads(1)
    out = buffer(LARGE, np.float32)
    return per_element(interleaved({limits.FMA: make(out)}, rounds), LARGE)


def forced(rounds: int, isa: str, what: str, others: Sequence[str]) -> Figures:
    """Measure `fill` in a process of its own that must use one instruction set."""
    if isa not in fanin.info()["available_isas"]:
        return {OURS: None}
    command = [sys.executable, "-m", "bench.fills", isa, str(rounds), what, *others]
    child = subprocess.run(command, env=os.environ | {"FANIN_FORCE_ISA": isa}, stdout=subprocess.PIPE, check=True)
    figures = json.loads(child.stdout)
    return {label: figure and Figure(*figure) for label, figure in figures.items()}


def _forced_child(isa: str, rounds: str, what: str, *others: str) -> None:
    if fanin.info()["active_isa"] != isa:
        raise RuntimeError(f"asked for {isa}, got {fanin.info()['active_isa']}")
    figures = fill(int(rounds), what, others)
    print(json.dumps({label: figure and (figure.minimum, figure.median) for label, figure in figures.items()}))


if __name__ == "__main__":
    _forced_child(*sys.argv[1:])
