"""Describe the layers of torch.nn, with the defaults of the modules in torch/nn/modules of torch 2.13.

Names are those of a state_dict.
"""

from __future__ import annotations

import math

from ..arrays.types import Activation
from ..fans import Fans
from ..schemes import Uniform, he_uniform, xavier_uniform
from ..schemes import embedding as embedding_rows
from .base import ParameterSpec, ParameterSpecs, constants, within

# All layers but recurrent ones draw by kaiming_uniform_(a=√5): its gain is √(1/3), which makes the bound 1/√fan_in.
_GAIN = float.fromhex("0x1.279a74590331cp-1")


def linear(inputs: int, outputs: int, bias: bool, activation: Activation) -> ParameterSpecs:
    """Describe Linear."""
    return _weighted((outputs, inputs), outputs, bias)


def conv(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe Conv1d to Conv3d."""
    return _weighted((outputs, inputs // groups, *size), outputs, bias)


def conv_transposed(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe ConvTranspose1d to ConvTranspose3d; what torch takes for fan_in counts the output channels."""
    return _weighted((inputs, outputs // groups, *size), outputs, bias)


def depthwise_conv(
    channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe a convolution with as many groups as channels."""
    return conv(channels, channels * multiplier, size, channels, bias, activation)


def embedding(count: int, features: int, padding: int | None) -> ParameterSpecs:
    """Describe Embedding."""
    return {"weight": ParameterSpec((count, features), embedding_rows(1.0, padding=padding))}


def batch_norm(features: int) -> ParameterSpecs:
    """Describe BatchNorm1d to BatchNorm3d, without the integer num_batches_tracked, which load_state_dict can miss."""
    return constants((features,), weight=1.0, bias=0.0, running_mean=0.0, running_var=1.0)


def layer_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe LayerNorm."""
    return constants(shape, weight=1.0, bias=0.0)


def group_norm(channels: int) -> ParameterSpecs:
    """Describe GroupNorm."""
    return constants((channels,), weight=1.0, bias=0.0)


def rms_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe RMSNorm."""
    return constants(shape, weight=1.0)


def rnn(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe RNN."""
    return _recurrent(1, inputs, hidden, bias)


def lstm(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe LSTM, whose gates are input, forget, cell, output."""
    return _recurrent(4, inputs, hidden, bias)


def gru(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe GRU, whose gates are reset, update, new."""
    return _recurrent(3, inputs, hidden, bias)


def attention(features: int, heads: int, key_features: int, value_features: int, bias: bool) -> ParameterSpecs:
    """Describe MultiheadAttention; torch draws the fused weight as one matrix, with a smaller bound than three."""
    shapes = {"in_proj_weight": (3 * features, features)}
    if not features == key_features == value_features:
        sizes = {"q": features, "k": key_features, "v": value_features}
        shapes = {f"{name}_proj_weight": (features, size) for name, size in sizes.items()}
    layer = {name: ParameterSpec(shape, xavier_uniform(convention="torch")) for name, shape in shapes.items()}
    output = _weighted((features, features), features, bias=False)
    if bias:
        layer |= constants((3 * features,), in_proj_bias=0.0)
        output |= constants((features,), bias=0.0)
    return layer | within("out_proj.", output)


def head(inputs: int, classes: int, bias: bool) -> ParameterSpecs:
    """Describe Linear."""
    return _weighted((classes, inputs), classes, bias)


def _weighted(shape: tuple[int, ...], outputs: int, bias: bool) -> ParameterSpecs:
    """Describe a weight and a bias, both uniform within ±1/√fan_in, where fan_in is the weight's."""
    layer = {"weight": ParameterSpec(shape, he_uniform(gain=_GAIN, convention="torch"))}
    if bias:
        layer["bias"] = ParameterSpec((outputs,), _symmetric(Fans.of(shape, None, convention="torch").fan_in))
    return layer


def _recurrent(gates: int, inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe weights and both biases, all uniform within ±1/√hidden."""
    units = gates * hidden
    shapes: dict[str, tuple[int, ...]] = {"weight_ih_l0": (units, inputs), "weight_hh_l0": (units, hidden)}
    if bias:
        shapes |= {"bias_ih_l0": (units,), "bias_hh_l0": (units,)}
    return {name: ParameterSpec(shape, _symmetric(hidden)) for name, shape in shapes.items()}


def _symmetric(fan: int) -> Uniform:
    """Return the uniform distribution within ±1/√fan."""
    bound = 1.0 / math.sqrt(fan) if fan else 0.0
    return Uniform(-bound, bound)
