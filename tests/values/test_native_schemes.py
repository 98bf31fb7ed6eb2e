"""The native functions of all but plain samplers: matrices, sparse, Dirac, broadcast, sinusoid, step bias.

FANIN_FORCE_ISA is read once, so every instruction set computes in a process of its own: this file, run as a program.
"""

import hashlib
import itertools
import json
import math
import sys

import numpy as np
import pytest
import reference
import reference_axes
import reference_schemes
from native_schemes import FLOATS, NAME, SEED, Scheme, code, same, turns
from processes import command
from scipy import stats

import fanin
from fanin import _core

P = 1e-4  # keys are fixed: a smaller p-value would be a defect and not chance


def random_layout(rng, rank):
    """Layouts have implied spatial axes, or a letter for each axis, at least one of which is an output."""
    if rng.integers(3) == 0:
        return str(rng.choice(["OI", "IO"]))
    letters = rng.choice(list("OIBBXT"), rank)
    letters[rng.integers(rank)] = "O"
    return "".join(letters)


def schemes(rng):
    """One of each, of a random shape."""
    shape = tuple(rng.integers(1, 9, rng.integers(2, 5)).tolist())
    long = list(shape)
    long[rng.integers(len(shape))] = int(rng.integers(60, 300))
    long = tuple(long)
    layout = random_layout(rng, len(shape))
    _, outs, ins = reference_axes.sides(layout, long)
    per_output = bool(rng.integers(2))
    yield Scheme("sparse", long, 0.7, int(rng.integers((ins if per_output else outs) + 1)), per_output, layout)
    groups = int(rng.choice([g for g in range(1, outs + 1) if outs % g == 0]))
    yield Scheme("dirac", long, float(rng.normal()), groups, layout)
    axis = int(rng.integers(len(shape)))
    yield Scheme("broadcast", long, rng.normal(size=long[axis]), axis)
    features = int(rng.integers(1, 40))
    positions = int(rng.integers(1, 60))
    yield Scheme("sinusoid", (positions, features), *turns((features + 1) // 2), bool(rng.integers(2)))
    yield Scheme("step_bias", shape, 0.001, 0.1, float(rng.choice([0.0, 1e-4, 0.01])))
    yield from matrices(rng, shape)


def matrices(rng, shape):
    """Orthogonal ones, in blocks of any sizes, and at the centre of a convolution."""
    layout = random_layout(rng, len(shape))
    outs = shape[reference_axes.axes(layout, shape, "O")[0]]
    cut = int(rng.integers(outs + 1))
    yield Scheme("orthogonal", shape, 1.5, layout, [(), (outs,), (cut, outs - cut)][rng.integers(3)])
    n = int(rng.integers(1, 12))
    yield Scheme("haar", (*shape[2:], n, n), -0.7, bool(rng.integers(2)))
    layout = "".join(rng.permutation(list("OIX" + "".join(rng.choice(list("BBX"), rng.integers(3))))))
    inner = [
        max(1, size // 2) if letter == "I" else size for letter, size in zip(layout, (*shape, 3, 2, 1), strict=False)
    ]
    if inner[layout.index("I")] <= inner[layout.index("O")]:
        yield Scheme("delta_orthogonal", tuple(inner), 0.5, layout)


def random_index(rng, shape):
    def part(size):
        kind = rng.integers(6)
        if kind == 0:
            return int(rng.integers(-size, size))
        if kind == 1:
            return slice(None)
        start, stop = sorted(rng.integers(0, size + 1, 2).tolist())
        step = int(rng.choice([1, 1, 2, 3, 7]))
        if kind == 2:
            return slice(stop - 1, start - 1 if start else None, -step) if stop else slice(0, 0)
        return slice(start, stop, step)

    return tuple(part(size) for size in shape)


def random_out(rng, shape, kind):
    """Zeros of a shape in memory of random strides, in random order of axes, some of them backwards."""
    order = rng.permutation(len(shape))
    steps = rng.integers(1, 3, len(shape))
    memory = np.zeros([shape[axis] * step for axis, step in zip(order, steps, strict=True)], kind)
    view = memory[tuple(slice(None, None, int(s) * int(rng.choice([-1, 1]))) for s in steps)]
    return memory, view.transpose(np.argsort(order)) if len(shape) else view


@pytest.mark.parametrize("seed", [*range(7), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(7, 40))])
def test_the_native_function_is_the_reference_in_part_and_into_any_memory(seed):
    rng = np.random.default_rng(seed)
    for scheme in schemes(rng):
        dtype = FLOATS[rng.integers(4)]
        whole = scheme.reference(dtype)
        with fanin.num_threads(int(rng.integers(1, 4))):
            assert same(scheme.native(dtype), whole), scheme
            for _ in range(6):
                index = random_index(rng, scheme.shape)
                wanted = whole[index].copy()
                assert same(scheme.native(dtype, index), wanted), (scheme, index)
                memory, out = random_out(rng, wanted.shape, wanted.dtype)
                if out.ndim:
                    assert scheme.native(dtype, index, out) is None
                    assert same(out.copy(), wanted), (scheme, index, out.strides)
                    out[...] = 0
                    assert not memory.any()


# Shapes that several threads share, with a part of each; lines along memory and across it, of many tiles and of few.
LARGE = [
    (Scheme("sparse", (300, 1000), 1.0, 100, True, "OI"), np.s_[7:290, 3:999]),
    (Scheme("sparse", (1000, 300), 1.0, 37, False, "OI"), np.s_[::-3, 5:]),
    (Scheme("sparse", (40, 50, 100), 1.0, 1000, True, "IO"), np.s_[:, 7:, ::3]),
    (Scheme("sparse", (129, 70, 9), 1.0, 4, False, "IO"), np.s_[5:, ::-1, :8]),
    (Scheme("sparse", (20000, 5), 1.0, 2, True, "OI"), np.s_[9:19990, 1:]),
    (Scheme("sparse", (3, 263000), 1.0, 26300, True, "OI"), np.s_[1:, 5:263000:3]),
    (Scheme("sparse", (263000, 3), 1.0, 131500, False, "OI"), np.s_[70000:200001, ::-1]),
    (Scheme("sparse", (70, 9, 300), 1.0, 20, True, "IBO"), np.s_[5:, ::-1, :8]),
    (Scheme("sparse", (70, 90, 30), 1.0, 40, True, "OIB"), np.s_[5:, ::-2, 1:]),
    (Scheme("orthogonal", (3, 70, 2, 130), 1.5, "BOXI", (30, 40)), np.s_[::-2, 20:50, 1, 3:]),
    (Scheme("haar", (2, 150, 150), 1.0, True), np.s_[1, ::-3, 5:]),
    (Scheme("delta_orthogonal", (40, 3, 2, 66), 1.0, "IXBO"), np.s_[::-1, 1, :, 60:]),
    (Scheme("dirac", (500, 70, 3), 1.5, 10, "OI"), np.s_[1:, ::-1, 1]),
    (Scheme("dirac", (50, 3, 40, 12), 1.5, 4, "OBIO"), np.s_[::-3, 1:, ::-1, 2:]),
    (Scheme("broadcast", (200, 300), np.linspace(-1, 1, 300), 1), np.s_[5:, ::-2]),
    (Scheme("sinusoid", (700, 64), *turns(32), True), np.s_[300:, 1:]),
    (Scheme("step_bias", (250, 150), 0.001, 0.1, 1e-4), np.s_[::-3, 1:]),
]
THREADS = (1, 3)


def cases():
    """Without fma, normals take long: the largest weights only in a float's size and in a half's."""
    for (scheme, index), dtype in itertools.product(LARGE, FLOATS):
        if dtype in ("float32", "bfloat16") or scheme.name != "sparse" or math.prod(scheme.shape) <= 100_000:
            yield scheme, index, dtype


def digest(array):
    return hashlib.sha256(np.asarray(array).tobytes()).hexdigest()


def digests():
    result = {}
    for scheme, index, dtype in cases():
        for threads in THREADS:
            with fanin.num_threads(threads):
                label = f"{scheme.name} {scheme.shape} {dtype}, {threads} threads"
                result[label] = digest(scheme.native(dtype))
                result[label + ", a part"] = digest(scheme.native(dtype, index))
    return result


def test_threads_and_instruction_sets_change_no_bit():
    wanted = {}
    for scheme, index, dtype in cases():
        with fanin.num_threads(1):
            whole = scheme.native(dtype)
        for threads in THREADS:
            label = f"{scheme.name} {scheme.shape} {dtype}, {threads} threads"
            wanted[label] = digest(whole)
            wanted[label + ", a part"] = digest(whole[index])
    for isa in fanin.info()["available_isas"]:
        answer = json.loads(command(sys.executable, __file__, FANIN_FORCE_ISA=isa))
        assert answer.pop("isa") == isa
        assert answer == wanted


class TestLayouts:
    @pytest.mark.parametrize("letters", ["OIHW", "HWIO", "HWOI", "IOHW", "IHOW"])
    @pytest.mark.parametrize("name", ["orthogonal", "delta_orthogonal", "sparse", "dirac"])
    def test_letters_are_the_layout_with_implied_axes_transposed(self, name, letters):
        """The columns of a matrix stay in the order in which the axes are stored."""
        arguments = {"orthogonal": (1.0, letters, ()), "delta_orthogonal": (1.0, letters), "dirac": (1.0, 2, letters)}
        first = "O" + letters.replace("O", "") if name in ("orthogonal", "sparse") else "OIHW"
        sizes = {"O": 8, "I": 6, "H": 3, "W": 4}
        shape, to = (tuple(sizes[letter] for letter in order) for order in (letters, first))
        own = arguments.get(name, (1.0, 5, True, letters))
        ours = Scheme(name, shape, *own).native().transpose([letters.index(letter) for letter in first])
        other = Scheme(name, to, *("OI" if value == letters else value for value in own)).native()
        if name == "sparse":  # whose values are those of a normal, at places of the shape
            ours, other = ours != 0, other != 0
        assert same(ours.copy(), other)

    @pytest.mark.parametrize(("layout", "order"), [("BOI", "BOI"), ("OBI", "BOI"), ("OIB", "BOI"), ("IBO", "BIO")])
    def test_batch_axes_may_stand_anywhere(self, layout, order):
        sizes = {"B": 3, "O": 5, "I": 7}
        shapes = [tuple(sizes[letter] for letter in letters) for letters in (layout, order)]
        for name, arguments in {"orthogonal": (1.0,), "dirac": (1.0, 1)}.items():
            extra = ((),) if name == "orthogonal" else ()
            ours, other = (
                Scheme(name, shape, *arguments, letters, *extra).native()
                for shape, letters in zip(shapes, (layout, order), strict=True)
            )
            assert same(ours.transpose([layout.index(letter) for letter in order]).copy(), other)

    def test_a_batch_is_the_blocks_of_one_weight(self):
        batch = Scheme("orthogonal", (4, 6, 9), 1.0, "BOI", (2, 4)).native()
        assert same(batch.reshape(24, 9), Scheme("orthogonal", (24, 9), 1.0, "OI", (2, 4) * 4).native())
        square = Scheme("orthogonal", (4, 7, 7), 1.0, "BOI", ()).native()
        assert same(square, Scheme("haar", (4, 7, 7), 1.0, False).native())

    def test_every_matrix_of_a_batch_of_sparse_weights_has_lines_of_its_own(self):
        batch = Scheme("sparse", (3, 20, 30), 1.0, 4, True, "BOI").native()
        assert same(batch.reshape(60, 30), Scheme("sparse", (60, 30), 1.0, 4, True, "OI").native())

    @pytest.mark.parametrize("one", ["BOI", "OBI", "OIB"])
    def test_a_batch_of_one_is_the_weight(self, one):
        shape = tuple({"B": 1, "O": 8, "I": 6}[letter] for letter in one)
        for name, before, after in (
            ("orthogonal", (1.0,), ((),)),
            ("sparse", (1.0, 3, True), ()),
            ("dirac", (1.0, 2), ()),
        ):
            ours = Scheme(name, shape, *before, one, *after).native()
            assert same(ours.reshape(8, 6), Scheme(name, (8, 6), *before, "OI", *after).native())


class TestDirac:
    @pytest.mark.parametrize(
        ("shape", "groups"),
        [((6, 3), 1), ((6, 3), 2), ((3, 6), 3), ((5, 5, 3), 1), ((8, 2, 4, 5), 4), ((4, 6, 1, 2, 3), 2)],
    )
    def test_a_group_is_the_identity_at_the_centre(self, shape, groups):
        w = Scheme("dirac", shape, 2.0, groups, "OI").native("float64")
        centre = tuple((size - 1) // 2 for size in shape[2:])
        plane = w[(..., *centre)]
        eye = 2 * np.eye(shape[0] // groups, shape[1])
        assert (plane == np.concatenate([eye] * groups)).all()
        assert np.count_nonzero(w) == np.count_nonzero(plane)
        io = Scheme("dirac", (*shape[2:], shape[1], shape[0]), 2.0, groups, "IO").native("float64")
        assert (np.moveaxis(io, (-1, -2), (0, 1)) == w).all()

    @pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
    def test_a_convolution_with_it_is_the_identity(self, width):
        """The one is where "same" padding puts it: an even width has one more element after it than before."""
        w = Scheme("dirac", (4, 4, width), 1.0, 1, "OI").native("float64")
        x = np.random.default_rng(0).normal(size=(4, 30))
        padded = np.pad(x, ((0, 0), ((width - 1) // 2, width // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1)
        assert (np.einsum("oik,itk->ot", w, windows) == x).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_broadcast_rounds_each_value(dtype):
    values = np.array([0.1, -1 / 3, 1e-7, 65504.0, 0.0, -0.0, 2.0**-24, 5e-46])
    for axis in range(3):
        shape = tuple(8 if i == axis else 3 for i in range(3))
        w = Scheme("broadcast", shape, values, axis).native(dtype)
        row = reference_schemes.rounded(values, dtype)
        wanted = np.broadcast_to(np.expand_dims(row, [i for i in range(3) if i != axis]), shape)
        assert same(w, wanted.copy())


class TestStepBias:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_softplus_of_it_is_log_uniform(self, dtype):
        b = _core.step_bias(1e-3, 0.1, 0.0, SEED, NAME, code(dtype), (200_000,), None, None).astype(np.float64)
        logs = np.log(np.log1p(np.exp(b)))
        assert stats.kstest(logs, stats.uniform(math.log(1e-3), math.log(100)).cdf).pvalue > P

    def test_the_floor_is_a_least_step(self):
        b = _core.step_bias(1e-3, 0.1, 0.02, SEED, NAME, code("float64"), (20_000,), None, None)
        least = math.log(math.expm1(0.02))
        assert abs(b.min() - least) < 1e-14
        assert abs(np.count_nonzero(b == b.min()) / b.size - math.log(20) / math.log(100)) < 0.015

    def test_one_value_where_low_is_high(self):
        b = _core.step_bias(0.5, 0.5, 0.0, SEED, NAME, code("float64"), (100,), None, None)
        assert len(np.unique(b)) == 1
        assert abs(b[0] - math.log(math.expm1(0.5))) < 1e-15


@pytest.mark.parametrize("dtype", FLOATS)
def test_half_types_are_the_float32_value_rounded(dtype):
    if dtype in ("float16", "bfloat16"):
        for scheme in schemes(np.random.default_rng(5)):
            assert same(scheme.native(dtype), scheme.native("float32").astype(reference.DTYPES[dtype]))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_part_is_an_empty_result(shape):
    columns = np.zeros((shape[1] + 1) // 2)
    for scheme in (
        Scheme("sparse", shape, 1.0, 3, True, "OI"),
        Scheme("sparse", shape, 1.0, 3, False, "IO"),
        Scheme("dirac", shape, 1.0, 1, "OI"),
        Scheme("broadcast", shape, np.zeros(shape[0]), 0),
        Scheme("sinusoid", shape, columns, columns, True),
        Scheme("step_bias", shape, 0.1, 0.2, 0.0),
    ):
        assert scheme.native().shape == shape
    w = Scheme("sparse", (4, 6), 1.0, 2, True, "OI").native("float32", np.s_[2:2, :])
    assert w.shape == (0, 6)


if __name__ == "__main__":
    json.dump({"isa": fanin.info()["active_isa"]} | digests(), sys.stdout)
