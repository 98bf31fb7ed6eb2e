"""What a recorded tensor holds: a draw, a constant, values from Python, or what operations make of these.

Values are kept as a graph, so that nothing is computed while a model is recorded. A value never changes: what is
written to a tensor is another value for the elements that were written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from torch.utils._pytree import tree_leaves

from ..schemes import Scheme

_calls = itertools.count()


class Geometry(NamedTuple):
    """Which elements of its storage a tensor has: offset and strides count elements of its dtype."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    @classmethod
    def of(cls, tensor: Any) -> Geometry:
        """Return the geometry of a tensor."""
        return cls(tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()), tensor.dtype)

    @property
    def is_packed(self) -> bool:
        """Whether each element has memory of its own, and none lies between them, in whatever order."""
        run = 1
        for stride, size in sorted(zip(self.strides, self.shape, strict=True)):
            if size != 1:
                if stride != run:
                    return False
                run *= size
        return True

    @property
    def is_in_order(self) -> bool:
        """Whether the elements follow each other in memory in C order."""
        run = 1
        for stride, size in zip(reversed(self.strides), reversed(self.shape), strict=True):
            if size != 1:
                if stride != run:
                    return False
                run *= size
        return True


class Value:
    """The values of a tensor.

    Attributes
    ----------
    shape, dtype
        Those of the tensor.
    inputs : tuple of Value
        The values that it is computed from.
    is_random : bool
        Whether it depends on a draw.
    has_holes : bool
        Whether some elements, of it or of what it is computed from, were never written.
    number : int
        The place in the order in which values were made.
    """

    __slots__ = ("dtype", "has_holes", "inputs", "is_random", "number", "shape")

    def __init__(self, shape: Sequence[int], dtype: Any, inputs: Iterable[Value] = ()) -> None:
        self.shape, self.dtype, self.inputs = tuple(shape), dtype, tuple(inputs)
        self.number = next(_calls)
        self.is_random: bool = any(value.is_random for value in self.inputs)
        self.has_holes: bool = any(value.has_holes for value in self.inputs)


class Empty(Value):
    """What was never written."""

    __slots__ = ()

    def __init__(self, shape: Sequence[int], dtype: Any) -> None:
        super().__init__(shape, dtype)
        self.has_holes = True


class Constant(Value):
    """One number everywhere."""

    __slots__ = ("value",)

    def __init__(self, value: complex, shape: Sequence[int], dtype: Any) -> None:
        super().__init__(shape, dtype)
        self.value = value


class Known(Value):
    """Values that were there: from Python, NumPy, a file, or a tensor made before the recording."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Any) -> None:
        super().__init__(tensor.shape, tensor.dtype)
        self.tensor = tensor


class Draw(Value):
    """Random values of a law.

    Attributes
    ----------
    scheme : Scheme
        The law, which any part and any order of the elements keeps, or the matrices that were asked for.
    named : Scheme or None
        The scheme of the function that was called, such as `he_normal`, if it says the same for this shape.
    formula : callable or None
        What torch makes of the scheme's values, which are of float64 then, where fanin has no scheme for the law.
    law : str
        What the law is called.
    """

    __slots__ = ("formula", "law", "named", "scheme")

    def __init__(
        self,
        law: str,
        scheme: Scheme,
        shape: Sequence[int],
        dtype: Any,
        named: Scheme | None = None,
        formula: Any = None,
    ) -> None:
        super().__init__(shape, dtype)
        self.law, self.scheme, self.named, self.formula = law, scheme, named, formula
        self.is_random = True


class Unsupported(Value):
    """Random values of a law that fanin cannot draw, an error where a model needs them."""

    __slots__ = ("law",)

    def __init__(self, law: str, shape: Sequence[int], dtype: Any) -> None:
        super().__init__(shape, dtype)
        self.law, self.is_random = law, True


class Layer(NamedTuple):
    """A write that still shows: where it went, what was written, and which bytes of it are seen."""

    geometry: Geometry
    value: Value
    seen: Any  # Spans


class Read(Value):
    """A view of a storage to which several values were written, or one by another view."""

    __slots__ = ("geometry", "layers", "nbytes")

    def __init__(self, layers: list[Layer], geometry: Geometry, nbytes: int) -> None:
        super().__init__(geometry.shape, geometry.dtype, [layer.value for layer in layers])
        self.layers, self.geometry, self.nbytes = layers, geometry, nbytes


class Pick(NamedTuple):
    """Which tensor of an operation is meant: ("out", i) of what it returns, or an argument that it writes to."""

    kind: str  # "out", "arg", "key", or "all" for all that it returns
    key: Any


class Operation(Value):
    """What an operation of torch makes of other values.

    Attributes
    ----------
    func : callable
        An operation of torch, or a function of tensors.
    args, kwargs
        Its arguments, with values in the places of tensors.
    pick : Pick
        Which of its results is meant.
    """

    __slots__ = ("args", "func", "kwargs", "pick")

    def __init__(
        self,
        func: Any,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        shape: Sequence[int],
        dtype: Any,
        pick: Pick | None = None,
    ) -> None:
        super().__init__(shape, dtype, (each for each in tree_leaves((list(args), kwargs)) if isinstance(each, Value)))
        self.func, self.args, self.kwargs, self.pick = func, list(args), kwargs, pick or Pick("out", 0)

    @property
    def title(self) -> str:
        """The name of the operation, without its namespace and overload, or that of the function."""
        return title(self.func)


class Replaced(Value):
    """The place of an argument that an operation writes to and does not read."""

    __slots__ = ()


def title(func: Any) -> str:
    """Return the name of an operation, without its namespace and overload."""
    schema = getattr(func, "_schema", None)
    return func.__name__.strip("_") if schema is None else str(schema.name.rpartition("::")[2])


def in_order(root: Value) -> Iterator[Value]:
    """Yield a value and all that it is computed from, each once, after its inputs. Graphs may be deep."""
    done: set[Value] = set()
    stack = [(root, False)]
    while stack:
        value, is_ready = stack.pop()
        if is_ready:
            yield value
        elif value not in done:
            done.add(value)
            stack.append((value, True))
            stack += [(each, False) for each in reversed(value.inputs) if each not in done]
