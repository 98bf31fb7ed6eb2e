"""Record how a model initializes itself, and plan that."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch

from ..arrays.seed import as_seed
from ..arrays.types import DType, Seed
from ..plans import Plan
from ..plans.choices import Only, Overrides, chosen
from ..plans.rows import Renamed, renaming
from ..text import short
from . import as_written
from .births import Births
from .buffers import Buffers
from .contents import Contents
from .filling import fill_
from .functions import Functions
from .modules import PARAMETER, entries, put, require_module
from .recorder import Recorder

_recordings: weakref.WeakKeyDictionary[Any, Recording] = weakref.WeakKeyDictionary()  # of modules that were built


class Recording:
    """What the code of a model did to initialize it: `record` makes one.

    Attributes
    ----------
    notes : tuple of str
        What a reader should know, as that the code gave a generator, which is ignored.
    """

    def __init__(self) -> None:
        self._recorder, self._births = Recorder(), Births()
        self._tensors: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

    def close(self) -> None:
        """Keep which tensor each module had: `to_empty` and sharding put others in their places, without a record."""
        for module in self._births.modules():
            held = {**vars(module), **module._buffers, **module._parameters}
            self._tensors[module] = {
                key: tensor
                for key, tensor in held.items()
                if isinstance(tensor, torch.Tensor) and self._recorder.was_made(tensor)
            }
            _recordings[module] = self

    def original(self, module: Any, key: str, tensor: Any) -> Any:
        """Return the tensor that was recorded in the place of one that a module has now."""
        return self._tensors.get(module, {}).get(key, tensor)

    def contents(self, root: Any) -> Contents:
        """Return what a module consists of that was built while recording, or got something new."""
        return Contents(root, self._recorder, self._births, self.original)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._recorder.notes)

    def root(self) -> Any:
        """Return the module that was built and is no other's child; raise ValueError unless there is exactly one."""
        return self._births.root()

    def plan(
        self,
        module: Any = None,
        *,
        seed: Seed,
        dtype: DType | Mapping[str, DType] = None,
        overrides: Overrides | None = None,
        only: Only | None = None,
        renamed: Renamed | None = None,
        copies: str = "equal",
        name: str = as_written.AS_WRITTEN,
    ) -> Plan:
        """Plan the parameters that were made while recording, each with what its own code asked for.

        Parameters
        ----------
        module : torch.nn.Module, optional
            The model, from which names begin. Default: the module that was built and is in no other.
        seed : int or SeedSequence
            The seed, in [0, 2**64).
        dtype : str, dtype or mapping, optional
            The dtype of all parameters, or dtypes by pattern: see `fanin.plan`. Default: what each was made with.
        overrides : mapping of str to Scheme, optional
            Schemes by pattern, for parameters that are to be drawn in another way: see `fanin.plan`.
        only : str or iterable of str, optional
            Names or patterns of the parameters to plan. Default: all.
        renamed : callable or mapping, optional
            The name to draw a parameter by, in place of its own: see `fanin.plan`.
        copies : {"equal", "separate"}
            "equal": layers that code copies, as by `copy.deepcopy`, have equal values, as in torch. "separate": each is
            drawn by its own name.
        name : str
            The name of the recipe. Default "as-written".

        Returns
        -------
        Plan
            The plan, with the model's buffers.

        Raises
        ------
        ValueError
            If a parameter was not written, or not wholly; the error names it and its module. If there is no module, or
            more than one, and none is given.
        """
        if copies not in ("equal", "separate"):
            raise ValueError(f"copies must be 'equal' or 'separate', got {short(copies)}")
        root = self.root() if module is None else require_module("module", module)
        contents = self.contents(root)
        seed = as_seed(seed)
        free = contents.overridden(overrides)
        planned = chosen(only, contents.names)
        contents.require_written([each for each in contents.names if each in planned and each not in free])
        schemes, streams, shares = contents.schemes(planned - free, separate=copies == "separate")
        recipe = as_written.recipe(schemes, name, source=f"{type(root).__module__}.{type(root).__qualname__}")
        former = renaming(renamed)

        def stream(own: str) -> str:
            found = streams.get(own)
            return former(own) if found is None else found.of(former(found.owner))

        require_names(renamed, contents.names)
        model = contents.parameters(planned)
        plan = Plan.of(model, recipe, seed, dtype=dtype, overrides=overrides, renamed=stream, shares=shares)
        return plan.carrying(contents.buffers(seed), self.notes)

    def fill_(
        self,
        module: Any = None,
        *,
        seed: Seed,
        device: Any = None,
        dtype: DType | Mapping[str, DType] = None,
        **options: Any,
    ) -> Plan:
        """Give memory to what was made while recording, and draw it; what was there before keeps its values.

        Parameters
        ----------
        module : torch.nn.Module, optional
            The model, from which names begin. Default: the module that was built and is in no other.
        seed : int or SeedSequence
            The seed, in [0, 2**64).
        device : torch.device or str, optional
            Where the new tensors go. Default: where the module's other parameters are, or else the CPU.
        dtype : str, dtype or mapping, optional
            As for `plan`.
        **options
            Further options of `plan`: overrides, only, renamed, copies. New tensors that `only` leaves out stay as they
            are.

        Returns
        -------
        Plan
            The plan that was drawn.
        """
        root = self.root() if module is None else require_module("module", module)
        plan = self.plan(root, seed=seed, dtype=dtype, **options)
        self.materialize(root, plan, device)
        fill_(root, plan)
        return plan

    def buffers(self, module: Any, seed: Seed) -> Buffers:
        """Return the tensors that a recorded module has beside its parameters."""
        return self.contents(module).buffers(as_seed(seed))

    def require_repeatable(self, module: Any, build: Callable[[], Any]) -> None:
        """Raise ValueError if values from Python differ when a model is built again: they are drawn unseeded."""
        ours = self.contents(module).python_values()
        if all(tensor.numel() < 2 for tensor in ours):
            return
        with record() as again:
            other = build()
        theirs = again.contents(other).python_values()
        if len(ours) != len(theirs) or not all(map(_same, ours, theirs)):
            raise ValueError(
                "the model's code must give the same values from Python or NumPy each time, and gave others the second "
                "time: seed their generator, or draw them by torch"
            )

    def materialize(self, root: Any, plan: Plan, device: Any = None) -> None:
        """Give memory to the tensors of a plan, and its buffers, that are on the meta device."""
        found = entries(root)
        if device is None:
            real = (entry.tensor.device for entry in found if entry.kind == PARAMETER and not entry.tensor.is_meta)
            device = next(real, torch.device("cpu"))
        for entry in found:
            if not entry.tensor.is_meta:
                continue
            if entry.name in plan:
                dtype = getattr(torch, plan.row(entry.name).dtype)
            elif entry.name in plan.buffers:
                dtype = entry.tensor.dtype
            else:
                continue
            put(entry, torch.empty(entry.tensor.shape, dtype=dtype, device=device))
        restore_recurrent(root)

    def __repr__(self) -> str:
        """Return one line."""
        return "<Recording>"


@contextlib.contextmanager
def record() -> Iterator[Recording]:
    """Record how modules that are built inside the `with` block initialize themselves.

    Tensors are made on the meta device: nothing is allocated and nothing is drawn, and torch's generators are left
    alone. What code writes to them, by methods, functions of torch.nn.init, views, loops or arithmetic, is recorded in
    this thread. Modules that are made on a real device are recorded too.

    Yields
    ------
    Recording
        What was recorded; its `plan` gives every parameter the scheme that its own code asked for.

    Raises
    ------
    RandomBranch
        If code asks for a value that is random, by a branch on it or `.item()`; the error names the line.

    Examples
    --------
    >>> import fanin, torch
    >>> with fanin.torch.record() as recording:
    ...     model = torch.nn.Linear(64, 10)
    >>> plan = recording.plan(seed=0)
    >>> plan["weight", 0].shape, plan.row("bias").scheme.expected_std((10,))
    ((64,), 0.07216878364870323)
    """
    recording = Recording()
    with recording._births, Functions(recording._recorder), recording._recorder:
        yield recording
        recording.close()


def recording_of(module: Any) -> Recording | None:
    """Return the recording in which a module was built; None if there is none."""
    return _recordings.get(module)


def _same(one: Any, other: Any) -> bool:
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and bool(torch.equal(one.nan_to_num(), other.nan_to_num()))
    )


def require_names(renamed: Renamed | None, names: Iterable[str]) -> None:
    """Raise ValueError if a mapping of new names has one that is no parameter's."""
    if isinstance(renamed, Mapping) and (unknown := renamed.keys() - set(names)):
        raise ValueError(f"renamed must have names of parameters as its keys, got {short(min(unknown, key=str))}")


def restore_recurrent(root: Any) -> None:
    """Let recurrent layers of torch find their parameters again."""
    for module in root.modules():
        if isinstance(module, torch.nn.RNNBase):
            module._init_flat_weights()
