"""List what is measured, and the target of each."""

from __future__ import annotations

from functools import partial

from . import audit, calls, fills, interrupts, models, orthogonal, processes
from .figures import Case, Target
from .limits import FMA, PHILOX, STORE
from .peers import NUMPY, ONEMKL

_EVERYONE = (*NUMPY, "randomgen Philox4x32", "torch", "JAX", *ONEMKL)
_ELEMENT = "ns/element"

_PEERS = (orthogonal.TORCH, orthogonal.JAX, orthogonal.SCIPY)
_TORCH, _PEAK, _PRODUCT = (orthogonal.TORCH,), (orthogonal.PEAK,), (orthogonal.PRODUCT,)
_TWO_THREADS = "two threads"


def _square(n: int, *targets: Target, dtype: str = "float32", others: tuple[str, ...] = _PEERS) -> Case:
    measure = partial(orthogonal.matrix, shape=(n, n), dtype=dtype, others=(*others, *_PRODUCT, *_PEAK))
    plot = "orthogonal" if dtype == "float32" else ""
    return Case(f"orthogonal {n} × {n}, {dtype}", "ms", measure, targets, _TWO_THREADS, plot, n)


def _oblong(rows: int, columns: int) -> Case:
    measure = partial(orthogonal.matrix, shape=(rows, columns), others=(*_TORCH, *_PEAK))
    return Case(f"orthogonal {rows} × {columns}", "ms", measure, (Target(at_least=5, of=_TORCH),), _TWO_THREADS)


_ORTHOGONAL = (
    _square(64, Target(at_least=5, of=_TORCH), Target(at_most=0.02), others=(*_PEERS, orthogonal.GROUP)),
    _square(128),
    _square(256, Target(at_least=4, of=_TORCH), others=(*_PEERS, orthogonal.GROUP)),
    _square(512),
    _square(1024, Target(at_least=5, of=_TORCH), others=(*_PEERS, orthogonal.GROUP)),
    _square(2048),
    _square(
        4096,
        Target(at_least=0.75, of=_PEAK, best_of="the FMA peak"),
        Target(at_least=5, of=_TORCH),
        Target(at_least=1.5, of=_PRODUCT),
    ),
    _square(
        4096,
        Target(at_least=0.7, of=_PEAK, best_of="the FMA peak"),
        Target(at_least=5, of=_TORCH),
        dtype="float64",
        others=_TORCH,
    ),
    Case(
        "1000 orthogonal matrices 64 × 64: haar",
        "ms",
        partial(orthogonal.batch, n=64, count=1000),
        (Target(at_least=10, of=(orthogonal.LOOP,)),),
        _TWO_THREADS,
    ),
    _oblong(65536, 256),
    _oblong(256, 65536),
    _oblong(11008, 4096),
    Case(
        "orthogonal 4096 × 4096, AVX2 forced",
        "ms",
        partial(orthogonal.forced, isa="avx2", shape=(4096, 4096), others=(*_TORCH, *_PEAK)),
        (Target(at_least=2.5, of=_TORCH), Target(at_least=0.75, of=_PEAK, best_of="the FMA peak")),
        "a process of its own with FANIN_FORCE_ISA=avx2; the limit is the processor's, with its widest registers",
    ),
    Case(
        "eight row shards of 8192 × 8192, together",
        "ms",
        partial(orthogonal.row_shards, n=8192, shards=8),
        (Target(at_least=1 / 1.3, of=("fanin, the whole",), best_of="the whole's rate"),),
        _TWO_THREADS,
    ),
    Case(
        "rows 0:1376 of 11008 × 4096",
        "ms",
        partial(orthogonal.other_axis, shape=(11008, 4096), rows=1376),
        (Target(at_least=1 / 1.3, of=("fanin, the whole",), best_of="the whole's rate"),),
        _TWO_THREADS,
    ),
    Case(
        "workspace of orthogonal, beyond the output",
        "MiB",
        processes.workspace,
        (Target(at_most=66),),
        note="the worst of the kinds below; rise of the process's peak; two threads",
    ),
    Case(
        "max|QQᵀ - I|, float32",
        "10⁻⁶",
        partial(orthogonal.accuracy, dtype="float32", unit=1e-6),
        (Target(at_most=1),),
    ),
    Case(
        "max|QQᵀ - I|, float64",
        "10⁻¹⁵",
        partial(orthogonal.accuracy, dtype="float64", unit=1e-15),
        (Target(at_most=5),),
    ),
)

_MODELS = (
    Case(
        "GPT-2 XL in memory, bfloat16",
        "s",
        models.fill,
        (Target(at_least=20, of=(models.TRANSFORMERS,)), Target(at_most=1.038)),
        "1.56 G parameters, so that 1.038 s are 1.5 G a second; planning included",
    ),
    Case(
        "Llama 7B streamed to disk, bfloat16",
        "s",
        models.stream,
        (Target(at_least=0.9, of=(models.DD,)),),
        "13.5 GB, on disk when it ends",
    ),
    Case("resident memory while Llama 7B is streamed", "MiB", models.memory, (Target(at_most=286),)),
    Case("fanin plan llama-70b", "s", models.command, (Target(at_most=1),), "the whole command"),
    Case("100 000 parameters of 4 × 4, planned and filled", "s", models.tiny, (Target(at_most=2),)),
)

# All draw N(0, 1), [0, 1), or N(0, 1) within ±2 std. oneMKL inverts the distribution function for normals, which is its
# fastest method. JAX is jitted and reuses the memory of its previous result; all others write into one shared buffer.
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
        plot="samplers",
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
        plot="samplers",
    ),
    Case(
        "normal bfloat16, one thread",
        _ELEMENT,
        partial(fills.fill, what="normal bf16", others=("torch", "JAX")),
        (Target(at_least=8, of=("torch",)),),
        plot="samplers",
    ),
    Case(
        "truncated normal ±2σ, one thread",
        _ELEMENT,
        partial(fills.fill, what="truncated normal", others=("torch", "JAX")),
        (Target(at_least=20, of=("torch",)), Target(at_least=10, of=("JAX",))),
        plot="samplers",
    ),
    Case(
        "exponential, one thread",
        _ELEMENT,
        partial(fills.fill, what="exponential", others=("torch",)),
        note="an expression of float64: what the laws without a kernel of their own cost",
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
    *(
        Case(
            f"sparse 4096 × 4096, a tenth per {per}, {['one thread', 'two threads'][threads - 1]}",
            _ELEMENT,
            partial(fills.sparse, per=per, threads=threads),
            (Target(at_least=1 / 3, of=("fanin.normal",), best_of="the rate of normals"),),
        )
        for per in ("output", "input")
        for threads in (1, 2)
    ),
    *(
        Case(
            f"statistics of 16 Mi {dtype}, {['one thread', 'two threads'][threads - 1]}",
            "ms",
            partial(audit.statistics, dtype=dtype, threads=threads),
            (Target(at_least=5, of=(audit.NUMPY,)),),
        )
        for dtype in ("float32", "float64", "bfloat16")
        for threads in (1, 2)
    ),
    Case('recommend("gelu", "conv")', "µs", calls.recommend, (Target(at_most=1000),)),
    Case("8 normals: fanin.normal", "µs", partial(calls.function, shape=(8,)), (Target(at_most=2),)),
    Case("64 × 64 normals: fanin.normal", "µs", partial(calls.function, shape=(64, 64)), (Target(at_most=5),)),
    Case("4 × 2 weights: he_normal object", "µs", partial(calls.scheme, shape=(4, 2)), (Target(at_most=6),)),
    Case("64 × 64 weights: he_normal object", "µs", partial(calls.scheme, shape=(64, 64))),
    Case(
        "from Ctrl-C to KeyboardInterrupt, two threads",
        "ms",
        interrupts.answers,
        (Target(at_most=100),),
        note="the longest of the calls below",
    ),
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
    *_ORTHOGONAL,
    *_MODELS,
    Case("float32 fused multiply-add, one core", "ns", fills.fma, note=f"{FMA}: 2 / ns = GFLOP/s"),
)
