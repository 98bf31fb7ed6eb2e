"""Stream v1 in plain NumPy, bit for bit, written from docs/stream-v1.md alone and reading its tables there.

Every public function takes the elements' flat global indices, so any part of a tensor of any size is as easy as any
other. It is a specification to run: clear before fast, some microseconds an element.
"""

from __future__ import annotations

import hashlib
import math
import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

# Arrays or NumPy scalars of the dtype that the name tells.
F32: TypeAlias = Any
F64: TypeAlias = Any
I64: TypeAlias = Any
U64: TypeAlias = Any
Array: TypeAlias = Any

DTYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(ml_dtypes.bfloat16),
}
PAGE = Path(__file__).parent.parent / "docs" / "stream-v1.md"
TWO_LN2 = -float.fromhex("0x1.62e42fefa39efp+0")


@cache
def tables() -> dict[str, list[float]]:
    """The polynomials of the page's section 7: name -> coefficients, lowest degree first."""
    block = re.search(r"^## 7\. Tables.*?^```text\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None, f"{PAGE} has no table block"
    named = re.findall(r"^(\w+)\n((?: .*\n)+)", block[1], re.MULTILINE)
    return {name: [float.fromhex(c) for c in coefficients.split()] for name, coefficients in named}


# ---- correctly rounded fma, which NumPy lacks ------------------------------------------------------------------------


def two_sum(a: F64, b: F64) -> tuple[F64, F64]:
    """RN(a + b) and its exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def two_product(a: F64, b: F64) -> tuple[F64, F64]:
    """RN(a·b) and its exact error (Dekker, with Veltkamp's splitting)."""
    p = a * b
    c, d = a * 134217729.0, b * 134217729.0
    ah, bh = c - (c - a), d - (d - b)
    al, bl = a - ah, b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def sum_to_odd(a: F64, b: F64) -> F64:
    """a + b rounded to odd: if inexact, the neighbour with an odd last bit, so that a second rounding is right."""
    s, error = two_sum(a, b)
    even = (np.asarray(s).view(np.int64) & 1) == 0
    return np.where((error != 0) & even, np.nextafter(s, np.copysign(np.inf, error)), s)


def fma32(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> F32:
    """float32 fma: the product is exact in float64, the sum is rounded to odd there and then once to float32."""
    a, b, c = (np.asarray(v, np.float32).astype(np.float64) for v in (a, b, c))
    return sum_to_odd(a * b, c).astype(np.float32)


def exact_fma(a: float, b: float, c: float) -> float:
    """float64 fma of finite numbers, in rational arithmetic."""
    value = Fraction(a) * Fraction(b) + Fraction(c)
    if value == 0:
        return a * b + c if c == 0 else 0.0
    sign = 1.0 if value > 0 else -1.0
    try:
        return sign * float(abs(value))
    except OverflowError:
        return sign * math.inf


def fma64(a: npt.ArrayLike, b: npt.ArrayLike, c: npt.ArrayLike) -> F64:
    """float64 fma by error-free transforms (Boldo and Melquiond 2008); in rational numbers where those could fail."""
    a, b, c = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (a, b, c)))
    with np.errstate(all="ignore"):
        high, low = two_product(a, b)
        t, t_error = two_sum(c, low)
        v, v_error = two_sum(high, t)
        result = np.array(v + sum_to_odd(t_error, v_error))
        safe = np.ones(result.shape, bool)
        for factor in (a, b):
            safe &= (abs(factor) > 2.0**-400) & (abs(factor) < 2.0**400)
        plain = (a == 0) | (b == 0) | ~np.isfinite(a) | ~np.isfinite(b)
        result[plain] = (a * b + c)[plain]
    for k in np.argwhere(~plain & ~(safe & (abs(c) < 2.0**900))):
        x, y, z = (float(operand[tuple(k)]) for operand in (a, b, c))
        result[tuple(k)] = exact_fma(x, y, z) if math.isfinite(z) else z
    return result


def polynomial32(name: str, x: F32) -> F32:
    *rest, y = tables()[name]
    for c in reversed(rest):
        y = fma32(y, x, c)
    return y


def polynomial64(name: str, x: F64) -> F64:
    *rest, y = tables()[name]
    for c in reversed(rest):
        y = fma64(y, x, c)
    return y


# ---- 1. words --------------------------------------------------------------------------------------------------------


def stream_id(name: str, tag: int) -> int:
    digest = hashlib.blake2b(bytes([tag]) + name.encode(), digest_size=8, person=b"fanin-v1").digest()
    return int.from_bytes(digest, "little")


def philox(counter: list[U64], key: tuple[int, int]) -> list[U64]:
    """Philox4x32-10 on counters given as four arrays of 32-bit words."""
    low32, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = (np.asarray(c, np.uint64) for c in counter)
    for round_number in range(10):
        k0, k1 = (np.uint64((k + round_number * w) % 2**32) for k, w in zip(key, (0x9E3779B9, 0xBB67AE85), strict=True))
        p0, p1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (p1 >> shift) ^ c1 ^ k0, p1 & low32, (p0 >> shift) ^ c3 ^ k1, p0 & low32
    return [c0, c1, c2, c3]


def words(seed: int, name: str, i: npt.ArrayLike, tag: int) -> tuple[list[U64], U64]:
    """The four words of each element's block, and the element's place among them (word or half)."""
    index: U64 = np.asarray(i, np.uint64)
    tile, places = (np.uint64(128), np.uint64(4)) if tag in (0, 2, 4) else (np.uint64(64), np.uint64(2))
    lanes = np.uint64(32)
    block, place = (index // tile) * lanes + index % lanes, (index // lanes) % places
    stream, low32 = stream_id(name, tag), np.uint64(0xFFFFFFFF)
    halves = [block & low32, block >> lanes, *(np.full_like(block, s) for s in (stream & 0xFFFFFFFF, stream >> 32))]
    return philox(halves, (seed & 0xFFFFFFFF, seed >> 32)), place


def line_pitch(length: int) -> int:
    return 1 << (length - 1).bit_length() if length <= 64 else -(-length // 128) * 128


def bits32(seed: int, name: str, i: npt.ArrayLike) -> U64:
    w, word = words(seed, name, i, 0)
    return np.choose(word.astype(np.intp), w)


def bits64(seed: int, name: str, i: npt.ArrayLike) -> U64:
    w, half = words(seed, name, i, 1)
    return np.where(half == 0, join(w[0], w[1]), join(w[2], w[3]))


def join(low: U64, high: U64) -> U64:
    return low | (high << np.uint64(32))


def bits(seed: int, name: str, i: npt.ArrayLike, dtype: str = "uint32") -> Array:
    return bits32(seed, name, i).astype(np.uint32) if dtype == "uint32" else bits64(seed, name, i)


# ---- 2. parameters ---------------------------------------------------------------------------------------------------


def compute_type(dtype: str) -> type[np.float32] | type[np.float64]:
    return np.float64 if dtype == "float64" else np.float32


def inward(low: float, high: float, dtype: str) -> tuple[float, float]:
    """The bounds rounded to a format, `low` upwards and `high` downwards."""
    with np.errstate(over="ignore"):
        a, b = (np.array(bound).astype(DTYPES[dtype]) for bound in (low, high))
    up, down = (np.array(infinity).astype(DTYPES[dtype]) for infinity in (np.inf, -np.inf))
    a = np.nextafter(a, up) if float(a) < low else a
    b = np.nextafter(b, down) if float(b) > high else b
    return float(a), float(b)


def compute_bounds(low: float, high: float, dtype: str) -> tuple[float, float]:
    """The bounds that decide what is drawn: within reach of the dtype, rounded inward to the compute type."""
    largest = float(ml_dtypes.finfo(DTYPES[dtype]).max)
    low = low if math.isinf(low) else max(low, -largest)
    high = high if math.isinf(high) else min(high, largest)
    return inward(low, high, np.dtype(compute_type(dtype)).name)


def limited(value: F32 | F64, least: float, most: float) -> F32 | F64:
    """Values limited to the bounds that are values of the dtype."""
    return np.where(value < least, least, np.where(value > most, most, value)).astype(value.dtype)


def to_dtype(value: F32 | F64, dtype: str) -> Array:
    """The compute type's value as the dtype; bfloat16 by integers, half an ulp added, ties to even."""
    if dtype != "bfloat16":
        return value.astype(DTYPES[dtype])
    pattern = value.view(np.uint32)
    rounded = (pattern + np.uint32(0x7FFF) + ((pattern >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return rounded.astype(np.uint16).view(ml_dtypes.bfloat16)


# ---- 3. uniform ------------------------------------------------------------------------------------------------------


def uniform(
    seed: int, name: str, i: npt.ArrayLike, low: float = 0.0, high: float = 1.0, dtype: str = "float32"
) -> Array:
    least, most = inward(low, high, dtype)
    low, high = compute_bounds(low, high, dtype)
    if dtype == "float64":
        u = (2 * (bits64(seed, name, i) >> np.uint64(12)) + np.uint64(1)).astype(np.float64) * 2.0**-53
        return limited(fma64(u, high - low, low), least, most)
    u32 = (2 * (bits32(seed, name, i) >> np.uint64(9)) + np.uint64(1)).astype(np.float32) * np.float32(2.0**-24)
    return to_dtype(limited(fma32(u32, np.float32(high - low), low), least, most), dtype)


# ---- 4. normal -------------------------------------------------------------------------------------------------------


def exponent(x: F32 | F64) -> I64:
    """The E that brings the positive normal x·2⁻ᴱ into [√½, √2)."""
    if x.dtype == np.float32:
        return (x.view(np.int32).astype(np.int64) - 0x3F3504F3) >> 23
    return (x.view(np.int64) - 0x3FE6A09E667F3BCD) >> 52


def radius32(w: U64) -> F32:
    high = (w >> np.uint64(8)).astype(np.float32)
    low = fma32((w & np.uint64(255)).astype(np.float32), 2.0**-8, 2.0**-9)
    e = exponent((high + low) * np.float32(2.0**-24))
    s = np.ldexp(np.float32(1), -24 - e)
    t = fma32(low, s, fma32(high, s, -1))
    ln2 = np.float32(float.fromhex("-0x1.62e43p-23"))
    return np.sqrt(fma32(t, polynomial32("log_f32", t), (e * 2**23).astype(np.float32) * ln2))


def direction32(w: U64) -> tuple[F32, F32, Array]:
    """cos, sin and whether to turn by half: of the word's direction."""
    y = (w << np.uint64(2)).astype(np.uint32).view(np.int32).astype(np.float32)
    x = fma32(y, float.fromhex("0x1.921fb6p-32"), float.fromhex("0x1.921fb6p-31"))
    z = x * x
    sine, cosine = fma32(x * z, polynomial32("sin_f32", z), x), polynomial32("cos_f32", z)
    swap = (w >> np.uint64(30)) & np.uint64(1) == 1
    return np.where(swap, sine, cosine), np.where(swap, cosine, sine), w >> np.uint64(31) == 1


def radius64(w: U64) -> F64:
    u = (2 * (w >> np.uint64(12)) + np.uint64(1)).astype(np.float64) * 2.0**-53
    return np.sqrt(minus_two_ln(u))


def direction64(w: U64) -> tuple[F64, F64, Array]:
    offset = (w << np.uint64(2)).view(np.int64) >> 12
    x = (2 * offset + 1).astype(np.float64) * 2.0**-53 * float.fromhex("0x1.921fb54442d18p+0")
    z = x * x
    sine, cosine = fma64(x * z, polynomial64("sin_f64", z), x), polynomial64("cos_f64", z)
    swap = (w >> np.uint64(62)) & np.uint64(1) == 1
    return np.where(swap, sine, cosine), np.where(swap, cosine, sine), w >> np.uint64(63) == 1


def normal_pair32(w_radius: U64, w_direction: U64) -> tuple[F32, F32]:
    r, (c, s, turn) = radius32(w_radius), direction32(w_direction)
    r = np.where(turn, -r, r)
    return r * c, r * s


def normal_pair64(w_radius: U64, w_direction: U64) -> tuple[F64, F64]:
    r, (c, s, turn) = radius64(w_radius), direction64(w_direction)
    r = np.where(turn, -r, r)
    return r * c, r * s


def normal(
    seed: int, name: str, i: npt.ArrayLike, mean: float = 0.0, std: float = 1.0, dtype: str = "float32"
) -> Array:
    if dtype == "float64":
        w, half = words(seed, name, i, 1)
        x, y = normal_pair64(join(w[0], w[1]), join(w[2], w[3]))
        return fma64(np.where(half == 0, x, y), std, mean)
    w, word = words(seed, name, i, 0)
    later = word >= 2
    x32, y32 = normal_pair32(np.where(later, w[2], w[0]), np.where(later, w[3], w[1]))
    return to_dtype(fma32(np.where(word % 2 == 0, x32, y32), np.float32(std), np.float32(mean)), dtype)


# ---- 5. truncated normal ---------------------------------------------------------------------------------------------


def minus_two_ln(x: F64) -> F64:
    e = exponent(x)
    t = np.ldexp(x, -e) - 1
    return fma64(t, polynomial64("log_f64", t), e * TWO_LN2)


def mills(x: F64) -> F64:
    return polynomial64("mills_f64", (x - 5) / (x + 5)) / (1 + x)


def exp(y: F64) -> F64:
    if y < -708:
        return np.float64(0)
    k = np.rint(y * float.fromhex("0x1.71547652b82fep+0"))
    r = fma64(-k, float.fromhex("0x1.62e42fefa38p-1"), y)
    r = fma64(-k, float.fromhex("0x1.ef35793c7673p-45"), r)
    return np.ldexp(polynomial64("exp_f64", r), int(k))


def upper_tail(x: F64) -> F64:
    """Q(x), the standard normal's mass above x."""
    if x < 0:
        return 1 - upper_tail(-x)
    if x >= 37.5:
        return np.float64(0)
    h = x * x
    e = exp(-0.5 * h)
    e = fma64(-0.5 * fma64(x, x, -h), e, e)
    return e * float.fromhex("0x1.9884533d43651p-2") * mills(x)


def quantile_factor(w: F64) -> F64:
    """G(W) = x/(p − q) for W = −2 ln(4pq)."""
    root = np.sqrt(np.maximum(w, 0))  # rounding may leave W just below 0
    central, tail = polynomial64("quantile_central_f64", w - 5.5), polynomial64("quantile_tail_f64", root - 4.5)
    outer = np.where(root <= 5.75, tail, polynomial64("quantile_far_f64", root - 8))
    return np.where(w <= 11, central, outer)


def probabilities(alpha: F64, beta: F64) -> tuple[F64, F64, F64]:
    """Below, above and within a window that reaches within 5 of the mean."""
    lower, upper = upper_tail(-alpha), upper_tail(beta)
    if alpha >= 0:
        return lower, upper, upper_tail(alpha) - upper
    if beta <= 0:
        return lower, upper, upper_tail(-beta) - lower
    return lower, upper, (1 - lower) - upper


def truncated_around(w: U64, alpha: F64, beta: F64) -> F32:
    """Standardized float32 values in a window that contains the mean."""
    lower, upper, mass = probabilities(alpha, beta)
    m, p0, q0, d0 = (
        np.float32(v) for v in (mass * 2.0**-32, 4 * lower + mass * 2.0**-31, upper + mass * 2.0**-33, lower - upper)
    )
    low_bits = w & np.uint64(255)
    high = ((w - low_bits).astype(np.int64) - 2**31).astype(np.float32)
    low = low_bits.astype(np.float32) + np.float32(0.5)
    d = fma32(low, 2 * m, fma32(high, 2 * m, d0))
    q = fma32((np.uint64(2**32 - 1) - w).astype(np.float32), m, q0)
    f = fma32(w.astype(np.float32), 4 * m, p0) * q
    e = exponent(f)
    t = np.ldexp(f, -e).astype(np.float32) - np.float32(1)
    v = fma32(t, polynomial32("log_f32", t), fma32(e * 2.0**23, float.fromhex("-0x1.62e43p-23"), -5.5))
    far = polynomial32("quantile_far_f32", v - np.float32(22.5))
    return d * np.where(v <= np.float32(5.5), polynomial32("quantile_central_f32", v), far)


def truncated_central(n: F64, complement: F64, scale: float, alpha: F64, beta: F64) -> F64:
    """Standardized values in a window that reaches within 5 of the mean."""
    lower, upper, mass = probabilities(alpha, beta)
    p, q = fma64(n, mass * scale, lower), fma64(complement, mass * scale, upper)
    return (p - q) * quantile_factor(minus_two_ln(4 * p * q))


def truncated_far(n: F64, complement: F64, scale: float, alpha: F64, beta: F64) -> F64:
    """Standardized distances above alpha ≥ 5."""
    rho = np.float64(0)
    if beta < math.inf:
        rho = exp(-0.5 * ((beta - alpha) * (beta + alpha))) * (mills(beta) / mills(alpha))
    y = fma64(n * scale, rho, complement * scale)
    e = exponent(y)
    t = np.where(e == 0, -(n * scale) * (1 - rho), np.ldexp(y, -e) - 1)
    a = fma64(t, polynomial64("log_f64", t), e * TWO_LN2)
    delta = a / (alpha + np.sqrt(fma64(alpha, alpha, a)))
    for _ in range(3):
        m = mills(alpha + delta)
        f = ((fma64(2, alpha, delta) * delta + minus_two_ln(m)) - minus_two_ln(mills(alpha))) - a
        delta = fma64(-0.5 * f, m, delta)
    return delta


def truncated_values(word: U64, short: bool, mean: float, std: float, low: float, high: float) -> F32 | F64:
    """The values at words of 32 bits (52 bits), before they are rounded and limited to the bounds."""
    if std == 0 or low == high:
        return np.full(word.shape, mean)
    alpha, beta = (np.float64(bound - mean) / std for bound in (low, high))
    if short and alpha <= 0 <= beta and std <= float(np.finfo(np.float32).max):
        return fma32(truncated_around(word, alpha, beta), std, mean)
    n, total = word.astype(np.float64) + 0.5, 2.0**32 if short else 2.0**52
    complement, scale = total - n, 1 / total
    if alpha >= 5:
        return fma64(truncated_far(n, complement, scale, alpha, beta), std, low)
    if beta <= -5:
        return fma64(-truncated_far(complement, n, scale, -beta, -alpha), std, high)
    return fma64(truncated_central(n, complement, scale, alpha, beta), std, mean)


def absolute_bounds(mean: float, std: float, low: float, high: float, bounds: str) -> tuple[float, float]:
    if bounds == "std":
        low, high = (float(fma64(bound, std, mean)) for bound in (low, high))
    return low, high


def truncated_normal(
    seed: int,
    name: str,
    i: npt.ArrayLike,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
    bounds: str = "std",
    dtype: str = "float32",
) -> Array:
    if std == 0 and bounds == "std":
        return to_dtype(np.full(np.shape(i), mean, compute_type(dtype)), dtype)
    low, high = absolute_bounds(mean, std, low, high, bounds)
    least, most = inward(low, high, dtype)
    low, high = compute_bounds(low, high, dtype)
    short = dtype != "float64"
    word = bits32(seed, name, i) if short else bits64(seed, name, i) >> np.uint64(12)
    value = truncated_values(word, short, mean, std, low, high).astype(compute_type(dtype))
    return to_dtype(limited(value, least, most), dtype)
