"""Hold the result of comparing strategies of initialization, ranked and with its uncertainty, and print it."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .json_values import as_json
from .report import Report
from .slopes import student

Values: TypeAlias = NDArray[np.float64]

_WIDTH = 100  # columns of a printed line of prose


@dataclass(frozen=True, slots=True)
class Outcome:
    """Sum up the runs of one strategy. Errors are standard errors of the mean over the seeds, nan with one seed.

    Parameters
    ----------
    name : str
        The name of the strategy.
    rate : float
        The learning rate at which its mean final loss was lowest. If that is the smallest or largest that was tried, a
        rate beyond it may do better. nan with the user's own step.
    loss, loss_error : float
        The training loss, averaged over the last tenth of the steps, and its error; inf if a run diverged.
    accuracy, accuracy_error : float
        The share of test examples that are classified correctly, and its error; nan if unknown.
    slope, slope_error : float
        The slope of log gradient² per layer towards the output, as `probe` fits it, and its error; nan with the user's
        own step.
    predicted : float
        The slope that theory predicts; nan if it predicts none.
    spread : float
        The largest RMS of a layer's gradient divided by the smallest, as a geometric mean over seeds.
    diverged : int
        The number of seeds whose loss was not finite at this rate.
    """

    name: str
    rate: float
    loss: float
    loss_error: float
    accuracy: float
    accuracy_error: float
    slope: float
    slope_error: float
    predicted: float
    spread: float
    diverged: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Rank strategies from the lowest final training loss to the highest; printing it shows a table.

    Parameters
    ----------
    title : str
        A line that names the task, the network and the training.
    rows : tuple of Outcome
        A summary of each strategy, the best first.
    reports : tuple of tuple of Report
        What the probe measured: for each row, a report for each seed; empty with the user's own step.
    losses : ndarray of float64, (strategies, seeds, steps)
        The losses of each strategy at its best rate, in the order of the rows; inf once a run has diverged.
    """

    title: str
    rows: tuple[Outcome, ...]
    reports: tuple[tuple[Report, ...], ...]
    losses: Values

    def better(self, first: str, second: str) -> bool:
        """Tell whether the final loss of one strategy is below another's by more than the scatter of seeds explains.

        It is if the 95 % intervals of the two means, by Student's t, do not overlap. With one seed it never is.

        Parameters
        ----------
        first : str
            The name of the strategy that may be better.
        second : str
            The name of the other strategy.

        Raises
        ------
        ValueError
            If a strategy was not compared.
        """
        names = [row.name for row in self.rows]
        for argument, name in (("first", first), ("second", second)):
            if name not in names:
                raise ValueError(f"{argument} must be one of {', '.join(names)}, got {name!r}")
        below, above = (_interval(final(self.losses[names.index(name)])) for name in (first, second))
        return below[1] < above[0]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it; numbers that are not finite become None."""
        rows = [{key: as_json(value) for key, value in dataclasses.asdict(row).items()} for row in self.rows]
        losses = [[[as_json(loss) for loss in run] for run in runs] for runs in self.losses.tolist()]
        reports = [[report.to_dict() for report in each] for each in self.reports]
        return {"title": self.title, "rows": rows, "losses": losses, "reports": reports}

    def __str__(self) -> str:
        """Return a table, the best first, then which strategies are better for certain, and the probe's verdicts."""
        heads = ["", "strategy", "rate", "final loss", "accuracy", "slope", "predicted", "max/min gradient", "diverged"]
        lines = [heads, *([str(rank), *self._cells(row)] for rank, row in enumerate(self.rows, 1))]
        columns = [column for column in zip(*lines, strict=True) if set(column[1:]) != {"–"}]
        widths = [max(map(len, column)) for column in columns]
        table = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in zip(*columns, strict=True)]
        prose = [textwrap.fill(line, _WIDTH, subsequent_indent="  ") for line in (*self._claims(), *self._problems())]
        return "\n".join([self.title, *table, *prose])

    def _cells(self, row: Outcome) -> Iterator[str]:
        yield row.name
        yield _text(row.rate, "g")
        yield _text(row.loss, ".3f", row.loss_error)
        yield _text(row.accuracy, ".3f", row.accuracy_error)
        yield _text(row.slope, "+.3f", row.slope_error)
        yield _text(row.predicted, "+.3f")
        yield _text(row.spread, ".3g")
        yield f"{row.diverged} of {self.losses.shape[1]}"

    def _claims(self) -> Iterator[str]:
        names = [row.name for row in self.rows]
        beaten = {name: [other for other in names if self.better(name, other)] for name in names}
        yield from (f"{name} is better than {', '.join(others)}" for name, others in beaten.items() if others)
        if not any(beaten.values()):
            yield "no strategy is better beyond the scatter of seeds"

    def _problems(self) -> Iterator[str]:
        for row, reports in zip(self.rows, self.reports, strict=True):
            for problem in reports[0].verdict() if reports else ():
                yield f"{row.name}: {problem}"


def final(losses: Values) -> Values:
    """Return the mean loss of each run over the last tenth of its steps."""
    steps = losses.shape[1]
    return np.asarray(losses[:, -max(1, steps // 10) :].mean(1))


def mean_and_error(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean and its standard error; nan if there are no values, or some are not finite."""
    array = np.fromiter(values, np.float64)
    if not array.size:
        return math.nan, math.nan
    with np.errstate(invalid="ignore"):
        error = array.std(ddof=1) / math.sqrt(array.size) if array.size > 1 else math.nan
        return float(array.mean()), float(error)


def _interval(values: Values) -> tuple[float, float]:
    """Return the 95 % interval of the mean; it is at infinity if every run diverged."""
    mean, error = mean_and_error(values)
    if np.isinf(values).all():
        return math.inf, math.inf
    half = error * student(len(values) - 1) if len(values) > 1 else math.nan
    return mean - half, mean + half


def _text(value: float, form: str, error: float = math.nan) -> str:
    if math.isnan(value):
        return "–"
    form = form if abs(value) < 1000 else ".3g"
    return f"{value:{form}}" if not math.isfinite(error) else f"{value:{form}} ± {error:{form.lstrip('+')}}"
