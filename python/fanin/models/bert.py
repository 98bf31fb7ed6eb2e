"""List names and shapes of BERT (Devlin et al., *BERT: Pre-training of Deep Bidirectional Transformers*, 2019).

RoBERTa (Liu et al., 2019) has the same encoder and another head.
"""

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
    positions_last: bool = False,
) -> Shapes:
    """List names and shapes of Hugging Face's BertModel: the encoder and, unless it is left out, the pooler.

    Parameters
    ----------
    layers, width, feed_forward, vocabulary, positions, segments : int
        The numbers of blocks, channels, channels within the feed-forward network, tokens, positions, and token types.
    pooler : bool
        Whether the model has the pooler, a layer on the first token.
    positions_last : bool
        Whether position embeddings come last among the embeddings, as in RobertaModel, which is the same otherwise.

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
    at_positions = {"embeddings.position_embeddings": {"weight": (positions, width)}}
    return joined(
        {
            "embeddings.word_embeddings": {"weight": (vocabulary, width)},
            **({} if positions_last else at_positions),
            "embeddings.token_type_embeddings": {"weight": (segments, width)},
            "embeddings.LayerNorm": norm(width),
            **at_positions,  # which keep the place that they have, if any
            **{f"encoder.layer.{layer}": block for layer in range(layers)},
            **({"pooler.dense": linear(width, width)} if pooler else {}),
        }
    )


def bert_lm_shapes(base: Shapes, *, next_sentence: bool, tied: bool = True) -> Shapes:
    """Extend what `bert_shapes` lists to BertForMaskedLM or, with `next_sentence`, to BertForPreTraining.

    The output projection `cls.predictions.decoder` has no entry if it is `tied`: its weight to the word embeddings, its
    bias to `cls.predictions.bias`.

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
        **({} if tied else within("cls.predictions.decoder", linear(width, vocabulary))),
        **(within("cls.seq_relationship", linear(width, 2)) if next_sentence else {}),
    }


def roberta_lm_shapes(base: Shapes, *, tied: bool = True) -> Shapes:
    """Extend what `bert_shapes` lists to RobertaForMaskedLM.

    The output projection `lm_head.decoder` has no entry if it is `tied`: its weight to the word embeddings, its bias to
    `lm_head.bias`.

    Examples
    --------
    >>> list(roberta_lm_shapes(bert_shapes(layers=0, pooler=False)))[-4:]
    ['lm_head.dense.weight', 'lm_head.dense.bias', 'lm_head.layer_norm.weight', 'lm_head.layer_norm.bias']
    """
    vocabulary, width = base["embeddings.word_embeddings.weight"]
    return {
        **within("roberta", base),
        "lm_head.bias": (vocabulary,),
        **within("lm_head.dense", linear(width, width)),
        **within("lm_head.layer_norm", norm(width)),
        **({} if tied else within("lm_head.decoder", linear(width, vocabulary))),
    }
