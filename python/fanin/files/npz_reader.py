"""Read the arrays of a .npz file that may be hostile: check every size against the file before taking memory."""

from __future__ import annotations

import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..text import short
from . import limits
from .regular import open_regular
from .validation import as_shape

_MAGIC = b"\x93NUMPY"
_LENGTH = {1: "<H", 2: "<I", 3: "<I"}  # how the length of the header is written, by version of the format
_HEADER = re.compile(
    r"\{ *'descr': *(?P<dtype>'[^'\\]{1,50}'|\[.*\]), *'fortran_order': *(?P<fortran>True|False), *"
    r"'shape': *\((?P<shape>[0-9, ]*)\),? *\} *\n?",
    re.DOTALL,
)
_DTYPE = re.compile(r"[<>|=][a-zA-Z][0-9]{0,9}")
_CHUNK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error, OSError)


@dataclass(frozen=True, slots=True)
class Described:
    """Stand for an array that is not read, with the name of its dtype."""

    dtype: str


def read_npz(
    path: str | os.PathLike[str], kinds: str = "f", only: Collection[str] | None = None
) -> Iterator[tuple[str, NDArray[Any] | Described]]:
    """Yield the arrays of a file with their names, one after another.

    `kinds` are letters of NumPy for kinds of dtype; an array of another kind is described, not read. `only` names the
    arrays to yield; by default all are.

    Raise ValueError, which names the file and the array, if the file is not a regular one, or is damaged; if an array
    is there twice, holds objects, or has another size than its shape tells; or if the arrays are far larger than the
    file can hold.

    Examples
    --------
    >>> np.savez("w.npz", w=np.ones((2, 2), "float32"), steps=np.arange(3))
    >>> dict(read_npz("w.npz"))
    {'w': array([[1., 1.],
           [1., 1.]], dtype=float32), 'steps': Described(dtype='int64')}
    """
    where = os.fspath(path)
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(_Bounded(file, size)) as archive:
                _require_proportion(archive, size)
                names: set[str] = set()
                for member in archive.infolist():
                    name = member.filename.removesuffix(".npy")
                    if name in names:
                        raise ValueError(f"each array must be there once, got {short(name)} again")
                    names.add(name)
                    if only is not None and name not in only:
                        continue
                    if member.filename == name:
                        yield name, Described("bytes")
                        continue
                    try:
                        with archive.open(member) as data:
                            array = _array(data, member.file_size, kinds)
                    except (*_DAMAGE, ValueError) as error:
                        raise ValueError(f"array {short(name)}: {error or 'it ends too early'}") from None
                    yield name, array
        except _DAMAGE as error:
            raise ValueError(f"{where}: it must be a complete .npz file: {error}") from None
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None


class _Bounded:
    """Wrap a file such that `zipfile` reads no more at once than the directory of an archive may have."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._size - self._file.tell())
        count = left if count < 0 else min(count, left)
        if count > limits.ARCHIVE_READ:
            raise ValueError(f"its directory must have at most {limits.ARCHIVE_READ} bytes, got {count}")
        return self._file.read(count)


def _require_proportion(archive: zipfile.ZipFile, size: int) -> None:
    """Raise ValueError if all arrays together have more bytes than a file of this size may hold."""
    members = archive.infolist()
    if len(members) > limits.NAMES:
        raise ValueError(f"it must have at most {limits.NAMES} arrays, got {len(members)}")
    most = max(limits.ARCHIVE_GROWTH * size, limits.ARCHIVE_FREE)
    total = sum(member.file_size for member in members)
    if total > most:
        raise ValueError(f"its arrays must have at most {most} bytes for a file of {size}, got {total}")
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"array {short(member.filename)} must be stored or deflated, as NumPy does")


def _array(data: Any, size: int, kinds: str) -> NDArray[Any] | Described:
    """Return the array in an .npy file of `size` bytes."""
    begin = _exactly(data, 8)
    length_format = _LENGTH.get(begin[6])
    if begin[:6] != _MAGIC or length_format is None:
        raise ValueError(f"it must begin as an .npy file does, got {begin!r}")
    field = _exactly(data, struct.calcsize(length_format))
    (length,) = struct.unpack(length_format, field)
    if length > limits.ARRAY_HEADER_LENGTH:
        raise ValueError(f"its header must have at most {limits.ARRAY_HEADER_LENGTH} bytes, got {length}")
    text = _exactly(data, length).decode("latin1")
    found = _HEADER.fullmatch(text)
    if not found:
        raise ValueError(f"its header must give descr, fortran_order and shape, got {short(text)}")
    code = found["dtype"][1:-1]
    if not _DTYPE.fullmatch(code):
        return Described("structured" if found["dtype"][0] == "[" else short(code))
    if code[1] == "O":
        raise ValueError("it must be an array of numbers, got one of objects")
    try:
        dtype = np.dtype(code)
    except (TypeError, ValueError):
        raise ValueError(f"its dtype must be one of NumPy's, got {short(code)}") from None
    if dtype.kind not in kinds:
        return Described(str(dtype))
    shape = as_shape([int(number[:25]) for number in re.findall("[0-9]+", found["shape"])])
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes != size - 8 - len(field) - length:
        raise ValueError(
            f"it must have {nbytes} bytes for {dtype} of shape {shape}, got {size - 8 - len(field) - length}"
        )
    flat = np.empty(math.prod(shape), dtype)
    raw = flat.view(np.uint8)
    for start in range(0, nbytes, _CHUNK):
        raw[start : start + _CHUNK] = np.frombuffer(_exactly(data, min(_CHUNK, nbytes - start)), np.uint8)
    if data.read(1):  # reading to the end also checks the checksum
        raise ValueError("it has more bytes than the archive says")
    return flat.reshape(shape, order="F" if found["fortran"] == "True" else "C")


def _exactly(data: Any, count: int) -> bytes:
    """Read exactly `count` bytes; raise EOFError if there are fewer."""
    found: bytes = data.read(count)
    if len(found) < count:
        raise EOFError("it ends too early")
    return found
