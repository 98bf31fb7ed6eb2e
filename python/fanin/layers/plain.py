"""Describe linear layers, convolutions and embeddings."""

from __future__ import annotations

from ..arguments import flag
from ..arrays.types import Activation, Shape
from ..entry import entry
from .arguments import channels_and_kernel, dimension, extents, followed, library, row
from .base import Framework, ParameterSpecs


@entry
def linear(
    inputs: int,
    outputs: int,
    *,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """Describe a linear layer: Linear in torch, Dense in Keras and Flax.

    Parameters
    ----------
    inputs : int
        The number of input features.
    outputs : int
        The number of output features.
    bias : bool
        Whether the layer has a bias. Default True.
    activation : str, (str, float) or callable
        The activation that follows: see `fanin.gain`. Only "fanin" depends on it. Default "linear", which is none.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError
        If the framework or activation is unknown, or a size is negative.
    TypeError
        If a size is not an integer.

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
    """Describe a convolution, which has as many dimensions as its kernel.

    Parameters
    ----------
    inputs : int
        The number of input channels, a multiple of `groups`.
    outputs : int
        The number of output channels, a multiple of `groups`.
    size : int or sequence of int
        The size of the kernel along each of up to three dimensions; 3 means (3,), a 1-D convolution.
    groups : int
        The number of groups that channels are divided into. Default 1.
    bias : bool
        Whether the layer has a bias. Default True.
    activation : str, (str, float) or callable
        The activation that follows: see `fanin.gain`. Only "fanin" depends on it. Default "linear", which is none.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError
        If the framework or activation is unknown, a size is negative, the kernel has no or more than three dimensions,
        or `groups` does not divide the channels.
    TypeError
        If a size is not an integer.

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
    """Describe a transposed convolution.

    torch and Keras count its output channels where they should count the inputs; "fanin" counts the inputs.

    Parameters
    ----------
    inputs : int
        The number of input channels, a multiple of `groups`.
    outputs : int
        The number of output channels, a multiple of `groups`.
    size : int or sequence of int
        The size of the kernel along each of up to three dimensions; 3 means (3,), a 1-D convolution.
    groups : int
        The number of groups that channels are divided into; Keras and Flax have 1 only. Default 1.
    bias : bool
        Whether the layer has a bias. Default True.
    activation : str, (str, float) or callable
        The activation that follows: see `fanin.gain`. Only "fanin" depends on it. Default "linear", which is none.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `conv` does, and ValueError for groups in Keras or Flax.

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
    """Describe a convolution of each channel by itself, into `multiplier` channels.

    Keras has a layer of its own for it; elsewhere it is `conv` with as many groups as channels.

    Parameters
    ----------
    channels : int
        The number of input channels, at least 1.
    size : int or sequence of int
        The size of the kernel along each of up to three dimensions; 3 means (3,), a 1-D convolution.
    multiplier : int
        The number of output channels for each input channel. Default 1.
    bias : bool
        Whether the layer has a bias. Default True.
    activation : str, (str, float) or callable
        The activation that follows: see `fanin.gain`. Only "fanin" depends on it. Default "linear", which is none.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `conv` does.

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
    """Describe an embedding: a table with a row of features for each token.

    Parameters
    ----------
    count : int
        The number of tokens.
    features : int
        The length of a row.
    padding : int, optional
        The token whose row is zeros; negative counts from the end. Keras and Flax have none. Default: none.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError
        If the framework is unknown, a size is negative, or `padding` is not a row, or is given for Keras or Flax.
    TypeError
        If a size is not an integer.

    Examples
    --------
    >>> from fanin.layers import draw
    >>> draw(embedding(1000, 2, padding=0), seed=0)["weight"][0]
    array([0., 0.], dtype=float32)
    """
    rows = dimension("count", count)
    return library(framework).embedding(rows, dimension("features", features), row("padding", padding, rows))


@entry
def head(inputs: int, classes: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe the last layer of a classifier; for the frameworks it is a `linear` layer like any other.

    Parameters
    ----------
    inputs : int
        The number of input features.
    classes : int
        The number of classes.
    bias : bool
        Whether the layer has a bias. Default True.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and scheme of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does.

    Examples
    --------
    >>> head(512, 10)["weight"].scheme.describe()
    'normal(mean=0, std=0.01)'
    """
    return library(framework).head(dimension("inputs", inputs), dimension("classes", classes), flag("bias", bias))
