"""Report what a probe found: measurements of each layer, what is wrong with them, and a table."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..arrays.types import Layer
from ..recommendation import Recommendation, recommend
from .alarms import Thresholds
from .json_values import as_json
from .stack import Stack
from .theory import Prediction

Profile: TypeAlias = NDArray[np.float64]

LIMITS = Thresholds()  # dead and saturated units are judged as `Monitor` judges them
# The largest factor between squares of gradients in the first and the last layer. Gradients then differ by 10, too much
# for one learning rate. A monitor is more tolerant: gradients of one batch scatter more than a fitted slope.
GROWTH = 100.0
LOSS = 2.0  # the largest first loss, over ln(classes): logits of variance 2, as Xavier's head may give, make it 1.4
_ROWS = 20  # rows of a printed table
_WIDTH = 100  # columns of a printed line


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Hold what a probe measured. Arrays have an entry for each layer, or for each step of "rnn" and "lstm".

    With several draws, an RMS is taken over all of them, and other numbers are averaged.

    Attributes
    ----------
    stack : Stack
        The network that was probed.
    names : tuple of str
        The names of the layers or steps: "layers.0", …, or "steps.0", ….
    mean, std, rms : array
        Mean, standard deviation and root mean square of the activations.
    dead : array
        The share of dead units: those that are active on fewer than 1 % of the examples, where a unit is active if the
        slope of its activation function is not 0. It is always 0 for functions that are flat nowhere. For "lstm" it is
        that of the cell gate.
    saturated : array
        The share of activations whose slope is below 1 - 0.97² of the largest: for tanh, values beyond ±0.97. It is
        always 0 for functions that are not flat on both sides, or are flat at 0 too, as relu6. For "lstm" it is that of
        the cell gate.
    gradient : array
        The RMS of the gradients with respect to the preactivations, which the activation function is given.
    weight_gradient : array
        The RMS of the gradients with respect to the weights; for a step, its part in that of the recurrent weight.
    singular_values : array
        The singular values of the Jacobian of the last activation by the first (`Network.jacobian`), at the first
        example, largest first. It is empty if the Jacobian has more than 1024 rows, and NaN if it overflows.
    slope : float
        The slope of log gradient² by layer, fitted by least squares; positive if gradients shrink towards the input.
        NaN if fewer than two layers have a gradient.
    interval : tuple of float
        The 95 % interval of the slope, by Student's t. With several draws it follows from the scatter of their slopes.
        With one draw it follows from the residuals of the fit and is too narrow, since neighbouring layers share most
        of their randomness.
    prediction : Prediction or None
        What theory predicts; None for "lstm".
    loss : float or None
        The mean cross-entropy; None without labels.
    classes : int
        The number of outputs of the head.
    symmetric : tuple of str
        The weights whose units start equal: all rows are the same, and no residual connection tells the units apart.
    """

    stack: Stack
    names: tuple[str, ...]
    mean: Profile
    std: Profile
    rms: Profile
    dead: Profile
    saturated: Profile
    gradient: Profile
    weight_gradient: Profile
    singular_values: Profile
    slope: float
    interval: tuple[float, float]
    prediction: Prediction | None
    loss: float | None
    classes: int
    symmetric: tuple[str, ...]

    def verdict(self) -> tuple[str, ...]:
        """Say what is wrong and what to use instead, in a sentence or two for each problem; none if all is well."""
        return tuple(_problems(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it, with the verdict; numbers that are not finite become None."""
        stack = {name: as_json(getattr(self.stack, name)) for name in Stack.__slots__}
        fields = (name for name in Report.__slots__ if name not in ("stack", "prediction"))
        theory = self.prediction and {name: as_json(getattr(self.prediction, name)) for name in Prediction.__slots__}
        report = {name: as_json(getattr(self, name)) for name in fields}
        return {"stack": stack} | report | {"prediction": theory, "verdict": list(self.verdict())}

    def __str__(self) -> str:
        """Return a table of at most 100 columns (z are preactivations, W weights), the slope, and the verdict."""
        return "\n".join(_lines(self))


# Judging


def _problems(report: Report) -> Iterator[str]:
    advice = _advice(report.stack)
    broken = ~np.isfinite(report.rms)
    if broken.any():
        instead = _instead(report.stack, advice)
        yield f"activations explode: those of {_where(report, broken)} are not finite in float32. {instead}"
    if report.symmetric:
        what = f"all rows of {_list(report.symmetric)} are the same, so that all units compute the same"
        yield f"every unit starts equal: {what}. Use {advice.name}."
    else:
        if not broken.any():
            yield from _of_gradients(report, advice)
        yield from _of_units(report, advice)
    if report.loss is not None and report.classes > 1 and not broken.any():
        equal = math.log(report.classes)
        if not report.loss <= LOSS * equal:
            what = f"it is {report.loss:.3g}, where equal logits would have ln {report.classes} = {equal:.3g}"
            yield f"the loss starts far from chance: {what}. Use smaller weights in the head: normal(std=0.01)."


def _of_gradients(report: Report, advice: Recommendation) -> Iterator[str]:
    stack, layers = report.stack, len(report.names) - 1
    step = "step" if stack.kind in ("rnn", "lstm") else "layer"
    lost = report.gradient == 0
    if lost.any() and not _dead(report).any():
        yield f"gradients vanish: those of {_where(report, lost)} are 0 in float32. {_instead(stack, advice)}"
        return
    low, high = report.interval
    growth = -report.slope * layers  # towards the input
    if abs(growth) > math.log(GROWTH) and (low > 0 or high < 0):
        theory = "" if report.prediction is None else f" (theory: {_power(-report.prediction.slope)})"
        yield (
            f"gradients {'explode' if growth > 0 else 'vanish'}: each {step} back multiplies their squares by "
            f"{_power(-report.slope)}{theory}, {layers} {step}s by {_power(growth)}. {_instead(stack, advice)}"
        )


def _of_units(report: Report, advice: Recommendation) -> Iterator[str]:
    dead = _dead(report)
    if dead.any():
        what = f"are active on less than {LIMITS.dead_unit:.0%} of the examples"
        use = f"Use {advice.name} and biases of 0, or an activation that is flat nowhere"
        yield f"units are dead: {_percent(report.dead[dead])} of {_where(report, dead)} {what}. {use}."
    saturated = report.saturated > LIMITS.saturated_layer
    if saturated.any():
        shares = _percent(report.saturated[saturated])
        what = f"{shares} of the activations of {_where(report, saturated)} are where the function is nearly flat"
        yield f"units are saturated: {what}. {_instead(report.stack, advice)}"


def _dead(report: Report) -> NDArray[np.bool_]:
    """Find layers whose share of dead units exceeds the threshold by more than three standard deviations of chance.

    In the last layers of a healthy network all examples look alike (Poole et al., 2016), so a unit is on for all of
    them or for none.
    """
    chance = math.sqrt(LIMITS.dead_layer * (1 - LIMITS.dead_layer) / report.stack.width)
    return np.asarray(report.dead >= min(1.0, LIMITS.dead_layer + 3 * chance))


def _advice(stack: Stack) -> Recommendation:
    if stack.kind in ("rnn", "lstm"):
        return recommend(stack.activation, "recurrent", blocks=4 if stack.kind == "lstm" else 1)
    layer: Layer = "conv" if stack.kind == "conv" else "linear"
    norm = stack.norm is not None
    return recommend(stack.activation, layer, depth=stack.depth, norm=norm, residual=stack.residual)


def _instead(stack: Stack, advice: Recommendation) -> str:
    """Say what to use instead; if the weights are as they should be, say what else helps."""
    shape = _shape_of(stack)
    wanted, given = advice.expected_std(shape), stack.weights.expected_std(shape)
    if abs(wanted - given) > 0.01 * wanted:
        return f"Use {advice.name}, std {wanted:.3g}; it is {given:.3g}."
    if type(advice.scheme) is not type(stack.weights):
        return f"Use {advice.name}."
    if stack.kind == "lstm":
        return "Use lstm_bias, its forget gate the further open the longer the data: Tallec and Ollivier (2018)."
    if stack.kind == "rnn":
        return "Use an LSTM, with lstm_bias."
    if stack.norm is None:
        return "Use normalization." if stack.residual else "Use normalization or residual connections."
    return "Use fewer layers." if stack.residual else "Use residual connections."


def _shape_of(stack: Stack) -> tuple[int, ...]:
    """Return the shape of a hidden weight."""
    square = (stack.kernel, stack.kernel) if stack.kind == "conv" else ()
    return (stack.width * (4 if stack.kind == "lstm" else 1), stack.width, *square)


# Printing


def _where(report: Report, chosen: NDArray[np.bool_]) -> str:
    return _list([name for name, one in zip(report.names, chosen, strict=True) if one])


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} … {names[-1]} ({len(names)})"


def _percent(shares: Profile) -> str:
    low, high = shares.min(), shares.max()
    return f"{low:.0%}" if round(100 * low) == round(100 * high) else f"{low:.0%} to {high:.0%}"


def _power(exponent: float) -> str:
    """Format the exponential of a number, however large it is."""
    digits = exponent / math.log(10)
    return f"{math.exp(exponent):.3g}" if abs(digits) < 300 else f"1e{digits:+.0f}"


def _lines(report: Report) -> Iterator[str]:
    heads = ("", "mean", "std", "RMS", "dead", "saturated", "dL/dz", "dL/dW")
    cells = [
        (name, *map("{:.3g}".format, measured), *map("{:.1%}".format, shares), *map("{:.3g}".format, gradients))
        for name, measured, shares, gradients in zip(
            report.names,
            zip(report.mean, report.std, report.rms, strict=True),
            zip(report.dead, report.saturated, strict=True),
            zip(report.gradient, report.weight_gradient, strict=True),
            strict=True,
        )
    ]
    if len(cells) > _ROWS:
        cells = [*cells[: _ROWS // 2], ("…",) * len(heads), *cells[-_ROWS // 2 :]]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for name, *values in (heads, *cells):
        numbers = (value.rjust(width) for value, width in zip(values, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *numbers])
    low, high = report.interval
    theory = "" if report.prediction is None else f"; theory {report.prediction.slope:+.3f}, {report.prediction.phase}"
    yield f"log gradient² by layer: {report.slope:+.3f} (95 %: {low:+.3f} to {high:+.3f}){theory}"
    if report.singular_values.size:
        yield f"singular values of the Jacobian: {report.singular_values[-1]:.3g} to {report.singular_values[0]:.3g}"
    if report.loss is not None:
        yield f"loss: {report.loss:.3f}; ln {report.classes} = {math.log(report.classes):.3f}"
    for problem in report.verdict() or ("healthy",):
        yield from textwrap.wrap(problem, _WIDTH)
