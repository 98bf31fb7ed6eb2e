"""Cut a request along a piece: which elements of a tensor were asked for, and where in the result they go.

Most pieces are a block of one axis. Any other tensor that lies within a larger one is described by loops, as a compiler
nests them: each steps along an axis of both. They say slices, interleaved rows, split and transposed axes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from numpy.typing import NDArray

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


class Layout(Protocol):
    """Where elements of a tensor lie within a larger one."""

    def size(self, shape: tuple[int, ...]) -> int:
        """Return how many elements of the tensor, which has this shape, lie there."""

    def cut(self, part: Part) -> list[Part]:
        """Return what a part of the larger tensor has of this one."""


class Block(NamedTuple):
    """Positions along one axis, of tensors that are equal in all others.

    Attributes
    ----------
    axis : int
        The axis.
    start, stop : int
        The positions in the larger tensor.
    first : int
        The position in the tensor itself that `start` is.
    """

    axis: int
    start: int
    stop: int
    first: int

    def size(self, shape: tuple[int, ...]) -> int:
        others = shape[: self.axis] + shape[self.axis + 1 :]
        return math.prod(others) * (self.stop - self.start)

    def cut(self, part: Part) -> list[Part]:
        axis, start, stop, first = self
        entries, kept = part
        entry, shift = entries[axis], first - start
        own: Entry
        if isinstance(entry, int):
            if not start <= entry < stop:
                return []
            own = entry + shift
        else:
            (begin, step, count), result, to = entry
            low, high = (start, stop) if step > 0 else (stop - 1, start - 1)
            least, most = -((begin - low) // step), -((begin - high) // step)
            if least > 0 or most < count:
                least, most = max(0, least), min(count, most)
                if most <= least:
                    return []
                to = _among(to, range(least, most))
                begin, count = begin + least * step, most - least
            own = Span((begin + shift, step, count), result, to)
        return [Part((*entries[:axis], own, *entries[axis + 1 :]), kept)]


class Nest(NamedTuple):
    """Elements that loops lead to, each along an axis of both tensors.

    Loops that step along one axis of either tensor are one stretch after the other: the longest stays a range.

    Attributes
    ----------
    start : tuple of int
        The index, in the larger tensor, of the first element.
    first : tuple of int
        Its index in the tensor itself.
    loops : tuple of Loop
        What leads from it to the others.
    """

    start: tuple[int, ...]
    first: tuple[int, ...]
    loops: tuple[Loop, ...]

    @classmethod
    def of(cls, start: tuple[int, ...], first: tuple[int, ...], loops: Iterable[Loop]) -> Nest:
        """Return the elements by as few loops as can be; those that step along the same axes go from outer to inner."""
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

    @property
    def last(self) -> tuple[int, ...]:
        """The index, in the larger tensor, of the last element; there is one at least."""
        ends = list(self.start)
        for loop in self.loops:
            ends[loop.axis] += loop.step * (loop.size - 1)
        return tuple(ends)

    def size(self, shape: tuple[int, ...]) -> int:
        return math.prod([loop.size for loop in self.loops])

    def cut(self, part: Part) -> list[Part]:
        outer, runs = _stretches(self.loops)
        hits = []
        for axis, entry in enumerate(part.entries):
            found = list(_hits(entry, self.start[axis], outer.get(axis, ()), runs.get(axis)))
            if not found:
                return []
            hits.append(found)
        return [self._together(combination, part.kept or ()) for combination in itertools.product(*hits)]

    def _together(self, hits: tuple[_Hit, ...], kept: tuple[tuple[int, int], ...]) -> Part:
        offsets = list(self.first)
        spans: dict[int, Span] = {}
        for steps, span, position in hits:
            for loop, number in steps:
                offsets[loop.own_axis] += number * loop.own_step
            if span is not None:
                spans[span[0]] = span[1]
            if position is not None:
                kept = (*kept, position)
        own = [_shifted(spans[axis], offset) if axis in spans else offset for axis, offset in enumerate(offsets)]
        return Part(tuple(own), kept)


class Span(NamedTuple):
    """Positions on an axis of a tensor, as (start, step, count), and those of the result that they go to in order."""

    at: tuple[int, int, int]
    axis: int
    to: slice

    @property
    def range(self) -> range:
        start, step, count = self.at
        return range(start, start + step * count, step)


Entry: TypeAlias = int | Span


class Part(NamedTuple):
    """Say what is wanted of a tensor: an entry for each axis, and positions on the axes of the result that have none.

    While nothing has turned or removed an axis, every axis of the result has an entry, in order, and `kept` is None.
    """

    entries: tuple[Entry, ...]
    kept: tuple[tuple[int, int], ...] | None = None

    @classmethod
    def of(cls, box: Box) -> Part:
        """Return what a box selects, whose axes are those of the result."""
        entries: list[Entry] = []
        axis = 0
        for entry in box:
            if isinstance(entry, int):
                entries.append(entry)
            else:
                entries.append(Span(entry, axis, slice(0, entry[2], 1)))
                axis += 1
        return cls(tuple(entries))

    @property
    def box(self) -> Box:
        """The part as samplers take it."""
        return tuple([entry if isinstance(entry, int) else entry.at for entry in self.entries])

    def within(self, origin: tuple[int, ...]) -> tuple[int | slice, ...]:
        """Return the index that selects the part of an array whose first element is at `origin` of the tensor."""
        return tuple(
            entry - at if isinstance(entry, int) else _slice(_shifted(entry, -at).range)
            for entry, at in zip(self.entries, origin, strict=True)
        )

    def view(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the elements of the result that the part goes to, with axes in the order of the tensor's own."""
        view: NDArray[Any]
        index: list[Any]
        if self.kept is None:
            index = [entry.to for entry in self.entries if not isinstance(entry, int)]
            view = array[(..., *index)]  # also of an array without axes it is a view
            return view
        spans = [entry for entry in self.entries if not isinstance(entry, int)]
        index = [None] * array.ndim
        for axis, position in self.kept:
            index[axis] = position
        for span in spans:
            index[span.axis] = span.to
        axes = [span.axis for span in spans]
        view = array[(..., *index)]
        ordered = sorted(axes)
        return view if axes == ordered else view.transpose([ordered.index(axis) for axis in axes])


def hull(parts: Sequence[Part]) -> tuple[range, ...]:
    """Return, for each axis, the positions from the first to the last that any of some parts has; none is empty."""
    bounds = [[_bounds(entry) for entry in entries] for entries in zip(*(part.entries for part in parts), strict=True)]
    return tuple(range(min(low for low, _ in axis), max(high for _, high in axis) + 1) for axis in bounds)


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
        if at in entry.range:
            yield (), None, (entry.axis, entry.to.start + entry.to.step * entry.range.index(at))
    else:
        wanted, met = meet(entry.range, range(at, at + run.size * run.step, run.step))
        if wanted:
            own = (met.start * run.own_step, met.step * run.own_step, len(met))
            yield (), (run.own_axis, Span(own, entry.axis, _among(entry.to, wanted))), None


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
    start, step, count = entry.at
    ends = start, start + step * (count - 1)
    return min(ends), max(ends)


def _shifted(span: Span, offset: int) -> Span:
    start, step, count = span.at
    return span._replace(at=(start + offset, step, count)) if offset else span


def _among(places: slice, chosen: range) -> slice:
    """Return some of the places of a slice that has no end left out: those at the positions of a range."""
    start, step = places.start, places.step
    return slice(start + step * chosen.start, start + step * chosen.stop, step * chosen.step)


def _slice(at: range) -> slice:
    return slice(at.start, at.stop if at.stop >= 0 else None, at.step)
