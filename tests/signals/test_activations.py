"""Activations by name or as a callable: values and derivatives in float64."""

import math

import numpy as np
import pytest
from scipy import special

from fanin.signals import activations
from fanin.signals.activations import ALIASES, GATES, TABLE, VECTORS, derivative, function

PARAMETERS = {"threshold": (0.2, -1.5)}  # the only one without defaults
GRID = np.linspace(-7, 7, 1001) + 1 / 3000  # between all kinks


def named(name):
    return (name, *PARAMETERS.get(name, ()))


@pytest.mark.parametrize(
    ("activation", "values"),
    [
        ("linear", [-2, -0.25, 0, 0.25, 2]),
        ("relu", [0, 0, 0, 0.25, 2]),
        ("relu_squared", [0, 0, 0, 0.0625, 4]),
        ("leaky_relu", [-0.02, -0.0025, 0, 0.25, 2]),
        (("leaky_relu", 0.2), [-0.4, -0.05, 0, 0.25, 2]),
        ("prelu", [-0.5, -0.0625, 0, 0.25, 2]),
        (("rrelu", 0.0, 0.5), [-0.5, -0.0625, 0, 0.25, 2]),
        ("elu", [math.expm1(-2), math.expm1(-0.25), 0, 0.25, 2]),
        (("elu", 2), [2 * math.expm1(-2), 2 * math.expm1(-0.25), 0, 0.25, 2]),
        (("celu", 2), [2 * math.expm1(-1), 2 * math.expm1(-0.125), 0, 0.25, 2]),
        ("gelu", [x * special.ndtr(x) for x in (-2, -0.25, 0, 0.25, 2)]),
        ("silu", [x * special.expit(x) for x in (-2, -0.25, 0, 0.25, 2)]),
        ("sigmoid", special.expit([-2, -0.25, 0, 0.25, 2])),
        ("log_sigmoid", special.log_expit([-2, -0.25, 0, 0.25, 2])),
        ("hard_sigmoid", [1 / 6, 2.75 / 6, 0.5, 3.25 / 6, 5 / 6]),
        ("hard_swish", [-1 / 3, -0.25 * 2.75 / 6, 0, 0.25 * 3.25 / 6, 10 / 6]),
        ("sparse_sigmoid", [0, 0.375, 0.5, 0.625, 1]),
        ("sparse_plus", [0, 0.140625, 0.25, 0.390625, 2]),
        ("hard_tanh", [-1, -0.25, 0, 0.25, 1]),
        (("hard_tanh", -0.1, 0.2), [-0.1, -0.1, 0, 0.2, 0.2]),
        ("soft_shrink", [-1.5, 0, 0, 0, 1.5]),
        ("hard_shrink", [-2, 0, 0, 0, 2]),
        (("threshold", 0, 7), [7, 7, 7, 0.25, 2]),
        (("softplus", 2), [math.log1p(math.exp(2 * x)) / 2 for x in (-2, -0.25, 0, 0.25, 2)]),
        (("squareplus", 9), [(x + math.sqrt(x * x + 9)) / 2 for x in (-2, -0.25, 0, 0.25, 2)]),
        ("softsign", [-2 / 3, -0.2, 0, 0.2, 2 / 3]),
    ],
    ids=str,
)
def test_values_are_those_of_the_formula(activation, values):
    np.testing.assert_allclose(function(activation)([-2, -0.25, 0, 0.25, 2]), values, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("name", TABLE)
def test_derivatives_are_those_of_the_values(name):
    """Against the central difference, which is what a callable has."""
    f = function(named(name))
    np.testing.assert_allclose(derivative(named(name))(GRID), derivative(f)(GRID), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", TABLE)
def test_values_are_finite_far_out_where_they_should_be(name):
    f, slope = function(named(name)), derivative(named(name))
    far = np.array([-1e4, -750.0, -40.0, 40.0, 700.0, 1e4])
    if name == "exponential":
        far = far[far <= 700]
    assert np.isfinite(f(far)).all()
    assert np.isfinite(slope(far)).all()


@pytest.mark.parametrize("name", TABLE)
def test_shapes_are_kept_and_arguments_unchanged(name):
    x = GRID[:6].reshape(2, 3).copy()
    for f in (function(named(name)), derivative(named(name))):
        values = f(x)
        assert values.shape == (2, 3)
        assert values.dtype == np.float64
        assert not np.shares_memory(values, x)
        # NumPy may compute a single value otherwise: each of up to ten functions, of values up to 7, by 4 times 2⁻⁵².
        np.testing.assert_allclose(f(x[1, 2]), values[1, 2], rtol=1e-14, atol=10 * 4 * 7 * 2**-52)
        assert f(np.empty((0, 2))).shape == (0, 2)
    np.testing.assert_array_equal(x, GRID[:6].reshape(2, 3))


def test_aliases_are_other_names():
    assert set(ALIASES.values()) <= set(TABLE)
    assert not set(ALIASES) & {*TABLE, *GATES, *VECTORS}
    for alias, name in ALIASES.items():
        assert activations.resolve(alias) == activations.resolve(name)
    assert activations.resolve(("hardtanh", -2.0)) == ("hard_tanh", (-2.0, 1.0))


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_functions_of_vectors_are_refused(name):
    with pytest.raises(ValueError, match=f"'{name}' is a function of a vector"):
        function(name)


@pytest.mark.parametrize("name", GATES)
def test_gated_units_are_no_function_of_one_element(name):
    with pytest.raises(ValueError, match=f"'{name}' gates one by '{GATES[name]}' of another"):
        derivative(name)


@pytest.mark.parametrize("f", [np.tanh, math.tanh])
def test_callables_take_arrays_or_one_float(f):
    x = np.linspace(-2, 2, 12).reshape(3, 4)
    np.testing.assert_allclose(function(f)(x), np.tanh(x), rtol=2e-15)  # a libm and NumPy's own: 4 ulp each
    np.testing.assert_allclose(derivative(f)(x), 1 - np.tanh(x) ** 2, rtol=1e-9)


def test_callables_keep_float32_and_turn_integers_and_truth_into_float64():
    assert function(lambda x: x.astype("f4"))([1.0]).dtype == np.float32
    assert function(lambda x: (x > 0).astype(int))([1.0]).dtype == np.float64
    np.testing.assert_array_equal(function(lambda x: x > 0)([-1.0, 1.0]), [0, 1])
    single = derivative(lambda x: np.tanh(x.astype("f4")))
    np.testing.assert_allclose(single(GRID), 1 - np.tanh(GRID) ** 2, atol=1e-3)


def test_a_difference_stays_within_1e_5_of_a_kink():
    x = np.array([-1.0, -1e-5, 0.0, 1e-5, 1.0])
    np.testing.assert_allclose(derivative(lambda x: np.maximum(x, 0))(x), [0, 0, 0.5, 1, 1], atol=1e-9)
