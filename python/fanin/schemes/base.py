"""What every scheme is: a small frozen object that says how a parameter is drawn."""

from __future__ import annotations

import dataclasses
import importlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from ..arrays import target as _out
from ..arrays.seed import as_seed
from ..arrays.shape import as_shape
from ..arrays.types import Array, Device, DType, Index, Out, Seed, Shape
from ..sampling import draw
from .pieces import Pieces, assemble

Native = tuple[Callable[..., Any], tuple[Any, ...]]
_FIELDS = {
    "mu": "mean",
    "sigma": "std",
}  # as the samplers call them; a scheme's mean and std are functions of the shape


class Scheme(ABC):
    """How a parameter is drawn; calling it draws.

    A number times a scheme draws so much larger values, and `to_dict` and `from_dict` carry it through JSON or TOML.

    Examples
    --------
    >>> from fanin import schemes
    >>> (0.5 * schemes.normal(std=0.02)).describe()
    'normal(mean=0, std=0.01)'
    """

    __slots__ = ()

    @abstractmethod
    def mean(self, shape: Shape) -> float:
        """The expected mean of a parameter of this global shape."""

    @abstractmethod
    def std(self, shape: Shape) -> float:
        """The expected standard deviation of a parameter of this global shape."""

    @abstractmethod
    def _native(self, shape: Shape, seed: int, name: str) -> Native:
        """The sampler and its arguments."""

    def _scaled(self, factor: float) -> Scheme:
        """The scheme whose values are `factor` times as large."""
        raise TypeError(f"{self.describe()} cannot be scaled")

    def _pieces(self, shape: Shape, name: str) -> Pieces | None:
        """What the parameter is put together from, where it is not drawn whole."""
        return None

    def _is_whole(self) -> bool:
        """Whether a small part costs much of what the parameter does."""
        return False

    def describe(self) -> str:
        """The scheme in one line; equal only for schemes that draw the same values."""
        fields = (f"{_FIELDS.get(name, name)}={text(value)}" for name, value in self._items())
        return f"{_snake(type(self).__name__)}({', '.join(fields)})"

    def to_dict(self) -> dict[str, Any]:
        """The scheme as numbers, strings, lists and dicts: what JSON and TOML can hold.

        Examples
        --------
        >>> from fanin import schemes
        >>> schemes.normal(std=0.02).to_dict()
        {'scheme': 'Normal', 'mu': 0.0, 'sigma': 0.02}
        """
        return {"scheme": type(self).__name__} | {name: _plain(value) for name, value in self._items()}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Scheme:
        """The scheme that a dict describes: what `to_dict` wrote, or the name of a function of `fanin.schemes`.

        Examples
        --------
        >>> Scheme.from_dict({"scheme": "he_normal", "layout": "OI"}).std((10, 200))
        0.1
        """
        schemes = importlib.import_module("fanin.schemes")
        data = dict(data)
        name = data.pop("scheme", None)
        if name not in schemes.__all__ or name == "Scheme":
            allowed = ", ".join(sorted(set(schemes.__all__) - {"Scheme"}))
            raise ValueError(f"scheme must be one of {allowed}, got {name!r}")
        try:
            scheme = getattr(schemes, name)(**{key: _rich(value) for key, value in data.items()})
        except TypeError as error:
            raise ValueError(f"scheme {name!r} cannot have {data}: {error}") from error
        assert isinstance(scheme, Scheme)
        return scheme

    def __mul__(self, factor: float) -> Scheme:
        """So much larger values."""
        if not isinstance(factor, int | float | np.floating | np.integer) or isinstance(factor, bool):
            return NotImplemented
        if not math.isfinite(factor):
            raise ValueError(f"factor must be finite, got {factor}")
        return self._scaled(float(factor))

    __rmul__ = __mul__

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
        shape = _out.global_shape(shape, index, out)
        pieces = self._pieces(shape, name)
        if pieces is not None:
            return assemble(pieces, as_shape(shape), as_seed(seed), dtype, index, out, device, stream)
        sampler, arguments = self._native(shape, as_seed(seed), name)
        return draw(sampler, arguments, shape, dtype, index, out, device, stream)

    def _items(self) -> Iterator[tuple[str, Any]]:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every scheme is a dataclass
            yield field.name, getattr(self, field.name)

    def _with(self, **changes: Any) -> Self:
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]


def require(argument: str, value: str, allowed: tuple[str, ...]) -> None:
    """ValueError unless an argument has one of the allowed values."""
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}, got {value!r}")


def require_finite(argument: str, value: float) -> None:
    """ValueError unless a number is finite."""
    if not math.isfinite(value):
        raise ValueError(f"{argument} must be finite, got {value}")


def require_scale(argument: str, value: float) -> None:
    """ValueError unless a number is finite and not negative."""
    if not 0 <= value < math.inf:
        raise ValueError(f"{argument} must be finite and not negative, got {value}")


def text(value: Any) -> str:
    """A field as `describe` writes it."""
    if isinstance(value, Scheme):
        return value.describe()
    if isinstance(value, tuple):
        return "+".join(map(text, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value)).removesuffix(".0")
    return str(value)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, Scheme):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _rich(value: Any) -> Any:
    if isinstance(value, Mapping) and "scheme" in value:
        return Scheme.from_dict(value)
    return tuple(_rich(item) for item in value) if isinstance(value, list | tuple) else value
