"""Write TOML: tables of strings, numbers, lists and tables, such that tomllib reads the same again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile("[A-Za-z0-9_-]+")


def write(data: Mapping[str, Any]) -> str:
    """Return a table as TOML. A list of tables becomes [[tables]]; a key whose value is None is left out.

    Examples
    --------
    >>> print(write({"name": "mine", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 0.02}}]}))
    name = "mine"
    <BLANKLINE>
    [[rules]]
    pattern = "*"
    scheme = { scheme = "normal", std = 0.02 }
    <BLANKLINE>
    """
    plain = {key: value for key, value in data.items() if not _is_tables(value)}
    parts = [_lines(plain)]
    for key, value in data.items():
        if _is_tables(value):
            parts += [f"[[{_key(key)}]]\n{_lines(table)}" for table in value]
    return "\n".join(part for part in parts if part)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{pair}\n" for pair in _pairs(table))


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items() if value is not None]


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            return int.__repr__(value)
        case float():
            return float.__repr__(value)  # the shortest text that reads as the same number; inf and nan are TOML too
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            return f"{{ {', '.join(_pairs(value))} }}"
    raise TypeError(f"TOML holds strings, numbers, lists and tables, got {value!r}")


def _string(value: str) -> str:
    """Quote a string: in single quotes if it has backslashes, else as in JSON, whose escapes TOML shares except DEL."""
    if "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
