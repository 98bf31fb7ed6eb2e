"""What the papers behind the schemes found, measured on drawn networks, and the verdicts that follow from it."""

import math

import numpy as np
import pytest

import fanin
from fanin import schemes
from fanin.diagnose.network import Network
from fanin.diagnose.probe import probe
from fanin.diagnose.stack import Stack

HE = schemes.he_normal(layout="OI")
XAVIER = schemes.xavier_normal(layout="OI")
LECUN = schemes.lecun_normal(layout="OI")
ORTHOGONAL = schemes.orthogonal(layout="OI")
GATES = schemes.orthogonal(blocks=4, layout="OI")
HEAD = schemes.normal(std=0.01)
DELTA = schemes.delta_orthogonal(layout="OI")


def normal(*shape):
    return fanin.normal(shape, seed=1, name="x")


# He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015, sections 2.2 and 2.3: 30 layers


def test_he_keeps_the_signal_of_30_rectified_layers_within_a_factor_of_2_and_xavier_halves_it_in_each():
    x = normal(128, 512)
    he, xavier = (probe(Stack(weights=weights, depth=30, width=512), x, draws=3).rms ** 2 for weights in (HE, XAVIER))
    assert ((he > 0.5) & (he < 2)).all()
    factor = (xavier[-1] / xavier[0]) ** (1 / 29)
    assert factor == pytest.approx(1 / 2, rel=0.02)


# Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear networks, 2014


def test_orthogonal_linear_layers_keep_every_singular_value_at_1_through_100():
    stack = Stack(weights=ORTHOGONAL, depth=100, width=128, activation="linear")
    values = probe(stack, normal(2, 128)).singular_values
    assert values.shape == (128,)
    assert np.abs(values - 1).max() <= 1e-4


def test_gaussian_linear_layers_spread_singular_values_exponentially():
    """Newman (1986): the i-th of n grows as √(2/n)·exp(ψ((n - i + 1)/2)/2) a layer, the middle one as 1/√2 for large n.

    So the largest leaves it behind by ln(2)/2 a layer. The first twenty layers settle; 15 % is the scatter of draws.
    """

    def lead(layers):
        stack = Stack(weights=LECUN, depth=layers + 1, width=100, activation="linear")
        network = Network(stack, (100,), 2, dtype="float64")
        values = np.linalg.svd(network.jacobian(np.ones(100)), compute_uv=False)
        return math.log(values[0] / values[50])

    assert (lead(60) - lead(20)) / 40 == pytest.approx(math.log(2) / 2, rel=0.15)


# Pennington, Schoenholz and Ganguli, Resurrecting the sigmoid in deep learning through dynamical isometry, 2017


def spread(weights, depth, activation="tanh"):
    """Return the Jacobian's largest singular value over the middle one, and the middle one over the lowest tenth."""
    network = Network(Stack(weights=weights, depth=depth, width=128, activation=activation), (128,), 2, dtype="float64")
    values = np.linalg.svd(network.jacobian(normal(128)), compute_uv=False)
    return values[0] / values[64], values[64] / values[115]


def test_critical_orthogonal_tanh_layers_keep_the_jacobians_spread_bounded_and_gaussian_ones_do_not():
    above, below = np.transpose([spread(ORTHOGONAL, depth) for depth in (25, 50, 100, 200)])
    assert max(*above, *below) < 3.5
    assert above[-1] < 1.1 * above[0]
    assert below[-1] < 1.1 * below[0]
    gaussian = [spread(LECUN, depth)[0] for depth in (12, 25, 50)]
    assert gaussian[1] > 30 * gaussian[0]
    assert gaussian[2] > 1000 * gaussian[1]


def test_no_orthogonal_weights_give_rectified_layers_isometry():
    """Their section 2.5.1: half of the units are off whatever the weights, and as many singular values 0."""
    for activation, least, most in (("tanh", 1.0, 1.0), ("relu", 0.2, 0.6)):
        stack = Stack(weights=ORTHOGONAL, depth=3, width=128, activation=activation)
        values = np.linalg.svd(Network(stack, (128,), 2).jacobian(normal(128)), compute_uv=False)
        assert least <= (values > 1e-3 * values[0]).mean() <= most


# Xiao et al., Dynamical isometry and a mean field theory of CNNs, 2018


def carried(weights, activation):
    """Return what 1000 convolutions multiply differences between positions and examples by, and gradients going back.

    In float64. A gradient starts equal at all positions, differences between positions die out more slowly, and those
    that rounding makes, in float32 2⁻²⁴ of its size, would soon be all that is left of it.
    """
    stack = Stack(weights=weights, inputs=LECUN, kind="conv", depth=1000, width=8, activation=activation)
    network = Network(stack, (1, 8, 8), 2, dtype="float64")
    network.forward(normal(16, 1, 8, 8))
    network.backward(fanin.normal((16, 2), seed=1, name="gradient"))
    first, last = (np.std(network.hidden[layer] - network.hidden[layer].mean((0, 1))) for layer in (0, -1))
    back, start = (np.sqrt(np.mean(network.signals[layer].astype("float64") ** 2)) for layer in (0, -1))
    return last / first, back / start


def test_delta_orthogonal_convolutions_carry_signals_through_1000_layers():
    """Linear ones keep them. Of critical tanh ones the variance falls as 1/(2·layers), which is no exponential."""
    assert carried(DELTA, "linear") == pytest.approx((1, 1), abs=1e-4)
    signal, gradient = carried(DELTA, "tanh")
    assert 0.5 / math.sqrt(2 * 1000) < signal < 2 / math.sqrt(2 * 1000)
    assert gradient > 1e-2


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_gaussian_kernels_do_not_though_their_variance_is_the_same(activation):
    """Newman (1986): the largest singular value of a product of Gaussian matrices shrinks exponentially.

    For n×n matrices each factor adds (ψ(n/2) + ln(2/n))/2 to its logarithm in the mean, with variance ψ'(n/2)/4. For
    complex matrices, which those of most frequencies are, n stands in place of n/2. So with n = 8 and 1000 layers the
    logarithm changes by -65 ± 8 for the mean of a gradient, and by -32 ± 6 for differences between positions. Two
    standard deviations above that are factors of 1e-21 and 1e-9.
    """
    assert LECUN.expected_std((8, 8, 3, 3)) == pytest.approx(DELTA.expected_std((8, 8, 3, 3)))
    signal, gradient = carried(LECUN, activation)
    assert signal < 1e-9
    assert gradient < 1e-20


# Ioffe and Szegedy, Batch normalization, 2015: (α·W)·x is normalized as W·x. Yang et al., A mean field theory of batch
# normalization, 2019: through rectified layers squares of gradients then grow by π/(π - 1), whatever the weights.

SCALES = (0.3, 0.5, 1.0, 2.0, 3.0)  # of the critical std


def slopes(norm):
    x = normal(256, 128)
    return [probe(Stack(weights=scale * HE, depth=20, norm=norm), x, draws=2).slope for scale in SCALES]


def test_with_batch_norm_the_slope_stays_in_a_band_of_005_whatever_the_std():
    assert slopes("batch") == pytest.approx([-math.log(math.pi / (math.pi - 1))] * 5, abs=0.05)


def test_without_it_the_slope_follows_the_std():
    assert slopes(None) == pytest.approx([-2 * math.log(scale) for scale in SCALES], abs=0.1)


# Gers, Schmidhuber and Cummins, 2000; Jozefowicz, Zaremba and Sutskever, An empirical exploration of recurrent
# network architectures, 2015


def test_an_open_forget_gate_carries_gradients_further():
    """A step back keeps σ(bias) of the cell's gradient: 1/2 of a gate at 0, 0.73 at 1."""
    x = normal(64, 40, 8)

    def lstm(weights, bias, **options):
        stack = Stack(
            weights=weights, kind="lstm", width=64, activation="tanh", biases=schemes.lstm_bias(bias), **options
        )
        return probe(stack, x)

    closed, opened = (lstm(GATES, bias) for bias in (0.0, 1.0))
    assert opened.slope < closed.slope / 2
    assert opened.gradient[0] / opened.gradient[-1] > 1e4 * closed.gradient[0] / closed.gradient[-1]
    for bias in (0.0, 1.0):  # with small weights the gates are at their biases, and nothing else carries gradients
        small = schemes.normal(std=1e-3)
        carried = lstm(small, bias, inputs=small).gradient
        assert carried[10] / carried[20] == pytest.approx((1 + math.exp(-bias)) ** -10, rel=0.05)


# Verdicts: each bad net is named, and only for what it has; no healthy net is

STACKS = {
    "relu-10": Stack(weights=HE),
    "relu-30": Stack(weights=HE, depth=30),
    "relu-50-wide": Stack(weights=HE, depth=50, width=256),
    "relu-uniform": Stack(weights=schemes.he_uniform(layout="OI"), depth=20),
    "relu-orthogonal": Stack(weights=math.sqrt(2) * ORTHOGONAL, depth=20),
    "leaky_relu-20": Stack(
        weights=schemes.he_normal(layout="OI", activation="leaky_relu"), depth=20, activation="leaky_relu"
    ),
    # Signals larger than those that its gain is for grow through GELU and SiLU: the first layer has gain 1.
    "gelu-20": Stack(
        weights=schemes.he_normal(layout="OI", activation="gelu"), inputs=LECUN, depth=20, activation="gelu"
    ),
    "silu-10": Stack(weights=schemes.he_normal(layout="OI", activation="silu"), inputs=LECUN, activation="silu"),
    "elu-20": Stack(weights=schemes.he_normal(layout="OI", activation="elu"), depth=20, activation="elu"),
    "selu-20": Stack(weights=LECUN, depth=20, activation="selu"),
    "tanh-10": Stack(weights=XAVIER, activation="tanh"),
    "tanh-50-orthogonal": Stack(weights=ORTHOGONAL, depth=50, activation="tanh"),
    "linear-100-orthogonal": Stack(weights=ORTHOGONAL, depth=100, activation="linear"),
    "relu-batch": Stack(weights=HE, norm="batch"),
    "relu-layer": Stack(weights=HE, norm="layer", depth=30),
    "residual": Stack(weights=20**-0.5 * HE, inputs=HE, depth=20, residual=True, head=HEAD),
    "residual-batch": Stack(weights=HE, norm="batch", depth=20, residual=True, head=HEAD),
    "conv-relu": Stack(weights=HE, kind="conv", width=16),
    "conv-tanh-delta": Stack(weights=DELTA, kind="conv", width=8, depth=50, activation="tanh"),
    "conv-relu-batch": Stack(weights=HE, kind="conv", width=16, norm="batch"),
    "rnn-tanh": Stack(weights=ORTHOGONAL, kind="rnn", activation="tanh", width=64),
    "lstm": Stack(weights=GATES, kind="lstm", activation="tanh", width=64, biases=schemes.lstm_bias()),
}
SHAPES = {"dense": (64,), "conv": (1, 8, 8), "rnn": (8, 8), "lstm": (8, 8)}


@pytest.fixture(scope="module")
def digits():
    """256 handwritten digits, standardized, and their labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return ((data.data - data.data.mean()) / data.data.std())[:256], data.target[:256]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name.startswith("conv-") else []) for name in STACKS]
)
def test_no_healthy_net_raises_an_alarm(digits, name):
    x, labels = digits
    for seed in range(3):
        report = probe(STACKS[name], x.reshape(-1, *SHAPES[STACKS[name].kind]), labels, seed=seed)
        assert report.verdict() == ()


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        (Stack(weights=schemes.zeros()), ["every unit starts equal"]),
        (Stack(weights=schemes.zeros(), activation="tanh"), ["every unit starts equal"]),
        (Stack(weights=schemes.zeros(), kind="conv", width=8), ["every unit starts equal"]),
        (Stack(weights=HE, biases=schemes.constant(-3.0)), ["units are dead"]),
        (Stack(weights=8 * XAVIER, activation="tanh"), ["gradients explode", "units are saturated"]),
        (
            Stack(weights=XAVIER, biases=schemes.normal(std=5.0), activation="tanh"),
            ["gradients vanish", "units are saturated"],
        ),
        (Stack(weights=2 * HE, depth=20), ["gradients explode", "the loss starts far from chance"]),
        (Stack(weights=schemes.normal(std=1e3), depth=20), ["activations explode"]),
        (Stack(weights=XAVIER, depth=30), ["gradients vanish"]),
        (Stack(weights=schemes.normal(std=0.01)), ["gradients vanish"]),
        (Stack(weights=HE, residual=True, depth=20), ["gradients explode", "the loss starts far from chance"]),
    ],
    ids=lambda value: "" if isinstance(value, Stack) else " and ".join(value).replace(" ", "-"),
)
def test_what_is_wrong_is_named_and_nothing_else(digits, stack, words):
    x, labels = digits
    for seed in range(3):
        problems = probe(stack, x.reshape(-1, *SHAPES[stack.kind]), labels, seed=seed).verdict()
        assert [problem.partition(":")[0] for problem in problems] == words
        assert all("Use " in problem for problem in problems)
