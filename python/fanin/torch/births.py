"""Know which modules are built while a model is recorded, in which thread, and which of them is the root.

torch calls a hook for each parameter, buffer and module that a module gets. These hooks are installed once, for good,
and answer by a context variable: hooks that come and go would disturb other threads.
"""

from __future__ import annotations

import functools
import weakref
from contextvars import ContextVar
from typing import Any

from torch.nn.modules import module as hooks

current: ContextVar[Births | None] = ContextVar("fanin_recording", default=None)
_open: weakref.WeakSet[Births] = weakref.WeakSet()  # of all threads


class Births:
    """Keep what was registered during one recording.

    Attributes
    ----------
    elsewhere : set of int
        The ids of parameters that another thread registered meanwhile.
    """

    def __init__(self) -> None:
        self.elsewhere: set[int] = set()
        self._parents: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()  # whether it is new
        self._children: weakref.WeakSet[Any] = weakref.WeakSet()

    def __enter__(self) -> Births:
        install()
        self._token = current.set(self)
        _open.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        current.reset(self._token)
        _open.discard(self)

    def registered(self, module: Any, child: Any = None) -> None:
        """Take note of a module that gets a parameter, a buffer or a child."""
        if module not in self._parents:
            self._parents[module] = not (module._parameters or module._buffers or module._modules)
        if child is not None:
            self._children.add(child)

    def modules(self) -> list[Any]:
        """Return the modules that were built, or that got something new."""
        return list(self._parents)

    def root(self) -> Any:
        """Return the module that was built and is no other's child; raise ValueError unless there is exactly one."""
        outer = [(module, is_new) for module, is_new in self._parents.items() if module not in self._children]
        if len(outer) == 1 and outer[0][1]:
            return outer[0][0]
        if not outer:
            raise ValueError("module must be given: no module with parameters was built while recording")
        kinds = ", ".join(sorted({type(module).__name__ for module, _ in outer}))
        why = "changed one that was there before" if len(outer) == 1 else f"built {len(outer)} that are in no other"
        raise ValueError(f"module must be given, as recording.plan(model, seed=…): the recording {why}, {kinds}")


@functools.cache
def install() -> None:
    """Install the hooks, once."""
    hooks.register_module_parameter_registration_hook(_parameter)
    hooks.register_module_buffer_registration_hook(_member)
    hooks.register_module_module_registration_hook(_module)


def _parameter(module: Any, name: str, parameter: Any) -> None:
    births = current.get()
    if births is not None:
        births.registered(module)
    for other in list(_open) if _open else ():
        if other is not births:
            other.elsewhere.add(id(parameter))


def _member(module: Any, name: str, member: Any) -> None:
    births = current.get()
    if births is not None:
        births.registered(module)


def _module(module: Any, name: str, child: Any) -> None:
    births = current.get()
    if births is not None:
        births.registered(module, child)
