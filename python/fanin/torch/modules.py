"""The tensors of a module: canonical names, what is tied, and tensors that are plain attributes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from .values import Geometry

# Wrappers by their module and type, and the attribute in which each has what it wraps: it is no part of a name.
_WRAPPERS = (
    ("torch.nn.parallel.data_parallel", "DataParallel", "module"),
    ("torch.nn.parallel.distributed", "DistributedDataParallel", "module"),
    ("torch._dynamo.eval_frame", "OptimizedModule", "_orig_mod"),
    ("torch.distributed.fsdp.fully_sharded_data_parallel", "FullyShardedDataParallel", "_fsdp_wrapped_module"),
    ("torch.distributed.algorithms._checkpoint.checkpoint_wrapper", "ActivationWrapper", "_checkpoint_wrapped_module"),
    ("torch.optim.swa_utils", "AveragedModel", "module"),
)

PARAMETER, BUFFER, ATTRIBUTE = "parameter", "buffer", "attribute"


@dataclass(slots=True)
class Entry:
    """A tensor of a module.

    Attributes
    ----------
    name : str
        Its canonical name: the path of attributes from the root, without those of wrappers.
    tensor : torch.Tensor
        The tensor.
    kind : str
        "parameter", "buffer" or "attribute".
    places : list of (module, str, torch.Tensor)
        The modules and attributes that have it, the first first, and what object they have.
    aliases : list of str
        The names of the other places, tied to the first.
    is_persistent : bool
        Whether a state_dict has it.
    """

    name: str
    tensor: Any
    kind: str
    places: list[tuple[Any, str, Any]]
    aliases: list[str] = field(default_factory=list)
    is_persistent: bool = True


def entries(root: Any, original: Callable[[Any, str, Any], Any] = lambda module, key, tensor: tensor) -> list[Entry]:
    """Return parameters, buffers and attributes of a module that are tensors, each once, parameters first.

    Tensors with the same memory, shape and strides are one, under the first of their names.

    Parameters
    ----------
    root : torch.nn.Module
        The module.
    original : callable
        A function of a module, the name of its attribute and the tensor there, which returns the tensor to take in its
        place. Default: the same.
    """
    found: dict[Any, Entry] = {}
    for kind in (PARAMETER, BUFFER, ATTRIBUTE):
        for name, module, key, held, is_persistent in _named(root, kind):
            tensor = original(module, key, held)
            place = memory_of(tensor)
            entry = found.get(place)
            if entry is None:
                found[place] = Entry(name, tensor, kind, [(module, key, tensor)], is_persistent=is_persistent)
            else:
                entry.places.append((module, key, tensor))
                if kind == entry.kind and name != entry.name:
                    entry.aliases.append(name)
    return list(found.values())


def memory_of(tensor: Any) -> Any:
    """Return what tensors have in common that are views of the same memory; of others, who they are."""
    if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
        return id(tensor)
    try:
        if tensor.layout == torch.strided and type(tensor).__torch_dispatch__ is torch.Tensor.__torch_dispatch__:
            storage = tensor.untyped_storage()
            return storage._cdata, Geometry.of(tensor)
    except (RuntimeError, NotImplementedError, AttributeError):
        pass
    return id(tensor)


def paths(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield every place of a module within another, with its canonical path; a module in several places, each time."""
    stack: list[tuple[str, Any, tuple[int, ...]]] = [("", root, ())]
    while stack:
        path, module, above = stack.pop()
        yield path, module
        if id(module) in above:
            continue
        hidden = wrapped_by(module)
        children = [
            (path if key == hidden else join(path, key), child, (*above, id(module)))
            for key, child in module._modules.items()
            if child is not None
        ]
        stack += reversed(children)


def join(path: str, key: str) -> str:
    """Return the name of an attribute of what a path leads to."""
    return f"{path}.{key}" if path else key


def wrapped_by(module: Any) -> str | None:
    """Return the attribute in which a wrapper has the module that it wraps; None for any other module."""
    for where, kind, attribute in _WRAPPERS:
        loaded = sys.modules.get(where)
        if loaded is not None and isinstance(module, getattr(loaded, kind, ())):
            return attribute
    return None


def _named(root: Any, kind: str) -> Iterator[tuple[str, Any, str, Any, bool]]:
    for path, module in paths(root):
        if kind == PARAMETER:
            held = module._parameters
        elif kind == BUFFER:
            held = module._buffers
        else:
            held = {key: each for key, each in vars(module).items() if isinstance(each, torch.Tensor)}
        for key, tensor in held.items():
            if tensor is not None:
                persistent = kind == PARAMETER or (kind == BUFFER and key not in module._non_persistent_buffers_set)
                yield join(path, key), module, key, tensor, persistent


def owner_of(root: Any, name: str) -> Any:
    """Return the module that has a tensor of a canonical name; None if there is none."""
    path = name.rpartition(".")[0]
    return next((module for where, module in paths(root) if where == path and wrapped_by(module) is None), None)


def require_module(argument: str, value: Any) -> Any:
    """Return a module; raise TypeError for anything else."""
    if not isinstance(value, torch.nn.Module):
        raise TypeError(f"{argument} must be a torch.nn.Module, got {type(value).__name__}")
    return value


def put(entry: Entry, tensor: Any) -> None:
    """Put a tensor with memory in every place of one that has none; tensors that code holds elsewhere change too.

    A parameter keeps its class, its attributes and whether it requires a gradient.
    """
    old = entry.tensor
    if entry.kind == PARAMETER:
        made = torch.nn.Parameter(tensor, requires_grad=old.requires_grad)
        if type(old) is not torch.nn.Parameter:
            made.__class__ = type(old)
        made.__dict__.update(vars(old))
        tensor = made
    try:
        torch.utils.swap_tensors(old, tensor)
        old, tensor = tensor, old
    except RuntimeError:  # something refers to it weakly, as the layers of torch.nn.RNN do
        pass
    for number, (module, key, held) in enumerate(entry.places):
        same = held is entry.tensor or isinstance(held, torch.nn.Parameter)
        here = tensor if same else tensor.detach()  # another object that shares its memory
        slots = module._parameters if key in module._parameters else module._buffers
        if key in slots:
            slots[key] = here
        else:
            setattr(module, key, here)
        entry.places[number] = module, key, here
    entry.tensor = tensor
