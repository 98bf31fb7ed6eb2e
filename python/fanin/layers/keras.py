"""Describe the layers of keras.layers, with the defaults of Keras 3.15.

Names are the paths of variables within the layer. Before its pull request 22789 Keras counted the fans of attention's
kernels as if they were convolutions, and drew them smaller.
"""

from __future__ import annotations

from ..arrays.types import Activation
from ..schemes import Scheme, glorot_uniform, lstm_bias, orthogonal, uniform, zeros
from .base import ParameterSpec, ParameterSpecs, constants, dense, within


def linear(inputs: int, outputs: int, bias: bool, activation: Activation) -> ParameterSpecs:
    """Describe Dense."""
    return _dense((inputs, outputs), outputs, bias)


def conv(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe Conv1D to Conv3D."""
    return _dense((*size, inputs // groups, outputs), outputs, bias)


def conv_transposed(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe Conv1DTranspose to Conv3DTranspose."""
    if groups != 1:
        raise ValueError(f"groups must be 1: transposed convolutions of Keras have none; got {groups}")
    return _dense((*size, outputs, inputs), outputs, bias)


def depthwise_conv(
    channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe DepthwiseConv1D and DepthwiseConv2D; Keras counts all channels as inputs of each filter."""
    return _dense((*size, channels, multiplier), channels * multiplier, bias)


def embedding(count: int, features: int, padding: int | None) -> ParameterSpecs:
    """Describe Embedding."""
    if padding is not None:
        raise ValueError(f"padding must be None: an Embedding of Keras masks rows but draws all; got {padding}")
    return {"embeddings": ParameterSpec((count, features), uniform(-0.05, 0.05))}


def batch_norm(features: int) -> ParameterSpecs:
    """Describe BatchNormalization."""
    return constants((features,), gamma=1.0, beta=0.0, moving_mean=0.0, moving_variance=1.0)


def layer_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe LayerNormalization."""
    return constants(shape, gamma=1.0, beta=0.0)


def group_norm(channels: int) -> ParameterSpecs:
    """Describe GroupNormalization."""
    return constants((channels,), gamma=1.0, beta=0.0)


def rms_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe RMSNormalization."""
    return constants(shape, scale=1.0)


def rnn(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe SimpleRNNCell."""
    return _recurrent(inputs, hidden, hidden, (hidden,) if bias else None)


def lstm(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe LSTMCell, whose gates are input, forget, cell, output."""
    return _recurrent(inputs, hidden, 4 * hidden, (4 * hidden,) if bias else None, lstm_bias())


def gru(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe GRUCell with reset_after: gates update, reset, new; a bias for the inputs and one for the state."""
    return _recurrent(inputs, hidden, 3 * hidden, (2, 3 * hidden) if bias else None)


def attention(features: int, heads: int, key_features: int, value_features: int, bias: bool) -> ParameterSpecs:
    """Describe MultiHeadAttention whose heads together have as many features as the queries."""
    each = (heads, features // heads)
    into, out = glorot_uniform(layout="IOO"), glorot_uniform(layout="IIO")
    layer: ParameterSpecs = {}
    for part, size in {"query": features, "key": key_features, "value": value_features}.items():
        layer |= within(f"{part}/", dense((size, *each), into, each, bias))
    return layer | within("attention_output/", dense((*each, features), out, (features,), bias))


def head(inputs: int, classes: int, bias: bool) -> ParameterSpecs:
    """Describe Dense."""
    return _dense((inputs, classes), classes, bias)


def _dense(kernel: tuple[int, ...], outputs: int, bias: bool) -> ParameterSpecs:
    return dense(kernel, glorot_uniform(convention="keras"), (outputs,), bias)


def _recurrent(
    inputs: int, hidden: int, units: int, bias: tuple[int, ...] | None, scheme: Scheme | None = None
) -> ParameterSpecs:
    """Describe one kernel and one orthogonal matrix that hold all gates; `bias` is the shape of their bias."""
    layer = {
        "kernel": ParameterSpec((inputs, units), glorot_uniform(convention="keras")),
        "recurrent_kernel": ParameterSpec((hidden, units), orthogonal(layout="IO")),
    }
    return layer | ({} if bias is None else {"bias": ParameterSpec(bias, scheme or zeros())})
