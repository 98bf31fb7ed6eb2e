"""Check arguments: return the value as the package keeps it, or raise an error that says what is allowed."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .text import nearest, short

if TYPE_CHECKING:
    import inspect

# What other libraries call a parameter, and what it is called here: the first of these that a function has.
FOREIGN = {
    "a": ("activation",),
    "axis_name": ("layout",),
    "batch_axis": ("layout",),
    "generator": ("seed",),
    "in_axis": ("layout",),
    "key": ("seed",),
    "lambd": ("rate",),
    "loc": ("mean",),
    "lower": ("low",),
    "maxval": ("high",),
    "minval": ("low",),
    "mu": ("mean",),
    "n_layers": ("layers",),
    "negative_slope": ("activation",),
    "nonlinearity": ("activation",),
    "num_layers": ("layers",),
    "out_axis": ("layout",),
    "padding_idx": ("padding",),
    "probability": ("p",),
    "random_state": ("seed",),
    "rng": ("seed",),
    "scale": ("std", "gain"),
    "sd": ("std",),
    "sigma": ("std",),
    "size": ("shape",),
    "stddev": ("std",),
    "upper": ("high",),
    "val": ("value",),
}
_HOW = {
    "a": 'activation=("leaky_relu", a)',
    "negative_slope": 'activation=("leaky_relu", negative_slope)',
    "seed": "seed=fanin.seed_from(generator), an int to log",
    "layout": 'layout="OI", "IO" or a letter for every axis, as fanin.layout(ndim, in_axis=…, out_axis=…) gives',
}


def real(argument: str, value: Any) -> float:
    """Return a real number as a float: a number of Python's or NumPy's, or an array of one without axes."""
    if type(value) is float:
        return value
    if type(value) is not int:
        numeric = isinstance(value, numbers.Real) or (
            getattr(value, "shape", None) == () and getattr(getattr(value, "dtype", None), "kind", "") in tuple("fiuV")
        )
        if not numeric or _is_bool(value):
            raise TypeError(f"{argument} must be a number, got {short(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{argument} must be a number that a float64 can hold, got {short(value)}") from None
    except (TypeError, ValueError):
        raise TypeError(f"{argument} must be a number, got {short(value)}") from None


def number(argument: str, value: Any, *, finite: bool = True) -> float:
    """Return a real number as a float; NaN is refused, and infinity unless `finite` is False."""
    if type(value) is float and -math.inf < value < math.inf:
        return value
    found = real(argument, value)
    if math.isnan(found) or (finite and math.isinf(found)):
        raise ValueError(f"{argument} must be {'finite' if finite else 'a number'}, got {found}")
    return found


def scale(argument: str, value: Any) -> float:
    """Return a number that is finite and not negative."""
    if type(value) is float and 0.0 <= value < math.inf:
        return value
    found = number(argument, value)
    if found < 0:
        raise ValueError(f"{argument} must be finite and not negative, got {found}")
    return found


def positive(argument: str, value: Any) -> float:
    """Return a number that is finite and positive."""
    if type(value) is float and 0.0 < value < math.inf:
        return value
    found = number(argument, value)
    if found <= 0:
        raise ValueError(f"{argument} must be positive and finite, got {found}")
    return found


def integer(argument: str, value: Any, least: int = -(2**63), most: int = 2**63 - 1) -> int:
    """Return an integer within bounds, which are 64 bits at most."""
    if type(value) is int and least <= value <= most:
        return value
    if type(value) is not int:
        try:
            if _is_bool(value):
                raise TypeError
            value = operator.index(value)
        except TypeError:
            raise TypeError(f"{argument} must be an integer, got {short(value)}") from None
    if value < least:
        raise ValueError(f"{argument} must be at least {least}, got {short(value)}")
    if value > most:
        raise ValueError(f"{argument} must be at most {most}, got {short(value)}")
    return int(value)


def flag(argument: str, value: Any) -> bool:
    """Return a truth value: a bool, NumPy's too."""
    if value is True or value is False:
        return value
    if not _is_bool(value):
        raise TypeError(f"{argument} must be True or False, got {short(value)}")
    return bool(value)


def choice(argument: str, value: Any, allowed: tuple[str, ...], foreign: Mapping[str, str] | None = None) -> str:
    """Return one of the allowed words; the error names the nearest, or what a foreign word is called here."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be one of {', '.join(map(repr, allowed))}, got {short(value)}")
    if value not in allowed:
        meant = f": did you mean {foreign[value]!r}?" if foreign and value in foreign else nearest(value, allowed)
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}, got {short(value)}{meant}")
    return str(value)


def name(value: Any, argument: str = "name") -> str:
    """Return a parameter's name: a text that UTF-8 can hold."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} must be a str, got {short(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{argument} must be valid Unicode without lone surrogates, got {short(value)}") from None
    return value


def integers(argument: str, value: Any, least: int = -(2**63)) -> tuple[int, ...]:
    """Return a sequence of integers as a tuple."""
    if isinstance(value, str | bytes | Mapping):
        raise TypeError(f"{argument} must be a sequence of integers, got {short(value)}")
    try:
        items = tuple(value)
    except TypeError:
        raise TypeError(f"{argument} must be a sequence of integers, got {short(value)}") from None
    return tuple(integer(f"{argument}[{place}]", item, least) for place, item in enumerate(items))


def texts(argument: str, value: Any) -> tuple[str, ...]:
    """Return a sequence of strings as a tuple."""
    is_one = isinstance(value, str | bytes | Mapping) or getattr(value, "shape", None) == ()
    if isinstance(value, Iterable) and not is_one:
        items = tuple(value)
        if all(isinstance(item, str) for item in items):
            return items
    raise TypeError(f"{argument} must be a sequence of strings, got {short(value)}")


def optional(check: Callable[[str, Any], Any], argument: str, value: Any) -> Any:
    """Return None as it is, and any other value as `check` returns it."""
    return None if value is None else check(argument, value)


def explain(name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a TypeError that helps where a call does not fit a signature; return where it does."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        known = [
            parameter.name
            for parameter in signature.parameters.values()
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in ("self", "cls")
        ]
        unknown = [key for key in kwargs if key not in known]
        if unknown:
            raise unexpected(name, unknown[0], known) from None
        required = [each for each in signature.parameters.values() if each.default is each.empty]
        positional = [each.name for each in signature.parameters.values() if each.kind is not each.KEYWORD_ONLY]
        missing = [each.name for each in required if each.name not in (*kwargs, *positional[: len(args)])]
        if missing:
            raise needed(name, missing[0]) from None
        raise TypeError(f"{name}(): {error}; its parameters are {', '.join(known) or 'none'}") from None


def unexpected(name: str, key: str, known: Iterable[str]) -> TypeError:
    """Return the error for a parameter that a function does not have."""
    known = list(known)
    ours = next((each for each in FOREIGN.get(key, ()) if each in known), None)
    if ours is not None:
        return TypeError(f"{name}() has no parameter {key!r}: here it is {_HOW.get(key, _HOW.get(ours, f'{ours}=…'))}")
    return TypeError(
        f"{name}() has no parameter {key!r}{nearest(key, known)}; it has {', '.join(known) or 'none'}".replace(
            "?;", "?"
        )
    )


def needed(name: str, key: str) -> TypeError:
    """Return the error for a parameter that was not given."""
    hints = {
        "seed": "an int that decides every value: fanin.fresh_seed() returns one to use and to log",
        "name": "the parameter's name, as 'fc.weight': it selects a stream of its own",
    }
    return TypeError(f"{name}() needs {key}" + (f", {hints[key]}" if key in hints else ""))


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")
