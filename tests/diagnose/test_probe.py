"""What a probe measures is what it says, and its verdict names what is wrong and nothing else."""

import json
import math

import numpy as np
import pytest
from scipy import stats

import fanin
from fanin import schemes
from fanin.diagnose.network import Network
from fanin.diagnose.probe import Report, probe
from fanin.diagnose.slopes import student
from fanin.diagnose.stack import Stack

HE = schemes.he_normal(layout="OI")
XAVIER = schemes.xavier_normal(layout="OI")
ORTHOGONAL = schemes.orthogonal(layout="OI")
GATES = schemes.orthogonal(blocks=4, layout="OI")
SHAPES = {"dense": (64,), "conv": (1, 8, 8), "rnn": (8, 8), "lstm": (8, 8)}


def between_passes(products):
    """How far two float32 passes may be apart, relative to the rms, whose BLAS adds up in different orders.

    Sums of n products of random signs grow as their root. So each of the n roundings, of 2⁻²⁴ of what is added up so
    far, is at most 2⁻²⁴ of the rms of the result. Those of all sums that a value goes through in turn add up.
    """
    return 2 * products * 2**-24


LAYER = between_passes(128)  # one layer of the default width, in one direction


def data(kind="dense", n=200):
    x = fanin.normal((n, *SHAPES[kind]), seed=1, name="x")
    return x, np.arange(n) % 10


def probed(weights=HE, *, kind="dense", labels=True, seed=0, draws=1, **options):
    x, y = data(kind)
    return probe(Stack(weights=weights, kind=kind, **options), x, y if labels else None, seed=seed, draws=draws)


# What is measured


def test_profiles_are_those_of_the_network():
    """Another pass computes them: forward through up to 4 layers and the head, back, and over 200 examples."""
    report = probed(depth=4, activation="tanh", biases=schemes.normal(std=0.1))
    x, labels = data()
    network = Network(report.stack, (64,), 10)
    loss, gradient = network.loss(x, labels)
    network.backward(gradient)
    assert report.names == ("layers.0", "layers.1", "layers.2", "layers.3")
    assert report.loss == pytest.approx(loss, rel=5 * LAYER)
    for layer in range(4):
        forward, back = (layer + 1) * LAYER, (10 - layer) * LAYER
        hidden, signal = network.hidden[layer].astype("float64"), network.signals[layer].astype("float64")
        weight_gradient = network.gradients[f"layers.{layer}.weight"].astype("float64")
        assert report.mean[layer] == pytest.approx(hidden.mean(), abs=forward)
        assert report.std[layer] == pytest.approx(hidden.std(), rel=forward)
        assert report.rms[layer] == pytest.approx(math.sqrt((hidden**2).mean()), rel=forward)
        assert report.gradient[layer] == pytest.approx(math.sqrt((signal**2).mean()), rel=back)
        rms = math.sqrt((weight_gradient**2).mean())
        assert report.weight_gradient[layer] == pytest.approx(rms, rel=back + between_passes(200))
    values = np.linalg.svd(network.jacobian(x[0]), compute_uv=False)
    # By Weyl's inequality; the Jacobian depends on 4 layers forward and is a product of 3.
    assert np.allclose(report.singular_values, values, rtol=0, atol=7 * LAYER * np.linalg.norm(values))


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_recurrent_profile_has_an_entry_for_each_step_and_its_weight_gradients_add_up(kind):
    report = probed(GATES if kind == "lstm" else ORTHOGONAL, kind=kind, activation="tanh", width=16)
    assert report.names == tuple(f"steps.{step}" for step in range(8))
    assert report.weight_gradient[0] == 0  # the state before the first step is 0
    network = Network(report.stack, (8, 8), 10)
    network.backward(network.loss(*data(kind))[1])
    parts = [signal.T @ hidden for signal, hidden in zip(network.signals[1:], network.hidden[:-1], strict=True)]
    total = network.gradients["cell.weight_hh"]
    assert np.allclose(sum(parts), total, rtol=0, atol=between_passes(7 * 200) * abs(total).max())
    rms = [math.sqrt((part.astype("float64") ** 2).mean()) for part in parts]
    # Forward through 8 steps of 8 + 16 products and the head, back through 64 for each step, and over 200 examples.
    through = 8 * 24 + 16 + 10 + 8 * 64 + 200
    assert report.weight_gradient[1:] == pytest.approx(rms, rel=between_passes(through))
    assert (report.prediction is None) == (kind == "lstm")


def test_a_unit_is_dead_where_it_is_active_on_less_than_1_percent_of_the_examples():
    """One input, so that unit u is on where ±x > 1: with x up to 1 for no example, and for one and for two of 200."""
    stack = Stack(weights=schemes.ones(), depth=1, width=2, biases=schemes.constant(-1.0))
    x = np.full((200, 1), 0.5)
    for above, dead in ((0, 1.0), (1, 1.0), (2, 0.0)):
        x[:above] = 1.5
        assert probe(stack, x).dead.tolist() == [dead]


@pytest.mark.parametrize(
    ("activation", "bound"),
    [
        ("tanh", math.atanh(0.97)),
        ("sigmoid", 2 * math.atanh(0.97)),  # (1 + tanh(z/2))/2
        (np.tanh, math.atanh(0.97)),
        (("hard_tanh", -2.0, 2.0), 2.0),
        ("softsign", 0.0591**-0.5 - 1),  # its slope is (1 + |z|)^-2
    ],
)
def test_an_activation_is_saturated_where_the_slope_is_below_that_of_tanh_at_97_percent(activation, bound):
    stack = Stack(weights=schemes.ones(), depth=1, width=3, activation=activation)
    x = np.linspace(-5, 5, 501)[:, None]
    assert probe(stack, x).saturated[0] == pytest.approx((np.abs(x) > bound).mean(), abs=0.005)


@pytest.mark.parametrize(
    "activation", ["relu", "relu6", "gelu", "linear", "elu", "softplus", "sin", "exponential", "hard_swish"]
)
def test_what_is_not_flat_on_both_sides_of_0_is_never_saturated(activation):
    stack = Stack(weights=schemes.ones(), depth=1, width=3, activation=activation)
    assert probe(stack, np.linspace(-20, 20, 101)[:, None]).saturated[0] == 0


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu", "tanh_shrink", np.tanh])
def test_what_is_flat_nowhere_is_never_dead(activation):
    stack = Stack(weights=schemes.ones(), depth=1, width=3, activation=activation, biases=schemes.constant(-40.0))
    assert probe(stack, np.linspace(-1, 1, 101)[:, None]).dead[0] == 0


def test_of_an_lstm_the_units_are_those_of_its_cell_gate():
    """Gates i, f, g, o: the cell gate is driven far into tanh's flat ends, or all others are."""

    def gates(cell, others):
        biases = schemes.gate_bias(gate=2, gates=4, value=cell, others=schemes.constant(others))
        return probed(GATES, kind="lstm", width=8, activation="tanh", biases=biases)

    assert (gates(50.0, 0.0).saturated == 1).all()
    assert (gates(0.0, 50.0).saturated < 0.5).all()


def test_gradients_without_labels_do_not_depend_on_the_head_s_confidence_and_are_always_the_same():
    report, again = probed(labels=False), probed(labels=False)
    assert report.loss is None
    passes = 2 * 11 * LAYER  # through ten layers and the head, and back
    assert report.gradient == pytest.approx(again.gradient, rel=passes)
    louder = probed(labels=False, head=schemes.normal(std=100.0))
    quiet = probed(labels=False, head=schemes.normal(std=0.01))
    assert np.allclose(louder.gradient, 1e4 * quiet.gradient, rtol=passes)


# The slope


def test_the_slope_of_a_profile_that_halves_is_ln_2():
    """ReLU keeps half of a gradient's square: He's weights give it back, Xavier's do not (He et al., 2015)."""
    report = probed(XAVIER, depth=30, width=256, draws=5)
    assert report.slope == pytest.approx(math.log(2), abs=0.05)
    low, high = report.interval
    assert low < math.log(2) < high
    assert high - low < 0.1
    assert report.slope == pytest.approx(report.prediction.slope, abs=0.05)
    he = probed(HE, depth=30, width=256, draws=5)
    assert he.interval[0] < 0 < he.interval[1]


def test_with_one_draw_the_interval_is_that_of_least_squares():
    report = probed(depth=12, activation="tanh")
    fit = stats.linregress(np.arange(12), np.log(report.gradient**2))
    half = stats.t.ppf(0.975, 10) * fit.stderr
    assert report.slope == pytest.approx(fit.slope, rel=1e-9)
    assert report.interval == pytest.approx((fit.slope - half, fit.slope + half), rel=1e-4)


def test_with_several_draws_it_is_that_of_their_mean():
    report = probed(depth=12, draws=4, seed=7)
    slopes = np.array([probed(depth=12, seed=seed).slope for seed in range(7, 11)])
    half = stats.t.ppf(0.975, 3) * slopes.std(ddof=1) / 2
    # A gradient goes through one layer more than the next, forward and back, and its square changes by twice as much.
    rounding = 4 * LAYER
    assert report.slope == pytest.approx(slopes.mean(), abs=rounding)
    # Half the interval is 1.6 standard deviations of the slopes. 2e-3 is how near `student` is, as tested below.
    near = 2e-3 * half + 3 * rounding
    assert report.interval == pytest.approx((slopes.mean() - half, slopes.mean() + half), abs=near)


def test_the_interval_of_several_draws_holds_the_slope_of_many():
    """A 95 % interval: of 20 of three draws each, at least 16 hold the mean of 60 (p = 0.003 that fewer do)."""
    reports = [probed(depth=8, width=32, draws=3, seed=3 * number, labels=False) for number in range(20)]
    truth = np.mean([report.slope for report in reports])
    assert sum(report.interval[0] < truth < report.interval[1] for report in reports) >= 16


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 10, 30, 100, 10000])
def test_student_is_the_97_5_percent_point_of_t(freedom):
    assert student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3 if freedom > 2 else 1e-12)


def test_two_layers_have_a_slope_without_an_interval_and_one_has_none():
    assert probed(depth=2).interval == (-math.inf, math.inf)
    assert math.isnan(probed(depth=1).slope)
    assert probed(depth=2).verdict() == probed(depth=1).verdict() == ()


# The verdict


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_zero_init_is_symmetric(activation, kind):
    report = probed(schemes.zeros(), kind=kind, width=8, activation=activation)
    (problem,) = report.verdict()
    assert problem.startswith("every unit starts equal: all rows of layers.0.weight … layers.9.weight (10)")
    assert report.symmetric == tuple(f"layers.{layer}.weight" for layer in range(10))


def test_constant_weights_are_symmetric_but_zero_branches_of_a_residual_network_are_not():
    assert "every unit starts equal" in probed(schemes.constant(0.01)).verdict()[0]
    assert probed(schemes.zeros(), inputs=HE, residual=True, activation="tanh").verdict() == ()
    zeros = schemes.zeros()
    assert "every unit starts equal" in probed(zeros, inputs=zeros, kind="rnn").verdict()[0]
    assert "every unit starts equal" not in probed(zeros, kind="rnn").verdict()[0]  # the input tells them apart
    biases = schemes.normal(std=1.0)
    assert probed(schemes.constant(0.1), biases=biases).symmetric == ()


def test_dead_rectifiers_are_named():
    report = probed(depth=5, biases=schemes.constant(-3.0))
    (problem,) = report.verdict()
    assert problem.startswith("units are dead: 100% of layers.1 … layers.4 (4) are active on less than 1%")
    assert "Use he_normal and biases of 0" in problem


def test_units_that_are_off_by_chance_are_not_called_dead():
    """All examples are one: each unit is on or off for all, and in some layers more than half are off."""
    x = np.repeat(data(n=1)[0], 100, axis=0)
    report = probe(Stack(weights=HE, depth=30), x)
    assert report.dead.mean() == pytest.approx(0.5, abs=0.05)
    assert report.dead.max() > 0.5
    assert report.verdict() == ()


@pytest.mark.parametrize(("activation", "scale"), [("tanh", 6.0), ("sigmoid", 12.0), ("hard_tanh", 6.0)])
def test_saturated_units_are_named(activation, scale):
    problems = probed(scale * XAVIER, activation=activation).verdict()
    (problem,) = [problem for problem in problems if problem.startswith("units are saturated")]
    assert "layers.0 … layers.9 (10)" in problem
    assert "Use xavier_normal" in problem


@pytest.mark.parametrize(
    ("weights", "options", "what", "factor"),
    [
        (XAVIER, {}, "vanish", 0.5),
        (schemes.lecun_uniform(layout="OI"), {}, "vanish", 0.5),
        (3**-0.5 * schemes.lecun_uniform(layout="OI"), {}, "vanish", 1 / 6),  # the default of torch.nn.Linear
        (2**0.5 * HE, {}, "explode", 2.0),
        (0.5 * XAVIER, {"activation": "tanh"}, "vanish", 0.25),
        (XAVIER, {"activation": "sigmoid"}, "vanish", 1 / 16),  # its slope at 0 is 1/4
        (2 * ORTHOGONAL, {"activation": "linear"}, "explode", 4.0),
        (XAVIER, {"kind": "conv", "width": 16}, "vanish", 0.5),
        (0.5 * ORTHOGONAL, {"kind": "rnn", "activation": "linear"}, "vanish", 0.25),
    ],
)
def test_vanishing_and_exploding_gradients_are_named_with_their_factor(weights, options, what, factor):
    report = probed(weights, labels=False, **options)
    problem = report.verdict()[0]
    back = "step" if report.stack.kind == "rnn" else "layer"
    assert problem.startswith(f"gradients {what}: each {back} back multiplies their squares by ")
    stated = float(problem.partition("squares by ")[2].split()[0].rstrip(","))
    assert stated == pytest.approx(factor, rel=0.15)
    over = len(report.names) - 1
    total = float(problem.partition(f", {over} {back}s by ")[2].split()[0].rstrip("."))
    assert total == pytest.approx(stated**over, rel=0.1)
    assert "Use " in problem


def test_weights_that_are_right_already_are_not_recommended_again():
    """Batch norm without residual connections makes gradients explode whatever the weights: Yang et al. (2019)."""
    (problem,) = probed(HE, norm="batch", depth=30, labels=False).verdict()
    assert problem.startswith("gradients explode")
    assert problem.endswith("Use residual connections.")


def test_an_open_forget_gate_is_recommended_to_an_lstm():
    (problem,) = probed(GATES, kind="lstm", activation="tanh", width=64).verdict()
    assert problem.startswith("gradients vanish: each step back")
    assert "Use lstm_bias" in problem


def test_an_overflow_is_named_where_it_begins():
    report = probed(schemes.normal(std=1e3), depth=30)
    first = int(np.flatnonzero(~np.isfinite(report.rms))[0])
    assert report.verdict()[0].startswith(f"activations explode: those of layers.{first} … layers.29")
    assert not any("dead" in problem for problem in report.verdict())


def test_an_underflow_is_named():
    (problem,) = probed(schemes.normal(std=1e-8), depth=30, activation="tanh").verdict()
    assert problem.startswith("gradients vanish: those of layers.0 … layers.")
    assert "are 0 in float32" in problem


def test_a_confident_head_is_named_beside_the_loss_of_equal_logits():
    (problem,) = probed(head=schemes.normal(std=2.0)).verdict()
    assert problem.startswith("the loss starts far from chance: it is ")
    assert "ln 10 = 2.3" in problem


# How it reads, and errors


@pytest.mark.parametrize("depth", [2, 20, 21, 200])
def test_the_table_is_aligned_and_at_most_100_wide(depth):
    lines = str(probed(XAVIER, depth=depth)).splitlines()
    assert max(map(len, lines)) <= 100
    rows = [line for line in lines if line.startswith("layers.")]
    assert len(rows) == min(depth, 20)
    assert len({len(line) for line in [lines[0], *rows]}) == 1
    assert ("…" in "".join(lines[:25])) == (depth > 20)


def test_the_text_has_the_slope_theory_the_singular_values_the_loss_and_the_verdict():
    text = str(probed(XAVIER, depth=20))
    for part in ("log gradient² by layer: +0.", "theory +0.69", "singular values", "ln 10 = 2.303", "gradients vanish"):
        assert part in text
    assert str(probed(depth=4)).endswith("\nhealthy")


@pytest.mark.parametrize("kind", SHAPES)
def test_a_report_is_what_json_holds(kind):
    report = probed(GATES if kind == "lstm" else HE, kind=kind, width=8, activation=np.tanh)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["stack"]["kind"] == kind
    assert data["stack"]["activation"] == "tanh"
    assert data["slope"] == report.slope
    assert np.allclose(data["gradient"], report.gradient)
    assert data["verdict"] == list(report.verdict())
    assert (data["prediction"] is None) == (kind == "lstm")


def test_a_report_of_what_overflows_is_what_json_holds_too():
    data = probed(schemes.normal(std=1e3), depth=30).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_jacobian_of_a_large_convolution_is_left_out():
    report = probe(Stack(weights=HE, kind="conv", depth=2, width=17), fanin.zeros((2, 1, 8, 8)))
    assert report.singular_values.size == 0
    assert isinstance(report, Report)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: probe(Stack(weights=HE), x, draws=0), "draws must be at least 1, got 0"),
        (lambda x: probe(Stack(weights=HE, kind="conv"), x), r"inputs must be \(channels, height, width\)"),
        (lambda x: probe(Stack(weights=HE), x, [0]), "labels must be 200 integers"),
        (lambda x: probe(Stack(weights=HE), x, np.arange(200), classes=10), r"labels must be in \[0, 10\)"),
        (lambda x: probe(Stack(weights=HE), x * math.inf), "x must be finite, got 12800 values that are not"),
        (lambda x: probe(Stack(weights=HE, activation=np.sign), x), "activation must have .* without jumps"),
        (lambda x: probe(Stack(weights=HE), x[:0]), "x must have examples of shape"),
    ],
)
def test_errors_name_the_argument_its_value_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call(data()[0])


def test_labels_of_one_class_leave_a_gradient():
    x, _ = data()
    report = probe(Stack(weights=HE, depth=4), x, np.zeros(len(x), int))
    assert report.classes == 2
    assert (report.gradient > 0).all()


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({}, ["a", "b"], "labels must be integers, got <U1"),
        ({}, [0.5, np.nan], "labels must be integers, got float64"),
        ({"norm": "layer", "width": 1}, [0, 1], "width must be more than 1 for layer normalization, got 1"),
    ],
)
def test_what_has_no_gradient_is_refused(options, labels, message):
    with pytest.raises(ValueError, match=message):
        probe(Stack(weights=HE, **options), np.ones((2, 8)), labels)


def test_batch_normalization_of_one_example_is_refused():
    with pytest.raises(ValueError, match="x must have more than one example for batch normalization, got 1"):
        probe(Stack(weights=HE, norm="batch"), np.ones((1, 8)))
