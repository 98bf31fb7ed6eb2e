"""Compare strategies of initialization: probe networks before training, and train them for a few steps."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import schemes
from ..arrays.types import Layer
from ..recommendation import recommend
from ..schemes import Scheme
from ..schemes.registry import REGISTRY
from ..text import nearest, short
from .comparison import Comparison, Outcome, Values, final, mean_and_error
from .network import Network
from .probe import probe
from .report import Report
from .stack import Stack
from .tasks import Task, digits, one_thread, permutation, train

Step: TypeAlias = Callable[[str, Any, int], Any]

_SHORT = {"xavier": "xavier_normal", "he": "he_normal", "lecun": "lecun_normal"}
_PROBED = 256  # examples that a network is probed with


def compare(
    strategies: Mapping[str, Any] | Sequence[str],
    *,
    stack: Stack | None = None,
    task: Task | None = None,
    step: Step | None = None,
    seeds: int = 3,
    steps: int = 200,
    rates: Sequence[float] = (0.003, 0.01, 0.03, 0.1, 0.3),
    batch: int = 64,
) -> Comparison:
    """Compare strategies of initialization on one task, each at the learning rate that suits it best.

    For every strategy and seed the network is probed, then trained by plain SGD from the same weights at each rate. A
    strategy is judged at the rate that gives it the lowest mean final training loss: one rate for all would favour the
    strategy that it happens to suit.

    Parameters
    ----------
    strategies : mapping or sequence of str
        The strategies by name: each is a `Scheme`, which replaces that of the stack's weights, or a whole `Stack`. Or
        only names, such as "xavier", "he" and "orthogonal": see `scheme_named`.
    stack : Stack, optional
        The network. Default: ten dense layers of 64 units with ReLU.
    task : Task, optional
        What the network learns. Default: `digits()`.
    step : callable, optional
        A function that trains instead of plain SGD, with any library: step(name, strategy, seed) returns an iterable
        that trains one step for each loss it yields, or an object with such `losses`, and `accuracy` if that is known.
        The strategy is what was given, or the scheme of a name. Nothing is probed, and task, rates and batch are not
        used. Default: plain SGD.
    seeds : int
        The number of runs of each strategy, with the seeds 0 … seeds - 1, which set weights and the order of examples.
        Default 3.
    steps : int
        The number of training steps. Default 200.
    rates : sequence of float
        The learning rates to choose from. Default 0.003, 0.01, 0.03, 0.1, 0.3.
    batch : int
        The number of examples in a step. Default 64.

    Returns
    -------
    Comparison
        Ranked rows with standard errors, probes, and losses; it prints as a table.

    Raises
    ------
    ValueError
        If there are no strategies or no rates, a name is unknown, seeds or steps are below 1, or `step` returns too few
        losses.
    TypeError
        If a strategy is neither a scheme nor a stack, unless `step` is given.

    Examples
    --------
    >>> from fanin import schemes
    >>> he = schemes.he_normal(layout="OI")
    >>> result = compare({"He": he, "zeros": schemes.zeros()}, steps=100, rates=(0.1,))
    >>> [row.name for row in result.rows], result.better("He", "zeros")
    (['He', 'zeros'], True)
    """
    stack = stack or Stack(weights=schemes.he_normal(layout="OI"), width=64)
    chosen = _strategies(strategies, stack, own=step is not None)
    for name, value in (("seeds", seeds), ("steps", steps)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    rates = tuple(rates)
    if step is None and not rates:
        raise ValueError("rates must not be empty")
    if step is not None:
        runs = {name: _own(step, name, value, seeds, steps) for name, value in chosen.items()}
        title = f"{steps} steps of the given function, {_count(seeds, 'seed')}"
    else:
        task = task or digits()
        runs = {name: _best(value, task, rates, seeds, steps, batch) for name, value in chosen.items()}
        title = f"{_title(task, chosen.values())}, {steps} steps of SGD, {_count(seeds, 'seed')}"
        title += ", best rate of " if len(rates) > 1 else ", rate "
        title += ", ".join(f"{rate:g}" for rate in rates)
    ranked = dict(sorted(runs.items(), key=lambda item: item[1].badness))
    return Comparison(
        title,
        tuple(each.row(name) for name, each in ranked.items()),
        tuple(each.reports for each in ranked.values()),
        np.stack([each.losses for each in ranked.values()]),
    )


def scheme_named(name: str, stack: Stack) -> Scheme:
    """Return the scheme that a name stands for in a stack.

    Parameters
    ----------
    name : str
        The name of a function in `fanin.schemes`, or "xavier", "he" or "lecun" for the normal ones of these. The layout
        is "OI". He's schemes have the gain of the stack's activation, orthogonal ones that of `fanin.recommend`,
        Xavier's and LeCun's gain 1. In an LSTM each gate is a block.
    stack : Stack
        The network that the scheme is for.

    Returns
    -------
    Scheme
        The scheme.

    Raises
    ------
    ValueError
        If the name is unknown, or the function has parameters without a default.

    Examples
    --------
    >>> stack = Stack(weights=schemes.zeros(), activation="relu")
    >>> scheme_named("he", stack) == schemes.he_normal(layout="OI")
    True
    """
    called = _SHORT.get(name, name) if isinstance(name, str) else ""
    function = REGISTRY.get(called)
    if function is None:
        names = [*_SHORT, *REGISTRY]
        raise ValueError(
            f"name must be {', '.join(_SHORT)} or a name of fanin.schemes, got {short(name)}{nearest(name, names)}"
        )
    layer: Layer = "recurrent" if stack.kind in ("rnn", "lstm") else "linear"
    takes = inspect.signature(function).parameters
    options: dict[str, Any] = {"layout": "OI"} if "layout" in takes else {}
    if called.startswith("he_"):
        options["activation"] = stack.activation
    elif "orthogonal" in called:
        options["gain"] = getattr(recommend(stack.activation, layer).scheme, "gain", 1.0)
    if stack.kind == "lstm" and (function is schemes.orthogonal or "fans" in takes):
        options["blocks"] = 4  # gates
    try:
        scheme = function(**options)
    except TypeError as error:
        raise ValueError(f"name must be of a scheme whose parameters have defaults: {error}") from error
    assert isinstance(scheme, Scheme)
    return scheme


class _Runs(NamedTuple):
    """Hold the runs of one strategy at one rate, with every seed."""

    rate: float
    losses: Values  # (seeds, steps)
    accuracies: Values  # (seeds,)
    reports: tuple[Report, ...]

    @property
    def badness(self) -> tuple[float, int]:
        """The final loss and the number of diverged runs, by which strategies and rates are ordered."""
        losses = final(self.losses)
        return float(losses.mean()), int(np.isinf(losses).sum())

    def row(self, name: str) -> Outcome:
        with np.errstate(divide="ignore", invalid="ignore"):
            gradients = [np.log(report.gradient) for report in self.reports]
            spread = float(np.exp(mean_and_error([each.max() - each.min() for each in gradients])[0]))
        loss, loss_error = mean_and_error(final(self.losses))
        accuracy, accuracy_error = mean_and_error(self.accuracies)
        slope, slope_error = mean_and_error([report.slope for report in self.reports])
        predicted, _ = mean_and_error(
            [report.prediction.slope for report in self.reports if report.prediction is not None]
        )
        return Outcome(
            name=name,
            rate=self.rate,
            loss=loss,
            loss_error=loss_error,
            accuracy=accuracy,
            accuracy_error=accuracy_error,
            slope=slope,
            slope_error=slope_error,
            predicted=predicted,
            spread=spread,
            diverged=self.badness[1],
        )


def _strategies(given: Mapping[str, Any] | Sequence[str], stack: Stack, own: bool) -> dict[str, Any]:
    """Return the stack of each strategy, by name; with the user's own step, what was given."""
    if isinstance(given, str) or not given:
        raise ValueError(f"strategies must be a mapping or a sequence of names, and not empty, got {given!r}")
    chosen = dict(given) if isinstance(given, Mapping) else {name: scheme_named(name, stack) for name in given}
    if own:
        return chosen
    for name, value in chosen.items():
        if not isinstance(value, Scheme | Stack):
            raise TypeError(f"strategies must be schemes or stacks, got {value!r} for {name!r}")
    return {
        name: value if isinstance(value, Stack) else dataclasses.replace(stack, weights=value)
        for name, value in chosen.items()
    }


def _best(stack: Stack, task: Task, rates: Sequence[float], seeds: int, steps: int, batch: int) -> _Runs:
    inputs, shape = task.shaped(stack.kind), task.shape(stack.kind)
    some = permutation(len(inputs), seed=0, name="probe")[:_PROBED]
    with one_thread():
        reports = tuple(
            probe(stack, inputs[some], task.labels[some], seed=seed, classes=task.classes) for seed in range(seeds)
        )

    def at(rate: float) -> _Runs:
        networks = [Network(stack, shape, task.classes, seed=seed) for seed in range(seeds)]
        trained = [
            train(network, task, steps=steps, rate=rate, batch=batch, seed=seed)
            for seed, network in enumerate(networks)
        ]
        losses = np.stack([training.losses for training in trained])
        return _Runs(rate, losses, np.array([training.accuracy for training in trained]), reports)

    return min(map(at, rates), key=lambda runs: runs.badness)


def _own(step: Step, name: str, strategy: Any, seeds: int, steps: int) -> _Runs:
    losses, accuracies = np.full((seeds, steps), np.inf), np.full(seeds, np.nan)
    for seed in range(seeds):
        result: Any = step(name, strategy, seed)
        done = 0
        given = map(float, getattr(result, "losses", result))
        for done, loss in enumerate(itertools.islice(given, steps), 1):
            if not math.isfinite(loss):
                break
            losses[seed, done - 1] = loss
        else:
            if done < steps:
                raise ValueError(f"step must give {steps} losses, got {done} for {name!r} with seed {seed}")
        accuracies[seed] = getattr(result, "accuracy", math.nan)
    return _Runs(math.nan, losses, accuracies, ())


def _title(task: Task, stacks: Iterable[Stack]) -> str:
    """Name the task, and the network if all strategies share it."""
    shapes = {(stack.kind, stack.depth, stack.width, stack.activation) for stack in stacks}
    if len(shapes) > 1:
        return task.name
    kind, depth, width, activation = shapes.pop()
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", str(activation))
    layers = f"{kind} of width {width}" if kind in ("rnn", "lstm") else f"{depth} {kind} layers of width {width}"
    return f"{task.name}, {layers}, {name}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
