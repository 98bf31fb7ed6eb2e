"""Describe networks to predict, probe and compare: their layers, all of one kind, and the schemes of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .. import schemes
from ..arguments import integer
from ..arrays.types import Activation
from ..schemes import Scheme

Kind: TypeAlias = Literal["dense", "conv", "rnn", "lstm"]
Norm: TypeAlias = Literal["batch", "layer"]

KINDS = ("dense", "conv", "rnn", "lstm")
NORMS = (None, "batch", "layer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Describe a deep network: `depth` hidden layers of one kind, and a linear layer to the classes.

    A hidden layer is x ← f(norm(W·x + b)), or with `residual` x ← x + f(norm(W·x + b)) wherever the sizes agree.

    Parameters
    ----------
    weights : Scheme
        The scheme of the hidden layers' weights, in the layout "OI": (out, in), or (out, in, kernel, kernel) for
        "conv". For "rnn" and "lstm" it draws the weights from the hidden state to itself.
    kind : str
        The kind of layer: "dense", "conv" (two-dimensional, circular padding), "rnn" (h ← f(W·h + U·x + b)) or "lstm"
        (gates i, f, g, o, as in torch). The last two have one layer; their depth is the number of steps of the data.
        Default "dense".
    depth : int
        The number of hidden layers, for "dense" and "conv". Default 10.
    width : int
        The number of units, or channels, of a layer. Default 128.
    activation : str, (str, float) or callable
        The function f: see `fanin.gain`. In "lstm" it is that of the gate g and of the output; the other gates are
        sigmoids. Default "relu", and "tanh" for "rnn" and "lstm".
    biases : Scheme
        The scheme of the hidden layers' biases. Default: zeros.
    inputs : Scheme, optional
        The scheme of the first layer's weights; for "rnn" and "lstm", of those from the input to the hidden state.
        Default: `weights` for "dense" and "conv", Xavier's for the others.
    head : Scheme, optional
        The scheme of the linear layer to the classes. Default: Xavier's.
    norm : "batch" or "layer", optional
        The normalization before the activation, with scale 1 and bias 0. Default: none.
    residual : bool
        Whether a layer's input is added to its output. Default False.
    kernel : int
        The side of a convolution's kernel, an odd number. Default 3.

    Raises
    ------
    ValueError
        If the kind or norm is unknown, a size is below 1, or a scheme has another layout than "OI".
    TypeError
        If weights are not a scheme, or a size is not an integer.

    Examples
    --------
    >>> Stack(weights=schemes.he_normal(layout="OI"), depth=30).depth
    30
    """

    weights: Scheme
    kind: Kind = "dense"
    depth: int = 10
    width: int = 128
    activation: Activation = ""
    biases: Scheme = field(default_factory=schemes.zeros)
    inputs: Scheme | None = None
    head: Scheme | None = None
    norm: Norm | None = None
    residual: bool = False
    kernel: int = 3

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.norm not in NORMS:
            raise ValueError(f"norm must be None, 'batch' or 'layer', got {self.norm!r}")
        for name in ("depth", "width", "kernel"):
            object.__setattr__(self, name, integer(name, getattr(self, name), 1))
        if self.activation == "":
            object.__setattr__(self, "activation", "tanh" if self.kind in ("rnn", "lstm") else "relu")
        for name in ("weights", "biases", "inputs", "head"):
            _require_scheme(name, getattr(self, name), optional=name in ("inputs", "head"))
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if self.kind in ("rnn", "lstm") and (self.norm is not None or self.residual):
            raise ValueError(f"norm and residual are for dense and conv, got kind={self.kind!r}")


def _require_scheme(name: str, scheme: object, optional: bool) -> None:
    if scheme is None and optional:
        return
    if not isinstance(scheme, Scheme):
        raise TypeError(f"{name} must be a scheme, as fanin.schemes.he_normal(layout='OI'), got {scheme!r}")
    layout = getattr(scheme, "layout", "OI")
    if not str(layout).startswith("OI"):
        raise ValueError(f"{name} must have the layout 'OI', (out, in, *spatial), got {layout!r}")
