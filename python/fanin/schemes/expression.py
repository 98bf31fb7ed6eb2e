"""Parameters that are computed from draws, element by element, by operations with the same bits everywhere."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from ..arguments import choice, integer, integers, number, optional
from ..arguments import name as as_name
from ..arrays.shape import as_shape
from ..arrays.types import Shape
from ..text import short
from .pieces import Native, Pieces
from .program import Program, Where, compiled
from .registry import register
from .scheme import Scheme, as_scheme, text

# The closed set of operations: how many operands each has.
OPERATIONS = {
    "add": 2,
    "subtract": 2,
    "multiply": 2,
    "divide": 2,
    "fma": 3,
    "negate": 1,
    "abs": 1,
    "minimum": 2,
    "maximum": 2,
    "sqrt": 1,
    "exp": 1,
    "log": 1,
    "expm1": 1,
    "log1p": 1,
    "power": 2,
    "less": 2,
    "where": 3,
    "arange": 3,
    "linspace": 3,
}
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_NUMBERS = {"arange": ("start", "step", "axis"), "linspace": ("start", "stop", "axis")}  # operations of numbers alone
_LARGEST_POWER = 1024
_MOST_DEPTH = 24  # operations within each other: a dict and a list for each must be within limits.DEPTH
_MOST_SIZE = 1000  # operations and operands
_QUIET = {"quiet": True}  # not shown where it has its default
_SAMPLE = 2**16  # values from which moments are estimated


class Elementwise(Scheme):
    """A scheme each of whose elements is computed from draws at its own place; arithmetic makes another one."""

    __slots__ = ()

    @abstractmethod
    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        program = Program()
        self.compiled(program, Where(shape, name))
        return _core.expression, (program.steps, seed, name)

    def expected_mean(self, shape: Shape) -> float:
        return self._sampled(as_shape(shape))[0]

    def expected_std(self, shape: Shape) -> float:
        return self._sampled(as_shape(shape))[1]

    def _sampled(self, shape: tuple[int, ...]) -> tuple[float, float]:
        """Estimate mean and std from the first values of some fixed seeds."""
        size = math.prod(shape)
        if size == 0:
            return 0.0, 0.0
        index: Any = ...
        if size > _SAMPLE:  # every so many along the longest axes
            index, left = [], _SAMPLE
            for length in shape:
                step = -(-length // max(1, left))
                index.append(slice(None, None, step))
                left //= -(-length // step)
            index = tuple(index)
        seeds = range(1 if size > _SAMPLE else min(64, -(-_SAMPLE // size)))
        drawn = [self(shape, seed=seed, name="", dtype="float64", index=index).ravel() for seed in seeds]
        found = _core.statistics(np.concatenate(drawn))
        return found["mean"], found["std"]

    def scaled(self, factor: float) -> Scheme:
        return Expression("multiply", (self, factor))

    def __add__(self, other: Any) -> Any:
        """Return the sum."""
        return _made("add", self, other)

    def __radd__(self, other: Any) -> Any:
        """Return the sum."""
        return _made("add", other, self)

    def __sub__(self, other: Any) -> Any:
        """Return the difference."""
        return _made("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        """Return the difference."""
        return _made("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        """Return the product."""
        return _made("multiply", self, other) if isinstance(other, Scheme) else super().__mul__(other)

    def __truediv__(self, other: Any) -> Any:
        """Return the quotient."""
        return _made("divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        """Return the quotient."""
        return _made("divide", other, self)

    def __pow__(self, exponent: int) -> Any:
        """Return an integer power."""
        return _made("power", self, exponent)

    def __neg__(self) -> Expression:
        """Return the negative."""
        return Expression("negate", self)

    def __abs__(self) -> Expression:
        """Return the magnitude."""
        return Expression("abs", self)

    def sqrt(self) -> Expression:
        """Return the square root."""
        return Expression("sqrt", self)

    def exp(self) -> Expression:
        """Return e to the power of it."""
        return Expression("exp", self)

    def log(self) -> Expression:
        """Return its natural logarithm."""
        return Expression("log", self)

    def expm1(self) -> Expression:
        """Return e to the power of it, less 1."""
        return Expression("expm1", self)

    def log1p(self) -> Expression:
        """Return the natural logarithm of 1 more."""
        return Expression("log1p", self)

    def clamp(self, least: float | None = None, most: float | None = None) -> Elementwise:
        """Return it limited to bounds, of which one may be None."""
        result: Elementwise = self
        if least is not None:
            result = Expression("maximum", (result, least))
        return result if most is None else Expression("minimum", (result, most))


@register()
@dataclass(frozen=True, slots=True, repr=False)
class Expression(Elementwise):
    """Compute each element by one of a closed set of operations, from draws and numbers.

    An operand is a scheme that draws each element alone, as `uniform` or `he_normal`, another expression, or a number.
    Arithmetic of expressions makes expressions, too. Everything is float64, of float32 draws but for a dtype of
    float64, and rounded once to the dtype: docs/stream-v1.md has every bit.

    Parameters
    ----------
    operation : str
        "add", "subtract", "multiply", "divide", "fma" (the first times the second, plus the third, rounded once),
        "negate", "abs", "minimum", "maximum", "sqrt", "exp", "log", "expm1", "log1p", "power" (an integer one, not 0),
        "less" (1 or 0), "where" (the second if the first is not 0, else the third), "arange" (start, step and axis)
        and "linspace" (start, stop and axis).
    of : Scheme, number, or sequence of these
        The operands, as many as the operation has.

    Notes
    -----
    All draws of one law are the same draw, `name`; `from_stream` makes further ones. `expected_mean` and
    `expected_std` are estimated from 65536 values, but for numbers that are added to a scheme or multiply it.

    Examples
    --------
    >>> from fanin import schemes
    >>> a_log = expression("log", schemes.uniform(1.0, 16.0))
    >>> a_log
    log(uniform(low=1.0, high=16.0))
    >>> a_log(3, seed=0, name="A_log").dtype
    dtype('float32')
    >>> (a_log * 2 + 1).describe()
    '((log(uniform(low=1, high=16)) * 2) + 1)'
    """

    operation: str
    of: Scheme | float | Sequence[Scheme | float]

    def __post_init__(self) -> None:
        choice("operation", self.operation, tuple(OPERATIONS))
        given = self.of if isinstance(self.of, tuple | list) else (self.of,)
        wanted = OPERATIONS[self.operation]
        if len(given) != wanted:
            raise ValueError(f"of must be the {wanted} operands of {self.operation}, got {short(self.of)}")
        object.__setattr__(self, "of", tuple(self._operand(place, each) for place, each in enumerate(given)))
        depth, size = _extent(self)
        if depth > _MOST_DEPTH or size > _MOST_SIZE:
            raise ValueError(
                f"of must be at most {_MOST_DEPTH} operations within each other and {_MOST_SIZE} altogether, got "
                f"{depth} and {size}"
            )

    def _operand(self, place: int, value: Any) -> Any:
        argument = f"of[{place}]"
        if self.operation in _NUMBERS:
            called = f"{_NUMBERS[self.operation][place]} of {self.operation}"
            return integer(called, value) if place == 2 else number(called, value)
        if self.operation == "power" and place == 1:
            exponent = integer("the exponent of power", value, -_LARGEST_POWER, _LARGEST_POWER)
            if exponent == 0:
                raise ValueError("the exponent of power must not be 0, got 0: the result would be 1")
            return exponent
        if isinstance(value, Scheme | str | dict):
            return as_scheme(argument, value)
        return number(argument, value, finite=False)

    @property
    def _given(self) -> tuple[Any, ...]:
        assert isinstance(self.of, tuple)
        return self.of

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        if self.operation == "arange":
            start, step, axis = self._given
            return program.affine(program.position(where.along((axis,))), step, start)
        if self.operation == "linspace":
            return _linspace(program, where, *self._given)
        if self.operation == "power":
            return _power(program, compiled(self._given[0], program, where), self._given[1])
        return program.operate(self.operation, *(compiled(each, program, where) for each in self._given))

    def streams(self, shape: tuple[int, ...], name: str) -> set[str]:
        return {name}.union(*(each.streams(shape, name) for each in self._given if isinstance(each, Scheme)))

    def expected_mean(self, shape: Shape) -> float:
        affine = self._affine()
        if affine is None:
            return Elementwise.expected_mean(self, shape)
        scheme, factor, offset = affine
        return factor * scheme.expected_mean(shape) + offset

    def expected_std(self, shape: Shape) -> float:
        affine = self._affine()
        if affine is None:
            return Elementwise.expected_std(self, shape)
        scheme, factor, _ = affine
        return abs(factor) * scheme.expected_std(shape)

    def _affine(self) -> tuple[Scheme, float, float] | None:
        """Return the scheme that it multiplies by a number, and adds another to, with both numbers."""
        found: tuple[Scheme, float, float] | None = None
        match self.operation, self._given:
            case "add", (Scheme() as x, float(c)) | (float(c), Scheme() as x):
                found = x, 1.0, c
            case "subtract", (Scheme() as x, float(c)):
                found = x, 1.0, -c
            case "subtract", (float(c), Scheme() as x):
                found = x, -1.0, c
            case "multiply", (Scheme() as x, float(c)) | (float(c), Scheme() as x):
                found = x, c, 0.0
            case "fma", (Scheme() as x, float(c), float(offset)) | (float(c), Scheme() as x, float(offset)):
                found = x, c, offset
            case "negate", (Scheme() as x,):
                found = x, -1.0, 0.0
        return found

    def describe(self) -> str:
        shown = [each.describe() if isinstance(each, Scheme) else text(each) for each in self._given]
        return self._shown(shown)

    def __repr__(self) -> str:
        return self._shown([repr(each) for each in self._given])

    def _shown(self, operands: list[str]) -> str:
        if self.operation in SIGNS:
            return f"({operands[0]} {SIGNS[self.operation]} {operands[1]})"
        return f"{self.operation}({', '.join(operands)})"


@register()
@dataclass(frozen=True, slots=True, repr=False)
class FromStream(Elementwise):
    """Draw by a scheme from another stream than the parameter's own: a further draw, or one that belongs to another.

    Parameters
    ----------
    of : Scheme
        What is drawn.
    number : int
        The number of the draw: 0 is the parameter's own stream, `name`; from 1 on it is `name#1`, `name#2`, ….
        Default 0.
    stream : str, optional
        Instead: the whole name of the stream, which belongs to another parameter.
    along : sequence of int, optional
        The axes of the parameter along which the draw varies, in the order of its own axes; it is the same along all
        others. Default: all axes.

    Examples
    --------
    >>> from fanin import schemes
    >>> x, y = from_stream(schemes.uniform()), from_stream(schemes.normal(), 1)
    >>> (x + y)
    (from_stream(of=uniform()) + from_stream(of=normal(), number=1))
    >>> rows = from_stream(schemes.normal(), along=(0,))((2, 3), seed=0, name="w")
    >>> bool((rows[:, 0] == rows[:, 2]).all())
    True
    """

    of: Scheme
    number: int = field(default=0, metadata=_QUIET)
    stream: str | None = field(default=None, kw_only=True, metadata=_QUIET)
    along: Sequence[int] | None = field(default=None, kw_only=True, metadata=_QUIET)

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", as_scheme("of", self.of))
        object.__setattr__(self, "number", integer("number", self.number, 0))
        object.__setattr__(self, "along", optional(integers, "along", self.along))
        if self.stream is not None:
            as_name(self.stream, "stream")
            if self.number:
                raise ValueError(f"number must be 0 where a stream is given, got {self.number}")

    def compiled(self, program: Program, where: Where) -> int:
        """Add the steps that compute it, and return the number of the last one."""
        here = where.named(self._stream(where.stream))
        return compiled(self.of, program, here if self.along is None else here.along(self.along))

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        if self.along is None:
            return self.of.native(shape, seed, self._stream(name))
        return Elementwise.native(self, shape, seed, name)

    def pieces(self, shape: tuple[int, ...], name: str) -> Pieces | None:
        return self.of.pieces(shape, self._stream(name)) if self.along is None else None

    def streams(self, shape: tuple[int, ...], name: str) -> set[str]:
        """Return the parameter's own name, and that of its draw unless this belongs to another parameter."""
        return {name} if self.stream is not None else {name, *self.of.streams(self._own(shape), self._stream(name))}

    @property
    def is_whole(self) -> bool:
        return self.of.is_whole

    def expected_mean(self, shape: Shape) -> float:
        return self.of.expected_mean(self._own(as_shape(shape)))

    def expected_std(self, shape: Shape) -> float:
        return self.of.expected_std(self._own(as_shape(shape)))

    def scaled(self, factor: float) -> FromStream:
        return self.replace(of=factor * self.of)

    def _own(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the draw itself."""
        return shape if self.along is None else Where(shape, "").along(self.along).shape

    def _stream(self, name: str) -> str:
        if self.stream is not None:
            return self.stream
        return f"{name}#{self.number}" if self.number else name


def _made(operation: str, *operands: Any) -> Any:
    """Return an operation of two operands, or NotImplemented where one can be none."""
    if any(
        isinstance(each, str | dict | bool) or not isinstance(each, Scheme | int | float | np.number)
        for each in operands
    ):
        return NotImplemented
    return Expression(operation, operands)


def _extent(expression: Scheme) -> tuple[int, int]:
    """Return how many operations are within each other, and how many there are with their operands."""
    inner = [_extent(each) for each in _operands(expression)]
    return 1 + max((depth for depth, _ in inner), default=0), 1 + sum(size for _, size in inner)


def _operands(scheme: Scheme) -> list[Scheme]:
    given = getattr(scheme, "of", ())
    return [each for each in (given if isinstance(given, tuple) else (given,)) if isinstance(each, Scheme)]


def _power(program: Program, base: int, exponent: int) -> int:
    """Multiply by the binary digits of the exponent, from the highest on."""
    result = base
    for digit in f"{abs(exponent):b}"[1:]:
        result = program.operate("multiply", result, result)
        if digit == "1":
            result = program.operate("multiply", result, base)
    return result if exponent > 0 else program.operate("divide", program.constant(1.0), result)


def _linspace(program: Program, where: Where, start: float, stop: float, axis: int) -> int:
    """Count from both ends, so that the last is `stop`: the lower half from the first, the upper from the last."""
    here = where.along((axis,))
    (count,) = here.shape
    place = program.position(here)
    step = (stop - start) / max(1, count - 1)
    back = program.operate("subtract", place, program.constant(max(0, count - 1)))
    low, high = program.affine(place, step, start), program.affine(back, step, stop)
    return program.operate("where", program.operate("less", place, program.constant((count + 1) // 2)), low, high)


expression, from_stream = Expression, FromStream
