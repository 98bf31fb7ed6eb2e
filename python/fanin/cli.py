"""The command line: `fanin init`, `fanin recommend`, `fanin info`, and those of cli_diagnose.py."""

from __future__ import annotations

import argparse
import errno
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from . import __version__, cli_diagnose, info, schemes
from .checkpoint import DTYPES
from .cli_diagnose import CommandError, activation
from .models import MODELS
from .plan import Plan, Saved
from .recipes import RECIPES
from .recommendation import LAYERS, recommend, review


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the result is its exit status.

    0, or 1 after an error, 2 for wrong usage, 130 after Ctrl-C. An error is one line on standard error.

    Examples
    --------
    >>> main(["info"])  # doctest: +ELLIPSIS
    version ...
    0
    """
    try:
        arguments = _parser().parse_args(argv)
        status = arguments.run(arguments) or 0
        sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        return _fail("interrupted", status=130)
    except (CommandError, ValueError) as error:  # ValueError: FANIN_FORCE_ISA or FANIN_NUM_THREADS is wrong
        return _fail(str(error))
    except OSError as error:
        # Standard output is closed or full. What is left in its buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(f"cannot write to standard output: {error.strerror}")
    return int(status)


def _fail(message: str, status: int = 1) -> int:
    print(f"fanin: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("fanin", description="Initial weights for neural networks, the same everywhere.")
    parser.add_argument("--version", action="version", version=f"fanin {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="write the initial weights of a model to a safetensors file")
    init.add_argument("model", choices=sorted(MODELS.keys() & RECIPES.keys()), help="which model: %(choices)s")
    init.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")
    init.add_argument("--seed", type=_seed, default=0, help="an integer in [0, 2^64); default %(default)s")
    init.add_argument("--dtype", choices=DTYPES, default="float32", help="%(choices)s; default %(default)s")
    init.add_argument("--force", action="store_true", help="replace an existing file")
    init.add_argument("--quiet", action="store_true", help="print nothing but errors")
    init.set_defaults(run=_init)

    advise = commands.add_parser("recommend", help="say which scheme suits a layer, and why")
    advise.add_argument(
        "--activation",
        type=activation,
        default="relu",
        help="what follows the layer, as leaky_relu:0.2; default %(default)s",
    )
    advise.add_argument("--layer", choices=LAYERS, default="linear", help="%(choices)s; default %(default)s")
    advise.add_argument("--depth", type=int, metavar="N", help="layers of the network, or its residual blocks")
    advise.add_argument("--norm", action="store_true", help="every layer is normalized")
    advise.add_argument("--residual", action="store_true", help="the layer is in a residual branch")
    advise.add_argument(
        "--layout", default="OI", help="OI: (out, in, *spatial), IO: (*spatial, in, out); default %(default)s"
    )
    advise.add_argument("--shape", type=_shape, metavar="OxI", help="of the weight, as 4096x1024: prints its std")
    advise.add_argument("--std", type=float, metavar="STD", help="with --shape, says what is wrong with this std")
    advise.set_defaults(run=_recommend)

    cli_diagnose.add_commands(commands)

    info = commands.add_parser("info", help="print version, instruction sets, threads, OpenMP and CUDA")
    info.set_defaults(run=_info)
    return parser


def _seed(text: str) -> int:
    if text.isdecimal() and int(text) < 2**64:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer in [0, 2^64), got {text!r}")


def _shape(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"\d+([x,]\d+)*", text):
        return tuple(map(int, re.split("[x,]", text)))
    raise argparse.ArgumentTypeError(f"must be sizes as 4096x1024, got {text!r}")


def _recommend(arguments: argparse.Namespace) -> None:
    situation = {"depth": arguments.depth, "layout": arguments.layout}
    advice = recommend(
        arguments.activation, arguments.layer, norm=arguments.norm, residual=arguments.residual, **situation
    )
    lines = {"scheme": advice.name, "exactly": _shorten(advice.scheme.describe())}
    if arguments.shape:
        lines["std"] = f"{advice.std(arguments.shape):.6g} for {'x'.join(map(str, arguments.shape))}"
    lines |= {"why": advice.why, "source": advice.source}
    if arguments.std is not None:
        if not arguments.shape:
            raise CommandError("--std needs --shape, from which the weight's fans follow")
        scheme = schemes.normal(std=arguments.std)
        problems = review(scheme, arguments.shape, activation=arguments.activation, layer=arguments.layer, **situation)
        lines[f"std {arguments.std:g}"] = " ".join(problems) or "is fine"
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 1000
    margin = max(map(len, lines)) + 2
    for heading, text in lines.items():
        print(textwrap.fill(text, width, initial_indent=heading.ljust(margin), subsequent_indent=" " * margin))


def _info(arguments: argparse.Namespace) -> None:
    print(info())


def _init(arguments: argparse.Namespace) -> None:
    plan = Plan(MODELS[arguments.model](), RECIPES[arguments.model]())
    nbytes = plan.nbytes(arguments.dtype)
    visible = sys.stderr.isatty() and not arguments.quiet
    try:
        with _progress(nbytes, visible=visible) as advance:
            saved = plan.save(
                arguments.output, seed=arguments.seed, dtype=arguments.dtype, force=arguments.force, progress=advance
            )
    except OSError as error:
        raise CommandError(_explain(error, arguments.output, nbytes)) from error
    if not arguments.quiet:
        _report(saved, arguments)


def _explain(error: OSError, path: str, nbytes: int) -> str:
    """What the file system refused, in the user's terms."""
    folder = os.path.dirname(os.path.realpath(path))
    match error.errno:
        case errno.EEXIST if error.filename == path:
            text = f"{path} exists; pass --force to replace it"
        case errno.EEXIST:
            text = f"{error.filename} is in use, or left from an interrupted run; pass --force to replace it"
        case errno.ENOSPC | errno.EDQUOT:
            free = shutil.disk_usage(folder).free
            text = f"{path} takes {_si(nbytes)}B, {folder} has {_si(free)}B free; make room or write elsewhere"
        case errno.EFBIG:
            text = f"{path} takes {_si(nbytes)}B, more than a file may have here; see `ulimit -f` or write elsewhere"
        case errno.EISDIR:
            text = f"{path} is a directory; name a file, such as {os.path.join(path, 'gpt2.safetensors')}"
        case errno.ENOENT | errno.ENOTDIR:
            text = f"there is no directory {folder}; create it or write elsewhere"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            text = f"cannot write in {folder}: {error.strerror}; change its permissions or write elsewhere"
        case _:
            text = f"cannot write {path}: {error.strerror}"
    return text


@contextmanager
def _progress(nbytes: int, *, visible: bool) -> Iterator[Callable[[int], object]]:
    """A function to call with the number of bytes after each piece; a bar on standard error shows their sum."""
    if not visible:
        yield lambda piece: None
        return
    columns = BarColumn(bar_width=None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        task = progress.add_task("", total=nbytes)
        yield lambda piece: progress.advance(task, piece)


def _report(saved: Saved, arguments: argparse.Namespace) -> None:
    """Print the table of a saved plan, expected beside observed, and what it took."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = 200  # nobody's terminal: one line for each group
    table = _table(saved, stacked=False)
    if console.measure(table, options=console.options.update(max_width=200)).maximum > console.width:
        table = _table(saved, stacked=True)
    console.print(table)
    tensors = sum(group.tensors for group in saved.groups)
    parameters = sum(group.expected.count for group in saved.groups)
    console.print(
        f"\n{arguments.output}: {tensors} tensors, {parameters:,} parameters, {arguments.dtype}, seed {arguments.seed}"
    )
    console.print(
        f"{_si(saved.nbytes)}B in {saved.seconds:.2f} s: "
        f"{_si(parameters / saved.seconds)} parameters/s, {_si(saved.nbytes / saved.seconds)}B/s"
    )


def _table(saved: Saved, *, stacked: bool) -> Table:
    """One line for each group or, stacked for a narrow terminal, two, with what belongs together in one column."""

    def cells(*pairs: tuple[str, str]) -> list[Text]:
        if stacked:
            return [Text.assemble(first, "\n", (second, "dim")) for first, second in pairs]
        return [Text(cell) for pair in pairs for cell in pair]

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in cells(("group", "scheme"), ("parameters", "tensors"), ("mean", "observed"), ("std", "observed")):
        left = heading.plain.startswith(("group", "scheme"))
        table.add_column(heading, justify="left" if left else "right", overflow="fold", no_wrap=not left)
    for group in saved.groups:
        expected, observed = group.expected, group.observed
        table.add_row(
            *cells(
                (group.role, _shorten(group.scheme)),
                (f"{expected.count:,}", f"{group.tensors}"),
                (f"{expected.mean:.6g}", f"{observed.mean:.2g}"),
                (f"{expected.std:.6g}", f"{observed.std:#.6g}" if observed.std else "0"),
            )
        )
    return table


def _shorten(text: str) -> str:
    """Numbers to six digits.

    Examples
    --------
    >>> _shorten("normal(mean=0, std=0.004082482904638631)")
    'normal(mean=0, std=0.00408248)'
    """
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda number: f"{float(number[0]):.6g}", text)


def _si(value: float) -> str:
    """Three digits and a decimal prefix, ready for a unit.

    Examples
    --------
    >>> _si(497_774_096) + "B"
    '498 MB'
    """
    power = 0
    while value >= 999.5 and power < 5:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {['', 'k', 'M', 'G', 'T', 'P'][power]}"
