"""A namespace that carries seed, layout and stream, so that a model's parameters need only their names and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsIndex, Unpack

from . import sampling, schemes, spellings
from ._orthogonal import Blocks
from ._seed import as_seed
from ._types import Activation, Array, Bounds, Distribution, Layout, Mode, Place, Seed, Shape
from .fans import require_layout


@dataclass(frozen=True, slots=True)
class Seeded:
    """Samplers and schemes under one seed, layout and stream: see `seeded`. It has no state."""

    seed: int
    layout: Layout | None
    stream: str

    def draw(self, scheme: schemes.Scheme, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """Draw the parameter `name` by any scheme."""
        return scheme(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def uniform(
        self, name: str, shape: Shape | None = None, low: float = 0.0, high: float = 1.0, **place: Unpack[Place]
    ) -> Array:
        """See `fanin.uniform`."""
        return self.draw(schemes.Uniform(low, high), name, shape, **place)

    def normal(
        self, name: str, shape: Shape | None = None, mean: float = 0.0, std: float = 1.0, **place: Unpack[Place]
    ) -> Array:
        """See `fanin.normal`."""
        return self.draw(schemes.Normal(mean, std), name, shape, **place)

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
        """See `fanin.truncated_normal`."""
        return self.draw(schemes.TruncatedNormal(mean, std, low, high, bounds), name, shape, **place)

    def bits(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.bits`."""
        return sampling.bits(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def constant(self, name: str, shape: Shape | None = None, value: float = 0.0, **place: Unpack[Place]) -> Array:
        """See `fanin.constant`."""
        return self.draw(schemes.Constant(value), name, shape, **place)

    def zeros(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.zeros`."""
        return self.draw(schemes.zeros(), name, shape, **place)

    def ones(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.ones`."""
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
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.variance_scaling`."""
        scheme = schemes.variance_scaling(scale, mode, distribution, layout=self.layout, truncate=truncate)
        return self.draw(scheme, name, shape, **place)

    def xavier_uniform(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "linear",
        gain: float | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.xavier_uniform`."""
        scheme = schemes.xavier_uniform(layout=self.layout, activation=activation, gain=gain)
        return self.draw(scheme, name, shape, **place)

    def xavier_normal(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "linear",
        gain: float | None = None,
        truncate: float | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.xavier_normal`."""
        scheme = schemes.xavier_normal(layout=self.layout, activation=activation, gain=gain, truncate=truncate)
        return self.draw(scheme, name, shape, **place)

    def he_uniform(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "relu",
        gain: float | None = None,
        mode: Mode = "fan_in",
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.he_uniform`."""
        scheme = schemes.he_uniform(layout=self.layout, activation=activation, gain=gain, mode=mode)
        return self.draw(scheme, name, shape, **place)

    def he_normal(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        activation: Activation = "relu",
        gain: float | None = None,
        mode: Mode = "fan_in",
        truncate: float | None = None,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.schemes.he_normal`."""
        scheme = schemes.he_normal(layout=self.layout, activation=activation, gain=gain, mode=mode, truncate=truncate)
        return self.draw(scheme, name, shape, **place)

    def lecun_uniform(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.schemes.lecun_uniform`."""
        return self.draw(schemes.lecun_uniform(layout=self.layout), name, shape, **place)

    def lecun_normal(
        self, name: str, shape: Shape | None = None, *, truncate: float | None = None, **place: Unpack[Place]
    ) -> Array:
        """See `fanin.schemes.lecun_normal`."""
        return self.draw(schemes.lecun_normal(layout=self.layout, truncate=truncate), name, shape, **place)

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

    def delta_orthogonal(
        self, name: str, shape: Shape | None = None, gain: float = 1.0, **place: Unpack[Place]
    ) -> Array:
        """See `fanin.schemes.delta_orthogonal`."""
        return self.draw(schemes.delta_orthogonal(gain, layout=self.layout), name, shape, **place)

    glorot_uniform, glorot_normal = xavier_uniform, xavier_normal
    kaiming_uniform, kaiming_normal = he_uniform, he_normal


def seeded(seed: Seed, *, layout: Layout | None = None, stream: str = "v1") -> Seeded:
    """All samplers and schemes under one seed, layout and stream.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        In [0, 2**64).
    layout : {"OI", "IO"}, optional
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
