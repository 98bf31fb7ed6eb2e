"""torch: the same distributions as torch.nn.init, and its tensors filled in place."""

import math

import ml_dtypes
import numpy as np
import pytest
from lazily import Peer
from scipy import stats

import fanin

torch = Peer("torch")
fake_tensor = Peer("torch._subclasses.fake_tensor")
pytestmark = pytest.mark.peer

P = 1e-4
KEY = {"seed": 4, "name": "w"}
SHAPES = [(300, 500), (40, 30, 5, 5)]
DTYPES = ["float32", "float64", "float16", "bfloat16"]


def as_numpy(tensor):
    """The values of a tensor of any dtype, NumPy's bfloat16 included."""
    if tensor.dtype == torch.bfloat16:
        return tensor.detach().contiguous().view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.detach().contiguous().numpy()


def assert_same_distribution(ours, theirs):
    """std to 1 %, and two-sample Kolmogorov–Smirnov at P."""
    assert ours.std() == pytest.approx(theirs.std(), rel=0.01)
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > P


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("xavier_uniform", "xavier_uniform_"),
        ("xavier_normal", "xavier_normal_"),
        ("kaiming_uniform", "kaiming_uniform_"),
        ("kaiming_normal", "kaiming_normal_"),
    ],
)
def test_initializers_have_the_same_distribution(ours, theirs, shape):
    torch.manual_seed(1)
    tensor = getattr(torch.nn.init, theirs)(torch.empty(shape))
    assert_same_distribution(getattr(fanin, ours)(shape, layout="OI", **KEY), tensor.numpy())


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("slope", [0.2, math.sqrt(5)])
def test_kaiming_with_mode_and_slope(mode, slope):
    torch.manual_seed(2)
    tensor = torch.nn.init.kaiming_uniform_(torch.empty(200, 800), a=slope, mode=mode)
    ours = fanin.he_uniform((200, 800), layout="OI", activation=("leaky_relu", slope), mode=mode, **KEY)
    assert_same_distribution(ours, tensor.numpy())
    assert np.abs(ours).max() == pytest.approx(float(tensor.abs().max()), rel=1e-3)


@pytest.mark.parametrize("bounds", [(-0.04, 0.04), (-0.06, 0.02), (0.01, 1.0)])
def test_trunc_normal_has_the_same_distribution_and_support(bounds):
    torch.manual_seed(3)
    tensor = torch.nn.init.trunc_normal_(torch.empty(300_000), std=0.02, a=bounds[0], b=bounds[1])
    ours = fanin.truncated_normal(300_000, 0.0, 0.02, *bounds, bounds="absolute", **KEY)
    assert_same_distribution(ours, tensor.numpy())
    assert bounds[0] <= ours.min() < ours.max() <= bounds[1]


@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu", ("leaky_relu", 0.3)])
def test_gains_agree_where_both_mean_the_mean_square(activation):
    arguments = activation if isinstance(activation, tuple) else (activation,)
    assert fanin.gain(activation) == pytest.approx(torch.nn.init.calculate_gain(*arguments), rel=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_dtypes_are_dtypes(dtype):
    assert fanin.normal(3, dtype=getattr(torch, dtype), **KEY).dtype == dtype


def test_unsupported_torch_dtypes_are_refused():
    for dtype in (torch.int32, torch.complex64, torch.float8_e4m3fn):
        with pytest.raises(TypeError, match="dtype must be one of float32"):
            fanin.normal(3, dtype=dtype, **KEY)
        with pytest.raises(TypeError, match="the dtype of out must be one of"):
            fanin.normal(out=torch.zeros(3, dtype=dtype), **KEY)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "view",
    [
        lambda t: t,
        lambda t: t.T,
        lambda t: t[::2, 1::3],
        lambda t: t[:, 5],
        lambda t: t.unflatten(1, (3, 10)).movedim(1, 0),
        lambda t: t[3:3],
    ],
    ids=["contiguous", "transposed", "steps", "column", "permuted", "empty"],
)
def test_tensors_are_filled_in_place(dtype, view):
    tensor = torch.zeros(20, 30, dtype=getattr(torch, dtype))
    out = view(tensor)
    assert fanin.normal(out=out, **KEY) is out
    expected = fanin.normal(tuple(out.shape), dtype=dtype, **KEY)
    assert (as_numpy(out) == expected).all()
    out.zero_()
    assert not tensor.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_parameters_are_filled_and_their_version_counted(dtype):
    parameter = torch.nn.Parameter(torch.zeros(8, 16, dtype=getattr(torch, dtype)))
    before = parameter._version
    assert fanin.he_normal(out=parameter, layout="OI", **KEY) is parameter
    assert parameter._version == before + 1
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert (as_numpy(parameter) == fanin.he_normal((8, 16), layout="OI", dtype=dtype, **KEY)).all()


def test_autograd_notices_a_fill():
    parameter = torch.nn.Parameter(torch.ones(4))
    loss = (parameter**2).sum()
    fanin.normal(out=parameter, **KEY)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_inference_tensors_have_no_version_to_count():
    with torch.inference_mode():
        tensor = torch.zeros(4)
    assert (fanin.normal(out=tensor, **KEY).numpy() == fanin.normal(4, **KEY)).all()


def test_a_whole_module_through_a_namespace():
    init = fanin.seeded(0, layout="OI")
    layer = torch.nn.Linear(30, 20)
    init.xavier_uniform("fc.weight", out=layer.weight)
    init.zeros("fc.bias", out=layer.bias)
    assert (as_numpy(layer.weight) == init.xavier_uniform("fc.weight", (20, 30))).all()
    assert not layer.bias.any()


def test_a_shard_is_the_part_of_the_whole():
    shard = torch.empty(10, 64)
    fanin.normal((40, 64), index=np.s_[20:30], out=shard, **KEY)
    assert (shard.numpy() == fanin.normal((40, 64), **KEY)[20:30]).all()


def fake():
    with fake_tensor.FakeTensorMode():
        return torch.zeros(3, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.zeros(4).expand(3, 4), "overlap"),
        (lambda: torch.zeros(4, 3), "shape"),
        (lambda: torch.zeros(3, 4, dtype=torch.float64), "dtype"),
        (lambda: torch.empty(3, 4, device="meta"), "cannot be written to in place"),
        (lambda: torch.zeros(3, 4, layout=torch.sparse_coo), "cannot be written to in place"),
        (lambda: torch.zeros(3, 4, dtype=torch.complex64).conj().imag, "cannot be written to in place.* negated"),
        (fake, "cannot be written to in place.*FakeTensor"),
        (lambda: torch._efficientzerotensor((3, 4)), "memory of its own"),
    ],
)
def test_tensors_that_cannot_be_filled(make, message):
    with pytest.raises(ValueError, match=message):
        fanin.normal((3, 4), dtype="float32", out=make(), **KEY)


def test_device_may_be_a_torch_device():
    assert fanin.normal(3, device=torch.device("cpu"), **KEY).shape == (3,)
    out = torch.zeros(3)
    assert fanin.normal(out=out, device=out.device, **KEY) is out


def test_schemes_of_pieces_fill_a_parameter_of_any_dtype():
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        parameter = torch.nn.Parameter(torch.full((6, 4), 7.0, dtype=dtype))
        version = parameter._version
        assert fanin.schemes.embedding(padding=2)(out=parameter, **KEY) is parameter
        assert parameter._version > version
        wanted = fanin.schemes.embedding(padding=2)((6, 4), dtype=dtype, **KEY).astype(np.float64)
        assert (parameter.detach().double().numpy() == wanted).all()


def test_a_generator_of_torch_gives_a_seed_once():
    """Equal generators give equal seeds, and each another one the next time; a seed itself is no generator."""
    generator = torch.Generator().manual_seed(3)
    seeds = [fanin.seed_from(generator) for _ in range(20)]
    assert fanin.seed_from(torch.Generator().manual_seed(3)) == seeds[0]
    assert len(set(seeds)) == len(seeds)
    assert all(type(seed) is int and 0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**62
    with pytest.raises(TypeError, match=r"seed must be an int .*fanin.seed_from\(generator\)"):
        fanin.normal(3, seed=generator, name="w")
    with pytest.raises(TypeError, match="generator must be NumPy's or torch's"):
        fanin.seed_from(torch.zeros(3))
