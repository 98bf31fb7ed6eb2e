"""Describe the parameters of normalizations."""

from __future__ import annotations

from ..arrays.types import Shape
from ..entry import entry
from .arguments import dimension, library, sizes
from .base import Framework, ParameterSpecs


@entry
def batch_norm(features: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe batch normalization, with its running mean and variance.

    Parameters
    ----------
    features : int
        The number of features, or channels.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and value of each parameter and each running mean, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does.

    Examples
    --------
    >>> list(batch_norm(64, framework="keras"))
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """
    return library(framework).batch_norm(dimension("features", features))


@entry
def layer_norm(shape: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe layer normalization over the last axes.

    Parameters
    ----------
    shape : int or sequence of int
        The sizes of the axes that are normalized.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and value of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does.

    Examples
    --------
    >>> layer_norm(64, framework="flax")["scale"].shape
    (64,)
    """
    return library(framework).layer_norm(sizes("shape", shape))


@entry
def group_norm(channels: int, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe group normalization; its parameters do not depend on the number of groups.

    Parameters
    ----------
    channels : int
        The number of channels.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and value of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does.

    Examples
    --------
    >>> group_norm(64)["weight"].scheme.describe()
    'constant(1)'
    """
    return library(framework).group_norm(dimension("channels", channels))


@entry
def rms_norm(features: Shape, *, framework: Framework = "fanin") -> ParameterSpecs:
    """Describe normalization by the root of the mean square, over the last axis or axes.

    Parameters
    ----------
    features : int or sequence of int
        The sizes of the axes that are normalized.
    framework : {"fanin", "torch", "keras", "flax"}
        Whose layer it is. Default "fanin".

    Returns
    -------
    dict of str to ParameterSpec
        Shape and value of each parameter, by the framework's names.

    Raises
    ------
    ValueError, TypeError
        As `linear` does.

    Examples
    --------
    >>> list(rms_norm(64))
    ['weight']
    """
    return library(framework).rms_norm(sizes("features", features))
