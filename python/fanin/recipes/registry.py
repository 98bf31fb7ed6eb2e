"""The recipe for a model: the one given, by its name or in a file, or the one that suits."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable

from ..entry import entry
from ..models import Parameters
from ..text import nearest, short
from .recipe import Recipe
from .recurrent import lstm_lm
from .scaled import deepnorm, mup
from .torch_default import torch_default
from .transformers import bert, gpt2, llama
from .vision import resnet, vit

RECIPES: dict[str, Callable[..., Recipe]] = {
    "torch-default": torch_default,
    "gpt2": gpt2,
    "llama": llama,
    "bert": bert,
    "vit": vit,
    "resnet": resnet,
    "lstm-lm": lstm_lm,
    "deepnorm": deepnorm,
    "mup": mup,
}


@entry
def resolve(recipe: Recipe | str | os.PathLike[str] | None, model: Parameters) -> Recipe:
    """The recipe for a model. A built-in one is built for it: depth and widths are those that its parameters tell.

    Parameters
    ----------
    recipe : Recipe, str, path-like or None
        A recipe, returned as it is; the name of a built-in one, a key of `RECIPES`; the path of a .toml file, for
        `Recipe.load`; or None for the one that suits, where the source of the model tells its family.
    model : Parameters
        As from `fanin.models.parameters`. One that the recipe does not suit is an error of `Recipe.match`.

    Raises
    ------
    ValueError
        For a name that no recipe has, None where no recipe is known to suit, an argument that the model does not tell,
        and a file that holds no recipe.
    OSError
        If the file cannot be opened.

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
        return _BUILDERS[model.family](model)
    if not isinstance(recipe, str | os.PathLike):
        raise TypeError(f"recipe must be a Recipe, a name, a path or None, got {short(recipe)}")
    name = os.fspath(recipe)
    if name in _BUILDERS:
        return _BUILDERS[name](model)
    if name.endswith(".toml"):
        return Recipe.load(name)
    raise ValueError(f"recipe must be {_allowed()}, got {short(name)}{nearest(name, RECIPES)}")


def _allowed() -> str:
    return f"one of {', '.join(RECIPES)}, or the path of a .toml file"


def _gpt2(model: Parameters) -> Recipe:
    return gpt2(max(1, _layers(model, "h", "recipes.gpt2(layers=…)")))  # at least 1: no layers, no rule that matches


def _resnet(model: Parameters) -> Recipe:
    bottleneck = any(parameter.name.endswith(".conv3.weight") for parameter in model)
    heads = [parameter.shape for parameter in model if re.fullmatch(r"(.*\.)?fc\.weight", parameter.name)]
    features = heads[0][1] if len(heads) == 1 and len(heads[0]) == 2 else None
    return resnet(50 if bottleneck else 18, features=features)  # the depth itself has no other part in the rules


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


_BUILDERS: dict[str, Callable[[Parameters], Recipe]] = {
    "torch-default": torch_default,
    "gpt2": _gpt2,
    "llama": lambda model: llama(),  # the number of layers has a part in its depth_scaled only
    "bert": lambda model: bert(),
    "vit": lambda model: vit(),
    "resnet": _resnet,
    "lstm-lm": _lstm_lm,
    "deepnorm": _deepnorm,
    "mup": _mup,
}


def _layers(model: Parameters, stack: str, call: str) -> int:
    """How many layers a stack has, by the numbers in its names: 0, 1, … without a gap, or ValueError."""
    pattern = re.compile(rf"(?:^|\.){re.escape(stack)}\.([0-9]{{1,9}})\.")
    numbers = {int(found[1]) for parameter in model if (found := pattern.search(parameter.name))}
    if numbers and max(numbers) != len(numbers) - 1:
        raise ValueError(
            f"the layers {stack}.0, {stack}.1, … of the model must be all there to tell how many there are, got "
            f"{len(numbers)} up to {stack}.{max(numbers)}: give the number as {call} in Python, or a recipe in TOML"
        )
    return len(numbers)
