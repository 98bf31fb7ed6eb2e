"""Cut a request along a piece: which elements of a tensor were asked for, and where in the result they go.

A tensor that lies within a larger one is described by loops, as a compiler would nest them: each steps along one axis
of the larger tensor and one axis of the tensor itself. That says blocks, slices, interleaved rows and transposition.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from ..arrays.index import Box


class Loop(NamedTuple):
    """Evenly spaced positions that a tensor and the larger one have in common.

    Attributes
    ----------
    size : int
        How many there are.
    axis, step : int
        The axis of the larger tensor, and the distance along it, which is positive.
    own_axis, own_step : int
        The axis of the tensor itself, and the distance along it, which is positive.
    """

    size: int
    axis: int
    step: int
    own_axis: int
    own_step: int


class Layout(NamedTuple):
    """Where elements of a tensor lie within a larger one.

    Attributes
    ----------
    start : tuple of int
        The index, in the larger tensor, of the first of them.
    first : tuple of int
        Its index in the tensor itself.
    loops : tuple of Loop
        What leads from it to the others.
    """

    start: tuple[int, ...]
    first: tuple[int, ...]
    loops: tuple[Loop, ...]

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod([loop.size for loop in self.loops])

    @classmethod
    def of(cls, start: tuple[int, ...], first: tuple[int, ...], loops: Iterable[Loop]) -> Layout:
        """Return the same of as few loops as can be; those of several axes that are one go from outer to inner."""
        joined: list[Loop] = []
        for loop in loops:
            if loop.size == 1:
                continue
            outer = joined[-1] if joined else loop
            steps = (loop.size * loop.step, loop.size * loop.own_step)
            if (outer.axis, outer.own_axis, outer.step, outer.own_step) == (loop.axis, loop.own_axis, *steps):
                joined[-1] = loop._replace(size=outer.size * loop.size)
            else:
                joined.append(loop)
        return cls(start, first, tuple(joined))


class Span(NamedTuple):
    """Positions on an axis of a tensor, and those of the result that they go to, one by one."""

    at: range
    axis: int
    to: range


Entry: TypeAlias = int | Span


class Part(NamedTuple):
    """What is wanted of a tensor: an entry for each axis, and positions on the axes of the result that have none."""

    entries: tuple[Entry, ...]
    kept: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, box: Box) -> Part:
        """Return what a box selects, whose axes are those of the result."""
        axes = itertools.count()
        return cls(
            tuple(
                entry
                if isinstance(entry, int)
                else Span(range(entry[0], entry[0] + entry[1] * entry[2], entry[1]), next(axes), range(entry[2]))
                for entry in box
            )
        )

    @property
    def is_empty(self) -> bool:
        """Whether no element is selected."""
        return not all(isinstance(entry, int) or entry.at for entry in self.entries)

    @property
    def box(self) -> Box:
        """The part as samplers take it."""
        return tuple(entry if isinstance(entry, int) else _progression(entry.at) for entry in self.entries)

    def within(self, origin: tuple[int, ...]) -> tuple[int | slice, ...]:
        """Return the index that selects the part of an array whose first element is at `origin` of the tensor."""
        return tuple(
            entry - at if isinstance(entry, int) else _slice(_shifted(entry, -at).at)
            for entry, at in zip(self.entries, origin, strict=True)
        )

    @property
    def place(self) -> tuple[int | slice, ...]:
        """The index of the result that selects the part's elements, in the order of the result's axes."""
        spans = [entry for entry in self.entries if not isinstance(entry, int)]
        index: dict[int, int | slice] = dict(self.kept)
        index |= {span.axis: _slice(span.to) for span in spans}
        return tuple(index[axis] for axis in range(len(index)))

    @property
    def order(self) -> tuple[int, ...]:
        """The axes of what `place` selects, in the order of the tensor's own."""
        axes = [entry.axis for entry in self.entries if not isinstance(entry, int)]
        ranks = sorted(axes)
        return tuple(ranks.index(axis) for axis in axes)


def hull(parts: Sequence[Part]) -> tuple[range, ...]:
    """Return, for each axis, the positions from the first to the last that any of some parts has; none is empty."""
    bounds = [[_bounds(entry) for entry in entries] for entries in zip(*(part.entries for part in parts), strict=True)]
    return tuple(range(min(low for low, _ in axis), max(high for _, high in axis) + 1) for axis in bounds)


def cut(layout: Layout, part: Part) -> Iterator[Part]:
    """Yield what a part of a larger tensor has of a tensor within it.

    Loops that step along one axis of either tensor are one stretch after the other: the longest stays a range.
    """
    outer, runs = _stretches(layout.loops)
    axes = range(len(layout.start))
    hits = [list(_hits(part.entries[axis], layout.start[axis], outer.get(axis, ()), runs.get(axis))) for axis in axes]
    for combination in itertools.product(*hits):
        offsets, spans, kept = list(layout.first), {}, part.kept
        for steps, span, position in combination:
            for loop, number in steps:
                offsets[loop.own_axis] += number * loop.own_step
            if span is not None:
                spans[span[0]] = span[1]
            if position is not None:
                kept = (*kept, position)
        entries = (_shifted(spans[axis], offset) if axis in spans else offset for axis, offset in enumerate(offsets))
        yield Part(tuple(entries), kept)


# What an axis has in common with a request: steps of loops that were taken, the positions of the loop that stays a
# range by their axis of the tensor itself, and the position of the result where none does.
_Hit: TypeAlias = tuple[tuple[tuple[Loop, int], ...], tuple[int, Span] | None, tuple[int, int] | None]


def _stretches(loops: tuple[Loop, ...]) -> tuple[dict[int, tuple[Loop, ...]], dict[int, Loop]]:
    """Return, by their axes, the loops that are taken step by step, and those that stay ranges."""
    runs = {loop.axis: loop for loop in loops}
    if len(runs) == len({loop.own_axis for loop in loops}) == len(loops):
        return {}, runs
    outer: dict[int, tuple[Loop, ...]] = {}
    runs, owned = {}, set()
    for loop in sorted(loops, key=lambda loop: -loop.size):
        if loop.axis in runs or loop.own_axis in owned:
            outer[loop.axis] = (*outer.get(loop.axis, ()), loop)
        else:
            runs[loop.axis] = loop
            owned.add(loop.own_axis)
    return outer, runs


def _hits(entry: Entry, at: int, outer: tuple[Loop, ...], run: Loop | None) -> Iterator[_Hit]:
    if outer:
        loop, *others = outer
        reach = sum((each.size - 1) * each.step for each in (*others, *([run] if run else ())))
        low, high = _bounds(entry)
        for number in range(max(0, -((at + reach - low) // loop.step)), min(loop.size, (high - at) // loop.step + 1)):
            for steps, span, position in _hits(entry, at + number * loop.step, tuple(others), run):
                yield ((loop, number), *steps), span, position
    elif isinstance(entry, int):
        number, rest = divmod(entry - at, run.step if run else 1)
        if not rest and 0 <= number < (run.size if run else 1):
            yield ((run, number),) if run else (), None, None
    elif run is None:
        if at in entry.at:
            yield (), None, (entry.axis, entry.to[entry.at.index(at)])
    else:
        wanted, met = meet(entry.at, range(at, at + run.size * run.step, run.step))
        if wanted:
            own = range(met.start * run.own_step, met.stop * run.own_step, met.step * run.own_step)
            yield (), (run.own_axis, Span(own, entry.axis, entry.to[wanted.start : wanted.stop : wanted.step])), None


def meet(a: range, b: range) -> tuple[range, range]:
    """Return the positions of what two ranges have in common, in each of them; the step of `b` is positive."""
    step, none = a.step, (range(0), range(0))
    if not a or not b:
        return none
    common = math.gcd(step, b.step)
    first, rest = divmod(b.start - a.start, common)
    if rest:
        return none
    every = b.step // common  # each how many-th of `a` lies in `b`
    first = first * pow(step // common, -1, every) % every if every > 1 else 0
    low, high = (b[0], b[-1]) if step > 0 else (b[-1], b[0])
    least = max(0, -((a.start - low) // step))
    least += (first - least) % every
    most = min(len(a) - 1, (high - a.start) // step)
    if most < least:
        return none
    count = (most - least) // every + 1
    start, along = (a[least] - b.start) // b.step, step // common
    return range(least, least + count * every, every), range(start, start + count * along, along)


def _bounds(entry: Entry) -> tuple[int, int]:
    """Return the least and the greatest position of an entry, which is not empty."""
    if isinstance(entry, int):
        return entry, entry
    ends = entry.at[0], entry.at[-1]
    return min(ends), max(ends)


def _shifted(span: Span, offset: int) -> Span:
    at = span.at
    return span._replace(at=range(at.start + offset, at.stop + offset, at.step)) if offset else span


def _progression(at: range) -> tuple[int, int, int]:
    return (at.start, at.step, len(at)) if len(at) > 1 else (at.start, 1, len(at))


def _slice(at: range) -> slice:
    return slice(at.start, at.stop if at.stop >= 0 else None, at.step)
