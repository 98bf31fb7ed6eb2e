"""A namespace that carries seed, layout and stream: a model's parameters need only their names and shapes.

Written by tools/write_spellings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsIndex, Unpack

from . import sampling, schemes, spellings
from .arrays.seed import as_seed
from .arrays.types import (
    Activation,
    Array,
    Bounds,
    Convention,
    Distribution,
    Layout,
    Mode,
    Per,
    Place,
    Seed,
    Shape,
)
from .arrays.types import (
    TransformerStack as Stack,
)
from .axes import require_layout
from .fans import Blocks


def seeded(seed: Seed, *, layout: Layout | None = None, stream: str = "v1") -> Seeded:
    """All samplers and schemes under one seed, layout and stream.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        In [0, 2**64).
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. Schemes that use fans
        need it.
    stream : str
        The definition of the values: "v1".

    Returns
    -------
    Seeded
        Its methods are the functions of `fanin`, with the parameter's name first.

    Examples
    --------
    >>> init = seeded(0, layout="OI")
    >>> w = init.he_normal("mlp.0.weight", (4096, 1024))
    >>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
    >>> bool((part == w[1024:2048]).all())
    True
    """
    if layout is not None:
        require_layout(layout)
    sampling.require_stream(stream)
    return Seeded(as_seed(seed), layout, stream)


@dataclass(frozen=True, slots=True)
class Seeded:
    """Samplers and schemes under one seed, layout and stream: see `seeded`. It has no state."""

    seed: int
    layout: Layout | None
    stream: str

    def draw(self, scheme: schemes.Scheme, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """Draw the parameter `name` by any scheme."""
        return scheme(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def bits(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.bits`."""
        return sampling.bits(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def haar(
        self,
        name: str,
        n: SupportsIndex | None = None,
        count: SupportsIndex | None = None,
        *,
        gain: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.haar`."""
        return spellings.haar(n, count, gain=gain, seed=self.seed, name=name, stream=self.stream, **place)

    def uniform(
        self,
        name: str,
        shape: Shape | None = None,
        low: float = 0.0,
        high: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.uniform`."""
        return self.draw(schemes.uniform(low, high), name, shape, **place)

    def normal(
        self,
        name: str,
        shape: Shape | None = None,
        mean: float = 0.0,
        std: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.normal`."""
        return self.draw(schemes.normal(mean, std), name, shape, **place)

    def truncated_normal(
        self,
        name: str,
        shape: Shape | None = None,
        mean: float = 0.0,
        std: float = 1.0,
        low: float = -2.0,
        high: float = 2.0,
        *,
        bounds: Bounds = "std",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.truncated_normal`."""
        return self.draw(schemes.truncated_normal(mean, std, low, high, bounds=bounds), name, shape, **place)

    def constant(
        self,
        name: str,
        shape: Shape | None = None,
        value: float = 0.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.constant`."""
        return self.draw(schemes.constant(value), name, shape, **place)

    def zeros(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.schemes.zeros`."""
        return self.draw(schemes.zeros(), name, shape, **place)

    def ones(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.schemes.ones`."""
        return self.draw(schemes.ones(), name, shape, **place)

    def variance_scaling(
        self,
        name: str,
        shape: Shape | None = None,
        scale: float = 1.0,
        mode: Mode = "fan_in",
        distribution: Distribution = "truncated_normal",
        *,
        truncate: float = 2.0,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.variance_scaling`."""
        return self.draw(
            schemes.variance_scaling(
                scale,
                mode,
                distribution,
                layout=self.layout,
                truncate=truncate,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def xavier_uniform(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "linear",
        gain: float | None = None,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.xavier_uniform`."""
        return self.draw(
            schemes.xavier_uniform(
                layout=self.layout,
                activation=activation,
                gain=gain,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def xavier_normal(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "linear",
        gain: float | None = None,
        truncate: float | None = None,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.xavier_normal`."""
        return self.draw(
            schemes.xavier_normal(
                layout=self.layout,
                activation=activation,
                gain=gain,
                truncate=truncate,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def he_uniform(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "relu",
        gain: float | None = None,
        mode: Mode = "fan_in",
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.he_uniform`."""
        return self.draw(
            schemes.he_uniform(
                layout=self.layout,
                activation=activation,
                gain=gain,
                mode=mode,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def he_normal(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "relu",
        gain: float | None = None,
        mode: Mode = "fan_in",
        truncate: float | None = None,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.he_normal`."""
        return self.draw(
            schemes.he_normal(
                layout=self.layout,
                activation=activation,
                gain=gain,
                mode=mode,
                truncate=truncate,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def lecun_uniform(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.lecun_uniform`."""
        return self.draw(
            schemes.lecun_uniform(
                layout=self.layout, groups=groups, transposed=transposed, blocks=blocks, convention=convention
            ),
            name,
            shape,
            **place,
        )

    def lecun_normal(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        truncate: float | None = None,
        groups: int = 1,
        transposed: bool = False,
        blocks: Blocks = 1,
        convention: Convention | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.lecun_normal`."""
        return self.draw(
            schemes.lecun_normal(
                layout=self.layout,
                truncate=truncate,
                groups=groups,
                transposed=transposed,
                blocks=blocks,
                convention=convention,
            ),
            name,
            shape,
            **place,
        )

    def orthogonal(
        self,
        name: str,
        shape: Shape | None = None,
        gain: float = 1.0,
        blocks: Blocks = 1,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.orthogonal`."""
        return self.draw(schemes.orthogonal(gain, blocks, layout=self.layout), name, shape, **place)

    def delta_orthogonal(
        self,
        name: str,
        shape: Shape | None = None,
        gain: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.delta_orthogonal`."""
        return self.draw(schemes.delta_orthogonal(gain, layout=self.layout), name, shape, **place)

    def sparse(
        self,
        name: str,
        shape: Shape | None = None,
        std: float = 0.01,
        *,
        nonzeros: int | None = None,
        sparsity: float | None = None,
        per: Per = "output",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.sparse`."""
        return self.draw(
            schemes.sparse(std, layout=self.layout, nonzeros=nonzeros, sparsity=sparsity, per=per), name, shape, **place
        )

    def siren(
        self,
        name: str,
        shape: Shape | None = None,
        first: bool = False,
        omega: float = 30.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.siren`."""
        return self.draw(schemes.siren(first, omega, layout=self.layout), name, shape, **place)

    def embedding(
        self,
        name: str,
        shape: Shape | None = None,
        std: float = 0.02,
        *,
        padding: int | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.embedding`."""
        return self.draw(schemes.embedding(std, padding=padding), name, shape, **place)

    def scaled_residual(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        layers: int,
        std: float = 0.02,
        branches: int = 2,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.scaled_residual`."""
        return self.draw(schemes.scaled_residual(layers=layers, std=std, branches=branches), name, shape, **place)

    def torchtitan_residual(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        layer: int,
        std: float = 0.02,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.torchtitan_residual`."""
        return self.draw(schemes.torchtitan_residual(layer=layer, std=std), name, shape, **place)

    def deepnorm(
        self,
        name: str,
        shape: Shape | None = None,
        encoder_layers: int = 0,
        decoder_layers: int = 0,
        *,
        stack: Stack = "encoder",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.deepnorm`."""
        return self.draw(
            schemes.deepnorm(encoder_layers, decoder_layers, layout=self.layout, stack=stack), name, shape, **place
        )

    def fixup(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        blocks: int,
        depth: int = 2,
        gain: float | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.fixup`."""
        return self.draw(schemes.fixup(layout=self.layout, blocks=blocks, depth=depth, gain=gain), name, shape, **place)

    def t_fixup(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        layers: int,
        stack: Stack = "encoder",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.t_fixup`."""
        return self.draw(schemes.t_fixup(layout=self.layout, layers=layers, stack=stack), name, shape, **place)

    def t_fixup_embedding(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        layers: int,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.t_fixup_embedding`."""
        return self.draw(schemes.t_fixup_embedding(layers=layers), name, shape, **place)

    def gate_bias(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        gate: int,
        gates: int,
        value: float = 1.0,
        others: schemes.Scheme | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.gate_bias`."""
        return self.draw(schemes.gate_bias(gate=gate, gates=gates, value=value, others=others), name, shape, **place)

    def lstm_bias(
        self,
        name: str,
        shape: Shape | None = None,
        forget: float = 1.0,
        others: schemes.Scheme | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.lstm_bias`."""
        return self.draw(schemes.lstm_bias(forget, others), name, shape, **place)

    def gru_bias(
        self,
        name: str,
        shape: Shape | None = None,
        update: float = 1.0,
        others: schemes.Scheme | None = None,
        *,
        order: str = "rzn",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.gru_bias`."""
        return self.draw(schemes.gru_bias(update, others, order=order), name, shape, **place)

    def mamba_step_bias(
        self,
        name: str,
        shape: Shape | None = None,
        low: float = 0.001,
        high: float = 0.1,
        floor: float = 0.0001,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.mamba_step_bias`."""
        return self.draw(schemes.mamba_step_bias(low, high, floor), name, shape, **place)

    def identity(
        self,
        name: str,
        shape: Shape | None = None,
        gain: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.identity`."""
        return self.draw(schemes.identity(gain), name, shape, **place)

    def dirac(
        self,
        name: str,
        shape: Shape | None = None,
        gain: float = 1.0,
        groups: int = 1,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.dirac`."""
        return self.draw(schemes.dirac(gain, groups, layout=self.layout), name, shape, **place)

    def prior_probability(
        self,
        name: str,
        shape: Shape | None = None,
        probability: float = 0.01,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.prior_probability`."""
        return self.draw(schemes.prior_probability(probability), name, shape, **place)

    def rezero(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.schemes.rezero`."""
        return self.draw(schemes.rezero(), name, shape, **place)

    def layer_scale(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        layers: int,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.layer_scale`."""
        return self.draw(schemes.layer_scale(layers=layers), name, shape, **place)

    def mamba_log_range(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.schemes.mamba_log_range`."""
        return self.draw(schemes.mamba_log_range(), name, shape, **place)

    def sinusoid(
        self,
        name: str,
        shape: Shape | None = None,
        base: float = 10000.0,
        *,
        interleaved: bool = True,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.sinusoid`."""
        return self.draw(schemes.sinusoid(base, interleaved=interleaved), name, shape, **place)

    glorot_uniform = xavier_uniform
    glorot_normal = xavier_normal
    kaiming_uniform = he_uniform
    kaiming_normal = he_normal
    eye = identity
    skip_init = rezero
