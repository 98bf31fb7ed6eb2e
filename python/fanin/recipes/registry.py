"""Find the recipe for a model: the one that is given, by its name or in a file, or the one that suits the model."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ..entry import entry
from ..models import Parameters
from ..text import nearest, short
from .recipe import Recipe
from .recurrent import lstm_lm
from .scaled import deepnorm, mup
from .torch_default import torch_default
from .transformers import bert, gpt2, llama
from .vision import resnet, vit


@entry
def resolve(recipe: Recipe | str | os.PathLike[str] | None, model: Parameters) -> Recipe:
    """Return the recipe for a model. A built-in one is made for the depth and widths that the parameters tell.

    The one that suits is also made for what a config.json says of how weights start: `initializer_range`,
    `pad_token_id`, and norms that scale by 1 + weight.

    Parameters
    ----------
    recipe : Recipe, str, path-like or None
        A recipe, which is returned as it is; the name of a built-in one, which is a key of `RECIPES`; the path of a
        .toml file, which `Recipe.load` reads; or None for the built-in recipe that suits the model, if its source tells
        the family.
    model : Parameters
        The parameters, as `fanin.models.parameters` returns them. Whether the recipe suits them is not checked here but
        by `Recipe.match`.

    Returns
    -------
    Recipe
        The recipe.

    Raises
    ------
    ValueError
        If no recipe has that name, None is given and no recipe is known to suit, the model does not tell what a
        built-in recipe needs, or a file does not hold a recipe.
    TypeError
        If `recipe` is another kind of object.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from fanin import models
    >>> recipe = resolve(None, models.parameters("gpt2-xl"))
    >>> recipe.name, recipe.rule("h.47.mlp.c_proj.weight").scheme.describe()  # 0.02/√96
    ('gpt2', 'normal(mean=0, std=0.0020412414523193153)')
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe is None:
        if not model.family:
            raise ValueError(f"recipe must be given, as the model does not tell which suits: {_allowed()}")
        return _BUILT_IN[model.family].for_model(model)
    if not isinstance(recipe, str | os.PathLike):
        raise TypeError(f"recipe must be a Recipe, a name, a path or None, got {short(recipe)}")
    name = os.fspath(recipe)
    if name in _BUILT_IN:
        return _BUILT_IN[name].for_model(model)
    if name.endswith(".toml"):
        return Recipe.load(name)
    raise ValueError(f"recipe must be {_allowed()}, got {short(name)}{nearest(name, RECIPES)}")


def _allowed() -> str:
    return f"one of {', '.join(RECIPES)}, or the path of a .toml file"


def _told(model: Parameters, name: str) -> dict[str, Any]:
    """Return the arguments of the recipe of this name that the source of the model tells."""
    return dict(model.arguments) if model.family == name else {}


def _gpt2(model: Parameters) -> Recipe:
    layers = _layers(model, "h", "recipes.gpt2(layers=…)")
    return gpt2(max(1, layers), **_told(model, "gpt2"))  # the recipe refuses 0; its rules match nothing then


def _resnet(model: Parameters) -> Recipe:
    bottleneck = any(parameter.name.endswith(".conv3.weight") for parameter in model)
    heads = [parameter.shape for parameter in model if re.fullmatch(r"(.*\.)?fc\.weight", parameter.name)]
    features = heads[0][1] if len(heads) == 1 and len(heads[0]) == 2 else None
    depth = 50 if bottleneck else 18  # the rules depend on the depth only by the kind of block
    return resnet(depth, features=features)


def _lstm_lm(model: Parameters) -> Recipe:
    for parameter in model:
        name, shape = parameter.name, tuple(parameter.shape)
        if re.search("weight_hh_l[0-9]", name) and shape[:1] != (4 * math.prod(shape[1:]),):
            raise ValueError(
                f"recipe 'lstm-lm' is for weights of four gates, (4·hidden, hidden), got {shape} for {name!r}"
            )
    return lstm_lm()


def _deepnorm(model: Parameters) -> Recipe:
    call = "recipes.deepnorm(encoder_layers=…, decoder_layers=…)"
    encoder, decoder = (_layers(model, f"{stack}.layers", call) for stack in ("encoder", "decoder"))
    return deepnorm(encoder, decoder or (0 if encoder else max(1, _layers(model, "layers", call))))


def _mup(model: Parameters) -> Recipe:
    layers = _layers(model, "h", "recipes.mup(recipe, base)")
    raise ValueError(
        "recipe 'mup' must be built for a base model, which no model tells: recipes.mup(recipe, base) in Python, as "
        f"recipes.mup(recipes.gpt2({layers or 12}), models.gpt2(layers={layers or 12}, width=256)), whose to_toml() is "
        "a recipe for the command line"
    )


def _layers(model: Parameters, stack: str, call: str) -> int:
    """Count the layers of a stack by the numbers in its names; raise ValueError if there is a gap in 0, 1, …."""
    pattern = re.compile(rf"(?:^|\.){re.escape(stack)}\.([0-9]{{1,9}})\.")
    numbers = {int(found[1]) for parameter in model if (found := pattern.search(parameter.name))}
    if numbers and max(numbers) != len(numbers) - 1:
        raise ValueError(
            f"the layers {stack}.0, {stack}.1, … of the model must be all there to tell how many there are, got "
            f"{len(numbers)} up to {stack}.{max(numbers)}: give the number as {call} in Python, or a recipe in TOML"
        )
    return len(numbers)


class _BuiltIn(NamedTuple):
    """Hold what makes a recipe: from its parameters, which all have defaults, and from the parameters of a model."""

    build: Callable[..., Recipe]
    for_model: Callable[[Parameters], Recipe]


_BUILT_IN = {
    "torch-default": _BuiltIn(torch_default, torch_default),
    "gpt2": _BuiltIn(gpt2, _gpt2),
    "llama": _BuiltIn(
        llama, lambda model: llama(**_told(model, "llama"))
    ),  # the number of layers only matters with depth_scaled
    "bert": _BuiltIn(bert, lambda model: bert(**_told(model, "bert"))),
    "vit": _BuiltIn(vit, lambda model: vit(**_told(model, "vit"))),
    "resnet": _BuiltIn(resnet, _resnet),
    "lstm-lm": _BuiltIn(lstm_lm, _lstm_lm),
    "deepnorm": _BuiltIn(deepnorm, _deepnorm),
    "mup": _BuiltIn(mup, _mup),
}
RECIPES = {name: each.build for name, each in _BUILT_IN.items()}
