"""Draw pictures with matplotlib, which `pip install "fanin[plot]"` installs; there is a function for each.

Every function returns a new matplotlib Figure, 8 inches wide, which needs no display and leaves pyplot alone. With
`path` it is saved too; the suffix sets the format. Without matplotlib they raise ImportError.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import panels
from .alarms import Thresholds
from .panels import BLUE, COLOURS, GREY, ORANGE, PALE, SMALL, TEXT, Curve, Path, Style, Values
from .plot_phase import phase
from .plot_weights import weights

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .comparison import Comparison
    from .report import Report

__all__ = ["comparison", "layers", "phase", "spectrum", "units", "updates", "weights"]


def layers(reports: Report | Mapping[str, Report], *, path: Path | None = None) -> Figure:
    """Draw the RMS of activations and of gradients in every layer, and behind them what theory predicts.

    Parameters
    ----------
    reports : Report or mapping of str to Report
        What `probe` measured, of one network or of several by name.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels with logarithmic axes of two decades or more, so that a flat line looks flat. Theory predicts
        gradients relative to the last layer's; they are drawn from the measured one there. Values that are 0 or not
        finite are marked on the lower or upper edge.

    Raises
    ------
    ValueError
        If there are no reports.
    ImportError
        If matplotlib is not installed.

    Notes
    -----
    The predicted band is exp(±√(5·d/width)) times the line, where d counts the layers from the input, or from the last
    layer for gradients. It spans two standard deviations of ReLU networks with independent Gaussian weights (Hanin and
    Nica, Products of many large random matrices and gradients in deep neural networks, 2018). Other activations,
    orthogonal weights and norms scatter less.

    Examples
    --------
    >>> from fanin import schemes
    >>> from fanin.diagnose.probe import probe
    >>> from fanin.diagnose.stack import Stack
    >>> stack = Stack(weights=schemes.he_normal(layout="OI"), depth=5, width=32)
    >>> figure = layers(probe(stack, np.ones((8, 32))))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['activation RMS', 'gradient RMS, dL/dz']
    """
    found = panels.named("reports", reports, "measured")
    figure = panels.figure(3.6)
    signals, gradients = [], []
    for style, (name, report) in zip(panels.styles(), found.items(), strict=False):
        x = _numbers(report)
        label = f"{name}, {_slope(report)}"
        signal, gradient = _predicted(report)
        signals.append(Curve(style, x, report.rms, label, expected=signal))
        gradients.append(Curve(style, x, report.gradient, label, expected=gradient))
    left, right = figure.subplots(1, 2)
    handles = panels.logarithmic(left, signals, _unit(found), "activation RMS")
    panels.logarithmic(right, gradients, _unit(found), "gradient RMS, dL/dz")
    for axes in (left, right):
        panels.counted(axes, max((curve.x for curve in signals), key=len))
    if any(curve.expected for curve in signals):
        handles.append(_legend_of_prediction())
    return panels.finished(figure, path, handles)


def _slope(report: Report) -> str:
    low, high = report.interval
    if not np.isfinite(report.slope):
        return "no gradients to fit a slope to"
    what = f"slope of log gradient² {report.slope:+.3f} a {_part(report)} (95 %: {low:+.3f} to {high:+.3f})"
    return what.replace("-", "−")


def _predicted(report: Report) -> tuple[tuple[Values, Values, Values] | None, tuple[Values, Values, Values] | None]:
    """Return lower bound, line and upper bound of what theory predicts, for activations and for gradients."""
    if report.prediction is None:
        return None, None
    scatter = np.exp(np.sqrt(5 * _numbers(report) / report.stack.width))
    signal, factor = report.prediction.signal, np.append(scatter[-2::-1], 1.0)
    with np.errstate(all="ignore"):  # gradients may have overflowed
        gradient = report.prediction.gradient * report.gradient[-1]
        return (signal / scatter, signal, signal * scatter), (gradient / factor, gradient, gradient * factor)


def _legend_of_prediction() -> Artist:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    return Line2D([], [], color=GREY, alpha=0.35, linewidth=4, label="predicted, and its scatter at this width")


def units(reports: Report | Mapping[str, Report], *, path: Path | None = None) -> Figure:
    """Draw the shares of dead and of saturated units in every layer, as bars.

    Parameters
    ----------
    reports : Report or mapping of str to Report
        What `probe` measured, of one network or of several by name.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each report, with two bars for each layer.

    Raises
    ------
    ValueError
        If there are no reports.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> from fanin import schemes
    >>> from fanin.diagnose.probe import probe
    >>> from fanin.diagnose.stack import Stack
    >>> stack = Stack(weights=schemes.he_normal(layout="OI"), depth=5, width=32)
    >>> len(units(probe(stack, np.ones((8, 32)))).axes[0].patches)
    10
    """
    found = panels.named("reports", reports, "measured")
    figure = panels.figure(0.8 + 1.15 * len(found))
    rows = figure.subplots(len(found), squeeze=False)[:, 0]
    handles: list[Artist] = []
    for axes, (name, report) in zip(rows, found.items(), strict=True):
        x = _numbers(report)
        dead, saturated = (100 * np.nan_to_num(shares) for shares in (report.dead, report.saturated))
        handles = [
            axes.bar(x - 0.23, dead, 0.46, color=BLUE, label="dead"),
            axes.bar(x + 0.23, saturated, 0.46, color=ORANGE, hatch="////", edgecolor="white", label="saturated"),
        ]
        panels.plain(axes, "", "% of units", name)
        axes.set_ylim(0, 100)
        axes.set_yticks([0, 50, 100])
        panels.counted(axes, x)
    rows[-1].set_xlabel(_unit(found), fontsize=TEXT)
    return panels.finished(figure, path, handles)


def spectrum(reports: Report | Mapping[str, Report], *, path: Path | None = None) -> Figure:
    """Draw the singular values of the Jacobian from the first layer to the last, from the largest on.

    Parameters
    ----------
    reports : Report or mapping of str to Report
        What `probe` measured, of one network or of several by name.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        One panel with a logarithmic axis. If all values are near 1, depth does not slow learning: this is dynamical
        isometry. Values below 1e-7 of the largest come from rounding in float32, and are left out.

    Raises
    ------
    ValueError
        If there are no reports.
    ImportError
        If matplotlib is not installed.

    References
    ----------
    Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks,
    2014. Pennington, Schoenholz and Ganguli, Resurrecting the sigmoid in deep learning through dynamical isometry,
    2017.

    Examples
    --------
    >>> from fanin import schemes
    >>> from fanin.diagnose.probe import probe
    >>> from fanin.diagnose.stack import Stack
    >>> stack = Stack(weights=schemes.orthogonal(layout="OI"), activation="linear", depth=5, width=32)
    >>> values = spectrum(probe(stack, np.ones((8, 32)))).axes[0].lines[1].get_ydata()
    >>> bool(abs(values - 1).max() < 1e-5)
    True
    """
    found = panels.named("reports", reports, "measured")
    figure = panels.figure(3.6)
    axes = figure.subplots()
    axes.axhline(1, color=GREY, linewidth=0.8)
    curves = []
    for style, (name, report) in zip(panels.styles(), found.items(), strict=False):
        values = np.sort(report.singular_values)[::-1]
        kept = ~(values < 1e-7 * values.max(initial=0))
        label = name if kept.all() else f"{name} (the rest is rounding)"
        curves.append(Curve(style, panels.ranks(values.size)[kept], values[kept], label))
    handles = panels.logarithmic(axes, curves, "share of the singular values, largest first", "singular value")
    axes.set_xlim(0, 1)
    return panels.finished(figure, path, handles)


def updates(
    traces: Mapping[str, ArrayLike] | Iterable[Mapping[str, Any]],
    *,
    thresholds: Thresholds | None = None,
    path: Path | None = None,
) -> Figure:
    """Draw how large updates are beside their weights, step by step.

    Parameters
    ----------
    traces : mapping of str to array, or iterable of dict
        The RMS of each step's update divided by that of the weight, by the name of the weight, as `Training.updates`
        holds it. Or records: the `history` of a monitor, or what was read from its file.
    thresholds : Thresholds, optional
        The thresholds beyond which the picture is shaded. Default: those of `Monitor`.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        One panel with a logarithmic axis and a line at 1e-3, near which updates should be (CS231n). If there are more
        than seven weights, colours go from dark for the first to light for the last.

    Raises
    ------
    ValueError
        If there are no traces.
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> figure = updates({"layers.0.weight": [1e-2, 3e-3, 1e-3], "layers.1.weight": [2e-2, 4e-3, 2e-3]})
    >>> figure.axes[0].get_ylabel()
    'RMS of update / RMS of weight'
    """
    ratios = _ratios(traces)
    limits = thresholds or Thresholds()
    figure = panels.figure(3.6)
    axes = figure.subplots()
    many = len(ratios) > len(COLOURS)
    styles = _by_depth(figure, axes, list(ratios)) if many else panels.styles()
    curves = [Curve(style, *ratios[name], name) for style, name in zip(styles, ratios, strict=False)]
    handles = panels.logarithmic(axes, curves, "step", "RMS of update / RMS of weight")
    panels.counted(axes, np.sort(np.concatenate([steps for steps, _ in ratios.values()])))
    _zones(axes, limits)
    return panels.finished(figure, path, () if many else handles)


def _ratios(traces: Mapping[str, ArrayLike] | Iterable[Mapping[str, Any]]) -> dict[str, tuple[Values, Values]]:
    """Return the steps and the ratios of every weight."""
    records: dict[str, list[tuple[float, float]]] = {}
    if isinstance(traces, Mapping):
        records = {name: list(enumerate(np.asarray(each, np.float64))) for name, each in traces.items()}
    else:
        for record in traces:
            if "update_ratio" in record:
                ratio = record["update_ratio"]
                records.setdefault(record["name"], []).append((record["step"], np.nan if ratio is None else ratio))
    found = {name: np.array(each, np.float64).T for name, each in records.items() if each}
    if not found:
        raise ValueError("traces must have a step of a weight at least, got none")
    return {name: (steps, values) for name, (steps, values) in found.items()}


def _by_depth(figure: Figure, axes: Axes, names: Sequence[str]) -> Iterator[Style]:
    """Yield colours from dark to light, and add a bar that explains them."""
    from matplotlib import colormaps  # noqa: PLC0415
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415

    colours = colormaps["cividis"]
    bar = figure.colorbar(ScalarMappable(cmap=colours), ax=axes, ticks=[0, 1], aspect=40)
    bar.set_ticklabels([names[0], names[-1]], fontsize=SMALL)
    return (Style(colours(place), "", "-") for place in np.linspace(0, 1, len(names)))


def _zones(axes: Axes, limits: Thresholds) -> None:
    """Shade where updates are alarming, and mark where they should be."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415

    low, high = axes.get_ylim()
    least, most = limits.smallest_update, limits.largest_update
    low = least / 10 if least > 0 else min(low, 1e-4)
    high = most * 10 if most < np.inf else max(high, 1e-2)
    axes.set_ylim(low, high)
    for start, end, what in ((low, least, "alarm: too small"), (most, high, "alarm: too large")):
        if start < end:
            axes.axhspan(start, end, color=PALE, linewidth=0, zorder=0)
            middle = np.sqrt(start * end)
            axes.text(0.01, middle, what, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL)
    axes.yaxis.set_major_locator(LogLocator(numticks=100))  # a tick at every decade, so that 1e-3 has one
    axes.axhline(1e-3, color="black", linewidth=1, linestyle=":")


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
            _over_seeds(style, _numbers(reports[0]), np.array([report.gradient for report in reports]), row.name)
            for style, reports, row in zip(styles, comparison.reports, rows, strict=True)
        ]
        unit = _unit({row.name: reports[0] for row, reports in zip(rows, comparison.reports, strict=True)})
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


def _numbers(report: Report) -> Values:
    """Return the numbers of the layers, from 1 on."""
    return np.arange(1.0, 1 + len(report.names))


def _part(report: Report) -> str:
    return "step" if report.stack.kind in ("rnn", "lstm") else "layer"


def _unit(reports: Mapping[str, Report]) -> str:
    return " or ".join(dict.fromkeys(map(_part, reports.values())))
