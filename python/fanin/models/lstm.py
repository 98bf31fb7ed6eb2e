"""A language model of LSTM layers (Zaremba, Sutskever and Vinyals, *Recurrent Neural Network Regularization*, 2014)."""

from __future__ import annotations

from .shapes import Shapes, joined, linear


def lstm_lm_shapes(*, layers: int = 2, width: int = 650, vocabulary: int = 10000) -> Shapes:
    """Names and shapes of the model of PyTorch's word_language_model example, by default the paper's medium one.

    The four gates of a layer are stacked in torch's order: input, forget, cell, output.

    Parameters
    ----------
    layers, width, vocabulary : int
        LSTM layers, units of each and of the embedding, and tokens.

    Examples
    --------
    >>> lstm_lm_shapes()["rnn.weight_hh_l1"]
    (2600, 650)
    """
    recurrent: Shapes = {}
    for layer in range(layers):
        recurrent |= {
            f"weight_ih_l{layer}": (4 * width, width),
            f"weight_hh_l{layer}": (4 * width, width),
            f"bias_ih_l{layer}": (4 * width,),
            f"bias_hh_l{layer}": (4 * width,),
        }
    return joined({"encoder": {"weight": (vocabulary, width)}, "rnn": recurrent, "decoder": linear(width, vocabulary)})
