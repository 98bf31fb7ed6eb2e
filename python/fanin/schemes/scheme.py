"""What every scheme is: a small frozen object that says how a parameter is drawn."""

from __future__ import annotations

import dataclasses
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from .. import arguments
from ..arrays.request import Request
from ..arrays.seed import as_seed
from ..arrays.types import Array, Device, DType, Index, Out, Seed, Shape
from ..entry import entry
from ..text import nearest, short
from .pieces import Native, Pieces, assemble, names
from .registry import REGISTRY


class Scheme(ABC):
    """How a parameter is drawn; calling it draws.

    A scheme is immutable. A number times a scheme draws values that are larger by that factor, and `to_dict` and
    `from_dict` carry a scheme through JSON or TOML. Plans and recipes use what is documented here and nothing else, so
    a class of your own that has these methods is as good as one of the package's: decorate it with `register`.

    Examples
    --------
    >>> from fanin import schemes
    >>> 0.5 * schemes.normal(std=0.02)
    normal(std=0.01)
    """

    __slots__ = ()

    scheme_name: ClassVar[str]  # what `register` calls it

    def __init_subclass__(cls) -> None:
        """Give the methods that compute a door of their own; `native` and `pieces` are called behind that of a draw."""
        for name in ("expected_mean", "expected_std", "scaled"):
            method = vars(cls).get(name)
            if method is not None and not hasattr(method, "__wrapped__"):  # a dataclass with slots is made twice
                setattr(cls, name, entry(method))
        if "__eq__" not in vars(cls):
            cls.__eq__ = Scheme.__eq__  # type: ignore[method-assign]  # a dataclass would take 0.0 and -0.0 for equal

    @abstractmethod
    def expected_mean(self, shape: Shape) -> float:
        """Return the expected mean of the elements of a parameter of this global shape."""

    @abstractmethod
    def expected_std(self, shape: Shape) -> float:
        """Return the expected standard deviation of the elements of a parameter of this global shape."""

    @abstractmethod
    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        """Return the native sampler of a parameter, and the sampler's own arguments."""

    def scaled(self, factor: float) -> Scheme:
        """Return the scheme whose values are `factor` times as large; TypeError where there is none."""
        raise TypeError(f"{self.describe()} cannot be scaled")

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        """Return what a parameter is put together from, or None where it is drawn as one."""
        return None

    def streams(self, shape: tuple[int, ...], name: str) -> set[str]:
        """Return the names whose random streams a parameter is drawn from: its own, and those of its pieces."""
        pieces = self.pieces(shape, name)
        return {name} if pieces is None else {name, *names(pieces)}

    @property
    def is_whole(self) -> bool:
        """Whether drawing a small part of a parameter costs nearly as much as drawing all of it."""
        return False

    @property
    def is_portable(self) -> bool:
        """Whether the values have the same bits on every machine."""
        return True

    @entry
    def describe(self) -> str:
        """Return the scheme in one line; two schemes with the same line draw the same values.

        Examples
        --------
        >>> from fanin import schemes
        >>> schemes.normal(std=0.02).describe()
        'normal(mean=0, std=0.02)'
        """
        shown = (
            f"{field.name}={text(value)}"
            for field, value in self.fields()
            if not (field.metadata.get("quiet") and value == field.default)
        )
        return f"{self.scheme_name}({', '.join(shown)})"

    def to_dict(self) -> dict[str, Any]:
        """Return the scheme as numbers, strings, lists and dicts: what JSON and TOML can hold.

        Examples
        --------
        >>> from fanin import schemes
        >>> schemes.normal(std=0.02).to_dict()
        {'scheme': 'normal', 'mean': 0.0, 'std': 0.02}
        """
        fields = {field.name: _plain(value) for field, value in self.fields() if value is not None}
        return {"scheme": self.scheme_name} | fields

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Scheme:
        """Return the scheme that a dict describes: its name as "scheme", and its parameters.

        Parameters
        ----------
        data : mapping
            What `to_dict` wrote, or any name of `fanin.schemes` with parameters that it takes. A parameter that is a
            scheme is a name or such a dict.

        Examples
        --------
        >>> Scheme.from_dict({"scheme": "he_normal", "layout": "OI"}).expected_std((10, 200))
        0.1
        """
        return _from_dict("scheme", data)

    def replace(self, **changes: Any) -> Self:
        """Return the same scheme with other values of some fields."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def fields(self) -> Iterator[tuple[dataclasses.Field[Any], Any]]:
        """Yield each field that decides what is drawn, with its value."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # every scheme is a dataclass
            yield field, getattr(self, field.name)

    def __eq__(self, other: object) -> bool:
        """Tell whether both draw the same bits: -0.0 is not 0.0 here."""
        if type(self) is not type(other):
            return NotImplemented
        return all(_alike(ours, theirs) for (_, ours), (_, theirs) in zip(self.fields(), other.fields(), strict=True))

    def __hash__(self) -> int:
        """Return a hash of the fields."""
        return hash((type(self), *(value for _, value in self.fields())))

    def __mul__(self, factor: float) -> Scheme:
        """Return the scheme whose values are `factor` times as large."""
        if not isinstance(factor, int | float | np.floating | np.integer) or isinstance(factor, bool):
            return NotImplemented
        return self.scaled(arguments.number("factor", factor))

    __rmul__ = __mul__

    @entry
    def __repr__(self) -> str:
        """Return the call that makes an equal scheme, without what has its default."""
        changed = [f"{field.name}={value!r}" for field, value in self.fields() if value != field.default]
        return f"{self.scheme_name}({', '.join(changed)})"

    @functools.partial(entry, name="scheme")
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
    ) -> Array:
        """Draw the parameter `name`, or the part of it that `index` selects.

        The arguments are those of `fanin.normal`.
        """
        request = Request(shape, dtype, index, out, device)
        return self.draw(request, as_seed(seed), name if type(name) is str and name.isascii() else arguments.name(name))

    def draw(self, request: Request, seed: int, name: str) -> Array:
        """Draw what was asked for."""
        pieces = self.pieces(request.shape, name)
        if pieces is None:
            return request.draw(*self.native(request.shape, seed, name))
        return assemble(pieces, request, seed)


def _alike(first: Any, second: Any) -> bool:
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_alike, first, second))
    if first == 0 and second == 0:
        return math.copysign(1.0, first) == math.copysign(1.0, second)
    return bool(first == second)


def keep(scheme: Scheme, field: str, value: Any) -> None:
    """Set a field of a scheme that is being made to what its check returned."""
    if getattr(scheme, field) is not value:
        object.__setattr__(scheme, field, value)


def as_scheme(argument: str, value: Any) -> Scheme:
    """Return a scheme that is given as one, as its name, or as its dict."""
    if isinstance(value, Scheme):
        return value
    if isinstance(value, str):
        return _from_dict(argument, {"scheme": value})
    if isinstance(value, Mapping):
        return _from_dict(argument, value)
    raise TypeError(f"{argument} must be a scheme, as fanin.schemes.zeros(), or its name, got {short(value)}")


def text(value: Any) -> str:
    """Return a field as `describe` writes it."""
    if isinstance(value, Scheme):
        return value.describe()
    if isinstance(value, tuple):
        return f"({', '.join(map(text, value))}{',' * (len(value) == 1)})"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, str) and not value.isidentifier():
        return repr(value)
    return str(value)


def _from_dict(argument: str, data: Mapping[str, Any]) -> Scheme:
    data = dict(data)
    name = data.pop("scheme", None)
    if not isinstance(name, str):
        raise ValueError(
            f"{argument} must be a name of fanin.schemes, or a dict with one as 'scheme', got {short(name)}"
        )
    build = REGISTRY.get(name)
    if build is None:
        raise ValueError(
            f"{argument} must be a name of fanin.schemes, of which there are {len(REGISTRY)}, got {short(name)}"
            f"{nearest(name, REGISTRY)}"
        )
    try:
        made: Scheme = build(**{key: _rich(value) for key, value in data.items()})
    except TypeError as error:
        raise ValueError(f"scheme {name!r}: {error}") from error
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, Scheme):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _rich(value: Any) -> Any:
    if isinstance(value, Mapping) and "scheme" in value:
        return Scheme.from_dict(value)
    return tuple(_rich(item) for item in value) if isinstance(value, list | tuple) else value
