"""Every elementwise activation of torch, Keras and JAX has a name here, and the same values and gains."""

import os

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin.signals import activations
from fanin.signals.activations import ALIASES, GATES, TABLE
from fanin.signals.gains import TORCH_GAINS

os.environ.setdefault("KERAS_BACKEND", "jax")
torch, keras, jax = Peer("torch"), Peer("keras"), Peer("jax")
jnp = Peer("jax.numpy")
pytestmark = pytest.mark.peer

GRID = np.linspace(-8, 8, 129)  # with the kinks
SPELLED = {name.replace("_", ""): name for name in [*TABLE, *GATES, *ALIASES]}

NOT_ELEMENTWISE = {
    "torch": {"MultiheadAttention", "Softmin", "Softmax", "Softmax2d", "LogSoftmax"},
    "keras": {"softmax", "log_softmax", "sparsemax"},
    "jax": {"softmax", "log_softmax", "standardize", "logsumexp", "logmeanexp", "one_hot", "dot_product_attention"},
}
NOT_ACTIVATIONS = {
    "torch": set(),
    "keras": {"deserialize", "get", "serialize"},
    "jax": {"initializers", "scaled_matmul", "scaled_dot_general", "get_scaled_dot_general_config", "log1mexp"},
}
# Where a library's default is not ours, and parameters without a default.
OURS = {
    ("torch", "Threshold"): ("threshold", 0.25, -1.5),
    ("keras", "threshold"): ("threshold", 0.25, -1.5),
    ("keras", "leaky_relu"): ("leaky_relu", 0.2),
    ("jax", "gelu"): "gelu_tanh",
}


def exports(library):
    """The names of a library's activations, as it spells them."""
    if library == "torch":
        names = torch.nn.modules.activation.__all__
    else:
        names = [name for name in dir(keras.activations if library == "keras" else jax.nn) if not name.startswith("_")]
    return sorted(set(names) - NOT_ELEMENTWISE[library] - NOT_ACTIVATIONS[library])


def ours(library, name):
    return OURS.get((library, name), SPELLED[name.lower().replace("_", "")])


def theirs(library, name, *arguments):
    """A function of arrays, in float64 for torch and float32 for the others."""
    if library == "torch":
        module = getattr(torch.nn, name)(*arguments).double().eval()
        return lambda x: module(torch.from_numpy(x)).detach().numpy()
    f = getattr(keras.activations if library == "keras" else jax.nn, name)
    return lambda x: np.asarray(f(jnp.asarray(x, "float32"), *arguments))


def assert_same(library, name, activation, *arguments):
    f = theirs(library, name, *arguments)
    if activation in GATES:
        gate = activations.function(GATES[activation])
        expected, values = GRID * gate(GRID[::-1]), f(np.concatenate([GRID, GRID[::-1]]))
    else:
        expected, values = activations.function(activation)(GRID), f(GRID)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6, err_msg=f"{library}: {name}")


@pytest.mark.parametrize("library", ["torch", "keras", "jax"])
def test_every_activation_has_a_name_here(library):
    assert [name for name in exports(library) if name.lower().replace("_", "") not in SPELLED] == []


@pytest.mark.parametrize("library", ["torch", "keras", "jax"])
def test_every_function_goes_by_its_own_spelling(library):
    module = {"torch": torch.nn.functional, "keras": keras.activations, "jax": jax.nn}[library]
    names = [name for name in dir(module) if name.strip("_") == name and name.replace("_", "") in SPELLED]
    assert len(names) > 20
    for name in names:
        activations.resolve((name, 0.0, 0.0) if name == "threshold" else name)


@pytest.mark.parametrize("library", ["torch", "keras", "jax"])
def test_values_are_the_same(library):
    for name in exports(library):
        activation = ours(library, name)
        arguments = activation[1:] if "threshold" in activation else ()
        assert_same(library, name, activation, *arguments)


@pytest.mark.parametrize(
    ("library", "name", "activation", "arguments"),
    [
        ("torch", "GELU", "gelu_tanh", ["tanh"]),
        ("keras", "gelu", "gelu_tanh", [True]),
        ("jax", "gelu", "gelu", [False]),
        ("torch", "LeakyReLU", ("leaky_relu", 0.2), [0.2]),
        ("keras", "leaky_relu", "leaky_relu", [0.01]),
        ("torch", "RReLU", ("rrelu", 0.1, 0.5), [0.1, 0.5]),
        ("torch", "ELU", ("elu", 0.5), [0.5]),
        ("torch", "CELU", ("celu", 0.5), [0.5]),
        ("jax", "celu", ("celu", 2.0), [2.0]),
        ("torch", "Hardtanh", ("hard_tanh", -2.0, 0.5), [-2.0, 0.5]),
        ("torch", "Softplus", ("softplus", 2.0), [2.0]),
        ("torch", "Softshrink", ("soft_shrink", 1.5), [1.5]),
        ("torch", "Hardshrink", ("hard_shrink", 1.5), [1.5]),
        ("jax", "squareplus", ("squareplus", 1.0), [1.0]),
    ],
)
def test_parameters_mean_the_same(library, name, activation, arguments):
    assert_same(library, name, activation, *arguments)


def test_the_defaults_that_differ():
    assert keras.layers.LeakyReLU().negative_slope == pytest.approx(0.3)
    assert fanin.gain("gelu") != fanin.gain("gelu_tanh")


def test_derivatives_are_those_of_autograd():
    """At the kinks too. torch's 1/6 of hard_sigmoid is rounded to float32."""
    for name in exports("torch"):
        activation = ours("torch", name)
        if activation not in GATES:
            x = torch.from_numpy(GRID.copy()).requires_grad_()
            module = getattr(torch.nn, name)(*(activation[1:] if name == "Threshold" else ())).double().eval()
            module(x).sum().backward()
            np.testing.assert_allclose(
                activations.derivative(activation)(GRID), x.grad.numpy(), rtol=1e-7, atol=1e-12, err_msg=name
            )


def test_the_gains_of_torch_are_those_of_calculate_gain():
    for name in [*TORCH_GAINS, *TABLE, *ALIASES, *GATES, "conv4d"]:
        try:
            expected = torch.nn.init.calculate_gain(name)
        except ValueError:
            with pytest.raises(ValueError, match="convention 'torch'"):
                fanin.gain(name, convention="torch")
        else:
            assert fanin.gain(name, convention="torch") == expected
    for slope in (0.0, 0.2, -0.5, 1, 5**0.5):
        expected = torch.nn.init.calculate_gain("leaky_relu", slope)
        assert fanin.gain(("leaky_relu", slope), convention="torch") == pytest.approx(expected, rel=1e-15)


def test_their_functions_have_gains():
    """torch's of float64 tensors; those of JAX and of Keras, on JAX, compute in float32."""

    def gelu(z):
        return torch.nn.functional.gelu(torch.from_numpy(z))

    for options in ({}, {"derivative": True}, {"centred": True}):
        exact = fanin.gain("gelu", **options)
        assert fanin.gain(gelu, **options) == pytest.approx(exact, rel=1e-10)
        assert fanin.gain(keras.activations.gelu, **options) == pytest.approx(exact, rel=1e-3)
        assert fanin.gain(jax.nn.gelu, **options) == pytest.approx(fanin.gain("gelu_tanh", **options), rel=1e-3)
        assert fanin.gain(jax.nn.relu, **options) == pytest.approx(fanin.gain("relu", **options), rel=1e-3)
    with pytest.raises(ValueError, match="each element alone"):
        fanin.gain(jax.nn.softmax)
    with pytest.raises(TypeError, match="a float64 array or a float"):
        fanin.gain(torch.nn.functional.gelu)  # takes tensors only
