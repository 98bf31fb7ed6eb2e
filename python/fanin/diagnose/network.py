"""Draw the weights of a stack, and run real forward and backward passes through them in NumPy."""

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
_OVERFLOW = np.errstate(over="ignore", invalid="ignore")  # a diagnosis reports overflows, so NumPy need not warn


class Network:
    """Hold a deep network with drawn weights, and run it forward and backward.

    Parameters
    ----------
    stack : Stack
        The layers of the network, and the schemes of their weights.
    inputs : tuple of int
        The shape of one example: (features,) for "dense", (channels, height, width) for "conv", (steps, features) for
        "rnn" and "lstm".
    classes : int
        The number of outputs of the head: a linear layer on the last activation (for "conv", its mean over positions;
        for "rnn" and "lstm", that of the last step).
    seed : int
        The seed of all weights. Default 0.
    dtype : str
        The dtype of weights and arithmetic, "float32" (the default) or "float64". Activation functions always compute
        in float64 and round to it.
    name : str
        A prefix of the names under which parameters are drawn. Default "".

    Attributes
    ----------
    parameters : dict of str to array
        The parameters by name: "layers.0.weight", "layers.0.bias", …; for "rnn" and "lstm" "cell.weight_hh",
        "cell.weight_ih", "cell.bias"; and "head.weight", "head.bias". A name selects the random stream. The head's bias
        is 0. They are read at every pass: train them in place, or replace them.
    gradients : dict of str to array
        The gradients of the parameters, after `backward`.
    hidden : list of array
        The activation of every layer or step, after `forward`: (n, width), or (n, positions, width) for "conv".
    preactivations : list of array
        The arguments of the activation function, after any norm; for "lstm" (n, 4·width), with gates i, f, g, o.
    signals : list of array
        The gradients with respect to `preactivations`, after `backward`.

    Raises
    ------
    ValueError
        If inputs do not fit the kind of stack, a size is below 1, or the dtype is another.

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
        """The activation of every layer or step, after `forward`."""
        return self._body.hidden

    @property
    def preactivations(self) -> list[Values]:
        """What the activation function of every layer or step was given, after `forward`."""
        return self._body.preactivations

    @property
    def signals(self) -> list[Values]:
        """The gradients with respect to `preactivations`, after `backward`."""
        return self._body.signals

    @_OVERFLOW
    def forward(self, x: ArrayLike) -> Values:
        """Return the logits of a batch, and keep what `backward` needs.

        Parameters
        ----------
        x : array (n, *inputs)
            The batch.

        Returns
        -------
        array (n, classes)
            The logits.

        Raises
        ------
        ValueError
            If examples do not have the shape `inputs`.
        """
        self._features = self._body.forward(self.parameters, self._batch(x))
        return self._features @ self.parameters["head.weight"].T + self.parameters["head.bias"]

    @_OVERFLOW
    def backward(self, logits_gradient: ArrayLike) -> None:
        """Compute all gradients from that with respect to the logits; this fills `gradients` and `signals`.

        Parameters
        ----------
        logits_gradient : array (n, classes)
            The gradient with respect to the logits of the last `forward`.

        Raises
        ------
        ValueError
            If it does not have the shape of the last logits.
        """
        gradient = np.asarray(logits_gradient, self._dtype)
        if gradient.shape != (len(self._features), self.classes):
            wanted = (len(self._features), self.classes)
            raise ValueError(f"logits_gradient must have the shape of the last logits, {wanted}, got {gradient.shape}")
        head = {"head.weight": gradient.T @ self._features, "head.bias": gradient.sum(axis=0)}
        self.gradients = self._body.backward(self.parameters, gradient @ self.parameters["head.weight"]) | head

    def loss(self, x: ArrayLike, labels: ArrayLike) -> tuple[float, Values]:
        """Return the mean softmax cross-entropy of a batch, by `forward`, and its gradient with respect to the logits.

        Parameters
        ----------
        x : array (n, *inputs)
            The batch.
        labels : array of int (n,)
            The class of each example, from 0 to classes - 1.

        Returns
        -------
        float, array (n, classes)
            The loss, and its gradient, which `backward` takes.

        Raises
        ------
        ValueError
            If examples do not have the shape `inputs`, or labels do not fit them.

        Examples
        --------
        >>> from fanin import schemes
        >>> network = Network(Stack(weights=schemes.zeros()), (8,), 10)
        >>> round(network.loss(np.ones((1, 8)), [3])[0], 4)  # ln 10
        2.3026
        """
        logits = self.forward(x)
        chosen = self._labels(labels, len(logits))
        with np.errstate(invalid="ignore"):  # infinite logits make the loss NaN
            shifted = logits - logits.max(axis=1, keepdims=True)
            exponentials = np.exp(shifted)
            sums = exponentials.sum(axis=1, keepdims=True)
            rows = np.arange(len(logits))
            gradient = exponentials / sums
            gradient[rows, chosen] -= 1
            return float(np.mean(np.log(sums[:, 0]) - shifted[rows, chosen])), gradient / self._dtype.type(len(logits))

    @_OVERFLOW
    def jacobian(self, x: ArrayLike) -> Values:
        """Return the derivative of the last activation by the first, for one example: all layers between multiplied.

        Parameters
        ----------
        x : array, the shape of one example
            The example. Batch norm keeps the statistics of the last `forward`, as constants.

        Returns
        -------
        array (width, width)
            A row for each unit of the last layer or step, a column for each unit of the first. For "conv" there are
            positions·width of both, so images should be small. For "lstm" there are 2·width: the state is h, then c.

        Raises
        ------
        ValueError
            If the example does not have the shape `inputs`, or batch norm has no statistics yet.

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
