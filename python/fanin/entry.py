"""Open the door to public functions: behind it float64 arithmetic has one meaning, and a wrong call is explained."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from . import arguments
from ._core import enter_ieee754, leave_ieee754

F = TypeVar("F", bound=Callable[..., Any])


def entry(function: F, name: str | None = None) -> F:
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
    """
    called = name or function.__name__

    @functools.wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        state = enter_ieee754()
        try:
            return function(*args, **kwargs)
        except TypeError:
            arguments.explain(called, inspect.signature(public), args, kwargs)
            raise
        finally:
            if state is not None:
                leave_ieee754(state)

    return public  # type: ignore[return-value]
