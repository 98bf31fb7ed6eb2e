"""Parameters cut into pieces that are contiguous in a file, and pieces bundled into tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .. import _dtypes
from ..schemes import Scheme
from .row import Row

PIECE = 2 << 20  # bytes: still in the cache when it goes from the sampler to the file
WHOLE = 256 << 20  # bytes at a time, where a part costs as much as the whole
TASK = 64 << 20  # bytes: what is synced, recorded and, after a kill, done again


class Piece(NamedTuple):
    """A contiguous part of a parameter, and where in a file it belongs."""

    scheme: Scheme
    whole: tuple[int, ...]  # the parameter's shape
    dtype: str
    stream: str
    group: int
    name: str
    part: tuple[int | slice, ...]
    shape: tuple[int, ...]
    offset: int
    nbytes: int


class Task(NamedTuple):
    """Pieces of one file, in its order; the file begins with the mark while it is to be written by this run."""

    number: int
    file: int
    path: str
    mark: bytes
    seed: int
    pieces: tuple[Piece, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all pieces."""
        return sum(piece.nbytes for piece in self.pieces)


def tasks(files: Iterable[tuple[str, Iterable[tuple[Row, int, int]]]], seed: int, mark: bytes = b"") -> Iterator[Task]:
    """The tasks for files, each given as its path and its rows, with their group's number and first byte."""
    number = 0
    for position, (path, rows) in enumerate(files):
        bundle: list[Piece] = []
        size = 0
        for row, group, offset in rows:
            for piece in _pieces(row, group, offset):
                bundle.append(piece)
                size += piece.nbytes
                if size >= TASK:
                    yield Task(number, position, path, mark, seed, tuple(bundle))
                    number, bundle, size = number + 1, [], 0
        if bundle:
            yield Task(number, position, path, mark, seed, tuple(bundle))
            number += 1


def _pieces(row: Row, group: int, offset: int) -> Iterator[Piece]:
    itemsize = _dtypes.native(_dtypes.code(row.dtype, _dtypes.FLOATS)).itemsize
    limit = (WHOLE if row.scheme._is_whole() else PIECE) // itemsize
    for index, shape in contiguous_pieces(row.shape, limit):
        nbytes = math.prod(shape) * itemsize
        yield Piece(row.scheme, row.shape, row.dtype, row.stream, group, row.name, index, shape, offset, nbytes)
        offset += nbytes


def contiguous_pieces(shape: Sequence[int], limit: int) -> Iterator[tuple[tuple[int | slice, ...], tuple[int, ...]]]:
    """Index and shape of pieces of at most `limit` elements that make up a tensor in C order.

    Examples
    --------
    >>> list(contiguous_pieces((5, 2), 4))
    [((slice(0, 2, None),), (2, 2)), ((slice(2, 4, None),), (2, 2)), ((slice(4, 5, None),), (1, 2))]
    """
    if 0 in shape:
        return
    if not shape:
        yield (), ()
        return
    length, *rest = shape
    row = math.prod(rest)
    if row > limit:
        for i in range(length):
            for index, piece in contiguous_pieces(rest, limit):
                yield (i, *index), piece
    else:
        rows = limit // row
        for start in range(0, length, rows):
            stop = min(start + rows, length)
            yield (slice(start, stop),), (stop - start, *rest)
