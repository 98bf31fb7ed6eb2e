"""Orthogonal initializers of torch, JAX and Keras: the same shape of result and the same law."""

import numpy as np
import pytest
import scipy.stats
from lazily import Peer

import fanin

torch, jax, keras = Peer("torch"), Peer("jax"), Peer("keras")
pytestmark = pytest.mark.peer

P = 1e-4
SHAPES = [(40, 25), (25, 40), (30, 30), (24, 4, 3, 2), (6, 5, 2, 2)]


def gram(matrix):
    """Return the Gram matrix of the orthonormal vectors, be they rows or columns."""
    m = np.asarray(matrix, np.float64)
    return m @ m.T if m.shape[0] <= m.shape[1] else m.T @ m


@pytest.mark.parametrize("shape", SHAPES)
def test_torchs_weights_are_orthogonal_the_same_way(shape):
    theirs = torch.nn.init.orthogonal_(torch.empty(shape), gain=1.5).numpy().reshape(shape[0], -1)
    ours = fanin.orthogonal(shape, 1.5, seed=0, name="w", layout="OI").reshape(shape[0], -1)
    assert np.allclose(gram(ours), gram(theirs), atol=1e-5)
    assert np.allclose(gram(ours), 2.25 * np.eye(min(ours.shape)), atol=1e-5)


@pytest.mark.parametrize("shape", [shape[::-1] for shape in SHAPES])
def test_jaxs_and_kerass_weights_are_orthogonal_the_same_way(shape):
    ours = fanin.orthogonal(shape, seed=0, name="w", layout="IO").reshape(-1, shape[-1])
    jaxs = jax.nn.initializers.orthogonal()(jax.random.key(0), shape)
    kerass = keras.ops.convert_to_numpy(keras.initializers.Orthogonal(seed=0)(shape))
    for theirs in (jaxs, kerass):
        assert np.allclose(gram(ours), gram(np.asarray(theirs).reshape(-1, shape[-1])), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 5, 8), (4, 8, 8), (3, 2, 5, 8), (2, 3, 4, 5, 8)])
def test_jaxs_delta_orthogonal_has_its_matrix_at_the_same_place(shape):
    theirs = np.asarray(jax.nn.initializers.delta_orthogonal()(jax.random.key(0), shape))
    ours = fanin.delta_orthogonal(shape, seed=0, name="w", layout="IO")
    assert ((ours != 0).any((-1, -2)) == (theirs != 0).any((-1, -2))).all()
    centre = tuple((size - 1) // 2 for size in shape[:-2])
    assert np.allclose(gram(ours[centre]), gram(theirs[centre]), atol=1e-5)


def test_entries_follow_torchs_law():
    torch.manual_seed(0)
    theirs = np.array([torch.nn.init.orthogonal_(torch.empty(12, 12))[3, 7].item() for _ in range(3000)])
    ours = fanin.haar(12, 3000, seed=0, name="w")[:, 3, 7]
    assert scipy.stats.ks_2samp(ours, theirs).pvalue > P


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_parameter_is_filled_in_place(dtype):
    cell = torch.nn.LSTMCell(20, 30, dtype=getattr(torch, dtype))
    version = cell.weight_hh._version
    init = fanin.seeded(0, layout="OI")
    assert init.orthogonal("weight_hh", out=cell.weight_hh, blocks=4) is cell.weight_hh
    assert cell.weight_hh._version > version
    values = cell.weight_hh.detach().double().numpy()
    assert (values == init.orthogonal("weight_hh", (120, 30), blocks=4, dtype=dtype).astype(np.float64)).all()
    tolerance = {"float32": 1e-6, "float64": 1e-14, "float16": 2e-3, "bfloat16": 1.5e-2}[dtype]
    for gate in values.reshape(4, 30, 30):
        assert abs(gate @ gate.T - np.eye(30)).max() < tolerance


def test_a_delta_orthogonal_convolution_keeps_the_norm():
    weight = torch.from_numpy(fanin.delta_orthogonal((16, 8, 3, 3), seed=0, name="w", layout="OI"))
    x = torch.from_numpy(fanin.normal((2, 8, 10, 10), seed=0, name="x"))
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
    y = torch.nn.functional.conv2d(padded, weight)
    assert torch.allclose(y.norm(), x.norm(), rtol=1e-5)
