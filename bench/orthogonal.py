"""Measure orthogonal matrices, fanin's beside the peers', a matrix product and the machine's multiply-adds."""
# ruff: noqa: PLC0415 - a peer is imported where it is used: none is required

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fanin

from . import limits
from .figures import OURS, Figure, Figures
from .fills import use_threads
from .timing import Call, interleaved, usable_cpus

TORCH, JAX, SCIPY = "torch orthogonal_", "JAX orthogonal", "scipy linalg.qr"
GROUP = "scipy ortho_group (float64)"
PRODUCT, PEAK = "NumPy n×n×n product", "limit: FMA"
LOOP = "torch, in a loop"

Shape = tuple[int, int]
Maker = Callable[[NDArray[Any]], Call]


def flops(shape: Shape) -> float:
    """Count the operations of applying the reflectors: 2mn² - 2/3·n³, which is 4/3·n³ for a square matrix."""
    n, m = sorted(shape)
    return 2 * m * n**2 - 2 / 3 * n**3


def _ours(out: NDArray[Any]) -> Call:
    return partial(fanin.seeded(0, layout="OI").orthogonal, "weight", out=out)


def _torch(out: NDArray[Any]) -> Call:
    import torch

    return partial(torch.nn.init.orthogonal_, torch.from_numpy(out))


def _jax(out: NDArray[Any]) -> Call:
    import jax

    jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
    key, draw = jax.random.key(0), jax.nn.initializers.orthogonal()
    make = jax.jit(lambda key: draw(key, out.shape, out.dtype))
    return lambda: make(key).block_until_ready()


def _scipy_qr(out: NDArray[Any]) -> Call:
    """Return a call of SciPy that factorizes a given matrix, without drawing it."""
    import scipy.linalg

    gaussian = np.random.default_rng(0).standard_normal(out.shape, np.float32).astype(out.dtype)
    gaussian = gaussian if out.shape[0] >= out.shape[1] else np.ascontiguousarray(gaussian.T)
    return partial(scipy.linalg.qr, gaussian, mode="economic", check_finite=False)


def _ortho_group(out: NDArray[Any]) -> Call:
    import scipy.stats

    return partial(scipy.stats.ortho_group(len(out)).rvs, random_state=np.random.default_rng(0))


def _product(out: NDArray[Any]) -> Call:
    a = np.random.default_rng(0).standard_normal(out.shape, np.float32).astype(out.dtype)
    return partial(np.matmul, a, a.T.copy(), out=np.empty_like(out))


_PEAK_FLOPS = 2e9  # operations in a call of the limit, at least: enough to be worth starting two threads


def _peak_times(shape: Shape) -> int:
    """Return how many times a matrix's operations one call of the limit performs."""
    return max(1, round(_PEAK_FLOPS / flops(shape)))


def _peak(out: NDArray[Any]) -> Call:
    """Return a call that performs as many operations as fanin, or several times that, in registers, on two threads."""
    make = limits.limit(limits.FMA)
    if make is None:
        raise ImportError("the limits are not built")
    wide = 2 if out.dtype == np.float64 else 1  # half as many fit a register
    shape = (out.shape[0], out.shape[1])
    count = int(flops(shape) * _peak_times(shape) / 2 / 2 * wide)
    call = make(np.lib.stride_tricks.as_strided(out, (count,), (0,)))

    def both() -> None:
        other = threading.Thread(target=call)
        other.start()
        call()
        other.join()

    return both


_MAKERS: dict[str, Maker] = {
    TORCH: _torch,
    JAX: _jax,
    SCIPY: _scipy_qr,
    GROUP: _ortho_group,
    PRODUCT: _product,
    PEAK: _peak,
}


def _milliseconds(calls: dict[str, Call], rounds: int) -> dict[str, Figure | None]:
    return {label: Figure(s.minimum * 1e3, s.median * 1e3) for label, s in interleaved(calls, rounds).items()}


def matrix(rounds: int, shape: Shape, others: Sequence[str], dtype: str = "float32") -> Figures:
    """Measure one matrix on two threads, into memory that exists, in milliseconds."""
    if len(usable_cpus()) < 2:
        return {OURS: None}
    out = np.ones(shape, dtype)
    calls: dict[str, Call] = {}
    use_threads(2)
    calls[OURS] = _ours(out)
    for label in others:
        try:
            calls[label] = _MAKERS[label](out)
        except ImportError:
            continue
    use_threads(2)  # once more, for the threads that loading the peers started
    figures = _milliseconds(calls, rounds if flops(shape) < 1e10 else min(rounds, 5))
    if (peak := figures.get(PEAK)) is not None:
        figures[PEAK] = Figure(peak.minimum / _peak_times(shape), peak.median / _peak_times(shape))
    return figures | {label: None for label in others if label not in figures}


def batch(rounds: int, n: int, count: int) -> Figures:
    """Measure many small matrices, in milliseconds."""
    use_threads(2)
    out = np.ones((count, n, n), np.float32)
    calls: dict[str, Call] = {OURS: partial(fanin.seeded(0).haar, "weight", out=out)}
    try:
        import torch

        tensors = list(torch.from_numpy(out))
        calls[LOOP] = lambda: [torch.nn.init.orthogonal_(tensor) for tensor in tensors]
    except ImportError:
        pass
    use_threads(2)
    figures = _milliseconds(calls, rounds)
    return figures | ({} if LOOP in figures else {LOOP: None})


def row_shards(rounds: int, n: int, shards: int) -> Figures:
    """Measure all row shards of a square matrix, each by the minimum of its calls, and the whole, in milliseconds."""
    use_threads(2)
    init, rows, whole = fanin.seeded(0, layout="OI"), n // shards, np.ones((n, n), np.float32)
    calls: dict[str, Call] = {"fanin, the whole": _ours(whole)}
    for i in range(shards):
        part = whole[i * rows : (i + 1) * rows]
        index = np.s_[i * rows : (i + 1) * rows]
        calls[f"shard {i}"] = partial(init.orthogonal, "weight", (n, n), index=index, out=part)
    figures = _milliseconds(calls, min(rounds, 5))
    parts = [figures[f"shard {i}"] for i in range(shards)]
    together = Figure(sum(f.minimum for f in parts if f), sum(f.median for f in parts if f))
    return {OURS: together, **figures}


def other_axis(rounds: int, shape: Shape, rows: int) -> Figures:
    """Measure the first rows of a tall matrix, which need all of its vectors, and the whole, in milliseconds."""
    use_threads(2)
    whole = np.ones(shape, np.float32)
    part = partial(fanin.seeded(0, layout="OI").orthogonal, "weight", shape, index=np.s_[:rows], out=whole[:rows])
    return _milliseconds({OURS: part, "fanin, the whole": _ours(whole)}, min(rounds, 5))


def accuracy(rounds: int, dtype: str, unit: float) -> Figures:
    """Compute max|QQᵀ - I| in units, for several sizes; it does not vary between rounds."""
    figures: dict[str, Figure | None] = {}
    for n in (1024, 2048, 4096, 8192):
        q = fanin.orthogonal((n, n), seed=0, name="weight", layout="OI", dtype=dtype).astype(np.float64)
        worst = 0.0
        for begin in range(0, n, 1024):
            gram = q[begin : begin + 1024] @ q.T
            gram[np.arange(len(gram)), begin + np.arange(len(gram))] -= 1
            worst = max(worst, abs(gram).max())
        figures[f"n = {n}"] = Figure(worst / unit, worst / unit)
    return {OURS: max((f for f in figures.values() if f), key=lambda f: f.minimum), **figures}


def forced(rounds: int, isa: str, shape: Shape, others: Sequence[str]) -> Figures:
    """Measure `matrix` in a process of its own that must use one instruction set."""
    if isa not in fanin.info()["available_isas"]:
        return {OURS: None}
    command = [sys.executable, "-m", "bench.orthogonal", isa, str(rounds), *map(str, shape), *others]
    child = subprocess.run(command, env=os.environ | {"FANIN_FORCE_ISA": isa}, stdout=subprocess.PIPE, check=True)
    return {label: figure and Figure(*figure) for label, figure in json.loads(child.stdout).items()}


def _forced_child(isa: str, rounds: str, rows: str, columns: str, *others: str) -> None:
    if fanin.info()["active_isa"] != isa:
        raise RuntimeError(f"asked for {isa}, got {fanin.info()['active_isa']}")
    figures = matrix(int(rounds), (int(rows), int(columns)), others)
    print(json.dumps({label: figure and (figure.minimum, figure.median) for label, figure in figures.items()}))


if __name__ == "__main__":
    _forced_child(*sys.argv[1:])
