"""Sparse weights: as many entries in each line, of the normal's values, at places that are equally likely."""

import itertools
import math

import numpy as np
import pytest
import reference
import reference_schemes
from interrupts import overrun
from native_schemes import FLOATS, NAME, SEED, Scheme, code, same
from processes import run
from scipy import stats

from fanin import _core

P = 1e-4  # keys are fixed: a smaller p-value would be a defect and not chance


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
