"""Report an error of a command as one line that says what to do."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class CommandError(Exception):
    """Say in one line what went wrong and what to do; the process ends with `status`."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def reads_files(run: Callable[[argparse.Namespace], Result]) -> Callable[[argparse.Namespace], Result]:
    """Decorate a command such that a file or a library that is missing becomes one line that names it."""

    @functools.wraps(run)
    def reported(arguments: argparse.Namespace) -> Result:
        try:
            return run(arguments)
        except OSError as error:
            if error.filename is None:  # standard output's
                raise
            raise CommandError(f"cannot open {error.filename}: {error.strerror}") from error
        except ImportError as error:
            raise CommandError(str(error)) from error

    return reported
