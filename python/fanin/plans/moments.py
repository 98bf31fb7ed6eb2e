"""Mean and standard deviation of what comes in parts, and of groups of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..schemes import Scheme
from .rows import Row


@dataclass(slots=True)
class Moments:
    """Count, mean and standard deviation of values that come in pieces."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0  # sum of squared deviations from the mean

    @property
    def std(self) -> float:
        """Root of the mean squared deviation."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    def add(self, count: int, mean: float, std: float) -> None:
        """Merge `count` values of this mean and standard deviation."""
        self.merge(Moments(count, mean, count * std**2))

    def merge(self, other: Moments) -> None:
        """Add the values of others (Chan, Golub and LeVeque, 1979)."""
        if other.count:
            total = self.count + other.count
            difference = other.mean - self.mean
            self.squares += other.squares + difference**2 * (self.count * (other.count / total))
            self.mean += difference * (other.count / total)
            self.count = total


@dataclass(slots=True)
class Group:
    """Tensors of one role, drawn by one scheme."""

    role: str
    scheme: str
    tensors: int = 0
    expected: Moments = field(default_factory=Moments)
    observed: Moments = field(default_factory=Moments)


def groups(rows: Iterable[Row]) -> dict[tuple[str, Scheme], Group]:
    """The groups that rows fall into, with the moments that their schemes imply."""
    found: dict[tuple[str, Scheme], Group] = {}
    for row in rows:
        group = found.get(key := row.group)
        if group is None:
            group = found[key] = Group(row.rule.role, row.scheme.describe())
        group.tensors += 1
        group.expected.add(row.size, row.scheme.expected_mean(row.shape), row.scheme.expected_std(row.shape))
    return found
