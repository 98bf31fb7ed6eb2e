"""Say once what each argument of a layer means, how it is checked, and what is returned and raised."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..arguments import flag
from ..docstrings import documented
from ..entry import entry
from .arguments import dimension, followed, known, number

F = TypeVar("F", bound=Callable[..., Any])

# name: (check, type, explanation); where there is no check, the function itself makes a tuple of what is given
_PARAMETERS: dict[str, tuple[Callable[[str, Any], Any] | None, str, str]] = {
    "inputs": (dimension, "int", "The number of input features."),
    "outputs": (dimension, "int", "The number of output features."),
    "hidden": (dimension, "int", "The number of features of the state."),
    "features": (dimension, "int", "The number of features, or channels."),
    "channels": (dimension, "int", "The number of channels."),
    "classes": (dimension, "int", "The number of classes."),
    "count": (dimension, "int", "The number of tokens."),
    "multiplier": (dimension, "int", "The number of output channels for each input channel. Default 1."),
    "heads": (number, "int", "The number of heads; it must divide `features`."),
    "groups": (number, "int", "The number of groups that channels are divided into. Default 1."),
    "shape": (None, "int or sequence of int", "The sizes of the axes that are normalized."),
    "size": (
        None,
        "int or sequence of int",
        "The size of the kernel along each of up to three dimensions; 3 means (3,), a 1-D convolution.",
    ),
    "bias": (flag, "bool", "Whether the layer has a bias. Default True."),
    "activation": (
        followed,
        "str, (str, float) or callable",
        'The activation that follows: see `fanin.gain`. Only "fanin" depends on it. Default "linear", which is none.',
    ),
    "framework": (known, '{"fanin", "torch", "keras", "flax"}', 'Whose layer it is. Default "fanin".'),
}
_EXPLANATIONS = {name: (kind, text) for name, (_, kind, text) in _PARAMETERS.items()}
_RESULT = """
Returns
-------
dict of str to ParameterSpec
    Shape and scheme of each parameter, by the framework's names.

Raises
------
ValueError
    If a number is out of range, a word is unknown, or the framework's layer does not have what is asked for; it names
    the argument, its value and what is allowed.
TypeError
    If an argument is of another kind.
"""


def layer(function: F) -> F:
    """Make a function that describes a layer public.

    It is called with arguments that are checked, each as its name says, and its docstring is completed: what it does
    not say itself about a parameter is added, and so is what every such function returns and raises.
    """
    signature = inspect.signature(function)
    checks = {name: check for name, (check, *_) in _PARAMETERS.items() if check and name in signature.parameters}

    @functools.wraps(function)
    def described(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = bound.arguments
        return function(**given | {name: check(name, given[name]) for name, check in checks.items()})

    text = documented(function.__doc__ or "", signature, _EXPLANATIONS)
    before, title, examples = text.partition("Examples\n--------\n")
    described.__doc__ = f"{before.rstrip()}\n{_RESULT}\n{title}{examples}"
    return entry(described)  # type: ignore[return-value]
