"""Keep the building of a model of torch within limits on parameters, memory and time.

torch calls a hook for each parameter, buffer and module that a module gets. These hooks are installed once, for good,
and answer by a context variable: hooks that come and go would disturb other threads.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..files import limits


class Budget:
    """Hold what a model may still take."""

    def __init__(self) -> None:
        self.parameters, self.nbytes = limits.FOREIGN_PARAMETERS, limits.FOREIGN_BYTES
        self.end = time.monotonic() + limits.FOREIGN_SECONDS

    def take(self, tensor: Any, parameters: int) -> None:
        """Take note of what a module gets; raise ValueError once that is more than any model has."""
        self.parameters -= parameters
        if hasattr(tensor, "is_meta") and not tensor.is_meta:
            self.nbytes -= tensor.nbytes
        if self.parameters < 0:
            raise ValueError(f"it has more than {limits.FOREIGN_PARAMETERS} parameters")
        if self.nbytes < 0:
            raise ValueError(f"it takes more than {limits.FOREIGN_BYTES} bytes to build")
        if time.monotonic() > self.end:
            raise ValueError(f"it takes more than {limits.FOREIGN_SECONDS} seconds to build")


_budget: ContextVar[Budget | None] = ContextVar("fanin_budget", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """Raise ValueError inside the `with` block once the modules that this thread builds take more than any model does.

    It is seen whenever a module gets a parameter, a buffer or another module.
    """
    _install()
    token = _budget.set(Budget())
    try:
        yield
    finally:
        _budget.reset(token)


@functools.cache
def _install() -> None:
    hooks = importlib.import_module("torch.nn.modules.module")
    hooks.register_module_parameter_registration_hook(functools.partial(_take, 1))
    hooks.register_module_buffer_registration_hook(functools.partial(_take, 0))
    hooks.register_module_module_registration_hook(functools.partial(_take, 0))


def _take(parameters: int, module: Any, name: str, member: Any) -> None:
    budget = _budget.get()
    if budget is not None:
        budget.take(member, parameters)
