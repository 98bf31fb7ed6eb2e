"""Samples follow their distributions and are independent.

Keys are fixed, so every result is too; a p-value below P would be a defect and not chance.
"""

import math

import ml_dtypes
import numpy as np
import pytest
from scipy import stats

import fanin

P = 1e-4
KEY = {"seed": 20, "name": "w"}
FLOATS = ["float32", "float64"]


def chi_square(observed, expected):
    """p-value of counts against equally likely, or given, expected counts."""
    return stats.chisquare(observed, np.broadcast_to(expected, np.shape(observed))).pvalue


def two_sided(count, trials, probability):
    """p-value of a binomial count."""
    return stats.binomtest(int(count), trials, probability).pvalue


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
class TestShape:
    """The distribution function, over its whole range."""

    def test_the_uniform_follows_its_law(self, dtype, seed):
        u = fanin.uniform(1_000_000, -1.0, 3.0, seed=seed, name="w", dtype=dtype)
        assert stats.kstest(u, stats.uniform(-1, 4).cdf).pvalue > P

    def test_the_normal_follows_its_law(self, dtype, seed):
        z = fanin.normal(1_000_000, 0.5, 2.0, seed=seed, name="w", dtype=dtype)
        assert stats.kstest(z, stats.norm(0.5, 2).cdf).pvalue > P

    @pytest.mark.parametrize("window", [(-2, 2), (-0.5, 0.1), (-1, 4), (0, math.inf), (2, 3), (6, 7), (-math.inf, -20)])
    def test_the_truncated_normal_follows_its_law(self, dtype, seed, window):
        t = fanin.truncated_normal(200_000, 0.0, 1.0, *window, seed=seed, name="w", dtype=dtype)
        assert stats.kstest(t.astype(np.float64), stats.truncnorm(*window).cdf).pvalue > P


@pytest.mark.parametrize("dtype", FLOATS)
def test_anderson_darling_weighs_the_tails_of_the_normal(dtype):
    """With mean and std known, A² is above 5.6 (6.0 for finite n) once in a thousand (Anderson and Darling, 1954)."""
    z = np.sort(fanin.normal(1_000_000, dtype=dtype, **KEY).astype(np.float64))
    i = np.arange(1, z.size + 1)
    a_squared = -z.size - np.mean((2 * i - 1) * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1])))
    assert a_squared < 6.0


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_normal_has_its_moments(dtype):
    """The first six standardized moments, each within 4 standard errors (p = 6e-5)."""
    z = fanin.normal(2**22, dtype=dtype, **KEY).astype(np.float64)
    for order in range(1, 7):
        expected = stats.norm.moment(order)
        error = math.sqrt((stats.norm.moment(2 * order) - expected**2) / z.size)
        assert abs((z**order).mean() - expected) < 4 * error


@pytest.mark.parametrize(("sigma", "log_size"), [(4, 24), (5, 27), pytest.param(6, 34, marks=pytest.mark.exhaustive)])
def test_normal_tails_are_counted(sigma, log_size):
    """Past 6σ only 34 of 2^34 values are expected; a generator that stops there would show 0."""
    step, counts = 2**24, np.zeros(2, np.int64)
    for start in range(0, 2**log_size, step):
        z = fanin.normal(2**log_size, index=slice(start, start + step), **KEY)
        counts += np.count_nonzero(z > sigma), np.count_nonzero(z < -sigma)
    for count in counts:
        assert two_sided(count, 2**log_size, stats.norm.sf(sigma)) > P


def test_the_float64_normal_has_tails_beyond_float32_s():
    z = fanin.normal(2**24, dtype="float64", **KEY)
    assert two_sided(np.count_nonzero(abs(z) > 5), z.size, 2 * stats.norm.sf(5)) > P
    assert np.unique(z).size == z.size


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_halves_keep_the_distribution_at_their_resolution(half):
    """Each value of the dtype near the mean is as frequent as its rounding interval is likely."""
    z = fanin.normal(1_000_000, dtype=half, **KEY).astype(np.float64)
    wide = fanin.normal(1_000_000, **KEY)
    assert abs(z - wide).max() <= 2.0 ** (-11 if half == "float16" else -8) * abs(wide).max()
    values, counts = np.unique(z, return_counts=True)
    edges = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
    expected = np.diff(stats.norm.cdf(edges)) * z.size
    often = (expected > 50) & (values > 0.25) & (values < 2)
    assert stats.chi2.sf((((counts - expected) ** 2 / expected)[often]).sum(), often.sum()) > P


class TestTruncation:
    """Bounds hold in every dtype, and no value is more frequent than its interval."""

    @pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
    @pytest.mark.parametrize("bound", [0.06, 0.1, 1 / 3, 0.01])
    @pytest.mark.parametrize("sample", ["uniform", "truncated_normal"])
    def test_no_value_is_beyond_a_bound_that_the_dtype_does_not_hold(self, dtype, bound, sample):
        if sample == "uniform":
            values = fanin.uniform(200_000, -bound, bound, dtype=dtype, **KEY)
        else:
            values = fanin.truncated_normal(200_000, 0, 0.02, -bound, bound, bounds="absolute", dtype=dtype, **KEY)
        assert np.abs(values.astype(np.float64)).max() <= bound

    @pytest.mark.parametrize("window", [(-2.0, 2.0), (-1.0, 3.0), (2.0, 6.0), (7.0, 8.0)])
    def test_float32_does_not_pile_up_at_a_bound(self, window):
        """A float32 neighbourhood of a bound holds what the density says, a few values in 2^24."""
        t = fanin.truncated_normal(2**24, 0, 1, *window, **KEY).astype(np.float64)
        law = stats.truncnorm(*window)
        for bound, sign in zip(window, (1, -1), strict=True):
            inner = bound + sign * 4 * np.spacing(np.float32(abs(bound)))
            count = np.count_nonzero(t <= inner if sign > 0 else t >= inner)
            expected = t.size * (law.cdf(inner) if sign > 0 else law.sf(inner))
            assert stats.poisson.sf(count - 1, expected + 1) > P  # 1 for the 32-bit grid of the words

    def test_bfloat16_gives_the_bounds_their_share(self):
        """0.06 is no bfloat16: values that would round past it stay on the largest one below, and no others do."""
        t = fanin.truncated_normal(2**20, 0, 0.02, -0.06, 0.06, bounds="absolute", dtype="bfloat16", **KEY)
        largest = ml_dtypes.bfloat16(0.06)
        assert float(largest) > 0.06  # the nearest bfloat16 lies outside: torch returns it
        largest = np.nextafter(largest, ml_dtypes.bfloat16(0))
        below = np.nextafter(largest, ml_dtypes.bfloat16(0))
        edge = (float(largest) + float(below)) / 2
        law = stats.truncnorm(-3, 3, scale=0.02)
        assert two_sided(np.count_nonzero(t == largest), t.size, law.sf(edge)) > P
        assert two_sided(np.count_nonzero(t == -largest), t.size, law.sf(edge)) > P

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    @pytest.mark.parametrize("fan_in", [6, 300, 1000, 4096])
    def test_a_bounded_half_is_the_float32_cast_except_beyond_its_bounds(self, dtype, fan_in):
        """Rounding takes some casts past √6/√fan_in; they become the last value of the dtype before it."""
        single, half = (fanin.he_uniform((256, fan_in), layout="OI", dtype=d, **KEY) for d in (np.float32, dtype))
        bound = math.sqrt(6 / fan_in)
        cast = single.astype(half.dtype)
        beyond = abs(cast.astype(np.float64)) > bound
        assert (half[~beyond] == cast[~beyond]).all()
        assert (abs(half[beyond].astype(np.float64)) <= bound).all()
        assert (np.nextafter(half[beyond], cast[beyond]) == cast[beyond]).all()

    def test_a_bound_beyond_float16_does_not_pile_up_at_its_largest_value(self):
        """65504 has the half cell of [65488, 65504]; 70000 counts as 65504, or a third of the values would be there."""
        u = fanin.uniform(2**20, 6e4, 7e4, dtype="float16", **KEY)
        assert two_sided(np.count_nonzero(u == 65504), u.size, 16 / 5504) > P
        cells = np.bincount(((u.astype(np.int64) - 60000) // 32), minlength=173)
        assert chi_square(cells[1:-1], cells[1:-1].sum() / 171) > P

    def test_a_window_far_in_the_tail_has_its_law(self):
        t = fanin.truncated_normal(100_000, 0, 1, 30, 31, dtype="float64", **KEY)
        assert 30 <= t.min() < t.max() <= 31
        assert stats.kstest(t, stats.truncnorm(30, 31).cdf).pvalue > P


class TestBits:
    """Words have no structure that a chi-square test finds."""

    @pytest.mark.parametrize("dtype", ["uint32", "uint64"])
    def test_every_bit_is_fair(self, dtype):
        words = fanin.bits(2**20, dtype=dtype, **KEY)
        for bit in range(words.dtype.itemsize * 8):
            assert two_sided(np.count_nonzero(words >> bit & 1), words.size, 0.5) > P

    @pytest.mark.parametrize("lag", [1, 32, 64, 128, 4096])
    def test_pairs_of_bytes_are_equally_likely(self, lag):
        """High and low bytes of words `lag` apart: neighbours, words of one block, tiles."""
        words = fanin.bits(2**22 + lag, **KEY)
        for shift in (0, 24):
            octets = words >> shift & 255
            pairs = np.bincount(octets[:-lag] * 256 + octets[lag:], minlength=2**16)
            assert chi_square(pairs, pairs.sum() / 2**16) > P

    def test_repeated_words_are_as_rare_as_birthdays(self):
        words = fanin.bits(2**20, **KEY)
        repeats = words.size - np.unique(words).size
        assert stats.poisson.interval(1 - P, words.size**2 / 2**33)[0] <= repeats
        assert repeats <= stats.poisson.interval(1 - P, words.size**2 / 2**33)[1]


class TestIndependence:
    """Across positions, words, names and seeds."""

    @staticmethod
    def assert_uncorrelated(x, y):
        """The correlation of n pairs of normals, of squares and of magnitudes, is within 4/√n (p = 6e-5)."""
        limit = 4 / math.sqrt(x.size)
        for f in (lambda v: v, np.square, np.abs):
            assert abs(np.corrcoef(f(x.astype(np.float64)), f(y.astype(np.float64)))[0, 1]) < limit

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("lag", [1, 2, 16, 32, 64, 96, 128, 1024, 65536])
    def test_positions_are_uncorrelated(self, dtype, lag):
        z = fanin.normal(2**20 + lag, dtype=dtype, **KEY)
        self.assert_uncorrelated(z[:-lag], z[lag:])

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_the_two_of_a_box_muller_pair_are_independent(self, dtype):
        """They share a radius: their direction is uniform, and independent of it."""
        z = fanin.normal((2**13, 128), dtype=dtype, **KEY).astype(np.float64)
        x, y = z[:, :32].ravel(), z[:, 32:64].ravel()
        self.assert_uncorrelated(x, y)
        turn = np.arctan2(y, x) / (2 * np.pi) + 0.5
        decay = np.exp(-(x**2 + y**2) / 2)
        assert stats.kstest(turn, "uniform").pvalue > P
        assert stats.kstest(decay, "uniform").pvalue > P
        counts = np.histogram2d(turn, decay, bins=32)[0]
        assert chi_square(counts.ravel(), counts.sum() / 1024) > P

    @pytest.mark.parametrize("other", ["v", "w ", "W", "w.0", "w\0", ""])
    def test_other_names_are_uncorrelated(self, other):
        self.assert_uncorrelated(fanin.normal(2**20, **KEY), fanin.normal(2**20, seed=20, name=other))

    @pytest.mark.parametrize("other", [0, 21, 20 + 2**32, 20 ^ 2**63, 2**64 - 1])
    def test_other_seeds_are_uncorrelated(self, other):
        self.assert_uncorrelated(fanin.normal(2**20, **KEY), fanin.normal(2**20, seed=other, name="w"))

    def test_dtypes_of_32_and_64_bits_are_uncorrelated(self):
        self.assert_uncorrelated(fanin.normal(2**20, **KEY), fanin.normal(2**20, dtype="float64", **KEY))

    def test_sums_over_names_and_seeds_are_normal(self):
        """Sums over layers and over seeds are normal: nothing adds up."""
        n = 400
        first = np.array([fanin.normal(64, seed=0, name=f"layer.{k}.weight") for k in range(n)])
        second = np.array([fanin.normal(64, seed=k, name="weight") for k in range(n)])
        for sums in (first.sum(0), second.sum(0)):
            assert stats.kstest(sums / math.sqrt(n), stats.norm.cdf).pvalue > P
        for values in (first, second):
            assert stats.kstest(values.ravel(), stats.norm.cdf).pvalue > P


class TestAvalanche:
    """One bit of the input flips half the bits of the output."""

    @staticmethod
    def assert_half_flips(x, y):
        flipped = int(np.bitwise_count(x ^ y).sum())
        assert two_sided(flipped, 32 * x.size, 0.5) > P

    def test_a_bit_of_the_seed_flips_half(self):
        for bit in range(64):
            self.assert_half_flips(fanin.bits(4096, **KEY), fanin.bits(4096, seed=20 ^ 1 << bit, name="w"))

    def test_a_bit_of_the_name_flips_half(self):
        for bit in range(8):
            self.assert_half_flips(fanin.bits(4096, **KEY), fanin.bits(4096, seed=20, name=chr(ord("w") ^ 1 << bit)))

    def test_a_bit_of_the_position_flips_half(self):
        """Only a bit that selects the block counts: bits below 7 choose a position in the tile."""
        near = fanin.bits(2**63 - 1, index=slice(0, 2**7), **KEY)
        for bit in range(7, 62):
            far = fanin.bits(2**63 - 1, index=slice(2**bit, 2**bit + 2**7), **KEY)
            self.assert_half_flips(near, far)
