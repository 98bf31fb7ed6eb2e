"""Identities and sparse weights beside torch's and Keras's."""

import os

import numpy as np
import pytest
from lazily import Peer
from scipy import stats

import fanin

os.environ.setdefault("KERAS_BACKEND", "jax")
torch = Peer("torch")
keras = Peer("keras")
pytestmark = pytest.mark.peer
KEY = {"seed": 0, "name": "w"}


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (1, 4)])
def test_the_identity_is_torchs_and_kerass(shape):
    ours = fanin.identity(shape, 1.5)
    assert (ours == 1.5 * torch.nn.init.eye_(torch.empty(shape)).numpy()).all()
    assert (ours == np.asarray(keras.initializers.Identity(1.5)(shape))).all()


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shape", [(8, 4, 3), (4, 8, 5), (6, 6, 3, 1), (2, 4, 1, 3, 5)])
def test_dirac_is_torchs_for_odd_kernels(shape, groups):
    theirs = torch.nn.init.dirac_(torch.empty(shape), groups=groups).numpy()
    assert (fanin.dirac(shape, groups=groups, layout="OI") == theirs).all()


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_dirac_passes_its_input_on_under_same_padding_for_any_kernel(size):
    x = torch.randn(2, 4, 9)
    weight = torch.from_numpy(fanin.dirac((4, 4, size), layout="OI"))
    assert torch.equal(torch.nn.functional.conv1d(x, weight, padding="same"), x)


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9, 0.95])
def test_a_sparse_weight_has_torchs_zeros_in_every_column_and_values(sparsity):
    shape = (400, 300)
    theirs = torch.nn.init.sparse_(torch.empty(shape), sparsity).numpy()
    ours = fanin.sparse(shape, sparsity=sparsity, per="input", layout="OI", **KEY)
    assert ((ours == 0).sum(axis=0) == (theirs == 0).sum(axis=0)).all()
    assert stats.ks_2samp(ours[ours != 0], theirs[theirs != 0]).pvalue > 1e-4
