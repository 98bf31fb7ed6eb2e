"""Fit straight lines through numbers that change from layer to layer, and say how far they can be trusted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def least_squares(values: NDArray[np.floating[Any]]) -> tuple[float, float, int]:
    """Fit values by position; return the slope, its standard error, and the degrees of freedom.

    Values that are not finite are left out.
    """
    (layers,) = np.nonzero(np.isfinite(values))
    if len(layers) < 2:
        return math.nan, math.nan, 0
    x, y = layers - layers.mean(), values[layers]
    square = float(x @ x)
    slope = float(x @ y) / square
    residuals = y - y.mean() - slope * x
    freedom = len(layers) - 2
    return slope, math.sqrt(float(residuals @ residuals) / max(freedom, 1) / square), freedom


def student(freedom: int) -> float:
    """Return the 97.5 % point of Student's t: exact for 1 and 2 degrees of freedom, else to 0.2 %.

    It expands about the normal distribution: Abramowitz and Stegun, 26.7.5.

    Examples
    --------
    >>> round(student(1), 3), round(student(10), 3)
    (12.706, 2.228)
    """
    if freedom == 1:
        return math.tan(0.475 * math.pi)
    if freedom == 2:
        return 0.95 * math.sqrt(2 / (1 - 0.95**2))
    z = 1.959963984540054  # the same point of the normal distribution
    polynomials = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + float(np.polyval([*reversed(polynomials), 0.0], 1 / freedom))
