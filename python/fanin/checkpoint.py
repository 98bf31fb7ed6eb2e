"""Stream tensors into a safetensors file, byte for byte as the reference library writes it."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Name in the format and size, in the order the reference library lays tensors out: widest first.
DTYPES = {"float64": ("F64", 8), "float32": ("F32", 4), "bfloat16": ("BF16", 2), "float16": ("F16", 2)}
_RANK = {dtype: rank for rank, dtype in enumerate(DTYPES)}
_MAX_HEADER = 100_000_000
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a checkpoint: its name, its dtype's name and its shape."""

    name: str
    dtype: str
    shape: Sequence[int]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise TypeError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return DTYPES[self.dtype][1]

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor's data."""
        return math.prod(self.shape) * self.itemsize


def in_file_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries as a file holds them: wide dtypes first, so that all stay aligned, then by name."""
    return tuple(sorted(entries, key=lambda entry: (_RANK[entry.dtype], entry.name)))


def encode_header(entries: Iterable[Entry], metadata: Mapping[str, str] | None = None) -> bytes:
    """The bytes before the data: the header's length, then JSON padded with spaces to a multiple of 8.

    Raises ValueError for a repeated or reserved name, and where the header exceeds the format's 100 MB.

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
    if len(text) > _MAX_HEADER:
        raise ValueError(f"the header must not exceed {_MAX_HEADER} bytes, got {len(text)}; write more than one file")
    return len(text).to_bytes(8, "little") + text


class Writer:
    """A safetensors file that appears under its name only once it is complete.

    A context manager. `write` takes the tensors' data, in pieces of any size and order, from any thread. Until all of
    it is on disk the file is called `<path>.partial` and has no header, so nothing can load it; an error removes it.

    Parameters
    ----------
    path : str or path-like
        The file to write. A symbolic link is followed.
    entries : iterable of Entry
        Its tensors, in any order; the attribute `entries` has them in the order of the file.
    metadata : mapping of str to str, optional
        Free text for the header.
    force : bool
        Replace an existing file, and what an interrupted run left behind.

    Raises
    ------
    FileExistsError
        If `path`, or its partial file, exists and `force` is false.
    OSError
        Whatever else the file system refuses. Space is reserved first, so a full disk is known at once.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Writer(f"{folder}/model.safetensors", [Entry("w", "float32", (2, 3))]) as file:
    ...         file.write("w", np.ones((2, 3), "float32"))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        entries: Iterable[Entry],
        metadata: Mapping[str, str] | None = None,
        *,
        force: bool = False,
    ) -> None:
        self.path = os.path.realpath(path)
        self.entries = in_file_order(entries)
        self._header = encode_header(self.entries, metadata)
        ends = list(accumulate((entry.nbytes for entry in self.entries), initial=len(self._header)))
        self._places = {entry.name: place for entry, *place in zip(self.entries, ends, ends[1:], strict=False)}
        self.nbytes = ends[-1]
        self._given, self._force = os.fspath(path), force
        self._partial = self.path + ".partial"
        self._written = len(self._header)
        self._lock = Lock()
        self._file = -1

    def __enter__(self) -> Self:
        self._check_target()
        if self._force:
            with suppress(FileNotFoundError):
                os.unlink(self._partial)
        try:
            self._file = os.open(self._partial, _NEW_FILE, 0o666)
            _reserve(self._file, self.nbytes)
        except FileExistsError:  # another writer's
            raise
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._publish()
        except BaseException:
            self._discard()
            raise
        if kind is not None:
            self._discard()

    def write(self, name: str, data: Buffer, start: int = 0) -> None:
        """Write a C-contiguous buffer at byte `start` of a tensor; ValueError beyond its end."""
        view = memoryview(data).cast("B")
        begin, end = self._places[name]
        if not begin <= begin + start <= end - len(view):
            raise ValueError(f"data must lie within the {end - begin} bytes of {name!r}, got {len(view)} at {start}")
        self._write_at(begin + start, view)
        with self._lock:
            self._written += len(view)

    def _check_target(self) -> None:
        if self._given.endswith(os.sep) or os.path.isdir(self.path):
            raise IsADirectoryError(errno.EISDIR, "Is a directory", self._given)
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise OSError(errno.EINVAL, "Not a regular file", self._given)
        if os.path.exists(self.path) and not self._force:
            raise FileExistsError(errno.EEXIST, "File exists", self._given)

    def _publish(self) -> None:
        if self._written != self.nbytes:
            raise ValueError(f"all {self.nbytes} bytes must be written, got {self._written}")
        self._write_at(0, memoryview(self._header))
        os.fsync(self._file)
        self._close()
        self._check_target()
        os.replace(self._partial, self.path)

    def _write_at(self, position: int, view: memoryview) -> None:
        while view:
            if sys.platform == "win32":
                with self._lock:
                    os.lseek(self._file, position, os.SEEK_SET)
                    written = os.write(self._file, view)
            else:
                written = os.pwrite(self._file, view, position)
            if sys.platform == "linux":
                # Starts the disk now rather than at the final fsync; what is not on it yet is not dropped.
                os.posix_fadvise(self._file, position, written, os.POSIX_FADV_DONTNEED)
            position += written
            view = view[written:]

    def _discard(self) -> None:
        self._close()
        with suppress(OSError):  # what went wrong before matters more
            os.unlink(self._partial)

    def _close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)


def _reserve(file: int, size: int) -> None:
    """Claim the space now: an early error where there is none, and a file in one piece."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, 0, size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system that cannot reserve
                raise
