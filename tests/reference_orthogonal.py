"""Section 6 of docs/stream-v1.md in plain NumPy, bit for bit: orthogonal matrices and batches of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import reference
from reference import Array, fma32, fma64
from reference_axes import OUTPUTS, SPATIAL, Shape, axes, from_matrices, letters, sides

SEGMENT, CHAINS = 512, 32


def products(a: Array, b: Array) -> Array:
    """a·bᵀ of matrices of unit rows in float64, however BLAS adds up: rounding moves no entry by more than 128·2⁻⁵³.

    BLAS adds 128 products at a time, and those sums are added with what each addition loses. As roundings up and down
    cancel, an entry moves by about √128·2⁻⁵³ = 1.3e-15.
    """
    total = lost = np.zeros((len(a), len(b)))
    for begin in range(0, a.shape[1], 128):
        part = a[:, begin : begin + 128].astype(np.float64) @ b[:, begin : begin + 128].astype(np.float64).T
        both = total + part
        added = both - total
        lost = lost + ((total - (both - added)) + (part - added))
        total = both
    return total + lost


def normals(seed: int, name: str, i: Array, kind: Any) -> Array:
    """Elements of the name's reflector stream; those of one block of words are drawn together."""
    tag, places = (2, 4) if kind is np.float32 else (3, 2)
    place = i // np.uint64(32) % np.uint64(places)
    firsts, block = np.unique(i - np.uint64(32) * place, return_inverse=True)
    (w0, w1, w2, w3), _ = reference.words(seed, name, firsts, tag)
    if kind is np.float32:
        drawn = np.stack([*reference.normal_pair32(w0, w1), *reference.normal_pair32(w2, w3)])
    else:
        drawn = np.stack(reference.normal_pair64(reference.join(w0, w1), reference.join(w2, w3)))
    return drawn[place, block.reshape(i.shape)]


def in_segments(length: int, add: Callable[[slice, Array], Array], zero: Array) -> Array:
    """Add up segments, each as one ascending chain, then the segments in ascending order.

    As many chains run side by side as the cache holds. `add` is given the places that the chains have reached, one for
    each segment, and the chains that have such a place.
    """
    sums: list[Array] = []
    together = SEGMENT * max(1, 2**13 // max(1, zero.size))
    for begin in range(0, length, together):
        end = min(begin + together, length)
        chains = np.stack([zero] * -((begin - end) // SEGMENT))
        for c in range(begin, min(begin + SEGMENT, end)):
            at = slice(c, end, SEGMENT)
            reaching = len(range(c, end, SEGMENT))
            chains[:reaching] = add(at, chains[:reaching])
        sums.extend(chains)
    return sum(sums[1:], start=sums[0])


def sum_of_squares(v: Array) -> Array:
    """Add up the squares of every row in float64: 32 chains for each segment, which are added by halves."""
    total = np.zeros(len(v))
    v = np.pad(v.astype(np.float64), ((0, 0), (0, -v.shape[1] % SEGMENT)))
    for begin in range(0, v.shape[1], SEGMENT):
        chains = np.zeros((len(v), CHAINS))
        for c in range(begin, begin + SEGMENT, CHAINS):
            chains = fma64(v[:, c : c + CHAINS], v[:, c : c + CHAINS], chains)
        while chains.shape[1] > 1:
            half = chains.shape[1] // 2
            chains = chains[:, :half] + chains[:, half:]
        total = total + chains[:, 0]
    return total


def block_size(count: int, length: int, kind: Any) -> int:
    if length > 32768 and count <= 1024:
        return count
    b = 64
    while b > 8 and b * length * np.dtype(kind).itemsize > 16 * 2**20:
        b //= 2
    return b


class Block(NamedTuple):
    """Hold consecutive reflectors, and their products: row r has those of reflector r with all before it."""

    v: Array
    sign: Array
    half: Array
    gram: list[Array]


@cache
def block(seed: int, name: str, first: int, numbers: range, length: int, kind: Any) -> Block:
    fma = fma32 if kind is np.float32 else fma64
    k, rows = np.array(numbers), np.arange(len(numbers))
    index = np.uint64(first) + (k[:, None] * reference.line_pitch(length) + np.arange(length)).astype(np.uint64)
    drawn = np.concatenate([normals(seed, name, few, kind) for few in np.array_split(index, 1 + index.size // 2**15)])
    v = np.where(np.arange(length) >= k[:, None], drawn, kind(0))
    x = v[rows, k].astype(np.float64)
    v[rows, k] = 0
    rest = sum_of_squares(v)
    sign = np.where(x < 0, -1.0, 1.0)
    head = (x + sign * np.sqrt(fma64(x, x, rest))).astype(kind)
    half = (0.5 * fma64(head.astype(np.float64), head.astype(np.float64), rest)).astype(kind)
    last = k == length - 1
    head, half = np.where(last, sign, head).astype(kind), np.where(last, 0.5, half).astype(kind)
    v[rows, k] = head
    r, before = np.tril_indices(len(rows), -1)
    gram = in_segments(length, lambda at, a: fma(v.T[at][:, r], v.T[at][:, before], a), np.zeros(len(r), kind))
    return Block(v, sign, half, np.split(gram, np.cumsum(rows)[:-1]))


@cache
def vectors(
    seed: int, name: str, first: int, count: int, length: int, wanted: tuple[int, ...], kind: Any = np.float32
) -> Array:
    """Return the wanted ones of `count` orthonormal vectors, as rows."""
    fma = fma32 if kind is np.float32 else fma64
    b = block_size(count, length, kind)
    q = np.zeros((len(wanted), length), kind)
    number = np.array(wanted)
    for start in reversed(range(0, int(number.max()) + 1, b)):
        numbers = range(start, min(start + b, count))
        v, sign, half, gram = block(seed, name, first, numbers, length, kind)
        ours = np.flatnonzero((number >= start) & (number < start + b))
        q[ours, number[ours]] = -sign[number[ours] - start]
        alive = np.flatnonzero(number >= start)
        p = q[alive]
        w = in_segments(
            length,
            lambda at, a, v=v, p=p: fma(v.T[at][:, None, :], p.T[at][:, :, None], a),
            np.zeros((len(p), len(v)), kind),
        )
        y = np.zeros_like(w)
        for r in reversed(range(len(v))):
            y[:, r] = -(w[:, r] / half[r])
            w[:, :r] = fma(gram[r], y[:, r, None], w[:, :r])
        for r in range(len(v)):
            p[:, start:] = fma(v[None, r, start:], y[:, r, None], p[:, start:])
        q[alive] = p
    return q


def orthogonal(
    seed: int,
    name: str,
    outs: int,
    ins: int,
    gain: float = 1.0,
    dtype: str = "float32",
    *,
    first: int = 0,
    wanted: Sequence[int] | None = None,
) -> Array:
    """Return the matrix (outs, ins), or the wanted ones of its orthonormal vectors."""
    kind = reference.compute_type(dtype)
    count, length = min(outs, ins), max(outs, ins)
    if count == 0:
        return reference.to_dtype(np.zeros((outs, ins), kind), dtype)
    q = vectors(seed, name, first, count, length, tuple(range(count) if wanted is None else wanted), kind)
    return reference.to_dtype(kind(gain) * (q if outs <= ins else q.T), dtype)


def elements(seed: int, name: str, i: Array, outs: float, ins: float, gain: float, dtype: str) -> Array:
    """Return elements of the matrix (outs, ins) by their flat indices, from the vectors that they lie in."""
    row, column = np.divmod(i.astype(np.int64), int(ins))
    number, coordinate = (row, column) if outs <= ins else (column, row)
    wanted, at = np.unique(number, return_inverse=True)
    q = orthogonal(seed, name, int(outs), int(ins), gain, dtype, wanted=wanted.tolist())
    return (q if outs <= ins else q.T)[at, coordinate]


# ---- weights of several matrices -------------------------------------------------------------------------------------


def batch(
    seed: int,
    name: str,
    shape: Shape,
    layout: str,
    gain: float = 1.0,
    blocks: Sequence[int] = (),
    dtype: str = "float32",
) -> Array:
    """A weight of any layout: a matrix for every batch index and every block of its first axis of outputs."""
    number, outs, ins = sides(layout, shape)
    each = outs // shape[axes(layout, shape, OUTPUTS)[0]] if outs else 1
    matrices, first = [], 0
    for size in [size * each for size in blocks or [outs // each]] * number:
        matrices.append(orthogonal(seed, name, size, ins, gain, dtype, first=first))
        first += min(size, ins) * reference.line_pitch(max(size, ins))
    return from_matrices(np.concatenate(matrices), layout, shape)


def delta(seed: int, name: str, shape: Shape, layout: str, gain: float = 1.0, dtype: str = "float32") -> Array:
    """The matrices (outs, ins) at the centre of the spatial axes, zeros elsewhere."""
    at: list[Any] = [slice(None)] * len(shape)
    for axis in axes(layout, shape, SPATIAL):
        at[axis] = (shape[axis] - 1) // 2
    plane = tuple(size for size, place in zip(shape, at, strict=True) if isinstance(place, slice))
    inner = "".join(letter for letter in letters(layout, len(shape)) if letter not in SPATIAL)
    matrices = batch(seed, name, plane, inner, gain, (), dtype)
    weight = np.zeros(shape, matrices.dtype)
    weight[tuple(at)] = matrices
    return weight


def haar(seed: int, name: str, shape: Shape, gain: float = 1.0, special: bool = False, dtype: str = "float32") -> Array:
    """Square matrices on the last two axes; the last row of a special one is negated where the determinant was -1."""
    n, kind = shape[-1], reference.compute_type(dtype)
    matrices = []
    for first in range(0, math.prod(shape[:-2]) * n * reference.line_pitch(n), n * reference.line_pitch(n)):
        matrix = orthogonal(seed, name, n, n, gain, dtype, first=first)
        starts = range(0, n, block_size(n, n, kind))
        parts = [block(seed, name, first, range(b, min(b + starts.step, n)), n, kind) for b in starts]
        if special and math.prod(np.concatenate([part.sign for part in parts]).tolist()) < 0:
            matrix[-1] = -matrix[-1]
        matrices.append(matrix)
    return np.stack(matrices).reshape(shape)
