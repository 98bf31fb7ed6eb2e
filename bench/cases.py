"""The table of what is measured and what is asked of it."""

from __future__ import annotations

from functools import partial

from . import calls, fills, processes
from .figures import Case, Target
from .limits import FMA, PHILOX, STORE
from .peers import NUMPY, ONEMKL

_EVERYONE = (*NUMPY, "randomgen Philox4x32", "torch", "JAX", *ONEMKL)
_ELEMENT = "ns/element"

# N(0, 1), [0, 1) and ±2 std everywhere. oneMKL's normals are by the inverse distribution function, its fastest method.
# JAX is jitted and reuses the memory of its previous result; all others write into one shared buffer.
CASES = (
    Case(
        "uniform, one thread",
        _ELEMENT,
        partial(fills.fill, what="uniform", others=_EVERYONE, bounds=(STORE, PHILOX)),
        (
            Target(at_least=9, of=("torch",)),
            Target(at_least=1.05, of=("oneMKL ARS5",)),
            Target(at_most=0.25),
        ),
        plot=True,
    ),
    Case(
        "normal, one thread",
        _ELEMENT,
        partial(fills.fill, what="normal", others=_EVERYONE, bounds=(STORE, PHILOX)),
        (
            Target(at_least=5.5, of=("torch",)),
            Target(at_least=16, of=NUMPY, best_of="numpy's best"),
            Target(at_least=2.4, of=ONEMKL, best_of="oneMKL's best"),
            Target(at_most=0.48),
        ),
        plot=True,
    ),
    Case(
        "normal bfloat16, one thread",
        _ELEMENT,
        partial(fills.fill, what="normal bf16", others=("torch", "JAX")),
        (Target(at_least=8, of=("torch",)),),
        plot=True,
    ),
    Case(
        "truncated normal ±2σ, one thread",
        _ELEMENT,
        partial(fills.fill, what="truncated normal", others=("torch", "JAX")),
        (Target(at_least=20, of=("torch",)), Target(at_least=10, of=("JAX",))),
        plot=True,
    ),
    Case(
        "normal, two threads",
        _ELEMENT,
        partial(fills.fill, what="normal", others=("torch", "JAX"), threads=2),
        (Target(at_least=10, of=("torch",)), Target(at_least=1.85, of=("fanin, one thread",))),
    ),
    Case(
        "normal, one thread, AVX2 forced",
        _ELEMENT,
        partial(fills.forced, isa="avx2", what="normal", others=("torch",)),
        (Target(at_least=2.5, of=("torch",)),),
        note="a process of its own with FANIN_FORCE_ISA=avx2",
    ),
    Case(
        "uniform in the L2 cache, one thread",
        _ELEMENT,
        partial(fills.fill, what="uniform", others=_EVERYONE, bounds=(PHILOX,), count=fills.RESIDENT),
    ),
    Case(
        "normal in the L2 cache, one thread",
        _ELEMENT,
        partial(fills.fill, what="normal", others=_EVERYONE, bounds=(PHILOX,), count=fills.RESIDENT),
    ),
    Case(
        "full[:, 1000:2024] of 8192 × 8192 normals, one thread",
        _ELEMENT,
        fills.column_slice,
        (Target(at_least=0.7, of=("fanin, contiguous",), best_of="the contiguous rate"),),
    ),
    Case("8 normals: fanin.normal", "µs", partial(calls.function, shape=(8,)), (Target(at_most=2),)),
    Case("64 × 64 normals: fanin.normal", "µs", partial(calls.function, shape=(64, 64)), (Target(at_most=5),)),
    Case("4 × 2 weights: he_normal object", "µs", partial(calls.scheme, shape=(4, 2)), (Target(at_most=6),)),
    Case("64 × 64 weights: he_normal object", "µs", partial(calls.scheme, shape=(64, 64))),
    Case("import fanin, beyond numpy", "ms", processes.imports, (Target(at_most=15),)),
    Case(
        "extra memory of a fill of 64 Mi elements",
        "MiB",
        processes.memory,
        (Target(at_most=1),),
        note="the worst of the kinds below; rise of the process's peak",
    ),
    Case(
        "fanin init gpt2, beyond interpreter start and disk",
        "s",
        processes.gpt2,
        (Target(at_most=1),),
        note="the whole command less the two rows below it; a difference below 0 is the disk's noise",
    ),
    Case("float32 fused multiply-add, one core", "ns", fills.fma, note=f"{FMA}: 2 / ns = GFLOP/s"),
)
