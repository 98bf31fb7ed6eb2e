"""JAX: the same distributions as jax.nn.initializers, whose normals are cut at two std; its arrays are immutable."""

import numpy as np
import pytest
from lazily import Peer
from scipy import stats

import fanin

jax = Peer("jax")
pytestmark = pytest.mark.peer

P = 1e-4
KEY = {"seed": 4, "name": "w"}


def assert_same_distribution(ours, theirs):
    """std to 1 %, and two-sample Kolmogorov–Smirnov at P."""
    assert ours.std() == pytest.approx(theirs.std(), rel=0.01)
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > P


@pytest.mark.parametrize("shape", [(300, 500), (5, 5, 40, 30)])
@pytest.mark.parametrize(
    "name", ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"]
)
def test_initializers_have_the_same_distribution(name, shape):
    theirs = np.asarray(getattr(jax.nn.initializers, name)()(jax.random.key(1), shape))
    options = {"truncate": 2.0} if name.endswith("normal") else {}
    ours = getattr(fanin, name)(shape, layout="IO", **options, **KEY)
    assert_same_distribution(ours, theirs)
    assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=1e-3)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
def test_variance_scaling_has_the_same_modes_and_distributions(mode, distribution):
    theirs = jax.nn.initializers.variance_scaling(1.7, mode, distribution)(jax.random.key(2), (200, 700))
    ours = fanin.variance_scaling((200, 700), 1.7, mode, distribution, layout="IO", **KEY)
    assert_same_distribution(ours, np.asarray(theirs))


def test_arrays_are_immutable_and_refused():
    array = jax.numpy.zeros(3)
    with pytest.raises(TypeError, match="JAX arrays are immutable"):
        fanin.normal(out=array, **KEY)
    assert not np.asarray(array).any()


def test_jax_dtypes_are_dtypes():
    assert fanin.normal(3, dtype=jax.numpy.bfloat16, **KEY).dtype == jax.numpy.bfloat16
    assert fanin.normal(3, dtype=jax.numpy.zeros(1).dtype, **KEY).dtype == np.float32
