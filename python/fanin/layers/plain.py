"""Describe linear layers, convolutions and embeddings."""

from __future__ import annotations

from ..arrays.types import Activation, Shape
from .arguments import LIBRARIES, divides, extents, number, row
from .base import Framework, ParameterSpecs
from .layer import layer


@layer
def linear(
    inputs: int,
    outputs: int,
    *,
    bias: bool = True,
    activation: Activation = "linear",
    framework: Framework = "fanin",
) -> ParameterSpecs:
    """Describe a linear layer: Linear in torch, Dense in Keras and Flax.

    Examples
    --------
    >>> linear(200, 10, activation="relu")["weight"].scheme.expected_std((10, 200))
    0.1
    >>> {name: shape for name, (shape, scheme) in linear(3, 2, framework="keras").items()}
    {'kernel': (3, 2), 'bias': (2,)}
    """
    return LIBRARIES[framework].linear(inputs, outputs, bias, activation)


@layer
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

    Examples
    --------
    >>> conv(16, 32, (3, 3), groups=4, framework="torch")["weight"].shape
    (32, 4, 3, 3)
    """
    divides("groups", groups, inputs=inputs, outputs=outputs)
    return LIBRARIES[framework].conv(inputs, outputs, extents("size", size), groups, bias, activation)


@layer
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
    groups : int
        The number of groups that channels are divided into; Keras and Flax have 1 only. Default 1.

    Examples
    --------
    >>> layer = conv_transposed(64, 16, (2, 2), framework="torch")
    >>> layer["weight"].shape, layer["bias"].scheme.high
    ((64, 16, 2, 2), 0.125)
    """
    divides("groups", groups, inputs=inputs, outputs=outputs)
    return LIBRARIES[framework].conv_transposed(inputs, outputs, extents("size", size), groups, bias, activation)


@layer
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

    Examples
    --------
    >>> depthwise_conv(8, (3, 3), 2)["weight"].shape, depthwise_conv(8, (3, 3), 2, framework="keras")["kernel"].shape
    ((16, 1, 3, 3), (3, 3, 8, 2))
    """
    return LIBRARIES[framework].depthwise_conv(
        number("channels", channels), extents("size", size), multiplier, bias, activation
    )


@layer
def embedding(
    count: int, features: int, *, padding: int | None = None, framework: Framework = "fanin"
) -> ParameterSpecs:
    """Describe an embedding: a table with a row of features for each token.

    Parameters
    ----------
    features : int
        The length of a row.
    padding : int, optional
        The token whose row is zeros; negative counts from the end. Keras and Flax have none. Default: none.

    Examples
    --------
    >>> from fanin.layers import draw
    >>> draw(embedding(1000, 2, padding=0), seed=0)["weight"][0]
    array([0., 0.], dtype=float32)
    """
    return LIBRARIES[framework].embedding(count, features, row("padding", padding, count))


@layer
def head(inputs: int, classes: int, *, bias: bool = True, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe the last layer of a classifier; for the frameworks it is a `linear` layer like any other.

    Examples
    --------
    >>> head(512, 10)["weight"].scheme.describe()
    'normal(mean=0, std=0.01)'
    """
    return LIBRARIES[framework].head(inputs, classes, bias)
