"""Draw pictures of the fills, and of orthogonal matrices by size: fanin, the peers and the limits."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from .figures import OURS, Figures
from .report import Results

# Okabe and Ito's colours, which colour-blind people can tell apart.
_COLOURS = {OURS: "#D55E00", "numpy": "#0072B2", "randomgen": "#56B4E9", "torch": "#009E73", "JAX": "#CC79A7"}
_COLOURS |= {"oneMKL": "#E69F00", "limit": "#999999", "scipy": "#0072B2", "NumPy": "#56B4E9"}
_COLOURS |= {"cuRAND": "#0072B2", "CuPy": "#56B4E9"}


def _bars(figures: Figures) -> list[tuple[str, float]]:
    """Order the bars: fanin first, then the others from the fastest on; the limits, which are not samplers, last."""
    bars = [(label, figure.value) for label, figure in figures.items() if figure is not None]
    return sorted(bars, key=lambda bar: (bar[0] != OURS, bar[0].startswith("limit"), bar[1]))


def samplers(results: Results, path: Path, title: str) -> None:
    """Draw horizontal bars on a logarithmic axis, one panel for each case."""
    panels = [(case, _bars(figures)) for case, figures in results if case.plot == "samplers"]
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
    unit = panels[0][0].unit.replace("/", " an ")
    axes.set_xlabel(f"{unit}, logarithmic; shorter is faster\n{title}", fontsize=9)
    figure.savefig(path, dpi=200)


def orthogonal(results: Results, path: Path, title: str) -> None:
    """Draw the speed over the size of a square matrix, counted as 4/3·n³ operations for every method."""
    cases = sorted((case.size, figures) for case, figures in results if case.plot == "orthogonal")
    labels = list(dict.fromkeys(label for _, figures in cases for label in figures if "ortho_group" not in label))
    if not cases:
        return
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    ends = []
    for label in labels:
        points = [(n, f.minimum) for n, figures in cases if (f := figures.get(label)) is not None]
        if not points:
            continue
        speeds = [4 / 3 * n**3 / milliseconds * 1e-6 for n, milliseconds in points]
        ours, limit = label == OURS, label.startswith("limit")
        axes.plot(
            [n for n, _ in points],
            speeds,
            color=_COLOURS[label.split(":")[0].split()[0]],
            linewidth=2.5 if ours else 1.5,
            linestyle="--" if limit else "-",
            marker=None if limit else "o",
            markersize=4,
        )
        ends.append((speeds[-1], label))
    lowest = 0.0
    for speed, label in sorted(ends):
        lowest = max(speed, 1.2 * lowest)  # so that labels are a line of text apart
        axes.annotate(
            f"{label} (2·n³ operations)" if "product" in label else label,
            (cases[-1][0], lowest),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=_COLOURS[label.split(":")[0].split()[0]],
            fontweight="bold" if label == OURS else "normal",
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks([n for n, _ in cases], [str(n) for n, _ in cases])
    axes.set_xlim(cases[0][0] / 1.1, cases[-1][0] * 4.5)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("4/3·n³ / time, GFLOP/s; higher is faster", fontsize=9)
    axes.set_xlabel(f"n of an n × n float32 matrix\n{title}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="major", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    figure.savefig(path, dpi=200)
