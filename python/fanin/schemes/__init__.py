"""Schemes: small frozen objects that say how a parameter is drawn, and the functions that build them.

docs/schemes.md lists them: formula, when to use it, source, and what other libraries call it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .base import Scheme
from .distributions import (
    Constant,
    Normal,
    TruncatedNormal,
    Uniform,
    constant,
    normal,
    ones,
    truncated_normal,
    uniform,
    zeros,
)
from .orthogonal import DeltaOrthogonal, Haar, Orthogonal, delta_orthogonal, haar, orthogonal
from .variance import (
    VarianceScaling,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
)

if TYPE_CHECKING:
    from .biases import gate_bias, gru_bias, lstm_bias, prior_probability
    from .composition import Concatenate, Padded, concatenate, embedding
    from .depth import (
        deepnorm,
        deepnorm_alpha,
        fixup,
        layer_scale,
        rezero,
        scaled_residual,
        skip_init,
        t_fixup,
        t_fixup_embedding,
        torchtitan_residual,
    )
    from .sequence import LogRange, Sinusoid, StepBias, mamba_log_range, mamba_step_bias, sinusoid
    from .siren import SirenFirst, siren
    from .structured import Dirac, Identity, Sparse, dirac, eye, identity, sparse
    from .width import Mup, mup

__all__ = [
    "Concatenate",
    "Constant",
    "DeltaOrthogonal",
    "Dirac",
    "Haar",
    "Identity",
    "LogRange",
    "Mup",
    "Normal",
    "Orthogonal",
    "Padded",
    "Scheme",
    "Sinusoid",
    "SirenFirst",
    "Sparse",
    "StepBias",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "concatenate",
    "constant",
    "deepnorm",
    "deepnorm_alpha",
    "delta_orthogonal",
    "dirac",
    "embedding",
    "eye",
    "fixup",
    "gate_bias",
    "glorot_normal",
    "glorot_uniform",
    "gru_bias",
    "haar",
    "he_normal",
    "he_uniform",
    "identity",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_scale",
    "lecun_normal",
    "lecun_uniform",
    "lstm_bias",
    "mamba_log_range",
    "mamba_step_bias",
    "mup",
    "normal",
    "ones",
    "orthogonal",
    "prior_probability",
    "rezero",
    "scaled_residual",
    "sinusoid",
    "siren",
    "skip_init",
    "sparse",
    "t_fixup",
    "t_fixup_embedding",
    "torchtitan_residual",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

# Not needed by most, they are imported when one of them is: `import fanin` stays quick.
_LATER = ("biases", "composition", "depth", "sequence", "siren", "structured", "width")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for module in _LATER:
        found = vars(importlib.import_module(f".{module}", __name__))
        globals().update({key: value for key, value in found.items() if key in __all__})
    return globals()[name]


def __dir__() -> list[str]:
    return __all__
