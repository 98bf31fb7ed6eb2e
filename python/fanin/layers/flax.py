"""Describe the layers of flax.linen, with the defaults of Flax 0.12.

Names are the paths of variables within the layer and their collection.
"""

from __future__ import annotations

from ..arrays.types import Activation, Layout
from ..schemes import VarianceScaling, lecun_normal, orthogonal
from .base import ParameterSpec, ParameterSpecs, constants, dense, within


def linear(inputs: int, outputs: int, bias: bool, activation: Activation) -> ParameterSpecs:
    """Describe Dense."""
    return dense((inputs, outputs), _lecun(), (outputs,), bias)


def conv(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe Conv, which calls the groups feature_group_count."""
    return dense((*size, inputs // groups, outputs), _lecun(), (outputs,), bias)


def conv_transposed(
    inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe ConvTranspose made without transpose_kernel."""
    if groups != 1:
        raise ValueError(f"groups must be 1: transposed convolutions of Flax have none; got {groups}")
    return dense((*size, inputs, outputs), _lecun(), (outputs,), bias)


def depthwise_conv(
    channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
) -> ParameterSpecs:
    """Describe a convolution with as many groups as channels."""
    return conv(channels, channels * multiplier, size, channels, bias, activation)


def embedding(count: int, features: int, padding: int | None) -> ParameterSpecs:
    """Describe Embed, whose std is 1/√features."""
    if padding is not None:
        raise ValueError(f"padding must be None: an Embed of Flax has no row of zeros; got {padding}")
    return {"embedding": ParameterSpec((count, features), lecun_normal(layout="OI"))}


def batch_norm(features: int) -> ParameterSpecs:
    """Describe BatchNorm, whose `mean` and `var` are in the collection batch_stats."""
    return constants((features,), scale=1.0, bias=0.0, mean=0.0, var=1.0)


def layer_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe LayerNorm."""
    return constants(shape, scale=1.0, bias=0.0)


def group_norm(channels: int) -> ParameterSpecs:
    """Describe GroupNorm."""
    return constants((channels,), scale=1.0, bias=0.0)


def rms_norm(shape: tuple[int, ...]) -> ParameterSpecs:
    """Describe RMSNorm."""
    return constants(shape, scale=1.0)


def rnn(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe SimpleCell."""
    return _recurrent(inputs, hidden, ("",), ("i",), bias)


def lstm(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe LSTMCell and OptimizedLSTMCell."""
    return _recurrent(inputs, hidden, ("i", "f", "g", "o"), ("hi", "hf", "hg", "ho"), bias)


def gru(inputs: int, hidden: int, bias: bool) -> ParameterSpecs:
    """Describe GRUCell."""
    return _recurrent(inputs, hidden, ("r", "z", "n"), ("ir", "iz", "in", "hn"), bias)


def attention(features: int, heads: int, key_features: int, value_features: int, bias: bool) -> ParameterSpecs:
    """Describe MultiHeadDotProductAttention, which flattens its kernels to matrices before it counts their fans."""
    each = (heads, features // heads)
    layer: ParameterSpecs = {}
    for part, size in {"query": features, "key": key_features, "value": value_features}.items():
        layer |= within(f"{part}/", dense((size, *each), _lecun("IOO"), each, bias))
    return layer | within("out/", dense((*each, features), _lecun("IIO"), (features,), bias))


def head(inputs: int, classes: int, bias: bool) -> ParameterSpecs:
    """Describe Dense."""
    return dense((inputs, classes), _lecun(), (classes,), bias)


def _lecun(layout: Layout = "IO") -> VarianceScaling:
    return lecun_normal(layout=layout, truncate=2.0)


def _recurrent(inputs: int, hidden: int, gates: tuple[str, ...], biased: tuple[str, ...], bias: bool) -> ParameterSpecs:
    """Describe, for each gate, a kernel from the input and an orthogonal one from the state.

    `biased` names the kernels that have a bias.
    """
    if not bias:
        raise ValueError("bias must be True: cells of Flax have no such option; got False")
    layer: ParameterSpecs = {}
    for side, size, scheme in (("i", inputs, _lecun()), ("h", hidden, orthogonal(layout="IO"))):
        for part in (side + gate for gate in gates):
            layer |= within(f"{part}/", dense((size, hidden), scheme, (hidden,), part in biased))
    return layer
