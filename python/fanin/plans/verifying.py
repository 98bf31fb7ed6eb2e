"""Verify a checkpoint: draw its tensors again and compare every byte."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace

from ..checkpoint import DTYPES, Entry, encode_header
from ..files.regular import open_regular
from ..models.checkpoints import files_of
from ..models.headers import Header
from ..text import printable, short
from .contents import Contents
from .executors import as_completed, workers
from .rows import Row
from .saving import metadata
from .tasks import compare, tasks_of


@dataclass(frozen=True, slots=True)
class Verified:
    """Describe what `Plan.verify` found; it is true if the checkpoint is what the plan draws.

    Attributes
    ----------
    files : tuple of str
        The paths of the safetensors files.
    tensors : int
        The number of tensors that were compared.
    nbytes : int
        Their size in bytes.
    seconds : float
        The wall-clock time.
    problems : tuple of str
        A line for everything that is not as planned.
    """

    files: tuple[str, ...]
    tensors: int
    nbytes: int
    seconds: float
    problems: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether there is no problem."""
        return not self.problems

    def __str__(self) -> str:
        """Return the problems, or that there are none, and what was compared."""
        verdict = "\n".join(map(printable, self.problems)) or "every byte is as planned"
        return f"{verdict}\n{self.tensors} tensors, {self.nbytes:,} bytes compared in {self.seconds:.2f} s"


def verify(
    plan: Contents,
    path: str | os.PathLike[str],
    *,
    executor: Executor | None,
    count: int | None,
    progress: Callable[[int], object],
) -> Verified:
    """Compare a checkpoint with what a plan draws: this is `Plan.verify`."""
    start = time.perf_counter()
    headers = files_of(path)
    origin = metadata(plan)
    rows = {name: row for row in plan.rows for name in (row.name, *row.aliases)}
    skipped = {name for name, _ in plan.skipped}
    problems: list[str] = []
    found: dict[str, list[tuple[Row, int, int]]] = {}
    tensors = nbytes = 0
    for file, header in headers.items():
        problems += _origin_problems(origin, file, header)
        same = found[file] = []
        for name, (dtype, shape) in header.tensors.items():
            row = rows.get(name)
            if row is None:
                problems += [] if name in skipped else [f"{name}: not a parameter of the plan"]
            elif (dtype, shape) != (planned := (DTYPES[row.dtype][0], row.shape)):
                problems.append(
                    f"{name}: {dtype} of shape {shape} in the file, {planned[0]} of {planned[1]} by the plan"
                )
            else:
                same.append((replace(row, name=name), 0, header.places[name][0]))
                tensors, nbytes = tensors + 1, nbytes + row.nbytes
    there = {name for header in headers.values() for name in header.tensors}
    problems += [f"{row.name}: missing" for row in plan.rows if there.isdisjoint((row.name, *row.aliases))]
    different: dict[int, dict[str, str]] = {}
    todo = tasks_of(found.items(), plan.seed)
    with workers(executor, count) as pool, closing(as_completed(pool, compare, todo)) as completed:
        for finished in completed:
            different |= {task.number: differences for task, differences in finished}
            progress(sum(task.nbytes for task, _ in finished))
    first: dict[str, str] = {}
    for number in sorted(different):
        for name, difference in different[number].items():
            first.setdefault(name, difference)
    problems += [f"{name}: {difference}" for name, difference in first.items()]
    return Verified(tuple(headers), tensors, nbytes, time.perf_counter() - start, tuple(problems))


def _origin_problems(origin: dict[str, str], file: str, header: Header) -> Iterator[str]:
    """Yield where the metadata of a file contradict the plan, or its header has bytes that fanin does not write."""
    if "fanin" not in header.metadata:
        return
    told = header.origin
    if not told:
        yield f"{file}: its metadata must say where it is from, got {short(header.metadata['fanin'])}"
        return
    # The release that wrote the file does not matter, since the stream has a version of its own.
    ours = json.loads(origin["fanin"]) | {"version": told.get("version")}
    different = [key for key in ours if told.get(key) != ours[key]]
    yield from (f"{file}: its {key} is {short(told.get(key))}, the plan's {ours[key]!r}" for key in different)
    names = {code: name for name, (code, _) in DTYPES.items()}
    if not different and all(dtype in names for dtype, _ in header.tensors.values()):
        entries = [Entry(name, names[dtype], shape) for name, (dtype, shape) in header.tensors.items()]
        expected = encode_header(entries, origin | {"fanin": json.dumps(ours, sort_keys=True)})
        with open_regular(file) as existing:
            if existing.read(len(expected)) != expected:
                yield f"{file}: its header is not the one that fanin writes for these tensors"
