"""Lay out tables and text for a terminal of any width, shorten values, and suggest the name that was meant."""

from __future__ import annotations

import io
import reprlib
import sys
import textwrap
from collections.abc import Iterable, Sequence


class _Repr(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """Python does not spell integers of thousands of digits."""
        return super().repr_int(x, level) if abs(x) < 10**1000 else f"an integer of {x.bit_length()} bits"


_SHORT = _Repr()
_SHORT.maxstring = _SHORT.maxother = 100

_UNLIMITED = 240  # the width where there is no terminal: wide enough for one line a row
_NARROWEST = 40  # in a narrower table every column would have but a few letters


def terminal_width() -> int | None:
    """Return the width of the terminal in columns; None if standard output is not a terminal."""
    import shutil

    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if is_terminal else None


def printable(text: str) -> str:
    r"""Escape what a terminal would obey rather than show, since names in files may hold anything.

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
    """Return a table as text.

    Parameters
    ----------
    headings : sequence of sequence of str
        The headings of the columns, in groups of columns that belong together.
    rows : iterable of sequence of sequence of str
        The cells of each row, in the same groups.
    width : int or None
        The width of the terminal; None for no limit. Where it is too small for all columns side by side, the columns of
        a group stand one below the other. Where that is still too wide, cells are folded, down to a width of 40.
    right : str
        The headings, separated by spaces, of the columns that hold numbers and are aligned to the right.

    Returns
    -------
    str
        The lines of the table, without a newline at the end.

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
    """Return a table, and how wide it would be without a limit. A cell is a tuple of texts, one below the other."""
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
    """Fold a paragraph to lines of at most `width` columns; None for no limit."""
    text = printable(text)
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False) if width else text


def count(number: int, what: str) -> str:
    """Format a number of things, with a plural where it needs one.

    Examples
    --------
    >>> count(1, "tensor"), count(148, "tensor")
    ('1 tensor', '148 tensors')
    """
    return f"{number:,} {what}{'s' * (number != 1)}"


def si(value: float) -> str:
    """Format a number with three digits and a decimal prefix, ready for a unit.

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
    """Return the repr of a value in one line, shortened to some hundred characters.

    Examples
    --------
    >>> len(short("x" * 10**6))
    100
    """
    return " ".join(_SHORT.repr(value).split())


def nearest(name: object, allowed: Iterable[str]) -> str:
    """Return the end of an error message that asks whether an allowed name was meant; "" if none is similar.

    Examples
    --------
    >>> nearest("he_norml", ["he_normal", "he_uniform"])
    ": did you mean 'he_normal'?"
    """
    import difflib

    found = difflib.get_close_matches(str(name)[:100], list(allowed), 1, 0.7)
    return f": did you mean {found[0]!r}?" if found else ""
