"""Fill the parameters of a torch module in place, by a plan."""

from __future__ import annotations

import importlib
import os
import warnings
from typing import TYPE_CHECKING, Any

from .arrays.types import Seed
from .models import Parameters, parameters
from .plans import Plan
from .plans.rows import Renamed
from .recipes import Recipe, resolve

if TYPE_CHECKING:
    import torch


def init_(
    module: torch.nn.Module,
    recipe: Recipe | str | os.PathLike[str],
    seed: Seed,
    *,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Draw every parameter of a module in place, with the values that the plan for its state_dict would save.

    Parameters keep their memory, dtype, device and `requires_grad`; tied ones stay tied. Autograd is told that they
    changed. Buffers are left alone, and listed in the plan as skipped. Names decide the values, and torch.compile,
    DataParallel and the like change the names: draw the module before it is wrapped, or give `renamed`.

    Parameters
    ----------
    module : torch.nn.Module
        The module. Its parameters must have memory: `module.to_empty(device="cpu")` gives it to those on the meta
        device, a first batch to those of lazy modules. On a GPU they are drawn in torch's current stream, if fanin was
        built with CUDA.
    recipe : Recipe, str or path
        A recipe, the name of one ("torch-default"), or a TOML file: see `fanin.plan`.
    seed : int or SeedSequence
        The seed, in [0, 2**64).
    renamed : callable or dict, optional
        The name to draw a parameter by, in place of the module's: see `fanin.plan`. Default: its own name.
    strict : bool
        Whether a rule of the recipe that matches no parameter is an error. Default False.

    Returns
    -------
    Plan
        The plan that was drawn; printing it shows every parameter.

    Raises
    ------
    ValueError
        If a parameter has no memory, or no rule matches it; nothing is drawn then.
    TypeError
        If `module` is not a torch.nn.Module.

    Warns
    -----
    UserWarning
        If parameters are left alone: integers, as in a quantized module, complex numbers, and tables known by name.

    Examples
    --------
    >>> import torch                                                        # doctest: +SKIP
    >>> model = torch.nn.Linear(64, 10)                                     # doctest: +SKIP
    >>> plan = fanin.torch.init_(model, "torch-default", seed=0)            # doctest: +SKIP
    >>> torch.equal(model.bias.detach(), torch.from_numpy(plan["bias"]))    # doctest: +SKIP
    True
    """
    nn = importlib.import_module("torch").nn
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    tensors: dict[str, Any] = dict(module.named_parameters(remove_duplicate=False))
    for name, tensor in tensors.items():
        if isinstance(tensor, nn.parameter.UninitializedTensorMixin):
            raise ValueError(f"{name!r} must have a shape: pass a first batch through its lazy module")
        if tensor.is_meta:
            raise ValueError(f"{name!r} must have memory, and is on the meta device: use module.to_empty(device='cpu')")
    found = parameters(tensors)
    if found.skipped:
        listed = ", ".join(f"{name} ({reason})" for name, reason in found.skipped)
        warnings.warn(f"init_ leaves parameters alone: {listed}", UserWarning, stacklevel=2)
    skipped = [*found.skipped, *((name, "buffer") for name, _ in module.named_buffers(remove_duplicate=False))]
    model = Parameters(found.parameters, tuple(skipped))
    plan = Plan.of(model, resolve(recipe, model), seed, renamed=renamed, strict=strict)
    plan.fill(tensors)
    return plan
