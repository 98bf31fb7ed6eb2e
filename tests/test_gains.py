"""Every gain is 1/√E[f(z)²], correctly rounded."""

import mpmath
import pytest
from mpmath import mpf

import fanin
from fanin.gains import GAINS

SELU_SCALE = mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpf("1.6732632423543772848170429916717")


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0),
    "relu_squared": lambda x: max(x, 0) ** 2,
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu_tanh": lambda x: x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3))) / 2,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mpmath.tanh(softplus(x)),
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
    "selu": lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mpmath.expm1(x)),
    "tanh": mpmath.tanh,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "hardswish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "sin": mpmath.sin,
}


def test_every_gain_is_integrated():
    assert list(GAINS) == list(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_gain_keeps_the_mean_square(name):
    f = ACTIVATIONS[name]
    pieces = [-30, -12, -6, -3, -1, 0, 1, 3, 6, 12, 30]  # breaks at every kink
    with mpmath.workdps(25):
        exact = 1 / mpmath.sqrt(mpmath.quad(lambda x: f(x) ** 2 * mpmath.npdf(x), pieces))
        assert fanin.gain(name) == float(exact)


@pytest.mark.parametrize("slope", [0.01, 0.2, 1.0, -0.5, 0.0])
def test_leaky_relu_follows_its_slope(slope):
    assert fanin.gain(("leaky_relu", slope)) == pytest.approx((2 / (1 + slope**2)) ** 0.5, rel=1e-15)


def test_the_default_slope_is_that_of_torch():
    assert fanin.gain("leaky_relu") == fanin.gain(("leaky_relu", 0.01))


def test_slope_one_is_linear_and_slope_zero_is_relu():
    assert fanin.gain(("leaky_relu", 1)) == fanin.gain("linear")
    assert fanin.gain(("leaky_relu", 0)) == fanin.gain("relu")


@pytest.mark.parametrize(
    ("activation", "error", "message"),
    [
        ("swoosh", ValueError, "one of linear, relu, .*leaky_relu, got 'swoosh'"),
        (("relu", 0.1), ValueError, "'relu' takes no parameter"),
        (("leaky_relu", float("nan")), ValueError, "finite slope"),
        (("leaky_relu", "a"), ValueError, "could not convert"),
        (("leaky_relu", 0.1, 0.2), TypeError, "a name or \\(name, parameter\\)"),
        (abs, TypeError, "a name or \\(name, parameter\\)"),
        (None, TypeError, "a name or \\(name, parameter\\)"),
    ],
)
def test_other_activations_are_refused(activation, error, message):
    with pytest.raises(error, match=message):
        fanin.gain(activation)
