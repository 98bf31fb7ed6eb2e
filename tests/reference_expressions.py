"""Sections 15 to 18 of docs/stream-v1.md in plain NumPy, bit for bit: expressions, laws that are some, permutations.

An expression is a line of steps in reverse Polish notation, as in tests/golden/expressions.txt: `uniform:1:16;log`. A
source is followed by its numbers; `#1` says that it is of the stream of that number, `%1.0` that it varies along axes
1 and 0, in that order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import reference
import reference_schemes
from reference import F64, Array, fma64
from reference_axes import Shape

# ---- 15. elementary functions ----------------------------------------------------------------------------------------


def quietly(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*arguments)

    return called


@quietly
def exp(y: F64) -> F64:
    r, k = reference_schemes.power(np.clip(y, -746.0, 710.0))
    half = np.rint(0.5 * np.nan_to_num(k)).astype(np.int64)
    rest = np.nan_to_num(k).astype(np.int64) - half
    return np.where(
        np.isnan(y), np.nan, reference.polynomial64("exp_f64", r) * np.ldexp(1.0, half) * np.ldexp(1.0, rest)
    )


@quietly
def expm1(y: F64) -> F64:
    near = -reference_schemes.one_minus_exp(np.where(np.isnan(y), 0.0, np.minimum(y, 40.0)))
    return np.where(y == 0, y, np.where(y > 40, exp(y), np.where(np.isnan(y), y, near)))


def with_limits(x: F64, logarithm: F64) -> F64:
    return np.where(x > 0, np.where(x < np.inf, logarithm, x), np.where(x == 0, -np.inf, np.nan))


def positive(x: F64) -> F64:
    """1 where there is no logarithm."""
    return np.where((x > 0) & (x < np.inf), x, 1.0)


def of_parts(t: F64, e: F64) -> F64:
    return -0.5 * fma64(t, reference.polynomial64("log_f64", t), e * reference.TWO_LN2)


@quietly
def log(x: F64) -> F64:
    inside = positive(x)
    small = inside < 2.0**-1022
    inside = np.where(small, inside * 2.0**54, inside)
    e = reference.exponent(inside)
    return with_limits(x, of_parts(np.ldexp(inside, -e) - 1, e - 54 * small))


@quietly
def log1p(x: F64) -> F64:
    s, c = reference.two_sum(np.float64(1), x)
    e = reference.exponent(positive(s))
    t = (np.ldexp(positive(s), -e) - 1) + np.ldexp(np.where(np.isfinite(c), c, 0.0), -e)
    return np.where(x == 0, x, with_limits(s, of_parts(t, e)))


# ---- 16. expressions -------------------------------------------------------------------------------------------------


def power(x: F64, n: int) -> F64:
    p = x
    for digit in f"{abs(n):b}"[1:]:
        p = p * p
        p = p * x if digit == "1" else p
    return p if n > 0 else 1 / p


OPERATIONS: dict[str, tuple[int, Callable[..., F64]]] = {
    "add": (2, lambda x, y: x + y),
    "subtract": (2, lambda x, y: x - y),
    "multiply": (2, lambda x, y: x * y),
    "divide": (2, lambda x, y: x / y),
    "fma": (3, fma64),
    "sqrt": (1, np.sqrt),
    "negate": (1, np.negative),
    "abs": (1, np.abs),
    "minimum": (2, lambda x, y: np.where((y < x) | np.isnan(y), y, x)),
    "maximum": (2, lambda x, y: np.where((x < y) | np.isnan(y), y, x)),
    "exp": (1, exp),
    "log": (1, log),
    "expm1": (1, expm1),
    "log1p": (1, log1p),
    "less": (2, lambda x, y: (x < y).astype(np.float64)),
    "where": (3, lambda x, y, z: np.where(x != 0, y, z)),
}


class Token(NamedTuple):
    """A step, as a line spells it."""

    name: str
    numbers: list[float]
    suffix: str  # of the stream's name
    along: list[int] | None


def tokens(line: str) -> list[Token]:
    found = []
    for text in line.split(";"):
        match = re.fullmatch(r"(\w+)((?::[^:#%]+)*)(#\d+)?(?:%([\d.]+))?", text)
        assert match is not None, text
        name, numbers, suffix, along = match.groups()
        axes = None if along is None else [int(axis) for axis in along.split(".")]
        found.append(Token(name, [float(number) for number in numbers.split(":")[1:]], suffix or "", axes))
    return found


def steps(line: str, name: str) -> tuple[Any, ...]:
    """The steps as fanin._core takes them."""
    result: list[Any] = []
    stack: list[int] = []
    for token in tokens(line):
        count = OPERATIONS[token.name][0] if token.name in OPERATIONS else 0
        operands = tuple(stack[len(stack) - count :])
        stack = [*stack[: len(stack) - count], len(result)]
        along = None if token.along is None else tuple(token.along)
        result.append((token.name, operands, tuple(token.numbers), name + token.suffix, along))
    return tuple(result)


def own_index(index: Array, shape: Shape, along: list[int] | None) -> Array:
    """The index of elements in the numbering of a source."""
    if along is None:
        return index
    at = reference_schemes.coordinates(index, shape)
    result = np.zeros(index.shape, np.uint64)
    for axis in along:
        result = result * np.uint64(shape[axis]) + at[axis].astype(np.uint64)
    return result


# ---- 16. draws, and 17. the laws that are expressions ----------------------------------------------------------------


def draw(law: str, numbers: list[float], seed: int, stream: str, i: Array, dtype: str) -> F64:
    kind = "float64" if dtype == "float64" else "float32"

    def affine(standard: Callable[..., Array], factor: float, offset: float) -> F64:
        return fma64(standard(seed, stream, i, dtype=kind).astype(np.float64), factor, offset)

    match law, numbers:
        case "uniform", [low, high]:
            value = affine(reference.uniform, high - low, low)
        case "normal", [mean, std]:
            value = affine(reference.normal, std, mean)
        case "log_normal", [mean, std]:
            value = exp(affine(reference.normal, std, mean))
        case "truncated_normal", [*four, in_std]:
            bounds = "std" if in_std else "absolute"
            value = reference.truncated_normal(seed, stream, i, *four, bounds, dtype=kind).astype(np.float64)
        case "bernoulli", [p]:
            value = (reference.bits32(seed, stream, i) < np.uint64(round(p * 2**32))).astype(np.float64)
        case "exponential", [rate]:
            if dtype == "float64":
                u = reference.uniform(seed, stream, i, dtype=kind)
            else:
                u = (reference.bits32(seed, stream, i) + 0.5) * 2.0**-32
            value = log(u) / -rate
        case "integers", [low, high]:
            n = int(high) - int(low)
            words = reference.bits64(seed, stream, i)
            value = np.array([int(low) + (int(w) * n >> 64) for w in words], np.float64)
        case _:
            raise ValueError(f"unknown law {law}")
    return value


@quietly
def expression(line: str, shape: Shape, seed: int, name: str, index: Array, dtype: str) -> F64:
    stack: list[F64] = []
    for token in tokens(line):
        if token.name in OPERATIONS:
            count, function = OPERATIONS[token.name]
            operands, stack = stack[len(stack) - count :], stack[: len(stack) - count]
            stack.append(function(*operands))
            continue
        i = own_index(index, shape, token.along)
        if token.name == "constant":
            stack.append(np.full(index.shape, token.numbers[0]))
        elif token.name == "position":
            stack.append(i.astype(np.float64))
        else:
            stack.append(draw(token.name, token.numbers, seed, name + token.suffix, i, dtype))
    (result,) = stack
    return np.where(np.isnan(result), np.nan, result)


# ---- 18. permutation -------------------------------------------------------------------------------------------------


def permutation(seed: int, name: str, index: Array, shape: Shape) -> F64:
    length = shape[-1]
    result = np.zeros(index.shape)
    for line in np.unique(index // np.uint64(length)):
        first = int(line) * reference.line_pitch(length) % 2**64
        w, word = reference.words(seed, name, np.arange(length, dtype=np.uint64) + np.uint64(first), 4)
        order = np.argsort(np.choose(word.astype(np.intp), w), kind="stable")
        mine = index // np.uint64(length) == line
        result[mine] = order[(index[mine] % np.uint64(length)).astype(np.intp)]
    return result


# ---- as lines of tests/golden/expressions.txt ------------------------------------------------------------------------


def parse(parameter: str) -> tuple[str, Shape, list[Any]]:
    """The native function, the shape and its own arguments."""
    name, sizes, *line = parameter.split(",")
    return name, tuple(int(size) for size in sizes.split("x")), line


@quietly
def elements(seed: int, name: str, index: Array, parameter: str, dtype: str) -> Array:
    function, shape, line = parse(parameter)
    if function == "permutation":
        values = permutation(seed, name, index, shape)
    else:
        values = expression(line[0], shape, seed, name, index, dtype)
    return reference_schemes.rounded(values, dtype)
