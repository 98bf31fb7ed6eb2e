"""Open regular files, and nothing else, and read text of bounded size from them."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from . import limits

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; raise ValueError for a pipe, a device or the like, which may block forever.

    Examples
    --------
    >>> open_regular(".")
    Traceback (most recent call last):
    ValueError: .: it must be a regular file, got a directory
    """
    require_regular(path, os.stat(path))  # before it is opened, since opening a device may do something
    descriptor = os.open(path, _FLAGS)  # without waiting, even if a pipe has taken its place meanwhile
    try:
        require_regular(path, os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(path: str | os.PathLike[str], status: os.stat_result) -> None:
    """Raise ValueError, which names the path and says what is there, unless it is a regular file."""
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"{os.fspath(path)}: it must be a regular file, got {_KINDS.get(kind, 'something else')}")


_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFLNK: "a symbolic link",
}


def read_text(path: str | os.PathLike[str], most: int = limits.JSON_BYTES) -> str:
    """Return the text of a small file; raise ValueError if it has more than `most` bytes or is not UTF-8."""
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{os.fspath(path)}: the file must have at most {most} bytes, got more")
    return decode(data, f"{os.fspath(path)}: the file")


def decode(data: bytes, what: str) -> str:
    """Decode bytes; raise ValueError, whose message starts with `what`, if they are not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{what} must be UTF-8, got {error.object[error.start : error.end]!r} at {error.start}"
        ) from None
