"""Recurrent language models, by the names of torch.nn."""

from __future__ import annotations

from .. import schemes
from ..arguments import scale
from ..entry import entry
from .recipe import Recipe
from .rule import Rule


@entry
def lstm_lm(*, forget: float = 1.0, bound: float = 0.1) -> Recipe:
    """A language model of LSTMs: orthogonal recurrent weights, Xavier input weights, an open forget gate.

    Each gate of `weight_hh` is an orthogonal matrix of its own, Saxe et al. (2014); each gate of `weight_ih` is Xavier
    uniform, Glorot and Bengio (2010), eq. 16; of the two biases that torch adds, `bias_ih` has 1 for the forget gate,
    Jozefowicz, Zaremba and Sutskever (2015), and all else is 0. Embeddings and decoder are uniform within ±0.1, and the
    decoder's bias 0, as in pytorch/examples, word_language_model/model.py, whose names these are: `encoder.weight`,
    `rnn.weight_ih_l0`, …, `decoder.weight`, which may be tied and absent.

    Parameters
    ----------
    forget : float
        The bias of the forget gate.
    bound : float
        Of embeddings and decoder.

    Examples
    --------
    >>> lstm_lm().rule("rnn.weight_hh_l1").scheme.describe()
    'orthogonal(gain=1, blocks=4, layout=OI)'
    """
    bound = scale("bound", bound)
    ends = schemes.uniform(-bound, bound)
    return Recipe(
        "lstm-lm",
        (
            Rule("*encoder.weight", ends, "embeddings"),
            Rule("*weight_hh_l*", schemes.orthogonal(blocks=4, layout="OI"), "recurrent weights"),
            Rule("*weight_ih_l*", schemes.xavier_uniform(blocks=4, layout="OI"), "input weights"),
            Rule("*bias_ih_l*", schemes.lstm_bias(forget), "biases with an open forget gate"),
            Rule("*bias_hh_l*", schemes.zeros(), "biases"),
            Rule("*decoder.weight", ends, "decoder", optional=True),
            Rule("*decoder.bias", schemes.zeros(), "biases", optional=True),
        ),
        source="Saxe et al. (2014); Jozefowicz et al. (2015); pytorch/examples, word_language_model/model.py",
    )
