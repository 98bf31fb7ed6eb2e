"""Run the hidden layers of a dense or convolutional stack: x ← f(norm(W·x + b)), or x + f(norm(W·x + b)).

Units are on the last axis, so that a layer is a product with a matrix. x is (n, units), or (n, positions, channels) in
a convolution, which first gathers the patch under its kernel at each position.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..schemes import Scheme
from ..signals import activations
from ..signals.activations import Function
from .stack import Norm, Stack

Values: TypeAlias = NDArray[np.floating[Any]]
Weights: TypeAlias = dict[str, Values]

EPSILON = 1e-5  # added to the variance by norm: Ioffe and Szegedy (2015), and torch's default


class Scaling(NamedTuple):
    """Hold what a norm did: (z - mean)·inverse, with both computed over `axes`, or constants if that is None."""

    mean: Values
    inverse: Values
    axes: tuple[int, ...] | None

    @classmethod
    def of(cls, z: Values, norm: Norm) -> Scaling:
        """Compute it for each unit over batch and positions ("batch"), or for each example over units and positions."""
        axes = tuple(range(z.ndim - 1)) if norm == "batch" else tuple(range(1, z.ndim))
        return cls(z.mean(axes, keepdims=True), 1 / np.sqrt(z.var(axes, keepdims=True) + EPSILON), axes)

    def backward(self, normed: Values, gradient: Values) -> Values:
        if self.axes is None:
            return gradient * self.inverse
        mean, along = (value.mean(self.axes, keepdims=True) for value in (gradient, gradient * normed))
        result: Values = self.inverse * (gradient - mean - along * normed)
        return result


class Kept(NamedTuple):
    """Hold what a layer computed on the way forward and needs on the way back."""

    inputs: Values
    preactivation: Values
    scaling: Scaling | None
    hidden: Values


class Layers:
    """Run all hidden layers. Parameters are passed in, so that whoever trains may replace them."""

    def __init__(self, stack: Stack, inputs: tuple[int, ...]) -> None:
        self._stack = stack
        self._f, self._slope = elementwise(stack.activation)
        square = (stack.kernel, stack.kernel) if stack.kind == "conv" else ()
        self._patch = _neighbours(inputs[1], inputs[2], stack.kernel) if square else None
        self.plan: dict[str, tuple[Scheme, tuple[int, ...]]] = {}
        for layer in range(stack.depth):
            scheme, units = (stack.weights, stack.width) if layer else (stack.inputs or stack.weights, inputs[0])
            self.plan[f"layers.{layer}.weight"] = scheme, (stack.width, units, *square)
            self.plan[f"layers.{layer}.bias"] = stack.biases, (stack.width,)
        self._kept: list[Kept] = []
        self.signals: list[Values] = []

    @property
    def hidden(self) -> list[Values]:
        return [kept.hidden for kept in self._kept]

    @property
    def preactivations(self) -> list[Values]:
        return [kept.preactivation for kept in self._kept]

    def forward(self, parameters: Weights, x: Values) -> Values:
        """Return what the head reads: the last activation, averaged over positions in a convolution."""
        self._kept = self._run(parameters, x, [None] * self._stack.depth)
        return _pooled(self._kept[-1].hidden)

    def backward(self, parameters: Weights, gradient: Values) -> Weights:
        last = self._kept[-1].hidden
        if last.ndim == 3:  # the mean over positions
            gradient = np.broadcast_to(gradient[:, None] / last.dtype.type(last.shape[1]), last.shape)
        self.signals, gradients = [], {}
        for layer, kept in reversed(list(enumerate(self._kept))):
            name = f"layers.{layer}.weight"
            signal, raw, gradient = self._back(parameters[name], kept, gradient)
            self.signals.insert(0, signal)
            gradients[name] = self._weight_gradient(kept.inputs, raw, parameters[name].shape)
            gradients[f"layers.{layer}.bias"] = raw.sum(tuple(range(raw.ndim - 1)))
        return gradients

    def jacobian(self, parameters: Weights, x: Values) -> Values:
        """Return the derivative of the last activation by the first: take the identity's rows back as gradients."""
        constants: list[Scaling | None] = [None] * self._stack.depth
        if self._stack.norm == "batch":
            if not self._kept:
                raise ValueError("jacobian of a stack with batch norm needs the statistics of a batch: forward first")
            constants = [kept.scaling and kept.scaling._replace(axes=None) for kept in self._kept]
        run = self._run(parameters, x, constants)
        last = run[-1].hidden
        rows = np.eye(last.size, dtype=last.dtype).reshape(-1, *last.shape[1:])
        for layer in range(self._stack.depth - 1, 0, -1):
            *_, rows = self._back(parameters[f"layers.{layer}.weight"], run[layer], rows)
        return rows.reshape(last.size, -1)

    def _run(self, parameters: Weights, x: Values, constants: list[Scaling | None]) -> list[Kept]:
        if x.ndim == 4:  # (n, channels, height, width)
            x = np.ascontiguousarray(x.reshape(*x.shape[:2], -1).swapaxes(1, 2))
        run = []
        for layer, constant in enumerate(constants):
            z = self._connect(x, parameters[f"layers.{layer}.weight"]) + parameters[f"layers.{layer}.bias"]
            scaling = constant or (self._stack.norm and Scaling.of(z, self._stack.norm))
            if scaling:
                z = (z - scaling.mean) * scaling.inverse
            y = self._f(z)
            run.append(Kept(x, z, scaling, x + y if self._skips(x, y) else y))
            x = run[-1].hidden
        return run

    def _back(self, weight: Values, kept: Kept, gradient: Values) -> tuple[Values, Values, Values]:
        """Turn the gradient by a layer's activation into those by its preactivation, before the norm, and its input."""
        signal = gradient * self._slope(kept.preactivation)
        raw = signal if kept.scaling is None else kept.scaling.backward(kept.preactivation, signal)
        # The adjoint of a circular convolution is the convolution with the kernel flipped and transposed.
        below = self._connect(raw, np.flip(weight, tuple(range(2, weight.ndim))).swapaxes(0, 1))
        return signal, raw, below + gradient if self._skips(kept.inputs, kept.hidden) else below

    def _skips(self, x: Values, y: Values) -> bool:
        return self._stack.residual and x.shape == y.shape

    def _connect(self, x: Values, weight: Values) -> Values:
        return self._patches(x) @ np.moveaxis(weight, 1, -1).reshape(len(weight), -1).T

    def _weight_gradient(self, x: Values, raw: Values, shape: tuple[int, ...]) -> Values:
        outs, ins, *square = shape
        patches = self._patches(x)
        product = raw.reshape(-1, outs).T @ patches.reshape(-1, patches.shape[-1])
        return np.moveaxis(product.reshape(outs, *square, ins), -1, 1)

    def _patches(self, x: Values) -> Values:
        if self._patch is None:
            return x
        return x.take(self._patch, axis=1).reshape(*x.shape[:2], -1)


def elementwise(activation: Any) -> tuple[Function, Function]:
    """Return function and derivative of an activation; they compute in float64 and return the argument's dtype."""

    def cast(f: Function) -> Function:
        return lambda x: f(x).astype(np.asarray(x).dtype, copy=False)

    return cast(activations.function(activation)), cast(activations.derivative(activation))


def _pooled(x: Values) -> Values:
    return x.mean(axis=1) if x.ndim == 3 else x


def _neighbours(height: int, width: int, kernel: int) -> NDArray[np.intp]:
    """Return the positions under the kernel at each position of an image that wraps around."""
    reach = np.arange(kernel) - kernel // 2
    rows = (np.arange(height)[:, None] + reach) % height
    columns = (np.arange(width)[:, None] + reach) % width
    return (rows[:, None, :, None] * width + columns[None, :, None, :]).reshape(height * width, -1)
