"""Record how a model initializes itself, and plan that."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch

from ..arrays import dtypes
from ..arrays.seed import as_seed
from ..arrays.types import DType, Seed
from ..models import Parameter, Parameters
from ..plans import Plan
from ..plans.choices import Only, Overrides, chosen
from ..plans.rows import Renamed, renaming
from ..recipes import Rule
from ..recipes.recipe import listed
from ..schemes import Scheme
from ..schemes.scheme import as_scheme
from ..text import short
from . import as_written
from .births import Births
from .buffers import Buffers
from .draws import Stream, numbered, reach
from .expressions import expression
from .filling import fill_
from .functions import Functions
from .modules import PARAMETER, Entry, entries, owner_of, put, require_module
from .parts import distributed, parted
from .parts import numbered as number_template
from .recorder import Recorder
from .reduction import laws, named
from .replay import Replayed
from .values import Draw, Known, Read, Unsupported, Value, in_order

_DRAWABLE = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_LARGE = 1 << 28  # bytes that a recorded tensor takes on a real device before there is a note
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
        contents = _Contents(self, root)
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
        return _Contents(self, module).buffers(as_seed(seed))

    def require_repeatable(self, module: Any, build: Callable[[], Any]) -> None:
        """Raise ValueError if values from Python differ when a model is built again: they are drawn unseeded."""
        ours = _Contents(self, module).python_values()
        if all(tensor.numel() < 2 for tensor in ours):
            return
        with record() as again:
            other = build()
        theirs = _Contents(again, other).python_values()
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


class _Contents:
    """What a recorded module consists of: parameters to plan, tensors to carry, and what is kept."""

    def __init__(self, recording: Recording, root: Any) -> None:
        self.root, recorder, births = root, recording._recorder, recording._births
        self.planned: dict[str, Entry] = {}
        self.carried: dict[str, Entry] = {}
        self.values: dict[str, Value] = {}
        self.skipped: list[tuple[str, str]] = []
        for entry in entries(root, recording.original):
            kept = self._kept(recorder, births, entry)
            if kept:
                if entry.kind == PARAMETER:
                    self.skipped.append((entry.name, kept))
                continue
            is_planned = entry.kind == PARAMETER and entry.tensor.dtype in _DRAWABLE
            (self.planned if is_planned else self.carried)[entry.name] = entry
            self.values[entry.name] = recorder.value(entry.tensor)
            if not is_planned:
                reason = entry.kind if entry.kind != PARAMETER else _undrawable(entry.tensor.dtype)
                self.skipped += [(each, reason) for each in (entry.name, *entry.aliases)]
            if not entry.tensor.is_meta and entry.tensor.nbytes > _LARGE:
                recorder.note(
                    f"{entry.name} took {entry.tensor.nbytes:,} bytes while it was recorded, on a real device"
                )

    @property
    def names(self) -> list[str]:
        """The names of the parameters to plan."""
        return list(self.planned)

    def overridden(self, overrides: Overrides | None) -> set[str]:
        """Return the names of the parameters that get another scheme anyway."""
        if not isinstance(overrides, Mapping):
            return set()
        rules = [Rule(pattern, as_scheme("overrides", scheme)) for pattern, scheme in overrides.items()]
        return {
            name
            for name, entry in self.planned.items()
            if any(rule.matches(name, tuple(entry.tensor.shape)) for rule in rules)
        }

    def require_written(self, names: Iterable[str]) -> None:
        """Raise ValueError if the code did not write all of a parameter, or drew it by a law that fanin has not."""
        for name in names:
            for value in in_order(self.values[name]):
                if isinstance(value, Unsupported):
                    raise ValueError(
                        f"{name!r} of {self._module(name)} is drawn by {value.law}, which fanin does not have"
                    )
        holes = [f"{name!r} of {self._module(name)}" for name in names if self.values[name].has_holes]
        if holes:
            raise ValueError(
                f"every parameter must be written by the model's code, and {listed(holes)} "
                f"{'is' if len(holes) == 1 else 'are'} not, or not wholly: give overrides={{name: scheme}}"
            )

    def schemes(
        self, wanted: set[str], *, separate: bool
    ) -> tuple[list[tuple[str, Scheme]], dict[str, Stream], dict[str, str]]:
        """Return the schemes of parameters, the streams of those that have another's, and whose that is."""
        owned = numbered((name, self.values[name]) for name in self.planned)
        users: dict[Draw, set[Value]] = {}
        for name in self.planned:
            for draw in reach(self.values[name]):
                users.setdefault(draw, set()).add(self.values[name])
        first: dict[Value, str] = {}
        made: list[tuple[str, Scheme]] = []
        streams: dict[str, Stream] = {}
        shares: dict[str, str] = {}
        for name, entry in self.planned.items():
            if name not in wanted:
                continue
            value, shape = self.values[name], tuple(entry.tensor.shape)
            is_copy = value.is_random and first.setdefault(value, name) != name
            own = numbered([(name, value)]) if is_copy and separate else owned
            scheme, stream = self._scheme(name, value, shape, own, users)
            made.append((name, scheme))
            if stream is not None and stream != Stream(name, 0):
                streams[name] = stream
                shares[name] = stream.owner
        return made, streams, shares

    def _scheme(
        self,
        name: str,
        value: Value,
        shape: tuple[int, ...],
        streams: Mapping[Draw, Stream],
        users: Mapping[Draw, set[Value]],
    ) -> tuple[Scheme, Stream | None]:
        regions = distributed(value)
        found = laws(regions)
        law = found[regions]
        if law is not None and law.draw is None:
            return law.scheme, None
        inexact = {each.draw for each in found.values() if each is not None and not each.is_exact}

        def template(draw: Draw) -> str | None:
            if draw in inexact and len(users[draw]) > 1:
                return None
            owner, number = streams[draw]
            return (
                number_template(number)
                if owner == name
                else streams[draw].of(owner.replace("{", "{{").replace("}", "}}"))
            )

        if law is not None and law.draw is not None and template(law.draw) is not None:
            return named(law, shape), streams[law.draw]
        if isinstance(regions, Read) and (scheme := parted(regions, found, template)) is not None:
            return scheme, None

        def stream_of(draw: Draw) -> Stream | None:
            stream = streams[draw]
            if draw in inexact and len(users[draw]) > 1:
                return None
            return Stream("", stream.number) if stream.owner == name else stream

        computed = expression(value, laws(value), stream_of)
        if computed is not None:
            return computed, None
        own = {
            draw: Stream("", stream.number) if stream.owner == name else stream
            for draw, stream in streams.items()
            if draw in reach(value)
        }
        return Replayed(value, own), None

    def parameters(self, wanted: set[str]) -> Parameters:
        """Return parameters, and what is not planned."""
        found = (
            Parameter(name, tuple(entry.tensor.shape), entry.aliases, dtypes.name(entry.tensor.dtype))
            for name, entry in self.planned.items()
            if name in wanted
        )
        left_out = ((name, "left out by only") for name in self.planned if name not in wanted)
        return Parameters(tuple(found), (*self.skipped, *left_out))

    def buffers(self, seed: int) -> Buffers:
        """Return the tensors that are carried; those of which nothing was written are left out."""
        values = {name: self.values[name] for name in self.carried if not self.values[name].has_holes}
        every = [*((name, self.values[name]) for name in self.planned), *values.items()]
        return Buffers(values, numbered(every), seed)

    def python_values(self) -> list[Any]:
        """Return the tensors of values from Python that are not one number everywhere."""
        found = {each for value in self.values.values() for each in in_order(value) if isinstance(each, Known)}
        return [each.tensor for each in sorted(found, key=lambda each: each.number)]

    def _module(self, name: str) -> str:
        path = name.rpartition(".")[0]
        module = owner_of(self.root, name)
        return f"{type(module).__name__} {path!r}" if path else type(self.root).__name__

    @staticmethod
    def _kept(recorder: Recorder, births: Births, entry: Entry) -> str:
        """Return why a tensor is left as it is; "" if it was made while recording."""
        if recorder.was_made(entry.tensor):
            return ""
        if id(entry.tensor) in births.elsewhere:
            raise ValueError(f"{entry.name!r} must be made in the thread that records, and was made in another one")
        if entry.tensor.is_meta:
            raise ValueError(f"{entry.name!r} must be made while recording, and was on the meta device before")
        return "made before the recording, and kept"


def _undrawable(dtype: Any) -> str:
    return f"dtype {dtype} is not {'drawn' if dtype.is_floating_point else 'floating-point'}"


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
