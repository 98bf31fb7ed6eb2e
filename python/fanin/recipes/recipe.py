"""Give every parameter of a model its scheme, by a recipe: an ordered list of rules."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..arrays.types import Shape
from ..entry import entry
from ..files import limits, toml_reader
from ..files.regular import read_text
from ..text import short
from . import recipe_data, toml
from .recipe_data import FORMAT
from .rule import Rule

_NAMED = 10  # names that an error lists


class NamedShape(Protocol):
    """Describe an object with a name and a shape, such as the parameters of `fanin.models`."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hold an ordered list of rules; the first that matches a parameter says which scheme draws it.

    Parameters
    ----------
    name : str
        The name of the recipe, which plans and errors show.
    rules : sequence of Rule
        The rules, from the most to the least specific.
    source : str
        The paper or code that the rules follow. Default "".

    Raises
    ------
    TypeError
        If name or source is not a string, or a rule is not a Rule.

    Examples
    --------
    >>> from fanin import schemes
    >>> recipe = Recipe("mine", [Rule("*.bias", schemes.zeros()), Rule("*", schemes.normal(std=0.02))])
    >>> recipe.rule("fc.bias").scheme.describe()
    'constant(0)'
    >>> {name: rule.pattern for name, rule in recipe.match({"fc.weight": (3, 5), "fc.bias": (3,)}).items()}
    {'fc.weight': '*', 'fc.bias': '*.bias'}
    """

    name: str
    rules: Sequence[Rule]
    source: str = ""
    _overrides: int = field(default=0, init=False, repr=False, compare=False)  # how many rules `with_rules` put first

    def __post_init__(self) -> None:
        for argument, value in (("name", self.name), ("source", self.source)):
            if not isinstance(value, str):
                raise TypeError(f"{argument} must be a string, got {value!r}")
        object.__setattr__(self, "rules", tuple(self.rules))
        for number, rule in enumerate(self.rules, 1):
            if not isinstance(rule, Rule):
                raise TypeError(f"rules must be Rule objects, got {rule!r} as number {number}")

    def rule(self, name: str, shape: Shape | None = None) -> Rule:
        """Return the first rule that matches a parameter.

        Parameters
        ----------
        name : str
            The name of the parameter.
        shape : int or sequence of int, optional
            Its shape. It may be left out if no rule that matches the name has a condition on the shape.

        Raises
        ------
        ValueError
            If no rule matches, or the shape is needed.
        """
        rule = self._first(name, shape)
        if rule is None:
            raise ValueError(self._unmatched([name]))
        return rule

    def match(self, parameters: Mapping[str, Shape] | Iterable[NamedShape], *, strict: bool = False) -> dict[str, Rule]:
        """Find the rule of every parameter.

        Parameters
        ----------
        parameters : mapping of str to shape, or iterable of objects with a name and a shape
            The parameters, such as `{name: p.shape for name, p in module.named_parameters()}`, or what
            `fanin.models.parameters` returns.
        strict : bool
            Whether a rule that draws nothing is an error rather than a warning. Default False.

        Returns
        -------
        dict of str to Rule
            The rule of each parameter, by name.

        Raises
        ------
        ValueError
            If no rule matches a parameter (all such are counted, and up to ten named), if a scheme cannot draw the
            shape of a parameter, or, with `strict`, if a rule that is not optional draws nothing.

        Warns
        -----
        UserWarning
            If a rule that is not optional draws nothing.

        Examples
        --------
        >>> from fanin import schemes
        >>> Recipe("mine", [Rule("*.bias", schemes.zeros())]).match({"a.weight": (3, 5), "b.weight": (3,)})
        Traceback (most recent call last):
        ValueError: no rule of recipe 'mine' matches 2 parameters: 'a.weight', 'b.weight'; its patterns are *.bias
        """
        matched: dict[str, Rule] = {}
        shapes: dict[str, Shape] = {}
        drawable: set[tuple[int, Shape]] = set()  # most models have few shapes
        for name, shape in pairs("parameters", parameters):
            if name in shapes:
                raise ValueError(f"every parameter must have its own name, got {name!r} twice")
            shapes[name] = shape
            rule = self._first(name, shape)
            if rule is None:
                continue
            matched[name] = rule
            if isinstance(shape, tuple):
                if (id(rule), shape) in drawable:
                    continue
                drawable.add((id(rule), shape))
            self._require_drawable(name, shape, rule)
        if len(matched) < len(shapes):
            raise ValueError(self._unmatched([name for name in shapes if name not in matched]))
        idle = self._idle(matched, shapes)
        if idle:
            verb = "draws" if len(idle) == 1 else "draw"
            message = f"{listed(idle)} of recipe {self.name!r} {verb} nothing: no parameter is left"
            if strict:
                raise ValueError(message)
            warnings.warn(message, UserWarning, stacklevel=2)
        return matched

    def with_rules(self, rules: Iterable[Rule], *, name: str | None = None) -> Recipe:
        """Return this recipe with other rules before its own, for parameters that are to be drawn in another way.

        `match` does not warn if the new rules take all parameters of an old one.

        Parameters
        ----------
        rules : iterable of Rule
            The rules to put first.
        name : str, optional
            The name of the new recipe. Default: that of this one.

        Examples
        --------
        >>> from fanin import recipes, schemes
        >>> wide = recipes.gpt2().with_rules([Rule("wte.weight", schemes.normal(std=0.05))], name="wide")
        >>> wide.rule("wte.weight").scheme.describe(), wide.rule("wpe.weight").scheme.describe()
        ('normal(mean=0, std=0.05)', 'normal(mean=0, std=0.02)')
        """
        first = tuple(rules)
        changed = Recipe(self.name if name is None else name, (*first, *self.rules), self.source)
        object.__setattr__(changed, "_overrides", len(first) + self._overrides)
        return changed

    @property
    def digest(self) -> str:
        """A short hash of patterns, conditions and schemes; two recipes with one digest draw the same values."""
        rules = [[rule.guards(), rule.scheme.describe()] for rule in self.rules]
        return hashlib.blake2b(json.dumps([FORMAT, rules]).encode(), digest_size=8).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as strings, numbers, lists and dicts, which JSON and TOML can hold."""
        rules = [rule.to_dict() for rule in self.rules]
        return {"format": FORMAT, "name": self.name, "source": self.source, "rules": rules}

    @classmethod
    @entry
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Return the recipe that a dict describes: what `to_dict` returned, or one written by hand.

        Parameters
        ----------
        data : mapping
            It has the keys `name` and `rules`, and may have `source`, `layout` and `format`, which is 1. A rule has
            `pattern` and `scheme`, and may have `role`, `ndim`, `shape` (where "*" stands for any size), `optional` and
            `layout`. A scheme is a name, or a dict for `Scheme.from_dict`. A layout applies to schemes that take one
            and do not name theirs; that of a rule comes before that of the recipe.

        Raises
        ------
        ValueError, TypeError
            If a key or a value is wrong; the message names the rule, the key and what is allowed.

        Examples
        --------
        >>> rules = [{"pattern": "*.weight", "ndim": 2, "scheme": "he_normal"}, {"pattern": "*", "scheme": "zeros"}]
        >>> recipe = Recipe.from_dict({"name": "mine", "layout": "OI", "rules": rules})
        >>> recipe.rule("fc.weight", (10, 200)).scheme.expected_std((10, 200))
        0.1
        """
        return cls(*recipe_data.recipe(data))

    @entry
    def to_toml(self) -> str:
        """Return the recipe as TOML, from which `from_toml` makes an equal recipe."""
        return toml.write(self.to_dict())

    @classmethod
    @entry
    def from_toml(cls, text: str) -> Recipe:
        """Read a recipe from a TOML text: the keys are those of `from_dict`, and each rule is a table `[[rules]]`.

        Parameters
        ----------
        text : str
            The text.

        Raises
        ------
        ValueError, TypeError
            If the text is not valid TOML, or as `from_dict` does.

        Examples
        --------
        >>> text = '''
        ... name = "mine"
        ... layout = "OI"
        ...
        ... [[rules]]
        ... pattern = "*.weight"
        ... scheme = { scheme = "he_normal", activation = ["leaky_relu", 0.2] }
        ... '''
        >>> recipe = Recipe.from_toml(text)
        >>> Recipe.from_toml(recipe.to_toml()) == recipe
        True
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a string, got {text!r}")
        return cls.from_dict(toml_reader.parse(text, "a recipe"))

    @classmethod
    @entry
    def load(cls, path: str | os.PathLike[str]) -> Recipe:
        """Read a recipe from a TOML file.

        Parameters
        ----------
        path : str or path-like
            The path of the file, which must be a regular one.

        Raises
        ------
        ValueError, TypeError
            As `from_toml` does; the message begins with the path.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> from fanin import recipes
        >>> with open("mine.toml", "w", encoding="utf-8") as file:
        ...     _ = file.write(recipes.gpt2().to_toml())
        >>> Recipe.load("mine.toml") == recipes.gpt2()
        True
        """
        where = os.fspath(path)
        data = toml_reader.parse(read_text(path, limits.TOML_BYTES), f"{where}: the file")
        try:
            return cls.from_dict(data)
        except (ValueError, TypeError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{where}: {error}") from error

    def _first(self, name: str, shape: Shape | None) -> Rule | None:
        # Most rules fail at the ending of the name, which takes a fifth of the time of the whole pattern.
        for rule in self.rules:
            if name.endswith(rule._ending) and rule._regex.fullmatch(name) and rule._lets_pass(name, shape):
                return rule
        return None

    def _require_drawable(self, name: str, shape: Shape, rule: Rule) -> None:
        try:
            rule.scheme.expected_std(shape)
        except ValueError as error:
            raise ValueError(
                f"rule {rule.describe()} of recipe {self.name!r} cannot draw the parameter {name!r}: {error}"
            ) from error

    def _idle(self, matched: Mapping[str, Rule], shapes: Mapping[str, Shape]) -> list[str]:
        """List the rules that draw nothing, unless they are optional or lost a parameter to a rule of `with_rules`."""
        busy = {id(rule) for rule in matched.values()}
        overrides = {id(rule) for rule in self.rules[: self._overrides]}
        lost = [(name, shapes[name]) for name, rule in matched.items() if id(rule) in overrides]
        return [
            f"rule {number} ({rule.describe()})"
            for number, rule in enumerate(self.rules, 1)
            if not (rule.optional or id(rule) in busy)
            and not (number > self._overrides and any(rule.matches(name, shape) for name, shape in lost))
        ]

    def _unmatched(self, names: list[str]) -> str:
        count = "the parameter" if len(names) == 1 else f"{len(names)} parameters:"
        patterns = listed([rule.describe() for rule in self.rules]) or "none"
        return (
            f"no rule of recipe {self.name!r} matches {count} {listed(list(map(repr, names)))}; "
            f"its patterns are {patterns}"
        )


def pairs(argument: str, parameters: Mapping[str, Shape] | Iterable[NamedShape]) -> list[tuple[str, Shape]]:
    """Return names and shapes; raise TypeError for an object that has none."""
    if isinstance(parameters, Mapping):
        return list(parameters.items())
    try:
        if not isinstance(parameters, str | bytes):
            return [(parameter.name, parameter.shape) for parameter in parameters]
        raise TypeError
    except (AttributeError, TypeError):
        raise TypeError(
            f"{argument} must be a mapping of names to shapes, or objects that have both, got {short(parameters)}"
        ) from None


def listed(items: list[str]) -> str:
    """Join the first ten items, and say how many more there are."""
    more = len(items) - _NAMED
    return ", ".join(items[:_NAMED]) + (f" and {more} more" if more > 0 else "")
