"""Describe layers for sequences: recurrent ones and attention."""

from __future__ import annotations

from .arguments import LIBRARIES, dimension, divides
from .base import Framework, ParameterSpecs
from .layer import layer


@layer
def rnn(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a recurrent layer without gates, in one direction; `lstm` says whose names it has.

    Parameters
    ----------
    bias : bool
        Whether the layer has biases: two in torch, one in Keras; in Flax it always has. Default True.

    Examples
    --------
    >>> list(rnn(64, 128, framework="keras"))
    ['kernel', 'recurrent_kernel', 'bias']
    """
    return LIBRARIES[framework].rnn(inputs, hidden, bias)


@layer
def lstm(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a layer of long short-term memory, in one direction, with gates in the framework's order.

    The names are those of the first layer of torch's LSTM, or those of the cells of Keras and Flax. A layer that wraps
    a cell puts its name before them: for keras.layers.LSTM let the prefix of `draw` end in "lstm_cell/".

    Parameters
    ----------
    bias : bool
        Whether the layer has biases: two in torch, one in Keras; in Flax it always has. Default True.

    Examples
    --------
    >>> {name: shape for name, (shape, scheme) in lstm(64, 128).items()}  # doctest: +NORMALIZE_WHITESPACE
    {'weight_ih_l0': (512, 64), 'weight_hh_l0': (512, 128), 'bias_ih_l0': (512,), 'bias_hh_l0': (512,)}
    """
    return LIBRARIES[framework].lstm(inputs, hidden, bias)


@layer
def gru(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a layer of gated recurrent units, in one direction, with gates in the framework's order.

    Its names are those that `lstm` describes.

    Parameters
    ----------
    bias : bool
        Whether the layer has biases: two in torch; in Keras a bias of two rows; in Flax it always has. Default True.

    Examples
    --------
    >>> gru(64, 128, framework="keras")["bias"].shape
    (2, 384)
    """
    return LIBRARIES[framework].gru(inputs, hidden, bias)


@layer
def attention(
    features: int,
    heads: int,
    *,
    key_features: int | None = None,
    value_features: int | None = None,
    bias: bool = True,
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """Describe attention with several heads, of features/heads features each.

    Parameters
    ----------
    features : int
        The number of features of what queries are computed from, and of the output.
    key_features : int, optional
        The number of features of what keys are computed from. Default: `features`.
    value_features : int, optional
        The number of features of what values are computed from. Default: `features`.
    bias : bool
        Whether the layer has biases. Default True.

    Examples
    --------
    >>> list(attention(64, 8, framework="torch"))
    ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias']
    >>> attention(64, 8, key_features=32, framework="flax")["key/kernel"].shape
    (32, 8, 8)
    """
    divides("heads", heads, features=features)
    keys = features if key_features is None else dimension("key_features", key_features)
    values = features if value_features is None else dimension("value_features", value_features)
    return LIBRARIES[framework].attention(features, heads, keys, values, bias)
