"""Layers of torch, Keras and Flax: what they start from, and what fanin.layers says that they do."""

import itertools
import os

import numpy as np
import pytest
from lazily import Peer
from scipy import stats

from fanin import layers, schemes

os.environ.setdefault("KERAS_BACKEND", "jax")
torch, keras, jax = Peer("torch"), Peer("keras"), Peer("jax")
linen, traverse = Peer("flax.linen"), Peer("flax.traverse_util")
pytestmark = pytest.mark.peer

P = 1e-4
ENOUGH = 125_000  # values for 1 % to be five standard errors of the std of a normal, the largest of them all
TRUNCATED = 0.8796256610342398  # std of a standard normal between -2 and 2
BOUNDS = {"uniform": 3**0.5, "truncated_normal": 2 / TRUNCATED}  # in std


def assert_the_same(layer, theirs):
    """Names and shapes; constants exactly; orthogonality; std to 1 %, mean, bounds and KS at P of the others.

    `theirs` gives the parameters of a new layer, by name, for a seed. Values are pooled over as many as it takes.
    """
    first = theirs(0)
    assert {name: values.shape for name, values in first.items()} == {name: layer[name].shape for name in layer}
    ours = layers.draw(layer, seed=0)
    random = []
    for name, (_, scheme) in layer.items():
        if isinstance(scheme, schemes.Constant | schemes.Concatenate):
            assert (first[name] == ours[name]).all(), name
        elif isinstance(scheme, schemes.Orthogonal):
            assert_orthonormal_rows(first[name])
            assert_orthonormal_rows(ours[name])
        else:
            random.append(name)
    ours, theirs = pool(lambda seed: layers.draw(layer, seed=seed), random), pool(theirs, random)
    for name in random:
        shape, scheme = layer[name]
        assert_the_same_values(ours[name], theirs[name], scheme.expected_std(shape), distribution(scheme))


def assert_the_same_values(ours, theirs, std, law):
    for values in (ours, theirs):
        assert values.std(dtype=np.float64) == pytest.approx(std, rel=0.01)
        assert abs(values.mean(dtype=np.float64)) <= 5 * std / len(values) ** 0.5
        if law in BOUNDS:
            bound = BOUNDS[law] * std
            assert 0.999 * bound <= abs(values).max() <= (1 + 1e-6) * bound
    assert stats.ks_2samp(ours, theirs).pvalue > P


def assert_orthonormal_rows(matrix):
    matrix = matrix.astype(np.float64)
    assert np.allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-5)


def distribution(scheme):
    if isinstance(scheme, schemes.VarianceScaling):
        return scheme.distribution
    return {schemes.Uniform: "uniform", schemes.Normal: "normal"}[type(scheme)]


def pool(parameters, names):
    """Values of each of the names from layers of seeds 0, 1, …, until there are enough."""
    found = {name: np.empty(0, np.float32) for name in names}
    for seed in itertools.count():
        short = [name for name in names if len(found[name]) < ENOUGH]
        if not short:
            return found
        values = parameters(seed)
        for name in short:
            found[name] = np.concatenate([found[name], values[name].ravel()])


# layer of fanin, its arguments, and torch's. Biases decide how many layers it takes: these have many.
TORCH = {
    "Linear": ("linear", (30, 6000), {}, lambda nn: nn.Linear(30, 6000)),
    "Linear without bias": ("linear", (300, 600), {"bias": False}, lambda nn: nn.Linear(300, 600, bias=False)),
    "Linear as a head": ("head", (30, 6000), {}, lambda nn: nn.Linear(30, 6000)),
    "Conv1d": ("conv", (5, 6000, 4), {}, lambda nn: nn.Conv1d(5, 6000, 4)),
    "Conv2d in groups": ("conv", (6, 6000, (3, 2)), {"groups": 3}, lambda nn: nn.Conv2d(6, 6000, (3, 2), groups=3)),
    "Conv3d": ("conv", (3, 6000, (1, 2, 3)), {}, lambda nn: nn.Conv3d(3, 6000, (1, 2, 3))),
    "ConvTranspose1d": ("conv_transposed", (5, 6000, 4), {}, lambda nn: nn.ConvTranspose1d(5, 6000, 4)),
    "ConvTranspose2d in groups": (
        "conv_transposed",
        (6, 6000, (3, 2)),
        {"groups": 3},
        lambda nn: nn.ConvTranspose2d(6, 6000, (3, 2), groups=3),
    ),
    "ConvTranspose3d": ("conv_transposed", (3, 6000, (1, 2, 3)), {}, lambda nn: nn.ConvTranspose3d(3, 6000, (1, 2, 3))),
    "Conv2d, depthwise": (
        "depthwise_conv",
        (3000, (3, 2), 2),
        {},
        lambda nn: nn.Conv2d(3000, 6000, (3, 2), groups=3000),
    ),
    "Embedding": ("embedding", (2000, 70), {}, lambda nn: nn.Embedding(2000, 70)),
    "BatchNorm1d": ("batch_norm", (7,), {}, lambda nn: nn.BatchNorm1d(7)),
    "BatchNorm2d": ("batch_norm", (7,), {}, lambda nn: nn.BatchNorm2d(7)),
    "LayerNorm": ("layer_norm", ((3, 7),), {}, lambda nn: nn.LayerNorm((3, 7))),
    "GroupNorm": ("group_norm", (6,), {}, lambda nn: nn.GroupNorm(2, 6)),
    "RMSNorm": ("rms_norm", (7,), {}, lambda nn: nn.RMSNorm(7)),
    "RNN": ("rnn", (40, 300), {}, lambda nn: nn.RNN(40, 300)),
    "LSTM": ("lstm", (40, 300), {}, lambda nn: nn.LSTM(40, 300)),
    "LSTM without bias": ("lstm", (90, 400), {"bias": False}, lambda nn: nn.LSTM(90, 400, bias=False)),
    "GRU": ("gru", (40, 300), {}, lambda nn: nn.GRU(40, 300)),
    "MultiheadAttention": ("attention", (360, 4), {}, lambda nn: nn.MultiheadAttention(360, 4)),
    "MultiheadAttention without bias": (
        "attention",
        (360, 4),
        {"bias": False},
        lambda nn: nn.MultiheadAttention(360, 4, bias=False),
    ),
    "MultiheadAttention of other sizes": (
        "attention",
        (360, 4),
        {"key_features": 400, "value_features": 500},
        lambda nn: nn.MultiheadAttention(360, 4, kdim=400, vdim=500),
    ),
}
every_layer_of_torch = pytest.mark.parametrize(("name", "arguments", "options", "make"), TORCH.values(), ids=TORCH)


@every_layer_of_torch
def test_layers_of_torch_start_the_same(name, arguments, options, make):
    def theirs(seed):
        torch.manual_seed(seed)
        state = make(torch.nn).state_dict()
        state.pop("num_batches_tracked", None)
        return {name: tensor.numpy() for name, tensor in state.items()}

    assert_the_same(getattr(layers, name)(*arguments, **options, framework="torch"), theirs)


@every_layer_of_torch
def test_torch_loads_what_is_drawn(name, arguments, options, make):
    for framework in ("torch", "fanin"):
        drawn = layers.draw(getattr(layers, name)(*arguments, **options, framework=framework), seed=0)
        module = make(torch.nn)
        module.load_state_dict({name: torch.from_numpy(values) for name, values in drawn.items()})
        for key, values in drawn.items():
            assert (module.state_dict()[key].numpy() == values).all()


@pytest.mark.parametrize("padding", [0, 5, -1])
def test_the_padding_row_is_zero_as_in_torch(padding):
    torch.manual_seed(0)
    theirs = torch.nn.Embedding(2000, 70, padding_idx=padding).weight.detach().numpy()
    ours = layers.draw(layers.embedding(2000, 70, padding=padding, framework="torch"), seed=0)["weight"]
    assert not theirs[padding].any()
    assert not ours[padding].any()
    ours, theirs = (np.delete(values, padding, 0).ravel() for values in (ours, theirs))
    assert_the_same_values(ours, theirs, 1.0, "normal")


@pytest.mark.parametrize(("name", "make"), [("lstm", lambda: torch.nn.LSTM(3, 5)), ("gru", lambda: torch.nn.GRU(3, 5))])
def test_recommended_gates_keep_torchs_state(name, make):
    """With the weights at 0, σ(1) of the state is kept: only the bias of the gate that does so is 1."""
    module = make()
    for key, values in layers.draw(getattr(layers, name)(3, 5), seed=0).items():
        torch.nn.init.zeros_(getattr(module, key))
        if "bias" in key:
            getattr(module, key).data += torch.from_numpy(values)
    state = torch.ones(1, 1, 5)
    _, after = module(torch.ones(1, 1, 3), (state, state) if name == "lstm" else state)
    kept = after[1] if name == "lstm" else after
    assert torch.allclose(kept, torch.sigmoid(state))


KERAS = {
    "Dense": ("linear", (250, 500), {}, lambda k: k.Dense(500), (None, 250)),
    "Dense without bias": ("linear", (250, 500), {"bias": False}, lambda k: k.Dense(500, use_bias=False), (None, 250)),
    "Dense as a head": ("head", (250, 500), {}, lambda k: k.Dense(500), (None, 250)),
    "Conv1D": ("conv", (100, 320, 4), {}, lambda k: k.Conv1D(320, 4), (None, 9, 100)),
    "Conv2D in groups": (
        "conv",
        (64, 800, (3, 2)),
        {"groups": 2},
        lambda k: k.Conv2D(800, (3, 2), groups=2),
        (None, 9, 9, 64),
    ),
    "Conv3D": ("conv", (50, 420, (1, 2, 3)), {}, lambda k: k.Conv3D(420, (1, 2, 3)), (None, 9, 9, 9, 50)),
    "Conv2DTranspose": (
        "conv_transposed",
        (220, 100, (3, 2)),
        {},
        lambda k: k.Conv2DTranspose(100, (3, 2)),
        (None, 9, 9, 220),
    ),
    "DepthwiseConv1D": (
        "depthwise_conv",
        (2000, 5, 15),
        {},
        lambda k: k.DepthwiseConv1D(5, depth_multiplier=15),
        (None, 9, 2000),
    ),
    "DepthwiseConv2D": (
        "depthwise_conv",
        (600, (5, 3), 15),
        {},
        lambda k: k.DepthwiseConv2D((5, 3), depth_multiplier=15),
        (None, 9, 9, 600),
    ),
    "Embedding": ("embedding", (2000, 70), {}, lambda k: k.Embedding(2000, 70), (None,)),
    "BatchNormalization": ("batch_norm", (7,), {}, lambda k: k.BatchNormalization(), (None, 7)),
    "LayerNormalization": ("layer_norm", ((3, 7),), {}, lambda k: k.LayerNormalization(axis=(1, 2)), (None, 3, 7)),
    "GroupNormalization": ("group_norm", (6,), {}, lambda k: k.GroupNormalization(2), (None, 6)),
    "RMSNormalization": ("rms_norm", (7,), {}, lambda k: k.RMSNormalization(), (None, 7)),
    "SimpleRNNCell": ("rnn", (500, 250), {}, lambda k: k.SimpleRNNCell(250), (None, 500)),
    "LSTMCell": ("lstm", (250, 200), {}, lambda k: k.LSTMCell(200), (None, 250)),
    "GRUCell": ("gru", (250, 200), {}, lambda k: k.GRUCell(200), (None, 250)),
    "GRUCell without bias": ("gru", (250, 200), {"bias": False}, lambda k: k.GRUCell(200, use_bias=False), (None, 250)),
    "MultiHeadAttention": (
        "attention",
        (360, 4),
        {},
        lambda k: k.MultiHeadAttention(4, 90),
        {"query_shape": (None, 5, 360), "value_shape": (None, 5, 360)},
    ),
    "MultiHeadAttention of other sizes": (
        "attention",
        (360, 4),
        {"key_features": 400, "value_features": 500, "bias": False},
        lambda k: k.MultiHeadAttention(4, 90, use_bias=False),
        {"query_shape": (None, 5, 360), "value_shape": (None, 5, 500), "key_shape": (None, 5, 400)},
    ),
}


def variables(layer, shape):
    """Return the variables of a new layer of Keras, by their paths within it."""
    layer.build(**shape) if isinstance(shape, dict) else layer.build(shape)
    return {each.path.removeprefix(f"{layer.name}/"): np.asarray(each) for each in layer.weights}


@pytest.mark.parametrize(("name", "arguments", "options", "make", "shape"), KERAS.values(), ids=KERAS)
def test_layers_of_keras_start_the_same(name, arguments, options, make, shape):
    def theirs(seed):
        keras.utils.set_random_seed(seed)
        return variables(make(keras.layers), shape)

    assert_the_same(getattr(layers, name)(*arguments, **options, framework="keras"), theirs)


@pytest.mark.parametrize(
    ("layer", "cell", "ours"),
    [("SimpleRNN", "simple_rnn_cell", "rnn"), ("LSTM", "lstm_cell", "lstm"), ("GRU", "gru_cell", "gru")],
)
def test_kerass_recurrent_layers_wrap_their_cells(layer, cell, ours):
    theirs = variables(getattr(keras.layers, layer)(4), (None, 5, 3))
    assert set(theirs) == {f"{cell}/{name}" for name in getattr(layers, ours)(3, 4, framework="keras")}


FLAX = {
    "Dense": ("linear", (250, 500), {}, lambda n: n.Dense(500), [(1, 250)]),
    "Dense without bias": ("linear", (250, 500), {"bias": False}, lambda n: n.Dense(500, use_bias=False), [(1, 250)]),
    "Dense as a head": ("head", (250, 500), {}, lambda n: n.Dense(500), [(1, 250)]),
    "Conv 1-D": ("conv", (100, 320, 4), {}, lambda n: n.Conv(320, (4,)), [(1, 5, 100)]),
    "Conv 2-D in groups": (
        "conv",
        (64, 800, (3, 2)),
        {"groups": 2},
        lambda n: n.Conv(800, (3, 2), feature_group_count=2),
        [(1, 3, 3, 64)],
    ),
    "Conv 3-D": ("conv", (50, 420, (1, 2, 3)), {}, lambda n: n.Conv(420, (1, 2, 3)), [(1, 3, 3, 3, 50)]),
    "ConvTranspose 2-D": (
        "conv_transposed",
        (220, 100, (3, 2)),
        {},
        lambda n: n.ConvTranspose(100, (3, 2)),
        [(1, 3, 3, 220)],
    ),
    "Conv, depthwise": (
        "depthwise_conv",
        (50, (50, 50), 1),
        {},
        lambda n: n.Conv(50, (50, 50), feature_group_count=50),
        [(1, 3, 3, 50)],
    ),
    "Embed": ("embedding", (2000, 70), {}, lambda n: n.Embed(2000, 70), None),
    "BatchNorm": ("batch_norm", (7,), {}, lambda n: n.BatchNorm(use_running_average=True), [(1, 7)]),
    "LayerNorm": (
        "layer_norm",
        ((3, 7),),
        {},
        lambda n: n.LayerNorm(reduction_axes=(1, 2), feature_axes=(1, 2)),
        [(1, 3, 7)],
    ),
    "GroupNorm": ("group_norm", (6,), {}, lambda n: n.GroupNorm(2), [(1, 6)]),
    "RMSNorm": ("rms_norm", (7,), {}, lambda n: n.RMSNorm(), [(1, 7)]),
    "SimpleCell": ("rnn", (500, 250), {}, lambda n: n.SimpleCell(250), [(1, 250), (1, 500)]),
    "LSTMCell": ("lstm", (500, 250), {}, lambda n: n.LSTMCell(250), [((1, 250), (1, 250)), (1, 500)]),
    "OptimizedLSTMCell": ("lstm", (500, 250), {}, lambda n: n.OptimizedLSTMCell(250), [((1, 250), (1, 250)), (1, 500)]),
    "GRUCell": ("gru", (500, 250), {}, lambda n: n.GRUCell(250), [(1, 250), (1, 500)]),
    "MultiHeadDotProductAttention": (
        "attention",
        (360, 4),
        {},
        lambda n: n.MultiHeadDotProductAttention(4),
        [(1, 5, 360)],
    ),
    "MultiHeadDotProductAttention of other sizes": (
        "attention",
        (360, 4),
        {"key_features": 400, "value_features": 500, "bias": False},
        lambda n: n.MultiHeadDotProductAttention(4, use_bias=False),
        [(1, 5, 360), (1, 5, 400), (1, 5, 500)],
    ),
}


@pytest.mark.parametrize(("name", "arguments", "options", "make", "inputs"), FLAX.values(), ids=FLAX)
def test_layers_of_flax_start_the_same(name, arguments, options, make, inputs):
    def zeros(shape):
        return jax.numpy.zeros(shape) if isinstance(shape[0], int) else tuple(map(zeros, shape))

    def theirs(seed):
        values = [jax.numpy.zeros(1, int)] if inputs is None else map(zeros, inputs)
        collections = make(linen).init(jax.random.key(seed), *values)
        return {
            name: np.asarray(array)
            for collection in collections.values()
            for name, array in traverse.flatten_dict(collection, sep="/").items()
        }

    assert_the_same(getattr(layers, name)(*arguments, **options, framework="flax"), theirs)
