"""Make recipes from plain data, with errors that say which rule, which key, and what is allowed."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from .. import schemes
from ..fans import FanOptions
from ..files import limits
from ..files.validation import short
from ..schemes import Constant, Normal, Scheme, TruncatedNormal, Uniform
from .rule import ANY, Rule

_RECIPE = ("name", "source", "layout", "rules")
_RULE = ("pattern", "scheme", "role", "ndim", "shape", "optional", "layout")
_MOST_GATES = 1000  # each becomes a scheme, which takes memory
_ELSEWHERE = {
    "deepnorm_alpha": "it is a number, for the model",
    "mup": "it is written scheme = 'Mup', of = the scheme, base = the shape",
}


def recipe(data: Mapping[str, Any]) -> tuple[str, tuple[Rule, ...], str]:
    """Return name, rules and source of a recipe."""
    if not isinstance(data, Mapping):
        raise TypeError(f"a recipe must be a table of {', '.join(_RECIPE)}, got {short(data)}")
    _require_keys(data, _RECIPE, ("name", "rules"), "a recipe")
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

    `layout` applies to schemes that need one and do not name theirs.
    """
    if isinstance(data, str):
        data = {"scheme": data}
    if not isinstance(data, Mapping):
        raise TypeError(f"scheme must be a name, or a table of a scheme and its parameters, got {short(data)}")
    _require_keys(data, tuple(data), ("scheme",), "a scheme")
    try:
        found = Scheme.from_dict(_completed(data, layout))
        if isinstance(found, Constant | Normal | TruncatedNormal | Uniform):
            found(0, seed=0, name="")  # these look at their parameters when they draw
    except OverflowError as error:
        raise ValueError(
            f"scheme {short(data['scheme'])} must have numbers that a float64 can hold: {error}"
        ) from error
    return found


def _completed(data: Any, layout: str | None) -> Any:
    """Add the layout to every scheme in a table that takes one; raise an error for a parameter that none takes."""
    if isinstance(data, list | tuple):
        return [_completed(item, layout) for item in data]
    if not isinstance(data, Mapping) or "scheme" not in data:
        return data
    name = data["scheme"]
    kinds = kinds_of(name)
    if kinds is None:
        return data
    data = {key: _named(value) if "Scheme" in kinds.get(key, "") else value for key, value in data.items()}
    for key, value in data.items():
        if key != "scheme":
            _require_parameter(name, key, value, kinds)
    own = {} if layout is None or "layout" not in kinds or "convention" in data else {"layout": layout}
    return own | {key: _completed(value, layout) for key, value in data.items()}


def _named(value: Any) -> Any:
    """Replace names of schemes by the tables that they stand for."""
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    return {"scheme": value} if isinstance(value, str) else value


def kinds_of(name: Any) -> dict[str, str] | None:
    """Return the parameters of a scheme, each with its type; None if there is no such scheme."""
    if isinstance(name, str) and name in _ELSEWHERE:
        raise ValueError(f"scheme must be one that a table can hold, got {short(name)}: {_ELSEWHERE[name]}")
    if name not in schemes.__all__ or name == "Scheme":
        return None
    kinds: dict[str, Any] = {}
    for parameter in inspect.signature(getattr(schemes, name)).parameters.values():
        kinds |= (
            FanOptions.__annotations__
            if parameter.kind is parameter.VAR_KEYWORD
            else {parameter.name: parameter.annotation}
        )
    return {key: getattr(kind, "__forward_arg__", str(kind)) for key, kind in kinds.items()}


def _require_parameter(name: str, key: str, value: Any, kinds: dict[str, str]) -> None:
    if key not in kinds:
        raise ValueError(
            f"scheme {short(name)} takes {', '.join(kinds) or 'no parameters'}, got {short(key)} = {short(value)}"
        )
    kind = kinds[key].removesuffix(" | None")
    if kind not in _KINDS or (value is None and kind != kinds[key]):
        return
    is_one, words = _KINDS[kind]
    if key == "gates" and _is_integer(value) and value > _MOST_GATES:
        raise ValueError(f"gates of scheme {short(name)} must be at most {_MOST_GATES}, got {short(value)}")
    if not is_one(value):
        raise TypeError(f"{key} of scheme {short(name)} must be {words}, got {short(value)}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or (
        _is_integer(value) and math.isfinite(value)
    )  # isfinite raises OverflowError for an int beyond float64


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "float": (_is_number, "a number"),
    "int": (_is_integer, "an integer"),
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "Scheme": (lambda value: isinstance(value, Mapping), "a scheme: a name, or a table of one and its parameters"),
    "tuple[int, ...]": (
        lambda value: isinstance(value, list | tuple) and all(map(_is_integer, value)),
        "a list of integers",
    ),
}


def _require_keys(data: Mapping[str, Any], allowed: tuple[str, ...], needed: tuple[str, ...], what: str) -> None:
    for key in data:
        if key not in allowed:
            near = difflib.get_close_matches(str(key)[:100], allowed, 1)
            meant = f": did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{what} has {', '.join(allowed)}, got {short(key)} = {short(data[key])}{meant}")
    for key in needed:
        if key not in data:
            raise ValueError(f"{what} must have {' and '.join(needed)}, got no {short(key)}")


def _require_text(data: Mapping[str, Any], key: str) -> None:
    if key in data and not isinstance(data[key], str):
        raise TypeError(f"{key} must be a string, got {short(data[key])}")
