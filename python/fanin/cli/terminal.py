"""Print what the commands for whole models report: progress, results, and what the file system refused."""

from __future__ import annotations

import codecs
import errno
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import text
from ..checkpoint import Split
from ..plans import Plan, Saved, Verified
from ..plans.table import shorten
from ..text import count, si
from .errors import CommandError

_MOST_PROBLEMS = 20
_HEADINGS = [("group", "scheme"), ("parameters", "tensors"), ("mean", "observed"), ("std", "observed")]
_PLAIN = str.maketrans({"×": "x", "·": "*", "√": "sqrt ", "²": "^2", "–": "-", "─": "-", "…": "..."})


def prepare_streams() -> None:
    """Prepare standard output and error such that printing never fails: not in ASCII, nor where they are closed."""
    codecs.register_error("fanin.plain", _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="fanin.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding does not have."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end].translate(_PLAIN)
    return text.encode("ascii", "backslashreplace").decode(), error.end


def encodable(text: str) -> str:
    """Return a text as standard output will print it: where it has no √, "sqrt" makes a line longer before wrapping."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "fanin.plain").decode(encoding)


@contextmanager
def progress_bar(nbytes: int, *, visible: bool) -> Iterator[Callable[[int], object]]:
    """Yield a function to call with numbers of bytes. A bar on standard error, if it is a terminal, shows their sum."""
    if not visible or not sys.stderr.isatty():
        yield lambda piece: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = BarColumn(bar_width=None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        task = progress.add_task("", total=nbytes)
        yield lambda piece: progress.advance(task, piece)


def print_saved(plan: Plan, saved: Saved) -> None:
    """Print a table of what was written, expected beside observed moments, and the time it took."""
    rows = []
    for group in saved.groups:
        expected, observed = group.expected, group.observed
        seen = observed.count > 0
        rows.append(
            [
                (group.role, shorten(group.scheme)),
                (f"{expected.count:,}", f"{group.tensors}"),
                (f"{expected.mean:.6g}", f"{observed.mean:.2g}" if seen else "–"),
                (f"{expected.std:.6g}", (f"{observed.std:#.6g}" if observed.std else "0") if seen else "–"),
            ]
        )
    width = text.terminal_width()
    print(text.render(_HEADINGS, rows, width, right="parameters tensors mean observed std"), end="\n\n")
    dtypes = ", ".join(dict.fromkeys(row.dtype for row in plan.rows))
    files = f", {len(saved.files)} files" if len(saved.files) > 1 else ""
    what = f"{count(len(plan), 'tensor')}, {plan.size:,} parameters, {dtypes}, seed {plan.seed}{files}"
    print(text.wrapped(f"{_shown(saved.path)}: {what}", width))
    if saved.resumed:
        took = f"{si(saved.resumed)}B were there; {si(plan.nbytes - saved.resumed)}B more in {saved.seconds:.2f} s"
    else:
        rates = f"{si(plan.size / saved.seconds)} parameters/s, {si(saved.nbytes / saved.seconds)}B/s"
        took = f"{si(saved.nbytes)}B in {saved.seconds:.2f} s: {rates}"
    print(text.wrapped(took, width))


def _shown(path: str) -> str:
    """Return a path as it is or relative to the working directory, whichever is shorter."""
    try:
        return min(path, os.path.relpath(path), key=len)
    except ValueError:  # on another drive
        return path


def print_verified(verified: Verified) -> None:
    """Print the problems found, or that there are none, and the time it took."""
    found, width = len(verified.problems), text.terminal_width()
    for problem in verified.problems[:_MOST_PROBLEMS]:
        print(text.wrapped(problem, width))
    if found > _MOST_PROBLEMS:
        print(f"… and {count(found - _MOST_PROBLEMS, 'problem')} more")
    rate = f"{si(verified.nbytes)}B in {verified.seconds:.2f} s, {si(verified.nbytes / verified.seconds)}B/s"
    verdict = count(found, "problem") if found else "every byte is as planned"
    print(text.wrapped(f"{count(verified.tensors, 'tensor')}, {rate}: {verdict}", width))


def write_json(path: str | None, data: dict[str, Any]) -> None:
    """Write a result to a file, or to standard output where the path is -."""
    if path is None:
        return
    text = json.dumps(data, indent=1, allow_nan=False) + "\n"
    if path == "-":
        print(text, end="")
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"cannot write {path!r}: {error.strerror}") from error


def explain(error: OSError, path: str, nbytes: int) -> str:
    """Say what the file system refused and what the user can do."""
    folder = os.path.dirname(Split.of(path, ()).path)  # the path itself if that is a directory
    place = error.filename if isinstance(error.filename, str) else path
    match error.errno:
        case errno.EEXIST if str(error.filename).endswith(".journal"):
            text = f"{error.filename} is left by an interrupted run; pass --resume to go on, --force to start anew"
        case errno.EEXIST if str(error.filename).endswith(".partial"):
            text = f"{error.filename} is left by another program; pass --force to replace it"
        case errno.EEXIST:
            text = f"{error.filename} exists; pass --force to replace it"
        case errno.EBUSY:
            text = f"{path} is being written by another process; wait for it, or write elsewhere"
        case errno.ENOSPC | errno.EDQUOT:
            free = shutil.disk_usage(folder).free
            text = f"{path} takes {si(nbytes)}B, {folder} has {si(free)}B free; make room or write elsewhere"
        case errno.EFBIG:
            text = (
                f"{path} takes {si(nbytes)}B, more than a file may have here; see `ulimit -f`, pass --max-shard-size, "
                "or write elsewhere"
            )
        case errno.ENOENT | errno.ENOTDIR if not os.path.isdir(folder):
            missing = path if error.errno == errno.ENOTDIR else folder
            text = f"there is no directory {missing}; create it or write elsewhere"
        case errno.ENOENT:
            text = f"{folder} takes no new files: {error.strerror}; write elsewhere"
        case errno.EINVAL | errno.ELOOP if os.path.lexists(place) and (
            os.path.islink(place) or not os.path.isfile(place)
        ):
            kind = "a symbolic link, which is not followed" if os.path.islink(place) else "not a regular file"
            text = f"cannot write {path}: {place} is {kind}; remove it or write elsewhere"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            text = f"cannot write in {folder}: {error.strerror}; change its permissions or write elsewhere"
        case _:
            text = f"cannot write {path}: {error.strerror}"
    return text
