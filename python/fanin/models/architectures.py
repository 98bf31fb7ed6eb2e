"""Describe the types of config.json that need no transformers: their fields, and what follows from them.

What a field means, and its default, is as in transformers 5.24: `tests/peers/test_config_peers.py` compares names,
shapes, ties and how weights start with models that it constructs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from .bert import bert_lm_shapes, bert_shapes, roberta_lm_shapes
from .gpt import gpt2_shapes
from .llama import llama_shapes
from .settings import Config
from .shapes import Shapes, within
from .vision import vit_classifier_shapes, vit_shapes

Ties: TypeAlias = dict[str, str]
Builder: TypeAlias = Callable[[Config], tuple[Shapes, Ties]]
Arguments: TypeAlias = Callable[[Config], dict[str, Any]]

# Words in the name of a field that says which weights there are, or how they start, …
_TELLING = re.compile(
    "(^|_)(init|std|variance|gain|zero|bias|norm|untie|tie|tying|embed|embedding|expert|moe|lora|adapter|quant|prun|"
    "share|per_layer)|bias$|layernorm"
)
# … but for these, which only say what is computed.
_HARMLESS = re.compile("eps$|epsilon$|max_position_embeddings$|drop|rope")


@dataclass(frozen=True, slots=True)
class Type:
    """Describe a type of config.json.

    Parameters
    ----------
    family : str
        The name of the recipe that suits.
    defaults : mapping of str to object
        The fields that decide about names, shapes, ties and how weights start, with their defaults.
    arguments : callable
        A function that returns the arguments of the recipe for a `Config`.
    builders : mapping of str to callable
        For each class that needs no transformers, and None for the base model, the function that returns names, shapes
        and ties for a `Config`.
    spellings : mapping of str to str
        Other names of some of these fields. Default: none.
    only : mapping of str to collection
        Fields of which only these values need no transformers. Default: none.
    """

    family: str
    defaults: Mapping[str, Any]
    arguments: Arguments
    builders: Mapping[str | None, Builder]
    spellings: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Collection[Any]] = field(default_factory=dict)

    def unknown(self, values: Mapping[str, Any]) -> str | None:
        """Return the name of the first field that may change the weights in a way that is not known here, if any.

        Examples
        --------
        >>> TYPES["llama"].unknown({"rope_theta": 5e5, "attention_bias": True, "initializer_factor": 0.5})
        'initializer_factor'
        """
        known = {*self.defaults, *self.spellings.values()}
        for key, value in values.items():
            if key in self.only:
                if value not in self.only[key]:
                    return key
            elif key not in known and value and _TELLING.search(key) and not _HARMLESS.search(key):
                return key
        return None


def _gpt2(config: Config) -> tuple[Shapes, Ties]:
    width = config.size("n_embd")
    shapes = gpt2_shapes(
        layers=config.layers("n_layer"),
        width=width,
        vocabulary=config.size("vocab_size"),
        positions=config.size("n_positions"),
        feed_forward=config.size_or("n_inner", 4 * width),
        cross_attention=config.flag("add_cross_attention"),
    )
    return shapes, {}


def _llama(*, input_bias: bool = False, head_norms: bool = False, feed_forward_norms: bool = False) -> Builder:
    """Return a builder for a relative of Llama; `input_bias` says that queries, keys and values always have biases."""

    def builder(config: Config) -> tuple[Shapes, Ties]:
        channels, heads = config.size("hidden_size"), config.size("num_attention_heads")
        if config.value("head_dim") is None and channels % heads:
            raise ValueError(
                f"{config.where}hidden_size must be a multiple of num_attention_heads, {heads}, got {channels}"
            )
        bias = config.flag("attention_bias")
        shapes = llama_shapes(
            layers=config.layers(),
            width=channels,
            heads=heads,
            feed_forward=config.size("intermediate_size"),
            vocabulary=config.size("vocab_size"),
            groups=config.size_or("num_key_value_heads", heads),
            head_width=config.size_or("head_dim", channels // heads),
            input_bias=bias or input_bias,
            output_bias=bias,
            feed_forward_bias=config.flag("mlp_bias"),
            head_norms=head_norms,
            feed_forward_norms=feed_forward_norms,
        )
        return shapes, {}

    return builder


def _causal(base: Builder, prefix: str, embedding: str) -> Builder:
    """Return a builder that adds an output projection, which may be tied to the embedding."""

    def builder(config: Config) -> tuple[Shapes, Ties]:
        shapes = within(prefix, base(config)[0])
        embeddings = f"{prefix}.{embedding}"
        if config.flag("tie_word_embeddings"):
            return shapes, {"lm_head.weight": embeddings}
        return {**shapes, "lm_head.weight": shapes[embeddings]}, {}

    return builder


def _bert(config: Config, *, pooler: bool = True, positions_last: bool = False) -> tuple[Shapes, Ties]:
    shapes = bert_shapes(
        layers=config.layers(),
        width=config.size("hidden_size"),
        feed_forward=config.size("intermediate_size"),
        vocabulary=config.size("vocab_size"),
        positions=config.size("max_position_embeddings"),
        segments=config.size("type_vocab_size"),
        pooler=pooler,
        positions_last=positions_last,
    )
    return shapes, {}


def _bert_lm(config: Config, *, next_sentence: bool) -> tuple[Shapes, Ties]:
    base, tied = _bert(config, pooler=next_sentence)[0], config.flag("tie_word_embeddings")
    shapes = bert_lm_shapes(base, next_sentence=next_sentence, tied=tied)
    return shapes, _decoder_ties("bert", "cls.predictions") if tied else {}


def _roberta(config: Config, *, pooler: bool = True) -> tuple[Shapes, Ties]:
    return _bert(config, pooler=pooler, positions_last=True)


def _roberta_lm(config: Config) -> tuple[Shapes, Ties]:
    base, tied = _roberta(config, pooler=False)[0], config.flag("tie_word_embeddings")
    return roberta_lm_shapes(base, tied=tied), _decoder_ties("roberta", "lm_head") if tied else {}


def _decoder_ties(base: str, head: str) -> Ties:
    return {
        f"{head}.decoder.weight": f"{base}.embeddings.word_embeddings.weight",
        f"{head}.decoder.bias": f"{head}.bias",
    }


def _vit(config: Config, *, pooler: bool = True, mask: bool = False) -> tuple[Shapes, Ties]:
    width = config.size("hidden_size")
    shapes = vit_shapes(
        layers=config.layers(),
        width=width,
        feed_forward=config.size("intermediate_size"),
        image=config.sides("image_size"),
        patch=config.sides("patch_size"),
        channels=config.size("num_channels"),
        input_bias=config.flag("qkv_bias"),
        mask=mask,
        pooler=config.size_or("pooler_output_size", width) if pooler else None,
    )
    return shapes, {}


def _vit_classifier(config: Config) -> tuple[Shapes, Ties]:
    return vit_classifier_shapes(_vit(config, pooler=False)[0], classes=config.labels), {}


def _vit_decoder(config: Config) -> tuple[Shapes, Ties]:
    """List ViTForMaskedImageModeling, whose decoder is a convolution of one pixel to a square of pixels."""
    base, _ = _vit(config, pooler=False, mask=True)
    pixels = config.size("encoder_stride") ** 2 * config.size("num_channels")
    (width,) = base["layernorm.weight"]
    decoder: Shapes = {"weight": (pixels, width, 1, 1), "bias": (pixels,)}
    return {**within("vit", base), **within("decoder.0", decoder)}, {}


_STARTS = {"initializer_range": 0.02, "pad_token_id": None, "tie_word_embeddings": True}
_GPT2 = {
    **_STARTS,
    **{"n_layer": 12, "n_embd": 768, "n_inner": None, "vocab_size": 50257, "n_positions": 1024},
    "add_cross_attention": False,
}
_LLAMA = {
    **_STARTS,
    **{"num_hidden_layers": 32, "hidden_size": 4096, "intermediate_size": 11008, "vocab_size": 32000},
    **{"num_attention_heads": 32, "num_key_value_heads": None, "head_dim": None, "tie_word_embeddings": False},
}
_QWEN = {**_LLAMA, "intermediate_size": 22016, "num_key_value_heads": 32, "vocab_size": 151936}
_GEMMA = {
    **_LLAMA,
    **{"num_hidden_layers": 26, "hidden_size": 2304, "intermediate_size": 9216, "vocab_size": 256000},
    **{"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "attention_bias": False},
    **{"pad_token_id": 0, "tie_word_embeddings": True},
}
_BERT = {
    **_STARTS,
    **{"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "vocab_size": 30522},
    **{"max_position_embeddings": 512, "type_vocab_size": 2, "pad_token_id": 0},
}
_VIT = {
    **{"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072, "qkv_bias": True},
    **{"image_size": 224, "patch_size": 16, "num_channels": 3, "encoder_stride": 16, "pooler_output_size": None},
    "initializer_range": 0.02,
}


def _llama_like(
    model: str, causal: str, defaults: Mapping[str, Any], base: Builder, *, zero_centered: bool = False
) -> Type:
    """Describe a relative of Llama by its two classes; `zero_centered` is that of the recipe "llama"."""

    def arguments(config: Config) -> dict[str, Any]:
        return {"std": config.std, "padding": config.padding, "zero_centered": zero_centered}

    heads: dict[str | None, Builder] = {causal: _causal(base, "model", "embed_tokens.weight")}
    return Type("llama", defaults, arguments, {None: base, model: base, **heads})


def _bert_like(
    defaults: Mapping[str, Any], builders: Mapping[str | None, Builder], *, padded_positions: bool = False
) -> Type:
    """Describe BERT or a relative of it; `padded_positions` is that of the recipe "bert"."""

    def arguments(config: Config) -> dict[str, Any]:
        return {"std": config.std, "padding": config.padding, "padded_positions": padded_positions}

    only = {"add_cross_attention": (False,), "position_embedding_type": (None, "absolute")}
    return Type("bert", defaults, arguments, builders, only=only)


TYPES: Mapping[str, Type] = {
    "gpt2": Type(
        "gpt2",
        _GPT2,
        lambda config: {"std": config.std},
        {
            **dict.fromkeys((None, "GPT2Model"), _gpt2),
            "GPT2LMHeadModel": _causal(_gpt2, "transformer", "wte.weight"),
        },
        {"n_embd": "hidden_size", "n_layer": "num_hidden_layers", "n_positions": "max_position_embeddings"},
    ),
    "llama": _llama_like(
        "LlamaModel", "LlamaForCausalLM", {**_LLAMA, "attention_bias": False, "mlp_bias": False}, _llama()
    ),
    "mistral": _llama_like(
        "MistralModel",
        "MistralForCausalLM",
        {**_LLAMA, "intermediate_size": 14336, "num_key_value_heads": 8},
        _llama(),
    ),
    "qwen2": _llama_like("Qwen2Model", "Qwen2ForCausalLM", _QWEN, _llama(input_bias=True)),
    "qwen3": _llama_like(
        "Qwen3Model",
        "Qwen3ForCausalLM",
        {**_QWEN, "head_dim": 128, "attention_bias": False},
        _llama(head_norms=True),
    ),
    "gemma": _llama_like(
        "GemmaModel",
        "GemmaForCausalLM",
        {
            **_GEMMA,
            **{"num_hidden_layers": 28, "hidden_size": 3072, "intermediate_size": 24576},
            **{"num_attention_heads": 16, "num_key_value_heads": 16},
        },
        _llama(),
        zero_centered=True,
    ),
    "gemma2": _llama_like(
        "Gemma2Model", "Gemma2ForCausalLM", _GEMMA, _llama(feed_forward_norms=True), zero_centered=True
    ),
    "gemma3_text": _llama_like(
        "Gemma3TextModel",
        "Gemma3ForCausalLM",
        {**_GEMMA, "vocab_size": 262_208},
        _llama(head_norms=True, feed_forward_norms=True),
        zero_centered=True,
    ),
    "bert": _bert_like(
        _BERT,
        {
            **dict.fromkeys((None, "BertModel"), _bert),
            "BertForMaskedLM": partial(_bert_lm, next_sentence=False),
            "BertForPreTraining": partial(_bert_lm, next_sentence=True),
        },
    ),
    "roberta": _bert_like(
        {**_BERT, "pad_token_id": 1, "vocab_size": 50265},
        {**dict.fromkeys((None, "RobertaModel"), _roberta), "RobertaForMaskedLM": _roberta_lm},
        padded_positions=True,
    ),
    "vit": Type(
        "vit",
        _VIT,
        lambda config: {"std": config.std},
        {
            **dict.fromkeys((None, "ViTModel"), _vit),
            "ViTForImageClassification": _vit_classifier,
            "ViTForMaskedImageModeling": _vit_decoder,
        },
    ),
}
