"""List names and shapes of an LSTM language model.

Zaremba, Sutskever and Vinyals, *Recurrent Neural Network Regularization*, 2014, describe it.
"""

from __future__ import annotations

from .shapes import Shapes, joined, linear


def lstm_lm_shapes(*, layers: int = 2, width: int = 650, vocabulary: int = 10000) -> Shapes:
    """List names and shapes of the model in PyTorch's word_language_model example, by default the paper's medium one.

    The four gates of a layer are stacked in torch's order: input, forget, cell, output.

    Parameters
    ----------
    layers, width, vocabulary : int
        The numbers of LSTM layers, of units in each and in the embedding, and of tokens.

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
