"""Draw a comparison of strategies."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import panels
from .panels import SMALL, Curve, Path, Style, Values
from .plot_reports import numbers, unit_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .comparison import Comparison


def comparison(comparison: Comparison, *, path: Path | None = None) -> Figure:
    """Draw strategies side by side: training loss, gradients before training, and accuracy after it.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        At the top are the training loss and, if there are reports, the gradient RMS of each layer before training: the
        median over seeds, and a band from the lowest to the highest. A loss above three times the first leaves the
        picture. Below is the test accuracy with its standard error, or the final loss if no accuracy is known, from the
        best strategy to the worst.

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from fanin.diagnose.compare import compare
    >>> result = compare(["he", "xavier"], seeds=2, steps=20, rates=(0.1,))
    >>> [label.get_text() for label in comparison(result).axes[-1].get_yticklabels()] == [r.name for r in result.rows]
    True
    """
    rows = comparison.rows
    styles = list(itertools.islice(panels.styles(), len(rows)))
    figure = panels.figure(4.3 + 0.25 * len(rows))
    probed = any(comparison.reports)
    axes = figure.subplot_mosaic(
        [["loss", "gradients" if probed else "loss"], ["score", "score"]], height_ratios=[2.8, 0.5 + 0.25 * len(rows)]
    )
    window = max(1, comparison.losses.shape[2] // 50)
    smooth = np.lib.stride_tricks.sliding_window_view(comparison.losses, window, axis=2).mean(axis=3)
    steps = window + np.arange(smooth.shape[2], dtype=np.float64)
    curves = [_over_seeds(style, steps, runs, row.name) for style, runs, row in zip(styles, smooth, rows, strict=True)]
    first = smooth[..., 0][np.isfinite(smooth[..., 0])]
    what = "training loss" if window == 1 else f"training loss, mean of {window} steps"
    handles = panels.logarithmic(axes["loss"], curves, "step", what, decades=0.5, most=3 * first.max(initial=1.0))
    panels.counted(axes["loss"], steps)
    if probed:
        curves = [
            _over_seeds(style, numbers(reports[0]), np.array([report.gradient for report in reports]), row.name)
            for style, reports, row in zip(styles, comparison.reports, rows, strict=True)
        ]
        unit = unit_of({row.name: reports[0] for row, reports in zip(rows, comparison.reports, strict=True)})
        panels.logarithmic(axes["gradients"], curves, unit, "gradient RMS before training")
        panels.counted(axes["gradients"], max((curve.x for curve in curves), key=len))
    _scores(axes["score"], comparison, styles)
    title = textwrap.wrap(comparison.title, 115)
    if comparison.losses.shape[1] > 1:
        title.append("lines: the median of the seeds; bands: from the lowest to the highest")
    return panels.finished(figure, path, handles, "\n".join(title))


def _over_seeds(style: Style, x: Values, runs: Values, label: str) -> Curve:
    runs = np.where(np.isnan(runs), np.inf, runs)
    return Curve(style, x, np.median(runs, axis=0), label, (runs.min(axis=0), runs.max(axis=0)))


def _scores(axes: Axes, comparison: Comparison, styles: Sequence[Style]) -> None:
    accurate = any(np.isfinite(row.accuracy) for row in comparison.rows)
    notes = []
    for place, (row, style) in enumerate(zip(comparison.rows, styles, strict=True)):
        value, error = (100 * row.accuracy, 100 * row.accuracy_error) if accurate else (row.loss, row.loss_error)
        digits = ".1f" if accurate else ".3g"
        note = f"{value:{digits}}" + (f" ± {error:{digits}}" if np.isfinite(error) else "")
        note += f" at rate {row.rate:g}" if np.isfinite(row.rate) else ""
        note += f", {row.diverged} diverged" if row.diverged else ""
        if np.isfinite(value):
            spread = error if np.isfinite(error) else 0.0
            axes.errorbar(value, place, xerr=spread, color=style.color, marker=style.marker, capsize=3)
        notes.append((value, error, note))
    panels.plain(axes, "test accuracy, % ± standard error" if accurate else "final loss ± standard error", "")
    axes.set_yticks(range(len(comparison.rows)), [row.name for row in comparison.rows])
    axes.set_ylim(len(comparison.rows) - 0.5, -0.5)
    if accurate:
        axes.set_xlim(0, 100)
    _beside(axes, notes)


def _beside(axes: Axes, notes: Sequence[tuple[float, float, str]]) -> None:
    """Write each note on the side of its error bar that has more room."""
    left, right = axes.get_xlim()
    for place, (mean, spread, note) in enumerate(notes):
        value, error = np.nan_to_num([mean, spread], nan=0.0, posinf=left)
        leftwards = value > (left + right) / 2
        axes.annotate(
            note,
            (value - error if leftwards else value + error, place),
            (-8 if leftwards else 8, 0),
            textcoords="offset points",
            ha="right" if leftwards else "left",
            va="center",
            fontsize=SMALL,
        )
