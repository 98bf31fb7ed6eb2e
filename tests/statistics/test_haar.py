"""Orthogonal matrices follow Haar's measure: exact moments and laws, with fixed keys and p-values over 10⁻⁴.

Every test is a function of a batch of matrices, and scipy's ortho_group passes the same tests as a control.
"""

from functools import cache

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import fanin
from fanin import _core

P = 1e-4


@cache
def ours(n, count):
    return fanin.haar(n, count, seed=2026, name="haar", dtype="float64")


@cache
def ours_single(n, count):
    return fanin.haar(n, count, seed=11, name="haar").astype(np.float64)


@cache
def scipys(n, count):
    return scipy.stats.ortho_group.rvs(n, size=count, random_state=np.random.default_rng(0)).reshape(count, n, n)


def p_of_mean(samples, expected):
    """Two-sided p-value of a mean by the central limit theorem."""
    z = (samples.mean() - expected) / (samples.std(ddof=1) / np.sqrt(len(samples)))
    return 2 * scipy.stats.norm.sf(abs(z))


SOURCES = pytest.mark.parametrize("source", [ours, ours_single, scipys])


@SOURCES
@pytest.mark.parametrize(
    ("n", "moments"), [(2, (1, 3, 10, 35)), (3, (1, 3, 15, 91)), (4, (1, 3, 15, 105)), (6, (1, 3, 15, 105))]
)
def test_moments_of_traces_are_exact(source, n, moments):
    """E tr²ᵏ: OEIS A247306; (2k - 1)!! for k ≤ n (Diaconis and Shahshahani 1994)."""
    trace = np.trace(source(n, 40_000), axis1=1, axis2=2)
    for k, moment in enumerate(moments, 1):
        assert p_of_mean(trace ** (2 * k), moment) > P
        assert p_of_mean(trace ** (2 * k - 1), 0) > P


@SOURCES
@pytest.mark.parametrize("n", [2, 3, 8, 17])
def test_determinants_are_plus_and_minus_one_equally_often(source, n):
    signs = np.linalg.det(source(n, 4000))
    assert np.allclose(abs(signs), 1, atol=1e-5)
    assert scipy.stats.binomtest(int((signs > 0).sum()), len(signs)).pvalue > P


def test_a_matrix_of_one_entry_is_plus_or_minus_one():
    signs = ours(1, 4000).ravel()
    assert (abs(signs) == 1).all()
    assert (abs(ours_single(1, 4000)) == 1).all()
    assert scipy.stats.binomtest(int((signs > 0).sum()), len(signs)).pvalue > P


@SOURCES
@pytest.mark.parametrize("n", [4, 66])
def test_an_entry_follows_its_beta_law(source, n):
    """q² ~ Beta(½, (n - 1)/2): a coordinate of a uniform point on the sphere. In the last rows too."""
    batch = source(n, 6000)
    for row, column in [(0, 0), (1, n - 1), (n - 1, 0), (n - 1, n - 1), (n // 2, n // 3)]:
        q = batch[:, row, column]
        assert scipy.stats.kstest(q**2, scipy.stats.beta(0.5, (n - 1) / 2).cdf).pvalue > P
        assert scipy.stats.binomtest(int((q > 0).sum()), len(q)).pvalue > P


@SOURCES
@pytest.mark.parametrize("n", [3, 66])
def test_pairs_of_entries_have_weingartens_moments(source, n):
    """E q₀₀²q₁₁² = (n + 1)/((n - 1)n(n + 2)), E q₀₀²q₀₁² = 1/(n(n + 2)), E q₀₀q₁₁q₀₁q₁₀ = -1/((n - 1)n(n + 2))."""
    q = source(n, 6000)
    i, j = n - 2, n - 1
    assert p_of_mean(q[:, i, i] ** 2 * q[:, j, j] ** 2, (n + 1) / ((n - 1) * n * (n + 2))) > P
    assert p_of_mean(q[:, i, i] ** 2 * q[:, i, j] ** 2, 1 / (n * (n + 2))) > P
    assert p_of_mean(q[:, i, i] * q[:, j, j] * q[:, i, j] * q[:, j, i], -1 / ((n - 1) * n * (n + 2))) > P


@SOURCES
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_fixed_rotation_changes_no_law(source, side):
    n = 12
    rotation = scipy.linalg.qr(np.random.default_rng(3).standard_normal((n, n)))[0]
    batch = source(n, 4000)
    turned = rotation @ batch if side == "left" else batch @ rotation
    for row, column in [(0, 0), (n - 1, 3), (n - 1, n - 1)]:
        q = turned[:, row, column]
        assert scipy.stats.kstest(q**2, scipy.stats.beta(0.5, (n - 1) / 2).cdf).pvalue > P
    assert p_of_mean(np.trace(turned, axis1=1, axis2=2) ** 2, 1) > P


def spacings(batch):
    """Gaps between neighbouring eigenphases in the upper half plane, in units of their mean, one from each matrix."""
    phases = np.sort(np.angle(np.linalg.eigvals(batch)), axis=1)
    middle = phases.shape[1] * 3 // 4
    return (phases[:, middle + 1] - phases[:, middle]) * phases.shape[1] / (2 * np.pi)


@pytest.mark.parametrize("n", [20, 66])
def test_eigenphases_are_spaced_as_scipys(n):
    found, control = spacings(ours(n, 6000)[:1500]), spacings(scipys(n, 6000)[:1500])
    assert scipy.stats.ks_2samp(found, control).pvalue > P
    # Wigner's surmise for unitary symmetry, which the bulk follows closely; a Poisson process would not.
    wigner = scipy.stats.kstest(found, lambda s: scipy.stats.maxwell(scale=np.sqrt(np.pi / 8)).cdf(s))
    assert wigner.statistic < 0.06
    assert scipy.stats.kstest(found, scipy.stats.expon.cdf).pvalue < 1e-10


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (66, 200)])
def test_rectangular_matrices_are_uniform_too(shape):
    """Each orthonormal vector is uniform on its sphere, and inner products with a fixed one follow Beta's law."""
    outs, ins = shape
    count, length = min(shape), max(shape)
    w = np.stack([fanin.orthogonal(shape, seed=seed, name="w", layout="OI", dtype="float64") for seed in range(800)])
    vectors = w if outs <= ins else w.transpose(0, 2, 1)
    fixed = np.random.default_rng(1).standard_normal(length)
    fixed /= np.linalg.norm(fixed)
    law = scipy.stats.beta(0.5, (length - 1) / 2).cdf
    for number in (0, count // 2, count - 1):
        assert scipy.stats.kstest((vectors[:, number] @ fixed) ** 2, law).pvalue > P


@pytest.mark.parametrize("shape", [(40, 40), (150, 100), (100, 150)])
def test_lapacks_qr_of_q_times_r_gives_q(shape):
    """QR with a positive diagonal of R is unique: it must recover Q, whatever made it."""
    q = fanin.orthogonal(shape, seed=1, name="w", layout="OI", dtype="float64")
    q = q if shape[0] >= shape[1] else q.T
    count = q.shape[1]
    rng = np.random.default_rng(count)
    r = np.triu(rng.standard_normal((count, count)), 1) / count + np.diag(rng.uniform(0.5, 2, count))
    found, triangle = scipy.linalg.qr(q @ r, mode="economic")
    assert np.allclose(found * np.sign(np.diag(triangle)), q, atol=1e-12)


def test_seeds_names_blocks_and_dtypes_are_independent():
    """Correlations between the entries of different draws, by their exact variance 1/n for one draw each."""
    n = 64
    draws = [
        fanin.orthogonal((n, n), seed=0, name="a", layout="OI"),
        fanin.orthogonal((n, n), seed=1, name="a", layout="OI"),
        fanin.orthogonal((n, n), seed=0, name="b", layout="OI"),
        fanin.orthogonal((n, n), seed=0, name="a", layout="OI", dtype="float64"),
        *fanin.orthogonal((2 * n, n), blocks=2, seed=0, name="c", layout="OI").reshape(2, n, n),
    ]
    for i, a in enumerate(draws):
        for b in draws[:i]:
            # tr(AᵀB) of independent Haar matrices is nearly a standard normal.
            assert 2 * scipy.stats.norm.sf(abs((a.astype(np.float64) * b).sum())) > P


@cache
def special(n, count, dtype="float64"):
    """Draw rotations: orthogonal matrices of determinant 1."""
    return _core.haar(1.0, True, 2026, "haar", _core.Dtype[dtype], (count, n, n), None, None)


class TestSpecial:
    """SO(n): the last row is negated where the determinant was -1."""

    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 17, 64, 65, 130])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_every_determinant_is_one(self, n, dtype):
        signs, logarithms = np.linalg.slogdet(special(n, 40, dtype).astype(np.float64))
        assert (signs == 1).all()
        assert abs(logarithms).max() < 1e-4

    @pytest.mark.parametrize("n", [1, 2, 7, 65])
    def test_nothing_but_the_sign_of_the_last_row_differs(self, n):
        rotations, matrices = special(n, 40), ours(n, 40)
        assert (rotations[:, :-1] == matrices[:, :-1]).all()
        turned = np.linalg.det(matrices) < 0
        assert turned.any()
        assert not turned.all()
        assert (rotations[:, -1] == np.where(turned[:, None], -matrices[:, -1], matrices[:, -1])).all()

    def test_half_types_have_the_signs_of_float32(self):
        for dtype in ("float16", "bfloat16"):
            kind = special(5, 40, dtype).dtype
            assert (special(5, 40, dtype) == special(5, 40, "float32").astype(kind)).all()

    def test_a_part_is_the_slice_of_the_whole(self):
        whole = special(66, 3)
        for box, index in (
            ((1, (0, 1, 66), (0, 1, 66)), np.s_[1]),
            (((2, -1, 3), 65, (7, 3, 10)), np.s_[::-1, 65, 7:37:3]),
            (((0, 1, 3), (65, -64, 2), 5), np.s_[:, ::-64, 5]),
            (((0, 1, 3), (0, 1, 65), (0, 1, 66)), np.s_[:, :65]),
        ):
            part = _core.haar(1.0, True, 2026, "haar", _core.Dtype.float64, whole.shape, box, None)
            assert (part == whole[index]).all()

    def test_angles_in_the_plane_are_uniform(self):
        batch = special(2, 20_000)
        angles = np.arctan2(batch[:, 1, 0], batch[:, 0, 0])
        assert scipy.stats.kstest(angles, scipy.stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > P

    def test_angles_in_space_have_the_density_of_rotations(self):
        """(1 - cos θ)/π on [0, π]: the class function of SO(3)."""
        cosines = (np.trace(special(3, 20_000), axis1=1, axis2=2) - 1) / 2
        angles = np.arccos(np.clip(cosines, -1, 1))
        assert scipy.stats.kstest(angles, lambda t: (t - np.sin(t)) / np.pi).pvalue > P

    @pytest.mark.parametrize("n", [4, 7, 12])
    def test_traces_have_the_moments_of_orthogonal_matrices(self, n):
        """Below the n-th they are the same for SO(n) and O(n)."""
        trace = np.trace(special(n, 40_000), axis1=1, axis2=2)
        assert p_of_mean(trace**2, 1) > P
        for k in (1, 3):
            assert p_of_mean(trace**k, 0) > P

    @pytest.mark.parametrize("row", [0, 5, 11])
    def test_a_fixed_rotation_changes_no_law(self, row):
        n = 12
        rotation = scipy.stats.special_ortho_group.rvs(n, random_state=np.random.default_rng(3))
        law = scipy.stats.beta(0.5, (n - 1) / 2).cdf
        for batch in (special(n, 4000), rotation @ special(n, 4000), special(n, 4000) @ rotation):
            q = batch[:, row, 3]
            assert scipy.stats.kstest(q**2, law).pvalue > P
            assert scipy.stats.binomtest(int((q > 0).sum()), len(q)).pvalue > P
