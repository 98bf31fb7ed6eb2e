"""Merge means and standard deviations of parts, and of groups of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..schemes import Scheme
from .rows import Row


@dataclass(slots=True)
class Moments:
    """Hold count, mean and standard deviation of values that come in parts."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0  # the sum of squared deviations from the mean

    @property
    def std(self) -> float:
        """The standard deviation: the root of the mean squared deviation."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    def add(self, count: int, mean: float, std: float) -> None:
        """Merge `count` values of this mean and standard deviation."""
        self.merge(Moments(count, mean, count * std**2))

    def merge(self, other: Moments) -> None:
        """Merge the values that `other` describes (Chan, Golub and LeVeque, 1979)."""
        if other.count:
            total = self.count + other.count
            difference = other.mean - self.mean
            self.squares += other.squares + difference**2 * (self.count * (other.count / total))
            self.mean += difference * (other.count / total)
            self.count = total


@dataclass(slots=True)
class Group:
    """Describe the tensors of one role that one scheme draws.

    Attributes
    ----------
    role : str
        What they are in the model, as the recipe says ("residual projection").
    scheme : str
        The scheme, as text.
    tensors : int
        The number of tensors.
    expected : Moments
        Count, mean and standard deviation of all their elements, as the scheme implies.
    observed : Moments
        The same of the values that were drawn; its count is 0 where none were.
    """

    role: str
    scheme: str
    tensors: int = 0
    expected: Moments = field(default_factory=Moments)
    observed: Moments = field(default_factory=Moments)


def groups(rows: Iterable[Row]) -> dict[tuple[str, Scheme], Group]:
    """Return the groups that rows fall into, with the moments that their schemes imply."""
    found: dict[tuple[str, Scheme], Group] = {}
    for row in rows:
        group = found.get(key := row.group)
        if group is None:
            group = found[key] = Group(row.rule.role, row.scheme.describe())
        group.tensors += 1
        group.expected.add(row.size, row.scheme.expected_mean(row.shape), row.scheme.expected_std(row.shape))
    return found
