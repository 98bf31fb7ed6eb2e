"""A stack, drawn: its weights, and a real forward and backward pass through them in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import schemes
from .feedforward import Layers, Values, Weights
from .recurrent import Steps
from .stack import Stack

_AXES = {
    "dense": ("features",),
    "conv": ("channels", "height", "width"),
    "rnn": ("steps", "features"),
    "lstm": ("steps", "features"),
}
_OVERFLOW = np.errstate(over="ignore", invalid="ignore")  # is what a diagnosis reports, and no reason to warn


class Network:
    """A deep network with drawn weights that runs forward and backward.

    Parameters
    ----------
    stack : Stack
        What it is made of.
    inputs : tuple of int
        The shape of one example: (features,) for "dense", (channels, height, width) for "conv", (steps, features) for
        "rnn" and "lstm".
    classes : int
        Outputs of the head, a linear layer on the last activation (of "conv" its mean over positions; of "rnn" and
        "lstm" that of the last step).
    seed : int
        Of all weights. Default 0.
    dtype : str
        "float32" (default) or "float64": of weights and of the arithmetic, but for activations, which are computed in
        float64 and rounded.
    name : str
        Put before the names under which parameters are drawn. Default: nothing.

    Attributes
    ----------
    parameters : dict of str to array
        "layers.0.weight", "layers.0.bias", …; for "rnn" and "lstm" "cell.weight_hh", "cell.weight_ih", "cell.bias"; and
        "head.weight", "head.bias". Each is the stream of its name, so that `index` draws any part of it alone. Read at
        every pass: train them in place, or replace them. The head's bias is 0.
    gradients : dict of str to array
        The same keys, after `backward`.
    hidden : list of array
        The activation of every layer or step, after `forward`: (n, width), or (n, positions, width) for "conv".
    preactivations : list of array
        What the activation function was given, so after norm; for "lstm" (n, 4·width), gates i, f, g, o.
    signals : list of array
        The gradients by `preactivations`, after `backward`.

    Raises
    ------
    ValueError
        For inputs of another shape, a size below 1, or another dtype.

    Examples
    --------
    >>> from fanin import schemes
    >>> network = Network(Stack(weights=schemes.he_normal(layout="OI"), depth=2, width=32), (8,), 3)
    >>> loss, gradient = network.loss(np.ones((5, 8)), np.array([0, 1, 2, 0, 1]))
    >>> network.backward(gradient)
    >>> network.gradients["layers.1.weight"].shape
    (32, 32)
    """

    def __init__(
        self,
        stack: Stack,
        inputs: tuple[int, ...],
        classes: int,
        *,
        seed: int = 0,
        dtype: str = "float32",
        name: str = "",
    ) -> None:
        axes, inputs = _AXES[stack.kind], tuple(inputs)
        if len(inputs) != len(axes) or min(inputs) < 1:
            raise ValueError(f"inputs must be ({', '.join(axes)}) for kind {stack.kind!r}, got {inputs}")
        if classes < 1:
            raise ValueError(f"classes must be at least 1, got {classes}")
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
        self.stack, self.inputs, self.classes = stack, inputs, classes
        self._dtype = np.dtype(dtype)
        self._body = Layers(stack, inputs) if stack.kind in ("dense", "conv") else Steps(stack, inputs)
        head = stack.head or schemes.xavier_normal(layout="OI")
        plan = self._body.plan | {
            "head.weight": (head, (classes, stack.width)),
            "head.bias": (schemes.zeros(), (classes,)),
        }
        self.parameters: Weights = {
            key: scheme(shape, seed=seed, name=name + key, dtype=dtype) for key, (scheme, shape) in plan.items()
        }
        self.gradients: Weights = {}
        self._features = np.empty((0, stack.width), self._dtype)

    @property
    def hidden(self) -> list[Values]:
        """The activation of every layer or step."""
        return self._body.hidden

    @property
    def preactivations(self) -> list[Values]:
        """What the activation function of every layer or step was given."""
        return self._body.preactivations

    @property
    def signals(self) -> list[Values]:
        """The gradients by `preactivations`."""
        return self._body.signals

    @_OVERFLOW
    def forward(self, x: ArrayLike) -> Values:
        """The logits (n, classes) of a batch (n, *inputs); keeps what `backward` needs."""
        self._features = self._body.forward(self.parameters, self._batch(x))
        return self._features @ self.parameters["head.weight"].T + self.parameters["head.bias"]

    @_OVERFLOW
    def backward(self, logits_gradient: ArrayLike) -> None:
        """From the gradient by the logits of the last `forward` to all others: fills `gradients` and `signals`."""
        gradient = np.asarray(logits_gradient, self._dtype)
        if gradient.shape != (len(self._features), self.classes):
            wanted = (len(self._features), self.classes)
            raise ValueError(f"logits_gradient must have the shape of the last logits, {wanted}, got {gradient.shape}")
        head = {"head.weight": gradient.T @ self._features, "head.bias": gradient.sum(axis=0)}
        self.gradients = self._body.backward(self.parameters, gradient @ self.parameters["head.weight"]) | head

    def loss(self, x: ArrayLike, labels: ArrayLike) -> tuple[float, Values]:
        """The mean softmax cross-entropy of a batch, by `forward`, and its gradient by the logits.

        Parameters
        ----------
        x : array (n, *inputs)
            The batch.
        labels : array of int (n,)
            From 0 to classes - 1.

        Examples
        --------
        >>> from fanin import schemes
        >>> network = Network(Stack(weights=schemes.zeros()), (8,), 10)
        >>> round(network.loss(np.ones((1, 8)), [3])[0], 4)  # ln 10
        2.3026
        """
        logits = self.forward(x)
        chosen = self._labels(labels, len(logits))
        with np.errstate(invalid="ignore"):  # of infinite logits the loss is NaN
            shifted = logits - logits.max(axis=1, keepdims=True)
            exponentials = np.exp(shifted)
            sums = exponentials.sum(axis=1, keepdims=True)
            rows = np.arange(len(logits))
            gradient = exponentials / sums
            gradient[rows, chosen] -= 1
            return float(np.mean(np.log(sums[:, 0]) - shifted[rows, chosen])), gradient / self._dtype.type(len(logits))

    @_OVERFLOW
    def jacobian(self, x: ArrayLike) -> Values:
        """The derivative of the last activation by the first, for one example: the product of all layers between.

        Parameters
        ----------
        x : array, the shape of one example
            Where. Statistics of batch norm are those of the last `forward`, as constants.

        Returns
        -------
        array (width, width)
            Row: which unit of the last layer or step; column: of the first. For "conv" both are (positions·width), so
            take it of small images. For "lstm" the state is h and c, one after the other, and both are 2·width.

        Examples
        --------
        >>> from fanin import schemes
        >>> stack = Stack(weights=schemes.orthogonal(layout="OI"), activation="linear", depth=50, width=16)
        >>> values = np.linalg.svd(Network(stack, (4,), 2).jacobian(np.ones(4)), compute_uv=False)
        >>> bool(abs(values - 1).max() < 1e-4)
        True
        """
        return self._body.jacobian(self.parameters, self._batch(np.asarray(x)[None]))

    def _batch(self, x: ArrayLike) -> Values:
        batch = np.asarray(x, self._dtype)
        if batch.shape[1:] != self.inputs or batch.ndim != len(self.inputs) + 1 or not len(batch):
            wanted = ", ".join(map(str, self.inputs))
            raise ValueError(f"x must have examples of shape ({wanted}), got an array of shape {batch.shape}")
        return batch

    def _labels(self, labels: ArrayLike, examples: int) -> NDArray[np.integer[Any]]:
        chosen = np.asarray(labels)
        if chosen.shape != (examples,) or chosen.dtype.kind not in "iu":
            raise ValueError(f"labels must be {examples} integers, got {chosen.dtype} of shape {chosen.shape}")
        if chosen.min() < 0 or chosen.max() >= self.classes:
            raise ValueError(f"labels must be in [0, {self.classes}), got {chosen.min()} to {chosen.max()}")
        return chosen
