"""Plan and build the model of a config: its own code is recorded, offline and within limits."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import torch
from ..arrays import dtypes
from ..arrays.types import DType, Seed
from ..models import hub
from ..models.config import config_in, is_config, read_values
from ..plans import Plan
from ..plans.choices import Only, Overrides
from ..plans.rows import Renamed
from ..recipes import Recipe
from ..text import short

RecipeLike = Recipe | str | os.PathLike[str] | None


def plan(
    config: Any,
    recipe: RecipeLike = None,
    *,
    seed: Seed,
    architecture: str | type | None = None,
    dtype: DType | Mapping[str, DType] = None,
    overrides: Overrides | None = None,
    only: Only | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Plan how each parameter of a model of transformers is drawn: as its own code says, or by a recipe.

    transformers builds the model on the meta device, where nothing is allocated or drawn, from code that is installed:
    nothing is fetched, and code that comes with a model is not run. What the code asks for is recorded. A model with
    more parameters, layers, memory or time than any model has is refused. Quantization is left out.

    Parameters
    ----------
    config : str, path-like or PreTrainedConfig
        The path of a config.json, or of a directory that has one; or a config of transformers.
    recipe : Recipe, str or path, optional
        A recipe: see `fanin.plan`. Default: "as-written", what the model's own code asks for.
    seed : int or SeedSequence
        The seed, in [0, 2**64).
    architecture : str or type, optional
        The class of the model, or one of transformers' AutoModel classes, or the name of either. Default: the first of
        the config's `architectures`, or else the type's base model, as AutoModel builds it.
    dtype : str, dtype or mapping, optional
        The dtype of all parameters, or dtypes by pattern: see `fanin.plan`. Default: what the config says, or else
        float32.
    overrides, only, renamed, strict
        As for `fanin.plan`.

    Returns
    -------
    Plan
        The plan, with the model's buffers and the config, which `save` writes beside the weights.

    Raises
    ------
    ValueError
        If transformers cannot build the model, would need the network or code that is not installed, or exceeds a
        limit; if a file is no config.json; and as `fanin.torch.plan` does.
    ImportError
        If torch or transformers is not installed.

    Examples
    --------
    >>> import fanin
    >>> from transformers import GPT2Config
    >>> plan = fanin.transformers.plan(GPT2Config(n_layer=2), seed=0, architecture="GPT2LMHeadModel")
    >>> plan.ties, plan.row("transformer.h.0.mlp.c_proj.weight").scheme.describe()
    ({'lm_head.weight': 'transformer.wte.weight'}, 'normal(mean=0, std=0.01)')
    """
    given = _Given.of(config, architecture)
    planned = torch.plan(
        given.builder(dtype),
        recipe,
        seed=seed,
        dtype=dtype,
        overrides=overrides,
        only=only,
        renamed=renamed,
        strict=strict,
    )
    return replace(planned, config=given.values)


def from_config(
    config: Any,
    recipe: RecipeLike = None,
    *,
    seed: Seed,
    device: Any = "cpu",
    dtype: DType | Mapping[str, DType] = None,
    architecture: str | type | None = None,
    overrides: Overrides | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Any:
    """Build a model of transformers with its parameters drawn by fanin, as `AutoModel.from_config` does with torch's.

    Buffers have the values that the model's code gives them, what is tied is tied, and all of it is marked as
    initialized: `init_weights` and `initialize_weights` leave it as it is.

    Parameters
    ----------
    config, recipe, seed, dtype, architecture, overrides, renamed, strict
        As for `plan`.
    device : torch.device or str
        The device. Default "cpu".

    Returns
    -------
    transformers.PreTrainedModel
        The model.

    Raises
    ------
    ValueError, ImportError
        As `plan` does.

    Examples
    --------
    >>> import fanin
    >>> from transformers import GPT2Config
    >>> model = fanin.transformers.from_config(GPT2Config(n_layer=2, n_embd=64, n_head=2), seed=0, dtype="bfloat16")
    >>> model.dtype
    torch.bfloat16
    """
    return torch.build(
        _Given.of(config, architecture).builder(dtype),
        recipe,
        seed=seed,
        device=device,
        dtype=dtype,
        overrides=overrides,
        renamed=renamed,
        strict=strict,
    )


@dataclass(frozen=True)
class _Given:
    """Hold a config, the class to build, and what its config.json says."""

    config: Any
    architecture: str | type | None
    values: dict[str, Any]
    where: str

    @classmethod
    def of(cls, source: Any, architecture: str | type | None) -> _Given:
        """Read a config.json with the limits that all files have, or take a config object."""
        if not isinstance(architecture, str | type | None):
            raise TypeError(f"architecture must be a class or its name, got {short(architecture)}")
        if is_config(source):
            return cls(source, architecture, hub.values_of(source), "")
        path = config_in(source)
        if path is None:
            raise ValueError(
                "config must be the path of a config.json or of a directory that has one, or a config of transformers, "
                f"got {short(source)}"
            )
        read = read_values(path)
        hub.require_installed(read.where, read.model_type, read.architecture)
        return cls(
            hub.configuration(read.values, read.where), architecture or read.architecture, read.values, read.where
        )

    def builder(self, dtype: DType | Mapping[str, DType]) -> Callable[[], Any]:
        """Return the function that builds the model."""
        options = {} if dtype is None or isinstance(dtype, Mapping) else {"dtype": dtypes.name(dtype)}

        def build() -> Any:
            with hub.guarded(f"{self.where}transformers", hub.said(self.config, self.architecture)):
                return hub.construct(self.config, self.architecture, **options)

        return build
