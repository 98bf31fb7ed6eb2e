"""List the parameters of built-in models, by the names of the models."""

from __future__ import annotations

from collections.abc import Callable

from .bert import bert_shapes
from .gpt import gpt2_shapes
from .llama import llama_lm_shapes, llama_shapes
from .lstm import lstm_lm_shapes
from .parameter import Parameter
from .shapes import Shapes
from .vision import resnet_shapes, vit_classifier_shapes, vit_shapes


def gpt2(
    *, layers: int = 12, width: int = 768, vocabulary: int = 50257, positions: int = 1024
) -> tuple[Parameter, ...]:
    """List the parameters of GPT-2, by default the one with 124 M, as in its Hugging Face checkpoint.

    Projections are (in, out), the layout of that checkpoint's Conv1D. The output projection is tied to `wte.weight`,
    so it has no entry.

    Parameters
    ----------
    layers : int
        The number of blocks. Default 12.
    width : int
        The number of channels. Default 768.
    vocabulary : int
        The number of tokens. Default 50257.
    positions : int
        The length of the longest sequence. Default 1024.

    Returns
    -------
    tuple of Parameter
        Names and shapes, in the order of the checkpoint.

    Examples
    --------
    >>> parameters = gpt2()
    >>> len(parameters), sum(p.size for p in parameters)
    (148, 124439808)
    """
    return _parameters(gpt2_shapes(layers=layers, width=width, vocabulary=vocabulary, positions=positions))


def _parameters(shapes: Shapes) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, shape) for name, shape in shapes.items())


def _llama(
    layers: int, width: int, heads: int, feed_forward: int, *, groups: int | None = None, vocabulary: int = 32000
) -> Callable[[], tuple[Parameter, ...]]:
    def build() -> tuple[Parameter, ...]:
        base = llama_shapes(
            layers=layers, width=width, heads=heads, feed_forward=feed_forward, groups=groups, vocabulary=vocabulary
        )
        return _parameters(llama_lm_shapes(base))

    return build


_BY_RECIPE: dict[str, dict[str, Callable[[], tuple[Parameter, ...]]]] = {
    "gpt2": {
        "gpt2": gpt2,
        "gpt2-medium": lambda: gpt2(layers=24, width=1024),
        "gpt2-large": lambda: gpt2(layers=36, width=1280),
        "gpt2-xl": lambda: gpt2(layers=48, width=1600),
    },
    "llama": {
        "llama-7b": _llama(32, 4096, 32, 11008),
        "llama-13b": _llama(40, 5120, 40, 13824),
        "llama-30b": _llama(60, 6656, 52, 17920),
        "llama-65b": _llama(80, 8192, 64, 22016),
        "llama-70b": _llama(80, 8192, 64, 28672, groups=8),  # Llama 2
        "llama-3-8b": _llama(32, 4096, 32, 14336, groups=8, vocabulary=128256),
    },
    "resnet": {"resnet50": lambda: _parameters(resnet_shapes())},
    "vit": {"vit-b-16": lambda: _parameters(vit_classifier_shapes(vit_shapes()))},
    "bert": {"bert-base": lambda: _parameters(bert_shapes())},
    "lstm-lm": {"lstm-lm": lambda: _parameters(lstm_lm_shapes())},
}
MODELS = {name: build for models in _BY_RECIPE.values() for name, build in models.items()}


def family(model: str) -> str:
    """Return the name of the recipe that suits a built-in model.

    Examples
    --------
    >>> family("gpt2-xl"), family("llama-3-8b")
    ('gpt2', 'llama')
    """
    return next(recipe for recipe, models in _BY_RECIPE.items() if model in models)
