"""Keras: the same distributions as keras.initializers, whose normals are cut at two std."""

import os

import numpy as np
import pytest
from lazily import Peer
from scipy import stats

import fanin

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = Peer("keras")
pytestmark = pytest.mark.peer

P = 1e-4
KEY = {"seed": 4, "name": "w"}


def assert_same_distribution(ours, theirs):
    """std to 1 %, and two-sample Kolmogorov–Smirnov at P."""
    assert ours.std() == pytest.approx(theirs.std(), rel=0.01)
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > P


@pytest.mark.parametrize("shape", [(300, 500), (5, 5, 40, 30)])
@pytest.mark.parametrize("kind", ["Uniform", "Normal"])
@pytest.mark.parametrize("name", ["Glorot", "He", "Lecun"])
def test_initializers_have_the_same_distribution(name, kind, shape):
    theirs = np.asarray(getattr(keras.initializers, name + kind)(seed=1)(shape))
    options = {"truncate": 2.0} if kind == "Normal" else {}
    ours = getattr(fanin, f"{name}_{kind}".lower())(shape, layout="IO", **options, **KEY)
    assert_same_distribution(ours, theirs)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("truncated_normal", "truncated_normal"), ("normal", "untruncated_normal"), ("uniform", "uniform")],
)
def test_variance_scaling_has_the_same_modes_and_distributions(mode, ours, theirs):
    values = keras.initializers.VarianceScaling(1.7, mode, theirs, seed=1)((200, 700))
    assert_same_distribution(
        fanin.variance_scaling((200, 700), 1.7, mode, ours, layout="IO", **KEY), np.asarray(values)
    )


def test_truncated_normal_has_the_same_distribution():
    theirs = np.asarray(keras.initializers.TruncatedNormal(mean=0.1, stddev=0.02, seed=1)((200_000,)))
    assert_same_distribution(fanin.truncated_normal(200_000, 0.1, 0.02, **KEY), theirs)
