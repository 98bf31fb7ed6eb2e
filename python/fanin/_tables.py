"""Tables that fit a terminal: what belongs together stands side by side, or one below the other."""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

_UNLIMITED = 240  # nobody's terminal: one line for each row


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


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
        one below the other; where that is too wide too, cells are folded.
    right : str
        Headings whose columns are numbers, separated by spaces.

    Examples
    --------
    >>> headings, rows = [("name", "shape"), ("std",)], [[("fc.weight", "3x2"), ("0.5",)]]
    >>> print(render(headings, rows, 80, right="std"))
    name       shape  std
    ──────────────────────
    fc.weight  3x2    0.5
    >>> print(render(headings, rows, 17, right="std"))
    name
      shape    std
    ───────────────
    fc.weight  0.5
      3x2
    """
    lines = [headings, *rows]
    numbers = set(right.split())
    text, widest = _render([[cell for group in line for cell in group] for line in lines], numbers, width)
    if width is not None and widest > width:
        text, _ = _render([list(map(_stacked, line)) for line in lines], numbers, width)
    return text


def _stacked(group: Sequence[str]) -> str:
    return "\n  ".join(filter(None, group))


def _render(lines: Sequence[Sequence[str]], numbers: set[str], width: int | None) -> tuple[str, int]:
    """A table of these headings and rows, and how wide it would be at most."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in lines[0]:
        is_number = heading.partition("\n")[0] in numbers
        table.add_column(Text(heading), justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for line in lines[1:]:
        table.add_row(*map(Text, line))
    file = io.StringIO()
    console = Console(file=file, width=width or _UNLIMITED, color_system=None, highlight=False, markup=False)
    widest = console.measure(table, options=console.options.update(max_width=10_000)).maximum
    console.print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()), widest


def wrapped(text: str, width: int | None) -> str:
    """A paragraph, at most so wide."""
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False) if width else text


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
