"""What schemes that put a parameter together have in common: their moments follow from those of the pieces."""

from __future__ import annotations

import math
from collections import Counter

from ..arrays.shape import as_shape
from ..arrays.types import Shape
from .pieces import Native, Pieces
from .scheme import Scheme, as_scheme


class Assembled(Scheme):
    """A scheme of pieces."""

    __slots__ = ()

    def expected_mean(self, shape: Shape) -> float:
        counts, means, _ = self._moments(shape)
        return math.fsum(n * m for n, m in zip(counts, means, strict=True)) / max(1, sum(counts))

    def expected_std(self, shape: Shape) -> float:
        counts, means, stds = self._moments(shape)
        total = max(1, sum(counts))
        mean = math.fsum(n * m for n, m in zip(counts, means, strict=True)) / total
        squares = (n * (s**2 + (m - mean) ** 2) for n, m, s in zip(counts, means, stds, strict=True))
        return math.sqrt(math.fsum(squares) / total)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        raise TypeError(f"{self.describe()} is drawn in pieces")

    def _pieces(self, shape: tuple[int, ...], name: str) -> Pieces:
        found = self.pieces(shape, name)
        assert found is not None
        return found

    def _moments(self, shape: Shape) -> tuple[list[int], list[float], list[float]]:
        """Return counts, means and stds of pieces; those of one scheme and shape count as one."""
        counts: Counter[tuple[Scheme, tuple[int, ...]]] = Counter()
        for piece in self._pieces(as_shape(shape), ""):
            counts[as_scheme("scheme", piece.scheme), piece.shape] += piece.layout.size(piece.shape)
        means = [scheme.expected_mean(sizes) for scheme, sizes in counts]
        stds = [scheme.expected_std(sizes) for scheme, sizes in counts]
        return list(counts.values()), means, stds


def axis_of(axis: int, shape: tuple[int, ...]) -> int:
    """Return the number of an axis of a shape, from 0."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} of shape {shape}, got {axis}")
    return axis % len(shape)
