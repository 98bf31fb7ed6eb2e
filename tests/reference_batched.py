"""Lines of tests/golden/batched.txt: weights with a letter for every axis, and matrices of determinant 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import reference_orthogonal
import reference_schemes
from reference import Array
from reference_axes import Shape


def parse(parameter: str) -> tuple[str, Shape, list[Any]]:
    """The scheme, its shape and the arguments of the native function."""
    scheme, sizes, layout, *fields = parameter.split(",")
    shape = tuple(int(size) for size in sizes.split("x"))
    if scheme == "haar":
        return scheme, shape, [float(fields[0]), layout == "special"]
    if scheme == "orthogonal":
        return scheme, shape, [float(fields[0]), layout, tuple(int(size) for size in fields[1].split(";") if size)]
    return scheme, shape, [float(fields[0]), *map(int, fields[1:]), layout]


def elements(seed: int, name: str, index: Array, parameter: str, dtype: str) -> Array:
    scheme, shape, arguments = parse(parameter)
    if scheme == "sparse":
        return reference_schemes.sparse(seed, name, index, shape, *arguments, dtype)
    if scheme == "dirac":
        return reference_schemes.dirac(index, shape, *arguments, dtype)
    if scheme == "haar":
        whole = reference_orthogonal.haar(seed, name, shape, *arguments, dtype)
    elif scheme == "orthogonal":
        gain, layout, blocks = arguments
        whole = reference_orthogonal.batch(seed, name, shape, layout, gain, blocks, dtype)
    else:
        gain, layout = arguments
        whole = reference_orthogonal.delta(seed, name, shape, layout, gain, dtype)
    return np.asarray(whole.reshape(-1)[index.astype(np.int64)])
