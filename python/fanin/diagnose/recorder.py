"""Turn the arrays of a layer or a parameter into the numbers of a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays.types import Layout
from ..fans import output_axis
from .alarms import Thresholds
from .measures import (
    Activity,
    Bounds,
    Measured,
    added,
    as_array,
    equal_rows,
    signal_strides,
    some_rows,
    unit_axis,
    weight_strides,
)


class Recorder:
    """Measure arrays, and remember what records to come are compared with.

    Parameters
    ----------
    thresholds : Thresholds
        The thresholds of the rules: what counts as dead and as equal.
    layout : "OI" or "IO"
        The order of axes, as `Monitor` takes it.
    bounds : callable
        Returns the values beyond which the activation of a layer is saturated, by the name of the layer, or None.
    """

    def __init__(self, thresholds: Thresholds, layout: Layout, bounds: Callable[[str], Bounds | None]) -> None:
        self.thresholds, self.layout, self.bounds = thresholds, layout, bounds
        self._active: dict[str, Activity] = {}  # as last recorded
        self._weights: dict[str, float] = {}  # the RMS last recorded

    def signal(self, argument: str, value: ArrayLike, name: str | None = None) -> Measured:
        """Measure activations of a named layer, or their gradients."""
        array = as_array(argument, value)
        units = unit_axis(array.ndim, self.layout == "OI")
        sample = signal_strides(array.shape, units)
        if name is None:
            return Measured.of(array, sample)
        measured = Measured.of(array, sample, self.bounds(name))
        others = tuple(axis for axis in range(array.ndim) if axis != units)
        active = np.count_nonzero(array[sample], axis=others).astype(np.float64)
        measured.active = {len(active): (active, measured.count / len(active))}
        return measured

    def weight(self, argument: str, value: ArrayLike) -> Measured:
        """Measure weights, their gradients or updates."""
        array = as_array(argument, value)
        measured = Measured.of(array, weight_strides(array.shape))
        if array.ndim > 1:
            rows = some_rows(np.moveaxis(array, output_axis(array.shape, self.layout, False), 0)).astype(np.float64)
            if len(rows) > 1:
                measured.equal = float(equal_rows(rows, self.thresholds.equal)) / (len(rows) - 1)
        return measured

    def numbers(
        self,
        name: str,
        activations: Measured | None,
        gradients: Measured | None,
        weights: Measured | None,
        updates: Measured | None,
        of_weights: bool,
    ) -> dict[str, Any]:
        """Return the numbers of a record; `of_weights` says whether gradients are those of weights."""
        found: dict[str, Any] = {}
        if activations is not None:
            found |= {"activation_rms": activations.rms, "activation_mean": activations.mean}
            if self.bounds(name):
                found["saturated"] = activations.saturated
            if activations.active:
                found["zero"] = activations.zero
                dead = self._dead(name, activations.active)
                found |= {} if dead is None else {"dead": dead}
        if weights is not None:
            found["weight_rms"] = self._weights[name] = weights.rms
            if weights.equal is not None:
                found["weight_equal"] = weights.equal
        if gradients is not None and of_weights:
            found["weight_gradient_rms"] = gradients.rms
            if gradients.equal is not None:
                found["weight_gradient_equal"] = gradients.equal
        elif gradients is not None:
            found |= {"gradient_rms": gradients.rms, "gradient_norm": gradients.norm}
        if updates is not None:
            found["update_rms"] = updates.rms
            if self._weights.get(name, 0.0) > 0:
                found["update_ratio"] = updates.rms / self._weights[name]
        given = (activations, gradients, weights, updates)
        if all(measured is None for measured in given):
            raise ValueError("activations, gradients, weights or updates must be given, got none")
        found["nonfinite"] = sum(not measured.finite for measured in given if measured is not None)
        return found

    def _dead(self, name: str, activity: Activity) -> float | None:
        """Return the share of units that are hardly ever active in this record and the one before.

        Two records count, since batches may be small. None means that there are too few examples.
        """
        both = added(activity, self._active.get(name, {}))
        self._active[name] = activity
        judged = [
            active < self.thresholds.dead_unit * examples
            for active, examples in (both[width] for width in activity)
            if examples >= self.thresholds.examples
        ]
        return float(np.mean(np.concatenate(judged))) if judged else None
