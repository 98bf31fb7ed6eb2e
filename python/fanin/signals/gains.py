"""Compute gains: the factors that keep the mean square of a signal, or of a gradient, through an activation.

For an activation f they are 1/√E[f(z)²] and 1/√E[f'(z)²], where z is standard normal: He et al. (2015) derive both for
ReLU, and the same equations hold for any f. torch's 5/3 for tanh, 3/4 for SELU and 1 for sigmoid follow no such
equation; they are conventions.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..arguments import choice, flag
from ..arrays.types import Activation
from ..entry import entry
from ..text import short

if TYPE_CHECKING:
    from .quadrature import Kind


class Gains(NamedTuple):
    """Hold the three gains of an activation: 1/√E f(z)², 1/√E f'(z)² and 1/std f(z)."""

    forward: float
    backward: float
    centred: float


# The gains with default parameters, integrated to 40 digits, then rounded. tests/signals/test_gains.py integrates them
# again.
GAINS = {
    name: Gains(*map(float.fromhex, digits.split()))
    for name, digits in {
        "linear": "0x1p+0 0x1p+0 0x1p+0",
        "relu": "0x1.6a09e667f3bcdp+0 0x1.6a09e667f3bcdp+0 0x1.b67de5e0daf2dp+0",
        "relu6": "0x1.6a09e673a495ap+0 0x1.6a09e66df1d38p+0 0x1.b67de5f447beep+0",
        "relu_squared": "0x1.a20bd700c2c3ep-1 0x1.6a09e667f3bcdp-1 0x1.c9f25c5bfedd9p-1",
        "elu": "0x1.3ec550da8b57dp+0 0x1.39329d2bae537p+0 0x1.4555fe8600e28p+0",
        "celu": "0x1.3ec550da8b57dp+0 0x1.39329d2bae537p+0 0x1.4555fe8600e28p+0",
        "selu": "0x1p+0 0x1.ee9aee3e644c7p-1 0x1p+0",
        "gelu": "0x1.889573745af35p+0 0x1.7b2a506c37734p+0 0x1.b36fe6fc2755dp+0",
        "gelu_tanh": "0x1.8898bbaa56b66p+0 0x1.7b2dd47164097p+0 0x1.b36f448db4ec0p+0",
        "silu": "0x1.ad313b62c10e7p+0 0x1.9f91ea9ad71b4p+0 0x1.c9851a0ec01fep+0",
        "mish": "0x1.7ca20b07b4837p+0 0x1.71db7a9a83ff2p+0 0x1.978ef9b2395bep+0",
        "hard_swish": "0x1.bc95912d31df1p+0 0x1.ab8a1ff3fbb41p+0 0x1.d059e1832cc8ep+0",
        "sigmoid": "0x1.d8a26f172bc44p+0 0x1.2e3fd55e6be78p+2 0x1.3348b7e1b0956p+2",
        "hard_sigmoid": "0x1.e5d8debd3d7e2p+0 0x1.8084f83cf32fep+2 0x1.80f653351ac86p+2",
        "sparse_sigmoid": "0x1.9fd389a52f8d2p+0 0x1.35d55f77eb6a8p+1 0x1.645c7b0213577p+1",
        "log_sigmoid": "0x1.0ab7c8f1693ffp+0 0x1.d8a26f172bc44p+0 0x1.eb4bd71977617p+0",
        "tanh": "0x1.97b088475da43p+0 0x1.77a86ac9c29a2p+0 0x1.97b088475da43p+0",
        "hard_tanh": "0x1.645c7b0213577p+0 0x1.35d55f77eb6a8p+0 0x1.645c7b0213577p+0",
        "tanh_shrink": "0x1.2b4fa091e8907p+1 0x1.fcf6aa79c32bdp+0 0x1.2b4fa091e8907p+1",
        "soft_shrink": "0x1.8b5b362a324afp+0 0x1.45e3d37dfd276p+0 0x1.8b5b362a324afp+0",
        "hard_shrink": "0x1.040b3adaead26p+0 0x1.45e3d37dfd276p+0 0x1.040b3adaead26p+0",
        "softplus": "0x1.0ab7c8f1693ffp+0 0x1.d8a26f172bc44p+0 0x1.eb4bd71977617p+0",
        "squareplus": "0x1.a20bd700c2c3ep-1 0x1.dbf133134920bp+0 0x1.ed2eca6f7b29dp+0",
        "sparse_plus": "0x1.615dc1b3711bap+0 0x1.9fd389a52f8d2p+0 0x1.cafae9d550452p+0",
        "softsign": "0x1.2b344b11ee16dp+1 0x1.0c4289fb80517p+1 0x1.2b344b11ee16dp+1",
        "exponential": "0x1.78b56362cef38p-2 0x1.78b56362cef38p-2 0x1.d9cfb8b851e17p-2",
        "sin": "0x1.855783d82186fp+0 0x1.53c6b201d190fp+0 0x1.855783d82186fp+0",
        "glu": "0x1.d8a26f172bc44p+0 0x1.37437c466a08dp+1 0x1.d8a26f172bc44p+0",
        "bilinear": "0x1p+0 0x1p+0 0x1p+0",
        "reglu": "0x1.6a09e667f3bcdp+0 0x1.6a09e667f3bcdp+0 0x1.6a09e667f3bcdp+0",
        "geglu": "0x1.889573745af35p+0 0x1.81b318579b141p+0 0x1.889573745af35p+0",
        "swiglu": "0x1.ad313b62c10e7p+0 0x1.a637677af66cdp+0 0x1.ad313b62c10e7p+0",
    }.items()
}

# What torch.nn.init.calculate_gain returns. For leaky_relu it has the same formula as `gain`.
TORCH_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": float.fromhex("0x1.aaaaaaaaaaaabp+0"),  # 5/3
    "relu": float.fromhex("0x1.6a09e667f3bcdp+0"),  # √2
    "selu": 0.75,
}

_INVERSE_PI = float.fromhex("0x1.45f306dc9c883p-2")


@entry
def gain(
    activation: Activation,
    derivative: bool = False,
    *,
    centred: bool = False,
    convention: Literal["torch"] | None = None,
) -> float:
    """Compute the gain of an activation f: 1/√E f(z)², where z is standard normal.

    Weights with variance gain²/fan_in then keep the mean square of a signal from layer to layer.

    Parameters
    ----------
    activation : str, (str, float, ...) or callable
        A name, alone or with its parameters: "relu", ("leaky_relu", 0.2), ("hard_tanh", -2.0, 2.0). Names are those of
        torch, Keras and JAX; `fanin.signals.activations` lists them. The gated units "glu", "bilinear", "reglu",
        "geglu" and "swiglu" take two independent inputs. A callable takes a float64 array or one float, acts on each
        element alone, and is smooth but for kinks and jumps.
    derivative : bool
        Whether to compute 1/√E f'(z)² instead: variance gain²/fan_out then keeps the mean square of a gradient. For a
        gated unit it is the mean over both inputs; for "hard_shrink" and "threshold" jumps do not count, only the
        slopes beside them. Default False.
    centred : bool
        Whether to compute 1/std f(z) instead, the γ of Brock et al. It suits weights that sum to 0 over each fan_in.
        Default False.
    convention : "torch", optional
        "torch" returns what torch.nn.init.calculate_gain has for the name. Default: the definitions above.

    Returns
    -------
    float
        The gain. It is correctly rounded for a name with its default parameters, and off by two units in the last
        place at most for leaky_relu, prelu and rrelu with any slope. Otherwise its relative error is at most 1e-10, or
        1e-8 where a slope exceeds 1000. A callable that computes in float32 gives three digits or more, of which the
        last may differ between machines.

    Raises
    ------
    ValueError
        If the name is unknown or a parameter is wrong; if `derivative` and `centred` are both True; if the function
        acts on a vector, as softmax does; if the gain is infinite, as that of a constant is when `centred`; if a
        callable returns values that are not finite or have another shape; if an integral does not converge, as for the
        `derivative` of a step.
    TypeError
        If `activation` is another kind of object, or a callable that takes neither arrays nor floats, or that returns
        no real numbers.

    References
    ----------
    He et al., Delving deep into rectifiers, 2015. Brock, De and Smith, Characterizing signal propagation to close the
    performance gap in unnormalized ResNets, 2021.

    Examples
    --------
    >>> gain("relu"), gain(("leaky_relu", 1.0))
    (1.4142135623730951, 1.0)
    >>> gain("tanh", derivative=True), gain("tanh", convention="torch")
    (1.467413591630795, 1.6666666666666667)
    >>> round(gain(lambda x: max(x, 0.0)), 6)
    1.414214
    """
    if flag("centred", centred) & flag("derivative", derivative):
        raise ValueError("derivative and centred must not both be True: they are two different gains")
    if convention is not None:
        choice("convention", convention, ("torch",))
        return _torch_gain(activation, derivative or centred)
    kind: Kind = "backward" if derivative else "centred" if centred else "forward"
    if isinstance(activation, str) and activation in GAINS:
        return float(getattr(GAINS[activation], kind))
    from . import activations  # here and below, not at the top: `import fanin` is quicker without them
    from .quadrature import mean_square

    if callable(activation):
        label = short(activation)
        return _inverse_root(mean_square(activations.function(activation), kind, label), kind, label)
    return _named_gain(*activations.resolve(activation), kind)


@functools.lru_cache(maxsize=1024)
def _named_gain(name: str, parameters: tuple[float, ...], kind: Kind) -> float:
    from . import activations
    from .quadrature import mean_square

    if name in ("leaky_relu", "prelu", "rrelu"):
        return _leaky_relu(name, sum(parameters) / len(parameters), kind)
    if name in GAINS and (not parameters or parameters == tuple(activations.TABLE[name].parameters.values())):
        return float(getattr(GAINS[name], kind))
    label = repr((name, *parameters))
    if kind == "backward":
        return _inverse_root(mean_square(activations.derivative((name, *parameters)), "forward", label), kind, label)
    return _inverse_root(mean_square(activations.function((name, *parameters)), kind, label), kind, label)


def _leaky_relu(name: str, slope: float, kind: Kind) -> float:
    """Compute √(2/(1 + slope²)), or √(2/(1 + slope² - (1 - slope)²/π)) if centred."""
    if not math.isfinite(slope * slope):
        raise ValueError(f"activation {name!r} must have a slope with a finite square, got {slope}")
    squares = 1.0 + slope * slope
    if kind == "centred":
        squares -= (1.0 - slope) * (1.0 - slope) * _INVERSE_PI
    return math.sqrt(2.0 / squares)


def _inverse_root(square: float, kind: Kind, label: str) -> float:
    if square == 0:
        what = {"forward": "not be 0", "backward": "have a slope that is not 0", "centred": "not be constant"}[kind]
        raise ValueError(f"activation must {what} for its gain to be finite, got {label}")
    mantissa, exponent = math.frexp(1.0 / math.sqrt(square))
    # Rounding to 36 bits drops the last digits of exp or tanh, which differ between platforms, so that weights do not.
    return math.ldexp(round(mantissa * 2**36), exponent - 36)


def _torch_gain(activation: Activation, other: bool) -> float:
    if other:
        raise ValueError("convention 'torch' has one gain for each name: derivative and centred must be False")
    if isinstance(activation, str) and activation in TORCH_GAINS:
        return TORCH_GAINS[activation]
    from . import activations

    if activation == "leaky_relu" or (isinstance(activation, tuple) and activation[:1] == ("leaky_relu",)):
        return _named_gain(*activations.resolve(activation), "forward")
    names = ", ".join([*TORCH_GAINS, "leaky_relu"])
    raise ValueError(f"activation must be one of {names} for convention 'torch', got {short(activation)}")
