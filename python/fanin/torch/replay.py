"""Values that fanin has no scheme for: torch computes them from fanin's draws, which keep their streams."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch.utils._pytree import tree_flatten

from .. import _core
from ..arrays import dtypes, target
from ..arrays.index import box
from ..arrays.request import Request
from ..arrays.types import Array, Shape
from ..schemes import Scheme
from ..schemes.pieces import Native
from .draws import Stream
from .evaluation import CPU, evaluate
from .values import Constant, Draw, Known, Operation, Read, Value, in_order

_MOST_MEASURED = 1 << 20  # elements of a tensor whose mean and std are told
_DRAWABLE = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Replayed(Scheme):
    """Let torch compute a parameter as the model's code does, from draws of fanin.

    The draws are bit-stable; what torch's own functions make of them may differ in the last bit between processors and
    releases. It is computed whole for every part that is asked for.

    Parameters
    ----------
    value : Value
        What was recorded.
    draws : mapping of Draw to Stream
        The random stream of every draw; those whose owner is "" belong to the parameter itself.
    """

    value: Value
    draws: Mapping[Draw, Stream]
    digest: str = field(init=False)

    scheme_name = "replayed"

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest(self.value, self.draws))

    def __eq__(self, other: object) -> bool:
        """Tell whether two schemes compute the same from the same draws."""
        return isinstance(other, Replayed) and self.digest == other.digest

    def __hash__(self) -> int:
        """Return a hash of what is computed."""
        return hash(self.digest)

    def streams(self, shape: tuple[int, ...], name: str) -> set[str]:
        return {name, *(stream.of(name) for stream in self.draws.values() if not stream.owner)}

    @property
    def is_whole(self) -> bool:
        return True

    @property
    def is_portable(self) -> bool:
        """Whether the bits are the same on every processor: they are where nothing is computed."""
        return not any(isinstance(each, Operation) for each in in_order(self.value))

    def expected_mean(self, shape: Shape) -> float:
        return self._moments()[0]

    def expected_std(self, shape: Shape) -> float:
        return self._moments()[1]

    def describe(self) -> str:
        return f"replayed({text(self.value)}, digest={self.digest})"

    def __repr__(self) -> str:
        return self.describe()

    def to_dict(self) -> dict[str, Any]:
        raise TypeError("what torch computes cannot be written down: give it a scheme by overrides, or leave it out")

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        return _computed_by_torch, (self, seed, name)

    def draw(self, request: Request, seed: int, name: str) -> Array:
        values = self.tensor(seed, name)
        part = request.box or box(..., request.shape)[0]
        chosen = values[tuple(entry if isinstance(entry, int) else slice(None) for entry in part)]
        for axis, entry in enumerate(entry for entry in part if not isinstance(entry, int)):
            start, step, count = entry
            chosen = chosen.index_select(axis, start + step * torch.arange(count, device=CPU))
        array = as_array(chosen.to(getattr(torch, request.dtype.name)))
        if request.out is None:
            return request.finish(array)
        _core.constant(0.0, request.dtype, request.shape, part, request.memory)  # refuses what cannot be written to
        if target.is_torch(request.out):
            target.copy(array, request.out)
        else:
            target.as_ndarray(request.out)[...] = array
        return request.out

    def tensor(self, seed: int, name: str) -> Any:
        """Return the whole value as a tensor of torch."""
        return evaluate(self.value, lambda draw: drawn(draw, seed, self._stream(draw, name)))

    def _stream(self, draw: Draw, name: str) -> str:
        stream = self.draws[draw]
        return stream.of(stream.owner or name)

    def _moments(self) -> tuple[float, float]:
        if math.prod(self.value.shape) > _MOST_MEASURED:
            return math.nan, math.nan
        values = self.tensor(0, "moments").double()
        return float(values.mean()), float(values.std(correction=0)) if values.numel() else 0.0


def _computed_by_torch(*_: Any) -> Any:
    raise TypeError("torch computes it")


def drawn(draw: Draw, seed: int, name: str) -> Any:
    """Return the tensor of a draw."""
    is_direct = draw.formula is None and draw.dtype in _DRAWABLE
    out = torch.empty(draw.shape, dtype=draw.dtype if is_direct else torch.float64, device=CPU)
    draw.scheme(draw.shape, seed=seed, name=name, out=out)
    return out if is_direct else (out if draw.formula is None else draw.formula(out)).to(draw.dtype)


def as_array(tensor: Any) -> NDArray[Any]:
    """Return a tensor on the CPU as an array."""
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if tensor.dtype != torch.bfloat16:
        return tensor.numpy()  # type: ignore[no-any-return]
    words = tensor.view(torch.int16).numpy()
    return words.view(dtypes.native(dtypes.find("bfloat16", dtypes.FLOATS)))  # type: ignore[no-any-return]


def text(value: Value, depth: int = 5) -> str:
    """Return a value as nested calls, shortened where it is deep."""
    match value:
        case Constant():
            return f"{value.value:.6g}"
        case Draw():
            return value.scheme.describe() if value.formula is None else value.law
        case Known():
            return "values from Python"
        case Read():
            parts = [text(layer.value, depth - 1) for layer in value.layers]
            return parts[0] if len(parts) == 1 else f"regions({', '.join(dict.fromkeys(parts))})" if depth else "…"
        case Operation() if depth:
            return f"{value.title}({', '.join(_operand(each, depth - 1) for each in value.args)})"
    return "…"


def _operand(each: Any, depth: int) -> str:
    if isinstance(each, list | tuple):
        return f"[{', '.join(_operand(item, depth) for item in each)}]"
    return text(each, depth) if isinstance(each, Value) else str(each)


def digest(root: Value, streams: Mapping[Draw, Stream]) -> str:
    """Return a short hash of all that decides a value, however deep: operations, their arguments, laws and numbers."""
    numbers: dict[Value, int] = {}
    found = hashlib.blake2b(digest_size=8)
    for value in in_order(root):
        numbers[value] = len(numbers)
        said: list[Any] = [type(value).__name__, value.shape, str(value.dtype)]
        match value:
            case Constant():
                said.append(value.value)
            case Draw():
                said += [value.law, value.scheme.describe(), streams[value]]
            case Known():
                said.append(hashlib.blake2b(_bytes(value.tensor)).hexdigest())
            case Read():
                said += [value.geometry, [(layer.geometry, numbers[layer.value]) for layer in value.layers]]
            case Operation():
                leaves, tree = tree_flatten((value.args, value.kwargs))
                said += [value.title, str(value.func) if hasattr(value.func, "_schema") else "", value.pick, tree]
                said += [numbers[each] if isinstance(each, Value) else each for each in leaves]
        found.update(re.sub(r" at 0x\w+", "", repr(said)).encode())
    return found.hexdigest()


def _bytes(tensor: Any) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    data: bytes = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return data
