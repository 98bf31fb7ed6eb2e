"""Plan, build and load models of transformers: any type that it has, as its own code initializes it.

Examples
--------
>>> import fanin
>>> from transformers import GPT2Config
>>> config = GPT2Config(n_layer=2, n_embd=64, n_head=2)
>>> model = fanin.transformers.from_config(config, seed=0)
>>> model.wte.weight.shape
torch.Size([50257, 64])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..text import nearest

if TYPE_CHECKING:
    from .building import from_config, plan
    from .loading import missing

__all__ = ["from_config", "missing", "plan"]

_MODULES = {"from_config": "building", "missing": "loading", "plan": "building"}


def __getattr__(name: str) -> Any:
    """Import torch, and what needs it, when it is first asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{nearest(name, __all__)}")
    found = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return list(__all__)
