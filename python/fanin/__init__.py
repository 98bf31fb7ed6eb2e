"""fanin: initial weights as a pure function of seed, name, scheme, dtype, shape and index.

Examples
--------
>>> import fanin
>>> init = fanin.seeded(0, layout="OI")
>>> w = init.he_normal("mlp.0.weight", (4096, 1024))
>>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
>>> assert (part == w[1024:2048]).all()
"""

from __future__ import annotations

import importlib
from typing import Any

from . import _core
from .arrays.seed import fresh_seed, seed_from
from .info import info
from .names import MODULES, NAMES
from .sampling import bits, constant, normal, ones, truncated_normal, uniform, zeros
from .text import nearest
from .threads import get_num_threads, num_threads, set_num_threads

__version__: str = _core.__version__

__all__ = [  # noqa: PLE0604
    "bits",
    "constant",
    "fresh_seed",
    "get_num_threads",
    "info",
    "normal",
    "num_threads",
    "ones",
    "seed_from",
    "set_num_threads",
    "truncated_normal",
    "uniform",
    "zeros",
    *MODULES,
    *NAMES,
]


def __getattr__(name: str) -> Any:
    """Import what stands on the schemes when it is first asked for: `import fanin` stays quick."""
    if name in MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in NAMES:
        found = getattr(importlib.import_module(f".{NAMES[name]}", __name__), name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{nearest(name, __all__)}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
