"""TOML that may be hostile: looked over in one pass, then parsed by `tomllib`, whose time and depth that bounds."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from ..text import short
from . import limits

# Strings and comments, in which nothing counts; brackets; what ends a key or a value; words.
_TOKEN = re.compile(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|"(?:[^"\\\n]++|\\[^\n])*+"|'''
    r"""'''(?:[^']++|'(?!''))*+'{3,5}|'[^'\n]*+'|#[^\n]*+|"""
    r"""(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>[=,\n])|(?P<word>[^\s"'#\[\]{},=]++)""",
    re.DOTALL,
)
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER = re.compile(r"[ \t]*(\[\[?[^\n#\[\]]{1,100}\]\]?)[ \t\r]*(#.*)?")


def parse(text: str, what: str) -> dict[str, Any]:
    r"""The tables of a TOML text; ValueError, starting with `what`, where it is none, or too deep.

    Examples
    --------
    >>> parse("a = 1\na = 2", "x.toml: the file")
    Traceback (most recent call last):
    ValueError: x.toml: the file must be valid TOML: Cannot overwrite a value (at line 2, column 6), got 'a = 2'
    """
    _require_bounded(text, what)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} must be valid TOML: {error}{_where(text, str(error))}") from None


def _require_bounded(text: str, what: str) -> None:
    """ValueError, which names line and key, for a long word, a key of many parts, and what is too deep."""
    depth = dots = start = 0  # of tables and lists; in the key or value that started there
    before: list[int] = []  # how deep it was at each bracket that is open
    key, parts = "", 0  # of the value that is read, and its dots
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
    """What stands in the line of an error, and which table that is in."""
    if not (found := _LINE.search(error)):
        return ""
    number = int(found[1])
    return f", got {short(text.split(chr(10), number)[number - 1].strip())}{_table(text, number)}"


def _table(text: str, number: int) -> str:
    """The table of a line, counted where there are several of a name."""
    lines = text.split("\n", number)[: number - 1]
    headers = [found[1] for line in lines if len(line) < 1000 and (found := _HEADER.fullmatch(line))]
    if not headers:
        return ""
    counted = f" number {headers.count(headers[-1])}" if headers[-1].startswith("[[") else ""
    return f" in {headers[-1]}{counted}"
