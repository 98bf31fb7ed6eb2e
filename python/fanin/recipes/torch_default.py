"""Draw parameters as the modules of torch.nn do, from names and shapes alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from .. import schemes
from ..arguments import texts
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..entry import entry
from ..layers import torch
from ..schemes import Scheme
from .families import families
from .recipe import NamedShape, Recipe, pairs
from .rule import Rule

_ZEROS, _ONES = schemes.zeros(), schemes.ones()
WEIGHT = torch.linear(1, 1, False, "linear")["weight"].scheme.replace(layout="OI")
_PROJECTION = torch.attention(1, 1, 1, 1, False)["in_proj_weight"].scheme
_GATES = re.compile("(.*)(weight|bias)_(ih|hh|hr)(_l[0-9]+(_reverse)?)?")


@entry
def torch_default(
    parameters: Mapping[str, Shape] | Iterable[NamedShape] | None = None,
    *,
    embeddings: Iterable[str] = ("*emb*.weight", "*w[tp]e.weight"),
) -> Recipe:
    """Return the recipe of torch.nn: linear layers and convolutions within ±1/√fan_in, embeddings N(0, 1), norms 1, 0.

    It follows `reset_parameters` in torch/nn/modules of torch 2.13: kaiming_uniform_ with a = √5 for Linear and Conv,
    where fan_in is read from the shape, of transposed convolutions too, and Xavier uniform for the projections of
    MultiheadAttention.

    Parameters
    ----------
    parameters : mapping of str to shape, or iterable of objects with a name and a shape, optional
        All parameters of the model. The bias of a linear layer or a convolution has the bound of its weight, and a
        recurrent layer has ±1/√hidden: that follows from other parameters only. Default: none, and no rule for these.
    embeddings : iterable of str
        Patterns for the embeddings, whose shapes are like those of linear layers. Default: "*emb*.weight" and
        "*w[tp]e.weight".

    Returns
    -------
    Recipe
        The recipe "torch-default".

    Notes
    -----
    A weight of one dimension is taken for the scale of a norm. So PReLU's weight, 0.25 in torch, needs a rule before
    this recipe's. So do parameters that a module of your own draws, the two biases of MultiheadAttention with
    `add_bias_kv`, and a padding row of embeddings. The bias of a norm is known by the weight beside it, or by its
    name: one that contains "norm", bn1, ln_f.

    Examples
    --------
    >>> shapes = {"conv.weight": (8, 3, 5, 5), "conv.bias": (8,), "norm.weight": (8,), "norm.bias": (8,)}
    >>> for name, rule in torch_default(shapes).match(shapes).items():
    ...     print(name, round(rule.scheme.expected_std(shapes[name]), 4))
    conv.weight 0.0667
    conv.bias 0.0667
    norm.weight 0.0
    norm.bias 0.0
    """
    shapes = {name: as_shape(shape) for name, shape in pairs("parameters", () if parameters is None else parameters)}
    embeddings = texts("embeddings", embeddings)
    bounded = dict(_bounded(shapes))
    return Recipe(
        "torch-default",
        (
            *(Rule(pattern, scheme, "biases, recurrent", optional=True) for pattern, scheme in families(bounded)),
            Rule(r"/(.*\.)?(in|[qkv])_proj_weight/", _PROJECTION, "attention", optional=True),
            Rule("*in_proj_bias", _ZEROS, "attention biases", optional=True),
            *(Rule(pattern, schemes.normal(), "embeddings", ndim=2, optional=True) for pattern in embeddings),
            Rule(r"/(.*\.)?weight/", WEIGHT, "linear, convolutions", ndim=(2, 3, 4, 5), optional=True),
            Rule(r"/(.*\.)?weight/", _ONES, "norm scales", ndim=1, optional=True),
            Rule(
                r"/(.*\.)?([^.]*[Nn]orm[^.]*|(bn|ln)_?[a-z0-9]?)\.bias/", _ZEROS, "norm shifts", ndim=1, optional=True
            ),
            Rule("*running_mean", _ZEROS, "running means", ndim=1, optional=True),
            Rule("*running_var", _ONES, "running variances", ndim=1, optional=True),
        ),
        source="torch 2.13, torch/nn/modules, reset_parameters",
    )


def _bounded(shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Scheme]]:
    """Yield schemes that another parameter decides: of biases by the weight beside them, of recurrent layers by h."""
    for name in shapes:
        gates = _GATES.fullmatch(name)
        if gates:
            hidden = _hidden(shapes, gates[1], gates[4] or "")
            if hidden is not None:
                yield name, torch.rnn(1, hidden, False)["weight_hh_l0"].scheme
        elif name.rpartition(".")[2] == "bias":
            module = name.removesuffix("bias")
            weight = shapes.get(f"{module}weight", ())
            if len(weight) == 1 or f"{module.removesuffix('out_proj.')}in_proj_bias" in shapes:
                yield name, _ZEROS
            elif len(weight) > 1:
                yield name, torch.linear(math.prod(weight[1:]), 1, True, "linear")["bias"].scheme


def _hidden(shapes: Mapping[str, tuple[int, ...]], module: str, layer: str) -> int | None:
    """Return the size of a recurrent layer's state: the inputs of its projection, or else of the recurrent weight."""
    for kind in ("hr", "hh"):
        shape = shapes.get(f"{module}weight_{kind}{layer}", ())
        if len(shape) == 2:
            return shape[1]
    return None
