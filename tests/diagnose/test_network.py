"""A drawn stack runs forward as its formulas say and backward to the gradients of finite differences."""

import math

import numpy as np
import pytest

import fanin
from fanin import schemes
from fanin.diagnose.network import Network
from fanin.diagnose.stack import Stack

HE = schemes.he_normal(layout="OI")
GATES = schemes.orthogonal(blocks=4, layout="OI")
# One size each, small enough for finite differences; odd and unequal, so that no two axes can be mistaken.
SHAPES = {"dense": (7,), "conv": (2, 3, 4), "rnn": (4, 3), "lstm": (4, 3)}
CASES = [
    pytest.param(kind, norm, residual, activation, id=f"{kind}-{norm}-{residual}-{activation}")
    for kind in SHAPES
    for norm in ((None, "batch", "layer") if kind in ("dense", "conv") else (None,))
    for residual in ((False, True) if kind in ("dense", "conv") else (False,))
    for activation in ("tanh", "relu")
]


def make(kind, norm=None, residual=False, activation="tanh", depth=3, **options):
    """A network in float64 with weights and biases large enough to be nonlinear."""
    stack = Stack(
        weights=GATES if kind == "lstm" else HE,
        kind=kind,
        depth=depth,
        width=5,
        activation=activation,
        biases=schemes.normal(std=0.3),
        norm=norm,
        residual=residual,
    )
    return Network(stack, SHAPES[kind], 3, **{"dtype": "float64"} | options)


def batch(kind, n=6, dtype="float64"):
    return fanin.normal((n, *SHAPES[kind]), seed=2, name="x", dtype=dtype), np.arange(n) % 3


# Backward


@pytest.mark.parametrize(("kind", "norm", "residual", "activation"), CASES)
def test_every_gradient_is_that_of_finite_differences(kind, norm, residual, activation):
    """Along a random direction of each parameter; a step of 1e-6 errs by 1e-10 or so, and meets no kink here."""
    network = make(kind, norm, residual, activation)
    x, labels = batch(kind)
    _, logits_gradient = network.loss(x, labels)
    network.backward(logits_gradient)
    assert network.gradients.keys() == network.parameters.keys()
    for name, parameter in network.parameters.items():
        gradient = network.gradients[name]
        assert gradient.shape == parameter.shape
        direction = fanin.normal(parameter.shape, seed=3, name=name, dtype="float64")
        values = []
        for step in (1e-6, -1e-6):
            network.parameters[name] = parameter + step * direction
            values.append(network.loss(x, labels)[0])
        network.parameters[name] = parameter
        measured = (values[0] - values[1]) / 2e-6
        assert (gradient * direction).sum() == pytest.approx(measured, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("kind", SHAPES)
def test_signals_are_the_gradients_by_the_preactivations(kind):
    """Without norm a bias is added to each preactivation, so its gradient is their sum, of a cell over steps too."""
    network = make(kind)
    network.backward(network.loss(*batch(kind))[1])
    assert [signal.shape for signal in network.signals] == [z.shape for z in network.preactivations]
    sums = [signal.reshape(-1, signal.shape[-1]).sum(axis=0) for signal in network.signals]
    if kind in ("rnn", "lstm"):
        assert np.allclose(network.gradients["cell.bias"], sum(sums), rtol=1e-12)
    else:
        for layer, total in enumerate(sums):
            assert np.allclose(network.gradients[f"layers.{layer}.bias"], total, rtol=1e-12)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_float32_differs_by_its_rounding_only(kind, activation):
    results, weights = {}, make(kind, activation=activation).parameters
    for dtype in ("float32", "float64"):
        network = make(kind, activation=activation, dtype=dtype)
        network.parameters = {name: value.astype(dtype) for name, value in weights.items()}
        network.backward(network.loss(*batch(kind))[1])
        assert {value.dtype for value in network.gradients.values()} == {np.dtype(dtype)}
        assert {value.dtype for value in network.hidden + network.signals} == {np.dtype(dtype)}
        results[dtype] = network.gradients
    for name, exact in results["float64"].items():
        assert np.abs(results["float32"][name] - exact).max() <= 1e-5 * np.abs(exact).max(), name


# Forward


def test_dense_layers_are_products():
    network = make("dense", activation="tanh")
    p, (x, _) = network.parameters, batch("dense")
    logits = network.forward(x)
    for layer in range(3):
        z = x @ p[f"layers.{layer}.weight"].T + p[f"layers.{layer}.bias"]
        assert np.allclose(network.preactivations[layer], z, rtol=1e-12)
        x = np.tanh(z)
        assert np.allclose(network.hidden[layer], x, rtol=1e-12)
    assert np.allclose(logits, x @ p["head.weight"].T + p["head.bias"], rtol=1e-12)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_convolutions_are_the_circular_ones_of_the_fourier_transform(kernel):
    """A correlation with a kernel about the origin is a product with the conjugate; kernels may wrap around."""
    stack = Stack(weights=HE, kind="conv", depth=1, width=5, activation="linear", kernel=kernel)
    network = Network(stack, (2, 3, 4), 3, dtype="float64")
    x, _ = batch("conv")
    logits = network.forward(x)
    weight = network.parameters["layers.0.weight"]
    around = np.zeros((5, 2, 3, 4))
    for (row, column), _ in np.ndenumerate(np.empty((kernel, kernel))):
        around[:, :, (row - kernel // 2) % 3, (column - kernel // 2) % 4] += weight[:, :, row, column]
    product = np.einsum("nihw,oihw->nohw", np.fft.fft2(x), np.fft.fft2(around).conj())
    expected = np.fft.ifft2(product).real.reshape(len(x), 5, -1)
    assert np.allclose(network.hidden[0], expected.swapaxes(1, 2), atol=1e-12)
    assert np.allclose(logits, expected.mean(axis=2) @ network.parameters["head.weight"].T, atol=1e-12)


def test_a_recurrent_network_carries_its_state_over_the_steps_and_its_head_sees_the_last():
    network = make("rnn")
    p, (x, _) = network.parameters, batch("rnn")
    logits, h = network.forward(x), np.zeros((len(x), 5))
    for step in range(4):
        h = np.tanh(h @ p["cell.weight_hh"].T + x[:, step] @ p["cell.weight_ih"].T + p["cell.bias"])
        assert np.allclose(network.hidden[step], h, rtol=1e-12)
    assert np.allclose(logits, h @ p["head.weight"].T, rtol=1e-12)


def test_an_lstm_with_its_input_gate_closed_and_forget_gate_open_ignores_its_input_and_with_both_open_adds_it_up():
    """Gates in the order i, f, g, o: a bias of ±50 opens or closes each to the last bit but few."""
    x, _ = batch("lstm")
    ones = np.ones(5)
    network = make("lstm")
    network.parameters["cell.weight_hh"] *= 0
    network.parameters["cell.bias"] = 50 * np.concatenate([-ones, ones, 0 * ones, ones])
    network.forward(x)
    assert np.abs(network.hidden[-1]).max() < 1e-12
    network.parameters["cell.bias"] = 50 * np.concatenate([ones, ones, 0 * ones, ones])
    network.parameters["cell.weight_ih"] *= np.repeat([0.0, 0.0, 0.1, 0.0], 5)[:, None]
    network.forward(x)
    candidates = np.tanh(x @ network.parameters["cell.weight_ih"][10:15].T)
    assert np.allclose(network.hidden[-1], np.tanh(candidates.sum(axis=1)), rtol=1e-10)


def test_an_activation_may_be_any_callable():
    by_name, by_function = make("dense", activation="tanh"), make("dense", activation=np.tanh)
    for network in (by_name, by_function):
        network.backward(network.loss(*batch("dense"))[1])
    assert np.allclose(by_name.gradients["layers.0.weight"], by_function.gradients["layers.0.weight"], rtol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_norms_give_their_units_or_examples_mean_0_and_variance_1(kind):
    x, _ = batch(kind, 50)
    for norm, axes in (("batch", slice(0, -1)), ("layer", slice(1, None))):
        network = make(kind, norm)
        network.forward(10 * x)
        z = network.preactivations[1]
        over = tuple(range(z.ndim))[axes]
        assert np.abs(z.mean(over)).max() < 1e-12
        assert np.abs(z.var(over) - 1).max() < 1e-3  # the epsilon of 1e-5 beside variances of 0.1 or so
        if kind == "conv":  # over positions as well, whether of a unit or of an example
            assert min(np.abs(z.mean(axis)).max() for axis in (0, 1, 2)) > 0.1


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_residual_stack_of_zero_weights_is_the_identity_where_sizes_agree(kind):
    stack = Stack(weights=schemes.zeros(), inputs=HE, kind=kind, depth=9, width=5, residual=True)
    network = Network(stack, SHAPES[kind], 3)
    network.forward(batch(kind)[0])
    assert (network.hidden[-1] == network.hidden[0]).all()


def test_the_loss_of_equal_logits_is_ln_c_and_its_gradient_is_that_of_the_softmax():
    network = make("dense")
    network.parameters["head.weight"] *= 0
    loss, gradient = network.loss(*batch("dense"))
    assert loss == pytest.approx(math.log(3), rel=1e-12)
    assert np.allclose(gradient, (1 / 3 - np.eye(3)[np.arange(6) % 3]) / 6)


def test_what_overflows_is_infinite_and_no_warning():
    stack = Stack(weights=schemes.normal(std=1e3), depth=30, width=8)
    network = Network(stack, (7,), 3)
    loss, gradient = network.loss(*batch("dense"))
    network.backward(gradient)
    assert not math.isfinite(loss)
    assert not np.isfinite(network.gradients["layers.0.weight"]).all()


# The Jacobian


@pytest.mark.parametrize(
    ("kind", "norm", "residual", "activation"), [case for case in CASES if case.values[1] != "batch"]
)
def test_the_jacobian_takes_a_change_of_the_first_activation_to_that_of_the_last(kind, norm, residual, activation):
    network = make(kind, norm, residual, activation)
    x = batch(kind)[0][1]
    jacobian = network.jacobian(x)
    change = 1e-6 * fanin.normal((20, *SHAPES[kind]), seed=3, name="change", dtype="float64")
    if kind in ("rnn", "lstm"):
        change[:, 1:] = 0  # later inputs act on later states
    ends = []
    for sign in (1, -1):
        network.forward(x + sign * change)
        first, last = (network.hidden[place].reshape(20, -1) for place in (0, -1))
        if kind == "lstm":  # the state is h and c, and c starts as σ(i)·f(g)
            i, _, g, _ = np.split(network.preactivations[0], 4, axis=1)
            f = np.tanh if activation == "tanh" else lambda z: np.maximum(z, 0)
            first = np.concatenate([first, f(g) / (1 + np.exp(-i))], axis=1)
        ends.append((first, last))
    (first, last), (first_down, last_down) = ends
    predicted = (first - first_down) @ jacobian.T[:, : last.shape[1]]
    scale = np.abs(last - last_down).max()
    assert scale > 0
    assert np.abs(predicted - (last - last_down)).max() < 1e-5 * scale


def test_the_jacobian_holds_the_statistics_of_batch_norm():
    network = make("dense", "batch", depth=2)
    x, _ = batch("dense", 40)
    with pytest.raises(ValueError, match="jacobian of a stack with batch norm needs the statistics of a batch"):
        network.jacobian(x[0])
    network.forward(x)
    weight, bias = network.parameters["layers.1.weight"], network.parameters["layers.1.bias"]
    z = network.hidden[0] @ weight.T + bias
    slope = 1 - network.hidden[1][7] ** 2
    expected = (slope / np.sqrt(z.var(axis=0) + 1e-5))[:, None] * weight
    assert np.allclose(network.jacobian(x[7]), expected, rtol=1e-10)


@pytest.mark.parametrize("kind", SHAPES)
def test_the_jacobian_leaves_the_last_batch_alone(kind):
    network = make(kind)
    x, labels = batch(kind)
    _, gradient = network.loss(x, labels)
    network.backward(gradient)
    before = network.gradients
    network.jacobian(x[0])
    network.backward(gradient)
    # BLAS may add up in another order each time. The sums that a gradient goes through have fewer than 1000 products
    # together, each of which is rounded by 2⁻⁵³.
    for name, value in before.items():
        assert network.gradients[name] == pytest.approx(value, rel=0, abs=2 * 1000 * 2**-53 * abs(value).max())


# Parameters and errors


@pytest.mark.parametrize("kind", SHAPES)
def test_parameters_are_the_streams_of_their_names(kind):
    network = make(kind, seed=5, name="net.")
    assert {"head.weight", "head.bias"} < network.parameters.keys()
    key, scheme = ("cell.weight_hh", network.stack.weights) if kind in ("rnn", "lstm") else ("layers.1.weight", HE)
    shape = network.parameters[key].shape
    drawn = scheme(shape, seed=5, name=f"net.{key}", dtype="float64")
    assert (network.parameters[key] == drawn).all()


def test_the_bias_of_an_lstm_opens_its_forget_gate():
    stack = Stack(weights=GATES, kind="lstm", width=4, biases=schemes.lstm_bias(), activation="tanh")
    network = Network(stack, (3, 2), 5)
    shapes = {name: value.shape for name, value in network.parameters.items()}
    assert shapes == {
        "cell.weight_hh": (16, 4),
        "cell.weight_ih": (16, 2),
        "cell.bias": (16,),
        "head.weight": (5, 4),
        "head.bias": (5,),
    }
    assert (network.parameters["cell.bias"] == np.repeat([0, 1, 0, 0], 4)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda n: make("dense", dtype="float16"), "dtype must be 'float32' or 'float64', got 'float16'"),
        (lambda n: Network(n.stack, (2, 3), 4), r"inputs must be \(features\) for kind 'dense', got \(2, 3\)"),
        (lambda n: Network(n.stack, (0,), 4), r"inputs must be \(features\) for kind 'dense', got \(0,\)"),
        (lambda n: Network(n.stack, (2,), 0), "classes must be at least 1, got 0"),
        (lambda n: n.forward(np.ones((2, 8))), r"x must have examples of shape \(7\), got an array of shape \(2, 8\)"),
        (lambda n: n.forward(np.ones((0, 7))), r"x must have examples of shape \(7\), got an array of shape \(0, 7\)"),
        (lambda n: n.loss(np.ones((2, 7)), [0, 3]), r"labels must be in \[0, 3\), got 0 to 3"),
        (lambda n: n.loss(np.ones((2, 7)), [0]), r"labels must be 2 integers, got int64 of shape \(1,\)"),
        (lambda n: n.loss(np.ones((2, 7)), [0.0, 1.0]), "labels must be 2 integers, got float64"),
        (lambda n: n.backward(np.ones((2, 3))), r"logits_gradient must have the shape of the last logits, \(0, 3\)"),
    ],
)
def test_errors_name_the_argument_its_value_and_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call(make("dense"))
