"""Collect the tensors of a model, wherever they are, and tell the kind of layer from a name."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .._core import Dtype
from ..arrays import dtypes
from ..arrays.types import Layer, Layout
from ..checkpoint import DTYPES
from ..files.npz_reader import Described, read_npz
from ..files.regular import open_regular
from ..models import files_of
from ..recommendation import LAYERS

Array: TypeAlias = NDArray[Any]

_EMBEDDING = re.compile(r"wte|wpe|table|embs?|embed.*|.*(emb|embed|embedding)s?")
_ATTENTION = re.compile(r"attn\d*|attention\d*")
_PROJECTION = re.compile(r"query|key|value|q|k|v|qkv")
# In time_embedding.linear_1 and value.0 the kind of the inner layer counts, not the name of the module around it.
_INNER = re.compile(r"^\d+$|(?<![a-z])(linear|fc|proj|dense|conv)(?![a-z])")
_BUFFER = re.compile(r".*mask.*|pe|pos(ition(al)?)?_(enc|encoding|table)s?|inv_freq|freqs_cis|(cos|sin)_cached")
_ZERO = re.compile(r"lora_b|lora_embedding_a")  # Hu et al. (2021): one factor of an adapter starts at zero


def layer_of(name: str, rank: int) -> Layer:
    """Return the kind of layer that a name and a rank tell; `audit` states the rules."""
    components = re.split(r"[./]", name.lower())
    leaf = components[-1]
    if rank < 2 or leaf.startswith("bias"):
        return "norm" if rank < 2 and leaf in ("weight", "scale", "gamma") else "bias"
    if rank >= 4:
        return "conv"
    words = [set(re.split(r"[^a-z0-9]+", component)) for component in components]
    inner = max((place for place, component in enumerate(components) if _INNER.search(component)), default=0)
    every, innermost = set().union(*words), set().union(*words[inner:])
    known: dict[Layer, bool] = {
        "recurrent": not every.isdisjoint({"hh", "recurrent"}),
        "input": "ih" in every,
        "embedding": any(map(_EMBEDDING.fullmatch, innermost)),
        "attention": any(map(_ATTENTION.fullmatch, every)) or any(map(_PROJECTION.fullmatch, innermost)),
        "head": not every.isdisjoint({"head", "classifier", "logits"}),
    }
    return next((layer for layer, told in known.items() if told), "conv" if rank == 3 else "linear")


def layers_of(parameters: Mapping[str, Array], given: Mapping[str, Layer]) -> dict[str, Layer]:
    """Return the kind of layer of every parameter: the given one, or else what `layer_of` tells."""
    for name, layer in given.items():
        if name not in parameters:
            raise ValueError(f"layers must name parameters, got {name!r}, which is not one")
        if layer not in LAYERS:
            raise ValueError(f"layers must be of {', '.join(LAYERS)}, got {layer!r} for {name!r}")
    return {name: layer_of(name, array.ndim) for name, array in parameters.items()} | dict(given)


def may_be_zero(name: str, layer: Layer) -> bool:
    """Tell whether a weight may start at 0 and still learn: the last one of a network or of an adapter may."""
    return layer == "head" or _ZERO.search(name.lower()) is not None


def tensors_of(arrays: Any, wanted: Collection[str] = ()) -> tuple[dict[str, Array], dict[str, str]]:
    """Return floating-point arrays by name, without copying where possible, and why others are not parameters.

    Arrays whose names say that they are masks or tables are not parameters, unless `wanted` has them.
    """
    if isinstance(arrays, (str, os.PathLike)):
        arrays = dict(_in_file(os.fsdecode(arrays)))
    elif not isinstance(arrays, Mapping):
        arrays = {"array": arrays}
    found: dict[str, Array] = {}
    skipped: dict[str, str] = {}
    for name, value in arrays.items():
        array = value if isinstance(value, _OfDtype) else _as_array(name, value)
        if isinstance(array, _OfDtype):
            skipped[name] = f"of dtype {array}"
        elif name not in wanted and _BUFFER.fullmatch(re.split(r"[./]", name.lower())[-1]):
            skipped[name] = "named as a mask or a table of positions"
        else:
            found[name] = array
    return found, skipped


def native(array: Array) -> Array:
    """Return an array in this machine's byte order."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def units_of(array: Array, layout: Layout) -> Array | None:
    """Return the weights of each output as a row; None for a vector."""
    if array.ndim < 2:
        return None
    outputs_first = array if layout == "OI" else np.moveaxis(array, -1, 0)
    return outputs_first.reshape(len(outputs_first), math.prod(outputs_first.shape[1:]))


def memory_of(array: Array) -> tuple[Any, ...]:
    """Return a key that is equal for arrays of the same elements in the same memory and order, whatever their shape."""
    place = array.ctypes.data, array.nbytes, str(array.dtype)
    return place if array.flags.c_contiguous else (*place, array.shape, array.strides)


class _OfDtype(str):
    """Stand for an array of a dtype that is not judged, with the name of the dtype."""

    __slots__ = ()


def _as_array(name: str, value: Any) -> Array | _OfDtype:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        if dtype not in DTYPES:
            return _OfDtype(dtype)
        if value.device.type != "cpu":
            raise TypeError(f"arrays[{name!r}] must be in CPU memory, got device {value.device}")
        short = value.dtype == torch.bfloat16  # unknown to NumPy
        value = value.detach().view(torch.uint16).numpy() if short else value.detach().numpy()
        value = value.view(dtypes.native(Dtype.bfloat16)) if short else value
    array: Array = np.asarray(value)
    if array.dtype.kind == "O":
        raise TypeError(f"arrays[{name!r}] must be an array of numbers, got {type(value).__name__}")
    return array if str(array.dtype.newbyteorder("=")) in DTYPES else _OfDtype(array.dtype)


def _in_file(path: str) -> Iterator[tuple[str, Array | _OfDtype]]:
    """Yield the arrays in a file: those of a .npz file are read, those of safetensors files are mapped into memory."""
    if path.endswith(".npz"):
        for name, array in read_npz(path):
            yield name, _OfDtype(array.dtype) if isinstance(array, Described) else _as_array(name, array)
        return
    if not path.endswith((".safetensors", ".index.json")) and not os.path.isdir(path):
        raise ValueError(
            "arrays must be the path of a .safetensors, .index.json or .npz file, or of a directory with one, if it "
            f"is a path, got {path!r}"
        )
    names = {short: name for name, (short, _) in DTYPES.items()}
    for file, header in files_of(path).items():
        with open_regular(file) as opened:
            data = np.memmap(opened, np.uint8, "r")
        for name, (dtype, shape) in header.tensors.items():
            begin, end = header.places[name]
            if dtype not in names:
                yield name, _OfDtype(dtype)
            elif end > len(data):
                raise ValueError(f"{file}: tensor {name!r} must end within the file, which became shorter")
            else:
                found = dtypes.find(names[dtype], dtypes.FLOATS)
                yield name, data[begin:end].view(dtypes.native(found)).reshape(shape)
