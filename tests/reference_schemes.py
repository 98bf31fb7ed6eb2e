"""Sections 9 to 13 of docs/stream-v1.md in plain NumPy, bit for bit: sparse, Dirac, broadcast, sinusoid, step bias."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import reference
from reference import F64, Array, fma64
from reference_axes import BATCH, INPUTS, OUTPUTS, SPATIAL, Shape, axes, flattened


def rounded(value: F64, dtype: str) -> Array:
    """Round float64 to the dtype, by way of float32 if the dtype is shorter than that."""
    return reference.to_dtype(np.asarray(value, reference.compute_type(dtype)), dtype)


def coordinates(index: Array, shape: Shape) -> list[Array]:
    """Return the coordinates of elements by their flat indices."""
    return list(np.unravel_index(index.astype(np.int64), shape))


# ---- 9. sparse -------------------------------------------------------------------------------------------------------


@cache
def chosen(seed: int, name: str, line: int, length: int, nonzeros: int) -> Array:
    """Tell for each entry of a line whether it is chosen: whether it is among the first in the order of the words."""
    pitch = reference.line_pitch(length)
    w, word = reference.words(seed, name, np.arange(length, dtype=np.uint64) + np.uint64(line * pitch % 2**64), 4)
    order = np.argsort(np.choose(word.astype(np.intp), w), kind="stable")
    mask = np.zeros(length, bool)
    mask[order[:nonzeros]] = True
    return mask


def sparse(
    seed: int,
    name: str,
    index: Array,
    shape: Shape,
    std: float,
    nonzeros: int,
    per_output: bool,
    layout: str,
    dtype: str,
) -> Array:
    at = coordinates(index, shape)
    out, outs = flattened(at, layout, shape, OUTPUTS)
    rest, ins = flattened(at, layout, shape, INPUTS + SPATIAL)
    matrix, _ = flattened(at, layout, shape, BATCH)
    line, position, lines, length = (out, rest, outs, ins) if per_output else (rest, out, ins, outs)
    line = matrix * lines + line
    mask = np.zeros(line.shape, bool)
    for number in np.unique(line):
        mine = line == number
        mask[mine] = chosen(seed, name, int(number), length, nonzeros)[position[mine]]
    values = reference.normal(seed, name, index, 0.0, std, dtype)
    return np.where(mask, values, np.zeros((), values.dtype))


# ---- 10. Dirac and 11. broadcast -------------------------------------------------------------------------------------


def dirac(index: Array, shape: Shape, gain: float, groups: int, layout: str, dtype: str) -> Array:
    at = coordinates(index, shape)
    out, outs = flattened(at, layout, shape, OUTPUTS)
    here = flattened(at, layout, shape, INPUTS)[0] == out % (outs // groups)
    for axis in axes(layout, shape, SPATIAL):
        here &= at[axis] == (shape[axis] - 1) // 2
    return rounded(np.where(here, gain, 0.0), dtype)


def broadcast(index: Array, shape: Shape, values: Sequence[float], axis: int, dtype: str) -> Array:
    return rounded(np.array(values)[coordinates(index, shape)[axis]], dtype)


# ---- 12. sinusoid ----------------------------------------------------------------------------------------------------


def sinusoid_values(position: F64, high: F64, low: F64, cosine: Array) -> F64:
    """sin or cos of 2π·position·(high + low)."""
    turns = position * high
    error = fma64(position, high, -turns)
    phase, rest = turns - np.rint(turns), error + position * low
    n = np.rint(4 * (phase + rest))
    x = ((phase - n * 0.25) + rest) * float.fromhex("0x1.921fb54442d18p+2")
    z = x * x
    s, c = fma64(x * z, reference.polynomial64("sin_f64", z), x), reference.polynomial64("cos_f64", z)
    turn = (n.astype(np.int64) + cosine) % 4
    return np.choose(turn, [s, c, -s, -c])


def sinusoid(
    index: Array, shape: Shape, turns_high: Sequence[float], turns_low: Sequence[float], interleaved: bool, dtype: str
) -> Array:
    position, feature = coordinates(index, shape)
    half = (shape[1] + 1) // 2
    cosine = feature % 2 == 1 if interleaved else feature >= half
    frequency = feature // 2 if interleaved else np.where(cosine, feature - half, feature)
    high, low = np.array(turns_high)[frequency], np.array(turns_low)[frequency]
    return rounded(sinusoid_values(position.astype(np.float64), high, low, cosine), dtype)


# ---- 13. step bias ---------------------------------------------------------------------------------------------------


def ln(x: F64) -> F64:
    return -0.5 * reference.minus_two_ln(np.asarray(x, np.float64))


def power(y: F64) -> tuple[F64, F64]:
    """Return r and an integer k such that y = r + k·ln 2."""
    k = np.rint(y * float.fromhex("0x1.71547652b82fep+0"))
    r = fma64(-k, float.fromhex("0x1.62e42fefa38p-1"), y)
    return fma64(-k, float.fromhex("0x1.ef35793c7673p-45"), r), k


def exp(y: F64) -> F64:
    r, k = power(y)
    return reference.polynomial64("exp_f64", r) * np.ldexp(1.0, k.astype(np.int64))


def one_minus_exp(y: F64) -> F64:
    r, k = power(np.maximum(y, -100.0))
    s = np.ldexp(1.0, k.astype(np.int64))
    *rest, e = reference.tables()["exp_f64"][1:]
    for c in reversed(rest):
        e = fma64(e, r, c)
    return fma64(-s, r * e, 1 - s)


def inverse_softplus(step: F64) -> F64:
    return step + ln(one_minus_exp(-step))


def step_bias_values(u: F64, low: float, high: float, floor: float) -> F64:
    a = ln(low)
    return inverse_softplus(np.maximum(exp(fma64(u, ln(high) - a, a)), floor))


def step_bias(seed: int, name: str, index: Array, low: float, high: float, floor: float, dtype: str) -> Array:
    kind = "float64" if dtype == "float64" else "float32"
    u = reference.uniform(seed, name, index, dtype=kind).astype(np.float64)
    return rounded(step_bias_values(u, low, high, floor), dtype)


# ---- as lines of tests/golden/schemes.txt ----------------------------------------------------------------------------


def parse(parameter: str) -> tuple[str, Shape, list[Any]]:
    """The scheme, its shape and its arguments, in the order of the functions above."""
    scheme, sizes, *fields = parameter.split(",")
    shape = tuple(int(size) for size in sizes.split("x"))
    numbers = [[float.fromhex(text) if "0x" in text else float(text) for text in field.split(";")] for field in fields]
    single = [values[0] for values in numbers]
    arguments: dict[str, list[Any]] = {
        "sparse": [single[0], *map(int, single[1:-1]), "OI" if single[-1] else "IO"],
        "dirac": [single[0], *map(int, single[1:-1]), "OI" if single[-1] else "IO"],
        "broadcast": [numbers[0], int(single[-1])],
        "sinusoid": [*numbers[:2], int(single[-1])],
        "step_bias": single,
    }
    return scheme, shape, arguments[scheme]


def elements(seed: int, name: str, index: Array, parameter: str, dtype: str) -> Array:
    scheme, shape, arguments = parse(parameter)
    if scheme == "sparse":
        return sparse(seed, name, index, shape, *arguments, dtype)
    if scheme == "step_bias":
        return step_bias(seed, name, index, *arguments, dtype)
    functions: dict[str, Callable[..., Array]] = {"dirac": dirac, "broadcast": broadcast, "sinusoid": sinusoid}
    return functions[scheme](index, shape, *arguments, dtype)
