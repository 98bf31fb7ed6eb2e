"""Draw what `probe` measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from . import panels
from .panels import BLUE, GREY, ORANGE, TEXT, Curve, Path, Values

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from .report import Report


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
        x = numbers(report)
        label = f"{name}, {_slope(report)}"
        signal, gradient = _predicted(report)
        signals.append(Curve(style, x, report.rms, label, expected=signal))
        gradients.append(Curve(style, x, report.gradient, label, expected=gradient))
    left, right = figure.subplots(1, 2)
    handles = panels.logarithmic(left, signals, unit_of(found), "activation RMS")
    panels.logarithmic(right, gradients, unit_of(found), "gradient RMS, dL/dz")
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
    scatter = np.exp(np.sqrt(5 * numbers(report) / report.stack.width))
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
        x = numbers(report)
        dead, saturated = (100 * np.nan_to_num(shares) for shares in (report.dead, report.saturated))
        handles = [
            axes.bar(x - 0.23, dead, 0.46, color=BLUE, label="dead"),
            axes.bar(x + 0.23, saturated, 0.46, color=ORANGE, hatch="////", edgecolor="white", label="saturated"),
        ]
        panels.plain(axes, "", "% of units", name)
        axes.set_ylim(0, 100)
        axes.set_yticks([0, 50, 100])
        panels.counted(axes, x)
    rows[-1].set_xlabel(unit_of(found), fontsize=TEXT)
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


def numbers(report: Report) -> Values:
    """Return the numbers of the layers, from 1 on."""
    return np.arange(1.0, 1 + len(report.names))


def _part(report: Report) -> str:
    return "step" if report.stack.kind in ("rnn", "lstm") else "layer"


def unit_of(reports: Mapping[str, Report]) -> str:
    """Return what the layers of networks are called: layers, or the steps of a recurrent one."""
    return " or ".join(dict.fromkeys(map(_part, reports.values())))
