"""List names and shapes of GPT-2 (Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019)."""

from __future__ import annotations

from .shapes import Shapes, joined, norm


def gpt2_shapes(
    *,
    layers: int,
    width: int,
    vocabulary: int = 50257,
    positions: int = 1024,
    feed_forward: int | None = None,
    cross_attention: bool = False,
) -> Shapes:
    """List names and shapes of Hugging Face's GPT2Model, which are also those of OpenAI's checkpoints there.

    Projections are (in, out), the layout of their Conv1D. The output projection is tied to `wte.weight`, so it has no
    entry.

    Parameters
    ----------
    layers, width, vocabulary, positions : int
        The numbers of blocks, channels, tokens and positions.
    feed_forward : int, optional
        The number of channels within the feed-forward network. Default: four times `width`.
    cross_attention : bool
        Whether each block also attends to the output of an encoder.

    Examples
    --------
    >>> gpt2_shapes(layers=1, width=8)["h.0.attn.c_attn.weight"]
    (8, 24)
    """
    inner = 4 * width if feed_forward is None else feed_forward
    block = joined(
        {
            "ln_1": norm(width),
            "attn.c_attn": _conv1d(width, 3 * width),
            "attn.c_proj": _conv1d(width, width),
            "ln_2": norm(width),
            **(_cross_attention(width) if cross_attention else {}),
            "mlp.c_fc": _conv1d(width, inner),
            "mlp.c_proj": _conv1d(inner, width),
        }
    )
    return joined(
        {
            "wte": {"weight": (vocabulary, width)},
            "wpe": {"weight": (positions, width)},
            **{f"h.{layer}": block for layer in range(layers)},
            "ln_f": norm(width),
        }
    )


def _cross_attention(width: int) -> dict[str, Shapes]:
    return {
        "crossattention.c_attn": _conv1d(width, 2 * width),
        "crossattention.q_attn": _conv1d(width, width),
        "crossattention.c_proj": _conv1d(width, width),
        "ln_cross_attn": norm(width),
    }


def _conv1d(fan_in: int, fan_out: int) -> Shapes:
    return {"weight": (fan_in, fan_out), "bias": (fan_out,)}
