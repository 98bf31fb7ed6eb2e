"""Load tasks to train on, scikit-learn's digits or the user's own, and train by plain SGD."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..files.npz_reader import Described, read_npz
from ..sampling import bits
from .stack import KINDS, Kind

if TYPE_CHECKING:
    from .network import Network

Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int64]
Measured: TypeAlias = NDArray[np.float64]

_ARRAYS = ("x", "y", "test_x", "test_y")
_NUMPY_KINDS = "biufcmMSUV"  # the kinds of dtype that are read, so that errors can name them
_AXES = {"dense": 1, "conv": 3, "rnn": 2, "lstm": 2}  # the number of axes of one example
_CHUNK = 512  # examples that are classified at once, which bounds the memory of their activations


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Hold examples with their classes, to train on and to test with.

    Parameters
    ----------
    name : str
        The name of the task, for tables and pictures.
    inputs : ndarray of float32, (n, features), (n, channels, height, width) or (n, steps, features)
        The examples to train on, standardized.
    labels : ndarray of int64, (n,)
        Their classes, from 0 to classes - 1.
    test_inputs : ndarray of float32
        The examples to test with, of the same shape but for their number.
    test_labels : ndarray of int64
        The classes of these.
    classes : int
        The number of classes.

    Examples
    --------
    >>> task = digits()
    >>> [task.shaped(kind).shape for kind in ("dense", "conv", "lstm")]
    [(1438, 64), (1438, 1, 8, 8), (1438, 8, 8)]
    """

    name: str
    inputs: Floats
    labels: Labels
    test_inputs: Floats
    test_labels: Labels
    classes: int

    def shape(self, kind: Kind) -> tuple[int, ...]:
        """Return the shape of one example as a stack of this kind reads it.

        "dense" reads any example as a vector, "conv" reads a picture, and "rnn" and "lstm" read a picture row by row
        from the top. A vector of n² features counts as a picture of n rows.

        Parameters
        ----------
        kind : str
            The kind of the stack: "dense", "conv", "rnn" or "lstm".

        Raises
        ------
        ValueError
            If the kind is unknown, or cannot read such examples.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        given = self.inputs.shape[1:]
        axes, features = _AXES[kind], math.prod(given)
        if axes == 1:
            return (features,)
        side = math.isqrt(features)
        rows = (side, side) if len(given) == 1 and side * side == features else given
        if len(rows) == axes:
            return rows
        if kind == "conv" and len(rows) == 2:
            return (1, *rows)
        if kind != "conv" and len(rows) == 3 and rows[0] == 1:
            return rows[1:]
        needed = "(channels, height, width)" if kind == "conv" else "(steps, features)"
        raise ValueError(f"inputs must be of shape {needed} for kind {kind!r}, or n² features, got {given}")

    def shaped(self, kind: Kind) -> Floats:
        """Return all training inputs as a view of shape (n, *shape(kind)), for a stack of this kind."""
        return self.inputs.reshape(-1, *self.shape(kind))


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """Hold what `train` recorded.

    Parameters
    ----------
    losses : ndarray of float64, (steps,)
        The loss of each batch before its step; inf once it was not finite.
    accuracy : float
        The share of test examples that are classified correctly after the last step; nan if there are none.
    diverged : bool
        Whether the loss became infinite or nan; training stops then.
    updates : dict of str to ndarray of float64, (steps,)
        For each weight, the RMS of its update divided by its own before the step: about 1e-3 is healthy. It is inf if
        only the weight is 0, 0 if both are, and nan after training diverged.
    """

    losses: Measured
    accuracy: float
    diverged: bool
    updates: dict[str, Measured]


def digits() -> Task:
    """Load scikit-learn's handwritten digits: 8 × 8 pixels, ten classes; 1438 to train on and 359 to test with.

    The split is always the same. The mean over the training examples is subtracted from each pixel, and all pixels are
    divided by one number that makes their mean square 1: a pixel that is almost always dark does not become an outlier.

    Returns
    -------
    Task
        The task "digits", with examples of 64 features.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> task = digits()
    >>> task.classes, len(task.labels), len(task.test_labels), round(float((task.inputs**2).mean()), 4)
    (10, 1438, 359, 1.0)
    """
    try:
        pictures = importlib.import_module("sklearn.datasets").load_digits()
    except ImportError as error:
        raise ImportError("digits() reads its data from scikit-learn: pip install scikit-learn") from error
    task = _task("digits", pictures.images, pictures.target)
    train, test = (x.reshape(len(x), -1) for x in (task.inputs, task.test_inputs))
    return Task(task.name, train, task.labels, test, task.test_labels, task.classes)


def load(path: str | os.PathLike[str]) -> Task:
    """Load a task from an .npz file with arrays x and y, and optionally test_x and test_y.

    Parameters
    ----------
    path : str or path
        The path of a file that `numpy.savez` wrote. x is (n, features), (n, height, width), (n, channels, height,
        width) or (n, steps, features), of any real dtype; y is (n,), whole numbers from 0. Without test_x and test_y a
        fifth of the examples, always the same, is kept for testing.

    Returns
    -------
    Task
        The task, standardized by the training examples. In (n, features) each feature is standardized alone, and
        constant ones become 0. With more axes all elements share a unit: the mean of each is subtracted, and all are
        divided by one number.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file is not an .npz file, arrays are missing, empty, complex or not finite, labels are not whole numbers
        from 0, or lengths or shapes do not agree.

    Examples
    --------
    >>> np.savez("task.npz", x=np.arange(20.0).reshape(10, 2), y=np.arange(10) % 2)
    >>> load("task.npz").inputs.shape
    (8, 2)
    """
    given: dict[str, NDArray[Any]] = {}
    for key, array in read_npz(path, _NUMPY_KINDS, _ARRAYS):
        if isinstance(array, Described):
            raise ValueError(f"{os.fspath(path)}: {key} must be an array of real numbers, got {array.dtype}")
        given[key] = array
    if not {"x", "y"} <= set(given) or ("test_x" in given) != ("test_y" in given):
        raise ValueError(f"path must hold x and y, and both or neither of test_x and test_y, got {sorted(given)}")
    name = os.path.splitext(os.path.basename(os.fspath(path)))[0]
    return _task(name, given["x"], given["y"], given.get("test_x"), given.get("test_y"))


def permutation(count: int, *, seed: int, name: str) -> NDArray[np.intp]:
    """Return the integers below `count` in an order that depends only on seed and name.

    Examples
    --------
    >>> sorted(permutation(4, seed=0, name="order").tolist())
    [0, 1, 2, 3]
    """
    return np.argsort(bits(count, seed=seed, name=name, dtype="uint64"), kind="stable")


def batches(count: int, batch: int, steps: int, *, seed: int) -> NDArray[np.intp]:
    """Return the examples of each step's batch, (steps, min(batch, count)); every epoch has a new order.

    Examples
    --------
    >>> batches(4, 2, 2, seed=0).shape
    (2, 2)
    """
    size = min(batch, count)
    epochs = range(-(-steps * size // count))
    order = [permutation(count, seed=seed, name=f"batches.{epoch}") for epoch in epochs]
    return np.concatenate(order)[: steps * size].reshape(steps, size)


def train(
    network: Network, task: Task, *, steps: int = 200, rate: float = 0.01, batch: int = 64, seed: int = 0
) -> Training:
    """Train a network by plain stochastic gradient descent: w ← w - rate·∂L/∂w, and nothing else.

    No momentum, decay, schedule or clipping hides what the initialization does.

    Parameters
    ----------
    network : Network
        The network, whose parameters change in place.
    task : Task
        The examples, read as the kind of the network's stack needs them.
    steps : int
        The number of steps. Default 200.
    rate : float
        The learning rate, positive and finite. Default 0.01.
    batch : int
        The number of examples in a step; every epoch has a new order. Default 64.
    seed : int
        The seed of the order of examples. Default 0.

    Returns
    -------
    Training
        Losses, test accuracy, whether training diverged, and the sizes of updates. In testing too, batch normalization
        takes its statistics from the batch.

    Raises
    ------
    ValueError
        If steps or batch are below 1, or the rate is not positive and finite.

    Examples
    --------
    >>> from fanin import schemes
    >>> from fanin.diagnose.network import Network
    >>> from fanin.diagnose.stack import Stack
    >>> task = digits()
    >>> stack = Stack(weights=schemes.he_normal(layout="OI"), depth=3, width=32)
    >>> training = train(Network(stack, task.shape("dense"), task.classes), task, steps=100, rate=0.1)
    >>> training.accuracy > 0.8, training.diverged
    (True, False)
    """
    for name, value in (("steps", steps), ("batch", batch)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 0 < rate < math.inf:
        raise ValueError(f"rate must be positive and finite, got {rate}")
    inputs = task.shaped(network.stack.kind)
    weights = [name for name in network.parameters if "weight" in name.rpartition(".")[2]]
    losses, updates = np.full(steps, np.inf), {name: np.full(steps, np.nan) for name in weights}
    with one_thread(), np.errstate(all="ignore"):  # an exploding network overflows, and that is what is measured
        for step, chosen in enumerate(batches(len(inputs), batch, steps, seed=seed)):
            loss, gradient = network.loss(inputs[chosen], task.labels[chosen])
            if not math.isfinite(loss):
                break
            losses[step] = loss
            network.backward(gradient)
            for name in weights:
                updates[name][step] = _ratio(rate * _rms(network.gradients[name]), _rms(network.parameters[name]))
            for name, parameter in network.parameters.items():
                np.subtract(parameter, rate * network.gradients[name], out=parameter)
        diverged = not math.isfinite(losses[-1])
        return Training(losses, _accuracy(network, task), diverged, updates)


def one_thread() -> contextlib.AbstractContextManager[Any]:
    """Return a context in which NumPy multiplies matrices with one thread, if threadpoolctl is installed.

    scikit-learn installs it. More threads gain little on matrices of this size, and on a busy machine they wait for
    each other: a step then took 190 ms instead of 2.

    Examples
    --------
    >>> with one_thread():
    ...     product = np.ones((2, 2)) @ np.ones((2, 2))
    """
    try:
        limits = importlib.import_module("threadpoolctl").threadpool_limits
    except ImportError:
        return contextlib.nullcontext()
    return cast("contextlib.AbstractContextManager[Any]", limits(1, user_api="blas"))


def _rms(array: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))) if array.size else 0.0


def _ratio(update: float, weight: float) -> float:
    return update / weight if weight else math.copysign(math.inf, update) if update else 0.0


def _accuracy(network: Network, task: Task) -> float:
    """Return the share of test examples that are classified correctly; logits that are not finite count as wrong."""
    count = len(task.test_labels)
    if not count:
        return math.nan
    inputs = task.test_inputs.reshape(-1, *task.shape(network.stack.kind))
    right = 0
    for part in np.array_split(np.arange(count), -(-count // _CHUNK)):  # equal parts, for batch normalization
        logits = network.forward(inputs[part])
        right += int(((logits.argmax(1) == task.test_labels[part]) & np.isfinite(logits).all(1)).sum())
    return right / count


def _task(
    name: str, x: ArrayLike, y: ArrayLike, test_x: ArrayLike | None = None, test_y: ArrayLike | None = None
) -> Task:
    """Make a task of arrays: check them, split them if there are no test examples, and standardize them."""
    inputs, labels = _examples("x", "y", x, y)
    if test_x is None or test_y is None:
        order = permutation(len(inputs), seed=0, name="split")
        train, test = np.split(order, [len(order) - len(order) // 5])
        inputs, labels, test_inputs, test_labels = inputs[train], labels[train], inputs[test], labels[test]
    else:
        test_inputs, test_labels = _examples("test_x", "test_y", test_x, test_y)
        if test_inputs.shape[1:] != inputs.shape[1:]:
            raise ValueError(f"test_x must have examples of shape {inputs.shape[1:]}, got {test_inputs.shape[1:]}")
    mean, variance = inputs.mean(0), inputs.var(0)
    varies = inputs.max(0) > inputs.min(0)  # rounding gives constants a variance too
    scale = np.sqrt(variance if inputs.ndim == 2 else variance.mean())
    scale = np.where(varies if inputs.ndim == 2 else varies.any(), scale, np.inf)
    standard, test_standard = ((part - mean) / scale for part in (inputs, test_inputs))
    classes = int(max(labels.max(), test_labels.max(initial=0))) + 1
    return Task(name, standard.astype(np.float32), labels, test_standard.astype(np.float32), test_labels, classes)


def _examples(x_name: str, y_name: str, x: ArrayLike, y: ArrayLike) -> tuple[Measured, Labels]:
    inputs, labels = np.asarray(x), np.asarray(y)
    if inputs.dtype.kind not in "fiub" or inputs.ndim < 2 or not inputs.size or not np.isfinite(inputs).all():
        raise ValueError(f"{x_name} must be finite real numbers (n, ...), got {inputs.dtype} {inputs.shape}")
    if labels.dtype.kind not in "iu" or labels.shape != inputs.shape[:1] or labels.min() < 0:
        allowed = f"{len(inputs)} whole numbers from 0, one for each of {x_name}"
        raise ValueError(f"{y_name} must be {allowed}, got {labels.dtype} {labels.shape}")
    return inputs.astype(np.float64), labels.astype(np.int64)
