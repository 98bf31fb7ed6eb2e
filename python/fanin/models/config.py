"""List the parameters that a Hugging Face config.json describes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..files import limits
from ..files.json_reader import parse_object
from ..files.regular import read_text
from ..files.validation import as_integer
from ..text import short
from .bert import bert_lm_shapes, bert_shapes
from .gpt import gpt2_shapes
from .hub import build
from .llama import llama_shapes
from .parameter import Parameters
from .shapes import Shapes, within
from .vision import vit_shapes

_FAMILIES = {
    **{name: name for name in ("gpt2", "llama", "bert", "vit")},
    **dict.fromkeys(("mistral", "qwen2"), "llama"),
}

Ties: TypeAlias = dict[str, str]


def read_config(path: str | os.PathLike[str]) -> Parameters:
    """Return the parameters of the first architecture that a config.json names, or else of the base model.

    Names and shapes are those of transformers' model, with its defaults for what is left out; tied weights are aliases.
    gpt2, llama, mistral, qwen2, bert and vit need no transformers in their common architectures; vit has the names of
    its checkpoints. Anything else is built by transformers, if it is installed, on the meta device.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("config.json").write_text('{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}')
    >>> model = read_config("config.json")
    >>> model.size, model.ties
    (124439808, {'lm_head.weight': 'transformer.wte.weight'})
    """
    where = f"{os.fspath(path)}: "
    config = Config(where, parse_object(read_text(path), f"{where}the file"))
    builder = _BUILDERS.get((config.model_type, config.architecture))
    family = _FAMILIES.get(config.model_type, "")
    if builder is None or (built := builder(config)) is None:
        return replace(build(config.model_type, config.architecture, config.values, where), family=family)
    return Parameters.of(*built, family=family, where=where)


@dataclass(frozen=True, slots=True)
class Config:
    """Hold the values of a config.json, and check them as they are asked for."""

    where: str
    values: dict[str, Any]

    @property
    def model_type(self) -> str:
        """The type of the model, such as "llama"."""
        value = self.values.get("model_type")
        if not isinstance(value, str):
            raise ValueError(f"{self.where}model_type must be a string, as 'llama', got {short(value)}")
        return value

    @property
    def architecture(self) -> str | None:
        """The first class that the file names; None if it names none."""
        value = self.values.get("architectures") or [None]
        if not isinstance(value, list) or not isinstance(value[0], str | None):
            raise ValueError(f"{self.where}architectures must be a list of strings, got {short(value)}")
        return value[0]

    @property
    def labels(self) -> int:
        """The number of classes."""
        names = self.values.get("id2label")
        return len(names) if isinstance(names, dict) else self.size("num_labels", 2)

    def size(self, key: str, default: int) -> int:
        """Return a positive integer."""
        return as_integer(self.values.get(key, default), f"{self.where}{key} must be", 1, limits.SIZE)

    def size_or(self, key: str, default: int | None, otherwise: int) -> int:
        """Return a positive integer, or `otherwise` where the value is null."""
        return otherwise if self.values.get(key, default) is None else self.size(key, default or otherwise)

    def layers(self, key: str = "num_hidden_layers", default: int = 12) -> int:
        """Return the number of layers."""
        return as_integer(self.values.get(key, default), f"{self.where}{key} must be", 0, limits.LAYERS)

    def flag(self, key: str, default: bool) -> bool:
        """Return True or False."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise ValueError(f"{self.where}{key} must be true or false, got {short(value)}")
        return value


Builder: TypeAlias = Callable[[Config], tuple[Shapes, Ties] | None]  # returns None if only transformers can build it


def _gpt2(config: Config) -> tuple[Shapes, Ties] | None:
    if config.flag("add_cross_attention", False):
        return None
    width = config.size("n_embd", 768)
    shapes = gpt2_shapes(
        layers=config.layers("n_layer"),
        width=width,
        vocabulary=config.size("vocab_size", 50257),
        positions=config.size("n_positions", 1024),
        feed_forward=config.size_or("n_inner", None, 4 * width),
    )
    return shapes, {}


def _llama(
    *, feed_forward: int = 11008, vocabulary: int = 32000, groups: int | None = None, family: str = "llama"
) -> Builder:
    """Return a builder for a family with these defaults."""

    def builder(config: Config) -> tuple[Shapes, Ties]:
        channels, heads = config.size("hidden_size", 4096), config.size("num_attention_heads", 32)
        if config.values.get("head_dim") is None and channels % heads:
            raise ValueError(
                f"{config.where}hidden_size must be a multiple of num_attention_heads, {heads}, got {channels}"
            )
        bias = family == "llama" and config.flag("attention_bias", False)
        shapes = llama_shapes(
            layers=config.layers(default=32),
            width=channels,
            heads=heads,
            feed_forward=config.size("intermediate_size", feed_forward),
            vocabulary=config.size("vocab_size", vocabulary),
            groups=config.size_or("num_key_value_heads", groups, heads),
            head_width=config.size_or("head_dim", None, channels // heads),
            input_bias=bias or family == "qwen2",
            output_bias=bias,
            feed_forward_bias=family == "llama" and config.flag("mlp_bias", False),
        )
        return shapes, {}

    return builder


def _causal(base: Builder, prefix: str, embedding: str, *, tied: bool) -> Builder:
    """Return a builder that adds an output projection; `tied` says whether it is tied by default."""

    def builder(config: Config) -> tuple[Shapes, Ties] | None:
        if (built := base(config)) is None:
            return None
        shapes = within(prefix, built[0])
        embeddings = f"{prefix}.{embedding}"
        if config.flag("tie_word_embeddings", tied):
            return shapes, {"lm_head.weight": embeddings}
        return {**shapes, "lm_head.weight": shapes[embeddings]}, {}

    return builder


def _bert(config: Config, *, pooler: bool = True) -> tuple[Shapes, Ties] | None:
    positions = config.values.get("position_embedding_type")
    if config.flag("add_cross_attention", False) or positions not in (None, "absolute"):
        return None
    shapes = bert_shapes(
        layers=config.layers(),
        width=config.size("hidden_size", 768),
        feed_forward=config.size("intermediate_size", 3072),
        vocabulary=config.size("vocab_size", 30522),
        positions=config.size("max_position_embeddings", 512),
        segments=config.size("type_vocab_size", 2),
        pooler=pooler,
    )
    return shapes, {}


def _bert_lm(*, next_sentence: bool) -> Builder:
    def builder(config: Config) -> tuple[Shapes, Ties] | None:
        if (built := _bert(config, pooler=next_sentence)) is None:
            return None
        shapes = bert_lm_shapes(built[0], next_sentence=next_sentence)
        embeddings, decoder = "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder"
        ties = {f"{decoder}.weight": embeddings, f"{decoder}.bias": "cls.predictions.bias"}
        if config.flag("tie_word_embeddings", True):
            return shapes, ties
        apart: Shapes = {f"{decoder}.weight": shapes[embeddings], f"{decoder}.bias": shapes["cls.predictions.bias"]}
        return {**shapes, **apart}, {}

    return builder


def _vit(config: Config) -> tuple[Shapes, Ties] | None:
    if not all(isinstance(config.values.get(key, 1), int) for key in ("image_size", "patch_size")):
        return None  # not square
    shapes = vit_shapes(
        layers=config.layers(),
        width=config.size("hidden_size", 768),
        feed_forward=config.size("intermediate_size", 3072),
        image=config.size("image_size", 224),
        patch=config.size("patch_size", 16),
        channels=config.size("num_channels", 3),
        classes=config.labels,
        input_bias=config.flag("qkv_bias", True),
    )
    return shapes, {}


def _family(model_type: str, name: str, base: Builder) -> dict[tuple[str, str | None], Builder]:
    return {
        (model_type, None): base,
        (model_type, f"{name}Model"): base,
        (model_type, f"{name}ForCausalLM"): _causal(base, "model", "embed_tokens.weight", tied=False),
    }


_BUILDERS: dict[tuple[str, str | None], Builder] = {
    ("gpt2", None): _gpt2,
    ("gpt2", "GPT2Model"): _gpt2,
    ("gpt2", "GPT2LMHeadModel"): _causal(_gpt2, "transformer", "wte.weight", tied=True),
    **_family("llama", "Llama", _llama()),
    **_family("mistral", "Mistral", _llama(feed_forward=14336, groups=8, family="mistral")),
    **_family("qwen2", "Qwen2", _llama(feed_forward=22016, vocabulary=151936, groups=32, family="qwen2")),
    ("bert", None): _bert,
    ("bert", "BertModel"): _bert,
    ("bert", "BertForMaskedLM"): _bert_lm(next_sentence=False),
    ("bert", "BertForPreTraining"): _bert_lm(next_sentence=True),
    ("vit", "ViTForImageClassification"): _vit,
}
