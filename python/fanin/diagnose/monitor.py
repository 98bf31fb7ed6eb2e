"""Watch a training: keep statistics of what is recorded each step, and raise alarms by stated rules."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, SupportsIndex

from numpy.typing import ArrayLike

from ..arguments import integer
from ..arrays.types import Activation, Layout
from ..axes import require_plain_layout
from ..signals import activations as functions
from .alarms import Alarm, Finding, Thresholds, Verdict, advice, of_first_loss, of_step, verdict
from .json_values import as_json
from .measures import Measured, as_array, saturation
from .recorder import Recorder

__all__ = ["Alarm", "Monitor", "Thresholds", "Verdict"]


class Monitor:
    """Take arrays as a training goes on, keep a few statistics of each, and say what is wrong with them.

    It depends on no framework: whoever trains calls `record` and `record_loss`; for a torch module
    `fanin.diagnose.torch.watch` does. Use it as a context manager, or `close` it.

    Parameters
    ----------
    path : str or Path, optional
        A file to write, with a JSON object on a line for each record as it comes; an existing file is replaced. Numbers
        that are not finite are null. Default: no file.
    classes : int, optional
        The number of classes of a classifier, at least 2, for the rule about its first loss. Default: no such rule.
    thresholds : Thresholds, optional
        The thresholds of the rules. Default: `Thresholds()`.
    activations : dict of str to activation, optional
        The activation of each layer, as for `fanin.gain`, by the name that its activations are recorded under. Advice
        depends on it, and saturation is found for tanh, sigmoid, softsign and the hard versions of these. Default:
        unknown.
    layout : "OI" or "IO"
        The order of axes. "OI", the default, is PyTorch's: weights are (out, in, *spatial), and the units of
        activations are on the last axis, or on the second if there are four axes or more. "IO" is that of Keras and
        JAX: weights are (*spatial, in, out), and units are on the last axis.
    keep : int, optional
        The number of last records that stay in `history`; None for all. Default 10 000; each takes less than 1 kB. The
        file has all records, and alarms are not forgotten.

    Attributes
    ----------
    history : list of dict
        The records, as on the lines of the file. Each has "step", "name", and "nonfinite", the number of arrays in
        which a value is not finite. Activations give "activation_rms", "activation_mean", "zero" and "saturated"
        (shares of the values), "dead" (a share of the units), "gradient_rms" and "gradient_norm", √Σ g². Weights give
        "weight_rms", "weight_gradient_rms", "weight_equal" and "weight_gradient_equal" (shares of the compared rows),
        "update_rms" and "update_ratio". A loss gives "loss". A number that is not finite is None.
    alarms : list of Alarm
        The first alarm of every rule and name.

    Raises
    ------
    ValueError
        If `classes`, `layout` or `keep` is not one of the above, or an activation is unknown.
    OSError
        If the file cannot be written.

    Notes
    -----
    About 2^18 values of a larger array, taken with strides, are measured; a value that is not finite is found wherever
    it is. Whether a unit is dead is judged on this record of its layer and the one before; "dead" is left out as long
    as these have too few examples of every unit (`Thresholds.examples`). Up to 63 rows of a weight are compared, each
    with the next. A step is judged when the next one begins, and when alarms are asked for: ask between steps.

    Some weights are zero on purpose at first, such as LoRA's second factor or a last layer. While a weight of the step
    is zero, gradients that are exactly 0 raise no alarm; the zero weight itself is "symmetric" if its gradient is not
    0, or if no weight of the step has a gradient. Layers after the last one with gradients may be saturated: they are
    outputs.

    The sources are Glorot and Bengio (2010) on saturation, Schoenholz et al. (2017) on gradients over depth, Stanford's
    CS231n on the first loss and the size of updates, and Amazon SageMaker Debugger's built-in rules for the other
    thresholds.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> with Monitor(classes=10, activations={"fc": "tanh"}) as monitor:
    ...     monitor.record(0, "fc", activations=np.tanh(20 * rng.normal(size=(64, 100))))
    ...     monitor.record(0, "fc.weight", weights=np.zeros((100, 50)))
    ...     monitor.record_loss(0, 2.31)
    >>> print(monitor.verdict())
    symmetric: fc.weight has equal units: 100% of the compared rows are alike. Use xavier_normal.
    saturated: fc is 92% saturated. Use xavier_normal.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        classes: int | None = None,
        thresholds: Thresholds | None = None,
        activations: Mapping[str, Activation] | None = None,
        layout: Layout = "OI",
        keep: int | None = 10_000,
    ) -> None:
        if keep is not None and integer("keep", keep) < 1:
            raise ValueError(f"keep must be at least 1, or None for all, got {keep}")
        require_plain_layout(layout)
        self.classes = None if classes is None else integer("classes", classes, 2)
        self.thresholds = thresholds or Thresholds()
        self.history: list[dict[str, Any]] = []
        self.activations: dict[str, Activation] = {}
        for name, activation in (activations or {}).items():
            self.declare(name, activation)
        self.layout = layout
        self.keep = keep
        self._step: int | None = None
        self._now: dict[str, dict[str, Any]] = {}  # the records of this step, by name, in the order of the first one
        self._before: dict[str, dict[str, Any]] = {}
        self._recorder = Recorder(self.thresholds, layout, self.bounds)
        self._lookups: set[str] = set()  # embeddings, of which a step looks up some rows
        self._first_loss: float | None = None
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._steps: dict[int, None] = {}  # as an ordered set
        self._file = None if path is None else Path(path).open("w", encoding="utf-8")  # noqa: SIM115 (until `close`)
        self._closed = False

    def declare(self, name: str, activation: Activation) -> None:
        """Say which activation a layer's recorded values come from.

        Parameters
        ----------
        name : str
            The name under which the layer's activations are recorded.
        activation : str, (str, float) or callable
            The activation: see `fanin.gain`.

        Raises
        ------
        ValueError, TypeError
            If the activation is unknown, or is another kind of object.
        """
        if not callable(activation):
            functions.resolve(activation)
        self.activations[name] = activation

    def bounds(self, name: str) -> tuple[float, float] | None:
        """Return the values beyond which a layer's activation is saturated; None if it has no such bounds."""
        return saturation(self.activations.get(name), self.thresholds.saturation)

    def record(
        self,
        step: SupportsIndex,
        name: str,
        *,
        activations: ArrayLike | None = None,
        gradients: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        updates: ArrayLike | None = None,
    ) -> None:
        """Record a layer's activations and their gradients, or a parameter's values, gradients and updates.

        Within a step, record layers in the order of the forward pass.

        Parameters
        ----------
        step : int
            The number of the training step. Steps may be left out.
        name : str
            The name of the layer or the parameter.
        activations : array, optional
            The values after the activation function: (batch, units), (batch, ..., units), or as the layout says.
        gradients : array, optional
            The gradient of the loss with respect to the activations; or with respect to the weights, if `weights` or
            `updates` is given without activations. A layer and its weight may have the same name.
        weights : array, optional
            The weights, in the monitor's layout.
        updates : array, optional
            What was added to the weights in this step. It is compared with the weights last recorded under this name.

        Raises
        ------
        ValueError
            If no array is given, one is empty, or the monitor is closed.
        TypeError
            If values are not real numbers.

        Examples
        --------
        >>> import numpy as np
        >>> monitor = Monitor()
        >>> monitor.record(0, "fc.weight", weights=np.eye(4), updates=np.full((4, 4), 5e-4))
        >>> monitor.history[0]["update_ratio"]
        0.001
        """
        of_weights = activations is None and not (weights is None and updates is None)
        kind = self._recorder.weight if of_weights else self._recorder.signal
        self._take(
            step,
            name,
            activations=None if activations is None else self._recorder.signal("activations", activations, name),
            gradients=None if gradients is None else kind("gradients", gradients),
            weights=None if weights is None else self._recorder.weight("weights", weights),
            updates=None if updates is None else self._recorder.weight("updates", updates),
            of_weights=of_weights,
        )

    def record_loss(self, step: SupportsIndex, loss: ArrayLike) -> None:
        """Record the loss of a step: a mean cross-entropy in nats, if `classes` is given.

        Parameters
        ----------
        step : int
            The number of the training step.
        loss : float
            A number, or an array or tensor with one element.

        Raises
        ------
        ValueError
            If there is more than one number, or the monitor is closed.
        TypeError
            If the loss is not a real number.

        Examples
        --------
        >>> monitor = Monitor(classes=10)
        >>> monitor.record_loss(0, 23.0)
        >>> monitor.verdict().healthy
        False
        """
        array = as_array("loss", loss)
        if array.size > 1:
            raise ValueError(f"loss must be one number, got shape {array.shape}")
        value = float(array.item())
        self._write(step, "loss", {"loss": value, "nonfinite": int(not math.isfinite(value))})
        if self._first_loss is None:
            self._first_loss = value
            if self.classes is not None and math.isfinite(value):
                for finding in of_first_loss(value, self.classes, self.thresholds):
                    self._raise("loss", finding)

    @property
    def alarms(self) -> list[Alarm]:
        """The first alarm of every rule and name."""
        self._judge()
        return list(self._alarms.values())

    def verdict(self, steps: int | None = 10) -> Verdict:
        """Judge the first recorded steps.

        Parameters
        ----------
        steps : int, optional
            The number of steps; None for all. Default 10, as in SageMaker Debugger's PoorWeightInitialization.

        Returns
        -------
        Verdict
            Whether the steps are healthy, the alarms, and a text.

        Raises
        ------
        ValueError
            If nothing was recorded, or `steps` is below 1.
        """
        if steps is not None and steps < 1:
            raise ValueError(f"steps must be at least 1, or None for all, got {steps}")
        alarms = self.alarms
        if not self._steps:
            raise ValueError("verdict needs records, and nothing was recorded")
        return verdict(alarms, list(self._steps)[:steps])

    def close(self) -> None:
        """Judge the last step and close the file. A second call does nothing."""
        self._judge()
        self._closed = True
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(
        self,
        step: SupportsIndex,
        name: str,
        *,
        activations: Measured | None = None,
        gradients: Measured | None = None,
        weights: Measured | None = None,
        updates: Measured | None = None,
        of_weights: bool,
    ) -> None:
        """Record what was measured, here or elsewhere; `of_weights` says whether gradients are those of weights."""
        found = self._recorder.numbers(name, activations, gradients, weights, updates, of_weights)
        self._write(step, name, found)

    def _write(self, step: SupportsIndex, name: str, found: Mapping[str, Any]) -> None:
        """Keep a record and write it to the file; judge the step before if this record begins a new one."""
        if self._closed:
            raise ValueError("the monitor is closed")
        number = integer("step", step)
        if number != self._step:
            self._judge()
            self._before |= self._now
            self._step, self._now = number, {}
            self._steps[number] = None
        record = {key: as_json(value) for key, value in found.items()}
        known = self._now.setdefault(name, {})
        known.update(record, nonfinite=max(record["nonfinite"], known.get("nonfinite", 0)))
        self.history.append({"step": number, "name": name, **record})
        if self.keep is not None:
            del self.history[: -self.keep]
        if self._file is not None:
            self._file.write(json.dumps(self.history[-1], allow_nan=False) + "\n")
            self._file.flush()

    def _judge(self) -> None:
        for name, finding in of_step(self._now, self._before, self.thresholds, self._lookups):
            self._raise(name, finding)

    def _raise(self, name: str, finding: Finding) -> None:
        """Raise an alarm, unless this name has one of this rule already."""
        if (name, finding.rule) in self._alarms:
            return
        assert self._step is not None
        known = Counter(self.activations.values()).most_common(1)
        activation = self.activations.get(name, known[0][0] if known else None)
        layers = sum("gradient_norm" in statistics for statistics in self._now.values())
        change = advice(finding, activation, layers or None, self._step != next(iter(self._steps)))
        self._alarms[name, finding.rule] = Alarm(
            self._step,
            name,
            finding.rule,
            finding.value,
            finding.threshold,
            f"{name} {finding.what}.".lstrip(),
            f"{change[0].upper()}{change[1:]}.",
        )
