"""Gains: the factor that keeps the mean square of a signal through an activation.

For an activation f it is 1/√E[f(z)²] with z standard normal: He et al. (2015) derive it for ReLU, and the same equation
holds for any f. torch's 5/3 for tanh, 3/4 for SELU and 1 for sigmoid are conventions of its own.
"""

from __future__ import annotations

import math

from . import _core
from ._types import Activation

# 1/√E[f(z)²] to 30 digits by quadrature, rounded once; tests/test_gains.py integrates each again.
GAINS = {
    name: float.fromhex(digits)
    for name, digits in {
        "linear": "0x1p+0",
        "relu": "0x1.6a09e667f3bcdp+0",  # √2
        "relu_squared": "0x1.a20bd700c2c3ep-1",  # √(2/3)
        "gelu": "0x1.889573745af35p+0",
        "gelu_tanh": "0x1.8898bbaa56b66p+0",
        "silu": "0x1.ad313b62c10e7p+0",
        "mish": "0x1.7ca20b07b4837p+0",
        "elu": "0x1.3ec550da8b57dp+0",
        "selu": "0x1p+0",
        "tanh": "0x1.97b088475da43p+0",
        "sigmoid": "0x1.d8a26f172bc44p+0",
        "softplus": "0x1.0ab7c8f1693ffp+0",
        "hardswish": "0x1.bc95912d31df1p+0",
        "sin": "0x1.855783d82186fp+0",
    }.items()
}


def gain(activation: Activation) -> float:
    """The gain of an activation.

    Parameters
    ----------
    activation : str or (str, float)
        A name of `GAINS`, or "leaky_relu", alone (slope 0.01) or with its slope: ("leaky_relu", 0.2).

    Raises
    ------
    ValueError
        For an unknown name, or a parameter that is not finite or that the activation does not take.

    Examples
    --------
    >>> gain("relu"), gain(("leaky_relu", 1.0))
    (1.4142135623730951, 1.0)
    """
    name, *parameters = (activation,) if isinstance(activation, str) else _pair(activation)
    if name == "leaky_relu":
        return _leaky_relu(float(*parameters) if parameters else 0.01)
    if name not in GAINS:
        raise ValueError(f"activation must be one of {', '.join(GAINS)}, leaky_relu, got {name!r}")
    if parameters:
        raise ValueError(f"activation {name!r} takes no parameter, got {activation!r}")
    return GAINS[name]


def _pair(activation: Activation) -> tuple[str, float]:
    if isinstance(activation, tuple) and len(activation) == 2 and isinstance(activation[0], str):
        return activation
    raise TypeError(f"activation must be a name or (name, parameter), got {activation!r}")


def _leaky_relu(slope: float) -> float:
    """√(2/(1 + slope²))."""
    if not math.isfinite(slope):
        raise ValueError(f"activation 'leaky_relu' must have a finite slope, got {slope}")
    with _core.Ieee754():
        return math.sqrt(2.0 / (1.0 + slope * slope))
