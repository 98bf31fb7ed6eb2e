"""Choose parameters by pattern: which are planned, in which dtype, and which are drawn in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..arguments import texts
from ..arrays import dtypes
from ..arrays.types import DType
from ..models import Parameter
from ..recipes import Recipe, Rule
from ..recipes.patterns import compiled
from ..recipes.recipe import listed
from ..schemes import Scheme
from ..schemes.scheme import as_scheme
from ..text import nearest, short

Overrides = Mapping[str, Scheme | str | Mapping[str, Any]]
Only = str | Iterable[str]


def overridden(recipe: Recipe, overrides: Overrides | None, parameters: Iterable[Parameter]) -> Recipe:
    """Return a recipe with the rules of `overrides` before its own; ValueError if one of them draws nothing."""
    if overrides is None:
        return recipe
    if not isinstance(overrides, Mapping):
        raise TypeError(f"overrides must be a mapping of patterns to schemes, got {short(overrides)}")
    rules = [Rule(pattern, as_scheme("overrides", scheme), "override") for pattern, scheme in overrides.items()]
    parameters = list(parameters)
    free = [(parameter.name, parameter.shape) for parameter in parameters]
    for rule in rules:
        left = [each for each in free if not rule.matches(*each)]
        if len(left) == len(free):
            names = [parameter.name for parameter in parameters]
            raise ValueError(
                f"overrides must have patterns of parameters, got {short(rule.pattern)}, which matches none that an "
                f"earlier one does not draw{nearest(rule.pattern, names)}"
            )
        free = left
    return recipe.with_rules(rules)


def chosen(only: Only | None, names: Iterable[str]) -> set[str]:
    """Return the names that are meant by names or patterns; ValueError if one of those means none."""
    names = list(names)
    if only is None:
        return set(names)
    patterns = (only,) if isinstance(only, str) else texts("only", only)
    found: set[str] = set()
    for pattern in patterns:
        matcher = compiled(pattern)[0]
        meant = [name for name in names if name == pattern or matcher.fullmatch(name)]
        if not meant:
            raise ValueError(
                f"only must have names or patterns of parameters, got {short(pattern)}{nearest(pattern, names)}"
            )
        found.update(meant)
    return found


def dtype_by_name(dtype: DType | Mapping[str, DType], names: Iterable[str]) -> Callable[[str], str | None]:
    """Return which dtype is given for each name: one for all, or that of the first pattern that matches."""
    if dtype is None:
        return lambda name: None
    if not isinstance(dtype, Mapping):
        given = dtypes.name(dtype)
        return lambda name: given
    patterns = [(pattern, compiled(pattern)[0], dtypes.name(each)) for pattern, each in dtype.items()]
    table: dict[str, str | None] = {}
    used: set[str] = set()
    for name in names:
        pattern, found = next(((text, each) for text, matcher, each in patterns if matcher.fullmatch(name)), ("", None))
        table[name] = found
        used.add(pattern)
    unused = [pattern for pattern, _, _ in patterns if pattern not in used]
    if unused:
        raise ValueError(
            f"dtype must have patterns of parameters, got {listed(list(map(repr, unused)))}, which match none"
        )
    return table.__getitem__
