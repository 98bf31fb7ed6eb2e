"""The pieces that builders put models together from: shapes by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Shapes: TypeAlias = dict[str, tuple[int, ...]]


def linear(fan_in: int, fan_out: int, *, bias: bool = True) -> Shapes:
    """A linear layer, (out, in).

    Examples
    --------
    >>> linear(3, 5)
    {'weight': (5, 3), 'bias': (5,)}
    """
    return {"weight": (fan_out, fan_in), **({"bias": (fan_out,)} if bias else {})}


def norm(width: int, *, bias: bool = True) -> Shapes:
    """A normalization's scale, and its shift."""
    return {"weight": (width,), **({"bias": (width,)} if bias else {})}


def within(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    """The same shapes under names that start with `prefix` and a dot.

    Examples
    --------
    >>> within("fc", linear(3, 5, bias=False))
    {'fc.weight': (5, 3)}
    """
    return {f"{prefix}.{name}": shape for name, shape in shapes.items()}


def joined(modules: Mapping[str, Mapping[str, tuple[int, ...]]]) -> Shapes:
    """The shapes of all modules, each within its name.

    Examples
    --------
    >>> joined({"fc": linear(3, 5, bias=False), "norm": norm(5, bias=False)})
    {'fc.weight': (5, 3), 'norm.weight': (5,)}
    """
    return {name: shape for module, shapes in modules.items() for name, shape in within(module, shapes).items()}
