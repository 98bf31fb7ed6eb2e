"""Compile expressions: the steps that the core computes, one operation after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from .. import _core
from ..text import short

if TYPE_CHECKING:
    from .scheme import Scheme

# A step of the core: its name, operands, numbers, stream and axes.
Step: TypeAlias = tuple[str, tuple[int, ...], tuple[float, ...], str, "tuple[int, ...] | None"]


class Program:
    """Steps, each written once, in the order in which they are computed: a step is known by its number."""

    def __init__(self) -> None:
        self._steps: dict[Step, int] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps; the last one, which nothing before it can be, is the result."""
        return tuple(self._steps)

    def constant(self, value: float) -> int:
        """Add a number."""
        return self._add("constant", numbers=(float(value),))

    def operate(self, operation: str, *operands: int) -> int:
        """Add an operation on earlier steps."""
        return self._add(operation, operands)

    def draw(self, law: str, where: Where, *numbers: float) -> int:
        """Add a draw of one of the laws that the core knows, with its parameters."""
        return self._add(law, numbers=tuple(map(float, numbers)), stream=where.stream, along=where.axes)

    def position(self, where: Where) -> int:
        """Add the elements' own index."""
        return self._add("position", along=where.axes)

    def affine(self, step: int, factor: float, offset: float) -> int:
        """Add a step's result times a number, plus another, rounded once."""
        return self.operate("fma", step, self.constant(factor), self.constant(offset))

    def _add(
        self,
        name: str,
        operands: tuple[int, ...] = (),
        numbers: tuple[float, ...] = (),
        stream: str = "",
        along: tuple[int, ...] | None = None,
    ) -> int:
        return self._steps.setdefault((name, operands, numbers, stream, along), len(self._steps))


class Where:
    """The stream that an expression's draws come from, and the axes of the parameter along which they vary."""

    def __init__(self, shape: tuple[int, ...], stream: str, axes: tuple[int, ...] | None = None) -> None:
        self.whole, self.stream, self.axes = shape, stream, axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what varies along these axes."""
        return self.whole if self.axes is None else tuple(self.whole[axis] for axis in self.axes)

    def along(self, axes: Sequence[int]) -> Where:
        """Return the same along some of these axes."""
        shape = self.shape
        outside = [axis for axis in axes if not -len(shape) <= axis < len(shape)]
        if outside:
            raise ValueError(f"along must be axes of shape {shape}, got {outside[0]}")
        here = range(len(shape)) if self.axes is None else self.axes
        chosen = tuple(here[axis] for axis in axes)
        if len(set(chosen)) != len(chosen):
            raise ValueError(f"along must name each axis once, got {tuple(axes)} for shape {shape}")
        return Where(self.whole, self.stream, chosen)

    def named(self, stream: str) -> Where:
        """Return the same from another stream."""
        return Where(self.whole, stream, self.axes)


def compiled(operand: Scheme | float, program: Program, where: Where) -> int:
    """Add an operand, which is a number or a scheme whose elements are drawn each on its own."""
    if isinstance(operand, float | int):
        return program.constant(operand)
    if hasattr(operand, "compiled"):
        return int(operand.compiled(program, where))
    if operand.pieces(where.shape, where.stream) is None:
        sampler, arguments = operand.native(where.shape, 0, where.stream)
        if sampler is _core.constant:
            return program.constant(*arguments)
        if sampler in (_core.uniform, _core.normal, _core.truncated_normal):
            return program.draw(sampler.__name__, where, *arguments[:-2])  # without seed and name
    raise TypeError(
        f"an operand of an expression must be a number, or a scheme that draws each element on its own, got "
        f"{short(operand)}"
    )
