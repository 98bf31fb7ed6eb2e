"""Every distribution and dtype, parameters to draw it with, and indices of its parts."""

import math

import numpy as np

import fanin

SEED, NAME = 0x243F6A8885A308D3, "h.0.attn.c_attn.weight"
FLOATS = ("float32", "float64", "float16", "bfloat16")
# No factor is a power of two: a product that is rounded before it is added to would show.
PARAMETERS = {
    "bits": ((), {}),
    "uniform": ((-0.3, 0.6), {}),
    "normal": ((0.1, 0.02), {}),
    "truncated_normal": ((0.1, 0.7, -0.9, 1.3), {"bounds": "absolute"}),
    "truncated_normal_std": ((0.1, 0.7, -math.inf, 2.0), {}),
    "truncated_normal_far": ((0.1, 0.7, 6.0, math.inf), {}),
}
SAMPLERS = [(d, t) for d in PARAMETERS for t in (("uint32", "uint64") if d == "bits" else FLOATS)]

SLICES = [
    ((4099,), np.s_[1:]),
    ((4099,), np.s_[130:-130]),
    ((4099,), np.s_[::-1]),
    ((4099,), np.s_[5::37]),
    ((4099,), np.s_[4000:3:-7]),
    ((4099,), 4098),
    ((61, 67), np.s_[:, 3:40]),
    ((61, 67), np.s_[:, -1]),
    ((61, 67), np.s_[50:7:-3, ::-2]),
    ((61, 67), np.s_[60, 66]),
    ((61, 67), np.s_[7:7]),
    ((5, 37, 22), np.s_[1:4, ::-3, 5:20]),
    ((5, 37, 22), np.s_[-1, :, ::7]),
    ((5, 37, 22), np.s_[..., 21]),
    ((3, 5, 16, 17), np.s_[1:, 2, ::3, 4:]),
    ((3, 5, 16, 17), np.s_[:, 1:3, 3:14, 1:16]),
    ((3, 5, 16, 17), np.s_[2, 4, :, 16]),
]
LARGE_SLICES = [((997, 1051), np.s_[:, 17:900]), ((997, 1051), np.s_[::-2, ::3])]


def sample(distribution, dtype, shape=None, **options):
    """Draw from one of these distributions, with its parameters and the seed and name of all."""
    function = getattr(fanin, distribution.removesuffix("_std").removesuffix("_far"))
    arguments, keywords = PARAMETERS[distribution]
    return function(shape, *arguments, **keywords, seed=SEED, name=NAME, dtype=dtype, **options)
