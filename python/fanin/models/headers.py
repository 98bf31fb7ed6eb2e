"""The header of a safetensors file, which may be hostile: read alone, and believed in nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from .checks import as_integer, as_name, as_shape, short
from .files import decode, parse_object

_MOST = 100_000_000  # bytes of a header, in the format's definition
_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("BOOL", "I8", "U8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    "F4": 4,
}


@dataclass(slots=True)
class Header:
    """What a safetensors file says of itself.

    Parameters
    ----------
    tensors : dict of str to (str, tuple of int)
        The dtype, as the format spells it, and the shape of each tensor, in the order of the data.
    metadata : dict of str to str
        Free text.
    """

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def ties(self) -> dict[str, str]:
        """Names of tensors left out because they are tied, each with the one kept.

        `safetensors.torch.save_model` adds them to the metadata.
        """
        return {
            name: kept
            for name, kept in self.metadata.items()
            if kept in self.tensors and name not in self.tensors and name != "format"
        }


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a safetensors file and check it against the size of the file; the data is not read.

    Raises ValueError, which names the file, the tensor, the value and what is allowed: for a header that is too long or
    no JSON object, a name given twice, an unknown dtype, an impossible shape, and data that has holes, overlaps, or
    not the size that its shape and the file tell.

    Examples
    --------
    >>> import numpy as np
    >>> from fanin.checkpoint import Entry, Writer
    >>> with Writer("w.safetensors", [Entry("w", "float32", (2, 3))]) as file:
    ...     file.write("w", np.ones((2, 3), "float32"))
    >>> read_header("w.safetensors").tensors
    {'w': ('F32', (2, 3))}
    """
    name = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(prefix := file.read(8), "little")
        if len(prefix) < 8 or not 2 <= length <= min(_MOST, size - 8):
            raise ValueError(
                f"{name}: the header must have 2 to {_MOST} bytes within a file of {size}, got "
                + (f"{length}" if len(prefix) == 8 else "no length")
            )
        text = file.read(length)
    what = f"{name}: the header"
    entries = parse_object(decode(text, what), what)
    metadata = _metadata(entries.pop("__metadata__", None), name)
    places = sorted((_place(entry, tensor, name), tensor) for tensor, entry in entries.items())
    _check_places(places, size - 8 - length, name)
    return Header(
        {tensor: (entries[tensor]["dtype"], tuple(entries[tensor]["shape"])) for _, tensor in places}, metadata
    )


def _metadata(value: Any, path: str) -> dict[str, str]:
    texts = value or {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"{path}: __metadata__ must be an object of strings, got {short(value)}")
    return texts


def _place(entry: Any, tensor: str, path: str) -> tuple[int, int]:
    """Where a tensor's data begins and ends, which is as far apart as its dtype and its shape tell."""
    what = f"{path}: tensor {short(as_name(tensor, f'{path}: '))}"
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        raise ValueError(f"{what} must be an object of dtype, shape and data_offsets, got {short(entry)}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ValueError(f"{what}: dtype must be one of {', '.join(_BITS)}, got {short(dtype)}")
    bits = _BITS[dtype]
    for length in as_shape(shape, f"{what}: shape"):
        bits *= length
    if not isinstance(offsets, list) or len(offsets) != 2:
        raise ValueError(f"{what}: data_offsets must be [begin, end], got {short(offsets)}")
    begin, end = (as_integer(offset, f"{what}: data_offsets must each be", 0, 2**63 - 1) for offset in offsets)
    if (end - begin) * 8 != bits:
        raise ValueError(f"{what}: data_offsets must be {bits / 8:.17g} bytes apart for {dtype} {shape}, got {offsets}")
    return begin, end


def _check_places(places: list[tuple[tuple[int, int], str]], size: int, path: str) -> None:
    """The data of one tensor begins where that of the one before ends, and the last ends with the file."""
    before, at = "the header", 0
    for (begin, end), tensor in places:
        if begin != at:
            problem = f"leaves a hole after {before}" if begin > at else f"overlaps {before}"
            raise ValueError(
                f"{path}: tensor {short(tensor)} must begin at byte {at} of the data, got {begin}: it {problem}"
            )
        before, at = short(tensor), end
    if at != size:
        raise ValueError(f"{path}: the tensors must take all {size} bytes of the data, got {at}")
