"""Schemes that know how deep the network is, so that many residual branches add up to a signal of the right size."""

from __future__ import annotations

import math

from ..arguments import choice, integer, scale
from ..arrays.types import Layout, TransformerStack
from ..entry import entry
from .distributions import Constant, Normal, TruncatedNormal
from .exact import root
from .registry import register
from .variance import VarianceScaling, scaling

STACKS = ("encoder", "decoder")


@register()
def scaled_residual(*, layers: int, std: float = 0.02, branches: int = 2) -> Normal:
    """Draw the projections that end residual branches, std/√(branches·layers): GPT-2, Radford et al. (2019).

    Parameters
    ----------
    layers : int
        The number of layers of the network, at least 1.
    std : float
        The std of all other weights. Default 0.02.
    branches : int
        The residual branches of a layer. Default 2, as in a transformer: attention and MLP.

    Examples
    --------
    >>> round(scaled_residual(layers=12).std, 6)
    0.004082
    """
    layers, branches = integer("layers", layers, 1), integer("branches", branches, 1)
    return Normal(0.0, scale("std", std) / math.sqrt(branches * layers))


@register()
def torchtitan_residual(*, layer: int, std: float = 0.02) -> TruncatedNormal:
    """Draw torchtitan's output projections: std/√(2(layer + 1)), cut at ±2, which is far out.

    Later layers, whose input has grown by the branches before them, add less to it.

    Parameters
    ----------
    layer : int
        The number of the layer, from 0.
    std : float
        The std of all other weights. Default 0.02.

    Examples
    --------
    >>> torchtitan_residual(layer=1).std
    0.01
    """
    std = scale("std", std) / math.sqrt(2 * (integer("layer", layer, 0) + 1))
    return TruncatedNormal(0.0, std, -2.0, 2.0, bounds="absolute")


@register()
def deepnorm(
    encoder_layers: int = 0,
    decoder_layers: int = 0,
    *,
    stack: TransformerStack = "encoder",
    layout: Layout | None = None,
) -> VarianceScaling:
    """Draw the weights of MLP, value and output projection under DeepNorm: Xavier normal times β, Wang et al. (2022).

    Query and key projections are `xavier_normal` without a factor; the residual is multiplied by `deepnorm_alpha`.

    Parameters
    ----------
    encoder_layers, decoder_layers : int
        The layers of the whole network's encoder and decoder; 0, the default, where it has no such stack.

    Notes
    -----
    β is (8N)^(-1/4) in a single stack of N layers; with N encoder and M decoder layers 0.87·(N⁴M)^(-1/16) in the
    encoder and (12M)^(-1/4) in the decoder. torchscale multiplies by 1.15 instead of 0.87.

    Examples
    --------
    >>> round(deepnorm(decoder_layers=100, stack="decoder", layout="OI").gain, 4)
    0.188
    """
    return scaling(_deepnorm(encoder_layers, decoder_layers, stack)[1], "fan_avg", "normal", layout)


@entry
def deepnorm_alpha(encoder_layers: int = 0, decoder_layers: int = 0, *, stack: TransformerStack = "encoder") -> float:
    """Return what DeepNorm multiplies the residual by; the parameters are those of `deepnorm`.

    Examples
    --------
    >>> round(deepnorm_alpha(18, 18), 3)
    1.999
    """
    return _deepnorm(encoder_layers, decoder_layers, stack)[0]


def _deepnorm(encoder: int, decoder: int, stack: TransformerStack) -> tuple[float, float]:
    """α and β: table 1 (figure 2) of the paper."""
    choice("stack", stack, STACKS)
    encoder = integer("encoder_layers", encoder, int(stack == "encoder"))
    decoder = integer("decoder_layers", decoder, int(stack == "decoder"))
    own, other = (encoder, decoder) if stack == "encoder" else (decoder, encoder)
    if other == 0:
        return root(2 * own, 4), 1 / root(8 * own, 4)
    if stack == "decoder":
        return root(3 * own, 4), 1 / root(12 * own, 4)
    size = root(encoder**4 * decoder, 16)
    return 0.81 * size, 0.87 / size


@register()
def fixup(*, blocks: int, depth: int = 2, layout: Layout | None = None, gain: float | None = None) -> VarianceScaling:
    """Draw the weights inside a residual branch under Fixup: He times L^(-1/(2m - 2)), Zhang, Dauphin and Ma (2019).

    The last weight of every branch and the classifier are `zeros`; multipliers are ones, scalar biases zeros.

    Parameters
    ----------
    blocks : int
        The number of residual branches of the network, L.
    depth : int
        The number of weights of a branch, m: 2, the default, in basic blocks of a ResNet, 3 in bottlenecks.
    gain : float, optional
        What stands instead of ReLU's √2.

    Examples
    --------
    >>> fixup(blocks=16, layout="OI").expected_std((64, 32, 5, 5))  # He's is √(2/(64·25))
    0.008838834764831844
    """
    blocks, depth = integer("blocks", blocks, 1), integer("depth", depth, 2)  # a branch of one weight starts at zero
    he = math.sqrt(2.0) if gain is None else scale("gain", gain)
    return scaling(he / root(blocks, 2 * depth - 2), "fan_out", "normal", layout)


@register()
def t_fixup(*, layers: int, stack: TransformerStack = "encoder", layout: Layout | None = None) -> VarianceScaling:
    """Draw the weights of a transformer without normalization or warm-up: T-Fixup, Huang et al. (2020).

    For the value and output projections and the MLP; query and key projections are `xavier_uniform` without a factor,
    and embeddings `t_fixup_embedding`.

    Parameters
    ----------
    layers : int
        The layers of the stack, N.
    stack : {"encoder", "decoder"}
        The stack: Xavier times 0.67·N^(-1/4), or (9N)^(-1/4). Default "encoder".

    Examples
    --------
    >>> round(t_fixup(layers=6, layout="OI").gain, 4), round(t_fixup(layers=6, stack="decoder", layout="OI").gain, 4)
    (0.4281, 0.3689)
    """
    layers = integer("layers", layers, 1)
    choice("stack", stack, STACKS)
    gain = 0.67 / root(layers, 4) if stack == "encoder" else 1 / root(9 * layers, 4)
    return scaling(gain, "fan_avg", "uniform", layout)


@register()
def t_fixup_embedding(*, layers: int) -> VarianceScaling:
    """Draw token embeddings under T-Fixup, (tokens, features): normal, std (9N)^(-1/4)/√features, Huang et al. (2020).

    Examples
    --------
    >>> round(t_fixup_embedding(layers=6).expected_std((1000, 512)) * 512**0.5, 4)
    0.3689
    """
    return scaling(1 / root(9 * integer("layers", layers, 1), 4), "fan_in", "normal", "OI")


@register(random=False, aliases=("skip_init",))
def rezero() -> Constant:
    """Start the factor of a residual branch at zero: ReZero, Bachlechner et al. (2020).

    Also called `skip_init`: De and Smith (2020).

    Examples
    --------
    >>> rezero()((), seed=0, name="blocks.0.alpha")
    array(0., dtype=float32)
    """
    return Constant(0.0)


@register(random=False)
def layer_scale(*, layers: int) -> Constant:
    """Start the factor of each channel of a residual branch small: LayerScale, Touvron et al. (2021).

    Parameters
    ----------
    layers : int
        The number of layers of the network: up to 18 the factor is 0.1, up to 24 10⁻⁵, above 10⁻⁶.

    Examples
    --------
    >>> layer_scale(layers=24).value
    1e-05
    """
    layers = integer("layers", layers, 1)
    return Constant(0.1 if layers <= 18 else 1e-5 if layers <= 24 else 1e-6)


skip_init = rezero
