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
from .sampling import bits, constant, normal, ones, truncated_normal, uniform, zeros
from .spellings import (
    delta_orthogonal,
    glorot_normal,
    glorot_uniform,
    haar,
    he_normal,
    he_uniform,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    orthogonal,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
)
from .threads import get_num_threads, num_threads, set_num_threads

__version__: str = _core.__version__

__all__ = [
    "Fans",
    "Seeded",
    "bits",
    "constant",
    "cuda",
    "delta_orthogonal",
    "fresh_seed",
    "gain",
    "get_num_threads",
    "glorot_normal",
    "glorot_uniform",
    "haar",
    "he_normal",
    "he_uniform",
    "info",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "num_threads",
    "ones",
    "orthogonal",
    "schemes",
    "seeded",
    "set_num_threads",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
