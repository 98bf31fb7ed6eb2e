"""What is predicted, probed and compared: a deep network of one kind of layer, and the schemes of its weights."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .. import schemes
from ..arrays.types import Activation
from ..schemes import Scheme

Kind: TypeAlias = Literal["dense", "conv", "rnn", "lstm"]
Norm: TypeAlias = Literal["batch", "layer"]

KINDS = ("dense", "conv", "rnn", "lstm")
NORMS = (None, "batch", "layer")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A deep network: `depth` hidden layers of one kind, and a linear layer to the classes.

    A hidden layer is x ← f(norm(W·x + b)), or with `residual` x ← x + f(norm(W·x + b)) wherever the sizes agree.

    Parameters
    ----------
    weights : Scheme
        Of the hidden layers, in the layout "OI": (out, in), for "conv" (out, in, kernel, kernel); of "rnn" and "lstm",
        from the hidden state to itself.
    kind : str
        "dense", "conv" (two-dimensional, circular padding), "rnn" (h ← f(W·h + U·x + b)) or "lstm" (gates i, f, g, o,
        as in torch). The last two have one layer; their depth is the number of steps of the data. Default "dense".
    depth : int
        Hidden layers, of "dense" and "conv". Default 10.
    width : int
        Units of a layer, or channels. Default 128.
    activation : str, (str, float) or callable
        f: see `fanin.gain`. Of "lstm" that of g and of the output; the other gates are sigmoids. Default "relu", and
        "tanh" for "rnn" and "lstm".
    biases : Scheme
        Of the hidden layers. Default zeros.
    inputs : Scheme, optional
        Of the first layer, for "rnn" and "lstm" from the input to the hidden state. Default: `weights` for "dense" and
        "conv", Xavier for the others.
    head : Scheme, optional
        Of the linear layer to the classes. Default: Xavier.
    norm : "batch" or "layer", optional
        Before the activation, with scale 1 and bias 0. Default: none.
    residual : bool
        Default False.
    kernel : int
        Odd, the side of a convolution's kernel. Default 3.

    Raises
    ------
    ValueError
        For an unknown kind or norm, a size below 1, or a scheme in another layout than "OI".
    TypeError
        For weights that are not a scheme, or a size that is not an integer.

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
            object.__setattr__(self, name, operator.index(getattr(self, name)))
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
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
