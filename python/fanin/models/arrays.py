"""Read parameters from a mapping of shapes or arrays, where arrays that share their memory are one parameter."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.validation import as_name, as_shape
from ..text import short
from .buffers import reason_to_skip
from .parameter import Parameter, Parameters

_MOST_WORK: Any = 100_000  # how long NumPy may search for an element that two views share


def from_mapping(source: Mapping[str, Any]) -> Parameters:
    """Return parameters by name, each given by a shape, a NumPy array, a torch tensor, or any object with a shape.

    Arrays with the same memory, strides and shape are one parameter, under the first of their names. Raise ValueError
    where two share only some elements, or share them in another order, as a matrix and its transpose do: no
    initialization could give both their values.

    Examples
    --------
    >>> import numpy as np
    >>> embedding = np.empty((10, 4), "float32")
    >>> model = from_mapping({"embed": embedding, "head": embedding, "norm": (4,), "steps": np.array(7)})
    >>> model.parameters  # doctest: +NORMALIZE_WHITESPACE
    (Parameter(name='embed', shape=(10, 4), aliases=('head',), dtype='float32'),
     Parameter(name='norm', shape=(4,), aliases=(), dtype=None))
    >>> model.skipped
    (('steps', 'dtype int64 is not floating-point'),)
    """
    items = list(source.items())  # kept alive: the next array could get the memory of one that is freed
    found: dict[str, Parameter] = {}
    aliases: dict[str, list[str]] = {}
    skipped: list[tuple[str, str]] = []
    owners: dict[Hashable, str] = {}
    views: list[View] = []
    for name, value in items:
        as_name(name)
        if isinstance(value, Mapping):
            raise ValueError(
                f"{short(name)} must be a shape or an array: it must be a sequence of integers, got a mapping; flatten "
                "it, as flax.traverse_util.flatten_dict(params, sep='.') does"
            )
        is_array = hasattr(value, "shape")
        try:
            shape = as_shape(value.shape if is_array else value, "it")
        except ValueError as error:
            raise ValueError(f"{short(name)} must be a shape or an array: {error}") from None
        dtype = _dtype(value) if is_array else ""
        if reason := reason_to_skip(name, shape, dtype):
            skipped.append((name, reason))
            continue
        view = _view(name, value) if is_array and 0 not in shape else None
        if view or hasattr(value, "__array__"):  # an object that only describes an array has no memory
            owner = owners.setdefault(view.key if view else id(value), name)
            if owner != name:
                aliases.setdefault(owner, []).append(name)
                continue
        found[name] = Parameter(name, shape, (), dtype.removeprefix("torch.") or None)
        if view:
            views.append(view)
    _reject_overlaps(views)
    for name, others in aliases.items():
        found[name] = replace(found[name], aliases=others)
    return Parameters(tuple(found.values()), tuple(skipped))


def _dtype(array: Any) -> str:
    """Return the name of an array's dtype, as its library writes it."""
    dtype = getattr(array, "dtype", "")
    return getattr(dtype, "name", None) or str(dtype)


@dataclass(frozen=True, slots=True)
class View:
    """Describe the memory of an array by an ndarray with the same addresses, which is never read."""

    name: str
    space: Hashable
    addresses: NDArray[Any]

    @property
    def key(self) -> Hashable:
        array = self.addresses
        strides = tuple(stride for length, stride in zip(array.shape, array.strides, strict=True) if length > 1)
        return self.space, self.start, array.shape, strides, array.itemsize

    @property
    def start(self) -> int:
        address: int = self.addresses.__array_interface__["data"][0]
        return address

    @property
    def bounds(self) -> tuple[int, int]:
        array = self.addresses
        steps = [(length - 1) * stride for length, stride in zip(array.shape, array.strides, strict=True)]
        low, high = sum(min(step, 0) for step in steps), sum(max(step, 0) for step in steps)
        return self.start + low, self.start + high + array.itemsize


@dataclass(frozen=True, slots=True)
class _Addresses:
    """Describe addresses to NumPy, which makes an array of them."""

    __array_interface__: dict[str, Any]


def _view(name: str, value: Any) -> View | None:
    """Return the memory of a NumPy array or a torch tensor; None for an object that does not tell its memory."""
    if isinstance(value, np.ndarray):
        return View(name, "cpu", value)
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return None
    try:
        storage = value.untyped_storage()
        address = storage.data_ptr()
    except (RuntimeError, NotImplementedError):  # a subclass without storage
        return None
    # On the meta device a storage has no address; the storage object itself takes its place.
    space: Hashable = str(value.device) if address else ("storage", storage._cdata)
    interface = {
        "version": 3,
        "shape": tuple(value.shape),
        "strides": tuple(stride * value.itemsize for stride in value.stride()),
        "typestr": f"|V{value.itemsize}",
        "data": ((address or storage._cdata) + value.storage_offset() * value.itemsize, True),
    }
    return View(name, space, np.asarray(_Addresses(interface)))


def _reject_overlaps(views: Sequence[View]) -> None:
    for first, second in overlaps(views):
        raise ValueError(
            f"{short(second.name)} must have all of the memory of {short(first.name)}, in the same order, or none, "
            f"got some: their shapes are {second.addresses.shape} and {first.addresses.shape}"
        )


def overlaps(views: Sequence[View]) -> Iterator[tuple[View, View]]:
    """Yield pairs that have an element in common, the one that comes first in `views` first."""
    for first, second in _neighbors(views):
        try:
            shared = np.shares_memory(first.addresses, second.addresses, max_work=_MOST_WORK)
        except np.exceptions.TooHardError:
            shared = True
        if shared:
            yield first, second


def _neighbors(views: Sequence[View]) -> Iterator[tuple[View, View]]:
    """Yield pairs whose ranges of addresses overlap, the one that comes first in `views` first."""
    order = {id(view): position for position, view in enumerate(views)}
    spaces: dict[Hashable, list[tuple[int, View]]] = {}
    for view in sorted(views, key=lambda view: view.bounds):
        begin, end = view.bounds
        near = [(stop, other) for stop, other in spaces.get(view.space, []) if stop > begin]
        for _, other in near:
            first, second = sorted((view, other), key=lambda each: order[id(each)])
            yield first, second
        spaces[view.space] = [*near, (end, view)]
