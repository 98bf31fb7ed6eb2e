"""Define the elementwise activations of torch, Keras and JAX in float64, by name, with their derivatives.

Default parameters are torch's. Keras and JAX differ in two: the slope of leaky_relu is 0.2 in Keras (0.3 in its layer),
and JAX's gelu is called gelu_tanh here. rrelu has its mean slope, as in evaluation. softplus has no threshold above
which it is linear. hard_sigmoid is relu6(x + 3)/6, as in all three (in Keras 2 it was x/5 + 1/2, clipped).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import real
from ..arrays.types import Activation
from ..text import nearest, short

Values: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[ArrayLike], NDArray[np.floating[Any]]]


class Definition(NamedTuple):
    """Describe an elementwise function: its values, its derivative and its parameters.

    At a kink or jump the derivative is the one that autograd computes there.
    """

    value: Callable[..., Values]
    slope: Callable[..., Values]
    parameters: Mapping[str, float | None] = MappingProxyType(
        {}
    )  # the default of each parameter by name; None if it has no default
    allowed: tuple[str, Callable[..., bool]] = (
        "",
        lambda *_: True,
    )  # a condition on the parameters, in words and as code


def _step(x: Values) -> Values:
    return np.heaviside(x, 0.0)


def _sigmoid(x: Values) -> Values:
    e = np.exp(-np.abs(x))  # cannot overflow
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _softplus(x: Values, beta: float = 1.0) -> Values:
    return np.logaddexp(0.0, beta * x) / beta


def _leaky_relu(x: Values, slope: float) -> Values:
    return np.where(x > 0, x, slope * x)


def _leaky_relu_slope(x: Values, slope: float) -> Values:
    return np.where(x > 0, 1.0, slope)


def _elu(x: Values, alpha: float) -> Values:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _elu_slope(x: Values, alpha: float) -> Values:
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0.0)))


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934, 1.6732632423543772848
_SQRT_HALF = math.sqrt(0.5)
_erfc = np.frompyfunc(math.erfc, 1, 1)


def _cdf(x: Values) -> Values:
    """Return the distribution function of the standard normal."""
    return np.asarray(_erfc(-_SQRT_HALF * x), np.float64) / 2


def _gelu_slope(x: Values) -> Values:
    return _cdf(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


_GELU_SCALE, _GELU_CUBIC = math.sqrt(2 / math.pi), 0.044715


def _gelu_tanh(x: Values) -> Values:
    t: Values = np.tanh(_GELU_SCALE * x * (1 + _GELU_CUBIC * x * x))
    return x * (1 + t) / 2


def _gelu_tanh_slope(x: Values) -> Values:
    t: Values = np.tanh(_GELU_SCALE * x * (1 + _GELU_CUBIC * x * x))
    return (1 + t) / 2 + x * (1 - t * t) * _GELU_SCALE * (1 + 3 * _GELU_CUBIC * x * x) / 2


def _mish_slope(x: Values) -> Values:
    t: Values = np.tanh(_softplus(x))
    return t + x * _sigmoid(x) * (1 - t * t)


def _soft_shrink(x: Values, threshold: float) -> Values:
    return x - np.clip(x, -threshold, threshold)


def _outside(x: Values, threshold: float) -> Values:
    return _step(np.abs(x) - threshold)


def _threshold(x: Values, threshold: float, value: float) -> Values:
    return np.where(x > threshold, x, value)


_NOT_NEGATIVE = "threshold >= 0", lambda threshold: threshold >= 0

TABLE: dict[str, Definition] = {
    "linear": Definition(lambda x: +x, np.ones_like),
    "relu": Definition(lambda x: np.maximum(x, 0.0), _step),
    "relu6": Definition(lambda x: np.clip(x, 0.0, 6.0), lambda x: _step(x) * _step(6.0 - x)),
    "relu_squared": Definition(lambda x: np.maximum(x, 0.0) ** 2, lambda x: 2 * np.maximum(x, 0.0)),
    "leaky_relu": Definition(_leaky_relu, _leaky_relu_slope, {"slope": 0.01}),
    "prelu": Definition(_leaky_relu, _leaky_relu_slope, {"slope": 0.25}),  # the slope is learned, and starts at 0.25
    "rrelu": Definition(  # the slope is random in training, and the mean of its bounds in evaluation
        lambda x, lower, upper: _leaky_relu(x, (lower + upper) / 2),
        lambda x, lower, upper: _leaky_relu_slope(x, (lower + upper) / 2),
        {"lower": 1 / 8, "upper": 1 / 3},
        ("lower <= upper", lambda lower, upper: lower <= upper),
    ),
    "elu": Definition(_elu, _elu_slope, {"alpha": 1.0}),
    "celu": Definition(
        lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0) / alpha)),
        lambda x, alpha: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0) / alpha)),
        {"alpha": 1.0},
        ("alpha != 0", lambda alpha: alpha != 0),
    ),
    "selu": Definition(
        lambda x: _SELU_SCALE * _elu(x, _SELU_ALPHA), lambda x: _SELU_SCALE * _elu_slope(x, _SELU_ALPHA)
    ),
    "gelu": Definition(lambda x: x * _cdf(x), _gelu_slope),
    "gelu_tanh": Definition(_gelu_tanh, _gelu_tanh_slope),
    "silu": Definition(lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x))),
    "mish": Definition(lambda x: x * np.tanh(_softplus(x)), _mish_slope),
    "hard_swish": Definition(
        lambda x: x * np.clip(x + 3, 0.0, 6.0) / 6,
        lambda x: np.where(x < 3, np.where(x > -3, (2 * x + 3) / 6, 0.0), 1.0),
    ),
    "sigmoid": Definition(_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "hard_sigmoid": Definition(lambda x: np.clip(x + 3, 0.0, 6.0) / 6, lambda x: _step(3.0 - np.abs(x)) / 6),
    "sparse_sigmoid": Definition(lambda x: np.clip(x + 1, 0.0, 2.0) / 2, lambda x: _step(1.0 - np.abs(x)) / 2),
    "log_sigmoid": Definition(lambda x: -_softplus(-x), lambda x: _sigmoid(-x)),
    "tanh": Definition(np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "hard_tanh": Definition(
        np.clip,
        lambda x, low, high: _step(x - low) * _step(high - x),
        {"low": -1.0, "high": 1.0},
        ("low < high", lambda low, high: low < high),
    ),
    "tanh_shrink": Definition(lambda x: x - np.tanh(x), lambda x: np.tanh(x) ** 2),
    "soft_shrink": Definition(_soft_shrink, _outside, {"threshold": 0.5}, _NOT_NEGATIVE),
    "hard_shrink": Definition(
        lambda x, threshold: x * _outside(x, threshold), _outside, {"threshold": 0.5}, _NOT_NEGATIVE
    ),
    "threshold": Definition(
        _threshold, lambda x, threshold, _: _step(x - threshold), {"threshold": None, "value": None}
    ),
    "softplus": Definition(
        _softplus,
        lambda x, beta: _sigmoid(beta * x),
        {"beta": 1.0},
        ("beta > 0", lambda beta: beta > 0),
    ),
    "squareplus": Definition(
        lambda x, b: (x + np.sqrt(x * x + b)) / 2,
        lambda x, b: (1 + x / np.sqrt(x * x + b)) / 2,
        {"b": 4.0},
        ("b > 0", lambda b: b > 0),
    ),
    "sparse_plus": Definition(
        lambda x: np.where(x < 1, np.clip(x + 1, 0.0, 2.0) ** 2 / 4, x), lambda x: np.clip(x + 1, 0.0, 2.0) / 2
    ),
    "softsign": Definition(lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0),
    "exponential": Definition(np.exp, np.exp),
    "sin": Definition(np.sin, np.cos),
}

# The limits of those that have two, beside hard_tanh, whose limits are its parameters.
BOUNDED = {
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "sparse_sigmoid": (0.0, 1.0),
}

# A gated unit is f(z1, z2) = z1·g(z2); this names its g. Dauphin et al. (2017), Shazeer (2020).
GATES = {"glu": "sigmoid", "bilinear": "linear", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}

ALIASES = {
    "identity": "linear",
    "swish": "silu",
    "hardswish": "hard_swish",
    "hard_silu": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "logsigmoid": "log_sigmoid",
    "hardtanh": "hard_tanh",
    "tanhshrink": "tanh_shrink",
    "softshrink": "soft_shrink",
    "hardshrink": "hard_shrink",
    "soft_sign": "softsign",
}

# These act on a whole vector, not on each element, so they have no gain.
VECTORS = frozenset(
    {
        "softmax",
        "softmin",
        "softmax2d",
        "log_softmax",
        "logsoftmax",
        "gumbel_softmax",
        "sparsemax",
        "multihead_attention",
    }
)


def function(activation: Activation) -> Function:
    """Return an activation as a function of arrays.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        A name in `TABLE` or `ALIASES`, alone ("relu") or with its parameters (("leaky_relu", 0.2)), or a function that
        takes a float64 array or one float.

    Returns
    -------
    callable
        It takes an array of any shape and returns the values in the same shape: in float64, or in the dtype that a
        callable returns.

    Raises
    ------
    ValueError
        If the name is unknown, a parameter is wrong, or the function needs more than one element (softmax, glu). The
        returned function raises it too, where a callable returns another shape.
    TypeError
        If `activation` is another kind of object. The returned function raises it too, where a callable fails or
        returns no real numbers.

    Examples
    --------
    >>> function(("leaky_relu", 0.5))([-2.0, 2.0])
    array([-1.,  2.])
    """
    if callable(activation):
        return _checked(activation)
    definition, parameters = _definition(activation)
    return lambda x: definition.value(np.asarray(x, np.float64), *parameters)


def derivative(activation: Activation) -> Function:
    """Return the derivative of an activation: exact for a name, a central difference for a callable.

    The difference is good to nine digits where the callable is smooth and computes in float64. Within 1e-5 of a kink it
    lies between the slopes on either side.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        A name, alone or with its parameters, or a callable: see `function`, which raises the same errors.

    Returns
    -------
    callable
        It takes an array of any shape and returns the slopes in the same shape.

    Examples
    --------
    >>> derivative("relu")([-1.0, 0.0, 1.0])
    array([0., 0., 1.])
    """
    if callable(activation):
        return _difference(_checked(activation))
    definition, parameters = _definition(activation)
    return lambda x: definition.slope(np.asarray(x, np.float64), *parameters)


def resolve(activation: Activation) -> tuple[str, tuple[float, ...]]:
    """Return the name in `TABLE` or `GATES` of an activation that is not a callable, and all its parameters."""
    name, *given = (activation,) if isinstance(activation, str) else _named(activation)
    name = ALIASES.get(name, name)
    if name in GATES:
        _require_count(name, given, ())
        return name, ()
    if name in VECTORS:
        raise ValueError(f"activation must act on each element alone, {name!r} is a function of a vector")
    if name not in TABLE:
        allowed = [*TABLE, *GATES]
        meant = nearest(name, [*allowed, *ALIASES])
        raise ValueError(f"activation must be one of {', '.join(allowed)}, or a callable, got {short(name)}{meant}")
    if not (given or TABLE[name].parameters):
        return name, ()
    return name, _parameters(name, given)


def _named(activation: object) -> tuple[Any, ...]:
    if isinstance(activation, tuple) and activation and isinstance(activation[0], str):
        return activation
    raise TypeError(f"activation must be a name, (name, parameter, ...) or a callable, got {short(activation)}")


def _parameters(name: str, given: list[float]) -> tuple[float, ...]:
    _, _, defaults, (allowed, holds) = TABLE[name]
    _require_count(name, given, tuple(defaults))
    values = [
        *(real(f"the parameter of activation {name!r}", each) for each in given),
        *list(defaults.values())[len(given) :],
    ]
    for parameter, value in zip(defaults, values, strict=True):
        if value is None:
            raise ValueError(f"activation {name!r} must have its {parameter}: ({name!r}, {', '.join(defaults)})")
        if not math.isfinite(value):
            raise ValueError(f"activation {name!r} must have a finite {parameter}, got {value}")
    parameters = tuple(value for value in values if value is not None)
    if not holds(*parameters):
        raise ValueError(f"activation {name!r} must have {allowed}, got {', '.join(map(str, parameters))}")
    return parameters


def _require_count(name: str, given: list[float], parameters: tuple[str, ...]) -> None:
    if len(given) > len(parameters):
        takes = f"at most {', '.join(parameters)}" if parameters else "no parameter"
        raise ValueError(f"activation {name!r} takes {takes}, got {short((name, *given))}")


def _definition(activation: Activation) -> tuple[Definition, tuple[float, ...]]:
    name, parameters = resolve(activation)
    if name in GATES:
        raise ValueError(f"activation must act on each element alone, {name!r} gates one by {GATES[name]!r} of another")
    return TABLE[name], parameters


def _checked(f: Callable[[Any], Any]) -> Function:
    """Wrap a callable as a function of arrays that checks its values; call it with each float if it takes no arrays."""

    def values(x: ArrayLike) -> NDArray[np.floating[Any]]:
        points = np.asarray(x, np.float64)
        flat = points.ravel()
        try:
            y = np.asarray(f(flat.copy()))  # a copy, since f may write to its argument
        except Exception:
            try:
                y = np.asarray([f(point) for point in flat.tolist()])
            except Exception as error:
                raise TypeError(f"activation must take a float64 array or a float, {f!r} raises {error!r}") from error
        if y.dtype.kind not in "fiub" or y.dtype == np.float16:
            raise TypeError(f"activation must return float64 or float32, {f!r} returns {y.dtype}")
        if y.shape != flat.shape:
            raise ValueError(f"activation must keep the shape {flat.shape}, {f!r} returns {y.shape}")
        return (y if y.dtype.kind == "f" else y.astype(np.float64)).reshape(points.shape)

    return values


def _difference(f: Function) -> Function:
    def values(x: ArrayLike) -> NDArray[np.floating[Any]]:
        points = np.asarray(x, np.float64)
        step = np.cbrt(np.finfo(f(points).dtype).eps) * np.maximum(1.0, np.abs(points))
        low, high = points - step, points + step
        return np.asarray((f(high) - f(low)) / (high - low))

    return values
