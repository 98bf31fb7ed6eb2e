"""What a command tells of an error: one line that says what to do."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class CommandError(Exception):
    """What went wrong and what to do, in one line; `status` is what the process ends with."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def reads_files(run: Callable[[argparse.Namespace], Result]) -> Callable[[argparse.Namespace], Result]:
    """A file or a library that is missing is the user's to mend: one line says which."""

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
