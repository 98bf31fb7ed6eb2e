"""Build names and shapes of models from those of their layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Shapes: TypeAlias = dict[str, tuple[int, ...]]


def linear(fan_in: int, fan_out: int, *, bias: bool = True) -> Shapes:
    """List the shapes of a linear layer, (out, in).

    Examples
    --------
    >>> linear(3, 5)
    {'weight': (5, 3), 'bias': (5,)}
    """
    return {"weight": (fan_out, fan_in), **({"bias": (fan_out,)} if bias else {})}


def norm(width: int, *, bias: bool = True) -> Shapes:
    """List the shapes of a normalization's scale and shift."""
    return {"weight": (width,), **({"bias": (width,)} if bias else {})}


def within(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    """Put `prefix` and a dot before each name.

    Examples
    --------
    >>> within("fc", linear(3, 5, bias=False))
    {'fc.weight': (5, 3)}
    """
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def joined(modules: Mapping[str, Mapping[str, tuple[int, ...]]]) -> Shapes:
    """Join the shapes of modules, each name after that of its module.

    Examples
    --------
    >>> joined({"fc": linear(3, 5, bias=False), "norm": norm(5, bias=False)})
    {'fc.weight': (5, 3), 'norm.weight': (5,)}
    """
    return {name: shape for module, shapes in modules.items() for name, shape in within(module, shapes).items()}
