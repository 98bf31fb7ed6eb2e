"""Recipes: ordered rules that give every parameter of a model its scheme."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .schemes import Constant, Normal, Scheme


@dataclass(frozen=True, slots=True)
class Rule:
    """Parameters whose name matches `pattern` are drawn by `scheme`.

    Parameters
    ----------
    pattern : str
        Shell-style: `*`, `?` and `[...]`, matched against the whole name, case included.
    scheme : Scheme
        How they are drawn.
    role : str
        What they are, in a table; rules of equal role and scheme share a row.
    """

    pattern: str
    scheme: Scheme
    role: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """An ordered list of rules; the first that matches a name decides.

    Parameters
    ----------
    name : str
        What the recipe is called.
    rules : tuple of Rule
        From the most to the least specific.
    source : str
        Where the rules come from.

    Examples
    --------
    >>> gpt2().rule("h.3.attn.c_attn.bias").scheme.describe()
    'constant(0)'
    """

    name: str
    rules: tuple[Rule, ...]
    source: str = ""

    def rule(self, name: str) -> Rule:
        """The first rule that matches a parameter's name; ValueError if none does."""
        for rule in self.rules:
            if fnmatchcase(name, rule.pattern):
                return rule
        patterns = ", ".join(rule.pattern for rule in self.rules)
        raise ValueError(f"no rule of recipe {self.name!r} matches the parameter {name!r}; its patterns are {patterns}")

    @property
    def digest(self) -> str:
        """A short hash of the rules, equal only for recipes that draw the same values."""
        rules = [[rule.pattern, rule.scheme.describe()] for rule in self.rules]
        return hashlib.blake2b(json.dumps(rules).encode(), digest_size=8).hexdigest()


def gpt2(layers: int = 12) -> Recipe:
    """GPT-2: N(0, 0.02), projections into the residual stream scaled by 1/√(2·layers), norms 1 and 0, biases 0.

    Radford et al., *Improving Language Understanding by Generative Pre-Training* (2018), §4.1, and *Language
    Models are Unsupervised Multitask Learners* (2019), §2.3: each block adds to the residual stream twice.
    Position embeddings have std 0.02 as in Hugging Face's transformers; OpenAI's own code has 0.01 there.
    """
    weight = Normal(0.0, 0.02)
    residual = Normal(0.0, 0.02 / math.sqrt(2 * layers))
    return Recipe(
        "gpt2",
        (
            Rule("w[tp]e.weight", weight, "embeddings"),
            Rule("h.*.attn.c_attn.weight", weight, "attention"),
            Rule("h.*.mlp.c_fc.weight", weight, "feed-forward"),
            Rule("h.*.c_proj.weight", residual, "residual projections"),
            Rule("*ln_[12f].weight", Constant(1.0), "norm scales"),
            Rule("*ln_[12f].bias", Constant(0.0), "norm shifts"),
            Rule("h.*.bias", Constant(0.0), "biases"),
        ),
        source="Radford et al. (2018), section 4.1; Radford et al. (2019), section 2.3",
    )


RECIPES: dict[str, Callable[[], Recipe]] = {"gpt2": gpt2}
