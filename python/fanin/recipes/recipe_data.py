"""Make recipes from plain data, with errors that say which rule, which key, and what is allowed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..files import limits
from ..schemes import Scheme
from ..schemes.registry import REGISTRY
from ..text import nearest, short
from .rule import ANY, Rule

FORMAT = 1  # the format of recipes and plans as dicts; what is written in it must be readable for ever
_RECIPE = ("format", "name", "source", "layout", "rules")
_RULE = ("pattern", "scheme", "role", "ndim", "shape", "optional", "layout")


def recipe(data: Mapping[str, Any]) -> tuple[str, tuple[Rule, ...], str]:
    """Return name, rules and source of a recipe."""
    if not isinstance(data, Mapping):
        raise TypeError(f"a recipe must be a table of {', '.join(_RECIPE)}, got {short(data)}")
    _require_keys(data, _RECIPE, ("name", "rules"), "a recipe")
    require_format(data)
    for key in ("name", "source", "layout"):
        _require_text(data, key)
    name, layout = data["name"], data.get("layout")
    if not isinstance(data["rules"], list | tuple):
        raise TypeError(f"rules must be a list of tables, [[rules]] in TOML, got {short(data['rules'])}")
    if len(data["rules"]) > limits.RULES:
        raise ValueError(f"rules must be at most {limits.RULES}, got {len(data['rules'])}")
    rules = []
    for number, each in enumerate(data["rules"], 1):
        try:
            rules.append(_rule(each, layout))
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"rule {number} of recipe {short(name)}: {error}") from error
        except RecursionError:
            raise ValueError(f"rule {number} of recipe {short(name)} must not be nested so deeply") from None
    return name, tuple(rules), data.get("source", "")


def require_format(data: Mapping[str, Any]) -> None:
    """Raise ValueError unless a recipe or a plan has today's format; one written by hand need not name it."""
    found = data.get("format", FORMAT)
    if type(found) is not int or found != FORMAT:
        raise ValueError(f"format must be {FORMAT}, as this release of fanin writes it, got {short(found)}")


def _rule(data: Any, layout: str | None) -> Rule:
    if not isinstance(data, Mapping):
        raise TypeError(f"a rule must be a table of {', '.join(_RULE)}, got {short(data)}")
    _require_keys(data, _RULE, ("pattern", "scheme"), "a rule")
    _require_text(data, "pattern")
    _require_text(data, "layout")
    given: dict[str, Any] = {key: data[key] for key in _RULE if key in data and key != "layout"}
    if isinstance(given.get("shape"), list | tuple):
        given["shape"] = tuple(None if size == ANY else size for size in given["shape"])
    given["scheme"] = scheme(given["scheme"], data.get("layout", layout))
    return Rule(**given)


def scheme(data: Any, layout: str | None = None) -> Scheme:
    """Make a scheme from its name, or from a table of its name and parameters.

    `layout` applies to schemes that take one and do not name theirs, also within other schemes.
    """
    if isinstance(data, str):
        data = {"scheme": data}
    if not isinstance(data, Mapping):
        raise TypeError(f"scheme must be a name, or a table of a scheme and its parameters, got {short(data)}")
    _require_keys(data, tuple(data), ("scheme",), "a scheme")
    return Scheme.from_dict(_completed(data, layout))


def _completed(data: Any, layout: str | None) -> Any:
    """Add the layout to every scheme in a table that takes one."""
    if isinstance(data, list | tuple):
        return [_completed(item, layout) for item in data]
    if not isinstance(data, Mapping) or not isinstance(data.get("scheme"), str):
        return data
    build = REGISTRY.get(data["scheme"])
    if build is None:  # `Scheme.from_dict` will say so
        return data
    takes = inspect.signature(build).parameters
    schemes = {name for name, parameter in takes.items() if "Scheme" in str(parameter.annotation)}
    own = {"layout": layout} if layout is not None and "layout" in takes and "convention" not in data else {}
    tables = {key: _named(value) if key in schemes else value for key, value in data.items()}
    return own | {key: _completed(value, layout) for key, value in tables.items()}


def _named(value: Any) -> Any:
    """Replace names of schemes by the tables that they stand for."""
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return {"scheme": value} if isinstance(value, str) else value


def _require_keys(data: Mapping[str, Any], allowed: tuple[str, ...], needed: tuple[str, ...], what: str) -> None:
    for key in data:
        if key not in allowed:
            got = f"{short(key)} = {short(data[key])}"
            raise ValueError(f"{what} has {', '.join(allowed)}, got {got}{nearest(key, allowed)}")
    for key in needed:
        if key not in data:
            raise ValueError(f"{what} must have {' and '.join(needed)}, got no {short(key)}")


def _require_text(data: Mapping[str, Any], key: str) -> None:
    if key in data and not isinstance(data[key], str):
        raise TypeError(f"{key} must be a string, got {short(data[key])}")
