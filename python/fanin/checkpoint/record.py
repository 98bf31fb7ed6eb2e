"""What a run puts on record in its journal, and what a journal that may be another's must say to be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..files import limits
from ..files.validation import as_integer, short

_MARK = 32  # hexadecimal digits of a run's mark


@dataclass(frozen=True, slots=True)
class Run:
    """The first line: which run it is.

    Parameters
    ----------
    identity : dict
        What decides the data.
    mark : str
        What its partial files begin with, in hexadecimal digits.
    files : int
        How many they are.
    force : bool
        Whether it replaces what is there.
    max_shard_size : int
        Most bytes of tensors in a file.
    """

    identity: Mapping[str, Any]
    mark: str
    files: int
    force: bool
    max_shard_size: int

    def to_line(self) -> dict[str, Any]:
        """The line as JSON holds it."""
        return asdict(self)

    @classmethod
    def of_line(cls, line: Any, path: str) -> Run:
        """The run that a line tells of; ValueError, which names file, key and value, where it tells of none."""
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
    """The tasks on record for each file of these sizes: their bytes and notes, by number; ValueError as for `Run`.

    A line is a task, [number, file, bytes, note], or [file], after which what was on record of that file is void.
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
