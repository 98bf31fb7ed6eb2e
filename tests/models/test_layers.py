"""Layers: names and shapes as each framework has them, the recommended schemes, and bad arguments.

Their defaults are compared with the real layers in tests/peers/test_layers_peers.py.
"""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import fanin
from fanin import layers, schemes

FRAMEWORKS = ["fanin", "torch", "keras", "flax"]
KERNEL = (5, 3)

# layer and arguments: {framework: {name: shape}}; fanin's are torch's
SHAPES = {
    ("linear", 6, 4): {
        "torch": {"weight": (4, 6), "bias": (4,)},
        "keras": {"kernel": (6, 4), "bias": (4,)},
        "flax": {"kernel": (6, 4), "bias": (4,)},
    },
    ("head", 6, 4): {
        "torch": {"weight": (4, 6), "bias": (4,)},
        "keras": {"kernel": (6, 4), "bias": (4,)},
        "flax": {"kernel": (6, 4), "bias": (4,)},
    },
    ("conv", 6, 4, KERNEL): {
        "torch": {"weight": (4, 6, 5, 3), "bias": (4,)},
        "keras": {"kernel": (5, 3, 6, 4), "bias": (4,)},
        "flax": {"kernel": (5, 3, 6, 4), "bias": (4,)},
    },
    ("conv_transposed", 6, 4, KERNEL): {
        "torch": {"weight": (6, 4, 5, 3), "bias": (4,)},
        "keras": {"kernel": (5, 3, 4, 6), "bias": (4,)},
        "flax": {"kernel": (5, 3, 6, 4), "bias": (4,)},
    },
    ("depthwise_conv", 6, KERNEL, 2): {
        "torch": {"weight": (12, 1, 5, 3), "bias": (12,)},
        "keras": {"kernel": (5, 3, 6, 2), "bias": (12,)},
        "flax": {"kernel": (5, 3, 1, 12), "bias": (12,)},
    },
    ("embedding", 9, 4): {
        "torch": {"weight": (9, 4)},
        "keras": {"embeddings": (9, 4)},
        "flax": {"embedding": (9, 4)},
    },
    ("batch_norm", 6): {
        "torch": {"weight": (6,), "bias": (6,), "running_mean": (6,), "running_var": (6,)},
        "keras": {"gamma": (6,), "beta": (6,), "moving_mean": (6,), "moving_variance": (6,)},
        "flax": {"scale": (6,), "bias": (6,), "mean": (6,), "var": (6,)},
    },
    ("layer_norm", (2, 6)): {
        "torch": {"weight": (2, 6), "bias": (2, 6)},
        "keras": {"gamma": (2, 6), "beta": (2, 6)},
        "flax": {"scale": (2, 6), "bias": (2, 6)},
    },
    ("group_norm", 6): {
        "torch": {"weight": (6,), "bias": (6,)},
        "keras": {"gamma": (6,), "beta": (6,)},
        "flax": {"scale": (6,), "bias": (6,)},
    },
    ("rms_norm", 6): {"torch": {"weight": (6,)}, "keras": {"scale": (6,)}, "flax": {"scale": (6,)}},
    ("rnn", 6, 4): {
        "torch": {"weight_ih_l0": (4, 6), "weight_hh_l0": (4, 4), "bias_ih_l0": (4,), "bias_hh_l0": (4,)},
        "keras": {"kernel": (6, 4), "recurrent_kernel": (4, 4), "bias": (4,)},
        "flax": {"i/kernel": (6, 4), "i/bias": (4,), "h/kernel": (4, 4)},
    },
    ("lstm", 6, 4): {
        "torch": {"weight_ih_l0": (16, 6), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)},
        "keras": {"kernel": (6, 16), "recurrent_kernel": (4, 16), "bias": (16,)},
        "flax": {f"i{gate}/kernel": (6, 4) for gate in "ifgo"}
        | {f"h{gate}/{name}": shape for gate in "ifgo" for name, shape in {"kernel": (4, 4), "bias": (4,)}.items()},
    },
    ("gru", 6, 4): {
        "torch": {"weight_ih_l0": (12, 6), "weight_hh_l0": (12, 4), "bias_ih_l0": (12,), "bias_hh_l0": (12,)},
        "keras": {"kernel": (6, 12), "recurrent_kernel": (4, 12), "bias": (2, 12)},
        "flax": {f"i{gate}/{name}": shape for gate in "rzn" for name, shape in {"kernel": (6, 4), "bias": (4,)}.items()}
        | {f"h{gate}/kernel": (4, 4) for gate in "rzn"}
        | {"hn/bias": (4,)},
    },
    ("attention", 6, 2): {
        "torch": {
            "in_proj_weight": (18, 6),
            "in_proj_bias": (18,),
            "out_proj.weight": (6, 6),
            "out_proj.bias": (6,),
        },
        "keras": {f"{part}/kernel": (6, 2, 3) for part in ("query", "key", "value")}
        | {f"{part}/bias": (2, 3) for part in ("query", "key", "value")}
        | {"attention_output/kernel": (2, 3, 6), "attention_output/bias": (6,)},
        "flax": {f"{part}/kernel": (6, 2, 3) for part in ("query", "key", "value")}
        | {f"{part}/bias": (2, 3) for part in ("query", "key", "value")}
        | {"out/kernel": (2, 3, 6), "out/bias": (6,)},
    },
}
every_layer = pytest.mark.parametrize("call", SHAPES, ids=lambda call: call[0])
every_framework = pytest.mark.parametrize("framework", FRAMEWORKS)


def build(call, framework, **options):
    name, *arguments = call
    return getattr(layers, name)(*arguments, framework=framework, **options)


def shapes(layer):
    return {name: parameter.shape for name, parameter in layer.items()}


@every_layer
@every_framework
def test_names_and_shapes_are_those_of_the_framework(call, framework):
    assert shapes(build(call, framework)) == SHAPES[call]["torch" if framework == "fanin" else framework]


def test_every_layer_is_covered():
    assert {call[0] for call in SHAPES} == set(layers.__all__) - {"ParameterSpec", "draw"}


@every_framework
@pytest.mark.parametrize(
    "call", [call for call in SHAPES if "norm" not in call[0] and call[0] != "embedding"], ids=lambda call: call[0]
)
def test_without_a_bias_the_rest_is_the_same(call, framework):
    if framework == "flax" and call[0] in ("rnn", "lstm", "gru"):
        with pytest.raises(ValueError, match="bias must be True"):
            build(call, framework, bias=False)
        return
    whole, rest = build(call, framework), build(call, framework, bias=False)
    assert rest == {name: parameter for name, parameter in whole.items() if "bias" not in name}


@every_layer
@every_framework
def test_a_drawn_layer_is_its_schemes_under_the_whole_names(call, framework):
    layer = build(call, framework)
    drawn = layers.draw(layer, seed=3, prefix="model.0/")
    assert list(drawn) == ["model.0/" + name for name in layer]
    for name, (shape, scheme) in layer.items():
        values = drawn["model.0/" + name]
        assert (values == scheme(shape, seed=3, name="model.0/" + name)).all()
        assert values.shape == shape
        assert values.dtype == np.float32


@every_layer
@every_framework
def test_a_slice_of_a_parameter_is_the_slice_of_the_whole(call, framework):
    for name, (shape, scheme) in build(call, framework).items():
        index = (slice(1, 5), *(slice(None, None, 2) for _ in shape[1:]))
        assert (scheme(shape, seed=3, name=name, index=index) == scheme(shape, seed=3, name=name)[index]).all()


@every_layer
@every_framework
def test_a_layer_goes_through_dicts(call, framework):
    for _, scheme in build(call, framework).values():
        assert fanin.schemes.Scheme.from_dict(scheme.to_dict()) == scheme


def test_draw_without_a_prefix_and_in_another_dtype():
    layer = layers.linear(8, 4)
    weight = layers.draw(layer, seed=0, dtype="float64")["weight"]
    assert (weight == fanin.xavier_normal((4, 8), layout="OI", seed=0, name="weight", dtype="float64")).all()
    assert layers.draw(layer, seed=0, prefix="a.")["a.weight"][0, 0] != layers.draw(layer, seed=0)["weight"][0, 0]


@every_framework
@pytest.mark.parametrize("call", [call for call in SHAPES if call[0] != "attention"], ids=lambda call: call[0])
def test_sizes_of_zero_are_empty_parameters(call, framework):
    name, *arguments = call
    if name == "depthwise_conv":
        arguments[-1] = 0
    elif name != "layer_norm":
        arguments[0] = 0
    for values in layers.draw(build((name, *arguments), framework), seed=0).values():
        assert np.isfinite(values).all()


def test_integers_of_numpy_are_integers():
    five = np.int64(5)
    assert layers.conv(five, five, five) == layers.conv(5, 5, 5) == layers.conv(5, 5, (5,)) == layers.conv(5, 5, [5])
    assert layers.layer_norm(np.array([2, 3])) == layers.layer_norm((2, 3))


# torch


@pytest.mark.parametrize(
    ("layer", "bound"),
    [
        (layers.linear(16, 10, framework="torch"), 1 / 4),
        (layers.conv(32, 10, (2, 4), groups=2, framework="torch"), 1 / 128**0.5),
        (layers.conv_transposed(10, 32, (2, 4), groups=2, framework="torch"), 1 / 128**0.5),
        (layers.depthwise_conv(10, (3, 3), framework="torch"), 1 / 3),
        (layers.lstm(10, 16, framework="torch"), 1 / 4),
    ],
)
def test_torchs_weights_and_biases_have_the_same_bound(layer, bound):
    for shape, scheme in layer.values():
        assert scheme.expected_std(shape) == pytest.approx(bound / 3**0.5, rel=1e-15)
        assert scheme.expected_mean(shape) == 0


def test_torchs_fused_projection_is_smaller_than_three():
    fused = layers.attention(8, 2, framework="torch")
    assert fused["in_proj_weight"].scheme.expected_std((24, 8)) == pytest.approx((2 / 32) ** 0.5, rel=1e-15)
    separate = layers.attention(8, 2, key_features=4, value_features=6, framework="torch")
    assert shapes(separate) == {
        "q_proj_weight": (8, 8),
        "k_proj_weight": (8, 4),
        "v_proj_weight": (8, 6),
        "in_proj_bias": (24,),
        "out_proj.weight": (8, 8),
        "out_proj.bias": (8,),
    }
    assert separate["q_proj_weight"].scheme.expected_std((8, 8)) == pytest.approx((2 / 16) ** 0.5, rel=1e-15)


# Keras and Flax


def test_kerass_gates_share_one_orthogonal_matrix_and_forget_gates_start_open():
    drawn = layers.draw(layers.lstm(3, 4, framework="keras"), seed=0)
    assert np.allclose(drawn["recurrent_kernel"] @ drawn["recurrent_kernel"].T, np.eye(4), atol=1e-6)
    assert (drawn["bias"] == np.repeat([0, 1, 0, 0], 4)).all()


def test_flaxs_gates_are_each_orthogonal():
    drawn = layers.draw(layers.gru(3, 4, framework="flax"), seed=0)
    for gate in "rzn":
        assert np.allclose(drawn[f"h{gate}/kernel"] @ drawn[f"h{gate}/kernel"].T, np.eye(4), atol=1e-6)


def test_keras_and_flax_attend_to_other_sizes():
    for framework in ("keras", "flax"):
        layer = layers.attention(8, 2, key_features=4, value_features=6, framework=framework)
        assert [layer[f"{part}/kernel"].shape[0] for part in ("query", "key", "value")] == [8, 4, 6]


# fanin


@pytest.mark.parametrize("activation", ["relu", "tanh", ("leaky_relu", 0.2), "selu", "sin", np.tanh])
def test_recommended_weights_suit_what_follows(activation):
    expected = fanin.recommend(activation, "linear", layout="OI").scheme
    assert layers.linear(6, 4, activation=activation)["weight"].scheme == expected
    assert layers.conv(6, 4, 3, activation=activation)["weight"].scheme == expected
    for framework in ("torch", "keras", "flax"):
        layer = layers.linear(6, 4, framework=framework)
        assert layers.linear(6, 4, activation=activation, framework=framework) == layer


def test_recommended_convolutions_know_their_fans():
    shape, scheme = layers.conv(8, 6, (3, 3), groups=2)["weight"]
    assert scheme.expected_std(shape) == pytest.approx((2 / (9 * 4 + 9 * 3)) ** 0.5)
    shape, scheme = layers.conv_transposed(8, 6, (3, 3), groups=2, activation="relu")["weight"]
    assert scheme.expected_std(shape) == pytest.approx((2 / (9 * 4)) ** 0.5)


@pytest.mark.parametrize(("name", "gates", "opened"), [("rnn", 1, []), ("lstm", 4, [1]), ("gru", 3, [1])])
def test_recommended_recurrent_layers_are_orthogonal_and_start_open(name, gates, opened):
    """A gate's matrix is orthogonal on its own, and the gate that keeps the state starts open, once."""
    drawn = layers.draw(getattr(layers, name)(3, 5), seed=0)
    for matrix in drawn["weight_hh_l0"].reshape(gates, 5, 5):
        assert np.allclose(matrix @ matrix.T, np.eye(5), atol=1e-6)
    expected = [float(gate in opened) for gate in range(gates)]
    assert (drawn["bias_ih_l0"] == np.repeat(expected, 5)).all()
    assert not drawn["bias_hh_l0"].any()
    one_gate = schemes.xavier_uniform(layout="OI").expected_std((5, 3))
    shape, scheme = getattr(layers, name)(3, 5)["weight_ih_l0"]
    assert scheme.expected_std(shape) == one_gate


def test_recommended_attention_is_the_same_fused_or_not():
    fused = layers.attention(8, 2)
    one = schemes.xavier_uniform(layout="OI")
    assert fused["in_proj_weight"].scheme.expected_std((24, 8)) == one.expected_std((8, 8))
    separate = layers.attention(8, 2, key_features=4)
    assert separate["k_proj_weight"].scheme == separate["out_proj.weight"].scheme == one
    assert not layers.draw(fused, seed=0)["in_proj_bias"].any()


def test_recommended_embeddings_heads_and_norms():
    table = layers.draw(layers.embedding(9, 4, padding=-2), seed=0)["weight"]
    assert not table[7].any()
    assert table[[0, 8]].all()
    assert layers.head(6, 4)["weight"].scheme == fanin.recommend(layer="head").scheme
    for name in ("batch_norm", "layer_norm", "group_norm", "rms_norm"):
        assert getattr(layers, name)(6)["weight"].scheme == fanin.recommend(layer="norm").scheme
        assert getattr(layers, name)(6) == getattr(layers, name)(6, framework="torch")


# errors


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: layers.linear(3, 2, framework="mxnet"),
            "framework must be one of 'fanin', .*, got 'mx",
        ),
        (lambda: layers.linear(-3, 2), "inputs must be at least 0, got -3"),
        (lambda: layers.linear(3, -2), "outputs must be at least 0, got -2"),
        (lambda: layers.linear(3, 2, activation="rleu"), "activation must be one of"),
        (lambda: layers.head(3, -2), "classes must be at least 0, got -2"),
        (lambda: layers.conv(3, 2, -1), "size must be at least 1, got -1"),
        (lambda: layers.conv(3, 2, (3, 0)), r"size\[1\] must be at least 1, got 0"),
        (lambda: layers.conv(3, 2, ()), r"size must have 1 to 3 dimensions, got \(\)"),
        (lambda: layers.conv(3, 2, (1, 1, 1, 1)), r"size must have 1 to 3 dimensions, got \(1, 1, 1, 1\)"),
        (lambda: layers.conv(6, 4, 3, groups=0), "groups must be at least 1, got 0"),
        (lambda: layers.conv(6, 4, 3, groups=4), "groups must divide the 6 inputs, got 4"),
        (lambda: layers.conv(6, 4, 3, groups=3), "groups must divide the 4 outputs, got 3"),
        (lambda: layers.conv_transposed(6, 4, 3, groups=3), "groups must divide the 4 outputs, got 3"),
        (lambda: layers.conv_transposed(6, 4, 3, groups=2, framework="keras"), "groups must be 1.*Keras.*got 2"),
        (lambda: layers.conv_transposed(6, 4, 3, groups=2, framework="flax"), "groups must be 1.*Flax.*got 2"),
        (lambda: layers.depthwise_conv(0, 3), "channels must be at least 1, got 0"),
        (lambda: layers.depthwise_conv(2, 3, -1), "multiplier must be at least 0, got -1"),
        (lambda: layers.embedding(-1, 3), "count must be at least 0, got -1"),
        (lambda: layers.embedding(4, 3, padding=4), "padding must be one of the 4 rows, got 4"),
        (lambda: layers.embedding(4, 3, padding=-5), "padding must be one of the 4 rows, got -5"),
        (lambda: layers.embedding(4, 3, padding=0, framework="keras"), "padding must be None.*Keras.*got 0"),
        (lambda: layers.embedding(4, 3, padding=0, framework="flax"), "padding must be None.*Flax.*got 0"),
        (lambda: layers.batch_norm(-1), "features must be at least 0, got -1"),
        (lambda: layers.layer_norm((3, -1)), r"shape\[1\] must be at least 0, got -1"),
        (lambda: layers.lstm(3, -1), "hidden must be at least 0, got -1"),
        (lambda: layers.attention(6, 0), "heads must be at least 1, got 0"),
        (lambda: layers.attention(6, 4), "heads must divide the 6 features, got 4"),
        (lambda: layers.attention(6, 2, key_features=-1), "key_features must be at least 0, got -1"),
    ],
)
def test_a_bad_value_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.linear(3.0, 2), "inputs must be an integer, got 3.0"),
        (lambda: layers.linear(True, 2), "inputs must be an integer, got True"),
        (lambda: layers.conv(3, 2, (3, None)), r"size must be an integer or a sequence of integers, got \(3, None\)"),
        (lambda: layers.embedding(3, 2, padding="0"), "padding must be an integer, got '0'"),
    ],
)
def test_a_bad_type_is_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(layers.__path__)])
def test_the_examples_of_every_module_run(module):
    assert doctest.testmod(importlib.import_module(f"fanin.layers.{module}")).failed == 0
