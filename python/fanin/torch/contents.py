"""List what a recorded module consists of: parameters and their schemes, tensors that are carried, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from ..arrays import dtypes
from ..models import Parameter, Parameters
from ..plans.choices import Overrides
from ..recipes import Rule
from ..recipes.recipe import listed
from ..schemes import Scheme
from ..schemes.scheme import as_scheme
from .births import Births
from .buffers import Buffers
from .draws import Stream, numbered, reach
from .expressions import expression
from .modules import PARAMETER, Entry, entries, owner_of
from .parts import distributed, parted
from .parts import numbered as number_template
from .recorder import Recorder
from .reduction import laws, named
from .replay import Replayed
from .values import Draw, Known, Read, Unsupported, Value, in_order

_DRAWABLE = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_LARGE = 1 << 28  # bytes that a recorded tensor takes on a real device before there is a note


class Contents:
    """List what a recorded module consists of.

    Parameters
    ----------
    root : torch.nn.Module
        The module.
    recorder : Recorder
        What was written to which tensors.
    births : Births
        What other threads registered meanwhile.
    original : callable
        A function of a module, an attribute and the tensor there, which returns the one that was recorded.
    """

    def __init__(self, root: Any, recorder: Recorder, births: Births, original: Callable[[Any, str, Any], Any]) -> None:
        self.root = root
        self.planned: dict[str, Entry] = {}
        self.carried: dict[str, Entry] = {}
        self.values: dict[str, Value] = {}
        self.skipped: list[tuple[str, str]] = []
        for entry in entries(root, original):
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
