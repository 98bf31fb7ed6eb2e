"""Say once what each parameter means, and complete docstrings with it when they are first asked for."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Public = TypeVar("Public", bound=Callable[..., Any])

_SECTION = r"(?m)^[A-Z][A-Za-z ]+\n-+\n"

# name: (type, explanation)
PARAMETERS = {
    "shape": (
        "int or sequence of int, optional",
        "The shape of the whole tensor. Default: that of `out`.",
    ),
    "seed": (
        "int or numpy.random.SeedSequence",
        "The seed of the model, an int in [0, 2**64), which decides every value, together with `name`. "
        "`fanin.fresh_seed()` returns one to log.",
    ),
    "name": (
        "str",
        'The name of the parameter, as "fc.weight": it selects a stream of its own.',
    ),
    "dtype": (
        "optional",
        "float32, float64, float16 or bfloat16, as a name, a NumPy or a torch dtype. Default: that of `out`, "
        "else float32. bfloat16 and float16 are the float32 values, rounded.",
    ),
    "index": (
        "optional",
        "A part of the tensor, as in NumPy's basic indexing: the result is the full tensor's `[index]`, "
        "computed without the rest.",
    ),
    "out": (
        "optional",
        "A writable array to fill and return: NumPy's, with any strides, or any that supports DLPack, such as "
        "a torch tensor or parameter; on a GPU also one with the CUDA array interface, such as CuPy's.",
    ),
    "device": (
        "optional",
        'The device that computes: "cpu", "cuda" or "cuda:1". Default: the one that `out` is on, else the CPU. '
        "The values are the same; an array that is returned is NumPy's.",
    ),
    "layout": (
        "str",
        'The order of the axes. "OI" is (out, in, *spatial), PyTorch\'s; "IO" is (*spatial, in, '
        "out), Keras's and JAX's; or a letter for every axis, see `fanin.Fans.of`. There is no default where "
        "it matters.",
    ),
    "activation": (
        "str, (str, float) or callable",
        "The activation that follows the weight. It sets the gain: see `fanin.gain`.",
    ),
    "gain": (
        "float",
        "The factor that multiplies the values.",
    ),
    "mode": (
        '{"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}',
        'The fan that divides the variance. "fan_in" keeps the size of signals, "fan_out", with the '
        "activation's backward gain, that of gradients; the others are the mean and the geometric mean of "
        'both. Default "fan_in".',
    ),
    "distribution": (
        '{"normal", "truncated_normal", "uniform"}',
        "The law of the values. All have the same std: the truncated normal is widened for what is cut off.",
    ),
    "truncate": (
        "float, optional",
        "The number of its own std at which a normal is cut; it is widened to keep the variance. Keras and JAX "
        "cut at 2.0. Default: it is not cut, as in torch.",
    ),
    "groups": (
        "int",
        "The number of groups of a grouped convolution: an input feeds the outputs of its group only. Default 1.",
    ),
    "transposed": (
        "bool",
        "Whether the weight is that of a transposed convolution, stored with in and out swapped. Default False.",
    ),
    "blocks": (
        "int or sequence of int",
        "A number of equal blocks of outputs, or their sizes: the gates of a fused recurrent weight, or q, k "
        "and v of a fused attention weight. Each is treated as a weight of its own. Default 1.",
    ),
    "convention": (
        '{"torch", "keras", "jax"}, optional',
        "The library whose fans are computed, from the shape alone; the layout may then be left out.",
    ),
    "mean": (
        "float",
        "The mean of the distribution. Default 0.",
    ),
    "std": (
        "float",
        "The standard deviation of the distribution, not negative.",
    ),
    "low": (
        "float",
        "The lower bound.",
    ),
    "high": (
        "float",
        "The upper bound.",
    ),
    "value": (
        "float",
        "The value, rounded to the dtype.",
    ),
    "layers": (
        "int",
        "The number of layers of the network, at least 1.",
    ),
    "stack": (
        '{"encoder", "decoder"}',
        'The stack that the weight is in. Default "encoder".',
    ),
    "others": (
        "Scheme, optional",
        "The scheme of the other gates. Default: zeros.",
    ),
    "axis": (
        "int",
        "An axis of the shape; negative ones count from the last.",
    ),
}


def completed(public: Public, signature: Callable[[], inspect.Signature] | None = None) -> Public:
    """Let a public function or class make its docstring, and a signature that is given, when they are first asked for.

    Importing them all would otherwise take as long as the rest of the package does.

    Parameters
    ----------
    public : Entry or class
        What to complete; the docstring that it has is the beginning.
    signature : callable, optional
        Returns the signature. Default: the one that it has.
    """
    begun = public.__doc__ or ""
    makers: dict[str, Callable[[], Any]] = {"__doc__": lambda: documented(begun, inspect.signature(public))}
    if signature is not None:
        makers["__signature__"] = signature
    for attribute, make in makers.items():
        setattr(public, attribute, _Attribute(attribute, make) if inspect.isclass(public) else make)
    return public


class _Attribute:
    """Make an attribute of a class when it is first asked for; an `Entry` does so itself."""

    def __init__(self, attribute: str, make: Callable[[], Any]) -> None:
        self._attribute, self._make = attribute, functools.cache(make)

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is not None and self._attribute == "__signature__":
            raise AttributeError("an object is called by the signature of __call__")
        return self._make()


def documented(
    docstring: str, signature: inspect.Signature, explanations: Mapping[str, tuple[str, str]] = PARAMETERS
) -> str:
    """Return a docstring whose section "Parameters" explains every parameter of a signature, in its order.

    What the docstring itself says of a parameter is kept; the others get their type and text from `explanations`.
    """
    before, own, after = _parts(inspect.cleandoc(docstring))
    given = {each: entry for entry in own for each in entry.partition(" :")[0].split(", ")}
    entries: list[str] = []
    for name in signature.parameters:
        if name not in given:
            entries.append(_entry(name, explanations))
        elif given[name] not in entries:
            entries.append(given[name])
    section = "Parameters\n----------\n" + "\n".join(entries) if entries else ""
    return "\n\n".join(part for part in (before, section, after) if part) + "\n"


def _entry(name: str, explanations: Mapping[str, tuple[str, str]]) -> str:
    if name not in explanations:  # of a scheme that is registered elsewhere
        return name
    kind, explanation = explanations[name]
    return f"{name} : {kind}\n" + textwrap.fill(explanation, 112, initial_indent="    ", subsequent_indent="    ")


def _parts(docstring: str) -> tuple[str, list[str], str]:
    """Return the text before a docstring's section "Parameters", the entries of that section, and the text after it."""
    starts = [match.start() for match in re.finditer(_SECTION, docstring)]
    bounds = [*starts, len(docstring)]
    for start, end in itertools.pairwise(bounds):
        if docstring.startswith("Parameters\n", start):
            body = docstring[start:end].split("\n", 2)[2].strip("\n")
            entries = re.split(r"\n(?=\S)", body)
            return docstring[:start].strip(), entries, docstring[end:].strip()
    first = starts[0] if starts else len(docstring)
    return docstring[:first].strip(), [], docstring[first:].strip()
