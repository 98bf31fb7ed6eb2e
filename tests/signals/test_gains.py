"""Every built-in gain is correctly rounded; those of callables and other parameters are integrated to 1e-10."""

import functools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from scipy import special

import fanin
from fanin.signals import activations, gains, quadrature
from fanin.signals.gains import GAINS

KINDS = {"forward": {}, "backward": {"derivative": True}, "centred": {"centred": True}}


def gain(activation, kind):
    return fanin.gain(activation, **KINDS[kind])


SELU_SCALE = mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpf("1.6732632423543772848170429916717")
CUBIC = mpf("0.044715")


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


def clip(x, low, high):
    return min(max(x, low), high)


def gelu_tanh(x):
    return x * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + CUBIC * x**3))) / 2


def gelu_tanh_slope(x):
    c = mpmath.sqrt(2 / mpmath.pi)
    u = c * (x + CUBIC * x**3)
    return (1 + mpmath.tanh(u)) / 2 + x * mpmath.sech(u) ** 2 * c * (1 + 3 * CUBIC * x**2) / 2


# f and f' of each, from the papers and the libraries' documentation, apart from the package's own.
ACTIVATIONS = {
    "linear": (lambda x: x, lambda x: 1),
    "relu": (lambda x: max(x, 0), lambda x: x > 0),
    "relu6": (lambda x: clip(x, 0, 6), lambda x: 0 < x < 6),
    "relu_squared": (lambda x: max(x, 0) ** 2, lambda x: 2 * max(x, 0)),
    "elu": (lambda x: x if x > 0 else mpmath.expm1(x), lambda x: 1 if x > 0 else mpmath.exp(x)),
    "celu": (lambda x: x if x > 0 else mpmath.expm1(x), lambda x: 1 if x > 0 else mpmath.exp(x)),
    "selu": (
        lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mpmath.expm1(x)),
        lambda x: SELU_SCALE * (1 if x > 0 else SELU_ALPHA * mpmath.exp(x)),
    ),
    "gelu": (lambda x: x * mpmath.ncdf(x), lambda x: mpmath.ncdf(x) + x * mpmath.npdf(x)),
    "gelu_tanh": (gelu_tanh, gelu_tanh_slope),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x)),
    "mish": (
        lambda x: x * mpmath.tanh(softplus(x)),
        lambda x: mpmath.tanh(softplus(x)) + x * mpmath.sech(softplus(x)) ** 2 * sigmoid(x),
    ),
    "hard_swish": (lambda x: x * clip(x + 3, 0, 6) / 6, lambda x: (2 * x + 3) / 6 if -3 < x < 3 else x > 0),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    "hard_sigmoid": (lambda x: clip(x + 3, 0, 6) / 6, lambda x: mpf(-3 < x < 3) / 6),
    "sparse_sigmoid": (lambda x: clip(x + 1, 0, 2) / 2, lambda x: mpf(-1 < x < 1) / 2),
    "log_sigmoid": (lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    "hard_tanh": (lambda x: clip(x, -1, 1), lambda x: -1 < x < 1),
    "tanh_shrink": (lambda x: x - mpmath.tanh(x), lambda x: mpmath.tanh(x) ** 2),
    "soft_shrink": (lambda x: x - clip(x, -mpf(0.5), mpf(0.5)), lambda x: abs(x) > 0.5),
    "hard_shrink": (lambda x: x if abs(x) > 0.5 else 0, lambda x: abs(x) > 0.5),
    "softplus": (softplus, sigmoid),
    "squareplus": (
        lambda x: (x + mpmath.sqrt(x**2 + 4)) / 2,
        lambda x: (1 + x / mpmath.sqrt(x**2 + 4)) / 2,
    ),
    "sparse_plus": (lambda x: x if x > 1 else max(x + 1, 0) ** 2 / 4, lambda x: clip(x + 1, 0, 2) / 2),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    "exponential": (mpmath.exp, mpmath.exp),
    "sin": (mpmath.sin, mpmath.cos),
}
GATES = {"glu": "sigmoid", "bilinear": "linear", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}


BREAKS = (-30, -12, -6, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 12, 30)  # at every kink


def expectation(f, breaks=BREAKS, digits=25):
    with mpmath.workdps(digits):
        return mpmath.quad(lambda x: f(x) * mpmath.npdf(x), breaks)


@functools.cache
def mean(name, order, power, digits):
    """E f(z)^power, or that of f' for order 1."""
    return expectation(lambda x: ACTIVATIONS[name][order](x) ** power, digits=digits)


def exact_gain(name, kind, digits=25):
    with mpmath.workdps(digits):
        if name in GATES:  # z1·g(z2): E f² = E g², and the gradient's mean square is the mean of E g² and E g'²
            square = mean(GATES[name], 0, 2, digits)
            if kind == "backward":
                square = (square + mean(GATES[name], 1, 2, digits)) / 2
        else:
            square = mean(name, int(kind == "backward"), 2, digits)
            if kind == "centred":
                square -= mean(name, 0, 1, digits) ** 2
        return float(1 / mpmath.sqrt(square))


def leaky_square(slope, kind):
    """(1 + s²)/2, forward and backward; E f is (1 - s)/√(2π)."""
    s = mpf(slope)
    return (1 + s**2) / 2 - ((1 - s) ** 2 / (2 * mpmath.pi) if kind == "centred" else 0)


def test_every_constant_is_integrated():
    assert list(GAINS) == [*ACTIVATIONS, *GATES]
    assert {*activations.TABLE, *activations.GATES} == {*GAINS, "leaky_relu", "prelu", "rrelu", "threshold"}
    assert activations.GATES == GATES


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ACTIVATIONS, *GATES])
def test_a_constant_is_its_integral_correctly_rounded(name):
    for kind in KINDS:
        assert gain(name, kind) == exact_gain(name, kind), kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "slope"),
    [("leaky_relu", 0.01), ("prelu", 0.25), ("rrelu", 11 / 48), *(("leaky_relu", s) for s in (0.2, -0.5))],
)
def test_leaky_relu_follows_its_slope(name, slope, kind):
    parameters = (1 / 8, 1 / 3) if name == "rrelu" else (slope,)
    exact = float(1 / mpmath.sqrt(leaky_square(slope, kind)))
    assert abs(gain((name, *parameters), kind) - exact) <= 2 * math.ulp(exact)


@pytest.mark.parametrize("kind", KINDS)
def test_slope_one_is_linear_and_slope_zero_is_relu(kind):
    for slope, name in ((1, "linear"), (0, "relu")):
        assert gain(("leaky_relu", slope), kind) == pytest.approx(gain(name, kind), rel=1e-15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("leaky_relu", (0.01,)),
        ("prelu", (0.25,)),
        ("rrelu", (1 / 8, 1 / 3)),
        ("elu", (1,)),
        ("celu", (1,)),
        ("softplus", (1,)),
        ("squareplus", (4,)),
        ("hard_tanh", (-1, 1)),
        ("hard_tanh", (-1,)),
        ("soft_shrink", (0.5,)),
        ("hard_shrink", (0.5,)),
    ],
)
def test_a_default_parameter_changes_nothing(name, parameters, kind):
    assert gain((name, *parameters), kind) == gain(name, kind)


@pytest.mark.parametrize(
    ("name", "forward", "centred", "backward"),
    [
        ("relu", 1.414214, 1.712859, 1.414214),
        ("gelu", 1.533530, 1.700926, 1.481114),
        ("silu", 1.676532, 1.787187, 1.623320),
        ("mish", 1.486848, 1.592025, 1.444755),
        ("elu", 1.245198, 1.270843, 1.223429),
        ("selu", 1.000000, 1.000000, 0.966026),
        ("tanh", 1.592537, 1.592537, 1.467414),
        ("sigmoid", 1.846229, 4.801313, 4.722646),
        ("softplus", 1.041867, 1.919126, 1.846229),
        ("hardswish", 1.736657, 1.813871, 1.670076),
        ("relu_squared", 0.816497, 0.894427, 0.707107),
        ("sin", 1.520867, 1.520867, 1.327251),
    ],
)
def test_known_gains_agree_to_six_digits(name, forward, centred, backward):
    values = fanin.gain(name), fanin.gain(name, centred=True), fanin.gain(name, derivative=True)
    assert [f"{value:.6f}" for value in values] == [f"{value:.6f}" for value in (forward, centred, backward)]


def test_a_gated_unit_has_the_gain_of_its_gate():
    z1, z2 = np.random.default_rng(0).normal(size=(2, 1_000_000))
    for name, gate in GATES.items():
        assert fanin.gain(name) == fanin.gain(name, centred=True) == fanin.gain(gate)
        g, slope = activations.function(gate)(z2), activations.derivative(gate)(z2)
        assert fanin.gain(name) == pytest.approx(np.mean((z1 * g) ** 2) ** -0.5, rel=0.01)
        gradients = (np.mean(g**2) + np.mean((z1 * slope) ** 2)) / 2
        assert fanin.gain(name, derivative=True) == pytest.approx(gradients**-0.5, rel=0.01)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_callable_has_the_gain_of_its_name(name):
    for kind in KINDS:
        if (name, kind) != ("hard_shrink", "backward"):  # a name with a jump has the slopes beside it, a callable none
            assert gain(activations.function(name), kind) == pytest.approx(gain(name, kind), rel=1e-10), kind


PARAMETRIZED = {
    ("elu", 0.5): (lambda x: x if x > 0 else mpmath.expm1(x) / 2, lambda x: 1 if x > 0 else mpmath.exp(x) / 2),
    ("celu", 2.0): (lambda x: x if x > 0 else 2 * mpmath.expm1(x / 2), lambda x: 1 if x > 0 else mpmath.exp(x / 2)),
    ("hard_tanh", -2.0, 1.0): (lambda x: clip(x, -2, 1), lambda x: -2 < x < 1),
    ("soft_shrink", 0.25): (lambda x: x - clip(x, -mpf(0.25), mpf(0.25)), lambda x: abs(x) > 0.25),
    ("hard_shrink", 1.5): (lambda x: x if abs(x) > 1.5 else 0, lambda x: abs(x) > 1.5),
    ("threshold", 0.125, 20.0): (lambda x: x if x > 0.125 else 20, lambda x: x > 0.125),
    ("softplus", 2.0): (lambda x: softplus(2 * x) / 2, lambda x: sigmoid(2 * x)),
    ("squareplus", 0.5): (
        lambda x: (x + mpmath.sqrt(x**2 + 0.5)) / 2,
        lambda x: (1 + x / mpmath.sqrt(x**2 + 0.5)) / 2,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("activation", PARAMETRIZED, ids=str)
def test_other_parameters_are_integrated(activation, kind):
    f, slope = PARAMETRIZED[activation]
    breaks = sorted({-30, -12, -3, -2, -1.5, -0.25, 0, 0.125, 0.25, 1, 1.5, 3, 12, 30})
    square = expectation(lambda x: (slope if kind == "backward" else f)(x) ** 2, breaks)
    if kind == "centred":
        square -= expectation(f, breaks) ** 2
    assert gain(activation, kind) == pytest.approx(float(square) ** -0.5, rel=1e-10)


def test_a_gain_that_is_integrated_has_36_bits():
    for activation in (np.tanh, ("elu", 0.3)):
        mantissa, _ = math.frexp(fanin.gain(activation))
        assert (mantissa * 2**36).is_integer()


@pytest.mark.parametrize(
    ("f", "forward", "backward"),
    [
        (lambda z: np.exp(3 * z), math.exp(-9), math.exp(-9) / 3),
        (lambda z: z**5, 945**-0.5, (25 * 105) ** -0.5),
        (lambda z: np.exp(z * z / 8), 2**-0.25, 2**0.25 * 2),
        (lambda z: np.sin(30 * z), 2**0.5, 2**0.5 / 30),
        (lambda z: 1e-100 * z, 1e100, 1e100),
        (lambda z: 100 + z, 10001**-0.5, 1),
        (lambda z: 100 + np.maximum(z, 0.3), None, special.ndtr(-0.3) ** -0.5),
        (lambda z: np.abs(z) ** 1.5, (8 / math.pi) ** -0.25, None),
        (np.sign, 1, None),
        (lambda z: z > 1, special.ndtr(-1) ** -0.5, None),
        (lambda z: z > 8, special.ndtr(-8) ** -0.5, None),
    ],
)
def test_gains_of_callables_are_their_closed_forms(f, forward, backward):
    """Fast growth, oscillation, offsets, jumps and tails."""
    if forward:
        assert fanin.gain(f) == pytest.approx(forward, rel=1e-10)
    if backward:
        assert fanin.gain(f, derivative=True) == pytest.approx(backward, rel=1e-10)


@st.composite
def broken_lines(draw):
    """Knots, the value at the first, and the slopes before, between and after them."""
    near = st.sampled_from([0.0, 1.0, -2.0, 0.5]).flatmap(lambda x: st.floats(-1e-3, 1e-3).map(lambda d: x + d))
    knots = sorted(draw(st.lists(st.floats(-5, 5) | near, min_size=1, max_size=5, unique=True)))
    slopes = draw(st.lists(st.floats(-3, 3), min_size=len(knots) + 1, max_size=len(knots) + 1))
    return knots, draw(st.floats(-2, 2)), slopes


def line_moments(knots, value, slopes):
    """E f, E f² and E f'², from the normal's moments up to the second on each piece."""
    ends = np.array([-np.inf, *knots, np.inf])
    density, total = np.exp(-(ends**2) / 2) / math.sqrt(2 * math.pi), special.ndtr(ends)
    m0, m1 = np.diff(total), -np.diff(density)
    m2 = m0 - np.diff(np.where(np.isinf(ends), 0, ends) * density)
    values = value + np.cumsum([0, *(np.diff(knots) * slopes[1:-1])])  # at the knots
    slope, at, start = np.array(slopes), np.array([knots[0], *knots]), np.array([values[0], *values])
    offset = start - slope * at
    return (
        np.sum(offset * m0 + slope * m1),
        np.sum(offset**2 * m0 + 2 * offset * slope * m1 + slope**2 * m2),
        np.sum(slope**2 * m0),
    )


@settings(max_examples=60)
@given(broken_lines(), st.booleans())
def test_kinks_may_be_anywhere(line, scalar):
    knots, value, slopes = line
    mean, square, slope_square = line_moments(*line)
    bends = list(zip(knots, np.diff(slopes), strict=True))

    def f(z):
        y = value + slopes[0] * (z - knots[0]) + sum(bend * np.maximum(z - knot, 0.0) for knot, bend in bends)
        return float(y) if scalar else y  # which fails for arrays

    expected = {"forward": square, "backward": slope_square, "centred": square - mean**2}
    for kind, exact in expected.items():
        if exact > 0.01:  # below, the moments above lose digits
            assert gain(f, kind) == pytest.approx(exact**-0.5, rel=1e-10)


@settings(max_examples=60)
@given(st.floats(-4, 4), st.floats(0.01, 10), st.booleans())
def test_jumps_may_be_anywhere(at, height, scalar):
    """E (z + h·[z > a])² = 1 + 2hφ(a) + h²Φ(-a)."""
    square = 1 + 2 * height * math.exp(-at * at / 2) / math.sqrt(2 * math.pi) + height**2 * special.ndtr(-at)
    f = (lambda z: z + height if z > at else z) if scalar else (lambda z: z + height * (z > at))
    assert fanin.gain(f) == pytest.approx(square**-0.5, rel=1e-10)
    with pytest.raises(ValueError, match="without jumps"):
        fanin.gain(f, derivative=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_of_one_float_will_do(kind):
    assert gain(math.tanh, kind) == pytest.approx(gain("tanh", kind), rel=1e-10)
    assert gain(lambda x: x if x > 0 else 0, kind) == pytest.approx(gain("relu", kind), rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_in_float32_will_do(kind):
    for name in ("gelu_tanh", "relu", "hard_tanh"):
        f = activations.function(name)
        single = lambda z, f=f: f(z.astype("f4")).astype("f4")  # noqa: E731
        assert gain(single, kind) == pytest.approx(gain(name, kind), rel=1e-3)


def test_a_function_may_work_in_place():
    assert fanin.gain(lambda z: np.maximum(z, 0, out=z)) == pytest.approx(2**0.5, rel=1e-10)


def test_schemes_take_what_gains_take():
    for activation in (np.tanh, ("hard_tanh", -2.0, 2.0), "swiglu"):
        std = fanin.schemes.he_normal(layout="OI", activation=activation).expected_std((1, 100))
        assert std == fanin.gain(activation) / 10


def test_overflow_in_a_function_does_not_warn():
    assert fanin.gain(lambda z: 1 / (1 + np.exp(-100 * z))) > 1.4  # filterwarnings is "error"


def test_torch_has_a_table_of_its_own():
    torch = functools.partial(fanin.gain, convention="torch")
    for name in ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose3d", "sigmoid"):
        assert torch(name) == 1
    assert (torch("tanh"), torch("relu"), torch("selu")) == (5 / 3, math.sqrt(2), 0.75)
    assert torch(("leaky_relu", 0.2)) == math.sqrt(2 / (1 + 0.2 * 0.2))
    assert torch("leaky_relu") == torch(("leaky_relu", 0.01))


@pytest.mark.parametrize(
    ("activation", "options", "error", "message"),
    [
        ("swoosh", {}, ValueError, "one of linear, relu, .*leaky_relu.*swiglu, or a callable, got 'swoosh'"),
        ("softmax", {}, ValueError, "on each element alone, 'softmax' is a function of a vector"),
        (("relu", 0.1), {}, ValueError, r"'relu' takes no parameter, got \('relu', 0.1\)"),
        (("glu", 0.1), {}, ValueError, "'glu' takes no parameter"),
        (("leaky_relu", 0.1, 0.2), {}, ValueError, "'leaky_relu' takes at most slope"),
        (("leaky_relu", float("nan")), {}, ValueError, "finite slope, got nan"),
        (("leaky_relu", 1e200), {}, ValueError, "slope with a finite square"),
        (("leaky_relu", "a"), {}, TypeError, "activation .leaky_relu. must be a number, got .a."),
        ("threshold", {}, ValueError, r"must have its threshold: \('threshold', threshold, value\)"),
        (("softplus", 0), {}, ValueError, "'softplus' must have beta > 0, got 0.0"),
        (("hard_tanh", 1, -1), {}, ValueError, "'hard_tanh' must have low < high, got 1.0, -1.0"),
        (None, {}, TypeError, r"a name, \(name, parameter, ...\) or a callable, got None"),
        (["relu"], {}, TypeError, r"a name, \(name, parameter, ...\) or a callable"),
        ((), {}, TypeError, r"a name, \(name, parameter, ...\) or a callable"),
        ("relu", {"derivative": True, "centred": True}, ValueError, "derivative and centred must not both"),
        ("relu", {"convention": "keras"}, ValueError, "convention must be one of 'torch', got 'keras'"),
        ("gelu", {"convention": "torch"}, ValueError, "one of linear, .*leaky_relu for convention 'torch', got 'gelu'"),
        (abs, {"convention": "torch"}, ValueError, "one of linear, .*leaky_relu for convention 'torch'"),
        (("tanh", 1.0), {"convention": "torch"}, ValueError, "one of linear, .*leaky_relu for convention 'torch'"),
        ("relu", {"convention": "torch", "derivative": True}, ValueError, "derivative and centred must be False"),
        ("relu", {"convention": "torch", "centred": True}, ValueError, "derivative and centred must be False"),
        (np.log, {}, ValueError, "must be finite, <ufunc 'log'> is nan at -12.0"),
        (np.zeros_like, {}, ValueError, "must not be 0 for its gain to be finite"),
        (np.zeros_like, {"derivative": True}, ValueError, "a slope that is not 0"),
        (np.ones_like, {"centred": True}, ValueError, "must not be constant"),
        (lambda z: 0.1 + 0 * z.astype("f4"), {"centred": True}, ValueError, "must not be constant"),
        (
            ("hard_tanh", 50, 51),
            {"centred": True},
            ValueError,
            r"must not be constant .* got \('hard_tanh', 50.0, 51.0\)",
        ),
        (("soft_shrink", 50), {"derivative": True}, ValueError, "a slope that is not 0"),
        (lambda z: np.abs(z - 0.3) ** 0.5, {"derivative": True}, ValueError, "a square-integrable derivative"),
        (lambda z: 1 / (z - 0.3), {}, ValueError, "square-integrable, smooth but for kinks and jumps"),
        (lambda z: np.exp(z * z / 3), {}, ValueError, "finite mean square, .* grows too fast"),
        (special.softmax, {}, ValueError, "each element alone"),
        (lambda z: z - z.mean(), {}, ValueError, "each element alone"),
        (lambda z: 1.0, {}, ValueError, r"keep the shape \(193,\), .* returns \(\)"),
        (lambda z: z[:2], {}, ValueError, r"keep the shape \(193,\), .* returns \(2,\)"),
        (lambda z: 1j * z, {}, TypeError, "float64 or float32, .* returns complex128"),
        (lambda z: z.astype("f2"), {}, TypeError, "float64 or float32, .* returns float16"),
        (lambda z: "a", {}, TypeError, "float64 or float32, .* returns <U1"),
        (lambda z: z.no, {}, TypeError, "take a float64 array or a float, .* raises AttributeError"),
    ],
)
def test_what_has_no_gain_is_refused(activation, options, error, message):
    with pytest.raises(error, match=message):
        fanin.gain(activation, **options)


def test_a_callable_takes_a_bounded_number_of_evaluations():
    evaluations = 0

    def f(z):
        nonlocal evaluations
        evaluations += z.size
        return np.sin(1e6 * z)

    with pytest.raises(ValueError, match="does not converge"):
        fanin.gain(f)
    assert evaluations <= 2**20 + 1000


def test_a_kink_takes_few_evaluations():
    """It takes 3046 of them; a quadrature that does not find it takes up to a million."""
    evaluations = 0

    def f(x):
        nonlocal evaluations
        evaluations += 1
        return x if x > 0.3 else 0.1 * x

    fanin.gain(f)
    assert evaluations < 10_000


def test_a_name_takes_no_quadrature(monkeypatch):
    monkeypatch.delattr(quadrature, "mean_square")
    gains._named_gain.cache_clear()
    for name in GAINS:
        for kind in KINDS:
            assert gain(name, kind) == getattr(GAINS[name], kind)
