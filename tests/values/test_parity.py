"""Equal bits from every instruction set, number of threads, size, slice, alignment and stride, and from the reference.

FANIN_FORCE_ISA is read once, so every instruction set computes in a process of its own (this file, run as a program)
and prints a digest of each case; here NumPy cuts the same case out of a whole array.
"""

import hashlib
import json
import math
import sys
from functools import cache

import numpy as np
import pytest
import reference
from processes import command, run
from samplers import FLOATS, LARGE_SLICES, NAME, PARAMETERS, SAMPLERS, SEED, SLICES, sample

import fanin

# Around the lanes and tiles of every kernel; the last, and a size that many threads share, only where fma is fast.
SIZES = (0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257, 1023, 4099)
THREADS = (1, 2, 3, 8)
SHARED, LARGE = 40_000, 2**20 + 77
LAYOUTS = {
    "offset by an element": lambda n, t: np.zeros(n + 1, t)[1:],
    "offset by a byte": lambda n, t: np.zeros(n * t.itemsize + 1, np.uint8)[1:].view(t),
    "every third": lambda n, t: np.zeros(3 * n, t)[::3],
    "backwards": lambda n, t: np.zeros(n, t)[::-1],
    "columns first": lambda n, t: np.zeros((n // 7, 7), t, order="F"),
    "a middle column block": lambda n, t: np.zeros((n // 7, 16), t)[:, 4:11],
    "a row to each byte offset": lambda n, t: np.zeros((n // 7, 7 * t.itemsize + 1), np.uint8)[:, 1:].view(t),
}


def outputs(dtype):
    kind = reference.DTYPES.get(dtype) or np.dtype(dtype)
    return {layout: make(4095, kind) for layout, make in LAYOUTS.items()}


def large(isa, distribution, dtype):
    """The elements a case may have: emulated fma takes a thousand times as long."""
    fast = isa != "baseline" or distribution in ("bits", "uniform") or (distribution, dtype) == ("normal", "float32")
    return LARGE if fast else 4099 if distribution == "truncated_normal_far" else SHARED


def digest(array):
    return hashlib.sha256(np.asarray(array).tobytes()).hexdigest()


def cases(limit):
    """Label, threads, shape and index of everything but `out`."""
    for threads in THREADS:
        for size in (*SIZES, SHARED, LARGE) if threads == 1 else (4099, SHARED, LARGE):
            if size <= limit:
                yield f"{size} elements, {threads} threads", threads, (size,), ...
        for shape, index in LARGE_SLICES if threads in (1, 3) else ():
            if math.prod(shape) <= limit:
                yield f"{shape}[{index}], {threads} threads", threads, shape, index
    for shape, index in SLICES:
        yield f"{shape}[{index}]", 2, shape, index


# Shape, blocks and index of orthogonal weights: around tiles of 8, registers, blocks of 64 vectors, segments of 512.
MATRICES = [
    ((1, 1), 1, ...),
    ((7, 9), 1, ...),
    ((33, 31), 1, ...),
    ((64, 64), 1, ...),
    ((130, 65), 1, ...),
    ((129, 256), 1, ...),
    ((256, 256), 1, ...),
    ((67, 600), 1, np.s_[-5:, 500:530]),
    ((600, 67), 1, np.s_[500:530, ::-3]),
    ((96, 24), (64, 8, 24), ...),
    ((40, 10), 4, np.s_[35:2:-4, 1:]),
]


def orthogonal(dtype, shape, blocks, index, threads):
    with fanin.num_threads(threads):
        return fanin.orthogonal(shape, 1.5, blocks, seed=SEED, name=NAME, layout="OI", dtype=dtype, index=index)


def orthogonals(dtype):
    """What the active instruction set gives: label -> digest."""
    return {
        f"{shape}, blocks {blocks}, [{index}], {threads} threads": digest(
            orthogonal(dtype, shape, blocks, index, threads)
        )
        for shape, blocks, index in MATRICES
        for threads in (1, 3)
    }


def expected_orthogonals(dtype):
    """The same cases, cut by NumPy out of whole matrices made by one thread."""
    parts = [(case, digest(orthogonal(dtype, *case[:2], ..., 1)[case[2]])) for case in MATRICES]
    return {
        f"{shape}, blocks {blocks}, [{index}], {threads} threads": part
        for (shape, blocks, index), part in parts
        for threads in (1, 3)
    }


def sampled(isa, distribution, dtype):
    """What the active instruction set gives: label -> digest."""
    result = {}
    for label, threads, shape, index in cases(large(isa, distribution, dtype)):
        fanin.set_num_threads(threads)
        result[label] = digest(sample(distribution, dtype, shape, index=index))
    for layout, out in outputs(dtype).items():
        sample(distribution, dtype, out=out)
        result[layout] = digest(out)
    return result


@cache
def whole(distribution, dtype, size):
    """Computed by one thread of this process's instruction set."""
    with fanin.num_threads(1):
        return sample(distribution, dtype, size)


def expected(isa, distribution, dtype):
    """The same cases, cut by NumPy out of one array."""
    limit = large(isa, distribution, dtype)
    array = whole(distribution, dtype, limit)
    result = {label: digest(array[: math.prod(shape)].reshape(shape)[index]) for label, _, shape, index in cases(limit)}
    return result | {layout: digest(array[: out.size]) for layout, out in outputs(dtype).items()}


@pytest.mark.parametrize("isa", fanin.info()["compiled_isas"])
def test_every_instruction_set_gives_the_same_bits(isa):
    if isa not in fanin.info()["available_isas"]:
        pytest.skip(f"this processor does not have {isa}")
    answer = json.loads(command(sys.executable, __file__, FANIN_FORCE_ISA=isa))
    assert answer["isa"] == isa
    for distribution, dtype in SAMPLERS:
        found, wanted = answer[f"{distribution} {dtype}"], expected(isa, distribution, dtype)
        assert found.keys() == wanted.keys()
        assert [label for label in wanted if found[label] != wanted[label]] == [], f"{distribution} of {dtype} on {isa}"
    for dtype in FLOATS:
        assert answer[f"orthogonal {dtype}"] == expected_orthogonals(dtype), f"orthogonal of {dtype} on {isa}"


@pytest.mark.parametrize("isa", ["sse9", "AVX2 ", "neon" if "avx2" in fanin.info()["compiled_isas"] else "avx2"])
def test_an_unavailable_instruction_set_is_an_error(isa):
    program = """
        import fanin
        try:
            fanin.normal(8, seed=0, name="w")
        except ValueError as error:
            print(error)
        """
    assert "FANIN_FORCE_ISA" in run(program, FANIN_FORCE_ISA=isa)


@pytest.mark.parametrize(("distribution", "dtype"), SAMPLERS)
@pytest.mark.parametrize("start", [0, 2**40 + 3])
def test_the_sampler_is_the_reference(distribution, dtype, start):
    """On a part of a tensor, with steps, whose flat indices NumPy knows."""
    rng = np.random.default_rng(start)
    shape, row = (2**20, 1001, 2**11), start // (1001 * 2**11)
    index = np.s_[row : row + 4, rng.integers(500) : 1001 : 90, 2000 : rng.integers(1000) : -11]
    axes = [np.arange(size, dtype=np.int64)[part] for size, part in zip(shape, index, strict=True)]
    flat = np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).astype(np.uint64).ravel()
    arguments, keywords = PARAMETERS[distribution]
    function = getattr(reference, distribution.removesuffix("_std").removesuffix("_far"))
    wanted = function(SEED, NAME, flat, *arguments, **keywords, dtype=dtype)
    found = sample(distribution, dtype, shape, index=index).ravel()
    different = np.flatnonzero(found.view(f"u{found.itemsize}") != wanted.view(f"u{wanted.itemsize}"))
    assert different.size == 0, (
        f"element {flat[different[0]]}: expected {wanted[different[0]]}, got {found[different[0]]}"
    )


if __name__ == "__main__":
    active = fanin.info()["active_isa"]
    answers = {f"{d} {t}": sampled(active, d, t) for d, t in SAMPLERS}
    answers |= {f"orthogonal {t}": orthogonals(t) for t in FLOATS}
    json.dump({"isa": active} | answers, sys.stdout)
