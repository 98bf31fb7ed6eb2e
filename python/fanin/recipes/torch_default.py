"""What the modules of torch.nn start from, given names and shapes alone."""

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
    """The defaults of torch.nn: linear layers and convolutions within ±1/√fan_in, embeddings N(0, 1), norms 1, 0.

    torch/nn/modules as of 2.13, `reset_parameters`: kaiming_uniform_ with a = √5 for Linear and Conv, fan_in read from
    the shape, for transposed convolutions too; Xavier uniform for the projections of MultiheadAttention.

    Parameters
    ----------
    parameters : mapping of str to shape, or iterable of objects with a name and a shape
        Of the model. The bias of a linear layer or a convolution is within the bound of its weight, a recurrent layer
        within ±1/√hidden, and neither can be seen in the parameter alone; without the model they have no rule.
    embeddings : iterable of str
        Patterns of the embeddings, which look like linear layers.

    Notes
    -----
    A weight of one dimension is taken for that of a norm; PReLU's, 0.25 in torch, needs a rule before it. So do
    parameters that a module of your own draws, the two biases of MultiheadAttention with `add_bias_kv`, and a padding
    row of embeddings. A norm's bias is known by the model, or by its name: one with norm in it, bn1, ln_f.

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
    """What another parameter decides: biases by the weight beside them, recurrent layers by their state."""
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
    """The state's size: the inputs of what projects it, or else of what reads it."""
    for kind in ("hr", "hh"):
        shape = shapes.get(f"{module}weight_{kind}{layer}", ())
        if len(shape) == 2:
            return shape[1]
    return None
