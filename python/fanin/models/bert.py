"""List names and shapes of BERT (Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers*, 2019)."""

from __future__ import annotations

from .shapes import Shapes, joined, linear, norm, within


def bert_shapes(
    *,
    layers: int = 12,
    width: int = 768,
    feed_forward: int = 3072,
    vocabulary: int = 30522,
    positions: int = 512,
    segments: int = 2,
    pooler: bool = True,
) -> Shapes:
    """List names and shapes of Hugging Face's BertModel: the encoder and, unless it is left out, the pooler.

    Parameters
    ----------
    layers, width, feed_forward, vocabulary, positions, segments : int
        The numbers of blocks, channels, channels within the feed-forward network, tokens, positions, and token types.
    pooler : bool
        Whether the model has the pooler, a layer on the first token.

    Examples
    --------
    >>> bert_shapes()["embeddings.token_type_embeddings.weight"]
    (2, 768)
    """
    block = joined(
        {
            "attention.self.query": linear(width, width),
            "attention.self.key": linear(width, width),
            "attention.self.value": linear(width, width),
            "attention.output.dense": linear(width, width),
            "attention.output.LayerNorm": norm(width),
            "intermediate.dense": linear(width, feed_forward),
            "output.dense": linear(feed_forward, width),
            "output.LayerNorm": norm(width),
        }
    )
    return joined(
        {
            "embeddings.word_embeddings": {"weight": (vocabulary, width)},
            "embeddings.position_embeddings": {"weight": (positions, width)},
            "embeddings.token_type_embeddings": {"weight": (segments, width)},
            "embeddings.LayerNorm": norm(width),
            **{f"encoder.layer.{layer}": block for layer in range(layers)},
            **({"pooler.dense": linear(width, width)} if pooler else {}),
        }
    )


def bert_lm_shapes(base: Shapes, *, next_sentence: bool) -> Shapes:
    """Extend what `bert_shapes` lists to BertForMaskedLM or, with `next_sentence`, to BertForPreTraining.

    The output projection `cls.predictions.decoder` has no entry: its weight is tied to the word embeddings unless a
    configuration says otherwise, its bias to `cls.predictions.bias`.

    Examples
    --------
    >>> shapes = bert_lm_shapes(bert_shapes(pooler=False), next_sentence=False)
    >>> shapes["cls.predictions.bias"]
    (30522,)
    """
    vocabulary, width = base["embeddings.word_embeddings.weight"]
    return {
        **within("bert", base),
        "cls.predictions.bias": (vocabulary,),
        **within("cls.predictions.transform.dense", linear(width, width)),
        **within("cls.predictions.transform.LayerNorm", norm(width)),
        **(within("cls.seq_relationship", linear(width, 2)) if next_sentence else {}),
    }
