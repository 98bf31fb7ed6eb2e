"""Hold what an audit measured and found, and write it as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..arrays.types import Layer
from ..text import printable
from .json_values import as_json

_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Describe something that is wrong with a parameter.

    Parameters
    ----------
    name : str
        The name of the parameter.
    rule : str
        The rule that it breaks: "non-finite", "zero", "constant", "identical units", "outlier", "std", "orthogonality"
        or "equal values".
    message : str
        What is wrong, in numbers.
    """

    name: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """Hold what was measured of a parameter.

    Parameters
    ----------
    layer : str
        The kind of layer that it was judged as: see `fanin.recommend`.
    shape : tuple of int
        The shape of the parameter.
    dtype : str
        The name of its dtype.
    count, finite, nan, infinite, zeros : int
        The number of all elements, and of those that are finite, NaN, infinite and 0.
    mean, std, minimum, maximum : float
        The moments and extremes of the finite elements; NaN if there are none. The std divides by their number.
    hash : int
        A hash of 64 bits of all elements and their order.
    asked : float, optional
        The std that `fanin.recommend` gives; None for biases and norms.
    defect : float, optional
        For a weight that looks orthogonal, max |Q·Qᵀ/g² - I|, where g² is the mean square of its rows; at most 256 rows
        are taken. None for other weights, for sparse ones, and if one side is over 16 times the other.
    """

    layer: Layer
    shape: tuple[int, ...]
    dtype: str
    count: int
    finite: int
    nan: int
    infinite: int
    zeros: int
    mean: float
    std: float
    minimum: float
    maximum: float
    hash: int
    asked: float | None = None
    defect: float | None = None

    @property
    def constant(self) -> bool:
        """Whether all finite elements are equal."""
        return self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class Audit:
    """Hold what `audit` found; printing it shows the findings, then a table of all parameters.

    Parameters
    ----------
    findings : tuple of Finding
        What is wrong, in the order of the parameters; empty if nothing is.
    statistics : dict of str to Statistics
        What was measured of each parameter, by name.
    tied : tuple of (str, str)
        Pairs of an earlier parameter and a later one that shares its memory. Default: none.
    skipped : dict of str to str
        The names of arrays that were not judged, such as counters, masks and tables of positions, with the reason.
        Default: none.
    """

    findings: tuple[Finding, ...]
    statistics: dict[str, Statistics]
    tied: tuple[tuple[str, str], ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: NaN becomes None, a hash becomes 16 hexadecimal digits."""
        rows = {name: asdict(s) | {"hash": f"{s.hash:016x}"} for name, s in self.statistics.items()}
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "statistics": {name: {key: as_json(value) for key, value in row.items()} for name, row in rows.items()},
            "tied": [list(pair) for pair in self.tied],
            "skipped": dict(self.skipped),
        }

    def __str__(self) -> str:
        """Return the findings, then a row for every parameter, in at most 100 columns."""
        what = "no findings" if not self.findings else f"{len(self.findings)} findings"
        lines = [f"{what} in {len(self.statistics)} parameters".replace("1 findings", "1 finding")]
        lines += [f"{f.name}: {f.rule}: {f.message}" for f in self.findings]
        lines += [f"{other} shares the memory of {first}" for first, other in self.tied]
        for reason in dict.fromkeys(self.skipped.values()):
            lines.append(f"skipped, {reason}: {', '.join(n for n, why in self.skipped.items() if why == reason)}")
        text = [textwrap.fill(printable(line), _WIDTH, subsequent_indent="    ") for line in lines]
        header = ("parameter", "layer", "shape", "mean", "std", "asked", "minimum", "maximum")
        return "\n".join([*text, "", *map(_row, [header, *(_cells(n, s) for n, s in self.statistics.items())])])


def _cells(name: str, s: Statistics) -> tuple[str, ...]:
    asked = "" if s.asked is None else f"{s.asked:.3g}"
    numbers = (f"{s.mean:.2g}", f"{s.std:.3g}", asked, f"{s.minimum:.3g}", f"{s.maximum:.3g}")
    return printable(name), s.layer, "×".join(map(str, s.shape)), *numbers


def _row(cells: Iterable[str]) -> str:
    name, layer, shape, *numbers = cells
    name = name if len(name) <= 26 else "…" + name[-25:]
    return f"{name:26} {layer:9} {shape[:15]:>15}" + "".join(f" {number:>8}" for number in numbers)
