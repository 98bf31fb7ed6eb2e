"""Describe a benchmark case: what it measures, the figures, and its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

OURS = "fanin"


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold a quantity in the unit of its case, as measured over the rounds."""

    minimum: float
    median: float

    @property
    def value(self) -> float:
        """The number that is compared and printed."""
        return self.minimum


class Median(Figure):
    """Compare by the median: a GPU's clock falls under load, so the minimum only shows a cool moment."""

    __slots__ = ()

    @property
    def value(self) -> float:
        return self.median


# The figure of each label; None if the peer cannot be used or the machine lacks what it needs.
Figures = Mapping[str, Figure | None]


@dataclass(frozen=True, slots=True)
class Target:
    """Say what fanin's figure should be: `at_least` times faster than the best `of` some rows, or `at_most` so much."""

    at_least: float | None = None
    of: tuple[str, ...] = ()
    at_most: float | None = None
    best_of: str = ""  # what to call several rows

    def describe(self, unit: str) -> str:
        """Return the target as a table states it."""
        if self.at_most is not None:
            return f"≤ {self.at_most:g} {unit}"
        assert self.at_least is not None
        rows = self.best_of or ", ".join(self.of)
        return f"{self.at_least:.0%} of {rows}" if self.at_least < 1 else f"≥ {self.at_least:g} × {rows}"

    def value(self, figures: Figures) -> float | None:
        """Return what was reached; None if a row that it needs is missing."""
        ours = figures.get(OURS)
        if ours is None:
            return None
        if self.at_most is not None:
            return ours.value
        peers = [figure.value for row in self.of if (figure := figures.get(row)) is not None]
        return min(peers) / ours.value if peers and ours.value else None

    def met(self, figures: Figures) -> bool | None:
        """Tell whether the target is met; None if that is unknown."""
        value = self.value(figures)
        if value is None:
            return None
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0)


@dataclass(frozen=True, slots=True)
class Case:
    """Describe one comparison; `measure` takes the number of rounds."""

    name: str
    unit: str
    measure: Callable[[int], Figures]
    targets: tuple[Target, ...] = ()
    note: str = ""
    plot: str = ""  # the picture it belongs to: "samplers" or "orthogonal"
    size: int = 0  # its place on the axis of that picture
