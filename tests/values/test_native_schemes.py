"""The native functions of all but plain samplers: matrices, sparse, Dirac, broadcast, sinusoid, step bias.

FANIN_FORCE_ISA is read once, so every instruction set computes in a process of its own: this file, run as a program.
"""

import hashlib
import itertools
import json
import math
import sys
from functools import cache

import numpy as np
import pytest
import reference
import reference_axes
import reference_orthogonal
import reference_schemes
from interrupts import overrun
from mpmath import mp, mpf
from processes import command, run
from scipy import stats

import fanin
from fanin import _core

SEED, NAME = 0x243F6A8885A308D3, "h.0.attn.c_attn.weight"
FLOATS = tuple(reference.DTYPES)
P = 1e-4  # keys are fixed: a smaller p-value would be a defect and not chance


def code(dtype):
    return _core.Dtype[dtype]


def box_of(index, shape):
    """What the native functions take for an index of a slice or an int for every axis."""
    if index is None:
        return None
    axes = []
    for part, size in zip(index, shape, strict=True):
        if isinstance(part, slice):
            numbers = range(*part.indices(size))
            axes.append((numbers.start, numbers.step, len(numbers)))
        else:
            axes.append(part % size)
    return tuple(axes)


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


class Scheme:
    """A native function with its arguments, and its reference."""

    def __init__(self, name, shape, *arguments):
        self.name, self.shape, self.arguments = name, shape, arguments

    def __repr__(self):
        return f"{self.name}{self.arguments} of {self.shape}"

    def native(self, dtype="float32", index=None, out=None, key=(SEED, NAME)):
        key = () if self.name in ("dirac", "broadcast", "sinusoid") else key
        function = getattr(_core, self.name)
        return function(*self.arguments, *key, code(dtype), self.shape, box_of(index, self.shape), out)

    def reference(self, dtype="float32"):
        index = np.arange(math.prod(self.shape), dtype=np.uint64)
        if self.name == "sparse":
            values = reference_schemes.sparse(SEED, NAME, index, self.shape, *self.arguments, dtype)
        elif self.name == "orthogonal":
            gain, layout, blocks = self.arguments
            values = reference_orthogonal.batch(SEED, NAME, self.shape, layout, gain, blocks, dtype)
        elif self.name == "delta_orthogonal":
            gain, layout = self.arguments
            values = reference_orthogonal.delta(SEED, NAME, self.shape, layout, gain, dtype)
        elif self.name == "haar":
            values = reference_orthogonal.haar(SEED, NAME, self.shape, *self.arguments, dtype)
        elif self.name == "step_bias":
            values = reference_schemes.step_bias(SEED, NAME, index, *self.arguments, dtype)
        else:
            values = getattr(reference_schemes, self.name)(index, self.shape, *self.arguments, dtype)
        return values.reshape(self.shape)


def turns(count, base=10000):
    """base^(-i/count)/2π as unevaluated sums."""
    with mp.workdps(60):
        exact = [mpf(base) ** (-mpf(i) / count) / (2 * mp.pi) for i in range(count)]
        high = [float(f) for f in exact]
        return np.array(high), np.array([float(f - mpf(h)) for f, h in zip(exact, high, strict=True)])


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


@pytest.mark.parametrize("seed", range(40))
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


class TestSparse:
    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("nonzeros", [0, 1, 77, 299, 300])
    def test_every_line_has_as_many_and_they_are_the_normal_s(self, dtype, nonzeros):
        normal = _core.normal(0.0, 0.5, SEED, NAME, code(dtype), (300, 300), None, None)
        for per_output, layout in itertools.product((True, False), ("OI", "IO")):
            w = Scheme("sparse", (300, 300), 0.5, nonzeros, per_output, layout).native(dtype)
            counts = np.count_nonzero(w, axis=1 if per_output == (layout == "OI") else 0)
            assert (counts == nonzeros).all()
            assert ((w == normal) | (w == 0)).all()
            assert not np.signbit(w[w == 0].astype(np.float32)).any()

    def test_layouts_transpose_the_places(self):
        """A line's entries do not depend on how the weight lies in memory."""
        io = Scheme("sparse", (70, 40), 1.0, 20, True, "IO").native()
        oi = Scheme("sparse", (40, 70), 1.0, 20, True, "OI").native()
        assert same(io.T != 0, oi != 0)

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("shape", [(300, 210), (70, 5, 130)])
    def test_memory_in_the_other_order_has_the_same_values(self, shape, dtype):
        """Panels of rows are masked before they are written as columns."""
        for per_output, layout in itertools.product((True, False), ("OI", "IO")):
            scheme = Scheme("sparse", shape, 1.0, 20, per_output, layout)
            out = np.ones(shape[::-1], reference.DTYPES[dtype]).T
            scheme.native(dtype, out=out)
            assert same(out.copy("C"), scheme.native(dtype))

    @pytest.mark.parametrize("shape", [(5, 262_145), (262_145, 70)])
    def test_long_lines_are_exact_too(self, shape):
        """Longer than what is kept in memory: drawn again for every look at them."""
        across = shape[0] > shape[1]
        w = Scheme("sparse", shape, 1.0, 26_214, not across, "OI").native()
        lines = w.T if across else w
        assert (np.count_nonzero(lines, axis=1) == 26_214).all()
        for number in (0, len(lines) - 1):
            mask = reference_schemes.chosen(SEED, NAME, number, 262_145, 26_214)
            assert same(lines[number] != 0, mask)
        normal = _core.normal(0.0, 1.0, SEED, NAME, code("float32"), shape, None, None)
        assert same(w, np.where(w != 0, normal, np.float32(0)))

    @pytest.mark.parametrize(
        ("shape", "per_output", "index"),
        [
            ((2**21 + 100, 9), True, np.s_[:, 5]),  # by lines
            ((2**21 + 100, 2), False, np.s_[:, :]),  # by positions
            ((2, 2**27 + 100), True, np.s_[1:, ::64]),  # by positions, of which a few are wanted
        ],
    )
    def test_parts_too_large_for_one_mask_are_their_smaller_parts(self, shape, per_output, index):
        """The same as smaller parts of them."""
        scheme = Scheme("sparse", shape, 1.0, 3, per_output, "OI")
        part = scheme.native("float32", index)
        rows = range(*index[0].indices(shape[0]))
        pieces = []
        for start in range(0, len(rows), 300_001):
            few = rows[start : start + 300_001]
            pieces.append(scheme.native("float32", (slice(few.start, few.stop), *index[1:])))
        assert same(part, np.concatenate(pieces))
        assert np.count_nonzero(part) <= 3 * (len(rows) if per_output else 2)

    @pytest.mark.parametrize("shape", [(3, 2**61), (2**61, 3)])
    def test_a_part_of_more_lines_than_memory_holds_is_exact(self, shape):
        """Their words' places exceed 2^64 and wrap."""
        scheme = Scheme("sparse", shape, 1.0, 2, shape[1] == 3, "OI")
        index = np.s_[:, 2**61 - 300 :] if shape[0] == 3 else np.s_[2**61 - 300 :, :]
        w = scheme.native("float64", index)
        lines = w.T if shape[0] == 3 else w
        for i in (0, 7, 299):
            assert same(lines[i] != 0, reference_schemes.chosen(SEED, NAME, 2**61 - 300 + i, 3, 2))

    def test_places_are_equally_likely(self):
        """Counts of k of n places in L lines have covariance Lp(1 - p)(δ - 1/n)·n/(n - 1): χ² with n - 1 degrees."""
        for length, nonzeros, lines in ((64, 16, 50_000), (300, 30, 20_000), (1000, 500, 8000)):
            w = Scheme("sparse", (lines, length), 1.0, nonzeros, True, "OI").native()
            p = nonzeros / length
            deviation = np.count_nonzero(w, axis=0) - lines * p
            chi2 = (deviation**2).sum() / (lines * p * (1 - p)) * (length - 1) / length
            assert min(stats.chi2.sf(chi2, length - 1), stats.chi2.cdf(chi2, length - 1)) > P

    @pytest.mark.parametrize(("length", "nonzeros"), [(12, 4), (9, 3), (16, 2), (6, 5)])
    def test_all_subsets_are_equally_likely(self, length, nonzeros):
        """Pairs, triples and all else: every set of places, over 200000 lines."""
        w = Scheme("sparse", (200_000, length), 1.0, nonzeros, True, "OI").native()
        sets, counts = np.unique((w != 0) @ (1 << np.arange(length)), return_counts=True)
        assert len(sets) == math.comb(length, nonzeros)
        assert stats.chisquare(counts).pvalue > P

    def test_places_far_apart_occur_together_as_often_as_any(self):
        """Every pair of 40 places: counts of pairs, whose sum is fixed, have close to the variance of binomials."""
        lines, length, nonzeros = 100_000, 40, 10
        chosen = (Scheme("sparse", (lines, length), 1.0, nonzeros, True, "OI").native() != 0).astype(np.float64)
        counts = (chosen.T @ chosen)[np.triu_indices(length, 1)]
        p = nonzeros * (nonzeros - 1) / (length * (length - 1))
        z = (counts - lines * p) / math.sqrt(lines * p * (1 - p))
        assert abs(z).max() < stats.norm.isf(P / 2 / z.size)
        assert stats.kstest(z, stats.norm.cdf).pvalue > P

    @pytest.mark.parametrize("lag", [1, 2, 64])
    def test_lines_do_not_depend_on_each_other(self, lag):
        """Places that two lines share: hypergeometric."""
        lines, length, nonzeros = 40_000, 100, 30
        chosen = Scheme("sparse", (lines + lag, length), 1.0, nonzeros, True, "OI").native() != 0
        shared = np.count_nonzero(chosen[lag:] & chosen[:-lag], axis=1)
        law = stats.hypergeom(length, nonzeros, nonzeros)
        assert abs(shared.mean() - law.mean()) < stats.norm.isf(P / 2) * law.std() / math.sqrt(lines)

    def test_names_and_seeds_have_places_of_their_own(self):
        scheme = Scheme("sparse", (4000, 100), 1.0, 30, True, "OI")
        first = scheme.native(key=(0, "w")) != 0
        law = stats.hypergeom(100, 30, 30)
        for key in ((1, "w"), (0, "v"), (2**63, "w")):
            shared = np.count_nonzero(first & (scheme.native(key=key) != 0), axis=1)
            assert abs(shared.mean() - law.mean()) < stats.norm.isf(P / 2) * law.std() / math.sqrt(4000)

    def test_values_are_normal_and_do_not_depend_on_the_places(self):
        w = Scheme("sparse", (2000, 500), 1.0, 100, True, "OI").native()
        assert stats.kstest(w[w != 0], stats.norm.cdf).pvalue > P

    def test_a_growing_number_of_entries_keeps_those_there_are(self):
        few, many = (Scheme("sparse", (50, 90), 1.0, k, False, "OI").native() for k in (5, 20))
        assert (many[few != 0] == few[few != 0]).all()

    def test_the_memory_of_a_mask_is_bounded(self):
        """Half a gigabyte of float16 needs 16 MiB for the mask, and little for each of two threads."""
        script = """
            import numpy as np
            from fanin import _core
            from processes import peak
            _core.set_num_threads(2)
            out = np.ones((16384, 16384), np.float16)
            _core.normal(0.0, 1.0, 0, "w", _core.Dtype.float16, out.shape, None, out)
            before = peak()
            for per_output in (True, False):
                _core.sparse(1.0, 1638, per_output, "OI", 0, "w", _core.Dtype.float16, out.shape, None, out)
            print(peak() - before)
        """
        assert int(run(script)) < 32 * 2**20

    def test_ctrl_c_ends_long_lines(self):
        """Without an answer, one of the 64 would go on for 16 units; with one, it does for less than 0.1."""
        index = "((0, 1, {0}), (0, 1, 8))"
        draw = f"_core.sparse(1.0, {{1}} // 2, True, 'OI', 0, 'w', _core.Dtype.float32, ({{0}}, {{1}}), {index}, None)"
        assert overrun(draw.format(64, 2**31), unit=draw.format(8, 2**24)) < 1


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


@cache
def angles():
    """Positions, and the exact sine and cosine of each of 16 frequencies in turn at each of them."""
    with mp.workdps(60):
        rng = np.random.default_rng(0)
        rows = [0, 1, 2, 3, 7, 100, 1023, 2**20 - 1, 2**20, *rng.integers(0, 2**20, 91).tolist()]
        exact = []
        for row, i in itertools.product(rows, range(16)):
            angle = row * mpf(10000) ** (-mpf(i) / 16)
            exact += [mp.sin(angle), mp.cos(angle)]
        return rows, exact


class TestAccuracy:
    """Errors in ulp of the exact value, against mpmath: what docs/stream-v1.md states."""

    @staticmethod
    def ulps(found, exact, floor=0.0):
        kind = found.dtype.type
        worst = 0
        for x, e in zip(found.ravel().tolist(), exact, strict=True):
            unit = mpf(float(np.spacing(kind(max(abs(float(e)), floor)))))
            worst = max(worst, abs(mpf(x) - e) / unit)
        return float(worst)

    @pytest.fixture(autouse=True)
    def sixty_digits(self):
        with mp.workdps(60):
            yield

    def sinusoids(self, rows, dtype):
        scheme = Scheme("sinusoid", (2**20 + 1, 32), *turns(16), True)
        return np.stack([scheme.native(dtype, np.s_[row, :]) for row in rows])

    def test_sinusoid_float32_is_correctly_rounded_but_for_ties(self):
        rows, exact = angles()
        assert self.ulps(self.sinusoids(rows, "float32"), exact) < 0.5001

    def test_sinusoid_float64_is_accurate_to_the_stated_ulp(self):
        rows, exact = angles()
        found = self.sinusoids(rows, "float64")
        assert max(abs(mpf(x) - e) for x, e in zip(found.ravel().tolist(), exact, strict=True)) < 1.6e-16
        assert self.ulps(found, exact) < 2.5

    def test_the_exponential_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(1)
        y = np.concatenate([rng.uniform(-700, 700, 3000), rng.uniform(-1, 1, 2000), [0.0, 1e-300, -1e-9]])
        assert self.ulps(reference_schemes.exp(y), [mp.exp(mpf(v)) for v in y.tolist()]) < 1

    def test_one_minus_the_exponential_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(2)
        y = -np.concatenate(
            [rng.uniform(0, 40, 2000), 10.0 ** rng.uniform(-300, 2, 3000), [0.34, 0.35, 99, 101, 1e300]]
        )
        assert self.ulps(reference_schemes.one_minus_exp(y), [-mp.expm1(mpf(v)) for v in y.tolist()]) < 1.2

    def test_the_logarithm_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(3)
        x = np.concatenate([10.0 ** rng.uniform(-300, 300, 3000), rng.uniform(0.5, 2, 2000)])
        assert self.ulps(reference_schemes.ln(x), [mp.log(mpf(v)) for v in x.tolist()]) < 1.5

    def test_the_inverse_softplus_is_accurate_to_the_stated_ulp(self):
        """It crosses 0 at ln 2, where the error is that of numbers near 1."""
        rng = np.random.default_rng(4)
        step = np.concatenate([10.0 ** rng.uniform(-300, 300, 2000), 10.0 ** rng.uniform(-4, 1, 3000)])
        exact = [mpf(v) + mp.log(-mp.expm1(-mpf(v))) for v in step.tolist()]
        assert self.ulps(reference_schemes.inverse_softplus(step), exact, floor=1.0) < 2.7

    @pytest.mark.parametrize(("low", "high", "floor"), [(0.001, 0.1, 1e-4), (1e-6, 10.0, 0.01)])
    def test_the_step_bias_is_accurate_to_the_stated_ulp(self, low, high, floor):
        """The whole of it: an error of ln low in ulp becomes one of the step, relative to it."""
        shape = (3000,)
        for dtype, bound in (("float32", 0.51), ("float64", -1.2 * math.log(low))):
            found = _core.step_bias(low, high, floor, SEED, NAME, code(dtype), shape, None, None)
            u = _core.uniform(0.0, 1.0, SEED, NAME, code(dtype), shape, None, None)
            exact = []
            for v in u.tolist():
                step = mpf(low) * (mpf(high) / mpf(low)) ** mpf(v)
                step = max(step, mpf(floor))
                exact.append(mp.log(mp.expm1(step)))
            assert self.ulps(found, exact, floor=1.0) < bound


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


def sparse(shape=(4, 6), std=1.0, nonzeros=2, per_output=True, layout="OI", dtype="float32", **options):
    return Scheme("sparse", shape, std, nonzeros, per_output, layout).native(dtype, **options)


def dirac(shape=(4, 6), gain=1.0, groups=1, dtype="float32"):
    return Scheme("dirac", shape, gain, groups, "OI").native(dtype)


def broadcast(values=(1.0, 2.0), axis=0, shape=(2, 3), dtype="float32"):
    return Scheme("broadcast", shape, np.array(values), axis).native(dtype)


def sinusoid(shape=(4, 4), high=(0.1, 0.2), low=(0.0, 0.0), dtype="float32"):
    return Scheme("sinusoid", shape, np.array(high), np.array(low), True).native(dtype)


def step_bias(low=0.1, high=0.2, floor=0.0, dtype="float32"):
    return Scheme("step_bias", (3,), low, high, floor).native(dtype)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: sparse(nonzeros=-1),
            ValueError,
            "nonzeros must be between 0 and 6, the weights into an output, got -1",
        ),
        (lambda: sparse(nonzeros=7), ValueError, "nonzeros must be between 0 and 6, the weights into an output, got 7"),
        (lambda: sparse(nonzeros=5, per_output=False), ValueError, "between 0 and 4, the outputs, got 5"),
        (lambda: sparse(nonzeros=5, layout="IO"), ValueError, "between 0 and 4, the weights into an output, got 5"),
        (lambda: sparse(layout="OE"), ValueError, "layout must be .* a letter for each of the 2 axes.*; got .OE."),
        (lambda: sparse(layout="BI"), ValueError, "O output, at least once.*; got .BI."),
        (lambda: sparse(layout="OIB"), ValueError, "a letter for each of the 2 axes of shape.*; got .OIB."),
        (lambda: sparse(layout=True), TypeError, "layout must be a str, got True"),
        (lambda: sparse(nonzeros=1.5), TypeError, "nonzeros must be an integer, got 1.5"),
        (lambda: sparse(std=-1.0), ValueError, "std must be finite and not negative, got -1"),
        (lambda: sparse(std=math.nan), ValueError, "std must be finite and not negative, got nan"),
        (lambda: sparse(std=1e38), ValueError, "mean and std must satisfy .* largest float32"),
        (lambda: sparse(std=1e4, dtype="float16"), ValueError, "largest float16"),
        (lambda: sparse(std="1"), TypeError, "std must be a number"),
        (lambda: sparse(shape=(6,)), ValueError, "shape must have at least 2 dimensions, out and in, got 1"),
        (lambda: sparse(shape=(6, -1)), ValueError, "shape must have no negative axis"),
        (lambda: sparse(shape=(2, 2**40), index=np.s_[:, 0:1]), ValueError, "at most 2\\^32 weights into an output"),
        (lambda: sparse(key=(-1, "w")), ValueError, "seed must be"),
        (lambda: sparse(out=np.zeros((6, 4), "f4")), ValueError, "out must have shape"),
        (lambda: dirac(groups=0), ValueError, "groups must divide the 4 outputs of shape, got 0"),
        (lambda: dirac(groups=3), ValueError, "groups must divide the 4 outputs of shape, got 3"),
        (lambda: dirac(shape=(4,)), ValueError, "shape must have at least 2 dimensions, out and in, got 1"),
        (lambda: dirac(gain=math.inf), ValueError, "gain must be finite, got inf"),
        (lambda: dirac(gain=7e4, dtype="float16"), ValueError, "gain must not exceed the largest float16, 65504"),
        (lambda: broadcast(axis=2), ValueError, "axis must be one of the 2 axes of shape, got 2"),
        (lambda: broadcast(axis=-1), ValueError, "axis must be one of the 2 axes of shape, got -1"),
        (lambda: broadcast(axis=1), ValueError, "values must have 3 elements, as axis 1 of shape has, got 2"),
        (lambda: broadcast([1.0, math.nan]), ValueError, r"values\[1\] must be finite, got nan"),
        (lambda: broadcast([1e39, 1.0]), ValueError, r"values\[0\] must not exceed the largest float32"),
        (lambda: broadcast([[1.0, 2.0]]), ValueError, "values must have 1 dimension, got 2"),
        (lambda: sinusoid(shape=(4,)), ValueError, "shape must have 2 dimensions, positions and features, got 1"),
        (lambda: sinusoid(shape=(4, 5)), ValueError, "turns_high and turns_low must have 3 elements each"),
        (lambda: sinusoid(high=(0.1, math.nan)), ValueError, "turns_high must be finite.*got nan"),
        (lambda: sinusoid(high=(0.1, 1e15)), ValueError, "turns_high must be finite.*got 1e\\+15"),
        (lambda: sinusoid(low=(0.1, math.inf)), ValueError, "turns_low must be finite.*got inf"),
        (lambda: step_bias(low=0.0), ValueError, "low and high must satisfy 1e-300 <= low <= high <= .*got 0 and 0.2"),
        (lambda: step_bias(low=0.3), ValueError, "low and high must satisfy .*got 0.3 and 0.2"),
        (lambda: step_bias(low=math.nan), ValueError, "low and high must satisfy .*got nan"),
        (lambda: step_bias(high=math.inf), ValueError, "low and high must satisfy .*got 0.1 and inf"),
        (lambda: step_bias(high=1e5, dtype="float16"), ValueError, "<= 65504, got"),
        (lambda: step_bias(floor=-1.0), ValueError, "floor must be between 0 and .*got -1"),
        (lambda: step_bias(floor=math.inf), ValueError, "floor must be between 0 and .*got inf"),
        (lambda: dirac(dtype="uint32"), ValueError, "dtype must be float32, .*got uint32"),
    ],
)
def test_errors_name_the_argument_its_value_and_what_is_allowed(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_overlapping_memory_is_refused():
    out = np.lib.stride_tricks.as_strided(np.zeros(100, np.float32), (4, 6), (4, 4))
    for scheme in (
        Scheme("sparse", (4, 6), 1.0, 2, True, "OI"),
        Scheme("dirac", (4, 6), 1.0, 1, "OI"),
        Scheme("broadcast", (4, 6), np.zeros(4), 0),
        Scheme("sinusoid", (4, 6), np.zeros(3), np.zeros(3), True),
        Scheme("step_bias", (4, 6), 0.1, 0.2, 0.0),
    ):
        with pytest.raises(ValueError, match="overlap"):
            scheme.native(out=out)


if __name__ == "__main__":
    json.dump({"isa": fanin.info()["active_isa"]} | digests(), sys.stdout)
