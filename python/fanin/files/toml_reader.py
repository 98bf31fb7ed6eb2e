"""Read TOML that may be hostile: check it in one pass, then parse it by `tomllib`.

The check bounds the time and the depth of recursion that `tomllib` needs.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from ..text import short
from . import limits

# Tokens are strings and comments, whose content does not count; brackets; what ends a key or a value; and words.
_TOKEN = re.compile(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|"(?:[^"\\\n]++|\\[^\n])*+"|'''
    r"""'''(?:[^']++|'(?!''))*+'{3,5}|'[^'\n]*+'|#[^\n]*+|"""
    r"""(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>[=,\n])|(?P<word>[^\s"'#\[\]{},=]++)|(?P<quote>["'])""",
    re.DOTALL,
)
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER = re.compile(r"[ \t]*(\[\[?[^\n#\[\]]{1,100}\]\]?)[ \t\r]*(#.*)?")


def parse(text: str, what: str) -> dict[str, Any]:
    r"""Return the tables of a TOML text; raise ValueError, whose message starts with `what`, if it is bad or too deep.

    Examples
    --------
    >>> parse("a = 1\na = 2\n", "x.toml: the file")
    Traceback (most recent call last):
    ValueError: x.toml: the file must be valid TOML: Cannot overwrite a value (at line 2, column 6), got 'a = 2'
    """
    _require_bounded(text, what)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid TOML: {error}{_where(text, str(error))}") from None


def _require_bounded(text: str, what: str) -> None:
    """Raise ValueError, which names line and key, for a long word, a key of many parts, and tables too deep."""
    depth = 0  # of tables and lists within each other
    dots = start = 0  # where the present key or value starts, and how many dots it has
    before: list[int] = []  # the depth outside of each bracket that is open
    key, parts = "", 0  # the key of the present value, and its dots
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "word":
                word = token[0]
                dots += word.count(".")
                if len(word) > limits.DIGITS and dots < limits.KEY_PARTS:
                    kind = f"a number of {len(word)} characters" if key else f"{short(word)} of {len(word)} characters"
                    _refuse(text, token, what, f"keys and numbers of at most {limits.DIGITS} characters", kind, key)
            case "open":
                before.append(depth)
                depth += 1 + parts
                dots, parts, start = 0, 0, token.end()
            case "close":
                depth = before.pop() if before else 0
            case "quote":  # it begins a string without end, where `tomllib` will stop
                return
            case "end":
                if token[0] == "=":
                    key, parts = text[start : token.start()].strip(), dots
                elif token[0] == "\n" and not before:
                    key, parts = "", 0
                dots, start = 0, token.end()
        if dots >= limits.KEY_PARTS:
            got = f"more in {short(text[start : token.end()].strip())}"
            _refuse(text, token, what, f"keys of at most {limits.KEY_PARTS} parts", got, "")
        if depth > limits.DEPTH:
            _refuse(text, token, what, f"at most {limits.DEPTH} lists and tables within each other", "more", key)


def _refuse(text: str, token: re.Match[str], what: str, must: str, got: str, key: str) -> None:
    at = f" at {short(key)}" if key else ""
    line = text.count("\n", 0, token.start()) + 1
    raise ValueError(f"{what} must have {must}, got {got}{at} in line {line}{_table(text, line)}")


def _where(text: str, error: str) -> str:
    """Quote the line of an error, and name the table that it is in."""
    found = _LINE.search(error)
    number = int(found[1]) if found else text.rstrip().count("\n") + 1  # the error is at the end
    return f", got {short(text.split(chr(10), number)[number - 1].strip())}{_table(text, number)}"


def _table(text: str, number: int) -> str:
    """Name the table of a line, with a number where several have one name."""
    lines = text.split("\n", number)[: number - 1]
    headers = [found[1] for line in lines if len(line) < 1000 and (found := _HEADER.fullmatch(line))]
    if not headers:
        return ""
    counted = f" number {headers.count(headers[-1])}" if headers[-1].startswith("[[") else ""
    return f" in {headers[-1]}{counted}"
