"""Encode the header of a safetensors file, byte for byte as the reference library does."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..files.limits import HEADER_BYTES

# The name in the format and the size of each dtype, in the order in which the reference library lays tensors out.
DTYPES = {"float64": ("F64", 8), "float32": ("F32", 4), "bfloat16": ("BF16", 2), "float16": ("F16", 2)}
_RANK = {dtype: rank for rank, dtype in enumerate(DTYPES)}


@dataclass(frozen=True, slots=True)
class Entry:
    """Describe a tensor of a checkpoint by its name, the name of its dtype, and its shape."""

    name: str
    dtype: str
    shape: Sequence[int]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise TypeError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def itemsize(self) -> int:
        """The size of an element in bytes."""
        return DTYPES[self.dtype][1]

    @property
    def nbytes(self) -> int:
        """The size of the tensor's data in bytes."""
        return math.prod(self.shape) * self.itemsize


def in_file_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sort entries as a file holds them: wide dtypes first, so that all are aligned, then by name."""
    return tuple(sorted(entries, key=lambda entry: (_RANK[entry.dtype], entry.name)))


def encode_header(entries: Iterable[Entry], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes before the data: the length of the header, then JSON padded with spaces to a multiple of 8.

    Raise ValueError if a name is repeated or reserved, or the header exceeds the 100 MB that the format allows.

    Examples
    --------
    >>> encode_header([Entry("w", "float32", (2, 3))])[8:]
    b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}       '
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for entry in in_file_order(entries):
        if entry.name in header or entry.name == "__metadata__":
            raise ValueError(f"name must be unique in a file and not '__metadata__', got {entry.name!r} again")
        begin, end = end, end + entry.nbytes
        header[entry.name] = {"dtype": DTYPES[entry.dtype][0], "shape": entry.shape, "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_BYTES:
        raise ValueError(f"the header must not exceed {HEADER_BYTES} bytes, got {len(text)}; write more than one file")
    return len(text).to_bytes(8, "little") + text
