"""Plan, build and fill torch modules: one grammar, where None is what the model's own code says."""

from __future__ import annotations

import copy
import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch

from ..arguments import flag
from ..arrays.types import DType, Seed
from ..models import Parameters, parameters
from ..plans import Plan
from ..plans.choices import Only, Overrides
from ..plans.rows import Renamed
from ..recipes import Recipe, resolve
from ..text import short
from .as_written import is_meant as is_as_written
from .filling import fill_, require_memory
from .modules import PARAMETER, entries, paths, require_module
from .recording import Recording, record, recording_of

TORCH_DEFAULT = "torch-default"
_RESETS = ("reset_parameters", "_reset_parameters")
_COMPLETE = ("init_weights", "initialize_weights")  # what a model's root has where it can start anew as a whole

RecipeLike = Recipe | str | os.PathLike[str] | None


def plan(
    source: Callable[[], torch.nn.Module] | Recording | torch.nn.Module | Mapping[str, Any],
    recipe: RecipeLike = None,
    *,
    seed: Seed,
    dtype: DType | Mapping[str, DType] = None,
    overrides: Overrides | None = None,
    only: Only | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Plan how each parameter of a torch model is drawn: as its own code says, or by a recipe.

    Parameters
    ----------
    source : callable, Recording, torch.nn.Module or mapping
        A function without arguments that builds and returns the model, which is recorded; a recording; a module; or a
        state_dict.
    recipe : Recipe, str or path, optional
        A recipe, the name of one ("llama"), or a TOML file: see `fanin.plan`. "torch-default" gives each layer of a
        module what its own `reset_parameters` does. Default: "as-written", what the model's own code asks for, where
        that is known.
    seed : int or SeedSequence
        The seed, in [0, 2**64).
    dtype : str, dtype or mapping, optional
        The dtype of all parameters, or dtypes by pattern: see `fanin.plan`. Default: what each has.
    overrides : mapping of str to Scheme, optional
        Schemes by pattern, for parameters that are to be drawn in another way: see `fanin.plan`.
    only : str or iterable of str, optional
        Names or patterns of the parameters to plan, as the `missing_keys` of `load_state_dict`. Default: all.
    renamed : callable or mapping, optional
        The name to draw a parameter by, in place of its own: see `fanin.plan`.
    strict : bool
        Whether a rule of the recipe that matches no parameter is an error. Default False.

    Returns
    -------
    Plan
        The plan; printing it shows every parameter. As written, it carries the model's buffers too.

    Raises
    ------
    ValueError
        If it is not known what the code says: of a state_dict, and of a module that was not built under `record()`
        and whose root does not declare a complete reset. If no rule matches a parameter, or none was written.
    RandomBranch
        If the code asks for a value that is random.

    Examples
    --------
    >>> import fanin, torch
    >>> plan = fanin.torch.plan(lambda: torch.nn.Linear(64, 10), seed=0)
    >>> print(plan.row("bias").scheme.describe())
    uniform(low=-0.125, high=0.125)
    """
    options: dict[str, Any] = {"seed": seed, "dtype": dtype, "overrides": overrides, "only": only, "renamed": renamed}
    if isinstance(source, Recording):
        _require_none(recipe, "a recording")
        return source.plan(**options)
    if isinstance(source, torch.nn.Module):
        return _of_module(source, recipe, strict=strict, **options)
    if isinstance(source, Mapping):
        if is_as_written(recipe):
            raise ValueError(
                "recipe must be given for a state_dict, as no code is known that says how its parameters begin"
            )
        return _by_recipe(parameters(source), recipe, strict=strict, **options)
    if callable(source):
        return _built(source, recipe, strict=strict, **options)[1]
    raise TypeError(
        f"source must be a function that builds a module, a recording, a module or a state_dict, got {short(source)}"
    )


def build(
    build_function: Callable[[], torch.nn.Module],
    recipe: RecipeLike = None,
    *,
    seed: Seed,
    device: Any = "cpu",
    dtype: DType | Mapping[str, DType] = None,
    overrides: Overrides | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> torch.nn.Module:
    """Build a model on a device, with its parameters drawn by fanin: as its own code says, or by a recipe.

    The code runs on the meta device, where nothing is allocated or drawn. Then each parameter gets its memory, once,
    and its values; buffers get those that the code gave them; what was tied is tied.

    Parameters
    ----------
    build_function : callable
        A function without arguments that builds and returns the model.
    recipe, seed, dtype, overrides, renamed, strict
        As for `plan`.
    device : torch.device or str
        The device. Default "cpu".

    Returns
    -------
    torch.nn.Module
        The model.

    Raises
    ------
    ValueError, RandomBranch
        As `plan` does.

    Examples
    --------
    >>> import fanin, torch
    >>> model = fanin.torch.build(lambda: torch.nn.Linear(64, 10), seed=0, dtype="bfloat16")
    >>> model.weight.dtype, bool(model.weight.abs().max() <= 0.125)
    (torch.bfloat16, True)
    """
    if not callable(build_function) or isinstance(build_function, torch.nn.Module):
        raise TypeError(f"build_function must be a function that returns a module, got {short(build_function)}")
    recording, planned, module = _recorded(
        build_function,
        recipe,
        {"seed": seed, "dtype": dtype, "overrides": overrides, "only": None, "renamed": renamed},
        strict=strict,
    )
    recording.materialize(module, planned, device)
    fill_(module, planned)
    return module


def init_(
    module: torch.nn.Module,
    recipe: RecipeLike = None,
    *,
    seed: Seed,
    dtype: DType | Mapping[str, DType] = None,
    overrides: Overrides | None = None,
    only: Only | None = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Draw every parameter of a module in place, with the values that its plan would save.

    Parameters keep their memory, dtype, device and `requires_grad`; tied ones stay tied. Autograd is told that they
    changed. Buffers are left alone by a recipe; as written they get the values that the code gave them. Names decide
    the values; those of wrappers, as of torch.compile and DataParallel, are left out by the type of the wrapper.

    Parameters
    ----------
    module : torch.nn.Module
        The module. Its parameters must have memory: `module.to_empty(device="cpu")` gives it to those on the meta
        device, a first batch to those of lazy modules. On a GPU they are drawn in torch's current stream, if fanin was
        built with CUDA.
    recipe, seed, dtype, overrides, only, renamed, strict
        As for `plan`. Without a recipe the module must have been built under `record()`, or its root must declare a
        complete reset: a model of transformers, or one that has `init_weights`.

    Returns
    -------
    Plan
        The plan that was drawn; printing it shows every parameter.

    Raises
    ------
    ValueError
        If a parameter has no memory, no rule matches it, or nothing says how it begins; nothing is drawn then.
    TypeError
        If `module` is not a torch.nn.Module.

    Warns
    -----
    UserWarning
        If parameters are left alone: integers, as in a quantized module, complex numbers, and tables known by name.

    Examples
    --------
    >>> import fanin, torch
    >>> model = torch.nn.Linear(64, 10)
    >>> plan = fanin.torch.init_(model, "torch-default", seed=0)
    >>> torch.equal(model.bias.detach(), torch.from_numpy(plan["bias"]))
    True
    """
    require_module("module", module)
    for entry in entries(module):
        if entry.kind == PARAMETER:
            require_memory(entry.name, entry.tensor)
    planned = _of_module(
        module, recipe, seed=seed, dtype=dtype, overrides=overrides, only=only, renamed=renamed, strict=strict
    )
    own = {entry.name for entry in entries(module) if entry.kind == PARAMETER}
    left = [f"{name} ({reason})" for name, reason in planned.skipped if name in own and reason != "left out by only"]
    if left:
        warnings.warn(f"init_ leaves parameters alone: {', '.join(left)}", UserWarning, stacklevel=2)
    return fill_(module, planned)


def _of_module(module: torch.nn.Module, recipe: RecipeLike, *, strict: bool, **options: Any) -> Plan:
    if isinstance(recipe, str) and recipe == TORCH_DEFAULT:
        return _reset(module, options)
    if not is_as_written(recipe):
        return _by_recipe(_parameters(module), recipe, strict=strict, **options)
    recording = recording_of(module)
    if recording is not None:
        return recording.plan(module, **options)
    return _declared(module, options)


def _parameters(module: torch.nn.Module) -> Parameters:
    """Return the parameters of a module by their canonical names; its buffers are skipped."""
    found = entries(module)
    tensors = {
        name: entry.tensor for entry in found if entry.kind == PARAMETER for name in (entry.name, *entry.aliases)
    }
    model = parameters(tensors)
    buffers = [
        (name, entry.kind) for entry in found if entry.kind != PARAMETER for name in (entry.name, *entry.aliases)
    ]
    return Parameters(model.parameters, (*model.skipped, *buffers))


def _by_recipe(model: Parameters, recipe: RecipeLike, *, seed: Seed, strict: bool, **options: Any) -> Plan:
    return Plan.of(model, resolve(recipe, model), seed, strict=strict, **options)


def _recorded(
    function: Callable[[], torch.nn.Module], recipe: RecipeLike, options: dict[str, Any], *, strict: bool
) -> tuple[Recording, Plan, torch.nn.Module]:
    """Record a function that builds a module, and plan the module."""
    with record() as recording:
        module = function()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"the function must return a torch.nn.Module, got {short(module)}")
    if is_as_written(recipe):
        planned = recording.plan(module, **options)
        recording.require_repeatable(module, function)
    elif isinstance(recipe, str) and recipe == TORCH_DEFAULT:
        planned = _reset(module, options).carrying(recording.buffers(module, options["seed"]), recording.notes)
    else:
        planned = _by_recipe(_parameters(module), recipe, strict=strict, **options)
        planned = planned.carrying(recording.buffers(module, planned.seed), recording.notes)
    return recording, planned, module


def _built(
    function: Callable[[], torch.nn.Module], recipe: RecipeLike, *, strict: bool, **options: Any
) -> tuple[Recording, Plan, torch.nn.Module]:
    return _recorded(function, recipe, options, strict=flag("strict", strict))


def _require_none(recipe: RecipeLike, what: str) -> None:
    if not is_as_written(recipe):
        raise ValueError(f"recipe must be None for {what}, which says how each parameter begins, got {short(recipe)}")


def _declared(module: torch.nn.Module, options: dict[str, Any]) -> Plan:
    """Plan a module whose root says how all of it begins anew."""
    kind = type(module)
    config = getattr(module, "config", None)
    if any(base.__name__ == "PreTrainedModel" for base in kind.__mro__) and config is not None:
        return _recorded(lambda: kind(copy.deepcopy(config)), None, options, strict=False)[1]
    reset = next((name for name in _COMPLETE if callable(getattr(module, name, None))), None)
    if reset is None:
        raise ValueError(
            f"recipe must be given for a {kind.__name__} that was not built under record(), as its constructor leaves "
            "no trace on it: use fanin.torch.build(lambda: …, seed=…), build it under fanin.torch.record(), or give "
            '"torch-default" for what each layer of torch does by itself'
        )
    with record() as recording:
        twin = on_meta(module)
        function = getattr(twin, reset)
        needed = [
            each.name
            for each in inspect.signature(function).parameters.values()
            if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
        if needed:
            raise ValueError(
                f"recipe must be given for a {kind.__name__}, whose {reset} needs {', '.join(needed)}: build it under "
                "fanin.torch.record()"
            )
        function()
    return recording.plan(twin, **options)


def _reset(module: torch.nn.Module, options: dict[str, Any]) -> Plan:
    """Plan a module by what each of its layers does to reset itself, inner layers first, as they are built."""
    with record() as recording:
        twin = on_meta(module)
        done: set[int] = set()
        for _, layer in reversed(list(paths(twin))):
            reset = next((getattr(layer, name) for name in _RESETS if callable(getattr(layer, name, None))), None)
            if reset is not None and id(layer) not in done:
                done.add(id(layer))
                reset()
    return recording.plan(twin, name=TORCH_DEFAULT, **options).carrying({}, recording.notes)


def on_meta(module: torch.nn.Module) -> torch.nn.Module:
    """Return a copy of a module whose tensors are on the meta device, and hold nothing."""
    memo: dict[int, Any] = {}
    for entry in entries(module):
        empty = torch.empty_like(entry.tensor, device="meta", requires_grad=False)
        if entry.kind == PARAMETER:
            empty = torch.nn.Parameter(empty, requires_grad=entry.tensor.requires_grad)
        memo |= {id(held): empty for _, _, held in entry.places}
    return copy.deepcopy(module, memo)
