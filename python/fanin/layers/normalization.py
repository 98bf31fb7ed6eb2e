"""Describe the parameters of normalizations."""

from __future__ import annotations

from ..arrays.types import Shape
from .arguments import LIBRARIES, sizes
from .base import Framework, ParameterSpecs
from .layer import layer


@layer
def batch_norm(features: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe batch normalization, with its running mean and variance, which are buffers.

    Examples
    --------
    >>> list(batch_norm(64, framework="keras"))
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """
    return LIBRARIES[framework].batch_norm(features)


@layer
def layer_norm(shape: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe layer normalization over the last axes.

    Examples
    --------
    >>> layer_norm(64, framework="flax")["scale"].shape
    (64,)
    """
    return LIBRARIES[framework].layer_norm(sizes("shape", shape))


@layer
def group_norm(channels: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe group normalization; its parameters do not depend on the number of groups.

    Examples
    --------
    >>> group_norm(64)["weight"].scheme.describe()
    'constant(1)'
    """
    return LIBRARIES[framework].group_norm(channels)


@layer
def rms_norm(shape: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe normalization by the root of the mean square, over the last axis or axes.

    Examples
    --------
    >>> list(rms_norm(64))
    ['weight']
    """
    return LIBRARIES[framework].rms_norm(sizes("shape", shape))
