"""What every scheme is: a small frozen object that says how a parameter is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ._out import global_shape
from ._seed import as_seed
from ._types import Array, Device, DType, Index, Out, Seed, Shape
from .sampling import draw

Native = tuple[Callable[..., Any], tuple[Any, ...]]


class Scheme(ABC):
    """How a parameter is drawn; calling it draws."""

    __slots__ = ()

    @abstractmethod
    def mean(self, shape: Shape) -> float:
        """The expected mean of a parameter of this global shape."""

    @abstractmethod
    def std(self, shape: Shape) -> float:
        """The expected standard deviation of a parameter of this global shape."""

    @abstractmethod
    def describe(self) -> str:
        """The scheme in one line; equal only for schemes that draw the same values."""

    @abstractmethod
    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        """The sampler and its arguments."""

    def __call__(
        self,
        shape: Shape | None = None,
        *,
        seed: Seed,
        name: str,
        dtype: DType = None,
        index: Index = None,
        out: Out = None,
        device: Device = None,
        stream: str = "v1",
    ) -> Array:
        """Draw the parameter `name`, or the part of it that `index` selects; arguments as for `fanin.normal`."""
        shape = global_shape(shape, index, out)
        sampler, arguments = self._native(shape, as_seed(seed), name)
        return draw(sampler, arguments, shape, dtype, index, out, device, stream)


def require(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    """ValueError unless an argument has one of the allowed values."""
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}, got {value!r}")


def text(number: float) -> str:
    """A number as `describe` writes it."""
    return repr(float(number)).removesuffix(".0")
