"""Check the arguments of layers."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import choice, integer, integers
from ..arrays.types import Activation, Shape
from ..signals.gains import gain
from ..text import short
from . import flax, keras, recommended, torch
from .base import Library, ParameterSpec

LIBRARIES: dict[str, Library] = {"fanin": recommended, "torch": torch, "keras": keras, "flax": flax}
_MOST = 2**31 - 1  # the largest size: a shape of such sizes is not too large to be written down


def known(argument: str, framework: object) -> str:
    """Return the name of a framework, or raise an error unless its layers are known."""
    return choice(argument, framework, tuple(LIBRARIES))


def dimension(argument: str, value: object, least: int = 0) -> int:
    """Return a number of features, channels, rows and the like."""
    return integer(argument, value, least, _MOST)


def sizes(argument: str, shape: Shape, least: int = 0) -> tuple[int, ...]:
    """Return the sizes of one axis, or of several."""
    if hasattr(shape, "__index__") and getattr(shape, "shape", ()) == ():
        return (dimension(argument, shape, least),)
    try:
        found = integers(argument, shape, least)
    except TypeError:
        raise TypeError(f"{argument} must be an integer or a sequence of integers, got {short(shape)}") from None
    return tuple(dimension(argument, each, least) for each in found)


def number(argument: str, value: object) -> int:
    """Return a number that something is divided by: at least 1."""
    return dimension(argument, value, 1)


def extents(argument: str, kernel: Shape) -> tuple[int, ...]:
    """Return the size of a kernel along each of its one to three dimensions."""
    found = sizes(argument, kernel, 1)
    if not 1 <= len(found) <= 3:
        raise ValueError(f"{argument} must have 1 to 3 dimensions, got {short(kernel)}")
    return found


def followed(argument: str, activation: Activation) -> Activation:
    """Return an activation, or raise an error unless it exists."""
    if not (isinstance(activation, str) and activation == "linear"):
        gain(activation)
    return activation


def specs(layer: Mapping[str, ParameterSpec]) -> Mapping[str, ParameterSpec]:
    """Return the parameters of a layer."""
    if not isinstance(layer, Mapping) or not all(isinstance(each, ParameterSpec) for each in layer.values()):
        raise TypeError(f"layer must be what a function of fanin.layers returns, got {short(layer)}")
    return layer


def row(argument: str, value: int | None, rows: int) -> int | None:
    """Return the number of a row of a table, negative ones as they are; None if none is given."""
    if value is None:
        return None
    number = integer(argument, value)
    if not -rows <= number < rows:
        raise ValueError(f"{argument} must be one of the {rows} rows, got {short(number)}")
    return number


def divides(argument: str, parts: int, **wholes: int) -> None:
    """Raise ValueError unless a number of equal parts divides each of the numbers."""
    for name, whole in wholes.items():
        if whole % parts:
            raise ValueError(f"{argument} must divide the {whole} {name}, got {parts}")
