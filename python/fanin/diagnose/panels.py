"""Draw the parts of the pictures in `plots`: figures, styles, and panels with a logarithmic axis.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; markers and dashes distinguish lines in
grey prints.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Values: TypeAlias = NDArray[np.float64]
Path: TypeAlias = str | os.PathLike[str]

BLUE, VERMILION, ORANGE, SKY = "#0072B2", "#D55E00", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", ORANGE, SKY, "#000000")
GREY, PALE = "#555555", "#dddddd"
SMALL, TEXT = 8, 9  # sizes of fonts in points

_WIDTH, _DPI = 8.0, 160  # inches, and dots per inch: a README shows it 800 pixels wide, where a point is 1.4 pixels
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", "-.", ":")
_MARKS = 15  # markers on a line, at most
_REACH = 1e-45, 1e39  # the least and the largest value on an axis, a little beyond float32's


class Style(NamedTuple):
    """Describe how a line looks."""

    color: Any
    marker: str
    linestyle: str


class Curve(NamedTuple):
    """Describe a line over rising x, with a band around it, and what is expected: lower bound, middle, upper bound."""

    style: Style
    x: Values
    values: Values
    label: str
    band: tuple[Values, Values] | None = None
    expected: tuple[Values, Values, Values] | None = None


def styles() -> Iterator[Style]:
    """Yield a style for each of any number of lines; the first seven differ in colour and marker."""
    return itertools.starmap(Style, zip(*map(itertools.cycle, (COLOURS, _MARKERS, _DASHES)), strict=False))


def named(argument: str, given: Any, alone: str) -> dict[str, Any]:
    """Return what is given by name; a single object gets the name `alone`. Raise ValueError if nothing is given."""
    found = dict(given) if isinstance(given, Mapping) else {alone: given}
    if not found:
        raise ValueError(f"{argument} must not be empty")
    return found


def ranks(count: int) -> Values:
    """Return the shares from 0 to 1 at which `count` sorted values are drawn."""
    return np.asarray((np.arange(count) + 0.5) / max(count, 1))


def figure(height: float) -> Figure:
    """Make a figure as wide as a README, `height` inches high."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('plots need matplotlib: pip install "fanin[plot]"') from error
    return Figure(figsize=(_WIDTH, height), layout="constrained")


def finished(figure: Figure, path: Path | None, handles: Sequence[Artist] = (), title: str | None = None) -> Figure:
    """Add a legend above all axes, where it covers nothing, and save the figure if there is a path."""
    if handles:
        widest = max(len(str(handle.get_label())) for handle in handles)
        figure.legend(
            handles=list(handles),
            loc="outside upper left",
            ncols=max(1, int(_WIDTH / (0.7 + 0.075 * widest))),
            fontsize=TEXT,
            title=title,
            title_fontsize=TEXT,
            alignment="left",
            frameon=False,
            handlelength=3,
        )
    if path is not None:
        figure.savefig(path, dpi=_DPI)
    return figure


def plain(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Label axes, and draw no more lines than needed."""
    axes.set_xlabel(x, fontsize=TEXT)
    axes.set_ylabel(y, fontsize=TEXT)
    axes.set_title(title, fontsize=TEXT, loc="left")
    axes.tick_params(labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)


def counted(axes: Axes, x: NDArray[Any]) -> None:
    """Put whole numbers on the horizontal axis, with equal room at both ends."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    room = max(0.6, 0.012 * (x[-1] - x[0]))
    axes.set_xlim(x[0] - room, x[-1] + room)


def logarithmic(
    axes: Axes, curves: Sequence[Curve], x: str, y: str, *, decades: float = 2.0, most: float = np.inf
) -> list[Artist]:
    """Draw curves over a logarithmic axis, and return what a legend needs.

    The axis spans at least `decades` decades and ends at about `most`. Values without a logarithm are marked: zero on
    the lower edge, what is not finite on the upper edge.
    """
    axes.set_yscale("log")
    axes.set_autoscaley_on(False)  # its margins overflow for values near the largest float64
    handles: list[Artist] = []
    for place, (style, at, values, label, band, expected) in enumerate(curves):
        if expected is not None:
            start, middle, end = expected
            _fill(axes, at, start, end, color=style.color, alpha=0.15)
            axes.plot(at, _positive(middle), color=style.color, alpha=0.35, linewidth=4, zorder=1.5)
        if band is not None:
            _fill(axes, at, *band, color=style.color, alpha=0.2)
        every = -(-len(at) // _MARKS)
        options: dict[str, Any] = {"markevery": (place * every // len(curves), every), "markersize": 4.5}
        handles += axes.plot(at, _positive(values), label=label, linewidth=1.4, **style._asdict(), **options)
    shown = [each for curve in curves for each in (curve.values, *(curve.expected or ()))]
    low, high = _limits(shown, decades, most)
    axes.set_ylim(low, high)
    _ticks(axes, high / low)
    plain(axes, x + _mark_edges(axes, curves), y)
    return handles


def _fill(axes: Axes, x: Values, low: Values, high: Values, **colour: Any) -> None:
    low, high = np.nan_to_num(np.clip([low, high], *_REACH), nan=1.0)
    axes.fill_between(x, low, high, linewidth=0, zorder=1, **colour)


def _positive(values: Values) -> Values:
    """Replace values without a logarithm by nan, which is not drawn."""
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _limits(shown: Sequence[Values], decades: float, most: float) -> tuple[float, float]:
    least, most = _REACH[0], min(_REACH[1], most)
    logs = np.log10(np.clip(np.concatenate([_positive(values) for values in shown]), least, most))
    logs = logs[~np.isnan(logs)]
    low, high = (logs.min(), logs.max()) if logs.size else (0.0, 0.0)
    half = max(0.55 * (high - low), decades / 2)
    return 10.0 ** ((low + high) / 2 - half), 10.0 ** ((low + high) / 2 + half)


def _ticks(axes: Axes, ratio: float) -> None:
    """Put ticks at round numbers, and write them out, if the axis spans less than two decades."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    if ratio < 100:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio > 10 else (1, 1.5, 2, 3, 5, 7)))
        axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_edges(axes: Axes, curves: Sequence[Curve]) -> str:
    """Mark values that a logarithmic axis cannot show, and return the words that explain the marks."""
    notes = []
    for edge, inwards, marker, note in ((0.0, 0.03, "v", "▽ zero"), (1.0, -0.03, "^", "△ not finite")):
        for place, curve in enumerate(curves):
            values = np.asarray(curve.values, np.float64)
            missing = curve.x[values == 0 if edge == 0 else ~np.isfinite(values)]
            if missing.size:
                some = missing[:: -(-missing.size // _MARKS)]
                height = np.full(some.size, edge + inwards * (0.7 + place))
                options: dict[str, Any] = {"marker": marker, "markersize": 5, "fillstyle": "none", "linestyle": "none"}
                axes.plot(some, height, color=curve.style.color, transform=axes.get_xaxis_transform(), **options)
                notes.append(note)
    return f" ({', '.join(dict.fromkeys(notes))})" if notes else ""
