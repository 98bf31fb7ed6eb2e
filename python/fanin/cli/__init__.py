"""Run the command line: plan, write and verify initial weights, recommend, diagnose, and describe the build."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import _core
from ..info import info
from ..text import printable
from . import diagnose, plans, recommend
from .errors import CommandError
from .terminal import prepare_streams

_STATUS = "exit status: 0 done; 1 an error, or not as planned; 2 wrong usage; 130 interrupted"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status. An error is one line on standard error.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the name of the program. Default: those of this process.

    Returns
    -------
    int
        0; 1 after an error, or if `verify` or `audit` finds something; 2 after wrong usage; 130 after Ctrl-C; 141 if
        the reader of a pipe has gone.

    Examples
    --------
    >>> main(["info"])  # doctest: +ELLIPSIS
    version ...
    0
    """
    prepare_streams()
    try:
        status = _run(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("interrupted", status=130)
    except CommandError as error:
        return _fail(str(error), error.status)
    except (ValueError, TypeError) as error:
        return _fail(str(error))
    except OSError as error:
        # Standard output is closed or full. What is left in its buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # `fanin plan … | head` ends so, which is no error
            return 128 + 13
        return _fail(f"cannot write to standard output: {error.strerror}")
    return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:  # after --help, --version, and wrong usage
        return stop.code if isinstance(stop.code, int) else 0
    return int(arguments.run(arguments) or 0)


def _fail(message: str, status: int = 1) -> int:
    print(f"fanin: {printable(' '.join(message.split()))}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "fanin", description="Initial weights for neural networks, the same everywhere.", epilog=_STATUS
    )
    parser.add_argument("--version", action="version", version=f"fanin {_core.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    plans.add_commands(commands)
    recommend.add_command(commands)
    diagnose.add_commands(commands)
    command = commands.add_parser("info", help="print version, instruction sets, threads, OpenMP and CUDA")
    command.set_defaults(run=_info)
    return parser


def _info(arguments: argparse.Namespace) -> None:
    print(info())
