"""Measure fills on a GPU beside torch, cuRAND, CuPy, JAX and the memory's own speed, by the device's clock."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import fanin

from . import machine
from .figures import OURS, Case, Figures, Median, Target
from .timing import Call, Clock, interleaved

TORCH = "torch"
FILL, MEMSET, COPY = "limit: torch fill_", "limit: memset", "limit: copy"
_STORES = (FILL, MEMSET)

_SETTLE = (
    0.05  # seconds of untimed calls before each sample, so that the clocks rise and caches are as such calls leave them
)
_LEAST, _MOST = 10, 500  # calls in a sample: a stream queues a few more than the most before the host has to wait


def _module(name: str) -> Any:
    return importlib.import_module(name)


def why_not() -> str:
    """Say why nothing can be measured here; "" if it can."""
    status = fanin.cuda.status()
    if not status.available:
        return status.reason
    try:
        usable = _module("torch").cuda.is_available()
    except ImportError:
        usable = False
    return "" if usable else "torch with CUDA, whose events time the fills, is not installed"


@cache
def elements() -> int:
    """Return 2^30, or fewer elements if five arrays of float64 would not fit: output, source, and what peers need."""
    free, _ = _module("torch").cuda.mem_get_info()
    return 1 << min(30, int(free // (5 * 8)).bit_length() - 1)


def describe() -> dict[str, Any]:
    """Describe the device, and add what `machine.describe` says of its host."""
    torch = _module("torch")
    device = torch.cuda.get_device_properties(0)
    memory = f"{device.total_memory / 2**30:.0f} GiB"
    where: dict[str, Any] = machine.describe()
    try:
        cupy = _module("cupy").__version__
    except ImportError:
        cupy = "not installed"
    return where | {
        "device": f"{device.name}, {device.multi_processor_count} multiprocessors, {memory}",
        "elements": f"2^{elements().bit_length() - 1}",
        "status": str(fanin.cuda.status()),
        "versions": {**where["versions"], "cuda": torch.version.cuda, "cupy": cupy},
    }


# ---- clocks ----------------------------------------------------------------------------------------------------------


def _settle(call: Call) -> Any:
    cuda = _module("torch").cuda
    settled = time.perf_counter() + _SETTLE
    while time.perf_counter() < settled:
        call()
        cuda.synchronize()
    return cuda


def _by_events(call: Call, repeats: int) -> float:
    """Return the seconds that a call takes, between two events on the stream."""
    cuda, repeats = _settle(call), max(repeats, _LEAST)
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    for _ in range(repeats):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3 / repeats


def _until_ready(call: Call, repeats: int) -> float:
    """Return the seconds that a call of JAX takes by the host's clock, since its streams cannot be reached.

    All calls are queued before the host waits.
    """
    result: Any = None
    settled = time.perf_counter() + _SETTLE
    while time.perf_counter() < settled:
        result = call()
        result.block_until_ready()
    repeats = max(repeats, _LEAST)
    start = time.perf_counter()
    for _ in range(repeats):
        result = call()
    result.block_until_ready()
    return (time.perf_counter() - start) / repeats


def _by_launches(call: Call, repeats: int) -> float:
    """Return the seconds that a call takes the host, which does not wait for the device."""
    cuda, repeats = _settle(call), min(max(repeats, _LEAST), _MOST)
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    passed = time.perf_counter() - start
    cuda.synchronize()
    return passed / repeats


# ---- whom we measure -------------------------------------------------------------------------------------------------


def _checked(call: Callable[[], int]) -> Call:
    """Check that a call of a C library works, and return it; the samples then time nothing but the call."""
    if code := call():
        raise RuntimeError(f"a peer's library reported error {code}")
    return call


def _ours(what: str, out: Any) -> Call:
    return partial(getattr(fanin.seeded(0), what.replace(" ", "_")), "weight", out=out)


def _torch(what: str, out: Any) -> Call:
    if what == "truncated normal":
        return partial(_module("torch").nn.init.trunc_normal_, out, 0.0, 1.0, -2.0, 2.0)
    return partial(out.uniform_ if what == "uniform" else out.normal_, 0.0, 1.0)


def _curand(number: int, what: str, out: Any) -> Call:
    """Return a call of cuRAND's host interface, whose library comes with torch."""
    library = ctypes.CDLL("libcurand.so.10")
    generator = ctypes.c_void_p()
    _checked(partial(library.curandCreateGenerator, ctypes.byref(generator), number))
    dynamic = 104  # CURAND_ORDERING_PSEUDO_DYNAMIC: adjusted to the device, the fastest
    _checked(partial(library.curandSetGeneratorOrdering, generator, dynamic))
    double = out.dtype.itemsize == 8
    function = getattr(library, f"curandGenerate{what.title()}{'Double' if double else ''}")
    real = ctypes.c_double if double else ctypes.c_float
    parameters = () if what == "uniform" else (real(0), real(1))
    size = ctypes.c_size_t(out.numel())
    return _checked(partial(function, generator, ctypes.c_void_p(out.data_ptr()), size, *parameters))


def _cupy(name: str, what: str, out: Any) -> Call:
    cupy = _module("cupy")
    generator = cupy.random.Generator(getattr(cupy.random, name)(0))
    array = cupy.asarray(out)  # the same memory
    draw = generator.random if what == "uniform" else generator.standard_normal
    return partial(draw, array.shape, array.dtype, out=array)


def _jax(generator: str, what: str, out: Any) -> Call:
    """Return a compiled call of JAX that reuses the memory of its previous result: it cannot write into a caller's."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # other libraries need memory of the device too
    jax = _module("jax")
    if jax.default_backend() != "gpu":
        raise ImportError("JAX has no GPU")
    sample = getattr(jax.random, what.replace(" ", "_"))
    draw = partial(sample, lower=-2.0, upper=2.0) if what == "truncated normal" else sample
    draw = partial(draw, shape=(out.numel(),), dtype=str(out.dtype).removeprefix("torch."))
    fill = jax.jit(lambda key, _: draw(key), donate_argnums=1, keep_unused=True)
    key = jax.random.key(0, impl=generator)
    result = jax.numpy.zeros((out.numel(),), str(out.dtype).removeprefix("torch."))

    def call() -> Any:
        nonlocal result
        result = fill(key, result)
        return result

    return call


def _memset(_: str, out: Any) -> Call:
    words = ctypes.c_size_t(out.numel() * out.dtype.itemsize // 4)
    memset = ctypes.CDLL("libcuda.so.1").cuMemsetD32Async
    return _checked(partial(memset, ctypes.c_void_p(out.data_ptr()), ctypes.c_uint(1), words, None))


def _copy(_: str, out: Any) -> Call:
    return partial(out.copy_, _module("torch").ones_like(out))


_PEERS: Mapping[str, Callable[[str, Any], Call]] = {
    TORCH: _torch,
    "cuRAND XORWOW": partial(_curand, 101),
    "cuRAND Philox4x32-10": partial(_curand, 161),
    "CuPy XORWOW": partial(_cupy, "XORWOW"),
    "CuPy Philox4x3210": partial(_cupy, "Philox4x3210"),
    "JAX threefry": partial(_jax, "threefry2x32"),
    "JAX rbg": partial(_jax, "rbg"),
    FILL: lambda _, out: partial(out.fill_, 1.0),
    MEMSET: _memset,
    COPY: _copy,
}
_CURAND = tuple(label for label in _PEERS if label.startswith(("cuRAND", "CuPy")))
_JAX = tuple(label for label in _PEERS if label.startswith("JAX"))
_LIMITS = (*_STORES, COPY)


# ---- what we measure -------------------------------------------------------------------------------------------------


def _figures(calls: Mapping[str, Call], rounds: int, clock: Clock | None, scale: Mapping[str, float]) -> Figures:
    """Return medians in the unit of the case, by the given clock or else the host's."""
    clocks = {label: _until_ready if label.startswith("JAX") else clock for label in calls} if clock else {}
    samples = interleaved(calls, rounds, clocks)
    return {label: Median(s.minimum * scale[label], s.median * scale[label]) for label, s in samples.items()}


def _empty(count: int, dtype: str) -> Any:
    torch = _module("torch")
    torch.cuda.empty_cache()  # for the peers' own allocators
    return torch.empty(count, dtype=getattr(torch, dtype), device="cuda")


def fill(rounds: int, what: str, dtype: str, others: Sequence[str]) -> Figures:
    """Measure one sampler, fanin's and the peers', and the limits, over one array, in picoseconds for each element."""
    out = _empty(elements(), dtype)
    calls = {OURS: _ours(what, out)}
    for label in others:
        try:
            call = _PEERS[label](what, out)
            call()
        except (ImportError, OSError, RuntimeError) as error:  # not installed, or of no use here, as for lack of memory
            print(f"{label} is left out: {error}", file=sys.stderr)
        else:
            calls[label] = call
    figures = _figures(calls, rounds, _by_events, dict.fromkeys(calls, 1e12 / out.numel()))
    return {label: figures.get(label) for label in (OURS, *others)}


def columns(rounds: int) -> Figures:
    """Measure filling half of a matrix's columns, unaligned, beside a contiguous fill, in picoseconds per element."""
    whole = _empty(elements(), "float32").view(-1, 8192)
    shape = (len(whole), 16384)
    draw = partial(fanin.normal, seed=0, name="weight")
    wide = whole.view(-1, 16384)[:, 1001:9193]
    calls: dict[str, Call] = {
        OURS: partial(draw, shape, index=(slice(None), slice(1001, 9193)), out=whole),
        "fanin, contiguous": partial(draw, out=whole),
        "fanin, into columns of a wider array": partial(draw, out=wide),
        FILL: partial(whole.fill_, 1.0),
    }
    counts = dict.fromkeys(calls, whole.numel()) | {"fanin, into columns of a wider array": wide.numel()}
    return _figures(calls, rounds, _by_events, {label: 1e12 / count for label, count in counts.items()})


def to_numpy(rounds: int) -> Figures:
    """Measure drawing a new NumPy array on the GPU, by the host's clock, in nanoseconds per element."""
    torch = _module("torch")
    count = min(elements(), 1 << 28)
    out, pinned = _empty(count, "float32"), torch.empty(count, pin_memory=True)
    draw = partial(fanin.normal, (count,), seed=0, name="weight")
    calls: dict[str, Call] = {
        OURS: partial(draw, device="cuda"),
        "fanin, on the CPU": draw,
        "torch normal_, then cpu()": lambda: out.normal_().cpu().numpy(),
        "limit: copy to pinned memory": partial(pinned.copy_, out),
    }
    return _figures(calls, rounds, None, dict.fromkeys(calls, 1e9 / count))


def launch(rounds: int) -> Figures:
    """Measure how long a call for 64 × 64 float32 takes the host, in microseconds."""
    out = _empty(64 * 64, "float32").view(64, 64)
    init = fanin.seeded(0, layout="OI")
    calls: dict[str, Call] = {
        OURS: partial(fanin.normal, seed=0, name="fc.weight", out=out),
        "torch normal_": partial(out.normal_, 0.0, 1.0),
        "fanin he_normal": partial(init.he_normal, "fc.weight", out=out),
        "torch kaiming_normal_": partial(_module("torch").nn.init.kaiming_normal_, out),
    }
    return _figures(calls, rounds, _by_launches, dict.fromkeys(calls, 1e6))


def _case(
    what: str, dtype: str, *targets: Target, others: Sequence[str] = (TORCH, *_JAX, *_LIMITS), note: str = ""
) -> Case:
    measure = partial(fill, what=what, dtype=dtype, others=others)
    return Case(f"{what} {dtype}", "ps/element", measure, targets, note, plot="samplers")


def _of_a_fill(at_least: float) -> Target:
    return Target(at_least=at_least, of=_STORES, best_of="a constant fill's rate")


_EVERYONE = (TORCH, *_CURAND, *_JAX, *_LIMITS)
_RIVALS = Target(at_least=1, of=(TORCH, *_CURAND), best_of="the best of torch, cuRAND and CuPy")

CASES = (
    _case("uniform", "float32", _of_a_fill(0.8), _RIVALS, others=_EVERYONE, note="aim: 1.5 × the best peer"),
    _case("normal", "float32", _of_a_fill(0.5), _RIVALS, others=_EVERYONE, note="aims: 60 %; 1.5 × the best peer"),
    _case("normal", "bfloat16", Target(at_least=1.5, of=(TORCH,))),
    _case("normal", "float16"),
    _case("normal", "float64", others=(TORCH, *_CURAND, *_LIMITS)),
    _case("truncated normal", "float32", Target(at_least=10, of=(TORCH,)), note="±2 std"),
    Case("columns 1001:9193 of 16384, normal float32", "ps/element", columns),
    Case(
        "normal float32 as a NumPy array",
        "ns/element",
        to_numpy,
        note='device="cuda" without out, a new array each; host clock',
    ),
    Case(
        "a call for 64 × 64 normals",
        "µs",
        launch,
        (Target(at_least=1 / 1.5, of=("torch normal_",), best_of="the rate of torch normal_"),),
        note="host time, the device's work not waited for",
    ),
)
