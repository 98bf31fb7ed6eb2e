"""Reserve space for files, write at a place in them, and make sure that they are on disk."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: str, flags: int = os.O_WRONLY) -> Iterator[int]:
    """Yield the descriptor of a file, and close it at the end; an OSError raised meanwhile names the file."""
    file = os.open(path, flags | _BINARY, 0o666)
    try:
        yield file
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise
    finally:
        os.close(file)


def create(path: str, size: int, begin: bytes) -> None:
    """Create a file with its first bytes, and reserve all its space, so that a full disk is known early."""
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
        try:
            if hasattr(os, "posix_fallocate"):
                try:
                    os.posix_fallocate(file, 0, size)
                except OSError as error:
                    if error.errno not in (
                        errno.EINVAL,
                        errno.EOPNOTSUPP,
                    ):  # these mean that the file system cannot reserve
                        raise
            os.truncate(file, size)
            write_at(file, 0, memoryview(begin))
        except BaseException:
            with suppress(OSError):  # the first error matters more
                os.unlink(path)
            raise


def write_at(file: int, position: int, view: memoryview) -> None:
    """Write bytes at a place in a file; no other thread may use the descriptor."""
    while view:
        if sys.platform == "win32":
            os.lseek(file, position, os.SEEK_SET)
            written = os.write(file, view)
        else:
            written = os.pwrite(file, view, position)
        if sys.platform == "linux":
            # This starts the writing to disk now rather than at the final sync. Data not yet on disk are not dropped.
            os.posix_fadvise(file, position, written, os.POSIX_FADV_DONTNEED)
        position += written
        view = view[written:]


def sync(file: int) -> None:
    """Wait until the data of a file are on disk."""
    getattr(os, "fdatasync", os.fsync)(file)


def sync_directory(path: str) -> None:
    """Wait until the names in a directory are on disk, where the system can say so."""
    if os.name == "posix":
        try:
            with opened(path, os.O_RDONLY) as directory:
                os.fsync(directory)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.EACCES):
                raise


def remove(path: str) -> None:
    """Delete a file if it exists."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def place(path: str, data: bytes) -> None:
    """Write bytes to a new file, replacing one that may exist, and wait until they are on disk."""
    remove(path)
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
        write_at(file, 0, memoryview(data))
        sync(file)
