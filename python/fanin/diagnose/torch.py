"""Feed a `Monitor` from a torch module as it trains, by hooks."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..signals import activations as functions
from .measures import (
    MEASURES,
    Bounds,
    Measured,
    equal_rows,
    measure,
    signal_strides,
    some_rows,
    unit_axis,
    weight_strides,
)
from .monitor import Monitor


def watch(model: Any, monitor: Monitor, *, every: int = 50, optimizer: Any = None, first: int = 10) -> Watch:
    """Record a torch module's training in a monitor.

    The outputs of every module with parameters and of every activation module are measured; for modules with a weight,
    the gradients of the outputs too. Of each weight, a parameter with two axes or more, its values, gradient and update
    are measured. torch does that on the tensors' own device; the results are copied once, at the end of the step.

    Parameters
    ----------
    model : torch.nn.Module
        The module. Passes without gradients are not recorded. A module that is called several times in a step is
        measured over all its calls.
    monitor : Monitor
        The monitor, whose layout must be "OI". The activation modules are declared to it.
    every : int
        After the first steps, one step in so many is recorded. Default 50.
    optimizer : torch.optim.Optimizer or a sequence of them, optional
        The optimizer, whose steps count and whose updates are recorded; of several, the last one's steps count.
        Default: each forward pass begins a step, and updates are not known.
    first : int
        The number of first steps that are all recorded. Default 10.

    Returns
    -------
    Watch
        The hooks; `close` it, or use it as a context manager, to remove them.

    Raises
    ------
    ValueError
        If `every` is below 1, `first` is negative, or the monitor has another layout.

    Notes
    -----
    Activations that are functions, such as torch.relu, are not seen: use modules, or record them yourself. A loss
    scaler multiplies gradients; this changes the factors from layer to layer not at all, but the comparison with
    `Thresholds.gradient`. Large updates are sampled, so a value that is not finite is found in the weights instead. If
    a step has several forward and backward passes, gradients are those of the last, or of the one that a loss scaler
    did not skip.

    Units are on the second axis of outputs with four axes or more, and on the last of others: in outputs of a Conv1d,
    (batch, channels, length), positions are taken for units. For embeddings the gradients of the rows that were looked
    up are recorded. Scales, which are parameters with fewer axes other than biases, are recorded only if they are all
    zero (the notes of `Monitor` say why). A copy of a watched model, by `copy.deepcopy` or `torch.save`, is not
    watched.

    Examples
    --------
    ::

        with Monitor("run.jsonl", classes=10) as monitor, watch(model, monitor, optimizer=optimizer) as watched:
            for x, y in batches:
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x), y)
                monitor.record_loss(watched.step, loss)
                loss.backward()
                optimizer.step()
        print(monitor.verdict())
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")
    if first < 0:
        raise ValueError(f"first must not be negative, got {first}")
    if monitor.layout != "OI":
        raise ValueError(f"monitor must have the layout 'OI', torch's, got {monitor.layout!r}")
    return Watch(model, monitor, every, optimizer, first)


class Watch:
    """Hold the hooks of `watch` until they are removed.

    Attributes
    ----------
    step : int
        The number of the present step, from 0. A step of the optimizer ends it, or without one the next forward pass.
    """

    def __init__(self, model: Any, monitor: Monitor, every: int, optimizer: Any, first: int) -> None:
        self.step = 0
        self._closed = False
        self._monitor, self._every, self._first = monitor, every, first
        self._torch = importlib.import_module("torch")
        self._measurements = _Measurements(self._torch)
        self._weights = {
            name: weight
            for name, weight in model.named_parameters()
            if weight.ndim > 1 and weight.numel() and weight.is_floating_point()
        }
        self._gates = {
            name: gate
            for name, gate in model.named_parameters()
            if gate.ndim < 2 and gate.numel() and gate.is_floating_point() and "bias" not in name.rpartition(".")[2]
        }
        self._order: dict[str, int] = {}  # the order in which layers were called in this step
        self._old: dict[str, Any] = {}  # samples of the weights, from before the update
        self._begun = False
        self._differentiated = False  # whether a gradient was computed since the last forward pass
        several = isinstance(optimizer, Sequence)
        self._optimizers = list(optimizer) if several else [] if optimizer is None else [optimizer]
        self._hooks = list(self._register(model))

    def close(self) -> None:
        """Record what was measured of the last step, and remove the hooks. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        for hook in self._hooks:
            hook.remove()
        self._flush()

    def __deepcopy__(self, memo: Any) -> Watch:
        """Return a closed watch: hooks are copied with their model, but the copy is not watched."""
        return _closed_watch()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a closed watch, since what is loaded is a copy."""
        return _closed_watch, ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _register(self, model: Any) -> Iterator[Any]:
        yield model.register_forward_pre_hook(self._begin)
        for optimizer in self._optimizers:
            yield optimizer.register_step_pre_hook(self._keep)
            yield optimizer.register_step_post_hook(self._update)
        if self._optimizers:
            yield self._optimizers[-1].register_step_post_hook(self._end)
        embeddings = self._torch.nn.Embedding, self._torch.nn.EmbeddingBag
        looked_up: set[int] = (
            set()
        )  # embeddings: their rows are not units, and only rows that were looked up have a gradient
        for path, module in model.named_modules():
            activation = _activation(module)
            own = list(module.parameters(recurse=False))
            if not own and activation is None:
                continue
            name = path or type(module).__name__
            if activation is not None:
                self._monitor.declare(name, activation)
            if isinstance(module, embeddings):
                looked_up.update(map(id, own))
            layer = any(weight.ndim > 1 and id(weight) not in looked_up for weight in own)
            yield module.register_forward_hook(functools.partial(self._forward, name, activation is not None, layer))
        for name, weight in self._weights.items():
            if id(weight) in looked_up:
                self._monitor._lookups.add(name)
            if weight.requires_grad:
                hook = functools.partial(self._accumulated, name, id(weight) not in looked_up)
                yield weight.register_post_accumulate_grad_hook(hook)
        for name, gate in self._gates.items():
            if gate.requires_grad:
                yield gate.register_post_accumulate_grad_hook(functools.partial(self._gate, name))

    def _due(self) -> bool:
        return not self._closed and (self.step < self._first or self.step % self._every == 0)

    def _begin(self, *_: Any) -> None:
        """Begin a step with a forward pass, if no optimizer ends steps; else forget gradients that led to no step."""
        if self._closed or not self._torch.is_grad_enabled():
            return
        if not self._optimizers:
            self._flush()
            self.step += self._begun
            self._begun = True
        elif self._differentiated:
            self._measurements.forget_gradients()
        self._differentiated = False

    def _forward(self, name: str, activation: bool, layer: bool, module: Any, inputs: Any, output: Any) -> None:
        if not self._due():
            return
        self._order.setdefault(
            name, len(self._order)
        )  # also in passes without gradients: checkpointing repeats layers later, the last ones first
        if not self._torch.is_grad_enabled():
            return
        tensor = output[0] if isinstance(output, tuple) and output else output  # recurrent modules return states too
        if not (self._torch.is_tensor(tensor) and tensor.is_floating_point() and tensor.ndim and tensor.numel()):
            return
        self._measurements.signal(name, "activations", tensor.detach(), self._monitor.bounds(name), activation)
        if layer and tensor.requires_grad:
            tensor.register_hook(functools.partial(self._backward, name, self.step))

    def _backward(self, name: str, step: int, gradient: Any) -> None:
        if step == self.step and not self._closed:
            self._differentiated = True
            self._measurements.signal(name, "gradients", gradient.detach())

    def _accumulated(self, name: str, units: bool, weight: Any) -> None:
        """Measure a weight whose gradient was computed or added to."""
        if self._due() and weight.grad is not None:  # an optimizer that steps within the backward pass sets it to None
            self._differentiated = True
            distance = self._monitor.thresholds.equal if units else None
            self._measurements.weight(name, "weights", weight.detach(), distance)
            self._measurements.weight(name, "weight_gradients", weight.grad.detach(), distance)

    def _gate(self, name: str, gate: Any) -> None:
        """Measure a scale whose gradient was computed: if it is all zero, what it scales has no gradient."""
        if self._due():
            self._measurements.weight(name, "weights", gate.detach().reshape(-1), None)

    def _keep(self, optimizer: Any, *_: Any) -> None:
        """Keep samples of the weights that an optimizer is about to change."""
        if self._due():
            own = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
            self._old = {
                name: _part(weight).clone()
                for name, weight in self._weights.items()
                if id(weight) in own and weight.grad is not None
            }

    def _update(self, *_: Any) -> None:
        """Measure the updates of the weights that an optimizer has changed."""
        for name, old in self._old.items():
            self._measurements.update(name, old, _part(self._weights[name]))
        self._old = {}

    def _end(self, *_: Any) -> None:
        """End the step, after that of the last optimizer."""
        self._flush()
        self.step += 1
        self._differentiated = False

    def _flush(self) -> None:
        taken = self._measurements.take()
        places = {name: place for place, name in enumerate((*self._order, *self._weights))}
        self._order = {}
        # Layers come in the order in which they were called, then weights in that of the model.
        for name in sorted(taken, key=lambda name: places.get(name, -1)):
            measured = taken[name]
            if name in self._gates and measured["weights"].rms:
                continue
            of_weights = "weights" in measured or "updates" in measured
            gradients = measured.pop("weight_gradients", None)
            if gradients is not None:
                measured["gradients"] = gradients
            self._monitor._take(self.step, name, **measured, of_weights=of_weights)


def _closed_watch() -> Watch:
    watched = Watch.__new__(Watch)
    watched.step, watched._closed = 0, True
    return watched


class _Entry(NamedTuple):
    """Hold what was measured of a tensor, on its device: the sums, then the number of equal rows or units' activity."""

    vector: Any
    values: int  # how many values are in the sums
    size: int  # how many values the tensor has
    pairs: int = 0  # how many pairs of rows were compared

    def __add__(self, other: Any) -> _Entry:
        """Add what was measured in another call with the same number of units."""
        vector = self.vector + other.vector.to(self.vector.device)
        return _Entry(vector, self.values + other.values, self.size + other.size)


class _Measurements:
    """Hold what was measured in one step, on the device, by name, kind, and length if calls of a module are added."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._entries: dict[tuple[str, str, int], _Entry] = {}

    def signal(self, name: str, kind: str, tensor: Any, bounds: Bounds | None = None, activity: bool = False) -> None:
        """Add a call's output or its gradient, with the activity of every unit if `activity`."""
        if not tensor.numel():
            return
        units = unit_axis(tensor.ndim, True)
        values = self._exact(tensor[signal_strides(tuple(tensor.shape), units)])
        active = (values != 0).movedim(units, 0).reshape(values.shape[units], -1).sum(1) if activity else None
        entry = self._entry(values, tensor, bounds, active)
        key = name, kind, len(entry.vector)
        self._entries[key] = self._entries[key] + entry if key in self._entries else entry

    def weight(self, name: str, kind: str, tensor: Any, distance: float | None) -> None:
        """Set a weight or its gradient, with the number of equal rows; of an embedding's gradient, the nonzero rows."""
        if tensor.is_sparse:
            tensor = tensor.coalesce().values()
        elif kind == "weight_gradients" and distance is None:
            tensor = tensor[tensor.flatten(1).any(1)]
        if not tensor.numel():
            return
        equal, pairs = None, 0
        if distance is not None and len(tensor) > 1:
            rows = self._exact(some_rows(tensor))
            equal, pairs = equal_rows(rows, distance)[None], len(rows) - 1
        self._entries[name, kind, 0] = self._entry(self._exact(_part(tensor)), tensor, more=equal, pairs=pairs)

    def update(self, name: str, old: Any, new: Any) -> None:
        """Set a weight's update, from samples before and after."""
        change = self._exact(new) - self._exact(old)
        self._entries[name, "updates", 0] = self._entry(change, change)

    def forget_gradients(self) -> None:
        """Forget gradients, and the weights that were measured with them."""
        self._entries = {key: entry for key, entry in self._entries.items() if key[1] == "activations"}

    def take(self) -> dict[str, dict[str, Measured]]:
        """Return everything that was measured, by name and kind, and begin anew."""
        entries, self._entries = self._entries, {}
        found: dict[str, dict[str, Measured]] = {}
        if not entries:
            return found
        vectors = [entry.vector for entry in entries.values()]
        device = vectors[0].device
        flat = self._torch.cat([vector.to(device) for vector in vectors]).cpu().double().numpy()
        ends = np.cumsum([len(vector) for vector in vectors])
        for ((name, kind, _), entry), values in zip(entries.items(), np.split(flat, ends[:-1]), strict=True):
            kinds, measured = found.setdefault(name, {}), _measured(entry, values)
            if kind in kinds:
                kinds[kind].add(measured)
            else:
                kinds[kind] = measured
        return found

    def _entry(
        self, values: Any, everything: Any, bounds: Bounds | None = None, more: Any = None, pairs: int = 0
    ) -> _Entry:
        sums = measure(values, self._torch.aminmax(everything), bounds)
        vector = self._torch.stack([total.to(values.dtype) for total in sums])
        if more is not None:
            vector = self._torch.cat([vector, more.to(values.dtype)])
        return _Entry(vector, values.numel(), everything.numel(), pairs)

    def _exact(self, tensor: Any) -> Any:
        """Return a tensor in float64, if the device has it, so that squares neither overflow nor vanish."""
        return tensor.to(self._torch.float32 if tensor.device.type == "mps" else self._torch.float64)


def _measured(entry: _Entry, values: NDArray[np.float64]) -> Measured:
    sums, more = values[:MEASURES], values[MEASURES:]
    if entry.pairs:
        return Measured(sums, entry.values, entry.size, equal=float(more[0]) / entry.pairs)
    return Measured(sums, entry.values, entry.size, {len(more): (more, entry.values / len(more))} if len(more) else {})


def _part(weight: Any) -> Any:
    """Return a sample of a weight that shares its memory."""
    return weight.detach()[weight_strides(tuple(weight.shape))]


_PARAMETERS = {  # torch's names of the activations' parameters
    "hardtanh": ("min_val", "max_val"),
    "leaky_relu": ("negative_slope",),
    "elu": ("alpha",),
    "celu": ("alpha",),
}


def _activation(module: Any) -> Any:
    """Return the name of an activation module, with parameters that are not the defaults; None for other modules."""
    name = type(module).__name__.lower()
    name = {"leakyrelu": "leaky_relu"}.get(name, name)
    if name in ("linear", "identity", "threshold") or not (name in functions.TABLE or name in functions.ALIASES):
        return None
    parameters = tuple(float(getattr(module, parameter)) for parameter in _PARAMETERS.get(name, ()))
    return (name, *parameters) if parameters and parameters != functions.resolve(name)[1] else name
