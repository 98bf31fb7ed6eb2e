"""Open the door to public functions: behind it float64 arithmetic has one meaning, and a wrong call is explained."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from . import arguments
from ._core import Entry

F = TypeVar("F", bound=Callable[..., Any])


def entry(function: F, name: str | None = None, hidden: tuple[str, ...] = ()) -> F:
    """Make a function public.

    Behind this door float64 numbers are rounded to nearest and subnormals are kept, whatever the thread's rounding mode
    is: fans, gains, standard deviations and bounds decide what is drawn. A call that does not fit the parameters is
    answered with the parameter that was meant.

    Parameters
    ----------
    function : callable
        The function.
    name : str, optional
        The name that errors give it. Default: its own.
    hidden : tuple of str
        Names of keyword parameters that it takes and its signature does not show.
    """
    public = Entry(function, functools.partial(_explain, name or function.__name__, hidden))
    return functools.update_wrapper(public, function)  # type: ignore[return-value]


def _explain(
    called: str, hidden: tuple[str, ...], public: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise an error that helps where a call does not fit the parameters: the core asks after a TypeError."""
    arguments.explain(
        called, inspect.signature(public), args, {key: value for key, value in kwargs.items() if key not in hidden}
    )
