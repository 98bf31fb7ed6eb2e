"""Schemes: small frozen objects that say how a parameter is drawn.

Each module registers the schemes of one kind. All of them are here by the names that they register, and classes by
their own names too. docs/schemes.md lists them: formula, when to use it, source, and what other libraries call it.
"""

# ruff: noqa: F401  # a module is imported so that it registers its schemes
from __future__ import annotations

import inspect

from . import (
    biases,
    composition,
    depth,
    distributions,
    expression,
    laws,
    orthogonal,
    parts,
    regions,
    sequence,
    siren,
    structured,
    variance,
    width,
)
from .depth import deepnorm_alpha as deepnorm_alpha
from .pieces import Native as Native
from .pieces import Piece as Piece
from .pieces import Pieces as Pieces
from .registry import REGISTRY
from .registry import register as register
from .scheme import Scheme as Scheme
from .scheme import as_scheme as as_scheme

_CLASSES = {build.__name__: build for build in REGISTRY.values() if inspect.isclass(build)}
globals().update(_CLASSES | REGISTRY)

__all__ = sorted(  # noqa: PLE0605  # the list is the registry's
    [*_CLASSES, *REGISTRY, "Native", "Piece", "Pieces", "Scheme", "as_scheme", "deepnorm_alpha", "register"]
)


def __dir__() -> list[str]:
    return __all__
