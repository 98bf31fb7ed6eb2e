"""Call the native functions of schemes, and the reference beside them."""

import math

import numpy as np
import reference
import reference_orthogonal
import reference_schemes
from mpmath import mp, mpf
from samplers import NAME, SEED

from fanin import _core

FLOATS = tuple(reference.DTYPES)


def code(dtype):
    return _core.Dtype[dtype]


def box_of(index, shape):
    """What the native functions take for an index of a slice or an int for every axis."""
    if index is None:
        return None
    axes = []
    for part, size in zip(index, shape, strict=True):
        if isinstance(part, slice):
            numbers = range(*part.indices(size))
            axes.append((numbers.start, numbers.step, len(numbers)))
        else:
            axes.append(part % size)
    return tuple(axes)


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


class Scheme:
    """A native function with its arguments, and its reference."""

    def __init__(self, name, shape, *arguments):
        self.name, self.shape, self.arguments = name, shape, arguments

    def __repr__(self):
        return f"{self.name}{self.arguments} of {self.shape}"

    def native(self, dtype="float32", index=None, out=None, key=(SEED, NAME)):
        key = () if self.name in ("dirac", "broadcast", "sinusoid") else key
        function = getattr(_core, self.name)
        return function(*self.arguments, *key, code(dtype), self.shape, box_of(index, self.shape), out)

    def reference(self, dtype="float32"):
        index = np.arange(math.prod(self.shape), dtype=np.uint64)
        if self.name == "sparse":
            values = reference_schemes.sparse(SEED, NAME, index, self.shape, *self.arguments, dtype)
        elif self.name == "orthogonal":
            gain, layout, blocks = self.arguments
            values = reference_orthogonal.batch(SEED, NAME, self.shape, layout, gain, blocks, dtype)
        elif self.name == "delta_orthogonal":
            gain, layout = self.arguments
            values = reference_orthogonal.delta(SEED, NAME, self.shape, layout, gain, dtype)
        elif self.name == "haar":
            values = reference_orthogonal.haar(SEED, NAME, self.shape, *self.arguments, dtype)
        elif self.name == "step_bias":
            values = reference_schemes.step_bias(SEED, NAME, index, *self.arguments, dtype)
        else:
            values = getattr(reference_schemes, self.name)(index, self.shape, *self.arguments, dtype)
        return values.reshape(self.shape)


def turns(count, base=10000):
    """base^(-i/count)/2π as unevaluated sums."""
    with mp.workdps(60):
        exact = [mpf(base) ** (-mpf(i) / count) / (2 * mp.pi) for i in range(count)]
        high = [float(f) for f in exact]
        return np.array(high), np.array([float(f - mpf(h)) for f, h in zip(exact, high, strict=True)])
