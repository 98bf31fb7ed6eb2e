"""Text for people: tables that fit a terminal, values of any size in short, and the name that was meant."""

from __future__ import annotations

import io
import reprlib
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 100

_UNLIMITED = 240  # nobody's terminal: one line for each row
_NARROWEST = 40  # below it no column is left with more than a few letters


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None if it is none."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else None


def printable(text: str) -> str:
    r"""A name as one line that a terminal shows and does not obey, whoever wrote it.

    Examples
    --------
    >>> print(printable("fc\x1b[31m\n.weight"))
    fc\x1b[31m\n.weight
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def render(
    headings: Sequence[Sequence[str]], rows: Iterable[Sequence[Sequence[str]]], width: int | None, *, right: str = ""
) -> str:
    """A table as text.

    Parameters
    ----------
    headings : sequence of sequence of str
        Columns, in groups of what belongs together.
    rows : iterable of sequence of sequence of str
        Their cells, in the same groups.
    width : int or None
        Of the terminal; None for no limit. Where it is too small for the columns side by side, those of a group stand
        one below the other; where that is too wide too, cells are folded, down to 40 columns.
    right : str
        Headings whose columns are numbers, separated by spaces.

    Examples
    --------
    >>> headings, rows = [("name", "shape"), ("std",)], [[("fc.weight", "3x2"), ("0.5",)]]
    >>> print(render(headings, rows, 80, right="std"))
    name       shape  std
    ──────────────────────
    fc.weight  3x2    0.5
    >>> rows = [[("decoder.layers.0.attention.out_proj.weight", "3x2"), ("0.5",)]]
    >>> print(render(headings, rows, 40, right="std"))
    name
      shape                             std
    ────────────────────────────────────────
    decoder.layers.0.attention.out_pro  0.5
    j.weight
      3x2
    """
    numbers = set(right.split())
    limit = max(width, _NARROWEST) if width else _UNLIMITED
    lines = [[tuple(map(printable, group)) for group in line] for line in (headings, *rows)]
    text, widest = _render([[(cell,) for group in line for cell in group] for line in lines], numbers, limit)
    if width and widest > limit:
        text, _ = _render(lines, numbers, limit)
    return text


def _render(lines: Sequence[Sequence[tuple[str, ...]]], numbers: set[str], width: int) -> tuple[str, int]:
    """A table of these headings and rows, and how wide it would be at most. A cell's texts are one below the other."""
    from rich import box
    from rich.console import Console, Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    def cell(texts: tuple[str, ...], indent: int) -> Group:
        first, *others = texts
        return Group(Text(first), *(Padding(Text(text), (0, 0, 0, indent)) for text in others if text))

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    are_numbers = [heading[0] in numbers for heading in lines[0]]
    indents = [0 if is_number else 2 for is_number in are_numbers]
    for heading, is_number, indent in zip(lines[0], are_numbers, indents, strict=True):
        table.add_column(
            cell(heading, indent), justify="right" if is_number else "left", overflow="fold", no_wrap=is_number
        )
    for line in lines[1:]:
        table.add_row(*map(cell, line, indents))
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False, markup=False)
    widest = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    console.print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()), widest


def wrapped(text: str, width: int | None) -> str:
    """A paragraph, at most so wide."""
    text = printable(text)
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False) if width else text


def count(number: int, what: str) -> str:
    """So many of what it is.

    Examples
    --------
    >>> count(1, "tensor"), count(148, "tensor")
    ('1 tensor', '148 tensors')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"


def si(value: float) -> str:
    """Three digits and a decimal prefix, ready for a unit.

    Examples
    --------
    >>> si(497_774_096) + "B"
    '498 MB'
    """
    power = 0
    while value >= 999.5 and power < 5:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {['', 'k', 'M', 'G', 'T', 'P'][power]}"


def short(value: object) -> str:
    """Spell a value of any size in one line of some hundred characters at most.

    Examples
    --------
    >>> len(short("x" * 10**6))
    100
    """
    return " ".join(_SHORT.repr(value).split())


def nearest(name: object, allowed: Iterable[str]) -> str:
    """Return the question whether a name that is allowed was meant, where one is close.

    Examples
    --------
    >>> nearest("he_norml", ["he_normal", "he_uniform"])
    ": did you mean 'he_normal'?"
    """
    import difflib

    found = difflib.get_close_matches(str(name)[:100], list(allowed), 1, 0.7)
    return f": did you mean {found[0]!r}?" if found else ""
