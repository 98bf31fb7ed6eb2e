"""Predict by mean-field theory, before weights are drawn, how signals and gradients grow from layer to layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import schemes
from ..schemes import Scheme
from ..signals import gaussian
from ..signals.meanfield import MeanField, Phase, Values, critical_weight_variance, phase_diagram, phase_of, require
from .feedforward import EPSILON
from .slopes import least_squares
from .stack import Stack

__all__ = ["MeanField", "Prediction", "critical_weight_variance", "phase_diagram", "predict"]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Hold what `predict` expects of every layer, first to last, or of every step for "rnn".

    Parameters
    ----------
    signal : array (depth,)
        The RMS of the activations, which `Network.hidden` holds.
    preactivation : array (depth,)
        The RMS of what the activation function is given, after any norm.
    gradient : array (depth,)
        The RMS of the gradient with respect to that, relative to the last layer's; NaN if the last one is 0.
    slope : float
        The slope of log gradient² by layer, fitted by least squares as `probe` does: positive if gradients vanish
        towards the input, negative if they explode, infinite if none arrives. It is 0 for one layer.
    chi : float
        The factor by which a layer multiplies gradient² on its way back, once the variance has settled with depth.
    phase : str
        "critical" if chi is within 1e-4 of 1, so that gradients change at most by powers of the depth; else "ordered"
        if chi < 1 and "chaotic" if chi > 1.
    """

    signal: Values
    preactivation: Values
    gradient: Values
    slope: float
    chi: float
    phase: Phase


class _Weights(NamedTuple):
    """Hold the factors by which weights multiply mean squares, forward and backward: E w² times fan_in, and fan_out."""

    forward: float
    backward: float

    @classmethod
    def of(cls, scheme: Scheme, shape: tuple[int, ...]) -> _Weights:
        square = _second_moment(scheme, shape)
        return cls(square * math.prod(shape[1:]), square * shape[0] * math.prod(shape[2:]))


def predict(stack: Stack, *, inputs: tuple[int, ...] | None = None, input_square: float = 1.0) -> Prediction:
    """Predict the RMS of activations and gradients in every layer of a stack.

    Parameters
    ----------
    stack : Stack
        The network, of kind "dense", "conv" or "rnn".
    inputs : tuple of int, optional
        The shape of one example, as for `Network`: (features,), (channels, height, width) or (steps, features).
        Default: as many features or channels as the stack is wide, and as many steps as it is deep.
    input_square : float
        The mean square of the inputs' elements, whose mean is 0. Default 1, that of standardized inputs.

    Returns
    -------
    Prediction
        Its arrays have an element for each layer, or for each step for "rnn".

    Raises
    ------
    ValueError
        If the stack is an "lstm", whose gates have no such theory here; if inputs have another length, input_square is
        negative or not finite, or `MeanField` refuses the activation.

    Notes
    -----
    Let p be the mean square of W·x + b, s that of x, and δ² that of the gradient with respect to x. From layer to layer

    - p = σw²·s + σb². With a norm, q = 1, since p is divided by v; without one, q = p and v = 1;
    - s becomes E f(√q·z)²; with `residual` the old s is added, and twice the product of both means;
    - δ² before the layer is δ²·E f'(√q·z)²·E w²·fan_out/v; with `residual` δ² is added.

    With layer norm v is p. Batch norm subtracts what examples have in common, so v = σw²·(s - E[f(√q·z)]²): a layer
    with ReLU then multiplies δ² by π/(π - 1) (Yang et al., 2019). With residual branches s grows, and E[…] is the sum
    of all branches' means.

    The theory leaves out terms in depth/width and, with batch norm, in 1/batch; correlations between examples, which
    batch norm would subtract, and between the positions of an image; and that the steps of "rnn" share their weights.
    Without a norm, residual branches of ReLU and other f with E f ≠ 0 add up along one direction, in which gradients
    grow faster: starting at 1/width it outgrows the rest after some 15 layers, and gradients explode faster than
    predicted. If weights or biases have a mean other than 0, their mean square counts as their variance, which is right
    for an identity and wrong for constant weights and large constant biases.

    References
    ----------
    Schoenholz et al., Deep information propagation, 2017. Yang and Schoenholz, Mean field residual networks, 2017. Xiao
    et al., 2018: convolutions. Chen, Pennington and Schoenholz, 2018: recurrent nets. Yang et al., A mean field theory
    of batch normalization, 2019.

    Examples
    --------
    >>> xavier = predict(Stack(weights=schemes.xavier_normal(layout="OI"), depth=30))
    >>> xavier.signal[[0, -1]].round(6)  # the variance halves in every layer: He et al. (2015)
    array([7.07107e-01, 3.10000e-05])
    >>> round(xavier.slope, 4), round(xavier.chi, 4), xavier.phase
    (0.6931, 0.5, 'ordered')
    """
    first, hidden, bias, depth = _propagators(stack, inputs, input_square)
    f = stack.activation
    total, mean = 0.0 if stack.kind == "rnn" else input_square, 0.0
    signal, preactivation, slopes, back = np.zeros((4, depth))
    for layer in range(depth):
        weights = hidden if layer else first
        skip = stack.residual and (layer > 0 or inputs is None or inputs[0] == stack.width)
        p, scale = weights.forward * total + bias, 1.0
        if stack.norm is not None:
            variance = weights.forward * (total - mean * mean) if stack.norm == "batch" else p
            scale = variance + EPSILON
            p = variance / scale
        square = gaussian.square(f, p)
        coherent = gaussian.mean(f, p) if stack.residual or stack.norm == "batch" else 0.0
        total, mean = (total + square + 2 * mean * coherent, mean + coherent) if skip else (square, coherent)
        slope = gaussian.slope_square(f, p)
        signal[layer], preactivation[layer], slopes[layer] = total, p, slope
        back[layer] = slope * weights.backward / scale + skip
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        # These are log gradient² relative to the last layer's; back[0] leads to the inputs and is not used.
        logs = np.append(np.cumsum(np.log(back[:0:-1]))[::-1], 0.0) + np.log(slopes / slopes[-1])
        gradient = np.exp(logs / 2)
    chi = _settled(stack, hidden, bias, signal[0])
    return Prediction(
        signal=np.sqrt(signal),
        preactivation=np.sqrt(preactivation),
        gradient=gradient,
        slope=_slope(logs),
        chi=chi,
        phase=phase_of(chi),
    )


def _propagators(
    stack: Stack, inputs: tuple[int, ...] | None, input_square: float
) -> tuple[_Weights, _Weights, float, int]:
    """Return the weights of the first layer and of the others, what biases add to mean squares, and the depth."""
    if stack.kind == "lstm":
        raise ValueError(
            "kind must be 'dense', 'conv' or 'rnn' to predict, got 'lstm': its gates are beyond mean field"
        )
    require("input_square", input_square)
    width, axes = stack.width, {"dense": 1, "conv": 3, "rnn": 2}[stack.kind]
    if inputs is not None and (len(inputs) != axes or min(inputs) < 1):
        raise ValueError(f"inputs must have {axes} sizes of at least 1 for kind {stack.kind!r}, got {inputs}")
    # Layer norm subtracts what the biases of all units have in common.
    bias = stack.biases.expected_std((width,)) ** 2 if stack.norm == "layer" else _second_moment(stack.biases, (width,))
    if stack.kind == "rnn":
        steps, features = inputs or (stack.depth, width)
        drive = _Weights.of(stack.inputs or schemes.xavier_normal(layout="OI"), (width, features))
        hidden = _Weights.of(stack.weights, (width, width))
        return hidden, hidden, bias + drive.forward * input_square, steps
    kernel = (stack.kernel, stack.kernel) if stack.kind == "conv" else ()
    units = inputs[0] if inputs else width
    first = _Weights.of(stack.inputs or stack.weights, (width, units, *kernel))
    return first, _Weights.of(stack.weights, (width, width, *kernel)), bias, stack.depth


def _slope(logs: Values) -> float:
    if not np.isfinite(logs).all():
        return float(-logs[0])
    return least_squares(logs)[0] if len(logs) > 1 else 0.0


def _second_moment(scheme: Scheme, shape: tuple[int, ...]) -> float:
    return scheme.expected_std(shape) ** 2 + scheme.expected_mean(shape) ** 2


def _settled(stack: Stack, weights: _Weights, bias: float, start: float) -> float:
    """Return the factor by which a layer multiplies gradient² in the limit of depth.

    `start` is the mean square of the first activation.
    """
    f = stack.activation
    if stack.residual:  # x grows without end: a norm divides by all of it, and without a norm f sees infinite signals
        return 1.0 if stack.norm else 1.0 + weights.backward * gaussian.slope_square(f, math.inf)
    if stack.norm is None:
        field = MeanField(f, weights.forward, bias, start or 1.0)
        return field.chi * (weights.backward / weights.forward if weights.forward else 0.0)
    centred = gaussian.mean(f, 1.0) ** 2 if stack.norm == "batch" else 0.0
    variance = weights.forward * (gaussian.square(f, 1.0) - centred) + (bias if stack.norm == "layer" else 0.0)
    return weights.backward * gaussian.slope_square(f, 1.0) / (variance + EPSILON)
