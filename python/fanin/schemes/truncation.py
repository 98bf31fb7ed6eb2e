"""The moments of a truncated normal distribution, to compare samples with: they enter no sample."""

from __future__ import annotations

import math

import numpy as np


def moments(low: float, high: float) -> tuple[float, float]:
    """Mean and std of a standard normal conditioned to [low, high], by Simpson's rule."""
    mode = min(max(0.0, low), high)
    reach = 40.0 / max(1.0, abs(mode))  # nothing beyond counts: the density falls by e^-40 at least
    start, stop = max(low, mode - reach), min(high, mode + reach)
    x = np.linspace(start, stop, 8193)
    weight = np.exp((mode - x) * (mode + x) / 2)
    weight[1:-1:2] *= 4
    weight[2:-1:2] *= 2
    weight /= weight.sum()
    mean = float(weight @ x)
    return mean, math.sqrt(float(weight @ (x - mean) ** 2))
