"""Cut parameters into chunks that are contiguous in a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..arrays import dtypes
from ..schemes import Scheme
from .rows import Row

CHUNK = 2 << 20  # bytes in a chunk: it is still in the cache when it goes from the sampler to the file
WHOLE = 256 << 20  # bytes in a chunk where drawing a part takes as long as drawing the whole parameter


class Chunk(NamedTuple):
    """Describe a contiguous part of a parameter, and where in a file it belongs."""

    scheme: Scheme
    whole: tuple[int, ...]  # the shape of the whole parameter
    dtype: str
    stream: str
    group: int
    name: str
    part: tuple[int | slice, ...]
    shape: tuple[int, ...]
    offset: int
    nbytes: int


def chunks_of(row: Row, group: int, offset: int) -> Iterator[Chunk]:
    """Yield the chunks of a parameter whose first byte is at this offset of its file."""
    itemsize = dtypes.native(dtypes.find(row.dtype, dtypes.FLOATS)).itemsize
    limit = (WHOLE if row.scheme.is_whole else CHUNK) // itemsize
    for index, shape in contiguous_chunks(row.shape, limit):
        nbytes = math.prod(shape) * itemsize
        yield Chunk(row.scheme, row.shape, row.dtype, row.stream, group, row.name, index, shape, offset, nbytes)
        offset += nbytes


def contiguous_chunks(shape: Sequence[int], limit: int) -> Iterator[tuple[tuple[int | slice, ...], tuple[int, ...]]]:
    """Yield index and shape of the chunks, of at most `limit` elements each, that make up a tensor in C order.

    Examples
    --------
    >>> list(contiguous_chunks((5, 2), 4))
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
            for index, chunk in contiguous_chunks(rest, limit):
                yield (i, *index), chunk
    else:
        rows = limit // row
        for start in range(0, length, rows):
            stop = min(start + rows, length)
            yield (slice(start, stop),), (stop - start, *rest)
