"""Split a checkpoint into files, by Hugging Face's conventions, and say where each tensor lies in them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise

from .format import Entry, encode_header, in_file_order

MAX_SHARD_SIZE = "50GB"  # the default of transformers 5
PARTIAL = ".partial"
_SUFFIX = ".safetensors"
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?) *([kMGT]?)B", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class File:
    """Describe a safetensors file: its path, its tensors in their order, and the bytes before their data."""

    path: str
    entries: tuple[Entry, ...]
    header: bytes

    @property
    def partial(self) -> str:
        """The path of the file until it is complete."""
        return self.path + PARTIAL

    @cached_property
    def data_nbytes(self) -> int:
        """The size of all tensors in bytes."""
        return sum(entry.nbytes for entry in self.entries)

    @property
    def nbytes(self) -> int:
        """The size of the whole file in bytes."""
        return len(self.header) + self.data_nbytes

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """The first byte of each tensor's data in the file, and the byte after the last, by name."""
        ends = accumulate((entry.nbytes for entry in self.entries), initial=len(self.header))
        return {entry.name: place for entry, place in zip(self.entries, pairwise(ends), strict=True)}


@dataclass(frozen=True)
class Split:
    """Describe the files of a checkpoint.

    Attributes
    ----------
    path : str
        The path that a single file has, or would have.
    files : tuple of File
        The file of that path, or several called `model-00001-of-00003.safetensors` and so on, beside an index.
    index : bytes
        The content of the index; empty if there is one file.

    Examples
    --------
    >>> tensors = [Entry("a", "float32", (300,)), Entry("b", "float32", (200,))]
    >>> split = Split.of("model.safetensors", tensors, max_shard_size="1.5kB")
    >>> [os.path.basename(file.path) for file in split.files]
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
    """

    path: str
    files: tuple[File, ...]
    index: bytes

    @property
    def index_path(self) -> str:
        """The path that an index has, or would have."""
        return self.path.removesuffix(_SUFFIX) + _SUFFIX + ".index.json"

    @property
    def nbytes(self) -> int:
        """The size of all files but the index, in bytes."""
        return sum(file.nbytes for file in self.files)

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        entries: Iterable[Entry],
        metadata: Mapping[str, str] | None = None,
        *,
        max_shard_size: int | str = MAX_SHARD_SIZE,
    ) -> Split:
        """Decide which files hold these tensors.

        Parameters
        ----------
        path : str or path-like
            The path of a single file, or a directory that exists or ends with a slash, which stands for its
            `model.safetensors`. Symbolic links are followed.
        entries : iterable of Entry
            The tensors, in the order in which they fill one file after another.
        metadata : mapping of str to str, optional
            Free text for the header of every file. Default: none.
        max_shard_size : int or str
            The largest number of bytes of tensors in a file: an int, or text such as "500MB"; a larger tensor gets a
            file of its own. Default "50GB".
        """
        target = os.path.realpath(path)
        if os.path.isdir(target) or os.fspath(path).endswith(os.sep):
            target = os.path.join(target, "model" + _SUFFIX)
        shards = list(_shards(entries, parse_size(max_shard_size))) or [[]]
        paths = paths_of(target, len(shards))
        files = tuple(_file(path, shard, metadata) for path, shard in zip(paths, shards, strict=True))
        return cls(target, files, _index(files) if len(files) > 1 else b"")


def paths_of(path: str, count: int) -> list[str]:
    """Return the paths of `count` files that take the place of a single one."""
    stem = path.removesuffix(_SUFFIX)
    return [path] if count == 1 else [f"{stem}-{i:05d}-of-{count:05d}{_SUFFIX}" for i in range(1, count + 1)]


def parse_size(size: int | str) -> int:
    """Return a number of bytes, given as an int or as text with a decimal unit; raise ValueError for anything else.

    Examples
    --------
    >>> parse_size("5GB"), parse_size("1.5 kB"), parse_size(100)
    (5000000000, 1500, 100)
    """
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if match and (number := int(Fraction(match[1]) * _UNITS[match[2].upper()])) > 0:
        return number
    raise ValueError(
        f"max_shard_size must be a positive number of bytes, or text such as '5GB' or '500MB', got {size!r}"
    )


def _shards(entries: Iterable[Entry], most: int) -> Iterator[list[Entry]]:
    """Yield the tensors of each file, in the order in which huggingface_hub completes the files."""
    shard: list[Entry] = []
    size = 0
    for entry in entries:
        if entry.nbytes > most:  # it gets a file of its own, and does not end the one that is being filled
            yield [entry]
            continue
        if size + entry.nbytes > most:
            yield shard
            shard, size = [], 0
        shard.append(entry)
        size += entry.nbytes
    if shard:
        yield shard


def _file(path: str, entries: Iterable[Entry], metadata: Mapping[str, str] | None) -> File:
    ordered = in_file_order(entries)
    return File(path, ordered, encode_header(ordered, metadata))


def _index(files: Iterable[File]) -> bytes:
    """Return the index as `save_pretrained` of transformers writes it."""
    places = {entry.name: os.path.basename(file.path) for file in files for entry in file.entries}
    entries = [entry for file in files for entry in file.entries]
    if len(places) != len(entries):
        raise ValueError("name must be unique in a checkpoint")
    sizes = {
        "total_parameters": sum(entry.nbytes // entry.itemsize for entry in entries),
        "total_size": sum(entry.nbytes for entry in entries),
    }
    return json.dumps({"metadata": sizes, "weight_map": places}, indent=2, sort_keys=True).encode() + b"\n"
