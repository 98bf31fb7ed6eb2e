"""fanin: initial weights as a pure function of seed, name, scheme, dtype, shape and index.

Examples
--------
>>> import fanin
>>> init = fanin.seeded(0, layout="OI")
>>> w = init.he_normal("mlp.0.weight", (4096, 1024))
>>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
>>> assert (part == w[1024:2048]).all()
"""

from . import _core, cuda, schemes
from ._info import info
from ._seed import fresh_seed
from .fans import Fans
from .gains import gain
from .namespace import Seeded, seeded
from .recommendation import Recommendation, recommend, review
from .sampling import bits, constant, normal, ones, truncated_normal, uniform, zeros
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
from .threads import get_num_threads, num_threads, set_num_threads

__version__: str = _core.__version__

__all__ = [
    "Fans",
    "Recommendation",
    "Seeded",
    "bits",
    "constant",
    "cuda",
    "deepnorm",
    "delta_orthogonal",
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
    "lecun_normal",
    "lecun_uniform",
    "lstm_bias",
    "mamba_log_range",
    "mamba_step_bias",
    "normal",
    "num_threads",
    "ones",
    "orthogonal",
    "prior_probability",
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
    "torchtitan_residual",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
