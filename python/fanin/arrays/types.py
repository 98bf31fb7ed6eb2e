"""Name the types of public arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias

if TYPE_CHECKING:
    from types import EllipsisType

    from numpy.random import SeedSequence

Shape: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
Seed: TypeAlias = "SupportsIndex | SeedSequence"
DType: TypeAlias = Any  # a name ("bfloat16"), a NumPy dtype or scalar type, or a torch dtype
Index: TypeAlias = "SupportsIndex | slice | EllipsisType | tuple[SupportsIndex | slice | EllipsisType, ...] | None"
Out: TypeAlias = Any  # an array to write to: an ndarray, or an object with __dlpack__ or __cuda_array_interface__
Device: TypeAlias = Any  # "cpu", "cuda", "cuda:1", or an object whose str() is one of these, as torch.device
Array: TypeAlias = Any  # an ndarray; `out` itself where given; a NumPy scalar where `index` picks one element

Layout: TypeAlias = str  # "OI", "IO", or a letter for every axis: see fanin.Fans.of
Convention: TypeAlias = Literal["torch", "keras", "jax"]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution: TypeAlias = Literal["normal", "truncated_normal", "uniform"]
Layer: TypeAlias = Literal["linear", "conv", "recurrent", "input", "attention", "embedding", "norm", "bias", "head"]
Per: TypeAlias = Literal["output", "input"]
TransformerStack: TypeAlias = Literal["encoder", "decoder"]
Bounds: TypeAlias = Literal["std", "absolute"]
Activation: TypeAlias = str | tuple[str, *tuple[float, ...]] | Callable[[Any], Any]
