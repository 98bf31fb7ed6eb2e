"""The tensors that a recorded model has beside its parameters: buffers, tensors that are plain attributes, integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..arrays.types import Array
from .draws import Stream
from .evaluation import evaluate
from .replay import as_array, drawn
from .values import Draw, Value


class Buffers(Mapping[str, Array]):
    """Compute recorded tensors by name when they are asked for.

    Parameters
    ----------
    values : mapping of str to Value
        What was recorded.
    streams : mapping of Draw to Stream
        The random stream of every draw in them.
    seed : int
        The seed of the streams.
    """

    def __init__(self, values: Mapping[str, Value], streams: Mapping[Draw, Stream], seed: int) -> None:
        self._values, self._streams, self._seed = values, streams, seed

    def tensor(self, name: str) -> Any:
        """Return a tensor of torch, on the CPU."""
        return evaluate(self._values[name], lambda draw: drawn(draw, self._seed, self._name(draw)))

    def seeded(self, seed: int) -> Buffers:
        """Return the same tensors for another seed."""
        return Buffers(self._values, self._streams, seed)

    def dtype(self, name: str) -> Any:
        """Return the dtype of a tensor."""
        return self._values[name].dtype

    def _name(self, draw: Draw) -> str:
        stream = self._streams[draw]
        return stream.of(stream.owner)

    def __getitem__(self, name: str) -> Array:
        """Return a tensor as an array."""
        return as_array(self.tensor(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
