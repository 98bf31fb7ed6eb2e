"""Plans: the parameters of a model, each with the rule that draws it, ready to fill or to save."""

from __future__ import annotations

import importlib
import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._seed import as_seed
from ._types import Seed
from .checkpoint import Entry, Writer
from .models import Parameter
from .recipes import Recipe
from .schemes import Scheme

_PIECE = 2 << 20  # bytes: still in the cache when it goes from the sampler to the file
_MOST_WORKERS = 8  # enough for any disk


@dataclass(slots=True)
class Moments:
    """Count, mean and standard deviation of values that come in pieces."""

    count: int = 0
    mean: float = 0.0
    _squares: float = 0.0  # sum of squared deviations from the mean

    @property
    def std(self) -> float:
        """Root of the mean squared deviation."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    def add(self, count: int, mean: float, std: float) -> None:
        """Merge `count` values of this mean and standard deviation (Chan, Golub and LeVeque, 1979)."""
        if count:
            difference, fraction = mean - self.mean, count / (self.count + count)
            self._squares += count * std**2 + difference**2 * self.count * fraction
            self.mean += difference * fraction
            self.count += count


@dataclass(slots=True)
class Group:
    """A row of a plan's table: tensors of one role, drawn by one scheme."""

    role: str
    scheme: str
    tensors: int = 0
    expected: Moments = field(default_factory=Moments)
    observed: Moments = field(default_factory=Moments)


@dataclass(frozen=True, slots=True)
class Saved:
    """What `Plan.save` wrote: the plan's table with what was observed, the file's size, and seconds spent."""

    groups: tuple[Group, ...]
    nbytes: int
    seconds: float


class Plan:
    """The parameters of a model, each with its rule.

    Parameters
    ----------
    parameters : iterable of Parameter
        Names and global shapes. ValueError for a name given twice, or two names of one random stream.
    recipe : Recipe
        Gives each its rule. ValueError where no rule matches.

    Examples
    --------
    >>> from fanin import models, recipes
    >>> plan = Plan(models.gpt2(), recipes.gpt2())
    >>> plan.groups()[0].role, plan.groups()[0].tensors
    ('embeddings', 2)
    """

    def __init__(self, parameters: Iterable[Parameter], recipe: Recipe) -> None:
        self.recipe = recipe
        self.rows = tuple((parameter, recipe.rule(parameter.name, parameter.shape)) for parameter in parameters)
        names = [parameter.name for parameter, _ in self.rows]
        _reject_repeated(names, "name")
        for tag in (0, 1):
            _reject_repeated([_core.stream_id(name, tag) for name in names], "random stream")

    def groups(self) -> tuple[Group, ...]:
        """The plan's table, in the order of the recipe, with the mean and standard deviation each scheme implies."""
        return tuple(self._table().values())

    def nbytes(self, dtype: str = "float32") -> int:
        """Bytes of all parameters."""
        return sum(entry.nbytes for entry in self._entries(dtype))

    def fill(self, *, seed: Seed, dtype: str = "float32") -> dict[str, NDArray[Any]]:
        """All parameters as arrays, by name."""
        return {
            parameter.name: rule.scheme(parameter.shape, seed=seed, name=parameter.name, dtype=dtype)
            for parameter, rule in self.rows
        }

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        seed: Seed,
        dtype: str = "float32",
        force: bool = False,
        progress: Callable[[int], object] = lambda nbytes: None,
    ) -> Saved:
        """Write all parameters to a safetensors file, in pieces: memory does not grow with the model.

        Parameters
        ----------
        path : str or path-like
            The file; it appears when it is complete, and not at all on an error.
        seed : int or numpy.random.SeedSequence
            In [0, 2^64).
        dtype : str
            float32 (the default), float64, float16 or bfloat16.
        force : bool
            Replace an existing file.
        progress : callable
            Called with the number of bytes after each piece.

        Raises
        ------
        FileExistsError, OSError
            See `checkpoint.Writer`.
        """
        start = time.perf_counter()
        seed = as_seed(seed)
        table = self._table()
        rules = {parameter.name: rule for parameter, rule in self.rows}
        entries = self._entries(dtype)
        element = _numpy_dtype(dtype)
        buffers: SimpleQueue[NDArray[np.uint8]] = SimpleQueue()
        workers = min(_core.get_num_threads(), _MOST_WORKERS)
        for _ in range(workers):
            buffers.put(np.empty(_PIECE, np.uint8))

        def draw(piece: _Piece) -> tuple[float, float]:
            buffer = buffers.get()
            try:
                data = buffer[: piece.nbytes]
                values = data.view(element).reshape(piece.shape)
                name = piece.entry.name
                rules[name].scheme(piece.entry.shape, seed=seed, name=name, index=piece.index, out=values)
                file.write(name, data.data, piece.start)
                observed = _core.statistics(values)
                return observed["mean"], observed["std"]
            finally:
                buffers.put(buffer)

        # Pieces are independent, so each thread draws and writes its own; none waits for the others.
        pool = ThreadPoolExecutor(workers, initializer=_core.swap_thread_limit, initargs=(1,))
        with Writer(path, entries, self._metadata(seed), force=force) as file:
            try:
                pieces = [piece for entry in file.entries for piece in _pieces(entry)]
                for piece, (mean, std) in zip(pieces, pool.map(draw, pieces), strict=True):
                    rule = rules[piece.entry.name]
                    table[rule.role, rule.scheme].observed.add(math.prod(piece.shape), mean, std)
                    progress(piece.nbytes)
            finally:
                pool.shutdown(cancel_futures=True)
        return Saved(tuple(table.values()), file.nbytes, time.perf_counter() - start)

    def _entries(self, dtype: str) -> list[Entry]:
        return [Entry(parameter.name, dtype, parameter.shape) for parameter, _ in self.rows]

    def _table(self) -> dict[tuple[str, Scheme], Group]:
        table = {(rule.role, rule.scheme): Group(rule.role, rule.scheme.describe()) for rule in self.recipe.rules}
        for parameter, rule in self.rows:
            group = table[rule.role, rule.scheme]
            group.tensors += 1
            group.expected.add(parameter.size, rule.scheme.mean(parameter.shape), rule.scheme.std(parameter.shape))
        return {key: group for key, group in table.items() if group.tensors}

    def _metadata(self, seed: int) -> dict[str, str]:
        origin = {
            "recipe": self.recipe.name,
            "recipe_digest": self.recipe.digest,
            "seed": seed,
            "stream": "v1",
            "version": _core.__version__,
        }
        return {"format": "pt", "fanin": json.dumps(origin, sort_keys=True)}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A contiguous part of a tensor, `start` bytes into it."""

    entry: Entry
    start: int
    index: tuple[int | slice, ...]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.entry.itemsize


def _pieces(entry: Entry) -> Iterator[_Piece]:
    start = 0
    for index, shape in contiguous_pieces(entry.shape, _PIECE // entry.itemsize):
        piece = _Piece(entry, start, index, shape)
        yield piece
        start += piece.nbytes


def contiguous_pieces(shape: Sequence[int], limit: int) -> Iterator[tuple[tuple[int | slice, ...], tuple[int, ...]]]:
    """Index and shape of pieces of at most `limit` elements that make up a tensor in C order.

    Examples
    --------
    >>> list(contiguous_pieces((5, 2), 4))
    [((slice(0, 2, None),), (2, 2)), ((slice(2, 4, None),), (2, 2)), ((slice(4, 5, None),), (1, 2))]
    """
    if 0 in shape:
        return
    if not shape:
        yield (), ()
        return
    length, *rest = shape
    row = math.prod(rest)
    if row > limit:
        for i in range(length):
            for index, piece in contiguous_pieces(rest, limit):
                yield (i, *index), piece
    else:
        rows = limit // row
        for start in range(0, length, rows):
            stop = min(start + rows, length)
            yield (slice(start, stop),), (stop - start, *rest)


def _reject_repeated(values: Iterable[object], what: str) -> None:
    for value, count in Counter(values).items():
        if count > 1:
            raise ValueError(f"every parameter must have its own {what}, got {value!r} {count} times")


def _numpy_dtype(dtype: str) -> np.dtype[Any]:
    if dtype == "bfloat16":
        importlib.import_module("ml_dtypes")  # registers the name with NumPy
    return np.dtype(dtype)
