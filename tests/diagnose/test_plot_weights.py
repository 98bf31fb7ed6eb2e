"""The picture of weights: their histograms, and singular values beside those of independent values."""

import math

import numpy as np
import pytest

from fanin import orthogonal
from fanin.diagnose import plots
from fanin.diagnose.plot_weights import _marchenko_pastur


def test_independent_values_follow_marchenko_and_pastur():
    """Its edges are √n ± √m. At a finite size values stray by less than 5 % of √n, in the middle far less."""
    weight = np.random.default_rng(0).normal(size=(100, 400))
    values = np.linalg.svd(weight, compute_uv=False)
    law = _marchenko_pastur(weight.shape, (np.arange(100) + 0.5) / 100)
    np.testing.assert_allclose(values, law, atol=0.05 * math.sqrt(400))
    edges = _marchenko_pastur(weight.shape, np.array([0.0, 1.0]))
    np.testing.assert_allclose(edges, [30, 10], rtol=1e-3)
    np.testing.assert_allclose(np.mean(law**2), 400, rtol=1e-3)  # E |row|²


def test_orthogonal_weights_lie_on_their_line():
    weight = orthogonal((32, 64), seed=0, name="w", layout="OI")
    _, axes = plots.weights({"w": weight}).axes
    values, independent, equal = (line.get_ydata() for line in axes.lines)
    np.testing.assert_allclose(values, 1, atol=1e-6)
    np.testing.assert_allclose(equal, 1, atol=1e-6)
    assert independent[0] > 1.5


def test_kernels_are_matrices_of_their_rows():
    _, axes = plots.weights(np.random.default_rng(0).normal(size=(6, 2, 3, 3))).axes
    assert axes.lines[0].get_ydata().size == 6


def test_the_histogram_has_the_shape_mean_and_std():
    axes, _ = plots.weights({"fc": np.array([[1.0, 3.0], [1.0, 3.0]])}).axes
    assert axes.get_title(loc="left") == "fc, 2 × 2: mean 2, std 1"
    area = sum(bar.get_width() * bar.get_height() for bar in axes.patches)
    assert area == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e20, 1e-300, -1e300])
def test_equal_values_are_one_bar_and_so_are_neighbours(value):
    for weight in (np.full((4, 4), value), np.array([[value, np.nextafter(value, np.inf)]])):
        histogram, _ = plots.weights(weight).axes
        assert sum(bar.get_height() > 0 for bar in histogram.patches) == 1


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-36, 1e36, 1e300])
def test_weights_of_any_size_have_a_picture(size, tmp_path):
    histogram, _ = plots.weights({"w": np.array([[-size, size]])}, path=tmp_path / "w.png").axes
    title = histogram.get_title(loc="left")
    assert f"mean 0, std {size:.3g}" in title
    assert ("clipped at ±1e+39" in title) == (size > 1e39)


@pytest.mark.parametrize("nothing", [{}, {"w": np.empty((0, 3))}])
def test_nothing_to_draw_is_refused(nothing):
    with pytest.raises(ValueError, match=r"arrays(\['w'\])? must not be empty"):
        plots.weights(nothing)
