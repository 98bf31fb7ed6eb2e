"""Schemes with their parameters, and how the reference draws what each of them has to draw."""

import numpy as np
import reference
import reference_orthogonal
from samplers import NAME, SEED

from fanin import schemes

OI = {"layout": "OI"}


def normal(std, name=NAME, mean="0x0p+0"):
    return lambda index, shape, dtype: reference.normal(
        SEED, name, index, *map(float.fromhex, (mean, std)), dtype=dtype
    )


def uniform(low, high):
    return lambda index, shape, dtype: reference.uniform(
        SEED, NAME, index, *map(float.fromhex, (low, high)), dtype=dtype
    )


def symmetric(bound):
    return uniform(f"-{bound}", bound)


def truncated(std, low="-0x1p+1", high="0x1p+1", bounds="std"):
    numbers = [0.0, *map(float.fromhex, (std, low, high))]
    return lambda index, shape, dtype: reference.truncated_normal(SEED, NAME, index, *numbers, bounds, dtype=dtype)


def orthogonal(gain, name=NAME):
    return lambda index, shape, dtype: reference_orthogonal.elements(
        SEED, name, index, *map(float, shape), gain, dtype=dtype
    )


def zeros(index, shape, dtype):
    return reference.to_dtype(np.zeros(index.shape, reference.compute_type(dtype)), dtype)


# name: (scheme, shape, what the reference draws of it, or for pieces along axis 0: their sizes, and whether each has a
# tensor of its own or its place in the whole)
GOLDEN = {
    "uniform": (schemes.uniform(-0.3, 0.7), (24, 10), uniform("-0x1.3333333333333p-2", "0x1.6666666666666p-1")),
    "normal": (schemes.normal(0.1, 0.02), (24, 10), normal("0x1.47ae147ae147bp-6", mean="0x1.999999999999ap-4")),
    "truncated_normal": (
        schemes.truncated_normal(0.0, 0.02, -0.03, 0.05, bounds="absolute"),
        (24, 10),
        truncated("0x1.47ae147ae147bp-6", "-0x1.eb851eb851eb8p-6", "0x1.999999999999ap-5", "absolute"),
    ),
    "variance_scaling": (
        schemes.variance_scaling(3.0, "fan_geo_avg", "normal", **OI),
        (24, 10),
        normal("0x1.c29e016cb4eecp-2"),
    ),
    "xavier_uniform": (schemes.xavier_uniform(**OI), (24, 10), symmetric("0x1.ae2a81b75e576p-2")),
    "he_normal": (schemes.he_normal(**OI), (24, 10), normal("0x1.c9f25c5bfedd9p-2")),
    "he_normal, backwards": (
        schemes.he_normal(mode="fan_out", activation="gelu", **OI),
        (24, 10),
        normal("0x1.35965049e899ep-2"),
    ),
    "lecun_normal, truncated": (schemes.lecun_normal(truncate=2.0, **OI), (24, 10), truncated("0x1.70217733035c2p-2")),
    "xavier_normal, blocks": (
        schemes.xavier_normal(blocks=(16, 8), **OI),
        (24, 10),
        [(16, normal("0x1.1c01aa03be896p-2"), False), (8, normal("0x1.5555555555555p-2"), False)],
    ),
    "orthogonal": (schemes.orthogonal(1.5, **OI), (24, 10), orthogonal(1.5)),
    "siren, first": (schemes.siren(first=True, **OI), (24, 10), symmetric("0x1.999999999999ap-4")),
    "siren": (schemes.siren(**OI), (24, 10), symmetric("0x1.a70876aee57c4p-6")),
    "embedding": (
        schemes.embedding(padding=1),
        (24, 10),
        [(1, normal("0x1.47ae147ae147bp-6"), False), (1, zeros, False), (22, normal("0x1.47ae147ae147bp-6"), False)],
    ),
    "concatenate": (
        schemes.concatenate([schemes.normal(std=0.02), schemes.orthogonal(**OI)], sizes=(14, 10)),
        (24, 10),
        [(14, normal("0x1.47ae147ae147bp-6", f"{NAME}[0]"), True), (10, orthogonal(1.0, f"{NAME}[1]"), True)],
    ),
    "scaled_residual": (schemes.scaled_residual(layers=12), (24, 10), normal("0x1.0b8cb28fd8cf5p-8")),
    "torchtitan_residual": (
        schemes.torchtitan_residual(layer=2),
        (24, 10),
        truncated("0x1.0b8cb28fd8cf5p-7", "-0x1p+1", "0x1p+1", "absolute"),
    ),
    "deepnorm": (schemes.deepnorm(6, 6, **OI), (24, 10), normal("0x1.edb8d4963948ap-4")),
    "fixup": (schemes.fixup(blocks=8, depth=3, **OI), (24, 10), normal("0x1.5f889985a339bp-3")),
    "t_fixup": (schemes.t_fixup(layers=6, **OI), (24, 10), symmetric("0x1.704d1a10a5b1dp-3")),
    "t_fixup_embedding": (schemes.t_fixup_embedding(layers=6), (24, 10), normal("0x1.ddd1207ac05a5p-4")),
    "mup": (schemes.mup(schemes.normal(std=0.02), (12, 5)), (24, 10), normal("0x1.cf68d4fff04dcp-7")),
}
