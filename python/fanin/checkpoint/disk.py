"""What files need of the system: space, writes at a place, and certainty that they are on disk."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_BINARY = getattr(os, "O_BINARY", 0)


@contextmanager
def opened(path: str, flags: int = os.O_WRONLY) -> Iterator[int]:
    """A file's descriptor, closed at the end; what goes wrong with it meanwhile names the file."""
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
    """A new file with its first bytes, whose space is claimed now: an early error where there is none."""
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
        try:
            if hasattr(os, "posix_fallocate"):
                try:
                    os.posix_fallocate(file, 0, size)
                except OSError as error:
                    if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system that cannot reserve
                        raise
            os.truncate(file, size)
            write_at(file, 0, memoryview(begin))
        except BaseException:
            with suppress(OSError):  # what went wrong before matters more
                os.unlink(path)
            raise


def write_at(file: int, position: int, view: memoryview) -> None:
    """Write bytes at a place of a file that no other thread uses."""
    while view:
        if sys.platform == "win32":
            os.lseek(file, position, os.SEEK_SET)
            written = os.write(file, view)
        else:
            written = os.pwrite(file, view, position)
        if sys.platform == "linux":
            # Starts the disk now rather than at the final sync; what is not on it yet is not dropped.
            os.posix_fadvise(file, position, written, os.POSIX_FADV_DONTNEED)
        position += written
        view = view[written:]


def sync(file: int) -> None:
    """Wait until a file's data is on disk."""
    getattr(os, "fdatasync", os.fsync)(file)


def sync_directory(path: str) -> None:
    """Wait until a directory's names are on disk, where the system can say so."""
    if os.name == "posix":
        try:
            with opened(path, os.O_RDONLY) as directory:
                os.fsync(directory)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.EACCES):
                raise


def remove(path: str) -> None:
    """Delete a file, if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def place(path: str, data: bytes) -> None:
    """A new file of these bytes, on disk, in the place of one that may be there."""
    remove(path)
    with opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as file:
        write_at(file, 0, memoryview(data))
        sync(file)
