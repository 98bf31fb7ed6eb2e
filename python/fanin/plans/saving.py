"""Save a plan: draw its parameters straight into a checkpoint, by threads or by any executor."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from .. import _core
from ..checkpoint import Entry, Split, Writer
from ..files import limits
from ..files.validation import as_integer
from ..text import short
from . import chunks, config_file, tasks
from .contents import STREAM, Contents
from .executors import as_completed, workers
from .moments import Group, Moments, groups
from .rows import Row
from .tasks import Task, tasks_of, write


@dataclass(frozen=True, slots=True)
class Saved:
    """Describe what `Plan.save` wrote.

    Attributes
    ----------
    path : str
        The path of the file, or of the index if there are several.
    files : tuple of str
        The paths of the safetensors files.
    groups : tuple of Group
        The parameters by role and scheme, with their expected moments. Observed moments are of what this run drew and
        the runs that it resumed.
    nbytes : int
        The size of all files, in bytes.
    resumed : int
        The bytes of tensors that an interrupted run had written already.
    seconds : float
        The wall-clock time.
    """

    path: str
    files: tuple[str, ...]
    groups: tuple[Group, ...]
    nbytes: int
    resumed: int
    seconds: float


def save(
    plan: Contents,
    path: str | os.PathLike[str],
    *,
    max_shard_size: int | str,
    force: bool,
    resume: bool,
    executor: Executor | None,
    count: int | None,
    progress: Callable[[int], object],
) -> Saved:
    """Write the parameters of a plan to a checkpoint: this is `Plan.save`."""
    start = time.perf_counter()
    table = groups(plan.rows)
    entries = [Entry(row.name, row.dtype, row.shape) for row in plan.rows]
    config = config_file.path_of(plan, path)
    if config is not None:
        config_file.require_free(plan, config, force=force)
    writer = Writer(
        path,
        entries,
        metadata(plan),
        max_shard_size=max_shard_size,
        identity=_origin(plan) | {"cut": [chunks.CHUNK, chunks.WHOLE, tasks.TASK]},
        force=force,
        resume=resume,
    )
    numbers = {key: number for number, key in enumerate(table)}
    found = tuple(table.values())
    with workers(executor, count) as pool, writer:
        resumed = plan.nbytes if writer.complete else plan.nbytes - writer.left
        if resumed:
            progress(resumed)
        for note in writer.done.values():
            _merge(note, found)
        rows = {row.name: (row, numbers[row.group]) for row in plan.rows}
        todo: Iterable[Task] = () if writer.complete else tasks_of(_files(writer.split, rows), plan.seed, writer.mark)
        todo = (task for task in todo if task.number not in writer.done)
        with closing(as_completed(pool, write, todo)) as completed:
            for finished in completed:
                writer.record([(task.number, task.file, task.nbytes, _note(drawn)) for task, drawn in finished])
                for task, drawn in finished:
                    for number, each in drawn.items():
                        found[number].observed.merge(each)
                    progress(task.nbytes)
    if config is not None:
        config_file.place(plan, config)
    split = writer.split
    return Saved(
        split.index_path if split.index else split.path,
        tuple(file.path for file in split.files),
        found,
        split.nbytes,
        resumed,
        time.perf_counter() - start,
    )


def _merge(note: Any, found: Sequence[Group]) -> None:
    """Add the moments in a note of an interrupted run to those of the groups; raise ValueError if the note is wrong."""
    try:
        for number, count, mean, squares in note:
            at = as_integer(number, "a group must be", 0, len(found) - 1)
            size = as_integer(count, "a count must be", 0, limits.ELEMENTS)
            found[at].observed.merge(Moments(size, float(mean), float(squares)))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"the journal must have notes of group, count, mean and squares, got {short(note)}: {error}: force to "
            "start anew"
        ) from None


def _note(drawn: dict[int, Moments]) -> list[list[float]]:
    return [[number, each.count, each.mean, each.squares] for number, each in drawn.items()]


def metadata(plan: Contents) -> dict[str, str]:
    """Return the metadata in the header of every file, which say how it was made."""
    return {"format": "pt", "fanin": json.dumps(_origin(plan), sort_keys=True)}


def _origin(plan: Contents) -> dict[str, Any]:
    """Return what decides the values, besides names, shapes and dtypes, which are in the headers."""
    origin = {
        "version": _core.__version__,
        "stream": STREAM,
        "recipe": plan.recipe.name,
        "recipe_digest": plan.recipe.digest,
        "seed": plan.seed,
    }
    renamed = [[row.name, row.stream] for row in plan.rows if row.stream != row.name]
    if renamed:
        origin["renamed_digest"] = blake2b(json.dumps(renamed).encode(), digest_size=8).hexdigest()
    return origin


def _files(split: Split, rows: dict[str, tuple[Row, int]]) -> Iterator[tuple[str, Iterator[tuple[Row, int, int]]]]:
    for file in split.files:
        yield file.partial, ((*rows[entry.name], file.places[entry.name][0]) for entry in file.entries)
