"""Make a function of each scheme: `fanin.he_normal(shape, seed=…, name=…)` makes the scheme and draws by it.

Each has the parameters and the explanations of its scheme, as the registry has them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from . import sampling
from .docstrings import documented
from .entry import entry
from .schemes import Scheme
from .schemes.registry import ALIASES, FIXED, REGISTRY, SHAPES

Parameter = inspect.Parameter
_SHAPE = Parameter("shape", Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation="Shape | None")
_PLACE = [
    Parameter("dtype", Parameter.KEYWORD_ONLY, default=None, annotation="DType"),
    Parameter("index", Parameter.KEYWORD_ONLY, default=None, annotation="Index"),
    Parameter("out", Parameter.KEYWORD_ONLY, default=None, annotation="Out"),
    Parameter("device", Parameter.KEYWORD_ONLY, default=None, annotation="Device"),
]
_RESULT = """
Returns
-------
ndarray
    The parameter, or the part of it that `index` selects. It is `out`, if that is given, and a NumPy scalar, if `index`
    picks one element.

Raises
------
ValueError
    If a shape, parameter, name or `out` cannot be used; it names the argument, its value and what is allowed.
TypeError
    If a parameter is of another kind, a dtype is not supported, or `out` is a kind of array that cannot be written to.
IndexError
    If `index` leaves the shape.

See Also
--------
fanin.schemes.{name} : Returns the scheme as an object, which plans and recipes use.
"""


def signature_of(name: str, first: list[Parameter]) -> inspect.Signature:
    """Return the signature of a function that draws by a scheme.

    It has the parameters in `first`, then those of the scheme, then those that say where values go.
    """
    own = list(inspect.signature(REGISTRY[name]).parameters.values())
    shape = list(inspect.signature(SHAPES[name]).parameters.values()) if name in SHAPES else [_SHAPE]
    key = [parameter for parameter in first if parameter.kind is Parameter.KEYWORD_ONLY]
    positional = [parameter for parameter in first if parameter not in key]
    own = [each.replace(kind=Parameter.KEYWORD_ONLY) if name in SHAPES else each for each in own]
    required = [each for each in own if each.default is Parameter.empty and each.kind is not Parameter.KEYWORD_ONLY]
    if required:  # a parameter without a default cannot follow the shape, which has one
        own = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own]
    return inspect.Signature(
        [
            *positional,
            *shape,
            *(each for each in own if each.kind is not Parameter.KEYWORD_ONLY),
            *key,
            *(each for each in own if each.kind is Parameter.KEYWORD_ONLY),
            *_PLACE,
        ],
        return_annotation="Array",
    )


def docstring_of(name: str, signature: inspect.Signature) -> str:
    """Return the docstring of such a function, which is the scheme's with what is missing."""
    text = inspect.getdoc(REGISTRY[name]) or ""
    text = text.partition("Examples\n--------")[0].rstrip()
    if name in SHAPES:
        own = (inspect.getdoc(SHAPES[name]) or "").partition("----------\n")[2]
        text = text.replace("Parameters\n----------\n", f"Parameters\n----------\n{own}\n", 1)
    kept = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    return documented(text, signature.replace(parameters=kept)) + _RESULT.format(name=name)


class Maker:
    """Make a scheme from the arguments of a function that draws by it, and tell the shape."""

    def __init__(self, name: str) -> None:
        self.build, self.shape_of = REGISTRY[name], SHAPES.get(name)
        self.cached = functools.lru_cache(maxsize=256, typed=True)(self.build)  # schemes are immutable
        self.sizes = frozenset(inspect.signature(self.shape_of).parameters) if self.shape_of else frozenset()

    @functools.cached_property
    def takes_layout(self) -> bool:
        """Whether the scheme has a layout."""
        return "layout" in inspect.signature(self.build).parameters

    def __call__(self, args: tuple[Any, ...], own: dict[str, Any]) -> tuple[Scheme, Any]:
        """Return the scheme and the shape."""
        if self.shape_of is not None:
            shape = self.shape_of(*args, **{key: own.pop(key) for key in self.sizes & own.keys()})
            args = ()
        elif args:
            shape, args = args[0], args[1:]
        else:
            shape = own.pop("shape", None)
        try:
            if not (0 in args or 0 in own.values()):  # the cache would take -0.0 for 0.0, whose bits are others
                return self.cached(*args, **own), shape
        except (TypeError, ValueError):  # an argument that has no hash, or one that is wrong
            pass
        return self.build(*args, **own), shape


def public(draw: Callable[..., Any], name: str, first: list[Parameter], hidden: tuple[str, ...] = ()) -> Any:
    """Make a drawing function public. Its signature and docstring are made when they are first asked for."""
    draw.__name__ = name
    made: Any = entry(draw, hidden=hidden)

    def signature() -> inspect.Signature:
        whole = signature_of(name, first)
        return whole.replace(parameters=[each for each in whole.parameters.values() if each.name not in hidden])

    made.__signature__ = signature
    made.__doc__ = lambda: docstring_of(name, inspect.signature(made))
    return made


def function(name: str) -> Callable[..., Any]:
    """Make the function of a scheme."""
    default = {"seed": 0, "name": ""} if name in FIXED else {}
    make = Maker(name)

    def draw(
        *args: Any,
        seed: Any,
        name: Any,
        dtype: Any = None,
        index: Any = None,
        out: Any = None,
        device: Any = None,
        **own: Any,
    ) -> Any:
        scheme, shape = make(args, own)
        return scheme(shape, seed=seed, name=name, dtype=dtype, index=index, out=out, device=device)

    draw.__kwdefaults__ = {**(draw.__kwdefaults__ or {}), **default}
    draw.__qualname__, draw.__module__ = name, "fanin"
    key = [
        Parameter("seed", Parameter.KEYWORD_ONLY, default=default.get("seed", Parameter.empty), annotation="Seed"),
        Parameter("name", Parameter.KEYWORD_ONLY, default=default.get("name", Parameter.empty), annotation="str"),
    ]
    return public(draw, name, key)  # type: ignore[no-any-return]


# Samplers have functions of their own, which are quicker.
FUNCTIONS = {name: function(name) for name in REGISTRY if name not in ALIASES and not hasattr(sampling, name)}
FUNCTIONS |= {alias: FUNCTIONS[name] for alias, name in ALIASES.items()}
globals().update(FUNCTIONS)

__all__ = sorted(FUNCTIONS)  # noqa: PLE0605  # the list is the registry's
