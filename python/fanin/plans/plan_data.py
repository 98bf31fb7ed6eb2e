"""Write plans as strings, numbers, lists and dicts, and read these again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import _core
from ..models import Parameter, Parameters, parameters
from ..recipes import Recipe
from ..recipes.recipe_data import FORMAT, require_format
from ..text import short
from .contents import STREAM, Contents
from .rows import Row


def written(plan: Contents) -> dict[str, Any]:
    """Return a plan as data: this is `Plan.to_dict`."""
    return {
        "format": FORMAT,
        "version": _core.__version__,
        "stream": STREAM,
        "seed": plan.seed,
        "recipe": plan.recipe.to_dict(),
        "parameters": [_row_to_dict(row) for row in plan.rows],
        "skipped": [list(pair) for pair in plan.skipped],
        **({} if plan.config is None else {"config": dict(plan.config)}),
    }


def read(data: Mapping[str, Any]) -> tuple[Parameters, Recipe, Any, dict[str, str], dict[str, str]]:
    """Return parameters, recipe, seed, renamed and shares of a plan as data, as `Plan.of` takes them."""
    if not isinstance(data, Mapping):
        raise TypeError(f"a plan must be a mapping, got {type(data).__name__}")
    for key in ("stream", "seed", "recipe", "parameters"):
        if key not in data:
            raise ValueError(f"a plan must have stream, seed, recipe and parameters, got no {key!r}")
    require_format(data)
    if data["stream"] != STREAM:
        raise ValueError(f"stream must be {STREAM!r}, got {data['stream']!r}")
    table = data["parameters"]
    try:
        model = parameters(
            [Parameter(row["name"], row["shape"], row.get("aliases", ()), row["dtype"]) for row in table]
        )
        skipped = tuple((name, reason) for name, reason in data.get("skipped", ()))
        renamed = {row["name"]: row["stream"] for row in table if "stream" in row}
        shares = {row["name"]: row["shares"] for row in table if "shares" in row}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            "parameters of a plan must each have name, shape and dtype, and what it skipped a name and a reason, "
            f"got {error!r}"
        ) from error
    recipe = Recipe.from_dict(data["recipe"])
    config = data.get("config")
    if not isinstance(config, Mapping | None):
        raise ValueError(f"config of a plan must be a mapping, got {short(config)}")
    return replace(model, skipped=skipped, config=config), recipe, data["seed"], renamed, shares


def _row_to_dict(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"name": row.name, "shape": list(row.shape), "dtype": row.dtype}
    if row.aliases:
        data["aliases"] = list(row.aliases)
    if row.stream != row.name:
        data["stream"] = row.stream
    if row.shares:
        data["shares"] = row.shares
    return data | {
        "rule": row.rule.describe(),
        "scheme": row.scheme.describe(),
        "std": row.scheme.expected_std(row.shape),
    }
