"""Names of parts: templates that say which tensor a slice, a block or a region of a parameter is."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TypeAlias

from ..arguments import texts
from ..text import nearest, short

Names: TypeAlias = str | Sequence[str]

_NUMBERS = ("", "#")
_FIELDS = ("{}", "{#}", "{name}", "{leaf}", "{parent}", "{parent.parent}")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_SEPARATORS = "./"


def as_names(argument: str, value: Names, count: int | None = None, *, distinct: bool = True) -> Names:
    """Return a template of names, or one for each of `count` parts, after checking that they can be `distinct`."""
    if isinstance(value, str):
        fields = [field for _, field in _parsed(argument, value)]
        if distinct and count != 1 and not any(field in _NUMBERS for field in fields):
            raise ValueError(f"{argument} must have {{}}, which stands for the number of a part, got {short(value)}")
        return value
    found = texts(argument, value)
    for place, template in enumerate(found):
        _parsed(f"{argument}[{place}]", template)
    if count is not None and len(found) != count:
        raise ValueError(f"{argument} must be one for each of {count} parts, got {len(found)}: {short(value)}")
    twice = next((name for place, name in enumerate(found) if name in found[:place]), None)
    if distinct and twice is not None:
        raise ValueError(f"{argument} must be different, got {short(twice)} twice")
    return found


def part_name(names: Names, position: int, number: int, name: str) -> str:
    """Return the name of a part: that of a position in a sequence, or of a number in a template.

    >>> part_name("{parent.parent}.{}.{leaf}", 0, 7, "decoder.layers.mlp.weight")
    'decoder.layers.7.weight'
    """
    template = names if isinstance(names, str) else names[position]
    made = "".join([text if field is None else _value(field, number, name) for text, field in _parsed("", template)])
    if made[:1] in _SEPARATORS and template[:1] not in _SEPARATORS:
        return made[1:]  # what follows a parent that there is none of
    return made


@functools.lru_cache(maxsize=4096)
def _parsed(argument: str, template: str) -> tuple[tuple[str, str | None], ...]:
    """Return a template as pieces of text, and fields, which come without braces."""
    if not template:
        raise ValueError(f"{argument} must not be empty, got ''")
    try:
        template.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{argument} must be valid Unicode without lone surrogates, got {short(template)}") from None
    found: list[tuple[str, str | None]] = []
    end = 0
    for match in _TOKEN.finditer(template):
        found.append((template[end : match.start()], None))
        end = match.end()
        token, field = match.group(), match.group(1)
        if field is not None:
            if f"{{{field}}}" not in _FIELDS and not re.fullmatch(r"parent(\.parent)*", field):
                allowed = ", ".join(_FIELDS)
                raise ValueError(
                    f"{argument} may have {allowed} in braces, got {short(template)}{nearest(token, _FIELDS)}"
                )
            found.append(("", field))
        elif len(token) == 2:
            found.append((token[0], None))
        else:
            raise ValueError(f"{argument} must write a brace that is one as {token * 2}, got {short(template)}")
    found.append((template[end:], None))
    return tuple(each for each in found if each != ("", None))


def _value(field: str, number: int, name: str) -> str:
    if field == "":
        return str(number)
    if field == "#":
        return f"#{number}" if number else ""
    if field == "name":
        return name
    if field == "leaf":
        return _split(name)[1]
    for _ in field.split("."):
        name, _ = _split(name)
    return name


def _split(name: str) -> tuple[str, str]:
    """Return the path of a parameter, and its last component."""
    end = max(name.rfind(separator) for separator in _SEPARATORS)
    return name[: max(end, 0)], name[end + 1 :]
