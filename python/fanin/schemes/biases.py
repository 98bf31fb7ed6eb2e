"""Biases that start a network where its data are."""

from __future__ import annotations

from ..arguments import choice, integer, number
from .composition import Concatenate
from .distributions import Constant
from .exact import log_odds
from .registry import register
from .scheme import Scheme, as_scheme

_MOST_GATES = 1000  # each is a scheme of its own


@register(random=False)
def prior_probability(probability: float = 0.01) -> Constant:
    """Start the bias of a sigmoid output so that it predicts this probability: ln(p/(1 − p)), Lin et al. (2017).

    Parameters
    ----------
    probability : float
        The probability, between 0 and 1. Default 0.01.

    Examples
    --------
    >>> round(prior_probability(0.01).value, 4)
    -4.5951
    """
    probability = number("probability", probability)
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, got {probability}")
    return Constant(log_odds(probability))


@register()
def gate_bias(*, gate: int, gates: int, value: float = 1.0, others: Scheme | None = None) -> Concatenate:
    """Start one gate of a fused bias at a value.

    Parameters
    ----------
    gate : int
        The number of the gate that starts at a value, from 0.
    gates : int
        How many gates there are, at most 1000.
    value : float
        The bias of that gate. Default 1.
    others : Scheme, optional
        What draws the biases of the other gates. Default: zeros.

    Examples
    --------
    >>> gate_bias(gate=1, gates=4)(4, seed=0, name="b")
    array([0., 1., 0., 0.], dtype=float32)
    """
    gates = integer("gates", gates, 1, _MOST_GATES)
    gate = integer("gate", gate)
    if not 0 <= gate < gates:
        raise ValueError(f"gate must be in [0, {gates}), got {gate}")
    started, rest = Constant(value), Constant(0.0) if others is None else as_scheme("others", others)
    return Concatenate([started if each == gate else rest for each in range(gates)])


@register()
def lstm_bias(forget: float = 1.0, others: Scheme | None = None) -> Concatenate:
    """Start the forget gate of an LSTM open: a bias of gates input, forget, cell, output, as in torch and Keras.

    Gers, Schmidhuber and Cummins (2000); Jozefowicz, Zaremba and Sutskever (2015) have 1. torch adds two biases: this
    is for one of them.

    Parameters
    ----------
    forget : float
        The bias of the forget gate. Default 1.
    others : Scheme, optional
        What draws the biases of the other gates. Default: zeros.

    Examples
    --------
    >>> lstm_bias()(8, seed=0, name="bias_ih_l0")
    array([0., 0., 1., 1., 0., 0., 0., 0.], dtype=float32)
    """
    return gate_bias(gate=1, gates=4, value=number("forget", forget), others=others)


@register()
def gru_bias(update: float = 1.0, others: Scheme | None = None, *, order: str = "rzn") -> Concatenate:
    """Start the update gate of a GRU open, which keeps the state as the forget gate of an LSTM does.

    Parameters
    ----------
    update : float
        The bias of the update gate. Default 1.
    others : Scheme, optional
        What draws the biases of the other gates. Default: zeros.
    order : {"rzn", "zrn"}
        "rzn": reset, update, new, as in torch; "zrn" as in Keras. Default "rzn".

    Examples
    --------
    >>> gru_bias()(3, seed=0, name="bias_ih_l0")
    array([0., 1., 0.], dtype=float32)
    """
    choice("order", order, ("rzn", "zrn"))
    return gate_bias(gate=order.index("z"), gates=3, value=number("update", update), others=others)
