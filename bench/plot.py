"""A picture of the fills: ours, the peers and the limits."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from .figures import OURS, Figures
from .report import Results

# Okabe and Ito's colours, which stay distinct to the colour-blind.
_COLOURS = {OURS: "#D55E00", "numpy": "#0072B2", "randomgen": "#56B4E9", "torch": "#009E73", "JAX": "#CC79A7"}
_COLOURS |= {"oneMKL": "#E69F00", "limit": "#999999"}


def _bars(figures: Figures) -> list[tuple[str, float]]:
    """Ours first, then the others from the fastest; the limits, which are no samplers, last."""
    bars = [(label, figure.minimum) for label, figure in figures.items() if figure is not None]
    return sorted(bars, key=lambda bar: (bar[0] != OURS, bar[0].startswith("limit"), bar[1]))


def draw(results: Results, path: Path, title: str) -> None:
    """Horizontal bars on a logarithmic axis, one panel a case."""
    panels = [(case, _bars(figures)) for case, figures in results if case.plot]
    panels = [(case, bars) for case, bars in panels if bars]
    if not panels:
        return
    heights = [len(bars) + 1.6 for _, bars in panels]
    figure = Figure(figsize=(8, 0.25 * sum(heights) + 0.8), layout="constrained")
    rows = figure.subplots(len(panels), sharex=True, squeeze=False, height_ratios=heights)
    largest = max(value for _, bars in panels for _, value in bars)
    smallest = min(value for _, bars in panels for _, value in bars)
    for (axes,), (case, bars) in zip(rows, panels, strict=True):
        labels, values = zip(*bars, strict=True)
        colours = [_COLOURS[label.split(":")[0].split()[0]] for label in labels]
        drawn = axes.barh(labels, values, color=colours, height=0.75)
        axes.bar_label(drawn, [f"{value:.2f}" for value in values], padding=3, fontsize=9)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(smallest / 1.5, largest * 1.8)
        axes.set_title(case.name, loc="left", fontsize=10, fontweight="bold")
        axes.tick_params(axis="y", length=0, labelsize=9)
        axes.tick_params(axis="x", labelsize=9)
        axes.get_yticklabels()[0].set_fontweight("bold" if labels[0] == OURS else "normal")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.grid(axis="x", which="major", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(f"ns an element, logarithmic; shorter is faster\n{title}", fontsize=9)
    figure.savefig(path, dpi=200)
