"""Plan a model from any source: names and shapes by a recipe, or a config.json as its author's code says."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from . import transformers
from .arrays.types import DType, Seed
from .entry import entry
from .models import Parameter, parameters
from .models.config import config_in, is_config
from .models.hub import installed
from .plans import Plan
from .plans.choices import Only, Overrides
from .plans.rows import Renamed
from .recipes import Recipe, resolve
from .torch import as_written

Source = str | os.PathLike[str] | Mapping[str, Any] | Iterable[Parameter]


@entry
def plan(
    source: Source,
    recipe: Recipe | str | os.PathLike[str] | None = None,
    *,
    seed: Seed,
    dtype: DType | Mapping[str, DType] = None,
    overrides: Overrides | None = None,
    only: Only | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Decide for every parameter of a model how it will be drawn.

    Parameters
    ----------
    source : str, path-like, mapping or iterable of Parameter
        Where names and shapes come from: the name of a built-in model ("gpt2"); a mapping from names to shapes or
        arrays, such as a state_dict; the path of a .safetensors file, its index, a Hugging Face config.json, a
        directory that has one, or a .toml file; or a config of transformers. See `fanin.models.parameters`.
    recipe : Recipe, str, path-like or None
        The rules that say how each parameter is drawn: a recipe, the name of a built-in one ("gpt2"), which is then
        made for this model's depth, or the path of a .toml file. Default None: what suits the source, which must be a
        built-in model or a config. Where transformers is installed, a config is planned "as-written", by what the
        model's own code asks for: see `fanin.transformers.plan`. Elsewhere it has the built-in recipe of its family.
    seed : int or numpy.random.SeedSequence
        The seed of every random stream, in [0, 2^64).
    dtype : str, dtype or mapping, optional
        The dtype of all parameters: float32, float64, float16 or bfloat16; or a mapping from patterns, as rules have
        them, to dtypes, of which the first that matches decides. By default each has the dtype that its source says,
        and float32 where the source says none, as a mapping of shapes.
    overrides : mapping of str to Scheme, optional
        Schemes by pattern, as rules have them, for parameters that are to be drawn in another way than the recipe
        says. A scheme may be given as its name or its dict. Default: none are.
    only : str or iterable of str, optional
        Names or patterns of the parameters to plan; the others are listed as skipped. They keep the values that they
        would have beside all others. Default: all of them.
    renamed : mapping of str to str, or callable, optional
        For parameters that were renamed: a mapping from the new name to the old one, or a function that returns the
        old name for a new one. They keep the values that they had by the old name. Default: none was renamed.
    strict : bool
        Whether a rule that draws nothing is an error rather than a warning. Default False.

    Returns
    -------
    Plan
        The parameters, each with its rule. Nothing is drawn yet; printing the plan shows a table.

    Raises
    ------
    ValueError
        If no rule matches a parameter, two have one name, there is no such recipe or source, or a pattern of
        `overrides`, `only` or `dtype` matches nothing.
    TypeError
        If a dtype cannot be drawn, as int8.
    OSError
        If a file cannot be read.

    Warns
    -----
    UserWarning
        If a rule draws nothing, unless `strict`.

    Examples
    --------
    >>> import fanin
    >>> plan = fanin.plan("gpt2", "gpt2", seed=0, dtype="bfloat16")
    >>> plan.size, plan.nbytes
    (124439808, 248879616)
    >>> plan["h.0.mlp.c_fc.weight", 5:7].shape
    (2, 3072)
    """
    if is_as_written(source, recipe):
        return transformers.plan(
            source, seed=seed, dtype=dtype, overrides=overrides, only=only, renamed=renamed, strict=strict
        )
    model = parameters(source)
    return Plan.of(
        model,
        resolve(recipe, model),
        seed,
        dtype=dtype,
        overrides=overrides,
        only=only,
        renamed=renamed,
        strict=strict,
    )


def is_as_written(source: object, recipe: object) -> bool:
    """Tell whether a source is planned by what its model's own code asks for, which transformers has."""
    return as_written.is_meant(recipe) and (is_config(source) or config_in(source) is not None) and installed()
