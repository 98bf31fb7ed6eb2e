"""Define recipes of transformers as they were published, by the names of their Hugging Face checkpoints."""

from __future__ import annotations

from .. import _core, schemes
from ..arguments import flag, integer
from ..entry import entry
from ..files import limits
from ..schemes import Scheme
from .recipe import Recipe
from .rule import Rule

_ZEROS, _ONES = schemes.zeros(), schemes.ones()
_HEAD = r"/(.*\.)?(lm_head|score|classifier|qa_outputs)\.%s/"  # of language models, and of models tuned from them
# The normal has std 1/√fan_in before it is cut; the gain of a scheme counts after the cut, hence the factor.
_CUT_AT_THREE = schemes.lecun_normal(layout="OI", truncate=3.0) * _core.truncated_std(3.0)


@entry
def gpt2(layers: int = 12, *, std: float = 0.02) -> Recipe:
    """Return the recipe of GPT-2: N(0, std), and projections into the residual stream scaled by 1/√(2·layers).

    It follows Radford et al., *Improving Language Understanding by Generative Pre-Training* (2018), §4.1, and *Language
    Models are Unsupervised Multitask Learners* (2019), §2.3: each block adds to the residual stream twice. Norms are 1
    and 0, biases 0. Position embeddings have the same std as in Hugging Face's transformers; OpenAI's own code has
    0.01. The output projection is drawn like the token embeddings, if it is not tied to them.

    Parameters
    ----------
    layers : int
        The number of blocks, at least 1. Default 12.
    std : float
        The std of everything that is not scaled, `initializer_range` in the configuration. Default 0.02.

    Returns
    -------
    Recipe
        The recipe "gpt2".

    Raises
    ------
    ValueError
        If `layers` is below 1.

    Examples
    --------
    >>> gpt2().rule("h.3.attn.c_attn.bias").scheme.describe()
    'constant(0)'
    """
    layers = integer("layers", layers, 1, limits.LAYERS)
    weight = schemes.normal(std=std)
    residual = schemes.scaled_residual(layers=layers, std=std)
    return Recipe(
        "gpt2",
        (
            Rule("*w[tp]e.weight", weight, "embeddings"),
            Rule("*h.*.attn.c_attn.weight", weight, "attention"),
            Rule("/(.*[.])?h[.][0-9]+[.]crossattention[.][cq]_attn[.]weight/", weight, "attention", optional=True),
            Rule("*h.*.mlp.c_fc.weight", weight, "feed-forward"),
            Rule("*h.*.c_proj.weight", residual, "residual projections"),
            Rule("*ln_[12f].weight", _ONES, "norm scales"),
            Rule("*ln_[12f].bias", _ZEROS, "norm shifts"),
            Rule("*ln_cross_attn.weight", _ONES, "norm scales", optional=True),
            Rule("*h.*.bias", _ZEROS, "biases"),
            Rule(_HEAD % "weight", weight, "head", optional=True),
            Rule(_HEAD % "bias", _ZEROS, "biases", optional=True),
        ),
        source="Radford et al. (2018), section 4.1; Radford et al. (2019), section 2.3",
    )


@entry
def llama(
    layers: int = 32,
    *,
    std: float = 0.02,
    depth_scaled: bool = False,
    padding: int | None = None,
    zero_centered: bool = False,
) -> Recipe:
    """Return the recipe of Llama: N(0, std) for linear layers and embeddings, 1 for norms.

    It follows transformers 5.24, modeling_utils.py, `_init_weights`, with the `initializer_range` of `LlamaConfig`; the
    papers do not say how Meta initialized. Mistral, Qwen2 and Qwen3 start alike, Gemma with `zero_centered`.

    Parameters
    ----------
    layers : int
        The number of layers; it matters with `depth_scaled` only. Default 32.
    std : float
        The std of everything that is not scaled, `initializer_range` in the configuration. Default 0.02.
    depth_scaled : bool
        Whether to follow torchtitan, torchtitan/models/llama3/__init__.py and models/common/param_init.py, instead:
        output, up and down projections of layer i (from 0) have std/√(2(i + 1)), all linear layers are cut at
        ±2 (many std), token embeddings are N(0, 1), and the head is N(0, 1/width) cut at three std. Default False.
    padding : int, optional
        The row of the token embeddings that is zeros: `pad_token_id` of the configuration. Default: none.
    zero_centered : bool
        Whether norms scale by 1 + weight, as in Gemma, so that their weights start at 0. The names of Gemma's
        parameters do not tell it from Llama; its config.json does. Default False.

    Returns
    -------
    Recipe
        The recipe "llama".

    Examples
    --------
    >>> llama().rule("model.layers.7.mlp.down_proj.weight").scheme.describe()
    'normal(mean=0, std=0.02)'
    >>> round(llama(depth_scaled=True).rule("model.layers.7.mlp.down_proj.weight").scheme.expected_std((64, 64)), 6)
    0.005
    """
    layers = integer("layers", layers, 0, limits.LAYERS)
    weight: Scheme = schemes.normal(std=std)
    head, tokens = weight, schemes.embedding(std, padding=padding)
    residual: tuple[Rule, ...] = ()
    if flag("depth_scaled", depth_scaled):
        weight = schemes.truncated_normal(std=std, low=-2.0, high=2.0, bounds="absolute")
        head = _CUT_AT_THREE
        tokens = schemes.embedding(1.0, padding=padding)
        residual = tuple(
            Rule(
                rf"/(.*\.)?layers\.{layer}\.(self_attn\.o|mlp\.up|mlp\.down)_proj\.weight/",
                schemes.torchtitan_residual(layer=layer, std=std),
                "residual projections",
            )
            for layer in range(layers)
        )
    plain = "[qkv]_proj|gate_proj" if depth_scaled else "[qkvo]_proj|(gate|up|down)_proj"
    # A norm before the feed-forward network and another one after it is Gemma's, whose weights do not start at 1.
    before = "|pre_feedforward_layernorm" if flag("zero_centered", zero_centered) else ""
    norms = f"(norm|[qk]_norm|(input|post_attention|post_feedforward)_layernorm{before})"
    return Recipe(
        "llama",
        (
            Rule("*embed_tokens.weight", tokens, "embeddings"),
            *residual,
            Rule(rf"/.*\.(self_attn|mlp)\.({plain})\.weight/", weight, "linear"),
            Rule(rf"/(.*\.)?{norms}\.weight/", _ZEROS if zero_centered else _ONES, "norm scales"),
            Rule("*_proj.bias", _ZEROS, "biases", optional=True),
            Rule(_HEAD % "weight", head, "head", optional=True),
            Rule(_HEAD % "bias", _ZEROS, "biases", optional=True),
        ),
        source="torchtitan, models/llama3/__init__.py, models/common/param_init.py"
        if depth_scaled
        else "transformers 5.24, LlamaConfig",
    )


@entry
def bert(
    *, std: float = 0.02, truncated: bool = False, padding: int | None = 0, padded_positions: bool = False
) -> Recipe:
    """Return the recipe of BERT: N(0, std) for linear layers and embeddings, norms 1 and 0, biases 0.

    It follows transformers 5.24, modeling_utils.py, `_init_weights`, with the `initializer_range` of `BertConfig`; the
    embedding of the padding token is zeros. RoBERTa starts alike with `padded_positions`. The decoder of masked
    language modelling is drawn like other layers, if it is not tied to the word embeddings. Norms may have the names of
    old checkpoints, gamma and beta.

    Parameters
    ----------
    std : float
        The std, `initializer_range` in the configuration. Default 0.02.
    truncated : bool
        Whether to follow the authors' google-research/bert, modeling.py, `create_initializer`, instead: the normal is
        cut at two std, which leaves 0.88 of the std, and the padding token is drawn like others, whatever `padding`
        says. Default False.
    padding : int, optional
        The row of the word embeddings that is zeros: `pad_token_id` of the configuration; None for none. Default 0.
    padded_positions : bool
        Whether the position embeddings have the same row of zeros, as in RoBERTa. Default False.

    Returns
    -------
    Recipe
        The recipe "bert".

    Examples
    --------
    >>> bert().rule("bert.encoder.layer.0.attention.self.query.weight").scheme.describe()
    'normal(mean=0, std=0.02)'
    >>> round(bert(truncated=True).rule("bert.pooler.dense.weight").scheme.expected_std((768, 768)), 4)
    0.0176
    """
    weight: Scheme = schemes.normal(std=std)
    words: Scheme = schemes.embedding(std, padding=padding)
    if flag("truncated", truncated):
        weight = words = schemes.truncated_normal(std=std)
    positions = words if flag("padded_positions", padded_positions) else weight
    heads = (
        r"/(.*\.)?(pooler\.dense|transform\.dense|decoder|seq_relationship|classifier(\.dense|\.out_proj)?|qa_outputs|"
        r"lm_head\.dense)\.weight/"
    )
    return Recipe(
        "bert",
        (
            Rule("*embeddings.word_embeddings.weight", words, "embeddings"),
            Rule("*embeddings.position_embeddings.weight", positions, "embeddings"),
            Rule("*embeddings.token_type_embeddings.weight", weight, "embeddings"),
            Rule(r"/(.*\.)?layer\..*\.(query|key|value|dense)\.weight/", weight, "linear"),
            Rule(heads, weight, "heads", optional=True),
            Rule(r"/.*(LayerNorm|lm_head\.layer_norm)\.(weight|gamma)/", _ONES, "norm scales"),
            Rule(r"/.*(LayerNorm|lm_head\.layer_norm)\.(bias|beta)/", _ZEROS, "norm shifts"),
            Rule("*.bias", _ZEROS, "biases"),
        ),
        source="google-research/bert, modeling.py" if truncated else "transformers 5.24, BertConfig",
    )
