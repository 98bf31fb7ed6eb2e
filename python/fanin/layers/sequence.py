"""Describe layers for sequences: recurrent ones and attention."""

from __future__ import annotations

from ..arguments import flag
from ..entry import entry
from .arguments import dimension, divided, library
from .base import Framework, ParameterSpecs


@entry
def rnn(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a recurrent layer without gates, in one direction.

    Parameters
    ----------
    inputs : int
        The number of input features.
    hidden : int
        The number of features of the state.
    bias : bool
        Whether the layer has biases; in Flax it always has. Default True.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names: see `lstm`.

    Raises
    ------
    ValueError, TypeError
        As `linear` does, and ValueError for no bias in Flax.

    Examples
    --------
    >>> list(rnn(64, 128, framework="keras"))
    ['kernel', 'recurrent_kernel', 'bias']
    """
    return library(framework).rnn(dimension("inputs", inputs), dimension("hidden", hidden), flag("bias", bias))


@entry
def lstm(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a layer of long short-term memory, in one direction, with gates in the framework's order.

    The names are those of the first layer of torch's LSTM, or those of the cells of Keras and Flax. A layer that wraps
    a cell puts its name before them: for keras.layers.LSTM let the prefix of `draw` end in "lstm_cell/".

    Parameters
    ----------
    inputs : int
        The number of input features.
    hidden : int
        The number of features of the state.
    bias : bool
        Whether the layer has biases: two in torch, one in Keras; in Flax it always has. Default True.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does, and ValueError for no bias in Flax.

    Examples
    --------
    >>> {name: shape for name, (shape, scheme) in lstm(64, 128).items()}  # doctest: +NORMALIZE_WHITESPACE
    {'weight_ih_l0': (512, 64), 'weight_hh_l0': (512, 128), 'bias_ih_l0': (512,), 'bias_hh_l0': (512,)}
    """
    return library(framework).lstm(dimension("inputs", inputs), dimension("hidden", hidden), flag("bias", bias))


@entry
def gru(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe a layer of gated recurrent units, in one direction, with gates in the framework's order.

    Parameters
    ----------
    inputs : int
        The number of input features.
    hidden : int
        The number of features of the state.
    bias : bool
        Whether the layer has biases; in Flax it always has. Default True.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names: see `lstm`.

    Raises
    ------
    ValueError, TypeError
        As `linear` does, and ValueError for no bias in Flax.

    Examples
    --------
    >>> gru(64, 128, framework="keras")["bias"].shape
    (2, 384)
    """
    return library(framework).gru(dimension("inputs", inputs), dimension("hidden", hidden), flag("bias", bias))


@entry
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
    heads : int
        The number of heads; it must divide `features`.
    key_features : int, optional
        The number of features of what keys are computed from. Default: `features`.
    value_features : int, optional
        The number of features of what values are computed from. Default: `features`.
    bias : bool
        Whether the layer has biases. Default True.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError
        If the framework is unknown, a size is negative, or `heads` does not divide `features`.
    TypeError
        If a size is not an integer.

    Examples
    --------
    >>> list(attention(64, 8, framework="torch"))
    ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias']
    >>> attention(64, 8, key_features=32, framework="flax")["key/kernel"].shape
    (32, 8, 8)
    """
    size, number = divided("features", features, "heads", heads)
    keys = size if key_features is None else dimension("key_features", key_features)
    values = size if value_features is None else dimension("value_features", value_features)
    return library(framework).attention(size, number, keys, values, flag("bias", bias))
