"""Lay out a plan as a table, where parameters whose names differ only in numbers share a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from .. import text
from .contents import Contents
from .rows import Row

_MOST_LINES = 200
_MOST_NAMED = 8
_NUMBER = re.compile(r"(?<![^._/])[0-9]{1,18}(?![^._/])")
_HEADINGS = [("parameter", "rule", "scheme"), ("shape", "dtype"), ("std", "parameters", "bytes")]


def render(plan: Contents, width: int | None = None) -> str:
    """Return the table, at most `width` columns wide, with totals, ties and what was skipped."""
    lines = group(plan.rows)
    shown = lines[:_MOST_LINES]
    table = text.render(_HEADINGS, map(_cells, shown), width, right="std parameters bytes")
    notes = (text.wrapped(note, width) for note in _notes(plan, len(lines) - len(shown)))
    return "\n".join([table, "", *notes])


def group(rows: Iterable[Row]) -> list[list[Row]]:
    """Group the rows that differ only in numbers in their names, in the order of the first of each group."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault((_NUMBER.sub("*", row.name), row.shape, row.dtype, id(row.rule)), []).append(row)
    return list(found.values())


def common_name(names: list[str]) -> str:
    """Return one name for several that differ only in numbers.

    Examples
    --------
    >>> common_name(["h.0.ln_1.weight", "h.1.ln_1.weight", "h.2.ln_1.weight"])
    'h.0-2.ln_1.weight'
    >>> common_name(["conv.1.bias", "conv.4.bias"])
    'conv.*.bias'
    """
    columns = iter([_range(column) for column in zip(*(_NUMBER.findall(name) for name in names), strict=True)])
    return _NUMBER.sub(lambda _: next(columns), names[0])


def shorten(text: str) -> str:
    """Shorten the numbers in a text to six digits.

    Examples
    --------
    >>> shorten("normal(mean=0, std=0.004082482904638631)")
    'normal(mean=0, std=0.00408248)'
    """
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda number: f"{float(number[0]):.6g}", text)


def _cells(rows: list[Row]) -> list[tuple[str, ...]]:
    first = rows[0]
    name = common_name([row.name for row in rows]) + (f" ({len(rows)})" if len(rows) > 1 else "")
    return [
        (name, first.rule.describe(), shorten(first.scheme.describe())),
        ("×".join(map(str, first.shape)) or "scalar", first.dtype),
        (
            f"{first.scheme.expected_std(first.shape):.6g}",
            f"{sum(row.size for row in rows):,}",
            f"{text.si(sum(row.nbytes for row in rows))}B",
        ),
    ]


def _notes(plan: Contents, hidden: int) -> Iterator[str]:
    if hidden:
        yield f"… and {hidden} lines more"
    total = f"{plan.size:,} parameters, {text.si(plan.nbytes)}B"
    yield f"{text.count(len(plan), 'tensor')}, {total}; recipe {plan.recipe.name}, seed {plan.seed}"
    ties = list(plan.ties.items())
    for alias, name in ties[:_MOST_NAMED]:
        yield f"{alias} is tied to {name}"
    if len(ties) > _MOST_NAMED:
        yield f"… and {len(ties) - _MOST_NAMED} names more are tied"
    shared = [row for row in plan.rows if row.shares]
    for row in shared[:_MOST_NAMED]:
        yield f"{row.name} has the draws of {row.shares}"
    if len(shared) > _MOST_NAMED:
        yield f"… and {len(shared) - _MOST_NAMED} parameters more have those of others"
    foreign = [row for row in plan.rows if not row.scheme.is_portable]
    if foreign:
        named = ", ".join(row.name for row in foreign[:_MOST_NAMED]) + (
            " and more" if len(foreign) > _MOST_NAMED else ""
        )
        size = f"{text.count(len(foreign), 'tensor')}, {sum(row.size for row in foreign):,} parameters"
        yield f"{size}, computed by torch from fanin's draws, whose last bits may depend on the processor: {named}"
    yield from plan.notes
    if plan.skipped:
        named = ", ".join(f"{name} ({reason})" for name, reason in plan.skipped[:_MOST_NAMED])
        more = len(plan.skipped) - _MOST_NAMED
        yield f"{len(plan.skipped)} skipped: {named}" + (f" and {more} more" if more > 0 else "")


def _range(values: tuple[str, ...]) -> str:
    numbers = set(map(int, values))
    low, high = min(numbers), max(numbers)
    if low == high:
        return values[0]
    return f"{low}-{high}" if len(numbers) == high - low + 1 else "*"
