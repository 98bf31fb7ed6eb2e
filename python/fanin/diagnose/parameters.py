"""Parameters from wherever they are, and the kind of layer that a name tells."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .. import _dtypes
from .._types import Layer
from ..checkpoint import DTYPES

Array: TypeAlias = NDArray[Any]


def layer_of(name: str, rank: int) -> Layer:
    """The kind of layer that a name and a rank tell; `audit` states the rules."""
    words = set(re.split(r"[^a-z0-9]+|_", name.lower()))
    leaf = re.split(r"[./]", name.lower())[-1]
    if rank < 2 or leaf.startswith("bias"):
        return "norm" if rank < 2 and leaf in ("weight", "scale", "gamma") else "bias"
    if rank >= 4:
        return "conv"
    known: dict[Layer, set[str]] = {
        "recurrent": {"hh", "recurrent"},
        "input": {"ih"},
        "embedding": {"wte", "wpe", *(word for word in words if "emb" in word)},
        "head": {"head", "classifier", "logits"},
        "attention": {"attn", "attention", "query", "key", "value", "q", "k", "v", "qkv"},
    }
    return next((layer for layer, these in known.items() if words & these), "conv" if rank == 3 else "linear")


def parameters_of(arrays: Any) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Floating-point arrays by name, and the names of the others."""
    if isinstance(arrays, (str, os.PathLike)):
        path = Path(arrays)
        if path.suffix == ".safetensors":
            arrays = dict(_safetensors(path))
        elif path.suffix == ".npz":
            arrays = _npz(path)
        else:
            raise ValueError(f"arrays must be a .safetensors or .npz file where it is a path, got {str(path)!r}")
    elif not isinstance(arrays, Mapping):
        arrays = {"array": arrays}
    found = {name: _as_array(name, value) for name, value in arrays.items()}
    skipped = tuple(name for name, array in found.items() if array is None)
    return {name: array for name, array in found.items() if array is not None}, skipped


def _as_array(name: str, value: Any) -> Array | None:
    """An array of one of the four dtypes, of the same memory where it can be; None for integers and booleans."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.device.type != "cpu":
            raise TypeError(f"arrays[{name!r}] must be in CPU memory, got device {value.device}")
        short = value.dtype == torch.bfloat16  # unknown to NumPy
        value = value.detach().view(torch.uint16).numpy() if short else value.detach().numpy()
        value = value.view(_dtypes.native(_dtypes.code("bfloat16", _dtypes.FLOATS))) if short else value
    array: Array = np.asarray(value)
    if array.dtype.kind in "iub":
        return None
    native = array.dtype.newbyteorder("=")
    if str(native) not in DTYPES:
        raise TypeError(f"arrays[{name!r}] must be float32, float64, float16 or bfloat16, got {array.dtype}")
    return array.astype(native, copy=False)


def _npz(path: Path) -> dict[str, Array]:
    try:
        with np.load(path) as file:
            return dict(file)
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"arrays must be a complete .npz file, got {str(path)!r}: {error}") from error


def _safetensors(path: Path) -> Iterator[tuple[str, Array]]:
    """The tensors of a file, mapped into memory; bytes for those of other dtypes."""
    data = np.memmap(path, np.uint8, "r") if path.stat().st_size else np.empty(0, np.uint8)
    begin = 8 + int.from_bytes(data[:8].tobytes(), "little")
    names = {short: name for name, (short, _) in DTYPES.items()}
    try:
        header = json.loads(data[8:begin].tobytes())
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            first, last = entry["data_offsets"]
            tensor = data[begin + first : begin + last]
            if entry["dtype"] in names:
                code = _dtypes.code(names[entry["dtype"]], _dtypes.FLOATS)
                tensor = tensor.view(_dtypes.native(code)).reshape(entry["shape"])
            yield name, tensor
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"arrays must be a complete .safetensors file, got {str(path)!r}: {error}") from error
