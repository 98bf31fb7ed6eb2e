"""Compute the moments of schemes that put a parameter together from those of its pieces."""

from __future__ import annotations

import math
from collections import Counter
from typing import TypeAlias

from ..arrays.shape import as_shape
from ..arrays.types import Shape
from .pieces import Native
from .scheme import Scheme, as_scheme

# The number of elements, and what mean and std they are expected to have, of what a parameter is put together from.
Moments: TypeAlias = list[tuple[int, float, float]]


class Assembled(Scheme):
    """A scheme of pieces."""

    __slots__ = ()

    def expected_mean(self, shape: Shape) -> float:
        moments = self._moments(shape)
        return math.fsum(n * mean for n, mean, _ in moments) / max(1, sum(n for n, _, _ in moments))

    def expected_std(self, shape: Shape) -> float:
        moments = self._moments(shape)
        if len(moments) == 1:
            return moments[0][2]
        total = max(1, sum(n for n, _, _ in moments))
        mean = math.fsum(n * each for n, each, _ in moments) / total
        return math.sqrt(math.fsum(n * (std**2 + (each - mean) ** 2) for n, each, std in moments) / total)

    def native(self, shape: tuple[int, ...], seed: int, name: str) -> Native:
        raise TypeError(f"{self.describe()} is drawn in pieces")

    def _moments(self, shape: Shape) -> Moments:
        """Return the moments of the pieces; those of one scheme and shape count as one."""
        pieces = self.pieces(as_shape(shape), "")
        assert pieces is not None
        counts: Counter[tuple[Scheme, tuple[int, ...]]] = Counter()
        for piece in pieces:
            counts[as_scheme("scheme", piece.scheme), piece.shape] += piece.layout.size(piece.shape)
        return [(n, scheme.expected_mean(part), scheme.expected_std(part)) for (scheme, part), n in counts.items()]


def axis_of(axis: int, shape: tuple[int, ...]) -> int:
    """Return the number of an axis of a shape, from 0."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} of shape {shape}, got {axis}")
    return axis % len(shape)
