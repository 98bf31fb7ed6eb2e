"""Draw chunks of a file, in any thread or process, and write them to the file or compare them with it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _core
from ..arrays import dtypes
from ..checkpoint import disk
from .chunks import CHUNK, Chunk, chunks_of
from .moments import Moments
from .rows import Row

TASK = 64 << 20  # bytes in a task: it is synced and recorded as one, and done again as one if the process is killed

Bytes = NDArray[np.uint8]


class Task(NamedTuple):
    """List chunks of one file, in the order of the file, for one worker.

    While this run writes the file, the file begins with `mark`; a worker that finds another one stops.
    """

    number: int
    file: int
    path: str
    mark: bytes
    seed: int
    chunks: tuple[Chunk, ...]

    @property
    def nbytes(self) -> int:
        """The size of all chunks in bytes."""
        return sum(chunk.nbytes for chunk in self.chunks)


def tasks_of(
    files: Iterable[tuple[str, Iterable[tuple[Row, int, int]]]], seed: int, mark: bytes = b""
) -> Iterator[Task]:
    """Yield the tasks for files. Each file is a path and its rows, with the number of their group and first byte."""
    number = 0
    for position, (path, rows) in enumerate(files):
        bundle: list[Chunk] = []
        size = 0
        for row, group, offset in rows:
            for chunk in chunks_of(row, group, offset):
                bundle.append(chunk)
                size += chunk.nbytes
                if size >= TASK:
                    yield Task(number, position, path, mark, seed, tuple(bundle))
                    number, bundle, size = number + 1, [], 0
        if bundle:
            yield Task(number, position, path, mark, seed, tuple(bundle))
            number += 1


def write(task: Task) -> dict[int, Moments]:
    """Draw and write the chunks; return the moments of each group once all of them are on disk."""
    moments: dict[int, Moments] = {}
    with _one_thread(), disk.opened(task.path, os.O_RDWR) as file:
        if os.read(file, len(task.mark)) != task.mark:
            raise OSError(errno.ESTALE, "Another run's by now", task.path)
        for data, drawn in _draw(task):
            disk.write_at(file, drawn[0][0].offset, data.data)
            for chunk, values in drawn:
                found = _core.statistics(values)
                moments.setdefault(chunk.group, Moments()).add(values.size, found["mean"], found["std"])
        disk.sync(file)
    return moments


def compare(task: Task) -> dict[str, str]:
    """Draw the chunks and compare them; return, for each parameter that differs, where it does first."""
    different: dict[str, str] = {}
    existing = np.empty(CHUNK, np.uint8)
    with _one_thread(), disk.opened(task.path, os.O_RDONLY) as file:
        for data, drawn in _draw(task):
            if len(existing) < len(data):
                existing = np.empty(len(data), np.uint8)
            found = existing[: len(data)]
            _read(file, drawn[0][0].offset, found, task.path)
            if np.array_equal(found, data):
                continue
            start = drawn[0][0].offset
            for chunk, values in drawn:
                begin = chunk.offset - start
                theirs = found[begin : begin + chunk.nbytes].view(values.dtype).reshape(values.shape)
                if chunk.name not in different and not np.array_equal(_bits(theirs), _bits(values)):
                    different[chunk.name] = _first_difference(chunk, values, theirs)
    return different


def _draw(task: Task) -> Iterator[tuple[Bytes, list[tuple[Chunk, NDArray[Any]]]]]:
    """Yield bytes that are adjacent in the file, and the chunks that they consist of."""
    buffer = np.empty(CHUNK, np.uint8)
    drawn: list[tuple[Chunk, NDArray[Any]]] = []
    used = 0
    for chunk in task.chunks:
        dtype = dtypes.native(dtypes.find(chunk.dtype, dtypes.FLOATS))
        if drawn:
            adjacent = drawn[-1][0].offset + drawn[-1][0].nbytes == chunk.offset
            if not adjacent or used + chunk.nbytes > len(buffer) or used % dtype.itemsize:
                yield buffer[:used], drawn
                drawn, used = [], 0
        if chunk.nbytes > len(buffer):
            buffer = np.empty(chunk.nbytes, np.uint8)
        values = buffer[used : used + chunk.nbytes].view(dtype).reshape(chunk.shape)
        chunk.scheme(chunk.whole, seed=task.seed, name=chunk.stream, index=chunk.part, out=values)
        drawn.append((chunk, values))
        used += chunk.nbytes
    if drawn:
        yield buffer[:used], drawn


@contextmanager
def _one_thread() -> Iterator[None]:
    """Draw with one thread inside the `with` block, since there are many workers already."""
    outer = _core.swap_thread_limit(1)
    try:
        yield
    finally:
        _core.swap_thread_limit(outer)


def _read(file: int, position: int, into: Bytes, path: str) -> None:
    view = memoryview(into.data)
    while view:
        if hasattr(os, "preadv"):
            count = os.preadv(file, [view], position)
        else:
            os.lseek(file, position, os.SEEK_SET)
            data = os.read(file, len(view))
            count = len(data)
            view[:count] = data
        if not count:
            raise OSError(errno.EIO, f"The file ends at byte {position}, {len(view)} too early", path)
        position += count
        view = view[count:]


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    return values.view(f"u{values.dtype.itemsize}") if values.ndim else values.reshape(1).view(f"u{values.itemsize}")


def _first_difference(chunk: Chunk, ours: NDArray[Any], theirs: NDArray[Any]) -> str:
    flat = int(np.flatnonzero(_bits(ours).ravel() != _bits(theirs).ravel())[0])
    place = [int(part) for part in np.unravel_index(flat, ours.shape)] if ours.ndim else []
    leading: list[int] = []
    for part in chunk.part:
        if isinstance(part, slice):
            place[0] += part.start
        else:
            leading.append(part)
    where = ", ".join(map(str, (*leading, *place)))
    return f"differs first at [{where}]: {theirs.ravel()[flat]!s} in the file, {ours.ravel()[flat]!s} by the plan"
