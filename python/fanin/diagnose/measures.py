"""Measure arrays, in operators that NumPy arrays and torch tensors share.

The largest and the smallest of all values tell whether any is not finite. Everything else is measured on a sample of
about `LIMIT` values, taken with strides.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..arrays.types import Activation
from ..signals import activations

LIMIT = 2**18  # about so many values of an array are sampled
_ROWS, _COMPARED = 32, 2**20  # at most about so many rows of a weight, and values in them, are compared

Bounds = tuple[float, float]
# How often each unit was not 0, and out of how many times; by the number of units, since calls may differ in it.
Activity = dict[int, tuple[NDArray[np.float64], float]]


def saturation(activation: Activation | None, share: float) -> Bounds | None:
    """Return the values beyond which an activation is saturated; None if it is not bounded on both sides.

    They lie at the share `share` of half its range from the middle: tanh is saturated beyond ±0.97 for 0.97.
    """
    if activation is None or callable(activation):
        return None
    name, parameters = activations.resolve(activation)
    low, high = parameters if name == "hard_tanh" else activations.BOUNDED.get(name, (0.0, 0.0))
    middle, half = (low + high) / 2, (high - low) / 2
    return (middle - share * half, middle + share * half) if half else None


def unit_axis(ndim: int, channels_first: bool) -> int:
    """Return the axis of units in activations: the last, or the second in (batch, channels, height, width)."""
    return 1 if channels_first and ndim > 3 else ndim - 1


def strides(shape: tuple[int, ...], *groups: Iterable[int], limit: int = LIMIT) -> tuple[slice, ...]:
    """Return slices that leave about `limit` values. Axes of the first group are thinned first, all of them alike.

    At least two places of an axis are left. Of a thinned axis the first place is not among them: padding, or the token
    that begins each sequence, would not be typical.
    """
    excess = math.prod(shape) / limit
    steps = [1] * len(shape)
    for group in groups:
        axes = sorted(group, key=shape.__getitem__)  # the shortest first: longer ones make up for what it cannot give
        for rank, axis in enumerate(axes):
            if excess > 1:
                steps[axis] = max(1, min(shape[axis] // 2, math.ceil(excess ** (1 / (len(axes) - rank)))))
                excess /= steps[axis]
    return tuple(slice(step // 2, None, step) for step in steps)


def signal_strides(shape: tuple[int, ...], units: int) -> tuple[slice, ...]:
    """Return slices of activations that keep every unit, for some examples and positions."""
    return strides(shape, (axis for axis in range(len(shape)) if axis != units))


def weight_strides(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Return slices of a weight that leave out whole rows, and parts of rows only if there are too few."""
    return strides(shape, range(1), range(1, len(shape)))


def some_rows(weight: Any) -> Any:
    """Return some whole rows, evenly spread, of a weight whose first axis is that of its units."""
    count, length = weight.shape[0], max(1, math.prod(weight.shape[1:]))
    wanted = max(2, min(_ROWS, _COMPARED // length))
    return weight[:: max(1, count // wanted)].reshape(-1, length)


def equal_rows(rows: Any, distance: float) -> Any:
    """Count the rows that differ from the one before by at most `distance` of their length; rows of zeros are equal."""
    squares = (rows * rows).sum(1)
    step = rows[1:] - rows[:-1]
    return ((step * step).sum(1) <= distance**2 * squares[1:]).sum()


def added(first: Activity, second: Activity) -> Activity:
    """Add two records of the activity of units."""
    both = {**first, **second}
    for width in first.keys() & second.keys():
        (active, times), (more, others) = first[width], second[width]
        both[width] = active + more, times + others
    return both


MEASURES = 4  # how many numbers `measure` returns


def measure(values: Any, extremes: tuple[Any, Any], bounds: Bounds | None) -> tuple[Any, ...]:
    """Return the sum of squares, the sum, and the number beyond bounds of sampled values; then 0, or NaN if not finite.

    The last is NaN if any value of the array, sampled or not, is not finite; `extremes` tell.
    """
    beyond = (values < bounds[0]) | (values > bounds[1]) if bounds else values[:0]
    return (values * values).sum(), values.sum(), beyond.sum(), extremes[0] * 0 + extremes[1] * 0


@dataclass(slots=True)
class Measured:
    """Hold what was measured of one array, or of several that belong to one layer."""

    sums: NDArray[np.float64]  # what `measure` returns
    count: int  # the number of sampled values
    size: int  # the number of all values
    active: Activity = field(default_factory=dict)
    equal: float | None = None  # the share of compared rows that are equal

    @classmethod
    def of(cls, array: NDArray[Any], sample: tuple[slice, ...], bounds: Bounds | None = None) -> Self:
        """Measure a NumPy array."""
        values = array[sample].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            sums = measure(values, (array.max(), array.min()), bounds)
        return cls(np.array([float(total) for total in sums]), values.size, array.size)

    def add(self, other: Self) -> None:
        """Add what was measured in another call of the same layer."""
        self.sums = self.sums + other.sums
        self.count += other.count
        self.size += other.size
        self.active = added(self.active, other.active)

    @property
    def rms(self) -> float:
        """The root of the mean square, √E x²."""
        return math.sqrt(self.sums[0] / self.count)

    @property
    def norm(self) -> float:
        """The norm of the whole array, √Σ x², estimated from the sample."""
        return self.rms * math.sqrt(self.size)

    @property
    def mean(self) -> float:
        """The mean, E x."""
        return float(self.sums[1]) / self.count

    @property
    def zero(self) -> float:
        """The share of values that are 0, if activity is known."""
        return 1 - sum(float(active.sum()) for active, _ in self.active.values()) / self.count

    @property
    def saturated(self) -> float:
        """The share of values beyond the bounds."""
        return float(self.sums[2]) / self.count

    @property
    def finite(self) -> bool:
        """Whether every value is finite, sampled or not."""
        return not math.isnan(self.sums[3])


def as_array(argument: str, value: Any) -> NDArray[Any]:
    """Return an array of real numbers, from NumPy, torch, JAX or anything that NumPy or DLPack can read on the CPU."""
    if hasattr(value, "detach"):  # torch
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    readable = isinstance(value, np.ndarray) or hasattr(value, "__array__") or not hasattr(value, "__dlpack__")
    array = np.atleast_1d(np.asarray(value) if readable else np.from_dlpack(value))
    if array.dtype.kind not in "fiub" and array.dtype.name != "bfloat16":
        raise TypeError(f"{argument} must be real numbers, got {array.dtype}")
    if not array.size:
        raise ValueError(f"{argument} must not be empty, got shape {array.shape}")
    return array
