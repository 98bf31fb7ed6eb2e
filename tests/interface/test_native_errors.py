"""The native functions of schemes refuse what cannot be, by name, value and what is allowed."""

import math

import numpy as np
import pytest
from native_schemes import Scheme


def sparse(shape=(4, 6), std=1.0, nonzeros=2, per_output=True, layout="OI", dtype="float32", **options):
    return Scheme("sparse", shape, std, nonzeros, per_output, layout).native(dtype, **options)


def dirac(shape=(4, 6), gain=1.0, groups=1, dtype="float32"):
    return Scheme("dirac", shape, gain, groups, "OI").native(dtype)


def broadcast(values=(1.0, 2.0), axis=0, shape=(2, 3), dtype="float32"):
    return Scheme("broadcast", shape, np.array(values), axis).native(dtype)


def sinusoid(shape=(4, 4), high=(0.1, 0.2), low=(0.0, 0.0), dtype="float32"):
    return Scheme("sinusoid", shape, np.array(high), np.array(low), True).native(dtype)


def step_bias(low=0.1, high=0.2, floor=0.0, dtype="float32"):
    return Scheme("step_bias", (3,), low, high, floor).native(dtype)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: sparse(nonzeros=-1),
            ValueError,
            "nonzeros must be between 0 and 6, the weights into an output, got -1",
        ),
        (lambda: sparse(nonzeros=7), ValueError, "nonzeros must be between 0 and 6, the weights into an output, got 7"),
        (lambda: sparse(nonzeros=5, per_output=False), ValueError, "between 0 and 4, the outputs, got 5"),
        (lambda: sparse(nonzeros=5, layout="IO"), ValueError, "between 0 and 4, the weights into an output, got 5"),
        (lambda: sparse(layout="OE"), ValueError, "layout must be .* a letter for each of the 2 axes.*; got .OE."),
        (lambda: sparse(layout="BI"), ValueError, "O output, at least once.*; got .BI."),
        (lambda: sparse(layout="OIB"), ValueError, "a letter for each of the 2 axes of shape.*; got .OIB."),
        (lambda: sparse(layout=True), TypeError, "layout must be a str, got True"),
        (lambda: sparse(nonzeros=1.5), TypeError, "nonzeros must be an integer, got 1.5"),
        (lambda: sparse(std=-1.0), ValueError, "std must be finite and not negative, got -1"),
        (lambda: sparse(std=math.nan), ValueError, "std must be finite and not negative, got nan"),
        (lambda: sparse(std=1e38), ValueError, "mean and std must satisfy .* largest float32"),
        (lambda: sparse(std=1e4, dtype="float16"), ValueError, "largest float16"),
        (lambda: sparse(std="1"), TypeError, "std must be a number"),
        (lambda: sparse(shape=(6,)), ValueError, "shape must have at least 2 dimensions, out and in, got 1"),
        (lambda: sparse(shape=(6, -1)), ValueError, "shape must have no negative axis"),
        (lambda: sparse(shape=(2, 2**40), index=np.s_[:, 0:1]), ValueError, "at most 2\\^32 weights into an output"),
        (lambda: sparse(key=(-1, "w")), ValueError, "seed must be"),
        (lambda: sparse(out=np.zeros((6, 4), "f4")), ValueError, "out must have shape"),
        (lambda: dirac(groups=0), ValueError, "groups must divide the 4 outputs of shape, got 0"),
        (lambda: dirac(groups=3), ValueError, "groups must divide the 4 outputs of shape, got 3"),
        (lambda: dirac(shape=(4,)), ValueError, "shape must have at least 2 dimensions, out and in, got 1"),
        (lambda: dirac(gain=math.inf), ValueError, "gain must be finite, got inf"),
        (lambda: dirac(gain=7e4, dtype="float16"), ValueError, "gain must not exceed the largest float16, 65504"),
        (lambda: broadcast(axis=2), ValueError, "axis must be one of the 2 axes of shape, got 2"),
        (lambda: broadcast(axis=-1), ValueError, "axis must be one of the 2 axes of shape, got -1"),
        (lambda: broadcast(axis=1), ValueError, "values must have 3 elements, as axis 1 of shape has, got 2"),
        (lambda: broadcast([1.0, math.nan]), ValueError, r"values\[1\] must be finite, got nan"),
        (lambda: broadcast([1e39, 1.0]), ValueError, r"values\[0\] must not exceed the largest float32"),
        (lambda: broadcast([[1.0, 2.0]]), ValueError, "values must have 1 dimension, got 2"),
        (lambda: sinusoid(shape=(4,)), ValueError, "shape must have 2 dimensions, positions and features, got 1"),
        (lambda: sinusoid(shape=(4, 5)), ValueError, "turns_high and turns_low must have 3 elements each"),
        (lambda: sinusoid(high=(0.1, math.nan)), ValueError, "turns_high must be finite.*got nan"),
        (lambda: sinusoid(high=(0.1, 1e15)), ValueError, "turns_high must be finite.*got 1e\\+15"),
        (lambda: sinusoid(low=(0.1, math.inf)), ValueError, "turns_low must be finite.*got inf"),
        (lambda: step_bias(low=0.0), ValueError, "low and high must satisfy 1e-300 <= low <= high <= .*got 0 and 0.2"),
        (lambda: step_bias(low=0.3), ValueError, "low and high must satisfy .*got 0.3 and 0.2"),
        (lambda: step_bias(low=math.nan), ValueError, "low and high must satisfy .*got nan"),
        (lambda: step_bias(high=math.inf), ValueError, "low and high must satisfy .*got 0.1 and inf"),
        (lambda: step_bias(high=1e5, dtype="float16"), ValueError, "<= 65504, got"),
        (lambda: step_bias(floor=-1.0), ValueError, "floor must be between 0 and .*got -1"),
        (lambda: step_bias(floor=math.inf), ValueError, "floor must be between 0 and .*got inf"),
        (lambda: dirac(dtype="uint32"), ValueError, "dtype must be float32, .*got uint32"),
    ],
)
def test_errors_name_the_argument_its_value_and_what_is_allowed(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_overlapping_memory_is_refused():
    out = np.lib.stride_tricks.as_strided(np.zeros(100, np.float32), (4, 6), (4, 4))
    for scheme in (
        Scheme("sparse", (4, 6), 1.0, 2, True, "OI"),
        Scheme("dirac", (4, 6), 1.0, 1, "OI"),
        Scheme("broadcast", (4, 6), np.zeros(4), 0),
        Scheme("sinusoid", (4, 6), np.zeros(3), np.zeros(3), True),
        Scheme("step_bias", (4, 6), 0.1, 0.2, 0.0),
    ):
        with pytest.raises(ValueError, match="overlap"):
            scheme.native(out=out)
