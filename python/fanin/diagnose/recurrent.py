"""Run the steps of a recurrent stack: h ← f(W·h + U·x + b), or those of an LSTM.

The state is one array: h for "rnn", and h and c side by side for "lstm" (Gers, Schmidhuber and Cummins, 2000). Gates
are input, forget, cell and output, as in torch. As in Keras, the cell gate and the output have the stack's activation.
"""

from __future__ import annotations

import numpy as np

from .. import schemes
from ..schemes import Scheme
from .feedforward import Values, Weights, elementwise
from .stack import Stack

HIDDEN, INPUT, BIAS = "cell.weight_hh", "cell.weight_ih", "cell.bias"


class Steps:
    """Run one layer over all steps of the data."""

    def __init__(self, stack: Stack, inputs: tuple[int, ...]) -> None:
        width, gates = stack.width, 4 if stack.kind == "lstm" else 1
        self._width = width
        self._cell = Lstm(stack) if stack.kind == "lstm" else Rnn(stack)
        self.plan: dict[str, tuple[Scheme, tuple[int, ...]]] = {
            HIDDEN: (stack.weights, (gates * width, width)),
            INPUT: (stack.inputs or schemes.xavier_normal(blocks=gates, layout="OI"), (gates * width, inputs[-1])),
            BIAS: (stack.biases, (gates * width,)),
        }
        self._x: Values = np.empty((0, *inputs))
        self._states: list[Values] = []
        self.preactivations: list[Values] = []
        self.signals: list[Values] = []

    @property
    def hidden(self) -> list[Values]:
        return [state[:, : self._width] for state in self._states[1:]]

    def forward(self, parameters: Weights, x: Values) -> Values:
        """Return what the head reads: the last h."""
        self._x = x
        self._states, self.preactivations = self._run(parameters, x)
        return self.hidden[-1]

    def backward(self, parameters: Weights, gradient: Values) -> Weights:
        rows = np.zeros_like(self._states[-1])
        rows[:, : self._width] = gradient
        self.signals = []
        for step in reversed(range(len(self.preactivations))):
            z, before, after = self.preactivations[step], self._states[step], self._states[step + 1]
            signal, rows = self._back(parameters[HIDDEN], z, before, after, rows)
            self.signals.insert(0, signal)
        signals = np.concatenate(self.signals)
        previous = np.concatenate([state[:, : self._width] for state in self._states[:-1]])
        inputs = self._x.swapaxes(0, 1).reshape(len(signals), -1)
        return {HIDDEN: signals.T @ previous, INPUT: signals.T @ inputs, BIAS: signals.sum(axis=0)}

    def jacobian(self, parameters: Weights, x: Values) -> Values:
        """Return the derivative of the last state by the first: take the identity's rows back as gradients."""
        states, preactivations = self._run(parameters, x)
        rows = np.eye(states[-1].size, dtype=x.dtype)
        for step in range(len(preactivations) - 1, 0, -1):
            _, rows = self._back(parameters[HIDDEN], preactivations[step], states[step], states[step + 1], rows)
        return rows

    def _run(self, parameters: Weights, x: Values) -> tuple[list[Values], list[Values]]:
        driven = x.swapaxes(0, 1) @ parameters[INPUT].T + parameters[BIAS]
        states, preactivations = [np.zeros((len(x), self._cell.states * self._width), x.dtype)], []
        for drive in driven:
            preactivations.append(states[-1][:, : self._width] @ parameters[HIDDEN].T + drive)
            states.append(self._cell.forward(preactivations[-1], states[-1]))
        return states, preactivations

    def _back(
        self, weight: Values, z: Values, before: Values, after: Values, gradient: Values
    ) -> tuple[Values, Values]:
        """Turn the gradient by the state after a step into those by its preactivation and by the state before."""
        signal, below = self._cell.backward(z, before, after, gradient)
        below[:, : self._width] += signal @ weight
        return signal, below


class Rnn:
    """Step a simple cell, whose new state is f(z): Elman (1990)."""

    states = 1

    def __init__(self, stack: Stack) -> None:
        self._f, self._slope = elementwise(stack.activation)

    def forward(self, z: Values, _: Values) -> Values:
        return self._f(z)

    def backward(self, z: Values, _: Values, __: Values, gradient: Values) -> tuple[Values, Values]:
        return gradient * self._slope(z), np.zeros_like(gradient)


class Lstm:
    """Step an LSTM cell: c ← σ(z_f)·c + σ(z_i)·f(z_g), then h ← σ(z_o)·f(c)."""

    states = 2

    def __init__(self, stack: Stack) -> None:
        self._f, self._slope = elementwise(stack.activation)
        self._gate, self._gate_slope = elementwise("sigmoid")

    def forward(self, z: Values, state: Values) -> Values:
        i, f, g, o = np.split(z, 4, axis=1)
        _, c = np.split(state, 2, axis=1)
        c = self._gate(f) * c + self._gate(i) * self._f(g)
        return np.concatenate([self._gate(o) * self._f(c), c], axis=1)

    def backward(self, z: Values, before: Values, after: Values, gradient: Values) -> tuple[Values, Values]:
        i, f, g, o = np.split(z, 4, axis=1)
        _, c = np.split(before, 2, axis=1)
        _, new = np.split(after, 2, axis=1)
        by_h, by_c = np.split(gradient, 2, axis=1)
        by_c = by_c + by_h * self._gate(o) * self._slope(new)
        by_gates = (
            by_c * self._f(g) * self._gate_slope(i),
            by_c * c * self._gate_slope(f),
            by_c * self._gate(i) * self._slope(g),
            by_h * self._f(new) * self._gate_slope(o),
        )
        return np.concatenate(by_gates, axis=1), np.concatenate([np.zeros_like(by_h), by_c * self._gate(f)], axis=1)
