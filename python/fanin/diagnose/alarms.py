"""Judge the statistics of a training step by thresholds that can be changed, and advise what to change."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from ..arrays.types import Activation
from ..recommendation import recommend

Statistics = Mapping[str, Any]  # what a line of a monitor's file holds

# The order in which a verdict lists the rules: causes stand before their effects.
RULES = ("non-finite", "symmetric", "dead", "saturated", "exploding", "vanishing", "update", "loss")


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """Set when each rule of a `Monitor` raises an alarm; 0 switches off a lower threshold, inf an upper one.

    Parameters
    ----------
    per_layer, over_depth : float
        The rules "exploding" and "vanishing": the mean square of gradients grows or falls from layer to layer by a
        factor of more than `per_layer`, and over all layers by more than `over_depth`. The factor per layer is χ of
        Schoenholz et al. (2017): Xavier's weights under ReLU have 1/2, critical ones 1. Default 1.5 and 1000; 1000 is a
        factor of about 30 in the RMS.
    layers : int
        The smallest number of layers for which these factors are computed. Default 4.
    gradient : float
        The rule "vanishing": the RMS of a weight's gradient is below this in two records running and does not grow; it
        does grow behind weights that start at zero. Default 1e-7, which SageMaker Debugger's VanishingGradient has for
        the mean of |g|. It means little where a loss scaler multiplies gradients; the factors above are unaffected.
    dead_unit, dead_layer : float
        The rule "dead": more than the share `dead_layer` of a layer's units are dead. A unit is dead if it is not 0 on
        less than the share `dead_unit` of the examples. Default 0.01 and 0.5, as in SageMaker Debugger's DeadRelu.
    examples : int
        The smallest number of values of a unit, over examples and positions, on which it is judged dead. Default 8: by
        chance one unit in 256 that is active half the time is 0 in all of 8.
    saturation, saturated_layer : float
        The rule "saturated": more than the share `saturated_layer` of a layer's values are saturated. A value is
        saturated if its distance from the middle of the activation's range exceeds the share `saturation` of half the
        range. Default 0.97, where the slope of tanh is below 0.06, and 0.5, as for dead units.
    equal, symmetric : float
        The rule "symmetric": more than the share `symmetric` of the compared rows of a weight are equal, and so are
        those of its gradient. Neighbouring rows are equal if they differ by less than the share `equal` of their
        length; rows drawn at random differ by 1.4 of it. Default 0.01 and 0.5.
    largest_update, smallest_update : float
        The rule "update": the RMS of an update, divided by that of its weight, is above the one, or below the other in
        two records running. About 1e-3 is right (CS231n). Default 10 and 1e-8, as in SageMaker Debugger's
        WeightUpdateRatio.
    loss : float
        The rule "loss": the first loss differs from ln(classes) by more than this share of it. Default 0.5. A
        classifier that knows nothing yet starts at ln(classes) (CS231n), or at about 1 more if its logits have variance
        2.

    Raises
    ------
    ValueError
        If a threshold is negative or NaN.

    Notes
    -----
    What is said of SageMaker Debugger are its built-in rules as Amazon documents them. A value that is not finite is an
    alarm whatever the thresholds, as in its ExplodingTensor.

    Examples
    --------
    >>> Thresholds(dead_layer=0.9).dead_layer
    0.9
    """

    per_layer: float = 1.5
    over_depth: float = 1000.0
    layers: int = 4
    gradient: float = 1e-7
    dead_unit: float = 0.01
    dead_layer: float = 0.5
    examples: int = 8
    saturation: float = 0.97
    saturated_layer: float = 0.5
    equal: float = 0.01
    symmetric: float = 0.5
    largest_update: float = 10.0
    smallest_update: float = 1e-8
    loss: float = 0.5

    def __post_init__(self) -> None:
        for threshold in fields(self):
            value = getattr(self, threshold.name)
            if not value >= 0:
                raise ValueError(f"{threshold.name} must not be negative, got {value}")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Describe the first time that a rule was broken.

    Parameters
    ----------
    step : int
        The training step.
    name : str
        The name of the layer or parameter; "" if the alarm is about all layers, "loss" if it is about the loss.
    rule : str
        The rule: "non-finite", "symmetric", "dead", "saturated", "exploding", "vanishing", "update" or "loss".
    value : float
        The number that was found.
    threshold : float
        The threshold that it passed.
    message : str
        A sentence that says what is wrong.
    advice : str
        A sentence that says what to change.
    """

    step: int
    name: str
    rule: str
    value: float
    threshold: float
    message: str
    advice: str

    def __str__(self) -> str:
        """Return step, rule, message and advice in one line."""
        return f"step {self.step}, {self.rule}: {self.message} {self.advice}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Judge the first steps of a training.

    Parameters
    ----------
    healthy : bool
        Whether there is no alarm.
    alarms : tuple of Alarm
        The alarms by rule. Rules are in the order in which they were first broken; within one step, causes stand before
        their effects.
    text : str
        A line for each rule that was broken: what is wrong, where, and the suggested change.
    """

    healthy: bool
    alarms: tuple[Alarm, ...]
    text: str

    def __str__(self) -> str:
        """Return the text."""
        return self.text


class Finding(NamedTuple):
    """Describe a rule that is broken, and the number that breaks it."""

    rule: str
    value: float
    threshold: float
    what: str


class Context(NamedTuple):
    """Hold what is needed of all layers and parameters of a step to judge one of them."""

    waits: bool  # a weight is all zero: on purpose (LoRA, a zero head), and gradients before it are 0 until it moves
    stuck: bool  # no weight will move: all weights are zero, or all their gradients
    lookups: Collection[str]  # embeddings: a step may look up any of their rows or none
    outputs: Collection[str]  # names after the last layer that has a gradient


def of_step(
    step: Mapping[str, Statistics], before: Mapping[str, Statistics], limits: Thresholds, lookups: Collection[str]
) -> Iterator[tuple[str, Finding]]:
    """Yield what is wrong with a step, by name; `before` is the last record under each name from earlier steps."""
    weights = [now["weight_rms"] for now in step.values() if "weight_rms" in now]
    gradients = [now["weight_gradient_rms"] for now in step.values() if "weight_gradient_rms" in now]
    names = list(step)
    layers = [place for place, name in enumerate(names) if "gradient_norm" in step[name]]
    context = Context(
        waits=0 in weights,
        stuck=not any(rms != 0 for rms in weights) or not any(rms != 0 for rms in gradients),
        lookups=lookups,
        outputs=frozenset(names[layers[-1] + 1 :] if layers else ()),
    )
    for name, now in step.items():
        for finding in of_one(name, now, before.get(name, {}), limits, context):
            yield name, finding
    for finding in of_all(step, limits, context.waits):
        yield "", finding


def of_one(name: str, now: Statistics, before: Statistics, limits: Thresholds, context: Context) -> Iterator[Finding]:
    """Yield what is wrong with one layer or parameter; `before` is its last record from earlier steps."""
    if now.get("nonfinite"):
        yield Finding("non-finite", now["nonfinite"], 0, "is not finite")
    gradient, ratio = now.get("weight_gradient_rms"), now.get("update_ratio")
    equal = [now[key] for key in ("weight_equal", "weight_gradient_equal") if key in now]
    if equal and min(equal) > limits.symmetric and (gradient != 0 or context.stuck):
        also = ", and so are their gradients" if len(equal) == 2 else ""
        what = f"has equal units: {min(equal):.0%} of the compared rows are alike{also}"
        yield Finding("symmetric", min(equal), limits.symmetric, what)
    if now.get("dead", 0) > limits.dead_layer:
        yield Finding("dead", now["dead"], limits.dead_layer, f"has {now['dead']:.0%} dead units")
    if _above(now.get("saturated"), limits.saturated_layer) and name not in context.outputs:
        yield Finding("saturated", now["saturated"], limits.saturated_layer, f"is {now['saturated']:.0%} saturated")
    if _above(ratio, limits.largest_update):
        yield Finding("update", ratio, limits.largest_update, f"has updates {ratio:.3g} times its weights")
    if name in context.lookups or (gradient == 0 and context.waits):
        return
    if _below(gradient, limits.gradient):
        last = before.get("weight_gradient_rms")
        if _below(last, limits.gradient) and gradient <= last:
            yield Finding("vanishing", gradient, limits.gradient, f"has a gradient of RMS {gradient:.2g}")
        return  # small updates are only its effect
    if _below(ratio, limits.smallest_update) and _below(before.get("update_ratio"), limits.smallest_update):
        yield Finding("update", ratio, limits.smallest_update, f"has updates only {ratio:.2g} times its weights")


def of_all(step: Mapping[str, Statistics], limits: Thresholds, waits: bool) -> Iterator[Finding]:
    """Yield whether gradients, or signals if no gradients were recorded, explode or vanish from layer to layer."""
    what, key, towards = "gradients", "gradient_norm", "input"
    if not any(key in now for now in step.values()):
        what, key, towards = "signals", "activation_rms", "output"
    # A size is None if it overflows although every value was finite: it counts as infinite.
    found = [now[key] for now in step.values() if key in now and not (now[key] is None and now["nonfinite"])]
    sizes = [math.inf if size is None else size for size in (found if what == "signals" else reversed(found))]
    positive = [size for size in sizes if 0 < size < math.inf]
    fewest = max(2, limits.layers)
    if len(sizes) < fewest:
        return
    if math.inf in sizes:
        rate, hops, how = math.inf, len(sizes) - 1, "their squares overflow"
    elif what == "gradients" and positive and sizes[-1] == 0 and not waits:
        rate, hops, how = -math.inf, len(sizes) - 1, "they become 0"
    elif len(positive) >= fewest:
        rate, hops = growth(positive), len(positive) - 1
        how = (
            f"each layer multiplies their mean square by {_exp(rate):.3g}, "
            f"{hops} layers by 10^{rate * hops / math.log(10):.0f}"
        )
    else:
        return
    per_layer = max(1.0, limits.per_layer)
    if abs(rate) <= math.log(per_layer) or abs(rate) * hops <= math.log(max(1.0, limits.over_depth)):
        return
    rule, verb = ("exploding", "explode") if rate > 0 else ("vanishing", "vanish")
    yield Finding(rule, _exp(rate), per_layer ** math.copysign(1, rate), f"{what} {verb}: towards the {towards} {how}")


def growth(sizes: list[float]) -> float:
    """Return the logarithm of the factor by which the squares of positive numbers grow from one to the next.

    It is the median slope of all pairs (Theil and Sen), which one layer that differs, such as a head with small
    weights, does not change much.
    """
    logs = 2 * np.log(sizes)
    first, second = np.triu_indices(len(logs), 1)
    return float(np.median((logs[second] - logs[first]) / (second - first)))


def of_first_loss(loss: float, classes: int, limits: Thresholds) -> Iterator[Finding]:
    """Yield whether the first loss is far from that of a classifier that knows nothing."""
    wanted = math.log(classes)
    excess = loss / wanted - 1
    if abs(excess) > limits.loss:
        far = "more" if excess > 0 else "less"
        what = f"starts at {loss:.3g}, far {far} than ln({classes}) = {wanted:.3g}"
        yield Finding("loss", loss, wanted * (1 + math.copysign(limits.loss, excess)), what)


def advice(finding: Finding, activation: Activation | None, layers: int | None, started: bool) -> str:
    """Suggest one change that may help; `started` means that the network was trained before the step."""
    rule, value, threshold, _ = finding
    slower = "lower the learning rate by 10x"
    if rule == "update":
        powers = max(1, abs(round(math.log10(value / 1e-3)))) if value else 1
        factor = f"{10**powers}x" if powers < 4 else f"a factor of 10^{powers}"
        return f"{'lower' if value > threshold else 'raise'} the learning rate by {factor}"
    if rule == "loss":
        if value < threshold:
            return "check the classes, and that no label is among the inputs"
        return "draw the last layer small: use normal(std=0.01)"
    if started and rule in ("non-finite", "dead", "saturated", "exploding"):
        return slower
    scheme = _scheme(activation, layers)
    if rule == "dead":
        return f"{scheme}, with biases of zero"
    return scheme


def verdict(alarms: list[Alarm], steps: list[int]) -> Verdict:
    """Sum up the alarms of these steps, with a line for each rule that was broken."""
    alarms = [alarm for alarm in alarms if alarm.step in steps]
    began = {alarm.rule: alarm.step for alarm in reversed(alarms)}
    alarms.sort(key=lambda alarm: (began[alarm.rule], RULES.index(alarm.rule)))
    lines = []
    for rule, group in groupby(alarms, key=lambda alarm: alarm.rule):
        first, *others = group
        names = ", ".join(alarm.name or "all layers" for alarm in others[:3])
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        also = f" Also {names}{more}." if others else ""
        lines.append(f"{rule}: {first.message}{also} {first.advice}")
    text = "\n".join(lines) or f"healthy: no alarm in {len(steps)} recorded steps"
    return Verdict(not alarms, tuple(alarms), text)


def _scheme(activation: Activation | None, layers: int | None) -> str:
    if activation is None:
        return "use he_normal for ReLU and its like, xavier_normal for tanh"
    depth = layers if layers and layers > 1 else None  # if one layer is recorded, the network may still have others
    name = recommend(activation, depth=depth).name
    if name != "he_normal" or activation == "relu":
        return f"use {name}"
    return f"use {name} with activation={activation!r}"


def _exp(power: float) -> float:
    return math.exp(power) if power < 700 else math.inf


def _above(value: float | None, limit: float) -> TypeGuard[float]:
    return value is not None and value > limit


def _below(value: float | None, limit: float) -> TypeGuard[float]:
    return value is not None and value < limit
