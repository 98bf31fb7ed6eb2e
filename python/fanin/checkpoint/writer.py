"""Write a checkpoint so that it appears complete or not at all, and so that an interrupted run can go on."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ..text import short
from . import disk
from .format import Entry
from .journal import Journal
from .record import Run, tasks_of_lines
from .split import MAX_SHARD_SIZE, PARTIAL, File, Split, parse_size, paths_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MARK = b"partial "  # a reader takes these eight bytes for the length of the header, which is then far too large


class Writer:
    """Write safetensors files that get their names only once all of them are complete, the index last.

    The writer is a context manager. Data come in pieces of any size and order: by `write` from any thread, or from any
    process, which writes to `File.partial` itself. Pieces that are on disk may be recorded; a run that resumes need not
    write them again. Until the end files are called `<path>.partial` and begin with `mark`, not with a header: nothing
    can load them, and a worker that is left over from an earlier run sees that a file is no longer its own. An error or
    an interruption before anything is recorded leaves no file; after that the files stay, to be resumed.

    Parameters
    ----------
    path : str or path-like
        The path of a single file, or a directory: see `Split.of`. The attribute `split` describes the files.
    entries : iterable of Entry
        All tensors, in the order in which they fill one file after another.
    metadata : mapping of str to str, optional
        Free text for the header of every file. Default: none.
    max_shard_size : int or str
        The largest number of bytes of tensors in a file: an int, or text such as "500MB". Default "50GB".
    identity : mapping of str to JSON values, optional
        What decides the data, besides the headers: a run with another identity is not resumed. Default: nothing.
    force : bool
        Whether to replace an existing checkpoint, once the new one is complete, and what an interrupted run left, at
        once. Default False.
    resume : bool
        Whether to go on where an interrupted run of the same identity stopped, and replace what that run was to
        replace. Without one it starts anew. A complete checkpoint with the same headers is left as it is, and the
        attribute `complete` is then True. Default False.

    Raises
    ------
    FileExistsError
        If the checkpoint, or what an interrupted run left, exists, and neither force nor resume is given.
    ValueError
        If an interrupted run had another identity, or `force` and `resume` are both True.
    OSError
        If the file system refuses, or, as EBUSY, while another process writes the same checkpoint. Space is reserved
        first, so that a full disk is known at once.

    Examples
    --------
    >>> import numpy as np
    >>> with Writer("model.safetensors", [Entry("w", "float32", (2, 3))]) as writer:
    ...     writer.write("w", np.ones((2, 3), "float32"))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        entries: Iterable[Entry],
        metadata: Mapping[str, str] | None = None,
        *,
        max_shard_size: int | str = MAX_SHARD_SIZE,
        identity: Mapping[str, Any] | None = None,
        force: bool = False,
        resume: bool = False,
    ) -> None:
        if force and resume:
            raise ValueError("force and resume must not both be true: one starts anew, the other goes on")
        self._given = os.fspath(path)
        self.split = Split.of(path, entries, metadata, max_shard_size=max_shard_size)
        self.complete = False
        self.done: dict[int, Any] = {}
        self.mark = _MARK + os.urandom(8)
        self._homes = {entry.name: file for file in self.split.files for entry in file.entries}
        self._identity = {**(identity or {}), **_described(self.split)}
        self._max_shard_size = parse_size(max_shard_size)
        self._force, self._resume = force, resume
        self._journal = Journal(self.split.path + ".journal")
        self._index_partial = self.split.index_path + PARTIAL
        self._written = 0
        self._owned = False  # whether journal and partial files belong to this run, or to one that it resumes
        self._lock = Lock()

    @property
    def left(self) -> int:
        """The number of bytes of tensors that are yet to be written."""
        return sum(file.data_nbytes for file in self.split.files) - self._written

    def __enter__(self) -> Self:
        try:
            self._require_regular()
            if self._given.endswith(os.sep):
                os.makedirs(os.path.dirname(self.split.path), exist_ok=True)
            lines = self._journal.open()
            if self._force:
                self._start(*lines[:1])
            elif lines and self._resume:
                self._go_on(*lines)
            elif self._resume and self._is_there():
                self.complete = True
            else:
                self._require_nothing()
                self._start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._publish()
        finally:
            self._leave()

    def write(self, name: str, data: Buffer, start: int = 0) -> None:
        """Write a C-contiguous buffer at byte `start` of a tensor; raise ValueError if it does not fit."""
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else memoryview(b"")
        file = self._homes[name]
        begin, end = file.places[name]
        if not begin <= begin + start <= end - len(view):
            raise ValueError(f"data must lie within the {end - begin} bytes of {name!r}, got {len(view)} at {start}")
        with disk.opened(file.partial) as descriptor:
            disk.write_at(descriptor, begin + start, view)
        with self._lock:
            self._written += len(view)

    def record(self, works: Iterable[tuple[int, int, int, Any]]) -> None:
        """Record pieces of work, each of which has written and synced some bytes of a file.

        A piece is a number that identifies it, the position of the file in the split, the number of bytes, and a note:
        a JSON value that a run that resumes finds in `done`.
        """
        works = list(works)
        self._journal.append(*map(list, works))
        for number, _, nbytes, note in works:
            self.done[number] = note
            self._written += nbytes

    def _start(self, before: Any = None) -> None:
        """Start anew, and remove what an earlier run left, even if it wrote something else."""
        self._owned = True
        self._remove_partials()
        if before is not None:
            with suppress(ValueError):  # the journal of another program
                self._remove_partials(Run.of_line(before, self._journal.path).files)
        self._journal.clear()
        run = Run(self._identity, self.mark.hex(), len(self.split.files), self._force, self._max_shard_size)
        self._journal.append(run.to_line())
        self._sync_directory()  # the journal is on disk before any partial file is
        for file in self.split.files:
            disk.create(file.partial, file.nbytes, self.mark)
        self._sync_directory()

    def _go_on(self, first: Any, *lines: Any) -> None:
        """Take over what an interrupted run has recorded, except for files that are gone."""
        path = self._journal.path
        run = Run.of_line(first, path)
        self._require_same(run)
        recorded = tasks_of_lines(lines, [file.data_nbytes for file in self.split.files], path)
        self._force, self.mark = run.force, bytes.fromhex(run.mark)
        begun = [_is_partial(file, self.mark) for file in self.split.files]
        published = [
            not there and _is_complete(file) and file.data_nbytes == sum(nbytes for nbytes, _ in tasks.values())
            for file, there, tasks in zip(self.split.files, begun, recorded, strict=True)
        ]
        self._require_free([file for file, there in zip(self.split.files, published, strict=True) if not there])
        self._owned = True
        for position, file in enumerate(self.split.files):
            if not begun[position] and not published[position]:
                self._journal.append([position])  # says that earlier records of this file are void
                recorded[position].clear()
                disk.remove(file.partial)
                disk.create(file.partial, file.nbytes, self.mark)
        self._sync_directory()
        for tasks in recorded:
            for number, (nbytes, note) in tasks.items():
                self.done[number] = note
                self._written += nbytes

    def _is_there(self) -> bool:
        """Tell whether the whole checkpoint exists."""
        return all(map(_is_complete, self.split.files)) and (
            not self.split.index or _holds(self.split.index_path, self.split.index)
        )

    def _require_same(self, run: Run) -> None:
        """Raise ValueError if the interrupted run would write other data; name what differs."""
        ours, theirs = self._identity, run.identity
        different = [key for key in (*ours, *theirs) if ours.get(key) != theirs.get(key)]
        if not different:
            return
        key = different[0]
        if key == "tensors" and run.max_shard_size != self._max_shard_size:
            key, ours, theirs = "max_shard_size", {"max_shard_size": self._max_shard_size}, run.to_line()
        name, before, now = short(key)[1:-1], short(theirs.get(key)), short(ours.get(key))
        raise ValueError(
            f"{name} must be that of the interrupted run, {before}, got {now}: resume with the same, or force to start "
            f"anew ({self._journal.path})"
        )

    def _require_regular(self) -> None:
        """Raise OSError if a directory, a device or the like is where a file should be."""
        path = self.split.path
        if self._given.endswith(os.sep) and os.path.lexists(self._given[:-1]) and not os.path.isdir(self._given):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", self._given)
        for target in (path, self.split.index_path, self._journal.path, *(file.path for file in self.split.files)):
            if os.path.lexists(target) and not os.path.isfile(target):
                raise OSError(errno.EINVAL, "Not a regular file", self._as_given(target))

    def _require_nothing(self) -> None:
        """Raise FileExistsError if there is a checkpoint, or what an interrupted run or another program left."""
        if self._journal.found and not self._resume:
            raise FileExistsError(errno.EEXIST, "Left by an interrupted run", self._journal.path)
        self._require_free(self.split.files)
        for file in self.split.files:
            # A partial file of an earlier run, without records in the journal, is of no use and may be replaced.
            if os.path.lexists(file.partial) and not (self._resume and _begins(file.partial, _MARK)):
                raise FileExistsError(errno.EEXIST, "File exists", file.partial)

    def _require_free(self, files: Sequence[File]) -> None:
        """Raise FileExistsError if a file exists that one of these, or what a reader looks for first, would replace.

        With `force` all may be replaced.
        """
        if self._force:
            return
        path, index = self.split.path, self.split.index_path
        for target in ([path] if self.split.index or files else []) + [index] + [file.path for file in files]:
            if os.path.exists(target) and not (target == index and _holds(index, self.split.index)):
                raise FileExistsError(errno.EEXIST, "File exists", self._as_given(target))

    def _as_given(self, target: str) -> str:
        """Return a path for a message: that of a single file as the user gave it."""
        return self._given if target == self.split.path and not os.path.isdir(self._given) else target

    def _publish(self) -> None:
        """Give the files their names.

        Each step is on disk before the next begins. So not even a power loss leaves an index without its files, or one
        that mixes old and new files.
        """
        if self.complete:
            self._journal.delete()
            return
        if self.left:
            raise ValueError(f"all bytes must be written, got {self.left} less")
        files = [file for file in self.split.files if os.path.exists(file.partial) or not _is_complete(file)]
        for file in files:
            with disk.opened(file.partial) as descriptor:
                for part in (slice(len(self.mark), None), slice(len(self.mark))):  # the mark goes last
                    disk.write_at(descriptor, part.start or 0, memoryview(file.header)[part])
                disk.sync(descriptor)
        path, index = self.split.path, self.split.index_path
        if self.split.index:
            disk.place(self._index_partial, self.split.index)
        self._require_regular()
        self._require_free(files)
        if self._force and self.split.index:
            disk.remove(path)  # a reader would take it for the checkpoint
            disk.remove(index)
            self._sync_directory()
        for file in files:
            os.replace(file.partial, file.path)
        self._sync_directory()
        if self.split.index:
            os.replace(self._index_partial, index)
        elif self._force:
            disk.remove(index)
        self._sync_directory()
        self._journal.delete()

    def _leave(self) -> None:
        """Close the journal. If anything is recorded, files stay to be resumed; if not, remove them."""
        if not self._journal.held:  # another process may hold it
            return
        try:
            if self._owned and len(self._journal.read()) < 2:
                self._remove_partials()
                self._journal.delete()
            elif not self._owned and not self._journal.found:  # opening the journal created it
                self._journal.delete()
        except OSError:
            pass  # the first error matters more
        finally:
            self._journal.close()

    def _remove_partials(self, count: int | None = None) -> None:
        """Delete the partial files of a checkpoint with `count` files; by default, this one."""
        count = count or len(self.split.files)
        for path in paths_of(self.split.path, count):
            disk.remove(path + PARTIAL)
        if count > 1:
            disk.remove(self._index_partial)

    def _sync_directory(self) -> None:
        disk.sync_directory(os.path.dirname(self.split.path))


def _described(split: Split) -> dict[str, Any]:
    """Return what decides where a byte lies in which file; dtypes have an entry, so that an error can name them."""
    headers = blake2b(b"".join(file.header for file in split.files), digest_size=16).hexdigest()
    dtypes = {entry.dtype for file in split.files for entry in file.entries}
    return {"dtypes": sorted(dtypes), "tensors": headers}


def _is_partial(file: File, mark: bytes) -> bool:
    """Tell whether the partial file of the run with this mark exists."""
    begun = _begins(file.partial, mark) or _begins(file.partial, file.header)
    return begun and os.path.getsize(file.partial) == file.nbytes


def _is_complete(file: File) -> bool:
    """Tell whether a file exists with the right size and header; the header is written last."""
    return _begins(file.path, file.header) and os.path.getsize(file.path) == file.nbytes


def _holds(path: str, data: bytes) -> bool:
    """Tell whether a file exists that consists of these bytes."""
    return _begins(path, data) and os.path.getsize(path) == len(data)


def _begins(path: str, data: bytes) -> bool:
    """Tell whether a file exists that begins with these bytes."""
    if not os.path.isfile(path):  # reading from a pipe would wait
        return False
    with open(path, "rb") as existing:
        return existing.read(len(data)) == data
