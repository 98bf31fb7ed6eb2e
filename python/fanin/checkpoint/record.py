"""Write and read the lines of a journal; what is read may come from another program, and is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..files import limits
from ..files.validation import as_integer
from ..text import short

_MARK = 32  # the number of hexadecimal digits in the mark of a run


@dataclass(frozen=True, slots=True)
class Run:
    """Describe a run, as the first line of its journal does.

    Parameters
    ----------
    identity : dict
        What decides the data that it writes.
    mark : str
        The bytes that its partial files begin with, in hexadecimal digits.
    files : int
        The number of its files.
    force : bool
        Whether it replaces an existing checkpoint.
    max_shard_size : int
        The largest number of bytes of tensors in a file.
    """

    identity: Mapping[str, Any]
    mark: str
    files: int
    force: bool
    max_shard_size: int

    def to_line(self) -> dict[str, Any]:
        """Return the line as JSON can hold it."""
        return asdict(self)

    @classmethod
    def of_line(cls, line: Any, path: str) -> Run:
        """Read a run from a line; raise ValueError, which names file, key and value, if the line is wrong."""
        where = f"{path}: line 1:"
        if not isinstance(line, dict) or line.keys() != set(cls.__slots__):
            got = short(sorted(line)) if isinstance(line, dict) else short(line)
            raise ValueError(f"{where} it must be an object of {', '.join(cls.__slots__)}, got {got}{_WAY_ON}")
        for key, kind, words in (("identity", dict, "an object"), ("mark", str, "a string"), ("force", bool, "a bool")):
            if not isinstance(line[key], kind):
                raise ValueError(f"{where} {key} must be {words}, got {short(line[key])}{_WAY_ON}")
        mark = line["mark"]
        if len(mark) != _MARK or not set(mark) <= set("0123456789abcdef"):
            raise ValueError(f"{where} mark must be {_MARK} hexadecimal digits, got {short(mark)}{_WAY_ON}")
        files = _integer(line["files"], f"{where} files must be", 1, limits.FILES)
        largest = _integer(line["max_shard_size"], f"{where} max_shard_size must be", 1, limits.ELEMENTS)
        return cls(line["identity"], mark, files, line["force"], largest)


def tasks_of_lines(lines: Iterable[Any], sizes: Sequence[int], path: str) -> list[dict[int, tuple[int, Any]]]:
    """Return the recorded tasks of each file: bytes and note, by the number of the task.

    A line is a task, [number, file, bytes, note], or [file], which says that earlier records of that file are void.
    `sizes` are those of the files. Raise ValueError as `Run.of_line` does.
    """
    found: list[dict[int, tuple[int, Any]]] = [{} for _ in sizes]
    for number, line in enumerate(lines, 2):
        where = f"{path}: line {number}:"
        if not isinstance(line, list) or len(line) not in (1, 4):
            raise ValueError(f"{where} it must be [file] or [task, file, bytes, note], got {short(line)}{_WAY_ON}")
        file = _integer(line[len(line) > 1], f"{where} file must be", 0, len(sizes) - 1)
        if len(line) == 1:
            found[file].clear()
            continue
        task = _integer(line[0], f"{where} task must be", 0, limits.ELEMENTS)
        found[file][task] = _integer(line[2], f"{where} bytes must be", 0, limits.ELEMENTS), line[3]
    for file, (tasks, size) in enumerate(zip(found, sizes, strict=True)):
        if (told := sum(nbytes for nbytes, _ in tasks.values())) > size:
            raise ValueError(f"{path}: file {file} must have at most {size} bytes on record, got {told}{_WAY_ON}")
    return found


_WAY_ON = ": force to start anew"


def _integer(value: Any, must: str, low: int, high: int) -> int:
    try:
        return as_integer(value, must, low, high)
    except ValueError as error:
        raise ValueError(f"{error}{_WAY_ON}") from None
