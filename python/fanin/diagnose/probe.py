"""Run a drawn stack forward and backward once, and measure what its signals and gradients do."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays.types import Activation
from ..sampling import normal
from ..signals import activations
from .network import Network
from .report import LIMITS, Profile, Report
from .slopes import least_squares, student
from .stack import Stack
from .theory import Prediction, predict

__all__ = ["Report", "probe"]

FLAT = 1 - LIMITS.saturation**2  # an activation is saturated below this share of its largest slope: tanh beyond ±0.97
LARGEST_JACOBIAN = 1024  # rows of the largest Jacobian that is computed; larger ones take minutes


def probe(
    stack: Stack,
    x: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    seed: int = 0,
    draws: int = 1,
    classes: int | None = None,
) -> Report:
    """Draw a stack and run data forward and gradients backward through it.

    Parameters
    ----------
    stack : Stack
        The network; its weights are drawn in float32.
    x : array (n, *inputs)
        Examples, as the network will be trained on: (n, features) for "dense", (n, channels, height, width) for "conv",
        (n, steps, features) for "rnn" and "lstm". A hundred or more are needed to tell dead units from rarely active
        ones.
    labels : array of int (n,), optional
        The classes of the examples: gradients are then those of the mean cross-entropy. Default: gradients are those of
        a random linear function of the logits, always the same, so that they do not depend on the head's outputs.
    seed : int
        The seed of the first draw; the next draw has the next seed. Default 0.
    draws : int
        How many times weights are drawn. Default 1; five give a reliable interval.
    classes : int, optional
        The number of classes. Default: one more than the largest label, at least 2; or 10 without labels.

    Returns
    -------
    Report
        What was measured in each layer, the slope of gradients beside that of theory, and a verdict. It prints as a
        table.

    Raises
    ------
    ValueError
        If x is not finite or does not fit the stack, labels do not fit x, there is less than one draw, or the
        activation has jumps.

    Examples
    --------
    >>> import fanin
    >>> x = fanin.normal((100, 64), seed=0, name="x")
    >>> xavier = probe(Stack(weights=fanin.schemes.xavier_normal(layout="OI"), depth=20), x)
    >>> print(xavier.verdict()[0].partition(":")[0])
    gradients vanish
    >>> probe(Stack(weights=fanin.schemes.he_normal(layout="OI"), depth=20), x).verdict()
    ()
    """
    examples = np.asarray(x, np.float32)
    if not np.isfinite(examples).all():
        raise ValueError(f"x must be finite, got {np.count_nonzero(~np.isfinite(examples))} values that are not")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    if labels is not None and np.asarray(labels).dtype.kind not in "iu":
        raise ValueError(f"labels must be integers, got {np.asarray(labels).dtype}")
    if classes is None:
        classes = 10 if labels is None else max(2, int(np.max(labels, initial=0)) + 1)
    if stack.norm == "batch" and len(examples) == 1 and stack.kind == "dense":
        raise ValueError("x must have more than one example for batch normalization, got 1")
    if stack.norm == "layer" and stack.width == 1:
        raise ValueError("width must be more than 1 for layer normalization, got 1")
    passes = [
        _Pass(Network(stack, examples.shape[1:], classes, seed=seed + draw), examples, labels, jacobian=draw == 0)
        for draw in range(draws)
    ]
    slope, interval = _fit([each.gradient for each in passes])

    def average(name: str) -> Profile:
        values: Profile = np.mean([getattr(each, name) for each in passes], axis=0)
        return values

    def root(name: str) -> Profile:
        values: Profile = np.sqrt(np.mean(np.square([getattr(each, name) for each in passes]), axis=0))
        return values

    with np.errstate(invalid="ignore", over="ignore"):
        part = "steps" if stack.kind in ("rnn", "lstm") else "layers"
        return Report(
            stack=stack,
            names=tuple(f"{part}.{number}" for number in range(len(passes[0].gradient))),
            mean=average("mean"),
            std=root("std"),
            rms=root("rms"),
            dead=average("dead"),
            saturated=average("saturated"),
            gradient=root("gradient"),
            weight_gradient=root("weight_gradient"),
            singular_values=passes[0].singular_values,
            slope=slope,
            interval=interval,
            prediction=_prediction(stack, examples),
            loss=None if labels is None else float(average("loss")),
            classes=classes,
            symmetric=passes[0].symmetric,
        )


class _Pass:
    """Hold what was measured in one draw."""

    def __init__(self, network: Network, x: NDArray[np.float32], labels: ArrayLike | None, jacobian: bool) -> None:
        self.loss = math.nan
        if labels is None:
            gradient = normal(network.forward(x).shape, std=1 / len(x), seed=0, name="diagnose.probe")
        else:
            self.loss, gradient = network.loss(x, labels)
        network.backward(gradient)
        with np.errstate(invalid="ignore", over="ignore"):
            hidden = [values.astype(np.float64) for values in network.hidden]
            self.mean = np.array([values.mean() for values in hidden])
            self.std = np.array([values.std() for values in hidden])
            self.rms = np.array([_rms(values) for values in hidden])
            self.dead, self.saturated = _flat(network)
            self.gradient = np.array([_rms(values) for values in network.signals])
            self.weight_gradient = np.array([_rms(values) for values in _weight_gradients(network)])
        self.singular_values = _singular_values(network, x[0]) if jacobian else np.empty(0)
        self.symmetric = tuple(_symmetric(network))


def _rms(values: NDArray[np.floating[Any]]) -> float:
    """Compute the RMS in float64, where squares of float32 neither underflow nor overflow."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _flat(network: Network) -> tuple[Profile, Profile]:
    """Return the share of dead units, and of saturated activations, in every layer."""
    stack = network.stack
    slope = activations.derivative(stack.activation)
    has_zero, saturates, largest = _shape(stack.activation)
    dead, saturated = np.zeros(len(network.hidden)), np.zeros(len(network.hidden))
    if not (has_zero or saturates):
        return dead, saturated
    for layer, z in enumerate(network.preactivations):
        units = z[:, 2 * stack.width : 3 * stack.width] if stack.kind == "lstm" else z.reshape(-1, stack.width)
        slopes = np.abs(slope(units))
        if has_zero:
            dead[layer] = ((slopes != 0).mean(axis=0) < LIMITS.dead_unit).mean()
        if saturates:
            saturated[layer] = (slopes < FLAT * largest).mean()
    return dead, saturated


@functools.lru_cache(maxsize=64)
def _shape(activation: Activation) -> tuple[bool, bool, float]:
    """Return whether an activation has slope 0 in some region, whether it saturates, and its largest slope."""
    z = np.linspace(-30, 30, 2401)
    with np.errstate(all="ignore"):
        slopes = np.abs(activations.derivative(activation)(z))
    zero = slopes[np.abs(z) <= 5] == 0  # further out, slopes of smooth functions round to 0
    flat = slopes < FLAT * slopes.max()
    near = (np.abs(z) <= 0.1) & (z != 0)  # without 0, where kinks are
    saturates = flat[np.abs(z) >= 20].all() and not flat[near].any()
    return bool((zero[1:] & zero[:-1]).any()), bool(saturates), float(slopes.max())


def _weight_gradients(network: Network) -> Iterator[NDArray[np.floating[Any]]]:
    if network.stack.kind in ("rnn", "lstm"):
        before = [np.zeros_like(network.hidden[0]), *network.hidden[:-1]]
        return (signal.T @ hidden for signal, hidden in zip(network.signals, before, strict=True))
    return (network.gradients[f"layers.{layer}.weight"] for layer in range(network.stack.depth))


def _singular_values(network: Network, example: NDArray[np.float32]) -> Profile:
    state = network.hidden[0][0].size * (2 if network.stack.kind == "lstm" else 1)
    if state > LARGEST_JACOBIAN:
        return np.empty(0)
    jacobian = network.jacobian(example).astype(np.float64)
    values = np.linalg.svd(jacobian, compute_uv=False) if np.isfinite(jacobian).all() else np.full(state, np.nan)
    return np.asarray(values, np.float64)


def _symmetric(network: Network) -> Iterator[str]:
    """Yield the weights of layers whose units all have the same weights and biases."""
    layers: dict[str, list[str]] = {}
    for name in network.parameters:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    layers.pop("head")
    for names in layers.values():
        parts = [network.parameters[name] for name in names]
        units = len(parts[0]) // (4 if network.stack.kind == "lstm" else 1)
        skips = network.stack.residual and parts[0].shape[0] == parts[0].shape[1]
        gates = [gate for part in parts for gate in part.reshape(-1, units, *part.shape[1:])]
        if units > 1 and not skips and all((gate == gate[0]).all() for gate in gates):
            yield from (name for name, part in zip(names, parts, strict=True) if part.ndim > 1)


def _prediction(stack: Stack, x: NDArray[np.float32]) -> Prediction | None:
    if stack.kind == "lstm":
        return None
    return predict(stack, inputs=x.shape[1:], input_square=float(np.mean(np.square(x, dtype=np.float64))))


def _fit(gradients: Sequence[Profile]) -> tuple[float, tuple[float, float]]:
    """Fit the slope of log gradient² by layer; return it with its 95 % interval."""
    with np.errstate(divide="ignore"):  # a gradient of 0 has no logarithm, so it is left out
        fits = [least_squares(2 * np.log(each)) for each in gradients]
    slopes = np.array([slope for slope, *_ in fits])
    slope = float(slopes.mean())
    if len(fits) == 1:
        _, error, freedom = fits[0]
    else:
        error, freedom = float(slopes.std(ddof=1)) / math.sqrt(len(fits)), len(fits) - 1
    half = student(freedom) * error if freedom > 0 else math.inf
    return (slope, (slope - half, slope + half)) if math.isfinite(slope) else (math.nan, (math.nan, math.nan))
