"""Carry seed and layout, so that a model's parameters need only their names and shapes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import sampling
from .arrays.seed import as_seed
from .arrays.types import Array, Device, DType, Index, Layout, Out, Seed, Shape
from .axes import require_layout
from .entry import entry
from .functions import Maker, public
from .schemes import Scheme, as_scheme
from .schemes.registry import ALIASES, REGISTRY

Parameter = inspect.Parameter


@entry
def seeded(seed: Seed, *, layout: Layout | None = None) -> Seeded:
    """Return all samplers and schemes under one seed and layout.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        The seed of the model, an int in [0, 2**64). It decides every value, together with a parameter's name.
    layout : str, optional
        The layout of the weights: "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and
        JAX's; or a letter for every axis. Schemes that use fans need it.

    Returns
    -------
    Seeded
        Its methods are the functions of `fanin`, with the parameter's name first.

    Raises
    ------
    ValueError
        If the seed is beyond its range, or the layout does not name outputs.
    TypeError
        If the seed is of another kind; `fanin.seed_from` draws one from a generator.

    Examples
    --------
    >>> init = seeded(0, layout="OI")
    >>> w = init.he_normal("mlp.0.weight", (4096, 1024))
    >>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
    >>> bool((part == w[1024:2048]).all())
    True
    """
    return Seeded(as_seed(seed), layout)


@dataclass(frozen=True, slots=True)
class Seeded:
    """Offer all samplers and schemes under one seed and layout: see `seeded`. It has no other state.

    Attributes
    ----------
    seed : int
        The seed of every parameter.
    layout : str or None
        The layout of the schemes that take one.
    """

    seed: int
    layout: Layout | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", as_seed(self.seed))
        if self.layout is not None:
            require_layout(self.layout)

    @entry
    def draw(
        self,
        scheme: Scheme,
        name: str,
        shape: Shape | None = None,
        *,
        dtype: DType = None,
        index: Index = None,
        out: Out = None,
        device: Device = None,
    ) -> Array:
        """Draw the parameter `name` by any scheme.

        Parameters
        ----------
        scheme : Scheme
            The scheme, as `fanin.schemes.normal(std=0.02)`, or its name.
        name, shape, dtype, index, out, device
            The arguments of `fanin.normal`.
        """
        drawn = as_scheme("scheme", scheme)
        return drawn(shape, seed=self.seed, name=name, dtype=dtype, index=index, out=out, device=device)

    @entry
    def bits(
        self,
        name: str,
        shape: Shape | None = None,
        *,
        dtype: DType = None,
        index: Index = None,
        out: Out = None,
        device: Device = None,
    ) -> Array:
        """Draw uniformly random words; the parameters are those of `fanin.bits`."""
        return sampling.bits(shape, seed=self.seed, name=name, dtype=dtype, index=index, out=out, device=device)


def _method(name: str) -> Callable[..., Any]:
    """Make the method of a scheme. It takes a layout too, which its signature does not show."""
    make = Maker(name)

    def draw(
        self: Seeded,
        name: str,
        *args: Any,
        dtype: Any = None,
        index: Any = None,
        out: Any = None,
        device: Any = None,
        **own: Any,
    ) -> Any:
        if make.takes_layout:
            own.setdefault("layout", self.layout)
        scheme, shape = make(args, own)
        return scheme(shape, seed=self.seed, name=name, dtype=dtype, index=index, out=out, device=device)

    draw.__qualname__ = f"Seeded.{name}"
    kind = Parameter.POSITIONAL_OR_KEYWORD
    first = [Parameter("self", kind), Parameter("name", kind, annotation="str")]
    return public(draw, name, first, ("layout",))  # type: ignore[no-any-return]


for _name in REGISTRY:
    if _name not in ALIASES:
        setattr(Seeded, _name, _method(_name))
for _alias, _name in ALIASES.items():
    setattr(Seeded, _alias, getattr(Seeded, _name))
