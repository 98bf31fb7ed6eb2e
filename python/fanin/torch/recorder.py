"""Write down what each operation of torch writes to which elements, in place of doing it.

Operations are seen below autograd, by a mode of the calling thread: views, `.data` and loops over rows come out by the
memory that they share, and no other thread is disturbed.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from ..schemes import Scheme
from . import laws
from .evaluation import CPU, evaluate
from .storage import Writes
from .values import Constant, Draw, Empty, Geometry, Known, Operation, Pick, Replaced, Value, title

META = torch.device("meta")
_FILLS: dict[str, Any] = {"fill": None, "full": None, "new_full": None, "full_like": None, "scalar_tensor": None} | {
    f"{before}{name}{after}": float(name == "ones")
    for name in ("zeros", "ones")
    for before, after in (("", ""), ("new_", ""), ("", "_like"))
}
_FILLS["zero"] = 0.0
_OVERWRITES = {"fill_", "zero_", "copy_"}  # operations that do not read what they replace, as random ones
_COPIES = {"copy_": "src", "clone": "self", "_to_copy": "self", "lift_fresh": "self"}
_QUESTIONS = {"_local_scalar_dense", "equal", "allclose", "is_nonzero"}  # operations whose result is no tensor
_OURS = (os.path.dirname(torch.__file__) + os.sep, os.path.dirname(__file__) + os.sep)


class RandomBranch(RuntimeError):
    """Report that a model's code asks for a value that is random, which only drawing would tell."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What the schema of an operation says; `is_view` of those that only say otherwise which memory a tensor has."""

    name: str
    names: tuple[str, ...]
    defaults: dict[str, Any]
    written: tuple[tuple[int, str], ...]
    is_view: bool
    is_random: bool
    depends_on_data: bool

    @staticmethod
    @functools.cache
    def of(func: Any) -> Schema:
        """Return it for an operation."""
        schema, tags = func._schema, func.tags
        arguments = schema.arguments
        written = tuple((i, a.name) for i, a in enumerate(arguments) if a.alias_info and a.alias_info.is_write)
        views = any(result.alias_info and not result.alias_info.is_write for result in schema.returns)
        return Schema(
            title(func),
            tuple(a.name for a in arguments),
            {a.name: a.default_value for a in arguments if a.has_default_value()},
            written,
            (views and title(func) != "lift_fresh") or torch.Tag.inplace_view in tags or title(func) == "set_",
            torch.Tag.nondeterministic_seeded in tags,
            torch.Tag.data_dependent_output in tags or torch.Tag.dynamic_output_shape in tags,
        )


class Recorder(TorchDispatchMode):
    """Keep what was written to each storage.

    Attributes
    ----------
    notes : list of str
        What a reader of the plan should know, each once.
    named : Scheme or None
        The scheme of the function of torch.nn.init that is being called, for the draw that it makes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notes: dict[str, None] = {}
        self.named: Scheme | None = None
        self._storages: dict[int, Writes] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Tell torch not to import its compiler, which takes seconds, in order to keep away from this mode."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Record an operation."""
        with torch._C.DisableTorchFunction():
            schema = Schema.of(func)
            if schema.is_view:
                return func(*args, **(kwargs or {}))
            return self._operation(func, schema, args, kwargs or {})

    def writes(self, tensor: Any) -> Writes:
        """Return what was written to a tensor's storage."""
        storage = tensor.untyped_storage()
        found = self._storages.get(storage._cdata)
        if found is None:  # it was not made while recording: its values now
            flat = torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(storage)
            geometry = Geometry.of(flat)
            value = Empty(flat.shape, flat.dtype) if tensor.is_meta else Known(flat.detach().to(CPU, copy=True))
            found = self._storages[storage._cdata] = Writes(storage, (geometry, value))
        return found

    def was_made(self, tensor: Any) -> bool:
        """Tell whether a tensor's storage was made while recording, or written to."""
        found = self._storages.get(tensor.untyped_storage()._cdata)
        return found is not None and (found.was_made or found.was_written)

    def value(self, tensor: Any) -> Value:
        """Return the value of a tensor."""
        return self.writes(tensor).read(Geometry.of(tensor))

    def write(self, tensor: Any, value: Value) -> None:
        """Record that a value was written to a tensor."""
        self.writes(tensor).write(Geometry.of(tensor), value)

    def require_known(self, tensor: Any) -> None:
        """Raise RandomBranch if a tensor, of which code asks for the values, is random."""
        if self.value(tensor).is_random:
            raise _branch()

    def note(self, text: str) -> None:
        """Keep something that a reader of the plan should know."""
        self.notes[text] = None

    def note_generator(self, name: str) -> None:
        """Keep that a generator was given, which a pure function of seed and name cannot follow."""
        self.note(f"{name} was given a generator, which is ignored: seed and names decide the values")

    def _read(self, each: Any) -> Any:
        return self.value(each) if isinstance(each, torch.Tensor) else each

    def _operation(self, func: Any, schema: Schema, args: Any, kwargs: dict[str, Any]) -> Any:
        if kwargs.get("generator") is not None:
            self.note_generator(schema.name)
        kwargs = {key: value for key, value in kwargs.items() if key != "generator"}
        frozen, options = list(tree_map(self._read, args)), tree_map(self._read, kwargs)
        values = [each for each in tree_leaves((frozen, options)) if isinstance(each, Value)]
        out = self._run(func, schema, args, kwargs, (frozen, options), values)
        bound = schema.defaults | dict(zip(schema.names, frozen, strict=False)) | options
        if schema.written:
            for position, name in schema.written:
                where = Pick("arg", position) if position < len(args) else Pick("key", name)
                target = args[position] if where.kind == "arg" else kwargs.get(name)
                if not isinstance(target, torch.Tensor):
                    continue
                if where.kind == "key" or schema.is_random or schema.name in _OVERWRITES:
                    (frozen if where.kind == "arg" else options)[where.key] = Replaced(target.shape, target.dtype)
                self.write(target, self._made(func, schema, bound, target, frozen, options, where))
            return out
        known = {
            each.untyped_storage()._cdata for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)
        }
        for position, result in enumerate(tree_leaves(out)):
            if not isinstance(result, torch.Tensor) or (
                result.untyped_storage()._cdata in known and schema.name != "lift_fresh"
            ):
                continue
            self._storages[result.untyped_storage()._cdata] = Writes(result.untyped_storage())
            made = self._made(func, schema, bound, result, frozen, options, Pick("out", position))
            if not isinstance(made, Empty):
                self.write(result, made)
        return out

    def _made(self, func: Any, schema: Schema, bound: Any, like: Any, frozen: Any, options: Any, pick: Pick) -> Value:
        """Return the value of a tensor that an operation made or wrote to."""
        shape, dtype, name = tuple(like.shape), like.dtype, schema.name
        if schema.is_random:
            drawn = laws.drawn(name, bound, shape, dtype)
            if self.named is not None and isinstance(drawn, Draw):
                drawn.named = self.named
            return drawn
        if "empty" in name:
            return Empty(shape, dtype)
        base = name.rstrip("_")
        if base in _FILLS:
            number = _FILLS[base]
            if number is None:
                number = bound.get("value", bound.get("fill_value", bound.get("s")))
            if isinstance(number, Constant):
                number = number.value
            if not isinstance(number, Value):
                return Constant(number, shape, dtype)
        source = bound.get(_COPIES.get(name, ""))
        if isinstance(source, Value) and (source.shape, source.dtype) == (shape, dtype):
            return (
                source  # a copy is the value that it copies: layers copied by deepcopy start equal, as they do in torch
            )
        if isinstance(source, Constant):
            return Constant(source.value, shape, dtype)
        return Operation(func, frozen, options, shape, dtype, pick)

    def _run(
        self, func: Any, schema: Schema, args: Any, kwargs: Any, frozen: tuple[Any, Any], values: list[Value]
    ) -> Any:
        """Run an operation for the shapes of its results; on the meta device it computes nothing."""
        if schema.is_random:
            return self._undrawn(func, schema, args, kwargs)
        is_random = any(value.is_random for value in values)
        if is_random and schema.depends_on_data:
            return self._asked(schema, frozen[0])
        try:
            return func(*args, **kwargs)
        except (NotImplementedError, RuntimeError):
            if not any(isinstance(each, torch.Tensor) and each.is_meta for each in tree_leaves((args, kwargs))):
                raise
        if schema.written:  # the memory that it writes to is there already
            return args[schema.written[0][0]]
        if is_random or any(value.has_holes for value in values):
            return self._shaped(func, schema, args, kwargs, frozen)
        # The meta device has no values, but those that are not random can be had.
        out = evaluate(Operation(func, *frozen, (), None, Pick("all", 0)))
        return tree_map(functools.partial(_moved, to=kwargs.get("device") or META), out)

    def _shaped(self, func: Any, schema: Schema, args: Any, kwargs: Any, frozen: tuple[Any, Any]) -> Any:
        """Return tensors of the right shapes where the meta device cannot tell them, of values that nobody knows."""
        if schema.name == "_to_copy":
            return torch.empty_like(args[0], **{key: kwargs[key] for key in ("dtype", "device") if key in kwargs})
        if schema.name in _QUESTIONS:
            return self._asked(schema, frozen[0])
        ones = tree_map(_as_ones, args)  # a run on them tells the shapes
        return tree_map(functools.partial(_moved, to=META), func(*ones, **kwargs))

    def _undrawn(self, func: Any, schema: Schema, args: Any, kwargs: Any) -> Any:
        """Return the result of a random operation without drawing it: torch's generators are left alone."""
        if schema.written:
            position, name = schema.written[0]
            return args[position] if position < len(args) else kwargs[name]
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        device = kwargs.get("device") or (tensors[0].device if tensors else CPU)
        away = lambda each: each.to(META) if isinstance(each, torch.Tensor) else each  # noqa: E731
        if "device" in schema.names:
            kwargs = kwargs | {"device": META}
        out = func(*tree_map(away, args), **tree_map(away, kwargs))
        if torch.device(device) == META:
            return out
        return tree_map(lambda each: torch.empty_like(each, device=device), out)

    def _asked(self, schema: Schema, frozen: list[Any]) -> bool:
        """Answer what depends on random values, or raise an error that names the line that asks."""
        if schema.name in ("equal", "allclose"):  # values drawn from a continuous law are almost surely not equal
            same = frozen[0] is frozen[1]
            answer = "equal" if same else "different"
            self.note(f"the model's code compares random values, which are taken to be {answer}: {asking_line()}")
            return same
        raise _branch()


def _as_ones(each: Any) -> Any:
    return torch.ones_like(each, device=CPU) if isinstance(each, torch.Tensor) else each


def _moved(each: Any, to: Any) -> Any:
    return each.to(to) if isinstance(each, torch.Tensor) and torch.device(to) != CPU else each


def _branch() -> RandomBranch:
    return RandomBranch(
        f"the model's code must not depend on random values while it is recorded, but asks for one at {asking_line()}"
    )


def asking_line() -> str:
    """Return the innermost line of code that is neither torch's nor fanin's, with its place."""
    for frame in _frames():
        path, number = frame.f_code.co_filename, frame.f_lineno
        if not path.startswith((*_OURS, "<frozen")):
            line = linecache.getline(path, number).strip()
            return f"{path}:{number}" + (f": {line}" if line else "")
    return "a line that is not known"


def _frames() -> Iterator[Any]:
    frame = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back  # type: ignore[assignment]
