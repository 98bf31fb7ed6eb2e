"""Give every parameter of a model its scheme by ordered rules, with ready-made recipes for well-known models.

Examples
--------
>>> from fanin import recipes
>>> recipes.RECIPES["llama"]().rule("model.norm.weight").scheme.describe()
'constant(1)'
"""

from __future__ import annotations

from .recipe import Recipe
from .recurrent import lstm_lm
from .registry import RECIPES, resolve
from .rule import Rule
from .scaled import deepnorm, mup
from .scheme_text import scheme
from .torch_default import torch_default
from .transformers import bert, gpt2, llama
from .vision import resnet, vit

__all__ = [
    "RECIPES",
    "Recipe",
    "Rule",
    "bert",
    "deepnorm",
    "gpt2",
    "llama",
    "lstm_lm",
    "mup",
    "resnet",
    "resolve",
    "scheme",
    "torch_default",
    "vit",
]
