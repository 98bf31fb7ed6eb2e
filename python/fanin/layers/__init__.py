"""Whole layers: the names, shapes and schemes of their parameters, as a framework has them or as fanin recommends.

`framework` says which: "torch" is torch.nn, "keras" is keras.layers, "flax" is flax.linen, each with its own defaults;
"fanin" is what `fanin.recommend` says, under torch's names.

Examples
--------
>>> import fanin
>>> from fanin import layers
>>> lstm = layers.lstm(64, 128)
>>> lstm["weight_hh_l0"].scheme.describe()
'orthogonal(gain=1, blocks=4, layout=OI)'
>>> weights = layers.draw(lstm, seed=0, prefix="encoder.")
>>> weights["encoder.weight_hh_l0"].shape
(512, 128)
"""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import flag
from ..arrays.types import Activation, Array, DType, Seed, Shape
from ..entry import entry
from ..text import short
from .arguments import channels_and_kernel, dimension, divided, extents, followed, library, row, sizes, specs
from .base import Framework, ParameterSpec, ParameterSpecs

__all__ = [
    "ParameterSpec",
    "attention",
    "batch_norm",
    "conv",
    "conv_transposed",
    "depthwise_conv",
    "draw",
    "embedding",
    "group_norm",
    "gru",
    "head",
    "layer_norm",
    "linear",
    "lstm",
    "rms_norm",
    "rnn",
]


@entry
def linear(
    inputs: int,
    outputs: int,
    *,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """A linear layer: Linear of torch, Dense of Keras and Flax.

    Parameters
    ----------
    inputs, outputs : int
        Features.
    bias : bool
        Whether it has one. Default True.
    activation : str, (str, float) or callable
        What follows: see `fanin.gain`. Only "fanin" asks; the defaults of the others do not depend on it.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shapes and schemes, by the names of the framework.

    Raises
    ------
    ValueError
        For an unknown framework or activation, a negative size, and what the framework's layer does not have.

    Examples
    --------
    >>> linear(200, 10, activation="relu")["weight"].scheme.expected_std((10, 200))
    0.1
    >>> {name: shape for name, (shape, scheme) in linear(3, 2, framework="keras").items()}
    {'kernel': (3, 2), 'bias': (2,)}
    """
    return library(framework).linear(
        dimension("inputs", inputs), dimension("outputs", outputs), flag("bias", bias), followed(activation)
    )


@entry
def conv(
    inputs: int,
    outputs: int,
    size: Shape,
    *,
    groups: int = 1,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """A convolution in as many dimensions as its kernel has.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    size : int or sequence of int
        Of the kernel, along each of up to three dimensions: 3 is that of a 1-D convolution.
    groups : int
        Default 1.
    bias, activation, framework
        As for `linear`.

    Examples
    --------
    >>> conv(16, 32, (3, 3), groups=4, framework="torch")["weight"].shape
    (32, 4, 3, 3)
    """
    return library(framework).conv(
        *channels_and_kernel(inputs, outputs, size, groups), flag("bias", bias), followed(activation)
    )


@entry
def conv_transposed(
    inputs: int,
    outputs: int,
    size: Shape,
    *,
    groups: int = 1,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """A transposed convolution; the parameters are those of `conv`, but Keras and Flax have no groups.

    torch and Keras take its outputs for inputs; "fanin" does not.

    Examples
    --------
    >>> layer = conv_transposed(64, 16, (2, 2), framework="torch")
    >>> layer["weight"].shape, layer["bias"].scheme.high
    ((64, 16, 2, 2), 0.125)
    """
    return library(framework).conv_transposed(
        *channels_and_kernel(inputs, outputs, size, groups), flag("bias", bias), followed(activation)
    )


@entry
def depthwise_conv(
    channels: int,
    size: Shape,
    multiplier: int = 1,
    *,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """A convolution of each channel by itself, into `multiplier` channels.

    Keras has a layer of its own for it; elsewhere it is `conv` with as many groups as channels.

    Examples
    --------
    >>> depthwise_conv(8, (3, 3), 2)["weight"].shape, depthwise_conv(8, (3, 3), 2, framework="keras")["kernel"].shape
    ((16, 1, 3, 3), (3, 3, 8, 2))
    """
    arguments = (dimension("channels", channels, 1), extents(size), dimension("multiplier", multiplier))
    return library(framework).depthwise_conv(*arguments, flag("bias", bias), followed(activation))


@entry
def embedding(
    count: int, features: int, *, padding: int | None = None, framework: Framework = "fanin"
) -> ParameterSpecs:
    """A table with a row of features for each token; zeros for the padding token, which Keras and Flax do not have.

    Examples
    --------
    >>> draw(embedding(1000, 2, padding=0), seed=0)["weight"][0]
    array([0., 0.], dtype=float32)
    """
    rows = dimension("count", count)
    return library(framework).embedding(rows, dimension("features", features), row("padding", padding, rows))


@entry
def batch_norm(features: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Batch normalization, with its running mean and variance.

    Examples
    --------
    >>> list(batch_norm(64, framework="keras"))
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """
    return library(framework).batch_norm(dimension("features", features))


@entry
def layer_norm(shape: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Layer normalization over the last axes, whose sizes are `shape`.

    Examples
    --------
    >>> layer_norm(64, framework="flax")["scale"].shape
    (64,)
    """
    return library(framework).layer_norm(sizes("shape", shape))


@entry
def group_norm(channels: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Group normalization, whatever the number of groups.

    Examples
    --------
    >>> group_norm(64)["weight"].scheme.describe()
    'constant(1)'
    """
    return library(framework).group_norm(dimension("channels", channels))


@entry
def rms_norm(features: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Normalization by the root of the mean square, over the last axis or axes.

    Examples
    --------
    >>> list(rms_norm(64))
    ['weight']
    """
    return library(framework).rms_norm(sizes("features", features))


@entry
def rnn(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """A recurrent layer without gates, in one direction; the parameters are those of `lstm`.

    Examples
    --------
    >>> list(rnn(64, 128, framework="keras"))
    ['kernel', 'recurrent_kernel', 'bias']
    """
    return library(framework).rnn(dimension("inputs", inputs), dimension("hidden", hidden), flag("bias", bias))


@entry
def lstm(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """A layer of long short-term memory, in one direction, with gates in the order of the framework.

    The names are those of the first layer of torch's LSTM, and of the cells of Keras and Flax, which layers wrap: for
    keras.layers.LSTM let the prefix end in "lstm_cell/".

    Parameters
    ----------
    inputs, hidden : int
        Features of the input, and of the state.
    bias : bool
        Whether it has one, torch two. Default True; cells of Flax always have.
    framework
        As for `linear`.

    Examples
    --------
    >>> {name: shape for name, (shape, scheme) in lstm(64, 128).items()}  # doctest: +NORMALIZE_WHITESPACE
    {'weight_ih_l0': (512, 64), 'weight_hh_l0': (512, 128), 'bias_ih_l0': (512,), 'bias_hh_l0': (512,)}
    """
    return library(framework).lstm(dimension("inputs", inputs), dimension("hidden", hidden), flag("bias", bias))


@entry
def gru(inputs: int, hidden: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """A layer of gated recurrent units, in one direction; the parameters are those of `lstm`.

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
    """Attention with several heads, of features/heads each.

    Parameters
    ----------
    features : int
        Of the queries and of the output.
    heads : int
        A divisor of them.
    key_features, value_features : int, optional
        Of what keys and values are computed from, if others.
    bias, framework
        As for `linear`.

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


@entry
def head(inputs: int, classes: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """The last layer of a classifier; the frameworks have no other for it than `linear`.

    Examples
    --------
    >>> head(512, 10)["weight"].scheme.describe()
    'normal(mean=0, std=0.01)'
    """
    return library(framework).head(dimension("inputs", inputs), dimension("classes", classes), flag("bias", bias))


@entry
def draw(layer: Mapping[str, ParameterSpec], *, seed: Seed, prefix: str = "", dtype: DType = None) -> dict[str, Array]:
    """Draw every parameter of a layer.

    Parameters
    ----------
    layer : mapping of str to ParameterSpec
        What the functions above return.
    seed : int or SeedSequence
        Of the model.
    prefix : str
        Put before each name, as it is: "encoder.0." with its last dot, or "encoder/" for Keras and Flax. The whole name
        selects the stream, so that no two layers get equal weights.
    dtype
        As for `fanin.normal`.

    Returns
    -------
    dict of str to ndarray
        By the whole names.

    Examples
    --------
    >>> weights = draw(linear(3, 2), seed=0, prefix="fc.")
    >>> list(weights), weights["fc.bias"]
    (['fc.weight', 'fc.bias'], array([0., 0.], dtype=float32))
    """
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a string, got {short(prefix)}")
    return {
        prefix + name: scheme(shape, seed=seed, name=prefix + name, dtype=dtype)
        for name, (shape, scheme) in specs(layer).items()
    }
