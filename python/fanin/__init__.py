"""fanin: initial weights as a pure function of seed, name, scheme, dtype, shape and index.

Examples
--------
>>> import fanin
>>> init = fanin.seeded(0, layout="OI")
>>> w = init.he_normal("mlp.0.weight", (4096, 1024))
>>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
>>> assert (part == w[1024:2048]).all()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import _core, cuda
from .arrays.seed import fresh_seed
from .info import info
from .sampling import bits, constant, normal, ones, truncated_normal, uniform, zeros
from .threads import get_num_threads, num_threads, set_num_threads

if TYPE_CHECKING:
    from . import diagnose, models, recipes, schemes, torch
    from .axes import layout
    from .fans import Fans
    from .namespace import Seeded, seeded
    from .plans.plan import Plan, plan
    from .recommendation import Recommendation, recommend, review
    from .signals.gains import gain
    from .spellings import (
        deepnorm,
        delta_orthogonal,
        dirac,
        embedding,
        eye,
        fixup,
        gate_bias,
        glorot_normal,
        glorot_uniform,
        gru_bias,
        haar,
        he_normal,
        he_uniform,
        identity,
        kaiming_normal,
        kaiming_uniform,
        layer_scale,
        lecun_normal,
        lecun_uniform,
        lstm_bias,
        mamba_log_range,
        mamba_step_bias,
        orthogonal,
        prior_probability,
        rezero,
        scaled_residual,
        sinusoid,
        siren,
        skip_init,
        sparse,
        t_fixup,
        t_fixup_embedding,
        torchtitan_residual,
        variance_scaling,
        xavier_normal,
        xavier_uniform,
    )

__version__: str = _core.__version__

__all__ = [
    "Fans",
    "Plan",
    "Recommendation",
    "Seeded",
    "bits",
    "constant",
    "cuda",
    "deepnorm",
    "delta_orthogonal",
    "diagnose",
    "dirac",
    "embedding",
    "eye",
    "fixup",
    "fresh_seed",
    "gain",
    "gate_bias",
    "get_num_threads",
    "glorot_normal",
    "glorot_uniform",
    "gru_bias",
    "haar",
    "he_normal",
    "he_uniform",
    "identity",
    "info",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_scale",
    "layout",
    "lecun_normal",
    "lecun_uniform",
    "lstm_bias",
    "mamba_log_range",
    "mamba_step_bias",
    "models",
    "normal",
    "num_threads",
    "ones",
    "orthogonal",
    "plan",
    "prior_probability",
    "recipes",
    "recommend",
    "review",
    "rezero",
    "scaled_residual",
    "schemes",
    "seeded",
    "set_num_threads",
    "sinusoid",
    "siren",
    "skip_init",
    "sparse",
    "t_fixup",
    "t_fixup_embedding",
    "torch",
    "torchtitan_residual",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

# What stands on the schemes, imported when first asked for: `import fanin` stays quick.
_MODULES = ("diagnose", "models", "recipes", "schemes", "torch")
_LATER = ("spellings", "namespace", "axes", "fans", "signals.gains", "recommendation", "plans")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    for module in _LATER if name in __all__ else ():
        found = vars(importlib.import_module(f".{module}", __name__))
        globals().update({key: value for key, value in found.items() if key in __all__})
        if name in globals():
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
