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

from ..files.validation import short
from . import disk
from .format import Entry
from .journal import Journal
from .record import Run, tasks_of_lines
from .split import MAX_SHARD_SIZE, PARTIAL, File, Split, parse_size, paths_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

_MARK = b"partial "  # eight bytes, as the length of a header: too much for any reader


class Writer:
    """Safetensors files that appear under their names only once all of them are complete, the index last.

    A context manager. Tensors' data comes in pieces of any size and order, from any thread by `write`, or from any
    process, which writes to `File.partial` itself. A piece of work that is on disk may be put on record, and need not
    be done again by a run that resumes. Until all is done files are called `<path>.partial` and begin not with a header
    but with `mark`, so that nothing can load them, and so that what still works for a run that is gone knows whether a
    file is its own. An error or an interruption before anything is on record leaves no file; after that, what
    there is stays, to be resumed.

    Parameters
    ----------
    path : str or path-like
        See `Split.of`, as for entries, metadata, max_shard_size; attribute `split` is the result.
    entries : iterable of Entry
        All tensors.
    metadata : mapping of str to str, optional
        Free text for every file's header.
    max_shard_size : int or str
        Most bytes of tensors in a file.
    identity : mapping of str to JSON values, optional
        What decides the data: a run of another identity is not resumed. Beside it, all headers count.
    force : bool
        Replace an existing checkpoint, once the new one is complete, and at once what an interrupted run left behind.
    resume : bool
        Go on where an interrupted run of the same identity stopped, and replace what that was to replace; start where
        there is none. A complete checkpoint of the same headers is left as it is, and attribute `complete` says so.

    Raises
    ------
    FileExistsError
        If the checkpoint, or what an interrupted run left, exists, and neither force nor resume is given.
    ValueError
        If what an interrupted run left is of another identity; for `force` with `resume`.
    OSError
        EBUSY while another process writes the same checkpoint; whatever else the file system refuses. Space is reserved
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
        self._owned = False  # whether journal and partial files are of this run, or of one that it resumes
        self._lock = Lock()

    @property
    def left(self) -> int:
        """Bytes of tensors that are yet to be written."""
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
        """Write a C-contiguous buffer at byte `start` of a tensor; ValueError beyond its end."""
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
        """Put on record pieces of work, each one that wrote and synced so many bytes of a file.

        Each has any number of its own, the position of the file in the split, the bytes, and a note, a JSON value that
        comes back in `done` when a later run resumes.
        """
        works = list(works)
        self._journal.append(*map(list, works))
        for number, _, nbytes, note in works:
            self.done[number] = note
            self._written += nbytes

    def _start(self, before: Any = None) -> None:
        """Begin with nothing, also of a run before, whatever it was of."""
        self._owned = True
        self._remove_partials()
        if before is not None:
            with suppress(ValueError):  # of a journal that is not ours
                self._remove_partials(Run.of_line(before, self._journal.path).files)
        self._journal.clear()
        run = Run(self._identity, self.mark.hex(), len(self.split.files), self._force, self._max_shard_size)
        self._journal.append(run.to_line())
        self._sync_directory()  # no partial file without its journal
        for file in self.split.files:
            disk.create(file.partial, file.nbytes, self.mark)
        self._sync_directory()

    def _go_on(self, first: Any, *lines: Any) -> None:
        """Take what an interrupted run has on record, unless its file is gone."""
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
                self._journal.append([position])  # what is on record of it is void, also for the runs to come
                recorded[position].clear()
                disk.remove(file.partial)
                disk.create(file.partial, file.nbytes, self.mark)
        self._sync_directory()
        for tasks in recorded:
            for number, (nbytes, note) in tasks.items():
                self.done[number] = note
                self._written += nbytes

    def _is_there(self) -> bool:
        """Whether the whole checkpoint is there."""
        return all(map(_is_complete, self.split.files)) and (
            not self.split.index or _holds(self.split.index_path, self.split.index)
        )

    def _require_same(self, run: Run) -> None:
        """ValueError that names what decides the data and is another in the interrupted run."""
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
        """OSError where a directory, a device or the like is where a file should be."""
        path = self.split.path
        if self._given.endswith(os.sep) and os.path.lexists(self._given[:-1]) and not os.path.isdir(self._given):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", self._given)
        for target in (path, self.split.index_path, self._journal.path, *(file.path for file in self.split.files)):
            if os.path.lexists(target) and not os.path.isfile(target):
                raise OSError(errno.EINVAL, "Not a regular file", self._as_given(target))

    def _require_nothing(self) -> None:
        """FileExistsError where there is a checkpoint, or what an interrupted run or another program left."""
        if self._journal.found and not self._resume:
            raise FileExistsError(errno.EEXIST, "Left by an interrupted run", self._journal.path)
        self._require_free(self.split.files)
        for file in self.split.files:
            # One of ours whose journal says nothing is of no use to any run.
            if os.path.lexists(file.partial) and not (self._resume and _begins(file.partial, _MARK)):
                raise FileExistsError(errno.EEXIST, "File exists", file.partial)

    def _require_free(self, files: Sequence[File]) -> None:
        """FileExistsError where a file is that these, or what a reader would look for first, shall replace unasked."""
        if self._force:
            return
        path, index = self.split.path, self.split.index_path
        for target in ([path] if self.split.index or files else []) + [index] + [file.path for file in files]:
            if os.path.exists(target) and not (target == index and _holds(index, self.split.index)):
                raise FileExistsError(errno.EEXIST, "File exists", self._as_given(target))

    def _as_given(self, target: str) -> str:
        """The path of a single file as the user gave it."""
        return self._given if target == self.split.path and not os.path.isdir(self._given) else target

    def _publish(self) -> None:
        """Give the files their names.

        Each step is on disk before the next, so that a power loss too leaves no index without its files, nor one that
        stands for files old and new.
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
        """Let go: what is on record stays, to be resumed, and without a record nothing does."""
        if not self._journal.held:  # another process may hold it
            return
        try:
            if self._owned and len(self._journal.read()) < 2:
                self._remove_partials()
                self._journal.delete()
            elif not self._owned and not self._journal.found:  # it was made by opening it
                self._journal.delete()
        except OSError:
            pass  # what went wrong before matters more
        finally:
            self._journal.close()

    def _remove_partials(self, count: int | None = None) -> None:
        """Delete what is not complete, of this many files."""
        count = count or len(self.split.files)
        for path in paths_of(self.split.path, count):
            disk.remove(path + PARTIAL)
        if count > 1:
            disk.remove(self._index_partial)

    def _sync_directory(self) -> None:
        disk.sync_directory(os.path.dirname(self.split.path))


def _described(split: Split) -> dict[str, Any]:
    """What decides where in which file a byte is; the dtypes apart, so that an error can name them."""
    headers = blake2b(b"".join(file.header for file in split.files), digest_size=16).hexdigest()
    dtypes = {entry.dtype for file in split.files for entry in file.entries}
    return {"dtypes": sorted(dtypes), "tensors": headers}


def _is_partial(file: File, mark: bytes) -> bool:
    """Whether what the run of this mark wrote so far is there."""
    begun = _begins(file.partial, mark) or _begins(file.partial, file.header)
    return begun and os.path.getsize(file.partial) == file.nbytes


def _is_complete(file: File) -> bool:
    """Whether the file is there, with our header, which is written last."""
    return _begins(file.path, file.header) and os.path.getsize(file.path) == file.nbytes


def _holds(path: str, data: bytes) -> bool:
    """Whether a file is there, of these bytes."""
    return _begins(path, data) and os.path.getsize(path) == len(data)


def _begins(path: str, data: bytes) -> bool:
    """Whether a file is there that begins with these bytes."""
    if not os.path.isfile(path):  # a pipe would not answer
        return False
    with open(path, "rb") as existing:
        return existing.read(len(data)) == data
