"""Describe whole layers: names, shapes and schemes of their parameters, as a framework has them or fanin recommends.

Every function takes a `framework`: "torch" (torch.nn), "keras" (keras.layers) and "flax" (flax.linen) mean the layer of
that framework, drawn as the framework does by default. "fanin" means what `fanin.recommend` says, under torch's names
and in torch's shapes.

A function returns a dict from the framework's names of the parameters to `ParameterSpec`, each a shape and a scheme;
`draw` draws them. ValueError means an unknown framework, a size that is negative, or something that the framework's
layer does not have; TypeError means a size that is not an integer.

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

from ..arrays.types import Array, DType, Seed
from ..entry import entry
from ..text import short
from .arguments import specs
from .base import ParameterSpec
from .normalization import batch_norm, group_norm, layer_norm, rms_norm
from .plain import conv, conv_transposed, depthwise_conv, embedding, head, linear
from .sequence import attention, gru, lstm, rnn

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
def draw(layer: Mapping[str, ParameterSpec], *, seed: Seed, prefix: str = "", dtype: DType = None) -> dict[str, Array]:
    """Draw every parameter of a layer.

    Parameters
    ----------
    layer : mapping of str to ParameterSpec
        The parameters, as the functions above return them.
    seed : int or numpy.random.SeedSequence
        The seed of the model, in [0, 2**64).
    prefix : str
        What stands before each name: "encoder.0." with its last dot, or "encoder/" for Keras and Flax. The whole name
        selects the random stream, so two layers get different weights. Default "".
    dtype : str or dtype, optional
        float32 (the default), float64, float16 or bfloat16.

    Returns
    -------
    dict of str to ndarray
        The parameters, by their whole names.

    Raises
    ------
    ValueError
        If the seed is out of range.
    TypeError
        If the seed is not an integer, or the dtype cannot be drawn.

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
