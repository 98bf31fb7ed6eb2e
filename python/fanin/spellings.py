"""The schemes as plain functions: each builds its object of `fanin.schemes` and calls it.

shape, seed, name and the placement (dtype, index, out, device, stream) are those of `fanin.normal`; what stands between
them is the scheme's. Written by tools/write_spellings.py.
"""

from __future__ import annotations

from typing import SupportsIndex, Unpack

from . import schemes
from .arrays.types import Activation, Array, Convention, Distribution, Layout, Mode, Per, Placement, Seed, Shape
from .arrays.types import TransformerStack as Stack
from .fans import Blocks


def haar(
    n: SupportsIndex | None = None,
    count: SupportsIndex | None = None,
    *,
    gain: float = 1.0,
    seed: Seed,
    name: str,
    **placement: Unpack[Placement],
) -> Array:
    """Draw Haar-random orthogonal matrices.

    Parameters
    ----------
    n : int, optional
        Of an n × n matrix. Default: that of `out`.
    count : int, optional
        Of matrices: the result has the shape (count, n, n). Default: one, of shape (n, n).
    gain : float
        Multiplies the matrices.
    seed, name, dtype, index, out, device, stream
        As for `fanin.normal`, which also lists the errors.

    Examples
    --------
    >>> haar(4, 10, seed=0, name="w").shape
    (10, 4, 4)
    """
    shape = None if n is None else (n, n) if count is None else (count, n, n)
    return schemes.haar(gain)(shape, seed=seed, name=name, **placement)


def variance_scaling(
    shape: Shape | None = None,
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    truncate: float = 2.0,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Variance scale/fan, as in Keras and JAX; `VarianceScaling` explains the parameters.

    `fanin.schemes.variance_scaling` explains its parameters.
    """
    scheme = schemes.variance_scaling(
        scale,
        mode,
        distribution,
        layout=layout,
        truncate=truncate,
        groups=groups,
        transposed=transposed,
        blocks=blocks,
        convention=convention,
    )
    return scheme(shape, seed=seed, name=name, **placement)


def xavier_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Uniform, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_uniform`.

    `fanin.schemes.xavier_uniform` explains its parameters.
    """
    scheme = schemes.xavier_uniform(
        layout=layout,
        activation=activation,
        gain=gain,
        groups=groups,
        transposed=transposed,
        blocks=blocks,
        convention=convention,
    )
    return scheme(shape, seed=seed, name=name, **placement)


def xavier_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Normal, variance gain²·2/(fan_in + fan_out): Glorot and Bengio (2010); also called `glorot_normal`.

    `fanin.schemes.xavier_normal` explains its parameters.
    """
    scheme = schemes.xavier_normal(
        layout=layout,
        activation=activation,
        gain=gain,
        truncate=truncate,
        groups=groups,
        transposed=transposed,
        blocks=blocks,
        convention=convention,
    )
    return scheme(shape, seed=seed, name=name, **placement)


def he_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Uniform, variance gain²/fan_in: He et al. (2015); also called `kaiming_uniform`.

    `fanin.schemes.he_uniform` explains its parameters.
    """
    scheme = schemes.he_uniform(
        layout=layout,
        activation=activation,
        gain=gain,
        mode=mode,
        groups=groups,
        transposed=transposed,
        blocks=blocks,
        convention=convention,
    )
    return scheme(shape, seed=seed, name=name, **placement)


def he_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Normal, variance gain²/fan_in: He et al. (2015); also called `kaiming_normal`.

    `fanin.schemes.he_normal` explains its parameters.
    """
    scheme = schemes.he_normal(
        layout=layout,
        activation=activation,
        gain=gain,
        mode=mode,
        truncate=truncate,
        groups=groups,
        transposed=transposed,
        blocks=blocks,
        convention=convention,
    )
    return scheme(shape, seed=seed, name=name, **placement)


def lecun_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Uniform, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    `fanin.schemes.lecun_uniform` explains its parameters.
    """
    scheme = schemes.lecun_uniform(
        layout=layout, groups=groups, transposed=transposed, blocks=blocks, convention=convention
    )
    return scheme(shape, seed=seed, name=name, **placement)


def lecun_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Normal, variance 1/fan_in: LeCun et al. (1998); for SELU, Klambauer et al. (2017).

    `fanin.schemes.lecun_normal` explains its parameters.
    """
    scheme = schemes.lecun_normal(
        layout=layout, truncate=truncate, groups=groups, transposed=transposed, blocks=blocks, convention=convention
    )
    return scheme(shape, seed=seed, name=name, **placement)


def orthogonal(
    shape: Shape | None = None,
    gain: float = 1.0,
    blocks: Blocks = 1,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Haar-random orthogonal matrices: Saxe et al. (2014), drawn as Stewart (1980).

    `fanin.schemes.orthogonal` explains its parameters.
    """
    scheme = schemes.orthogonal(gain, blocks, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def delta_orthogonal(
    shape: Shape | None = None,
    gain: float = 1.0,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """An orthogonal matrix at the centre of a 1-, 2- or 3-D convolution's kernel, 0 elsewhere: Xiao et al. (2018).

    `fanin.schemes.delta_orthogonal` explains its parameters.
    """
    scheme = schemes.delta_orthogonal(gain, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def sparse(
    shape: Shape | None = None,
    std: float = 0.01,
    *,
    seed: Seed,
    name: str,
    nonzeros: int | None = None,
    sparsity: float | None = None,
    per: Per = "output",
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Exactly so many non-zero weights for every output, or every input: Martens (2010).

    `fanin.schemes.sparse` explains its parameters.
    """
    scheme = schemes.sparse(std, nonzeros=nonzeros, sparsity=sparsity, per=per, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def siren(
    shape: Shape | None = None,
    first: bool = False,
    omega: float = 30.0,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Weights of layers whose activation is sin(ω·x): Sitzmann et al. (2020).

    `fanin.schemes.siren` explains its parameters.
    """
    scheme = schemes.siren(first, omega, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def embedding(
    shape: Shape | None = None,
    std: float = 0.02,
    *,
    seed: Seed,
    name: str,
    padding: int | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Normal rows, one for each token, and zeros for the padding token.

    `fanin.schemes.embedding` explains its parameters.
    """
    scheme = schemes.embedding(std, padding=padding)
    return scheme(shape, seed=seed, name=name, **placement)


def scaled_residual(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    std: float = 0.02,
    branches: int = 2,
    **placement: Unpack[Placement],
) -> Array:
    """The projections that end residual branches, std/√(branches·layers): GPT-2, Radford et al. (2019); Megatron-LM.

    `fanin.schemes.scaled_residual` explains its parameters.
    """
    scheme = schemes.scaled_residual(layers=layers, std=std, branches=branches)
    return scheme(shape, seed=seed, name=name, **placement)


def torchtitan_residual(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layer: int,
    std: float = 0.02,
    **placement: Unpack[Placement],
) -> Array:
    """Torchtitan's output projections: std/√(2(layer + 1)), cut at ±2, which is far out.

    `fanin.schemes.torchtitan_residual` explains its parameters.
    """
    scheme = schemes.torchtitan_residual(layer=layer, std=std)
    return scheme(shape, seed=seed, name=name, **placement)


def deepnorm(
    shape: Shape | None = None,
    encoder_layers: int = 0,
    decoder_layers: int = 0,
    *,
    seed: Seed,
    name: str,
    stack: Stack = "encoder",
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Weights of MLP, value and output projection under DeepNorm: Xavier normal times β, Wang et al. (2022).

    `fanin.schemes.deepnorm` explains its parameters.
    """
    scheme = schemes.deepnorm(encoder_layers, decoder_layers, stack=stack, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def fixup(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    blocks: int,
    depth: int = 2,
    layout: Layout | None = None,
    gain: float | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Weights inside a residual branch under Fixup: He times L^(-1/(2m - 2)), Zhang, Dauphin and Ma (2019).

    `fanin.schemes.fixup` explains its parameters.
    """
    scheme = schemes.fixup(blocks=blocks, depth=depth, layout=layout, gain=gain)
    return scheme(shape, seed=seed, name=name, **placement)


def t_fixup(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    stack: Stack = "encoder",
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """Weights of a transformer without normalization or warm-up: T-Fixup, Huang et al. (2020).

    `fanin.schemes.t_fixup` explains its parameters.
    """
    scheme = schemes.t_fixup(layers=layers, stack=stack, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def t_fixup_embedding(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    **placement: Unpack[Placement],
) -> Array:
    """Token embeddings under T-Fixup, (tokens, features): normal, std (9N)^(-1/4)/√features, Huang et al. (2020).

    `fanin.schemes.t_fixup_embedding` explains its parameters.
    """
    scheme = schemes.t_fixup_embedding(layers=layers)
    return scheme(shape, seed=seed, name=name, **placement)


def gate_bias(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    gate: int,
    gates: int,
    value: float = 1.0,
    others: schemes.Scheme | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """A fused bias of several gates, one of which starts at a value.

    `fanin.schemes.gate_bias` explains its parameters.
    """
    scheme = schemes.gate_bias(gate=gate, gates=gates, value=value, others=others)
    return scheme(shape, seed=seed, name=name, **placement)


def lstm_bias(
    shape: Shape | None = None,
    forget: float = 1.0,
    others: schemes.Scheme | None = None,
    *,
    seed: Seed,
    name: str,
    **placement: Unpack[Placement],
) -> Array:
    """The bias of an LSTM, its gates input, forget, cell, output as in torch and Keras, whose forget gate starts open.

    `fanin.schemes.lstm_bias` explains its parameters.
    """
    scheme = schemes.lstm_bias(forget, others)
    return scheme(shape, seed=seed, name=name, **placement)


def gru_bias(
    shape: Shape | None = None,
    update: float = 1.0,
    others: schemes.Scheme | None = None,
    *,
    seed: Seed,
    name: str,
    order: str = "rzn",
    **placement: Unpack[Placement],
) -> Array:
    """The bias of a GRU whose update gate, which keeps the state as the forget gate of an LSTM does, starts open.

    `fanin.schemes.gru_bias` explains its parameters.
    """
    scheme = schemes.gru_bias(update, others, order=order)
    return scheme(shape, seed=seed, name=name, **placement)


def mamba_step_bias(
    shape: Shape | None = None,
    low: float = 0.001,
    high: float = 0.1,
    floor: float = 0.0001,
    *,
    seed: Seed,
    name: str,
    **placement: Unpack[Placement],
) -> Array:
    """The bias of Mamba's time step: softplus of it is log-uniform in [low, high], Gu and Dao (2023).

    `fanin.schemes.mamba_step_bias` explains its parameters.
    """
    scheme = schemes.mamba_step_bias(low, high, floor)
    return scheme(shape, seed=seed, name=name, **placement)


def identity(
    shape: Shape | None = None,
    gain: float = 1.0,
    *,
    seed: Seed = 0,
    name: str = "",
    **placement: Unpack[Placement],
) -> Array:
    """`gain` on the diagonal of a matrix, which need not be square, and zeros elsewhere; also called `eye`.

    `fanin.schemes.identity` explains its parameters.
    """
    scheme = schemes.identity(gain)
    return scheme(shape, seed=seed, name=name, **placement)


def dirac(
    shape: Shape | None = None,
    gain: float = 1.0,
    groups: int = 1,
    *,
    seed: Seed = 0,
    name: str = "",
    layout: Layout | None = None,
    **placement: Unpack[Placement],
) -> Array:
    """The convolution whose output channels are its input channels, as many as there are of both.

    `fanin.schemes.dirac` explains its parameters.
    """
    scheme = schemes.dirac(gain, groups, layout=layout)
    return scheme(shape, seed=seed, name=name, **placement)


def prior_probability(
    shape: Shape | None = None,
    probability: float = 0.01,
    *,
    seed: Seed = 0,
    name: str = "",
    **placement: Unpack[Placement],
) -> Array:
    """The bias of a sigmoid output that first predicts this probability: ln(p/(1 − p)), Lin et al. (2017).

    `fanin.schemes.prior_probability` explains its parameters.
    """
    scheme = schemes.prior_probability(probability)
    return scheme(shape, seed=seed, name=name, **placement)


def rezero(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    **placement: Unpack[Placement],
) -> Array:
    """The factor of a residual branch that starts at zero: ReZero, Bachlechner et al. (2020).

    `fanin.schemes.rezero` explains its parameters.
    """
    scheme = schemes.rezero()
    return scheme(shape, seed=seed, name=name, **placement)


def layer_scale(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    layers: int,
    **placement: Unpack[Placement],
) -> Array:
    """The factor of each channel of a residual branch: LayerScale, Touvron et al. (2021).

    `fanin.schemes.layer_scale` explains its parameters.
    """
    scheme = schemes.layer_scale(layers=layers)
    return scheme(shape, seed=seed, name=name, **placement)


def mamba_log_range(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    **placement: Unpack[Placement],
) -> Array:
    """Mamba's A_log: ln 1, ln 2, …, ln N along the last axis, Gu and Dao (2023), as S4D-Real of Gu et al. (2022).

    `fanin.schemes.mamba_log_range` explains its parameters.
    """
    scheme = schemes.mamba_log_range()
    return scheme(shape, seed=seed, name=name, **placement)


def sinusoid(
    shape: Shape | None = None,
    base: float = 10000.0,
    *,
    seed: Seed = 0,
    name: str = "",
    interleaved: bool = True,
    **placement: Unpack[Placement],
) -> Array:
    """Positions as sines and cosines of base^(−2i/features)·position: Vaswani et al. (2017).

    `fanin.schemes.sinusoid` explains its parameters.
    """
    scheme = schemes.sinusoid(base, interleaved=interleaved)
    return scheme(shape, seed=seed, name=name, **placement)


glorot_uniform = xavier_uniform
glorot_normal = xavier_normal
kaiming_uniform = he_uniform
kaiming_normal = he_normal
eye = identity
skip_init = rezero
