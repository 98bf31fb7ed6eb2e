"""Powers and logarithms that are the same on every machine, which no libm promises: by decimal arithmetic."""

from __future__ import annotations

from decimal import Context, Decimal

DIGITS = Context(prec=50)


def root(base: int, degree: int) -> float:
    """Return the positive root of a positive number."""
    return float(DIGITS.power(Decimal(base), DIGITS.divide(Decimal(1), Decimal(degree))))


def log(value: float) -> float:
    """Return the natural logarithm of a positive number."""
    return float(DIGITS.ln(Decimal(value)))


def log_odds(probability: float) -> float:
    """ln(p/(1 − p)) of a probability between 0 and 1."""
    p = Decimal(probability)
    return float(DIGITS.subtract(DIGITS.ln(p), DIGITS.ln(DIGITS.subtract(Decimal(1), p))))
