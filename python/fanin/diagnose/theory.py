"""What mean-field theory says of a network before it is drawn: how signals and gradients grow from layer to layer."""

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
    """What `predict` expects of every layer, first to last; of "rnn" every step.

    Parameters
    ----------
    signal : array (depth,)
        RMS of the activations, what `Network.hidden` holds.
    preactivation : array (depth,)
        RMS of what the activation function is given, so after norm.
    gradient : array (depth,)
        RMS of the gradient by that, relative to the last layer's; NaN if that is 0.
    slope : float
        Of log gradient² by layer, fitted by least squares as `probe` does: positive if gradients vanish towards the
        input, negative if they explode; infinite if none arrives. 0 for one layer.
    chi : float
        By what a layer multiplies gradient² on its way back, once depth has settled the variance.
    phase : str
        "ordered" if chi < 1, "chaotic" if chi > 1, and "critical" within 1e-4: then powers of the depth may be left.
    """

    signal: Values
    preactivation: Values
    gradient: Values
    slope: float
    chi: float
    phase: Phase


class _Weights(NamedTuple):
    """By what a layer's weights multiply mean squares, forward and backward: E w² times fan_in and fan_out."""

    forward: float
    backward: float

    @classmethod
    def of(cls, scheme: Scheme, shape: tuple[int, ...]) -> _Weights:
        square = _second_moment(scheme, shape)
        return cls(square * math.prod(shape[1:]), square * shape[0] * math.prod(shape[2:]))


def predict(stack: Stack, *, inputs: tuple[int, ...] | None = None, input_square: float = 1.0) -> Prediction:
    """The expected RMS of activations and gradients in every layer of a stack, at its depth.

    Parameters
    ----------
    stack : Stack
        Of kind "dense", "conv" or "rnn".
    inputs : tuple of int, optional
        The shape of one example, as for `Network`: (features,), (channels, height, width) or (steps, features).
        Default: as many features or channels as the stack is wide, and as many steps as it is deep.
    input_square : float
        Mean square of the inputs' elements, whose mean is 0. Default 1, that of standardized inputs.

    Returns
    -------
    Prediction
        Arrays of depth elements, for "rnn" of as many as there are steps.

    Raises
    ------
    ValueError
        For "lstm", whose gates have no such theory here; inputs of another length; an input_square that is negative or
        not finite; and as of `MeanField`.

    Notes
    -----
    Layer by layer, with mean squares p of W·x + b, s of x, and δ² of the gradient by x,

    - p = σw²·s + σb², with norm then q = 1 by a factor 1/v, without q = p and v = 1;
    - s = E f(√q·z)², with `residual` plus the s before and twice the product of both means;
    - δ² before = δ²·(E f'(√q·z)²·E w²·fan_out/v), with `residual` plus δ².

    v is p with layer norm. Batch norm subtracts what examples have in common, so v = σw²·(s - E[f(√q·z)]²): for ReLU a
    layer then multiplies δ² by π/(π - 1) (Yang et al., 2019). With residual branches s grows, and E[…] is the sum of
    all branches' means.

    Left out are terms in depth/width and, with batch norm, in 1/batch; correlation between examples, which batch norm
    would subtract, and between the positions of an image; and that the steps of "rnn" share their weights. Without
    norm, residual branches of ReLU and others with E f ≠ 0 add up along one direction, in which gradients grow faster:
    from 1/width it outgrows the rest after some 15 layers, and they explode faster than predicted. The mean square of
    weights and biases whose mean is not 0 counts as their variance, right for an identity, and wrong for constant
    weights and large constant biases.

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
        # Of log gradient² relative to the last layer's; back[0] leads to the inputs.
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
    """The first layer's weights and the others', what is added to their mean square, and the number of layers."""
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
    """By what a layer multiplies gradient² in the limit of depth; `start`: mean square of the first activation."""
    f = stack.activation
    if stack.residual:  # x grows without end: a norm then divides by all of it, and else f sees infinite signals
        return 1.0 if stack.norm else 1.0 + weights.backward * gaussian.slope_square(f, math.inf)
    if stack.norm is None:
        field = MeanField(f, weights.forward, bias, start or 1.0)
        return field.chi * (weights.backward / weights.forward if weights.forward else 0.0)
    centred = gaussian.mean(f, 1.0) ** 2 if stack.norm == "batch" else 0.0
    variance = weights.forward * (gaussian.square(f, 1.0) - centred) + (bias if stack.norm == "layer" else 0.0)
    return weights.backward * gaussian.slope_square(f, 1.0) / (variance + EPSILON)
