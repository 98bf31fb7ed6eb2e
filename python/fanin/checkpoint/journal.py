"""Keep a journal while a checkpoint is written: which run writes it, and what is on disk already."""

from __future__ import annotations

import errno
import importlib
import json
import os
import stat
from contextlib import suppress
from hashlib import blake2b
from typing import Any
from weakref import WeakSet

from ..files import json_reader, limits
from ..files.regular import decode
from . import disk


class Journal:
    """Keep lines of JSON in a file that one process at a time can hold; each is on disk before `append` returns.

    Every line has a checksum. A line whose checksum is wrong, as after a kill or a power loss, or that no run would
    write, is ignored together with all that follow it.

    Attributes
    ----------
    path : str
        The path of the file.
    found : bool
        Whether the file had any content when it was opened.

    Examples
    --------
    >>> journal = Journal("model.safetensors.journal")
    >>> journal.open()
    []
    >>> journal.append({"seed": 0})
    >>> journal.close()
    >>> journal.open()
    [{'seed': 0}]
    >>> journal.delete()
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.found = False
        self._file = -1
        self._end = 0

    @property
    def held(self) -> bool:
        """Whether this process holds the journal."""
        return self._file >= 0

    def open(self) -> list[Any]:
        """Take hold of the journal, and read it.

        Raise OSError: EBUSY while another process holds it, ELOOP if it is a symbolic link, which might lead to any
        file, and EINVAL if it is another kind of file.
        """
        while self._file < 0:
            if os.path.islink(self.path):
                raise OSError(errno.ELOOP, "Is a symbolic link", self.path)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | _FLAGS, 0o666)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    raise OSError(errno.EINVAL, "Not a regular file", self.path)
                _lock(file, self.path)
                if _is_at(file, self.path):  # if not, the last holder has deleted it meanwhile: try again
                    self._file, file = file, -1
                    _held.add(self)
            finally:
                if file >= 0:
                    os.close(file)
        self.found = os.fstat(self._file).st_size > 0
        return self.read()

    def read(self) -> list[Any]:
        """Return the values of all lines that count."""
        values, self._end = [], 0
        os.lseek(self._file, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._file), "rb") as reader:
            while line := reader.readline(limits.JOURNAL_LINE_BYTES):
                check, _, text = line[:-1].partition(b" ")
                if not line.endswith(b"\n") or check != _check(text) or self._end > limits.JOURNAL_BYTES:
                    break
                try:
                    values.append(json_reader.parse(decode(text, self.path), self.path))
                except ValueError:
                    break
                self._end += len(line)
        return values

    def append(self, *values: Any) -> None:
        """Write a line for each value, and wait until all are on disk."""
        texts = [json.dumps(value).encode() for value in values]
        lines = b"".join(_check(text) + b" " + text + b"\n" for text in texts)
        try:
            os.ftruncate(self._file, self._end)  # remove lines that do not count, as of an append that failed
            disk.write_at(self._file, self._end, memoryview(lines))
            disk.sync(self._file)
        except OSError as error:
            error.filename = self.path
            raise
        self._end += len(lines)

    def clear(self) -> None:
        """Forget all lines; the file is emptied when the next one is appended."""
        self._end = 0

    def close(self) -> None:
        """Let go of the journal."""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)

    def delete(self) -> None:
        """Delete the file, if it is held, and let go of it."""
        if self._file < 0:
            return
        if os.name == "nt":  # an open file cannot be deleted
            self.close()
        with suppress(FileNotFoundError):
            os.unlink(self.path)
        self.close()


_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_held: WeakSet[Journal] = WeakSet()


def _close_all() -> None:
    for journal in list(_held):
        journal.close()


if hasattr(os, "register_at_fork"):
    # A forked worker would hold the lock as long as it lives, which may be longer than the run.
    os.register_at_fork(after_in_child=_close_all)


def _check(text: bytes) -> bytes:
    return blake2b(text, digest_size=8).hexdigest().encode()


def _lock(file: int, path: str) -> None:
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(errno.EBUSY, "In use by another process", path) from None
    except OSError:
        pass  # a file system without locks


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False
