"""Say by a closed set of operations what code computes from draws and numbers, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from .. import schemes
from ..schemes import Scheme
from ..schemes.distributions import Constant as Same
from ..schemes.distributions import Uniform
from ..schemes.expression import Expression
from .draws import Stream
from .reduction import ANYWHERE, Law
from .values import Draw, Geometry, Operation, Read, Replaced, Value

# Which axis of the parameter each axis of a value is; None for an axis of size 1, along which nothing varies.
Axes = tuple[int | None, ...]
Term = Scheme | float


def expression(
    value: Value, laws: Mapping[Value, Law | None], stream_of: Callable[[Draw], Stream | None]
) -> Scheme | None:
    """Return the scheme that computes a value; None where an operation is outside the closed set.

    Parameters
    ----------
    value : Value
        The parameter.
    laws : mapping of Value to Law
        The law of each value that it is computed from, where there is one.
    stream_of : callable
        A function that returns the stream of a draw, whose owner is "" if it is the parameter itself; None where the
        scheme of the draw only has its law, and other parameters have it too.
    """
    try:
        found = _Reader(value, laws, stream_of).term(value, tuple(range(len(value.shape))))
    except _OutsideError:
        return None
    except (ValueError, TypeError):  # too deep, or too many operations
        return None
    if not isinstance(found, Scheme):
        return schemes.constant(found)
    return _known(found)


class _OutsideError(Exception):
    """Say that something cannot be computed element by element by the closed set."""


class _Reader:
    def __init__(
        self, root: Value, laws: Mapping[Value, Law | None], stream_of: Callable[[Draw], Stream | None]
    ) -> None:
        self.root, self.laws, self.stream_of = root, laws, stream_of

    def term(self, value: Value, axes: Axes) -> Term:
        """Return the scheme, or the number, of a value whose axes are those of the parameter."""
        law = self.laws.get(value)
        if law is not None and (law.draw is None or law.draw.shape == value.shape):
            return self._drawn(law, axes)
        if isinstance(value, Read):
            return self._viewed(value, axes)
        if not isinstance(value, Operation):
            raise _OutsideError
        translate = OPERATIONS.get(value.title.rstrip("_"))
        if translate is None or value.dtype.is_complex:
            raise _OutsideError
        return translate(self, value, axes)

    def operand(self, each: Any, value: Value, axes: Axes) -> Term:
        """Return an operand of an elementwise operation, whose last axes are those of the result."""
        if isinstance(each, bool | int | float):
            return float(each)
        if not isinstance(each, Value):
            raise _OutsideError
        own = axes[len(axes) - len(each.shape) :]
        return self.term(each, tuple(None if size == 1 else axis for size, axis in zip(each.shape, own, strict=True)))

    def _drawn(self, law: Law, axes: Axes) -> Term:
        if law.draw is None:
            if not isinstance(law.scheme, Same):
                raise _OutsideError
            return law.scheme.value
        stream = self.stream_of(law.draw)
        if stream is None or not isinstance(law.scheme, ANYWHERE):
            raise _OutsideError
        along = self._along(axes)
        if not stream.owner and along is None:
            return law.scheme if not stream.number else schemes.from_stream(law.scheme, stream.number)
        if stream.owner:
            return schemes.from_stream(law.scheme, stream=stream.of(stream.owner), along=along)
        return schemes.from_stream(law.scheme, stream.number, along=along)

    def _along(self, axes: Axes) -> tuple[int, ...] | None:
        """Return along which axes of the parameter a value varies; None where along all of them, in their order."""
        along = tuple(axis for axis in axes if axis is not None and self.root.shape[axis] > 1)
        every = tuple(axis for axis, size in enumerate(self.root.shape) if size > 1)
        return None if along == every else along

    def _viewed(self, value: Read, axes: Axes) -> Term:
        """Return the term of a view of one value whose axes are some of the view's, perhaps repeated or turned."""
        if len(value.layers) != 1:
            raise _OutsideError
        layer = value.layers[0]
        base: Geometry = layer.geometry
        if base.dtype != value.dtype or not base.is_in_order or base.offset != value.geometry.offset:
            raise _OutsideError
        places = {
            stride: (axis, size)
            for axis, size, stride in zip(axes, value.geometry.shape, value.geometry.strides, strict=True)
            if size > 1 and stride
        }
        own: list[int | None] = []
        for size, stride in zip(base.shape, base.strides, strict=True):
            axis, length = places.pop(stride, (None, 0)) if size > 1 else (None, 1)
            if length != size:
                raise _OutsideError
            own.append(axis)
        if places:
            raise _OutsideError
        return self.term(layer.value, tuple(own))


def _unary(operation: str) -> Callable[..., Term]:
    def translate(reader: _Reader, value: Operation, axes: Axes) -> Term:
        return Expression(operation, reader.operand(value.args[0], value, axes))

    return translate


def _binary(operation: str) -> Callable[..., Term]:
    def translate(reader: _Reader, value: Operation, axes: Axes) -> Term:
        if value.kwargs.get("rounding_mode") is not None:
            raise _OutsideError
        one, other = (reader.operand(each, value, axes) for each in value.args[:2])
        return Expression(operation, (one, other))

    return translate


def _sum(operation: str, *, turned: bool = False) -> Callable[..., Term]:
    def translate(reader: _Reader, value: Operation, axes: Axes) -> Term:
        one, other = (reader.operand(each, value, axes) for each in value.args[:2])
        alpha = value.kwargs.get("alpha", value.args[2] if len(value.args) > 2 else 1)
        if alpha != 1:
            other = Expression("multiply", (other, float(alpha)))
        return Expression(operation, (other, one) if turned else (one, other))

    return translate


def _clamp(reader: _Reader, value: Operation, axes: Axes) -> Term:
    result, *bounds = value.args
    found: Term = reader.operand(result, value, axes)
    low = value.kwargs.get("min", bounds[0] if bounds else None)
    high = value.kwargs.get("max", bounds[1] if len(bounds) > 1 else None)
    for operation, bound in (("maximum", low), ("minimum", high)):
        if bound is not None:
            found = Expression(operation, (found, reader.operand(bound, value, axes)))
    return found


def _power(reader: _Reader, value: Operation, axes: Axes) -> Term:
    base, exponent = value.args[:2]
    if not isinstance(exponent, int | float) or not (abs(exponent) == 0.5 or exponent == int(exponent)):
        raise _OutsideError
    found = reader.operand(base, value, axes)
    if exponent == int(exponent):
        return Expression("power", (found, int(exponent)))
    root = Expression("sqrt", found)
    return root if exponent > 0 else Expression("divide", (1.0, root))


def _reciprocal(reader: _Reader, value: Operation, axes: Axes) -> Term:
    return Expression("divide", (1.0, reader.operand(value.args[0], value, axes)))


def _rsqrt(reader: _Reader, value: Operation, axes: Axes) -> Term:
    return Expression("divide", (1.0, Expression("sqrt", reader.operand(value.args[0], value, axes))))


def _square(reader: _Reader, value: Operation, axes: Axes) -> Term:
    return Expression("power", (reader.operand(value.args[0], value, axes), 2))


def _sigmoid(reader: _Reader, value: Operation, axes: Axes) -> Term:
    falling = Expression("exp", Expression("negate", reader.operand(value.args[0], value, axes)))
    return Expression("divide", (1.0, Expression("add", (1.0, falling))))


def _copy(reader: _Reader, value: Operation, axes: Axes) -> Term:
    source = next(each for each in value.inputs if not isinstance(each, Replaced))
    if not (value.dtype.is_floating_point and (source.dtype.is_floating_point or not source.is_random)):
        raise _OutsideError
    return reader.operand(source, value, axes)


def _repeat(reader: _Reader, value: Operation, axes: Axes) -> Term:
    source, repeats = value.args
    sizes = (1,) * (len(repeats) - len(source.shape)) + source.shape
    if any(size > 1 and times != 1 for size, times in zip(sizes, repeats, strict=True)):
        raise _OutsideError
    return reader.operand(source, value, axes)


def _arange(reader: _Reader, value: Operation, axes: Axes) -> Term:
    numbers = [each for each in value.args if isinstance(each, int | float)]
    start, step = (0, 1) if len(numbers) == 1 else (numbers[0], numbers[2] if len(numbers) > 2 else 1)
    return Expression("arange", (float(start), float(step), _single(axes)))


def _linspace(reader: _Reader, value: Operation, axes: Axes) -> Term:
    start, stop = value.args[:2]
    if not isinstance(start, int | float) or not isinstance(stop, int | float) or not value.dtype.is_floating_point:
        raise _OutsideError
    return Expression("linspace", (float(start), float(stop), _single(axes)))


def _single(axes: Axes) -> int:
    if len(axes) != 1 or axes[0] is None:
        raise _OutsideError
    return axes[0]


def _less(turned: bool) -> Callable[..., Term]:
    def translate(reader: _Reader, value: Operation, axes: Axes) -> Term:
        one, other = (reader.operand(each, value, axes) for each in value.args[:2])
        return Expression("less", (other, one) if turned else (one, other))

    return translate


def _where(reader: _Reader, value: Operation, axes: Axes) -> Term:
    return Expression("where", tuple(reader.operand(each, value, axes) for each in value.args[:3]))


OPERATIONS: dict[str, Callable[[_Reader, Operation, Axes], Term]] = {
    "add": _sum("add"),
    "sub": _sum("subtract"),
    "rsub": _sum("subtract", turned=True),
    "mul": _binary("multiply"),
    "div": _binary("divide"),
    "neg": _unary("negate"),
    "abs": _unary("abs"),
    "minimum": _binary("minimum"),
    "maximum": _binary("maximum"),
    "clamp": _clamp,
    "clamp_min": _clamp,
    "sqrt": _unary("sqrt"),
    "rsqrt": _rsqrt,
    "exp": _unary("exp"),
    "log": _unary("log"),
    "expm1": _unary("expm1"),
    "log1p": _unary("log1p"),
    "pow": _power,
    "reciprocal": _reciprocal,
    "square": _square,
    "sigmoid": _sigmoid,
    "lt": _less(turned=False),
    "gt": _less(turned=True),
    "where": _where,
    "clone": _copy,
    "copy": _copy,
    "_to_copy": _copy,
    "repeat": _repeat,
    "arange": _arange,
    "linspace": _linspace,
}


def _known(found: Scheme) -> Scheme:
    """Return the scheme that has a name of its own, where an expression is what it computes."""
    return _step_bias(found) or found


def _step_bias(found: Scheme) -> Scheme | None:
    """Return Mamba's bias of time steps, the inverse of softplus of log-uniform steps with a floor."""
    match found:
        case Expression(
            operation="add",
            of=(
                Expression(
                    operation="maximum", of=(Expression(operation="exp", of=(Uniform(low, high),)), float(floor))
                ) as steps,
                Expression(
                    operation="log",
                    of=(Expression(operation="negate", of=(Expression(operation="expm1", of=(inner,)),)),),
                ),
            ),
        ) if inner == Expression("negate", steps):
            return schemes.mamba_step_bias(_tidy(math.exp(low)), _tidy(math.exp(high)), floor)
    return None


def _tidy(value: float) -> float:
    """Return the number that was meant, of which a logarithm was taken."""
    return float(f"{value:.12g}")
