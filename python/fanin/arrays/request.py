"""Bind a request once, where a call enters: which elements of which tensor, in which dtype, into which memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._core import Dtype
from . import dtypes, gpu, target
from .index import Box, box
from .shape import as_shape
from .types import Array, Device, DType, Index, Out, Shape


class Request:
    """Describe what one call draws, and where it writes.

    Attributes
    ----------
    shape : tuple of int
        The shape of the whole tensor.
    dtype : Dtype
        The dtype that its elements are drawn in.
    box : tuple or None
        The part that is drawn, with an entry for every axis, as `index.box` returns it; None for the whole tensor.
    memory : object
        Where the core writes: None for a new array, a GPU that draws a new array, an ndarray, or `Memory`.
    out : object
        The caller's array; None if there is none.
    """

    __slots__ = ("_is_scalar", "box", "dtype", "memory", "out", "shape")

    shape: tuple[int, ...]
    dtype: Dtype
    box: Box | None
    memory: Any
    out: Out

    def __init__(
        self,
        shape: Shape | None,
        dtype: DType,
        index: Index,
        out: Out,
        device: Device,
        supported: dtypes.Dtypes = dtypes.FLOATS,
    ) -> None:
        self.out = out
        self.box, self._is_scalar = None, False
        if out is None and shape is not None:
            self.shape = as_shape(shape)
        else:
            self.shape = as_shape(target.global_shape(shape, index, out))
        if index is not None:
            self.box, self._is_scalar = box(index, self.shape)
        if out is None:
            self.dtype = dtypes.find(dtype, supported)
            self.memory = None if device is None else gpu.drawing(device)
        else:
            if dtype is None:
                self.dtype = dtypes.find(target.dtype(out), supported, "the dtype of out")
            else:
                self.dtype = dtypes.find(dtype, supported)
            self.memory = target.writable(out, device)

    def draw(self, sampler: Callable[..., Any], arguments: tuple[Any, ...]) -> Array:
        """Call a native sampler with its own arguments and this request, and return what the user gets."""
        if self.out is None:
            array = sampler(*arguments, self.dtype, self.shape, self.box, self.memory)
            return array[()] if self._is_scalar else array
        try:
            sampler(*arguments, self.dtype, self.shape, self.box, self.memory)
        finally:  # a call that was interrupted has written too
            target.written(self.out)
        return self.out

    def finish(self, array: Array) -> Array:
        """Return what the user gets for a result that was put together in a NumPy array."""
        return array[()] if self._is_scalar else array
