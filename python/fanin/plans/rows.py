"""Make the rows of a plan: a parameter, the rule that draws it, its dtype and its stream."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .. import _core
from ..arrays import dtypes
from ..arrays.types import DType
from ..models import Parameter
from ..recipes import Recipe, Rule
from ..schemes import Scheme
from ..text import short
from .choices import dtype_by_name

_TAGS = range(5)  # tags of the random streams that one name may draw from: docs/stream-v1.md, section 2

Renamed = Mapping[str, str] | Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Row:
    """Describe a parameter of a plan, and how it is drawn.

    Attributes
    ----------
    name : str
        The name of the parameter.
    shape : tuple of int
        The shape of the parameter.
    dtype : str
        The dtype that it is drawn in: float32, float64, float16 or bfloat16.
    rule : Rule
        The rule that draws it.
    stream : str
        The name that selects its random stream: its own, or the old one if the plan was told that it was renamed.
    aliases : tuple of str
        Other names of the same parameter, which are tied to it.
    shares : str
        The name of the parameter whose random stream it has on purpose, as the copy of a layer; "" if there is none.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    rule: Rule
    stream: str
    aliases: tuple[str, ...] = ()
    shares: str = ""

    @property
    def scheme(self) -> Scheme:
        """The scheme that draws it."""
        return self.rule.scheme

    @property
    def group(self) -> tuple[str, Scheme]:
        """Role and scheme, which parameters of one group have in common."""
        return self.rule.role, self.rule.scheme

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.size * dtypes.native(dtypes.find(self.dtype, dtypes.FLOATS)).itemsize


def rows(
    parameters: Iterable[Parameter],
    recipe: Recipe,
    *,
    dtype: DType | Mapping[str, DType] = None,
    renamed: Renamed | None = None,
    strict: bool = False,
    shares: Mapping[str, str] | None = None,
) -> tuple[Row, ...]:
    """Return the rows of a plan, after checking that every name has a rule, a dtype and a stream of its own.

    Those in `shares` may have the stream of the parameter that it names for them. Raise the errors of `Recipe.match`,
    ValueError if two names have one stream, and TypeError if a dtype cannot be drawn.
    """
    parameters = list(parameters)
    matched = recipe.match(parameters, strict=strict)
    given = dtype_by_name(dtype, [parameter.name for parameter in parameters])
    former = renaming(renamed)
    made = tuple(
        Row(
            parameter.name,
            tuple(parameter.shape),
            given(parameter.name) or _own_dtype(parameter),
            matched[parameter.name],
            former(parameter.name),
            tuple(parameter.aliases),
            (shares or {}).get(parameter.name, ""),
        )
        for parameter in parameters
    )
    _require_used(renamed, made)
    _require_distinct([name for row in made for name in (row.name, *row.aliases)], "name")
    owners = _owners(made)
    stream_id = _core.stream_id
    _require_distinct([stream_id(name, tag) for name in owners for tag in _TAGS], "random stream")
    return made


def _owners(made: tuple[Row, ...]) -> dict[str, Row]:
    """Return the parameter that each stream belongs to; raise ValueError where several have it, but not on purpose."""
    owners: dict[str, Row] = {}
    for row in made:
        if row.shares:
            continue
        for stream in row.scheme.streams(row.shape, row.stream):
            other = owners.setdefault(stream, row)
            if other is not row:
                raise ValueError(
                    f"every parameter must have its own stream, got {stream!r} for {other.name!r} and {row.name!r}, "
                    "which would hold the same random values: leave one out, or give one another name by renamed"
                )
    return owners


def _own_dtype(parameter: Parameter) -> str:
    if parameter.dtype is None:
        return "float32"
    try:
        return dtypes.name(parameter.dtype)
    except TypeError as error:
        raise TypeError(f"{parameter.name!r}: {error}; give the plan a dtype") from None


def renaming(renamed: Renamed | None) -> Callable[[str], str]:
    """Return the function that gives the name to draw a parameter by."""
    if renamed is None:
        return lambda name: name
    if isinstance(renamed, Mapping):
        table = renamed
        return lambda name: table.get(name, name)
    if not callable(renamed):
        raise TypeError(f"renamed must be a mapping or a callable, got {short(renamed)}")
    return renamed


def _require_used(renamed: Renamed | None, made: tuple[Row, ...]) -> None:
    if isinstance(renamed, Mapping):
        unknown = renamed.keys() - {row.name for row in made}
        if unknown:
            raise ValueError(f"renamed must have names of parameters as its keys, got {short(min(unknown, key=str))}")
    for row in made:
        if not isinstance(row.stream, str):
            raise TypeError(f"renamed must give a string for {row.name!r}, got {row.stream!r}")


def _require_distinct(values: list[object] | list[str] | list[int], what: str) -> None:
    if len(set(values)) == len(values):
        return
    value, count = Counter(values).most_common(1)[0]
    raise ValueError(f"every parameter must have its own {what}, got {value!r} {count} times")
