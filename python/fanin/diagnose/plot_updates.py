"""Draw how large updates are beside their weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import panels
from .alarms import Thresholds
from .panels import COLOURS, PALE, SMALL, Curve, Path, Style, Values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
