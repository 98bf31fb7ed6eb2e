"""Mean-field theory: closed forms first, then wide networks that are drawn and measured."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, optimize, special

import fanin
from fanin import schemes
from fanin.diagnose.network import Network
from fanin.diagnose.slopes import least_squares
from fanin.diagnose.stack import Stack
from fanin.diagnose.theory import MeanField, critical_weight_variance, phase_diagram, predict
from fanin.signals import activations

CORRELATIONS = np.concatenate([np.linspace(-1, 1, 41), 1 - np.logspace(-8, -2, 25), np.logspace(-8, -2, 25) - 1])


def normal_mean(g):
    """E g(z) by scipy's quadrature, apart from the package's own."""
    return integrate.quad(lambda z: g(z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi), -12, 12, limit=400)[0]


def pair_mean(f, q, c, kinks=()):
    """E f(u₁)f(u₂): over z₁ the mean of f(u₁) times that of f(u₂) given u₁, each split at the kinks of f."""
    s, spread = math.sqrt(q), math.sqrt(q * (1 - c * c))

    def given(u):
        points = [(k - c * u) / spread for k in kinks if abs(k - c * u) < 9 * spread]
        density = lambda z: f(c * u + spread * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        return integrate.quad(density, -9, 9, points=points or None, epsabs=1e-10)[0]

    density = lambda z: f(s * z) * given(s * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    return integrate.quad(density, -9, 9, points=[k / s for k in kinks] or None, epsabs=1e-9)[0]


# Closed forms.


def test_linear_layers_have_closed_forms():
    field = MeanField("linear", 0.8, 0.1)
    assert field.variance(3.0) == pytest.approx(2.5, rel=1e-12)
    assert field.fixed_point == pytest.approx(0.5, rel=1e-11)
    assert field.chi == pytest.approx(0.8, rel=1e-12)
    assert field.xi_q == pytest.approx(-1 / math.log(0.8), rel=1e-9)
    assert field.xi_c == pytest.approx(-1 / math.log(0.8), rel=1e-9)
    assert field.phase == "ordered"
    np.testing.assert_allclose(field.correlation(CORRELATIONS), 0.8 * CORRELATIONS + 0.2, atol=1e-12)


@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
def test_relu_maps_correlations_by_the_arc_cosine_kernel(q):
    # Cho and Saul (2009): E f(u₁)f(u₂) = q·(sin θ + (π - θ)·cos θ)/2π with cos θ = c.
    angle = np.arccos(CORRELATIONS)
    kernel = (np.sin(angle) + (math.pi - angle) * CORRELATIONS) / math.pi
    got = MeanField("relu", 2.0).correlation(CORRELATIONS, q)
    np.testing.assert_allclose(got, kernel, atol=2e-7)
    biased = MeanField("relu", 1.5, 0.3).correlation(CORRELATIONS, q)
    np.testing.assert_allclose(biased, (0.75 * q * kernel + 0.3) / (0.75 * q + 0.3), atol=2e-7)


@pytest.mark.parametrize(("weight", "bias"), [(1.0, 0.05), (4.0, 0.1), (9.0, 0.0)])
def test_erf_has_closed_forms_even_as_a_callable(weight, bias):
    # Williams (1998): E erf(u₁)erf(u₂) = (2/π)·asin(2qc/(1 + 2q)); its derivative by qc is E erf'(u₁)erf'(u₂).
    def product(q, c):
        return 2 / math.pi * np.arcsin(2 * q * c / (1 + 2 * q))

    def slopes(q, c):
        return 4 / math.pi / np.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2)

    field = MeanField(special.erf, weight, bias)
    assert field.variance(0.7) == pytest.approx(weight * product(0.7, 1) + bias, rel=1e-9)
    q = optimize.brentq(lambda q: weight * product(q, 1) + bias - q, 1e-3, 20, xtol=1e-14)
    assert field.fixed_point == pytest.approx(q, rel=1e-8)
    assert field.chi == pytest.approx(weight * slopes(q, 1), rel=1e-7)
    np.testing.assert_allclose(
        field.correlation(CORRELATIONS), (weight * product(q, CORRELATIONS) + bias) / q, atol=1e-8
    )
    c = 1.0
    if field.chi > 1:
        c = optimize.brentq(lambda c: (weight * product(q, c) + bias) / q - c, -1e-9, 0.999, xtol=1e-13)
    assert field.fixed_correlation == pytest.approx(c, abs=1e-7)
    assert field.xi_c == pytest.approx(1 / abs(math.log(weight * slopes(q, c))), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "q", "kinks"),
    [("tanh", 0.5, ()), ("tanh", 20.0, ()), ("gelu", 2.0, ()), ("hard_tanh", 1.5, (-1, 1)), ("relu6", 9.0, (0, 6))],
)
def test_correlation_maps_are_means_over_two_variables(name, q, kinks):
    f = activations.function(name)
    square = normal_mean(lambda z: float(f(math.sqrt(q) * z)) ** 2)
    for c in (-0.9, 0.4, 0.97):
        exact = pair_mean(lambda u: float(f(u)), q, c, kinks) / square
        assert float(MeanField(name, 1.7).correlation(c, q)) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(("weight", "bias"), [(1.3, 0.05), (2.5, 0.05), (3.0, 0.5)])
def test_tanh_follows_the_formulas_of_schoenholz_et_al(weight, bias):
    # ξq = -1/log(χ₁ + σw²·E f''(√q z)·f(√q z)), here by scipy, where the package takes no second derivative.
    field = MeanField("tanh", weight, bias)
    q = optimize.brentq(lambda q: weight * normal_mean(lambda z: math.tanh(math.sqrt(q) * z) ** 2) + bias - q, 0.01, 9)
    assert field.fixed_point == pytest.approx(q, rel=1e-8)
    chi = weight * normal_mean(lambda z: math.cosh(math.sqrt(q) * z) ** -4)
    curved = weight * normal_mean(lambda z: -2 * (math.tanh(math.sqrt(q) * z) / math.cosh(math.sqrt(q) * z)) ** 2)
    assert field.chi == pytest.approx(chi, rel=1e-8)
    assert field.xi_q == pytest.approx(-1 / math.log(chi + curved), rel=1e-7)
    assert field.phase == ("ordered" if chi < 1 else "chaotic")
    c = field.fixed_correlation
    assert float(field.correlation(c)) == pytest.approx(c, abs=1e-9)
    step = 1e-4
    if c < 1:  # ξc is that of the map's slope at c*
        slope = float(np.diff(field.correlation([c - step, c + step]))[0]) / (2 * step)
        assert field.xi_c == pytest.approx(-1 / math.log(slope), rel=1e-5)
    else:
        assert field.xi_c == pytest.approx(-1 / math.log(chi), rel=1e-7)
    assert field.trainable_depth == 6 * field.xi_c


# Where the variance goes.


def test_relu_at_criticality_keeps_every_variance():
    assert MeanField("relu", 2.0).fixed_point == pytest.approx(2.0, rel=1e-12)
    field = MeanField("relu", 2.0, input_square=5.0)
    assert field.fixed_point == pytest.approx(10.0, rel=1e-12)
    assert (field.phase, field.fixed_correlation) == ("critical", 1.0)
    assert field.xi_q == field.xi_c == math.inf


def test_signals_may_die_out_or_diverge():
    assert MeanField("relu", 1.0).fixed_point == 0
    assert MeanField("relu", 1.0).chi == pytest.approx(0.5, rel=1e-10)
    assert MeanField("relu", 3.0).fixed_point == math.inf
    assert MeanField("relu", 3.0).phase == "chaotic"
    assert MeanField("relu", 2.0, 0.1).fixed_point == math.inf  # biases add up
    assert MeanField("tanh", 1.0).fixed_point == 0
    assert MeanField("tanh", 0.0, 0.3).fixed_point == pytest.approx(0.3)
    assert MeanField("tanh", 0.0).fixed_point == 0
    assert MeanField("exponential", 0.2).fixed_point == math.inf  # above 1/(2e) there is no solution of q = σw²·exp(2q)
    assert MeanField("exponential", 0.2).chi == math.inf


def test_gelu_settles_by_the_size_of_its_inputs():
    small, large = (MeanField("gelu", 2.2, input_square=square) for square in (0.1, 10.0))
    assert (small.fixed_point, small.phase) == (0.0, "ordered")
    assert (large.fixed_point, large.phase) == (math.inf, "chaotic")


@pytest.mark.parametrize("name", ["tanh", "gelu", "selu", "sigmoid", "softsign", "sin", ("leaky_relu", 0.2)])
@pytest.mark.parametrize("bias", [0.0, 0.1])
def test_the_fixed_point_is_where_repeated_layers_lead(name, bias):
    field = MeanField(name, 1.3, bias)
    q = 1.3 + bias
    for _ in range(400):
        q = field.variance(q)
    assert field.fixed_point == pytest.approx(q, rel=1e-6, abs=1e-6)


def test_opposite_inputs_stay_opposite_through_odd_nets():
    field = MeanField("tanh", 3.0)
    c = np.linspace(0, 1, 21)
    np.testing.assert_allclose(field.correlation(-c), -field.correlation(c), atol=1e-13)
    # A sum of at most 2050 terms that add up to 1 rounds by 5e-13, and C crosses the diagonal there with slope 0.91.
    assert abs(field.fixed_correlation) < 1e-11


# The critical line.


def test_known_critical_weight_variances():
    assert critical_weight_variance("relu") == pytest.approx(2, rel=1e-8)
    assert critical_weight_variance("relu", 0.3) == pytest.approx(2, rel=1e-8)
    assert critical_weight_variance("linear") == pytest.approx(1, rel=1e-8)
    assert critical_weight_variance(("leaky_relu", 0.5)) == pytest.approx(2 / 1.25, rel=1e-8)
    assert critical_weight_variance("tanh") == pytest.approx(1, rel=1e-5)
    assert critical_weight_variance("tanh", 0.05) == pytest.approx(1.76, abs=5e-3)  # Schoenholz et al. (2017)


def test_tanh_is_critical_where_an_independent_search_says():
    def excess(q):  # σw² and σb² eliminated from χ₁ = 1 and V(q) = q
        slope = normal_mean(lambda z: math.cosh(math.sqrt(q) * z) ** -4)
        return (q - 0.05) * slope - normal_mean(lambda z: math.tanh(math.sqrt(q) * z) ** 2)

    q = optimize.brentq(excess, 0.06, 5, xtol=1e-13)
    exact = 1 / normal_mean(lambda z: math.cosh(math.sqrt(q) * z) ** -4)
    assert critical_weight_variance("tanh", 0.05) == pytest.approx(exact, rel=1e-8)


@pytest.mark.parametrize(("name", "bias"), [("gelu", 0.0), ("gelu", 0.5), ("selu", 0.1), ("hard_tanh", 0.02)])
def test_the_critical_line_parts_order_from_chaos(name, bias):
    weight = critical_weight_variance(name, bias)
    assert MeanField(name, 0.99 * weight, bias).phase == "ordered"
    assert MeanField(name, 1.01 * weight, bias).phase == "chaotic"


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_the_phase_diagram_is_chi_at_every_point(name):
    weights, biases = np.linspace(0.1, 4, 9), np.array([0.0, 0.05, 0.3])
    drawn = phase_diagram(name, weights, biases)
    exact = [[MeanField(name, weight, bias).chi for weight in weights] for bias in biases]
    np.testing.assert_allclose(drawn, exact, rtol=1e-3)


# Depth scales, measured: Schoenholz et al. (2017), tanh with σb² = 0.05, below and above the critical 1.76.


def travel(weight, layers, draws, width=500, inputs=8, bias=0.05):
    """Two bundles of preactivations through random tanh layers: their correlations and mean squares.

    Each is (draws, layers + 1, 2). All layers of a draw are shared by both bundles.
    """
    field = MeanField("tanh", weight, bias)
    c, q = field.fixed_correlation, field.fixed_point
    bundles = (1.0, 0.98) if c == 1 else (c + 0.1, c - 0.1)  # c* of order cannot be exceeded
    result = np.empty((2, draws, layers + 1, 2))
    for draw in range(draws):
        common, *own = fanin.normal((inputs + 1, width), seed=draw, name="start")
        h = math.sqrt(q) * np.concatenate(
            [math.sqrt(c) * common + math.sqrt(1 - c) * np.array(own, np.float32) for c in bundles]
        )
        for layer in range(layers + 1):
            for bundle, part in enumerate(np.split(h, 2)):
                lengths = np.linalg.norm(part, axis=1)
                gram = part @ part.T / np.outer(lengths, lengths)
                result[0, draw, layer, bundle] = (gram.sum() - inputs) / (inputs * (inputs - 1))
                result[1, draw, layer, bundle] = np.mean(lengths**2) / width
            w = fanin.normal((width, width), std=math.sqrt(weight / width), seed=draw, name=f"layers.{layer}.weight")
            b = fanin.normal((width,), std=math.sqrt(bias), seed=draw, name=f"layers.{layer}.bias")
            h = np.tanh(h) @ w.T + b
    return result


def depth_scale(apart):
    """Layers in which what keeps bundles apart falls e times; `apart` (draws, layers). With a jackknife's error."""

    def fit(samples):
        return -1 / np.polyfit(np.arange(apart.shape[1]), np.log(samples.mean(axis=0)), 1)[0]

    left_out = np.array([fit(np.delete(apart, draw, axis=0)) for draw in range(len(apart))])
    return fit(apart), math.sqrt((len(apart) - 1) * np.var(left_out))


@pytest.mark.parametrize(
    ("weight", "phase", "layers", "draws"),
    [
        (1.0, "ordered", 10, 100),
        pytest.param(1.5, "ordered", 24, 200, marks=pytest.mark.slow),
        pytest.param(2.5, "chaotic", 14, 600, marks=pytest.mark.slow),
        pytest.param(4.0, "chaotic", 10, 400, marks=pytest.mark.slow),
    ],
)
def test_correlations_converge_to_c_over_xi_c(weight, phase, layers, draws):
    # What is left between bundles on both sides of c* decays as exp(-l/ξc); even powers and common noise cancel. Asked
    # is 5 %, with a standard error of at most half of that.
    field = MeanField("tanh", weight, 0.05)
    assert field.phase == phase
    correlations, squares = travel(weight, layers, draws)
    measured, error = depth_scale(correlations[..., 0] - correlations[..., 1])
    assert error < 0.025 * field.xi_c
    assert measured == pytest.approx(field.xi_c, rel=0.05)
    ends = correlations[:, -1].mean(axis=0)
    assert abs(ends - field.fixed_correlation).max() < 1.3 * 0.1 * math.exp(-layers / field.xi_c) + 0.01
    assert squares[:, -1].mean() == pytest.approx(field.fixed_point, rel=0.02)


# Stacks, predicted.


def he(layout="OI"):
    return schemes.he_normal(layout=layout)


def test_xavier_halves_the_signal_of_relu_and_he_keeps_it():
    xavier = predict(Stack(weights=schemes.xavier_normal(layout="OI"), depth=30))
    np.testing.assert_allclose(xavier.signal**2, 0.5 ** np.arange(1, 31), rtol=1e-10)
    np.testing.assert_allclose(xavier.gradient**2, 0.5 ** np.arange(29, -1, -1), rtol=1e-10)
    assert (xavier.slope, xavier.phase) == (pytest.approx(math.log(2)), "ordered")
    kept = predict(Stack(weights=he(), depth=30), input_square=3.0)
    np.testing.assert_allclose(kept.signal**2, 3, rtol=1e-10)
    np.testing.assert_allclose(kept.preactivation**2, 6, rtol=1e-10)
    assert (kept.slope, kept.phase) == (pytest.approx(0, abs=1e-10), "critical")


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_xavier_keeps_a_linear_signal_only_between_layers_of_one_size(kind):
    # From 16 to 48 its variance is 2/(16 + 48), half of 1/16.
    inputs = (16,) if kind == "dense" else (16, 5, 5)
    stack = Stack(weights=schemes.xavier_normal(layout="OI"), kind=kind, depth=4, width=48, activation="linear")
    np.testing.assert_allclose(predict(stack, inputs=inputs).signal ** 2, 0.5, rtol=1e-12)
    np.testing.assert_allclose(predict(stack).signal, 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("stack", "slope"),
    [
        (Stack(weights=schemes.orthogonal(layout="OI"), activation="linear", depth=100), 0),
        (Stack(weights=schemes.delta_orthogonal(layout="OI"), activation="linear", kind="conv", depth=100), 0),
        (Stack(weights=schemes.normal(std=0.02), width=100, norm="layer", depth=100), 0),  # at any std
        (Stack(weights=he(), residual=True, depth=20), -math.log(2)),  # each branch adds as much: Zhang et al. (2019)
        (Stack(weights=schemes.zeros()), math.inf),
        (Stack(weights=schemes.orthogonal(layout="OI"), kind="rnn", activation="relu"), math.log(2)),
        (Stack(weights=he(), depth=1), 0),
    ],
)
def test_slopes_are_those_of_closed_forms(stack, slope):
    predicted = predict(stack)
    assert predicted.slope == pytest.approx(slope, abs=2e-2 if stack.norm else 1e-9)
    assert predicted.gradient[-1] == 1


def test_batch_norm_explodes_at_any_std():
    # Yang et al. (2019): by π/(π - 1) a layer for ReLU, and not at all for linear nets.
    for std in (0.03, 0.1, 0.3):
        stack = Stack(weights=schemes.normal(std=std), width=500, norm="batch", depth=40)
        predicted = predict(stack)
        assert predicted.chi == pytest.approx(math.pi / (math.pi - 1), rel=1e-3)
        assert predicted.phase == "chaotic"
        ratios = predicted.gradient[1:-1] / predicted.gradient[2:]
        np.testing.assert_allclose(ratios**2, math.pi / (math.pi - 1), rtol=1e-3)
    linear = predict(Stack(weights=schemes.normal(std=0.1), width=500, norm="batch", activation="linear"))
    assert linear.chi == pytest.approx(1, abs=1e-4)


def test_branches_without_norm_add_up_and_norm_tames_them():
    plain = predict(Stack(weights=he(), residual=True, activation="tanh", depth=200))
    normed = predict(Stack(weights=he(), residual=True, norm="layer", depth=200))
    assert plain.phase == normed.phase == "critical"
    # Each normalized branch adds 1/2 and the product of means; gradients grow as a power of the depth, not of e.
    growth = -np.diff(np.log(normed.gradient))
    assert growth[-1] < 0.05 * growth[0]
    assert normed.chi == 1


def test_stacks_that_explode_or_die_out_have_numbers_all_the_same():
    for weights in (schemes.normal(std=1.0), schemes.normal(std=1e-3)):
        for residual in (False, True):
            predicted = predict(Stack(weights=weights, residual=residual, depth=200))
            assert not np.isnan([predicted.signal, predicted.preactivation, predicted.gradient]).any()
    dead = predict(Stack(weights=schemes.zeros(), activation="hard_shrink", depth=3))
    assert dead.phase == "ordered"
    assert np.isnan(dead.slope)


# Stacks, drawn and measured.


def measured(stack, inputs, examples, draws=4):
    """RMS of activations, preactivations and gradients, over some draws, of standard normal data."""
    squares = np.empty((3, draws, inputs[0] if stack.kind == "rnn" else stack.depth))
    for seed in range(draws):
        network = Network(stack, inputs, 10, seed=seed)
        logits = network.forward(fanin.normal((examples, *inputs), seed=seed, name="x"))
        network.backward(fanin.normal(logits.shape, seed=seed, name="functional"))  # of each example one of its own
        arrays = (network.hidden, network.preactivations, network.signals)
        squares[:, seed] = [[np.mean(np.square(layer, dtype=np.float64)) for layer in layers] for layers in arrays]
    signal, preactivation, gradient = np.sqrt(squares.mean(axis=1))
    return signal, preactivation, gradient / gradient[-1]


def require_agreement(stack, inputs, examples, rms, slope):
    """`rms`: relative; `slope`: absolute, of log gradient² a layer."""
    predicted = predict(stack, inputs=inputs)
    signal, preactivation, gradient = measured(stack, inputs, examples)
    np.testing.assert_allclose(signal, predicted.signal, rtol=rms)
    np.testing.assert_allclose(preactivation, predicted.preactivation, rtol=rms)
    assert least_squares(2 * np.log(gradient))[0] == pytest.approx(predicted.slope, abs=slope)


WEIGHTS = {"tanh": 1.5, "relu": 2.0, "gelu": 2.1}  # σw²


@pytest.mark.parametrize(
    ("name", "norm", "residual"),
    [
        *itertools.product(["tanh", "relu"], [None, "batch", "layer"], [False, True]),
        ("gelu", None, False),
        ("gelu", "batch", True),
        ("gelu", "layer", False),
    ],
)
def test_dense_stacks_are_as_predicted(name, norm, residual):
    # At width n and depth L the squares of a draw spread by about √(5L/n), Hanin (2018): 0.3 here, so that the RMS of
    # four draws is good to 8 %. Two of these, and of the slope's 0.3/√4/9 a layer.
    stack = Stack(
        weights=schemes.normal(std=math.sqrt(WEIGHTS[name] / 512)),
        inputs=schemes.normal(std=math.sqrt(WEIGHTS[name] / 100)),
        biases=schemes.normal(std=0.1),
        depth=10,
        width=512,
        activation=name,
        norm=norm,
        residual=residual,
    )
    require_agreement(stack, (100,), 128, rms=0.16, slope=0.035)


@pytest.mark.parametrize("norm", [None, "batch"])
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_convolutions_are_as_predicted(name, norm):
    weights = schemes.variance_scaling(WEIGHTS[name], "fan_in", "normal", layout="OI")
    stack = Stack(weights=weights, kind="conv", depth=6, width=96, activation=name, norm=norm)
    require_agreement(stack, (8, 5, 5), 32, rms=0.16, slope=0.08)


def test_delta_orthogonal_convolutions_are_as_predicted():
    stack = Stack(weights=schemes.delta_orthogonal(layout="OI"), kind="conv", depth=30, width=64, activation="tanh")
    require_agreement(stack, (3, 5, 5), 32, rms=0.1, slope=0.02)


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_recurrent_nets_are_as_predicted(name):
    weights = schemes.normal(std=math.sqrt(WEIGHTS[name] / 384))
    stack = Stack(weights=weights, kind="rnn", width=384, activation=name)
    require_agreement(stack, (12, 40), 64, rms=0.16, slope=0.06)


def test_residual_tanh_of_any_depth_is_as_predicted():
    stack = Stack(weights=schemes.normal(std=1 / 16), width=256, depth=60, activation="tanh", residual=True)
    require_agreement(stack, (256,), 64, rms=0.1, slope=0.02)


# Errors.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("relu", -1.0), "weight_variance must be finite and not negative, got -1.0"),
        (("relu", 1.0, math.inf), "bias_variance must be finite and not negative, got inf"),
        (("relu", 1.0, 0.0, 0.0), "input_square must be finite and positive, got 0.0"),
        (("glu", 1.0), "must act on each element alone, 'glu'"),
        (("softmax", 1.0), "must act on each element alone, 'softmax'"),
        (("nothing", 1.0), "activation must be one of"),
        ((lambda x: np.exp(x * x), 1.0), "must have a finite mean square|must be finite"),
    ],
)
def test_a_field_names_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        MeanField(*arguments)


def test_maps_and_searches_name_what_is_wrong():
    with pytest.raises(ValueError, match=r"c must be in \[-1, 1\], got 1.1"):
        MeanField("tanh", 1.0).correlation(1.1)
    with pytest.raises(ValueError, match="q must be finite and not negative, got -1"):
        MeanField("tanh", 1.0).correlation(0.5, -1)
    step = MeanField(np.sign, 1.0)
    assert step.fixed_point == pytest.approx(1.0)
    with pytest.raises(ValueError, match="without jumps or noise"):
        _ = step.chi
    with pytest.raises(ValueError, match="between 1e-6 and 1e6 that makes χ₁ 1, got <function"):
        critical_weight_variance(lambda x: x**0 * 1.0)
    with pytest.raises(ValueError, match="bias_variances must be a list of finite numbers"):
        phase_diagram("tanh", [1.0], [-1.0])


def test_predict_names_what_is_wrong():
    with pytest.raises(ValueError, match="kind must be 'dense', 'conv' or 'rnn' to predict, got 'lstm'"):
        predict(Stack(weights=he(), kind="lstm"))
    with pytest.raises(ValueError, match=r"inputs must have 3 sizes of at least 1 for kind 'conv', got \(3,\)"):
        predict(Stack(weights=he(), kind="conv"), inputs=(3,))
    with pytest.raises(ValueError, match="input_square must be finite and not negative, got nan"):
        predict(Stack(weights=he()), input_square=math.nan)
