"""Say by boxes what was written to a parameter region by region: rows, gates, chunks, interleaved heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .. import schemes
from ..schemes import Scheme
from ..schemes.distributions import Constant as Same
from .reduction import ANYWHERE, Law, named
from .storage import Spans
from .values import Constant, Draw, Geometry, Layer, Operation, Read, Value

_MOST = 2048  # boxes that a scheme may list

_ELEMENTWISE = {"mul", "div", "add", "sub", "neg", "_to_copy"}  # what may be done to each region on its own

Index = tuple[int | slice, ...]


class Part(NamedTuple):
    """A box of a parameter: its index in the grid of all boxes, what draws it, and the template of its name."""

    place: Index
    scheme: Scheme
    name: str
    is_random: bool


def distributed(value: Value) -> Value:
    """Return a value in which numbers are applied to each region where they were applied to all of them.

    So an embedding with a padding row, scaled or cast as a whole, is known region by region.
    """
    if isinstance(value, Operation) and value.title == "cat":
        return _joined(value)
    if not isinstance(value, Operation) or value.title.rstrip("_") not in _ELEMENTWISE:
        return value
    place = next(
        (i for i, each in enumerate(value.args) if isinstance(each, Value) and each.shape == value.shape), None
    )
    others = [each for i, each in enumerate(value.args) if i != place]
    if place is None or any(isinstance(each, Value) and not isinstance(each, Constant) for each in others):
        return value
    inner = distributed(value.args[place])
    if (
        not isinstance(inner, Read)
        or len(inner.layers) < 2
        or any(each.geometry.dtype != inner.dtype for each in inner.layers)
    ):
        return value

    def applied(each: Value) -> Value:
        args = [*value.args[:place], each, *value.args[place + 1 :]]
        return Operation(value.func, args, value.kwargs, each.shape, value.dtype, value.pick)

    layers = [Layer(each.geometry._replace(dtype=value.dtype), applied(each.value), each.seen) for each in inner.layers]
    nbytes = inner.nbytes // inner.dtype.itemsize * value.dtype.itemsize
    return Read(layers, inner.geometry._replace(dtype=value.dtype), nbytes)


def _joined(value: Operation) -> Value:
    """Return the parts that `cat` joins as regions of one tensor."""
    parts = [part for part in value.args[0] if part.shape != (0,)]
    if any(part.dtype != value.dtype for part in parts):
        return value
    axis = value.args[1] if len(value.args) > 1 else value.kwargs.get("dim", 0)
    axis %= len(value.shape)
    strides = tuple(math.prod(value.shape[after:]) for after in range(1, len(value.shape) + 1))
    layers, start = [], 0
    for part in parts:
        place = Geometry(start * strides[axis], part.shape, strides, value.dtype)
        layers.append(Layer(place, part, Spans.of(place)))
        start += part.shape[axis]
    return Read(layers, Geometry(0, value.shape, strides, value.dtype), math.prod(value.shape) * value.dtype.itemsize)


def parted(value: Read, laws: Mapping[Value, Law | None], name_of: Callable[[Draw], str | None]) -> Scheme | None:
    """Return the scheme of a parameter that was written region by region; None where there is none.

    Parameters
    ----------
    value : Read
        The parameter.
    laws : mapping of Value to Law
        The laws of what was written.
    name_of : callable
        A function that returns the template of a draw's name; None for a draw that only the law of a scheme describes,
        and that other parameters have too.
    """
    geometry = value.geometry
    if any(layer.geometry.dtype != value.dtype or laws[layer.value] is None for layer in value.layers):
        return None
    order = sorted(range(len(geometry.shape)), key=lambda axis: -geometry.strides[axis])
    turned = geometry._replace(
        shape=tuple(geometry.shape[axis] for axis in order), strides=tuple(geometry.strides[axis] for axis in order)
    )
    if not turned.is_in_order or 0 in geometry.shape:
        return None
    found = _in_order(turned, value.layers, laws, name_of)
    if found is None or order == list(range(len(order))):
        return found
    return schemes.transpose(found, tuple(order.index(axis) for axis in range(len(order))))


def _in_order(
    geometry: Geometry,
    layers: Sequence[Layer],
    laws: Mapping[Value, Law | None],
    name_of: Callable[[Draw], str | None],
) -> Scheme | None:
    strides = _grid(geometry, layers)
    view = tuple(outer // inner for outer, inner in zip([math.prod(geometry.shape), *strides], strides, strict=False))
    parts = []
    for layer in layers:
        law = laws[layer.value]
        assert law is not None
        name = "{name}" if law.draw is None else name_of(law.draw)
        box = _box(geometry.offset, strides, view, layer.geometry)
        if name is None or box is None:
            return None
        scheme = _turned(law, box, layer.geometry)
        if scheme is None:
            return None
        parts.append(Part(box.place, scheme, name, law.draw is not None))
    return _together(parts, geometry.shape, view)


def _grid(geometry: Geometry, layers: Sequence[Layer]) -> list[int]:
    """Return the strides of the axes into which all regions split a parameter, the largest first."""
    strides = {stride for stride, size in zip(geometry.strides, geometry.shape, strict=True) if size > 1} or {1}
    total = math.prod(geometry.shape)
    for layer in layers:
        for stride, size in zip(layer.geometry.strides, layer.geometry.shape, strict=True):
            if size == 1 or stride in strides or stride < 1:
                continue
            inner = max((each for each in strides if each <= stride), default=1)
            outer = min((each for each in strides if each > stride), default=total)
            if stride % inner == 0 and outer % stride == 0:
                strides.add(stride)
    return sorted(strides, reverse=True)


class Box(NamedTuple):
    """Where a region lies: an index in the grid, and the axes of the grid that the region's own axes are, in order."""

    place: Index
    axes: tuple[int, ...]
    sizes: tuple[int, ...]


def _box(offset: int, strides: list[int], view: tuple[int, ...], region: Geometry) -> Box | None:
    left = region.offset - offset
    starts = []
    for stride in strides:
        start, left = divmod(left, stride)
        starts.append(start)
    index: list[int | slice] = list(starts)
    axes: list[int] = []
    for stride, size in zip(region.strides, region.shape, strict=True):
        if size == 1:
            continue
        found = _along(stride, size, strides, view, starts)
        if found is None or not found.keys().isdisjoint(axes):
            return None
        for axis, part in found.items():
            index[axis] = part
        axes += found
    return Box(tuple(index), tuple(axes), tuple(len(range(view[axis])[index[axis]]) for axis in axes))  # type: ignore[arg-type]


def _along(
    stride: int, size: int, strides: list[int], view: tuple[int, ...], starts: list[int]
) -> dict[int, slice] | None:
    """Return the axes of the grid that an axis of a region goes along, in order, and its part of each."""
    found: dict[int, slice] = {}
    while size > 1:
        axis = next((number for number, each in enumerate(strides) if each <= stride), None)
        if axis is None or stride % strides[axis] or axis in found:
            return None
        step, start = stride // strides[axis], starts[axis]
        if start + (size - 1) * step < view[axis]:
            return {axis: slice(start, start + (size - 1) * step + 1, step)} | found
        if step != 1 or start or size % view[axis]:
            return None
        found = {axis: slice(0, view[axis], 1)} | found  # it goes on along the next axis
        stride, size = stride * view[axis], size // view[axis]
    return found


def _turned(law: Law, box: Box, region: Geometry) -> Scheme | None:
    """Return the scheme of a region as the grid has it, whose axes may be in another order than the region's."""
    scheme = named(law, region.shape)
    if not isinstance(law.scheme, ANYWHERE) and box.sizes != region.shape:
        return None
    if box.sizes != region.shape:
        scheme = law.scheme
    if list(box.axes) == sorted(box.axes) or (law.draw is None and isinstance(scheme, Same)):
        return scheme
    return schemes.transpose(scheme, tuple(box.axes.index(axis) for axis in sorted(box.axes)))


def _together(parts: list[Part], shape: tuple[int, ...], view: tuple[int, ...]) -> Scheme | None:
    whole = tuple(slice(0, size, 1) for size in view)
    of: Scheme | None = None
    if parts[0].place == whole and parts[0].name == "{name}":
        of, parts = parts[0].scheme, parts[1:]
        if not parts:
            return of
    sizes = tuple(size for size in shape if size > 1)
    if of is not None and len(parts) == 1 and parts[0].scheme == schemes.zeros() and view == shape:
        row, *rest = parts[0].place
        if isinstance(row, int) and all(each == slice(0, size, 1) for each, size in zip(rest, view[1:], strict=True)):
            return schemes.padded(of, row)
    first = parts[0]
    if of is None and len(parts) == view[0] and (view == shape or sizes == view == shape):
        every = tuple(slice(0, size, 1) for size in view[1:])
        if all(
            part.place == (number, *every) and part.scheme == first.scheme and part.name == numbered(number)
            for number, part in enumerate(parts)
        ):
            return schemes.stack(first.scheme, names="{name}{#}")
    if len(parts) > _MOST:
        return None
    offset = int(of is not None)
    usual = all(part.name == numbered(number + offset) or not part.is_random for number, part in enumerate(parts))
    return schemes.regions(
        [part.scheme for part in parts],
        [_trimmed(part.place, view) for part in parts],
        of=of,
        names=None if usual else [part.name for part in parts],
        view=None if view == shape else view,
    )


def numbered(number: int) -> str:
    """Return the template of the name of a parameter's own draw of some number."""
    return f"{{name}}#{number}" if number else "{name}"


def _trimmed(index: Index, view: tuple[int, ...]) -> Index:
    """Return an index without what it says of whole axes at its end, and with whole slices as `:`."""
    found: list[int | slice] = []
    for each, size in zip(index, view, strict=True):
        if not isinstance(each, slice):
            found.append(each)
        elif each == slice(0, size, 1):
            found.append(slice(None))
        else:
            found.append(slice(each.start, each.stop, None if each.step == 1 else each.step))
    while len(found) > 1 and found[-1] == slice(None):
        found.pop()
    return tuple(found)
