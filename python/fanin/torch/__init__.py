"""Plan, build, fill and verify torch modules: as their own code says, or by a recipe.

Examples
--------
>>> import fanin, torch
>>> model = fanin.torch.build(lambda: torch.nn.Linear(64, 10), seed=0)
>>> model.weight.shape
torch.Size([10, 64])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..text import nearest

if TYPE_CHECKING:
    from .filling import Compared, fill_, verify
    from .initializing import build, init_, plan
    from .recorder import RandomBranch
    from .recording import Recording, record

__all__ = ["Compared", "RandomBranch", "Recording", "build", "fill_", "init_", "plan", "record", "verify"]

_MODULES = {
    "Compared": "filling",
    "RandomBranch": "recorder",
    "Recording": "recording",
    "build": "initializing",
    "fill_": "filling",
    "init_": "initializing",
    "plan": "initializing",
    "record": "recording",
    "verify": "filling",
}


def __getattr__(name: str) -> Any:
    """Import torch, and what needs it, when it is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{nearest(name, __all__)}")
    found = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)
