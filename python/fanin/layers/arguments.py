"""Check the arguments of layers."""

from __future__ import annotations

from collections.abc import Mapping

from ..arguments import choice, integer, integers
from ..arrays.types import Activation, Shape
from ..signals.gains import gain
from ..text import short
from . import flax, keras, recommended, torch
from .base import Library, ParameterSpec

_LIBRARIES: dict[str, Library] = {"fanin": recommended, "torch": torch, "keras": keras, "flax": flax}
_MOST = 2**31 - 1  # the largest size: a shape of such sizes is not too large to be written down


def library(framework: str) -> Library:
    """Return the layers of a framework by its name."""
    return _LIBRARIES[choice("framework", framework, tuple(_LIBRARIES))]


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


def extents(kernel: Shape) -> tuple[int, ...]:
    """Return the size of a kernel along each of its one to three dimensions."""
    found = sizes("size", kernel, 1)
    if not 1 <= len(found) <= 3:
        raise ValueError(f"size must have 1 to 3 dimensions, got {short(kernel)}")
    return found


def followed(activation: Activation) -> Activation:
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


def divided(argument: str, value: int, by: str, parts: int) -> tuple[int, int]:
    """Return a number and how many equal parts it is divided into; raise ValueError if that leaves a remainder."""
    whole, count = dimension(argument, value), dimension(by, parts, 1)
    if whole % count:
        raise ValueError(f"{by} must divide the {whole} {argument}, got {count}")
    return whole, count


def channels_and_kernel(inputs: int, outputs: int, kernel: Shape, groups: int) -> tuple[int, int, tuple[int, ...], int]:
    """Return input and output channels, size of the kernel and number of groups of a convolution."""
    ins, count = divided("inputs", inputs, "groups", groups)
    return ins, divided("outputs", outputs, "groups", groups)[0], extents(kernel), count
