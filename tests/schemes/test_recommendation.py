"""What is recommended for each layer and activation, and what is warned of."""

import itertools
import math

import numpy as np
import pytest
from processes import run

import fanin
from fanin import recommend, review, schemes
from fanin.recommendation import LAYERS

# What every textbook says, and the papers behind it.
TABLE = [
    (("sigmoid", "linear"), schemes.xavier_normal(layout="OI")),
    (("tanh", "linear"), schemes.xavier_normal(layout="OI")),
    (("relu", "linear"), schemes.he_normal(layout="OI")),
    (("leaky_relu", "linear"), schemes.he_normal(layout="OI", activation="leaky_relu")),
    ((("leaky_relu", 0.2), "linear"), schemes.he_normal(layout="OI", activation=("leaky_relu", 0.2))),
    (("elu", "linear"), schemes.he_normal(layout="OI", activation="elu")),
    (("gelu", "linear"), schemes.he_normal(layout="OI", activation="gelu")),
    (("silu", "linear"), schemes.he_normal(layout="OI", activation="silu")),
    (("selu", "linear"), schemes.lecun_normal(layout="OI")),
    (("relu", "conv"), schemes.he_normal(layout="OI")),
    (("tanh", "recurrent"), schemes.orthogonal(layout="OI")),
    (("relu", "norm"), schemes.ones()),
    (("relu", "embedding"), schemes.normal(std=0.02)),
    (("relu", "bias"), schemes.zeros()),
    (("relu", "attention"), schemes.xavier_uniform(layout="OI")),
    (("linear", "head"), schemes.normal(std=0.01)),
]


@pytest.mark.parametrize(("what", "scheme"), TABLE, ids=[" ".join(map(str, what)) for what, _ in TABLE])
def test_each_layer_and_activation_has_its_scheme(what, scheme):
    advice = recommend(*what)
    assert advice.scheme == scheme
    if not isinstance(scheme, schemes.Constant):
        assert advice.expected_std((64, 100)) == scheme.expected_std((64, 100))


@pytest.mark.parametrize(
    ("what", "options", "scheme"),
    [
        (("linear", "linear"), {"depth": 20}, schemes.orthogonal(layout="OI")),
        (("tanh", "linear"), {"depth": 50}, schemes.orthogonal(layout="OI")),
        (("tanh", "conv"), {"depth": 50}, schemes.delta_orthogonal(layout="OI")),
        (("tanh", "linear"), {"depth": 50, "norm": True}, schemes.xavier_normal(layout="OI")),
        (("relu", "linear"), {"depth": 50}, schemes.he_normal(layout="OI")),
        (("relu", "conv"), {"depth": 16, "residual": True}, schemes.fixup(blocks=16, layout="OI")),
        (("relu", "conv"), {"depth": 16, "residual": True, "norm": True}, schemes.he_normal(layout="OI")),
        (("sigmoid", "linear"), {"depth": 1}, schemes.zeros()),
        (("linear", "head"), {"depth": 1}, schemes.zeros()),
        (("tanh", "recurrent"), {"blocks": 4}, schemes.orthogonal(blocks=4, layout="OI")),
        (("relu", "conv"), {"layout": "IO", "groups": 2}, schemes.he_normal(layout="IO", groups=2)),
    ],
)
def test_depth_normalization_and_residuals_change_it(what, options, scheme):
    assert recommend(*what, **options).scheme == scheme


def test_a_logistic_model_may_start_at_zero_and_is_told_why():
    assert "convex" in recommend("sigmoid", depth=1).why
    assert review(schemes.zeros(), (10, 784), activation="sigmoid", depth=1) == ()


def test_the_bias_of_relu_may_be_small_and_positive():
    assert "0.01" in recommend("relu", "bias").why
    assert "forget gate" in recommend("tanh", "bias").why


@pytest.mark.parametrize("layer", LAYERS)
def test_every_recommendation_says_why_in_two_sentences_names_its_source_and_draws(layer):
    activations = ["relu", "tanh", "gelu", "linear", "selu", "sin", math.tanh, ("elu", 0.5)]
    networks = [{}, {"depth": 100}, {"norm": True}, {"residual": True, "depth": 8}]
    for activation, options in itertools.product(activations, networks):
        advice = recommend(activation, layer, **options)
        assert advice.why.endswith(".")
        assert 2 <= advice.why.count(". ") + 1 + advice.why.count(": ") <= 4
        assert any(year in advice.source for year in ("20", "19")) or "He et al." in advice.source
        assert str(advice).startswith(f"{advice.name}: {advice.scheme.describe()}\n")
        assert hasattr(fanin, advice.name)
        shape = (4, 4, 3) if advice.name == "delta_orthogonal" else (6, 4)
        assert advice.scheme(shape, seed=0, name="w").shape == shape


def test_an_activation_with_a_name_takes_no_quadrature():
    """In a fresh process no cache has what other tests computed."""
    program = """
        from fanin import recommend
        from fanin.signals import gaussian, quadrature
        del gaussian.mean_square, quadrature.mean_square
        for activation in ("relu", "gelu", "tanh"):
            print(recommend(activation, "conv", depth=50))
        """
    assert "he_normal" in run(program)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("relu", "dense"), "layer must be one of 'linear', 'conv', .*, got 'dense'"),
        (("swoosh",), "activation must be .* got 'swoosh'"),
    ],
)
def test_what_cannot_be_recommended(arguments, message):
    with pytest.raises(ValueError, match=message):
        recommend(*arguments)
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        recommend(depth=0)


@pytest.mark.parametrize("scheme", [schemes.zeros(), schemes.ones(), schemes.constant(0.1)])
@pytest.mark.parametrize("layer", ["linear", "conv", "recurrent", "attention"])
def test_constant_weights_on_a_hidden_layer_keep_its_units_equal(scheme, layer):
    (problem,) = review(scheme, (64, 32), layer=layer)
    assert "every unit starts with the same weights" in problem
    assert recommend("relu", layer).name in problem


@pytest.mark.parametrize("layer", ["norm", "bias", "embedding", "head"])
def test_constants_are_fine_where_there_is_no_symmetry_to_break(layer):
    assert review(schemes.zeros(), (64, 32), layer=layer) == ()


@pytest.mark.parametrize(
    ("activation", "gain", "what", "factor"),
    [
        ("relu", 1.0, "vanish", 0.5),  # LeCun's, and nearly Xavier's: halved by every layer
        ("relu", 3**-0.5, "vanish", 1 / 6),  # the default of torch.nn.Linear
        ("relu", 2.0, "explode", 2.0),
        ("linear", 2.0, "explode", 4.0),
        ("tanh", 0.5, "vanish", 0.25),  # signals shrink to where tanh is linear
        ("tanh", 4.0, "explode", None),
    ],
)
def test_a_std_far_from_the_critical_one_is_named_with_its_factor_a_layer(activation, gain, what, factor):
    shape = (256, 400)
    (problem,) = review(schemes.normal(std=gain / 20), shape, activation=activation, depth=7)
    assert f"gradients {what}" in problem
    assert "7 layers" in problem
    if factor:
        stated = float(problem.partition("squares by ")[2].partition(",")[0])
        assert stated == pytest.approx(factor, rel=5e-3)


@pytest.mark.parametrize(
    "name", ["relu", "leaky_relu", "elu", "gelu", "silu", "mish", "selu", "tanh", "linear", "sigmoid"]
)
def test_what_is_recommended_is_not_warned_of(name):
    assert review(recommend(name).scheme, (512, 512), activation=name) == ()


def test_the_factor_is_what_a_real_network_has():
    """Ten layers of 1000 tanh units, gradients propagated back through them, beside the stated factor."""
    gain, width, depth = 2.5, 1000, 10
    scheme = schemes.normal(std=gain / math.sqrt(width))
    signal, slopes, weights = fanin.normal((width, 64), seed=1, name="x", dtype="float64"), [], []
    for layer in range(2 * depth):  # the first half brings the signal to its fixed point
        weight = scheme((width, width), seed=1, name=f"{layer}.weight", dtype="float64")
        signal = np.tanh(weight @ signal)
        weights.append(weight)
        slopes.append(1 - signal**2)
    gradient = fanin.normal((width, 64), seed=1, name="g", dtype="float64")
    before = (gradient**2).mean()
    for weight, slope in zip(weights[: depth - 1 : -1], slopes[: depth - 1 : -1], strict=True):
        gradient = weight.T @ (gradient * slope)
    measured = ((gradient**2).mean() / before) ** (1 / depth)
    (problem,) = review(scheme, (width, width), activation="tanh")
    assert float(problem.partition("squares by ")[2].partition(",")[0]) == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sigmoid", "elu"])
@pytest.mark.parametrize(("std", "what"), [(1e-150, "vanish"), (1e-8, "vanish"), (1e30, "explode")])
def test_a_std_of_any_size_is_judged(activation, std, what):
    (problem,) = fanin.review(schemes.normal(std=std), (64, 64), activation=activation)
    assert problem.startswith(f"gradients {what}")


def test_few_units_that_are_not_saturated_carry_exploding_gradients():
    # E tanh'(√q·z)² falls only as 1/√q: Poole et al. (2016), the chaotic phase.
    (problem,) = fanin.review(schemes.normal(std=10.0), (64, 64), activation="tanh")
    assert problem.startswith("gradients explode: with std 10 each layer multiplies their squares by 4")


def test_an_activation_without_a_slope_is_not_judged():
    assert fanin.review(schemes.normal(std=1.0), (64, 64), activation=lambda x: np.where(x > 0, 1.0, 0.0)) == ()
