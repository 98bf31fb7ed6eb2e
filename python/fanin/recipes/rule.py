"""Select parameters by name and shape, and say which scheme draws them."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..schemes import Scheme
from ..text import short
from .patterns import Matcher, compiled

ANY = "*"  # stands for any size in TOML, which has no None
_FLAGS = {re.ASCII: "a", re.IGNORECASE: "i", re.MULTILINE: "m", re.DOTALL: "s", re.VERBOSE: "x"}


@dataclass(frozen=True, slots=True)
class Rule:
    r"""Say that `scheme` draws the parameters whose name matches `pattern` and whose shape meets the conditions.

    Parameters
    ----------
    pattern : str or re.Pattern
        A shell-style pattern with `*`, `?` and `[...]`, or a regular expression: compiled, or as text between slashes,
        `"/layers\.[0-9]+\.weight/"`. It must match the whole name, and case matters. Matching takes time proportional
        to the length of the name, so references, lookaround, atomic groups and word boundaries are refused; `^` and `$`
        may stand at the ends only.
    scheme : Scheme
        The scheme that draws them; it holds the layout of the weights, if it needs one.
    role : str
        What the parameters are in the model, for tables: rules of equal role and scheme share a row. Default "".
    ndim : int or iterable of int, optional
        The numbers of dimensions that a parameter may have. Default: any.
    shape : sequence of int or None, optional
        The shape that a parameter must have; None in it stands for any size. Default: any shape.
    optional : bool
        Whether the rule may draw nothing without a warning. Default False.

    Raises
    ------
    ValueError, TypeError
        If the pattern is empty or not a pattern, `scheme` is not a scheme, or no shape can meet both conditions.

    Examples
    --------
    >>> from fanin import schemes
    >>> rule = Rule("*.weight", schemes.zeros(), ndim=(2, 4))
    >>> rule.matches("fc.weight", (3, 5)), rule.matches("bn.weight", (3,))
    (True, False)
    >>> Rule(r"/conv[12]\.weight/", schemes.zeros(), shape=(None, 3, 7, 7)).matches("conv1.weight", (64, 3, 7, 7))
    True
    """

    pattern: str | re.Pattern[str]
    scheme: Scheme
    role: str = ""
    ndim: int | Iterable[int] | None = None
    shape: Sequence[int | None] | None = None
    optional: bool = False
    _regex: Matcher = field(init=False, repr=False, compare=False)
    _ending: str = field(init=False, repr=False, compare=False)
    _ndims: tuple[int, ...] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = _as_text(self.pattern)
        regex, ending = compiled(pattern)
        if not isinstance(self.scheme, Scheme):
            raise TypeError(f"scheme must be a scheme, as from fanin.schemes.normal(), got {short(self.scheme)}")
        if not isinstance(self.role, str):
            raise TypeError(f"role must be a string, got {short(self.role)}")
        if not isinstance(self.optional, bool):
            raise TypeError(f"optional must be true or false, got {short(self.optional)}")
        ndims, sizes = _dimensions(self.ndim), _sizes(self.shape)
        if ndims is not None and sizes is not None and len(sizes) not in ndims:
            raise ValueError(f"shape must have as many sizes as ndim allows, {short(self.ndim)}, got {short(sizes)}")
        set_ = object.__setattr__
        set_(self, "pattern", pattern)
        set_(self, "ndim", ndims[0] if ndims is not None and len(ndims) == 1 else ndims)
        set_(self, "shape", sizes)
        set_(self, "_regex", regex)
        set_(self, "_ending", ending)
        set_(self, "_ndims", ndims)

    def matches(self, name: str, shape: Shape | None = None) -> bool:
        """Tell whether the rule applies to a parameter.

        Parameters
        ----------
        name : str
            The name of the parameter.
        shape : int or sequence of int, optional
            Its shape, which may be left out if the rule has no condition on it.

        Raises
        ------
        ValueError
            If the shape is needed.
        """
        return bool(self._regex.fullmatch(name)) and self._lets_pass(name, shape)

    def _lets_pass(self, name: str, shape: Shape | None) -> bool:
        if self._ndims is None and self.shape is None:
            return True
        if shape is None:
            raise ValueError(f"shape of parameter {name!r} must be given: the rule {self.describe()} has a guard on it")
        sizes = as_shape(shape)
        if self._ndims is not None and len(sizes) not in self._ndims:
            return False
        return self.shape is None or (
            len(sizes) == len(self.shape)
            and all(wanted in (None, size) for wanted, size in zip(self.shape, sizes, strict=True))
        )

    def describe(self) -> str:
        """Return pattern and conditions in one line.

        Examples
        --------
        >>> from fanin import schemes
        >>> Rule("*.weight", schemes.zeros(), ndim={2, 4}).describe()
        '*.weight of 2 or 4 dimensions'
        """
        words = str(self.pattern)
        if self._ndims is not None:
            words += f" of {' or '.join(map(str, self._ndims))} dimension{'s' * (self._ndims != (1,))}"
        if self.shape is not None:
            words += f" of shape ({', '.join(ANY if size is None else str(size) for size in self.shape)})"
        return words

    def guards(self) -> dict[str, Any]:
        """Return pattern and conditions as strings, numbers and lists."""
        data: dict[str, Any] = {"pattern": self.pattern}
        if self._ndims is not None:
            data["ndim"] = self._ndims[0] if len(self._ndims) == 1 else list(self._ndims)
        if self.shape is not None:
            data["shape"] = [ANY if size is None else size for size in self.shape]
        return data

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as strings, numbers, lists and dicts, without entries that have their default.

        Examples
        --------
        >>> from fanin import schemes
        >>> Rule("*.bias", schemes.zeros(), ndim=1).to_dict()
        {'pattern': '*.bias', 'ndim': 1, 'scheme': {'scheme': 'constant', 'value': 0.0}}
        """
        data = self.guards()
        if self.role:
            data["role"] = self.role
        if self.optional:
            data["optional"] = True
        return data | {"scheme": self.scheme.to_dict()}


def _as_text(pattern: object) -> str:
    """Return a pattern as a string."""
    if isinstance(pattern, re.Pattern):
        if not isinstance(pattern.pattern, str):
            raise TypeError(f"pattern must be a string or an expression of strings, got {short(pattern)}")
        extra = pattern.flags & ~re.compile(pattern.pattern).flags
        letters = "".join(letter for flag, letter in _FLAGS.items() if extra & flag)
        pattern = f"/(?{letters}){pattern.pattern}/" if letters else f"/{pattern.pattern}/"
    if not isinstance(pattern, str):
        raise TypeError(f"pattern must be a string or a compiled regular expression, got {short(pattern)}")
    if not pattern:
        raise ValueError("pattern must not be empty: '*' matches every name")
    return pattern


def _dimensions(ndim: object) -> tuple[int, ...] | None:
    if ndim is None:
        return None
    given = tuple(ndim) if isinstance(ndim, Iterable) and not isinstance(ndim, str) else (ndim,)
    if not given or not all(_is_size(number) for number in given):
        raise ValueError(f"ndim must be a number of dimensions, or several, none negative, got {short(ndim)}")
    return tuple(sorted({operator.index(number) for number in given}))


def _sizes(shape: object) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    if not isinstance(shape, Iterable) or isinstance(shape, str):
        raise ValueError(f"shape must be a sequence of sizes, or None for any size, got {short(shape)}")
    given = tuple(shape)
    if not all(size is None or _is_size(size) for size in given):
        raise ValueError(f"shape must have sizes that are not negative, or None for any size, got {short(shape)}")
    return tuple(None if size is None else operator.index(size) for size in given)


def _is_size(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and operator.index(value) >= 0
    except TypeError:
        return False
