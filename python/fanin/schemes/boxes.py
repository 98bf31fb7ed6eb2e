"""Write boxes within a tensor as text, and find what is left of one beside another."""

from __future__ import annotations

import re
from types import EllipsisType
from typing import TypeAlias

from ..arguments import integer
from ..arrays.index import box
from ..arrays.types import Index
from ..text import short
from .cuts import meet

# Positions along each axis.
Box: TypeAlias = tuple[range, ...]

_INTEGER = r"\s*([+-]?[0-9]{1,19})?\s*"
_SLICE = re.compile(f"{_INTEGER}:{_INTEGER}(?::{_INTEGER})?")
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,19})\s*")


def as_text(argument: str, index: Index | str) -> str:
    """Return an index of integers and slices as the text between its brackets, as "0, 3:5"."""
    if isinstance(index, str):
        index = _parsed(argument, index)
    items = index if isinstance(index, tuple) else (index,)
    if sum(item is Ellipsis for item in items) > 1:
        raise ValueError(f'{argument} must have "..." once at most, got {short(index)}')
    return ", ".join(_item(argument, item) for item in items)


def within(argument: str, text: str, shape: tuple[int, ...]) -> tuple[Box, tuple[int, ...]]:
    """Return the box that an index selects in a shape, and the axes that it keeps.

    Raise ValueError where it leaves the shape: a slice too, which NumPy would shorten.
    """
    items = _parsed(argument, text)
    try:
        entries, _ = box(items, shape)
    except IndexError as error:
        raise ValueError(f"{argument} must lie within shape {shape}, got {text!r}: {error}") from None
    at = items.index(...) if ... in items else len(items)
    whole = [slice(None)] * (len(shape) - len(items) + (... in items))
    for item, size in zip((*items[:at], *whole, *items[at + 1 :]), shape, strict=True):
        if isinstance(item, slice) and any(abs(end) > size for end in (item.start, item.stop) if end is not None):
            raise ValueError(f"{argument} must lie within shape {shape}, got {text!r}")
    found = tuple(
        range(entry, entry + 1) if isinstance(entry, int) else range(entry[0], entry[0] + entry[2] * entry[1], entry[1])
        for entry in entries
    )
    return found, tuple(axis for axis, entry in enumerate(entries) if not isinstance(entry, int))


def common(a: Box, b: Box) -> Box | None:
    """Return what two boxes have in common; None if nothing."""
    found = []
    for one, other in zip(a, b, strict=True):
        positions, _ = meet(one, other)
        if not positions:
            return None
        found.append(one[positions.start : positions.stop : positions.step])
    return tuple(found)


def without(a: Box, inner: Box) -> list[Box]:
    """Return boxes that make up `a` without `inner`, which is a box within it."""
    left = []
    for axis, (one, cut) in enumerate(zip(a, inner, strict=True)):
        step = cut.step // one.step if len(cut) > 1 else 1
        start, last = one.index(cut[0]), one.index(cut[-1])
        others = (one[:start], *(one[start + shift : last : step] for shift in range(1, step)), one[last + 1 :])
        left += [(*inner[:axis], other, *a[axis + 1 :]) for other in others if other]
    return left


def _parsed(argument: str, text: str) -> tuple[int | slice | EllipsisType, ...]:
    return tuple(_entry(argument, text, item) for item in text.split(","))


def _entry(argument: str, text: str, item: str) -> int | slice | EllipsisType:
    if item.strip() == "...":
        return ...
    if found := _NUMBER.fullmatch(item):
        return int(found[1])
    if found := _SLICE.fullmatch(item):
        return slice(*(None if part is None else int(part) for part in found.groups()))
    raise ValueError(f'{argument} must be an index, as "0, 3:5", of integers, slices and "...", got {short(text)}')


def _item(argument: str, item: object) -> str:
    if item is Ellipsis:
        return "..."
    if isinstance(item, slice):
        if item.step is not None and item.step < 1:
            raise ValueError(f"{argument} must go forwards, got {short(item)}")
        parts = ["" if part is None else str(part) for part in (item.start, item.stop, item.step)]
        return ":".join(parts if item.step not in (None, 1) else parts[:2])
    try:
        return str(integer(argument, item))
    except TypeError:
        raise TypeError(f"{argument} must be an index of integers and slices, or its text, got {short(item)}") from None
