"""Write what was recorded as a recipe that a person can read: a rule for all parameters of one pattern and scheme."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ..files import limits
from ..recipes import Recipe, Rule
from ..schemes import Scheme

AS_WRITTEN = "as-written"
_NUMBER = re.compile(r"(?<![^._])[0-9]+(?![^._])")
_SPECIAL = re.compile(r"[*?\[\]]")


def is_meant(recipe: object) -> bool:
    """Tell whether a recipe, as a user gives it, stands for what the model's own code asks for."""
    return recipe is None or (isinstance(recipe, str) and recipe == AS_WRITTEN)


def recipe(schemes: Sequence[tuple[str, Scheme]], name: str = AS_WRITTEN, source: str = "") -> Recipe:
    """Return a recipe that gives every parameter its scheme.

    Names that differ only in numbers share a rule; where some of them have another scheme, theirs comes first.

    Parameters
    ----------
    schemes : sequence of (str, Scheme)
        The parameters by name, in the order of the model.
    name, source : str
        Those of the recipe.
    """
    families: dict[str, dict[Scheme, list[str]]] = {}
    for own, scheme in schemes:
        families.setdefault(_NUMBER.sub("*", own), {}).setdefault(scheme, []).append(own)
    names = [own for own, _ in schemes]
    special, general = [], []
    for template, members in families.items():
        sizes = Counter({scheme: len(owned) for scheme, owned in members.items()})
        usual = sizes.most_common(1)[0][0]
        for scheme, owned in members.items():
            if scheme != usual:
                special += [Rule(_exactly(some), scheme) for some in _chunks(owned)]
        every = [own for owned in members.values() for own in owned]
        general.append(Rule(_pattern(template, every, names), usual))
    return Recipe(name, (*special, *general), source)


def _pattern(template: str, owned: list[str], names: Iterable[str]) -> str:
    """Return a pattern that matches all names of a template, and no others of the model."""
    if len(owned) == 1:
        return _exactly(owned)
    if not _SPECIAL.search(owned[0]):
        shell = re.compile(".*".join(map(re.escape, template.split("*"))))
        if sum(bool(shell.fullmatch(name)) for name in names) == len(owned):
            return template
    return f"/{'[0-9]+'.join(map(re.escape, template.split('*')))}/"


def _exactly(owned: list[str]) -> str:
    """Return a pattern that matches these names, and no others."""
    if len(owned) == 1 and not _SPECIAL.search(owned[0]):
        return owned[0]
    if len(owned) == 1:
        return f"/{re.escape(owned[0])}/"
    # They differ in their numbers; where in one of them only, that place has the numbers as a choice.
    texts = [_NUMBER.split(own) for own in owned]
    columns = [sorted(set(column), key=int) for column in zip(*map(_NUMBER.findall, owned), strict=True)]
    several = [column for column in columns if len(column) > 1]
    if len(several) == 1 and len(several[0]) == len(owned):
        choices = [f"({'|'.join(column)})" if len(column) > 1 else column[0] for column in columns]
        parts = [re.escape(text) for text in texts[0]]
        return f"/{parts[0]}{''.join(choice + part for choice, part in zip(choices, parts[1:], strict=True))}/"
    return f"/({'|'.join(map(re.escape, owned))})/"


def _chunks(owned: list[str]) -> Iterable[list[str]]:
    """Yield some names at a time: patterns are of limited length."""
    size = max(1, limits.PATTERN_LENGTH // (2 * max(map(len, owned)) + 2))
    return (owned[start : start + size] for start in range(0, len(owned), size))
