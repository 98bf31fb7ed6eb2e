"""Describe layers as fanin recommends them, under torch's names and in torch's shapes."""

from __future__ import annotations

from typing import Unpack

from ..arrays import types
from ..arrays.types import Activation
from ..fans import FanOptions
from ..recommendation import recommend
from ..schemes import Padded, Scheme, gru_bias, lstm_bias
from . import torch
from .base import ParameterSpec, ParameterSpecs

# Normalizations start at ones and zeros in torch too.
batch_norm, layer_norm, group_norm, rms_norm = torch.batch_norm, torch.layer_norm, torch.group_norm, torch.rms_norm


def linear(inputs: int, outputs: int, bias: bool, activation: Activation) -> ParameterSpecs:
    """Describe a linear layer, drawn by He's or Glorot's scheme, as suits the activation that follows."""
    return _drawn(torch.linear(inputs, outputs, bias, activation), weight=_advice("linear", activation))


def conv(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe a convolution, drawn as a linear layer but with the fans of a group."""
    layer = torch.conv(inputs, outputs, size, groups, bias, activation)
    return _drawn(layer, weight=_advice("conv", activation, groups=groups))


def conv_transposed(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe a transposed convolution, drawn as a convolution; unlike torch, count inputs as fan_in."""
    layer = torch.conv_transposed(inputs, outputs, size, groups, bias, activation)
    return _drawn(layer, weight=_advice("conv", activation, groups=groups, transposed=True))


def depthwise_conv(
    channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe a convolution with as many groups as channels."""
    return conv(channels, channels * multiplier, size, channels, bias, activation)


def embedding(count: int, features: int, padding: int | None) -> ParameterSpecs:
    """Describe an embedding with small normal rows, and zeros for the padding token."""
    rows = _advice("embedding")
    return _drawn(torch.embedding(count, features, padding), weight=rows if padding is None else Padded(rows, padding))


def rnn(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe a recurrent layer whose state passes through an orthogonal matrix."""
    return _recurrent(torch.rnn(inputs, hidden, bias), gates=1)


def lstm(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe an LSTM with an orthogonal matrix for each gate and an open forget gate: 1 in one of its two biases."""
    return _recurrent(torch.lstm(inputs, hidden, bias), gates=4, bias_ih_l0=lstm_bias())


def gru(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe a GRU, drawn as an LSTM; its update gate, which keeps the state, starts open."""
    return _recurrent(torch.gru(inputs, hidden, bias), gates=3, bias_ih_l0=gru_bias(order="rzn"))


def attention(features: int, heads: int, key_features: int, value_features: int, bias: bool) -> ParameterSpecs:
    """Describe attention that draws queries, keys and values alike, whether they are fused or not."""
    layer = torch.attention(features, heads, key_features, value_features, bias)
    schemes = {name: _advice("attention") for name in layer if name.endswith("weight")}
    if "in_proj_weight" in layer:
        schemes["in_proj_weight"] = _advice("attention", blocks=3)
    return _drawn(layer, **schemes)


def head(inputs: int, classes: int, bias: bool) -> ParameterSpecs:
    """Describe a last layer whose logits start small."""
    return _drawn(torch.head(inputs, classes, bias), weight=_advice("head"))


def _advice(layer: types.Layer, activation: Activation = "linear", **fans: Unpack[FanOptions]) -> Scheme:
    return recommend(activation, layer, layout="OI", **fans).scheme


def _drawn(layer: ParameterSpecs, **schemes: Scheme) -> ParameterSpecs:
    """Replace the schemes of a layer; parameters that are not named here are biases."""
    bias = _advice("bias")
    return {name: ParameterSpec(shape, schemes.get(name, bias)) for name, (shape, _) in layer.items()}


def _recurrent(layer: ParameterSpecs, gates: int, **biases: Scheme) -> ParameterSpecs:
    weights = {
        "weight_ih_l0": _advice("input", "tanh", blocks=gates),
        "weight_hh_l0": _advice("recurrent", "tanh", blocks=gates),
    }
    return _drawn(layer, **weights, **biases)
