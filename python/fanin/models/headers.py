"""Read the header of a safetensors file, which may be hostile, without its data, and check everything it says."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from ..checkpoint.format import DTYPES
from ..files import limits
from ..files.json_reader import Reader, parse_object
from ..files.regular import decode, open_regular
from ..files.validation import as_integer, as_name, as_shape
from ..text import short

_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


# The names of the floating-point dtypes in NumPy and ml_dtypes.
NUMPY_NAMES = {
    **{short: name for name, (short, _) in DTYPES.items()},
    **{"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu"},
    **{"F8_E4M3FNUZ": "float8_e4m3fnuz", "F8_E5M2FNUZ": "float8_e5m2fnuz"},
    **{"F6_E2M3": "float6_e2m3fn", "F6_E3M2": "float6_e3m2fn", "F4": "float4_e2m1fn"},
}


@dataclass(slots=True)
class Header:
    """Hold what the header of a safetensors file says.

    Parameters
    ----------
    tensors : dict of str to (str, tuple of int)
        Dtype, as the format spells it, and shape of each tensor, in the order of the data.
    metadata : dict of str to str
        Free text by key. Default: none.
    places : dict of str to (int, int)
        The first byte of each tensor's data in the file, and the byte after its last. Empty if the tensors are those of
        several files.
    """

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    metadata: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def ties(self) -> dict[str, str]:
        """A dict from each tensor that was left out, since it is tied, to the name of the one that was kept.

        `safetensors.torch.save_model` adds these names to the metadata.
        """
        return {
            name: kept
            for name, kept in self.metadata.items()
            if kept in self.tensors and name not in self.tensors and name != "format"
        }

    @property
    def origin(self) -> dict[str, Any]:
        """What a file that fanin wrote says of its seed, recipe and release; empty if that cannot be read."""
        text = self.metadata.get("fanin", "")
        try:
            return parse_object(text, "fanin") if len(text) <= limits.METADATA_LENGTH else {}
        except ValueError:
            return {}


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a safetensors file and check it against the size of the file, without reading the data.

    Raise ValueError, which names the file, the tensor, the value and what is allowed, if the header is too long or not
    a JSON object, a name is given twice, a dtype is unknown, a shape is impossible, or the data have holes, overlap, or
    have another size than shapes and file tell.

    Examples
    --------
    >>> import numpy as np
    >>> from fanin.checkpoint import Entry, Writer
    >>> with Writer("w.safetensors", [Entry("w", "float32", (2, 3))]) as file:
    ...     file.write("w", np.ones((2, 3), "float32"))
    >>> header = read_header("w.safetensors")
    >>> header.tensors, header.places
    ({'w': ('F32', (2, 3))}, {'w': (72, 96)})
    """
    name = os.fspath(path)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(prefix := file.read(8), "little")
        if len(prefix) < 8 or not 2 <= length <= min(limits.HEADER_BYTES, size - 8):
            raise ValueError(
                f"{name}: the header must have 2 to {limits.HEADER_BYTES} bytes within a file of {size}, got "
                + (f"{length}" if len(prefix) == 8 else "no length")
            )
        text = decode(file.read(length), f"{name}: the header")
    header, start = Header({}), 8 + length
    reader = Reader(text, f"{name}: the header")
    for tensor in reader.members():
        if tensor == "__metadata__":
            header.metadata = _metadata(reader, name)
        else:
            header.tensors[tensor], (begin, end) = _tensor(reader, as_name(tensor, f"{name}: "), name)
            header.places[tensor] = start + begin, start + end
    reader.end()
    order = sorted(header.places, key=header.places.__getitem__)
    header.tensors = {tensor: header.tensors[tensor] for tensor in order}
    header.places = {tensor: header.places[tensor] for tensor in order}
    _check_places(header.places, start, size, name)
    return header


def _metadata(reader: Reader, path: str) -> dict[str, str]:
    if reader.null():
        return {}
    inner = Reader(reader.text, f"{path}: __metadata__ must be an object of strings: it", reader.at)
    found = {name: inner.string() for name in inner.members()}
    reader.at = inner.at
    return found


def _tensor(reader: Reader, tensor: str, path: str) -> tuple[tuple[str, tuple[int, ...]], tuple[int, int]]:
    """Read dtype and shape of a tensor, and where its data begin and end."""
    at = reader.at
    try:
        text = reader.flat_object()
        entry = parse_object(text, "it") if text else None
        if entry is None or not {"dtype", "shape", "data_offsets"} <= entry.keys():
            got = short(reader.text[at : at + 100])
            raise ValueError(f"it must be an object of dtype, shape and data_offsets, got {got}")
        return _described(entry["dtype"], entry["shape"], entry["data_offsets"])
    except ValueError as error:
        raise ValueError(f"{path}: tensor {short(tensor)}: {error}") from None


def _described(dtype: Any, shape: Any, offsets: Any) -> tuple[tuple[str, tuple[int, ...]], tuple[int, int]]:
    """Check these three, and that the data are as long as dtype and shape tell."""
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ValueError(f"dtype must be one of {', '.join(_BITS)}, got {short(dtype)}")
    sizes = as_shape(shape)
    if not isinstance(offsets, list) or len(offsets) != 2:
        raise ValueError(f"data_offsets must be [begin, end], got {short(offsets)}")
    begin = as_integer(offsets[0], "data_offsets must each be", 0, limits.ELEMENTS)
    end = as_integer(offsets[1], "data_offsets must each be", 0, limits.ELEMENTS)
    bits = _BITS[dtype] * math.prod(sizes)
    if (end - begin) * 8 != bits:
        raise ValueError(f"data_offsets must be {bits / 8:.17g} bytes apart for {dtype} {shape}, got {offsets}")
    return (sys.intern(dtype), sizes), (begin, end)


def _check_places(places: dict[str, tuple[int, int]], start: int, size: int, path: str) -> None:
    """Check that the data of each tensor begin where those before end, and that the last end with the file."""
    before, at = "", start
    for tensor, (begin, end) in places.items():
        if begin != at:
            problem = "leaves a hole after" if begin > at else "overlaps"
            raise ValueError(
                f"{path}: tensor {short(tensor)} must begin at byte {at - start} of the data, got {begin - start}: it "
                f"{problem} {short(before) if before else 'the header'}"
            )
        before, at = tensor, end
    if at != size:
        raise ValueError(f"{path}: the tensors must take all {size - start} bytes of the data, got {at - start}")
