"""List names and shapes of Llama (Touvron et al., 2023), and of its relatives Mistral, Qwen and Gemma."""

from __future__ import annotations

from .shapes import Shapes, joined, linear, norm, within


def llama_shapes(
    *,
    layers: int,
    width: int,
    heads: int,
    feed_forward: int,
    vocabulary: int = 32000,
    groups: int | None = None,
    head_width: int | None = None,
    input_bias: bool = False,
    output_bias: bool = False,
    feed_forward_bias: bool = False,
    head_norms: bool = False,
    feed_forward_norms: bool = False,
) -> Shapes:
    """List names and shapes of Hugging Face's LlamaModel, and of MistralModel, Qwen3Model, Gemma2Model and the like.

    Parameters
    ----------
    layers, width, heads, feed_forward, vocabulary : int
        The numbers of blocks, channels, attention heads, channels within the feed-forward network, and tokens.
    groups : int, optional
        The number of heads of keys and values (Ainslie et al., *GQA*, 2023). Default: `heads`.
    head_width : int, optional
        The number of channels of a head. Default: `width` divided by `heads`.
    input_bias, output_bias, feed_forward_bias : bool
        Whether queries, keys and values, the attention's output, and the feed-forward network have biases.
    head_norms : bool
        Whether queries and keys are normalized, head by head, as in Qwen3 and Gemma 3.
    feed_forward_norms : bool
        Whether the feed-forward network has norms before and after it of its own, as in Gemma 2 and 3.

    Examples
    --------
    >>> llama_shapes(layers=1, width=8, heads=4, groups=2, feed_forward=16)["layers.0.self_attn.k_proj.weight"]
    (4, 8)
    """
    head_width = width // heads if head_width is None else head_width
    groups = heads if groups is None else groups
    per_head, per_block = norm(head_width, bias=False), norm(width, bias=False)
    block = joined(
        {
            "self_attn.q_proj": linear(width, heads * head_width, bias=input_bias),
            "self_attn.k_proj": linear(width, groups * head_width, bias=input_bias),
            "self_attn.v_proj": linear(width, groups * head_width, bias=input_bias),
            "self_attn.o_proj": linear(heads * head_width, width, bias=output_bias),
            **({"self_attn.q_norm": per_head, "self_attn.k_norm": per_head} if head_norms else {}),
            "mlp.gate_proj": linear(width, feed_forward, bias=feed_forward_bias),
            "mlp.up_proj": linear(width, feed_forward, bias=feed_forward_bias),
            "mlp.down_proj": linear(feed_forward, width, bias=feed_forward_bias),
            "input_layernorm": per_block,
            "post_attention_layernorm": per_block,
            **(
                {"pre_feedforward_layernorm": per_block, "post_feedforward_layernorm": per_block}
                if feed_forward_norms
                else {}
            ),
        }
    )
    return joined(
        {
            "embed_tokens": {"weight": (vocabulary, width)},
            **{f"layers.{layer}": block for layer in range(layers)},
            "norm": per_block,
        }
    )


def llama_lm_shapes(base: Shapes) -> Shapes:
    """Extend what `llama_shapes` lists to LlamaForCausalLM, with an output projection that is not tied.

    Examples
    --------
    >>> llama_lm_shapes(llama_shapes(layers=1, width=8, heads=4, feed_forward=16))["lm_head.weight"]
    (32000, 8)
    """
    return {**within("model", base), "lm_head.weight": base["embed_tokens.weight"]}
