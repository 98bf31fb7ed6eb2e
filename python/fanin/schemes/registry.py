"""The one list of schemes: what makes one registers here, with its whole signature and docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

from ..docstrings import completed
from ..entry import entry
from ..fans import Fans

Build = TypeVar("Build", bound=Callable[..., Any])

REGISTRY: dict[str, Callable[..., Any]] = {}  # name -> class or function
ALIASES: dict[str, str] = {}  # other name -> name
FIXED: set[str] = set()  # names of schemes whose values depend on no seed and no name
SHAPES: dict[str, Callable[..., Any]] = {}  # name -> the function whose parameters stand for a shape's

# What `**fans` stands for: how the fans of a weight follow from its shape, beside its layout.
_FAN_OPTIONS = [p for p in inspect.signature(Fans.of).parameters.values() if p.kind is p.KEYWORD_ONLY]


def register(
    *,
    name: str | None = None,
    aliases: tuple[str, ...] = (),
    random: bool = True,
    shape: Callable[..., Any] | None = None,
) -> Callable[[Build], Build]:
    """Register what makes a scheme: a subclass of `Scheme`, or a function that returns one.

    It becomes `fanin.schemes.<name>`, `fanin.<name>`, a method of what `fanin.seeded` returns, and a name that
    `Scheme.from_dict`, recipes in TOML and the command line know.

    Parameters
    ----------
    name : str, optional
        Default: that of the function, or of the class in snake case.
    aliases : tuple of str
        Other names of the same.
    random : bool
        Whether seed and name decide its values.
    shape : callable, optional
        A function whose parameters stand in place of `shape` where values are drawn, and which returns the shape.
    """

    def registered(build: Build) -> Build:
        called = name or re.sub(r"(?<!^)(?=[A-Z])", "_", build.__name__).lower()
        public: Any = build
        makes: Any = build
        if inspect.isclass(build):
            public.scheme_name = called
            public.__init__ = entry(public.__init__, called)
            makes = public.__init__.__get__(object())  # bound, as the class calls it
        else:
            public = entry(build, called)
        completed(public, lambda: expanded(inspect.signature(makes)))
        REGISTRY[called] = public
        for alias in aliases:
            REGISTRY[alias] = public
            ALIASES[alias] = called
        if not random:
            FIXED.update((called, *aliases))
        if shape is not None:
            SHAPES[called] = shape
        return public  # type: ignore[no-any-return]

    return registered


def expanded(signature: inspect.Signature) -> inspect.Signature:
    """Return a signature in which `**fans` is the options that it stands for."""
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            parameters += _FAN_OPTIONS
        else:
            own = re.sub(r"^InitVar\[(.*)\]$", r"\1", str(parameter.annotation))
            parameters.append(parameter.replace(annotation=own))
    return signature.replace(parameters=parameters)
