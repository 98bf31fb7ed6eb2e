"""Define recipes for recurrent language models, by the names of torch.nn."""

from __future__ import annotations

from .. import schemes
from ..arguments import scale
from ..entry import entry
from .recipe import Recipe
from .rule import Rule


@entry
def lstm_lm(*, forget: float = 1.0, bound: float = 0.1) -> Recipe:
    """Return the recipe of an LSTM language model: orthogonal recurrent and Xavier input weights, open forget gates.

    Each gate of `weight_hh` is an orthogonal matrix: Saxe et al. (2014). Each gate of `weight_ih` is Xavier uniform:
    Glorot and Bengio (2010), eq. 16. torch adds two biases; `bias_ih` is 1 for the forget gate, as Jozefowicz, Zaremba
    and Sutskever (2015) advise, and everything else in both is 0. Embeddings and decoder are uniform within ±0.1 and
    the decoder's bias is 0, as in pytorch/examples, word_language_model/model.py. The names are those of that model:
    `encoder.weight`, `rnn.weight_ih_l0`, …, `decoder.weight`, which is absent if it is tied.

    Parameters
    ----------
    forget : float
        The bias of the forget gate. Default 1.
    bound : float
        The bound of embeddings and decoder, which are uniform within ±bound. Default 0.1.

    Returns
    -------
    Recipe
        The recipe "lstm-lm".

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
