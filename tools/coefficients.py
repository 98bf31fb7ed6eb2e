"""Derive every polynomial of stream v1: `python tools/coefficients.py | clang-format > cpp/core/coefficients.hpp`.

Each polynomial is near the minimax one for relative error (Lawson's iteration in 60 digits). Its coefficients are
rounded one at a time, lowest degree first, to the format that evaluates it, and the others are refitted after each.
The program needs mpmath only. The stream is frozen: it shows where the numbers come from and does not run in the build.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from mpmath import mp, mpf

mp.dps = 60
Function = Callable[[mpf], mpf]


def round_to(bits: int, x: mpf) -> mpf:
    """Round x to a float with `bits` bits of significand, to nearest even (no subnormals occur here)."""
    with mp.workprec(bits):
        return +x


def least_squares(columns: list[list[mpf]], target: list[mpf], weights: list[mpf]) -> list[mpf]:
    scaled = [[w * c for w, c in zip(weights, column, strict=True)] for column in columns]
    normal = mp.matrix([[mp.fdot(a, b) for b in columns] for a in scaled])
    return list(mp.lu_solve(normal, mp.matrix([mp.fdot(a, target) for a in scaled])))


def rounded_fit(
    f: Function, count: int, low: mpf, high: mpf, bits: int, exact: Sequence[float] = ()
) -> tuple[list[mpf], mpf]:
    """Fit `count` coefficients rounded to `bits`, the first ones given by `exact`; return the largest error too.

    The error is relative. Lawson's iteration is used: least squares, reweighted by the error of the last fit, tends to
    the minimax fit.
    """
    middle, half = (mpf(high) + low) / 2, (mpf(high) - low) / 2
    points = 8 * count
    x = [middle - half * mp.cos(mp.pi * (i + mpf(1) / 2) / points) for i in range(points)]
    y = [f(v) for v in x]
    columns = [[v**k / f_v for v, f_v in zip(x, y, strict=True)] for k in range(count)]
    weights = [mpf(1) / points] * points
    known = [mpf(c) for c in exact]
    while len(known) < count:
        residual = [1 - mp.fsum(c * columns[k][i] for k, c in enumerate(known)) for i in range(points)]
        fit: list[mpf] = []
        for _ in range(12 if len(known) <= len(exact) else 3):
            fit = least_squares(columns[len(known) :], residual, weights)
            errors = [
                abs(r - mp.fsum(c * columns[len(known) + k][i] for k, c in enumerate(fit)))
                for i, r in enumerate(residual)
            ]
            total = mp.fsum(w * e for w, e in zip(weights, errors, strict=True))
            weights = [w * e / total + mpf(2) ** -80 for w, e in zip(weights, errors, strict=True)]
        known.append(round_to(bits, fit[0]))
    samples = (middle + half * (2 * i - 999) / mpf(999) for i in range(1000))
    return known, max(abs(mp.polyval(known[::-1], v) / f(v) - 1) for v in samples)


# ---- the functions of stream v1 --------------------------------------------------------------------------------------

SQRT_HALF = mp.sqrt(mpf("0.5"))
CENTRAL = mpf(11)  # up to this W = -2 ln(4pq), which is 3.08 σ, there is one polynomial in W
TAIL = mpf("5.75")  # beyond it float64 has polynomials in sqrt(W): one up to this sqrt(W) and one from there
FAR_32 = mpf(45)  # float32 needs no larger W, and has one polynomial in W from CENTRAL to here
CENTRAL_MIDDLE, FAR_MIDDLE_32, TAIL_MIDDLE_64, FAR_MIDDLE_64 = mpf("5.5"), mpf(28), mpf("4.5"), mpf(8)
MILLS_SCALE = 5


def log_quotient(t: mpf) -> mpf:
    """Compute -2 log1p(t) / t."""
    return -2 * mp.log1p(t) / t if t else mpf(-2)


def sine(z: mpf) -> mpf:
    """Compute sin(x) / x, where z = x². The table leaves out its leading 1, which the last fma adds exactly."""
    x = mp.sqrt(z)
    return mp.sin(x) / x if z else mpf(1)


def cosine(z: mpf) -> mpf:
    return mp.cos(mp.sqrt(z))


def mills(x: mpf) -> mpf:
    """Compute Mills' ratio Q(x) / φ(x), by erfc or, far out, by Laplace's continued fraction."""
    if x < 30:
        return mp.sqrt(mp.pi / 2) * mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2))
    tail = mpf(0)
    for k in range(80, 0, -1):
        tail = k / (x + tail)
    return 1 / (x + tail)


def mills_scaled(v: mpf) -> mpf:
    x = MILLS_SCALE * (1 + v) / (1 - v)
    return (1 + x) * mills(x)


@cache
def quantile_quotient(w: mpf) -> mpf:
    """Compute x / (p - q) for W = -2 ln(4pq), where p = Φ(x) and q = 1 - p, by Halley's iteration on q."""
    pq = mp.exp(-w / 2) / 4
    z = mp.sqrt(-mp.expm1(-w / 2))
    q = 2 * pq / (1 + z)
    x = mp.sqrt(w) if w > 4 else z * mpf("1.2533")
    for _ in range(60):
        step = (mp.erfc(x / mp.sqrt(2)) / 2 - q) * mp.sqrt(2 * mp.pi) * mp.exp(x * x / 2)
        step /= 1 - x * step / 2
        x += step
        if abs(step) < mpf(10) ** -42:
            break
    return x / z


def quantile_near(middle: mpf) -> Function:
    return lambda v: quantile_quotient(v + middle)


def quantile_tail(middle: mpf) -> Function:
    return lambda v: quantile_quotient((v + middle) ** 2)


def without_first(fit: tuple[list[mpf], mpf]) -> tuple[list[mpf], mpf]:
    return fit[0][1:], fit[1]


def tables() -> dict[str, tuple[str, list[mpf], mpf]]:
    """Return, by name, the C++ type, the coefficients from the lowest on, and the fit's largest relative error."""
    t_low, t_high, z_high = SQRT_HALF - 1, 1 / SQRT_HALF - 1, (mp.pi / 4) ** 2
    tiny, ln2 = mpf(10) ** -15, mp.log(2)
    s_low = mp.sqrt(CENTRAL)
    fits = {
        "log_f32": ("float", rounded_fit(log_quotient, 9, t_low, t_high, 24, [-2])),
        "sin_f32": ("float", without_first(rounded_fit(sine, 4, mpf(0), z_high, 24, [1]))),
        "cos_f32": ("float", rounded_fit(cosine, 5, mpf(0), z_high, 24, [1, -0.5])),
        "log_f64": ("double", rounded_fit(log_quotient, 22, t_low, t_high, 53, [-2])),
        "sin_f64": ("double", without_first(rounded_fit(sine, 7, mpf(0), z_high, 53, [1]))),
        "cos_f64": ("double", rounded_fit(cosine, 8, mpf(0), z_high, 53, [1, -0.5])),
        "exp_f64": ("double", rounded_fit(mp.exp, 13, -ln2 / 2, ln2 / 2, 53, [1, 1])),
        "mills_f64": ("double", rounded_fit(mills_scaled, 24, mpf(-1), 1 - mpf(10) ** -12, 53)),
        "quantile_central_f32": (
            "float",
            rounded_fit(quantile_near(CENTRAL_MIDDLE), 10, tiny - CENTRAL_MIDDLE, CENTRAL_MIDDLE, 24),
        ),
        "quantile_far_f32": (
            "float",
            rounded_fit(quantile_near(FAR_MIDDLE_32), 13, CENTRAL - FAR_MIDDLE_32, FAR_32 - FAR_MIDDLE_32, 24),
        ),
        "quantile_central_f64": (
            "double",
            rounded_fit(quantile_near(CENTRAL_MIDDLE), 24, tiny - CENTRAL_MIDDLE, CENTRAL_MIDDLE, 53),
        ),
        "quantile_tail_f64": (
            "double",
            rounded_fit(quantile_tail(TAIL_MIDDLE_64), 24, s_low - TAIL_MIDDLE_64, TAIL - TAIL_MIDDLE_64, 53),
        ),
        "quantile_far_f64": (
            "double",
            rounded_fit(quantile_tail(FAR_MIDDLE_64), 22, TAIL - FAR_MIDDLE_64, mpf("2.06"), 53),
        ),
    }
    return {name: (kind, *fit) for name, (kind, fit) in fits.items()}


def hexadecimal(x: mpf, kind: str) -> str:
    value = float(x)
    assert mpf(value) == x
    mantissa, exponent = value.hex().split("p")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}" + ("f" if kind == "float" else "")


HEADER = """\
// Lists the polynomials of stream v1, lowest degree first. tools/coefficients.py derived and wrote them.
// They are frozen.
#pragma once

#include "core/polynomial.hpp"

namespace fanin::FANIN_ISA::table {

"""


def main() -> None:
    out = [HEADER]
    for name, (kind, values, worst) in tables().items():
        out.append(f"// Relative error of the fit 2^{mp.nstr(mp.log(worst, 2), 4)}.\n")
        body = ",\n    ".join(hexadecimal(v, kind) for v in values)
        out.append(f"FANIN_POLYNOMIAL({name}, {kind},\n    {body})\n\n")
    out.append("}  // namespace fanin::FANIN_ISA::table\n")
    print("".join(out), end="")


if __name__ == "__main__":
    main()
