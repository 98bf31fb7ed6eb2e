"""Hold the rows of a plan with their recipe and seed, and draw any parameter, or a part of it, from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from ..arrays.types import Array, Index
from ..recipes import Recipe
from ..recipes.recipe_data import FORMAT
from .moments import Group, groups
from .rows import Row

STREAM = "v1"


@dataclass(frozen=True, repr=False)
class Contents:
    """Hold what a plan consists of, to be read; `Plan` adds filling, saving and verifying."""

    recipe: Recipe
    seed: int
    rows: tuple[Row, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    buffers: Mapping[str, Array] = field(default_factory=dict, repr=False, compare=False)
    notes: tuple[str, ...] = field(default=(), repr=False, compare=False)
    config: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    _by_name: dict[str, Row] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_name = {name: row for row in self.rows for name in (row.name, *row.aliases)}
        object.__setattr__(self, "_by_name", by_name)

    @property
    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(row.size for row in self.rows)

    @property
    def nbytes(self) -> int:
        """The size of all parameters in bytes."""
        return sum(row.nbytes for row in self.rows)

    @property
    def ties(self) -> dict[str, str]:
        """A dict from each name that is tied to a parameter to that parameter's name, under which it is drawn."""
        return {alias: row.name for row in self.rows for alias in row.aliases}

    @property
    def digest(self) -> str:
        """A short hash of all that decides the values, to log: two plans with one digest draw the same.

        Examples
        --------
        >>> import fanin
        >>> plan = fanin.plan({"fc.weight": (3, 2)}, "torch-default", seed=0)
        >>> plan.digest == fanin.Plan.from_dict(plan.to_dict()).digest != plan.replace(seed=1).digest
        True
        """
        rows = [[row.name, row.shape, row.dtype, row.stream, row.scheme.describe()] for row in self.rows]
        said = json.dumps([FORMAT, STREAM, self.seed, sorted(rows)])
        return blake2b(said.encode(), digest_size=8).hexdigest()

    def groups(self) -> tuple[Group, ...]:
        """Group the parameters by role and scheme, with the mean and standard deviation that each scheme implies."""
        return tuple(groups(self.rows).values())

    def row(self, name: str) -> Row:
        """Return the row of a parameter, by its name or a name tied to it; raise KeyError if there is none."""
        row = self._by_name.get(name)
        if row is None:
            raise KeyError(f"{name!r} is none of the {len(self.rows)} parameters of the plan")
        return row

    def __getitem__(self, key: str | tuple[Any, ...]) -> Array:
        """Draw a parameter, `plan[name]`, or the part of it that basic indexing selects, `plan[name, index]`."""
        name, *index = key if isinstance(key, tuple) and key else (key,)
        row = self.row(name)
        part: Index = index[0] if len(index) == 1 and index[0] is not None else tuple(index) or None
        return row.scheme(row.shape, seed=self.seed, name=row.stream, dtype=row.dtype, index=part)

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the parameters, in the order of the model."""
        return (row.name for row in self.rows)

    def __contains__(self, name: object) -> bool:
        """Tell whether this is the name of a parameter, or tied to one."""
        return name in self._by_name
