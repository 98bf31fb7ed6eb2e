"""Biases that start a network where its data are."""

from __future__ import annotations

from .base import Scheme
from .composition import Concatenate, concatenate
from .distributions import Constant, zeros
from .exact import log_odds


def prior_probability(probability: float = 0.01) -> Constant:
    """The bias of a sigmoid output that first predicts this probability: ln(p/(1 − p)), Lin et al. (2017).

    Examples
    --------
    >>> round(prior_probability(0.01).value, 4)
    -4.5951
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, got {probability}")
    return Constant(log_odds(probability))


def gate_bias(*, gate: int, gates: int, value: float = 1.0, others: Scheme | None = None) -> Concatenate:
    """A fused bias of several gates, one of which starts at a value.

    Parameters
    ----------
    gate, gates : int
        Which, and of how many.
    value : float
        Its bias.
    others : Scheme, optional
        Of the other gates. Default: zeros.

    Examples
    --------
    >>> gate_bias(gate=1, gates=4)(4, seed=0, name="b")
    array([0., 1., 0., 0.], dtype=float32)
    """
    if not 0 <= gate < gates:
        raise ValueError(f"gate must be in [0, {gates}), got {gate}")
    rest = zeros() if others is None else others
    return concatenate([Constant(value) if number == gate else rest for number in range(gates)])


def lstm_bias(forget: float = 1.0, others: Scheme | None = None) -> Concatenate:
    """The bias of an LSTM, its gates input, forget, cell, output as in torch and Keras, whose forget gate starts open.

    Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015) have 1. torch adds two biases: this
    is for one of them.

    Examples
    --------
    >>> lstm_bias()(8, seed=0, name="bias_ih_l0")
    array([0., 0., 1., 1., 0., 0., 0., 0.], dtype=float32)
    """
    return gate_bias(gate=1, gates=4, value=forget, others=others)


def gru_bias(update: float = 1.0, others: Scheme | None = None, *, order: str = "rzn") -> Concatenate:
    """The bias of a GRU whose update gate, which keeps the state as the forget gate of an LSTM does, starts open.

    Parameters
    ----------
    update : float
        Its bias.
    others : Scheme, optional
        Of the other gates. Default: zeros.
    order : {"rzn", "zrn"}
        "rzn": reset, update, new, as in torch; "zrn" as in Keras.

    Examples
    --------
    >>> gru_bias()(3, seed=0, name="bias_ih_l0")
    array([0., 1., 0.], dtype=float32)
    """
    if sorted(order) != ["n", "r", "z"]:
        raise ValueError(f"order must be 'rzn' or 'zrn', got {order!r}")
    return gate_bias(gate=order.index("z"), gates=3, value=update, others=others)
