"""Draw docs/diagnose-*.png: what the diagnosis predicts, measures and compares, on scikit-learn's digits.

pip install ".[plot]" scikit-learn && python tools/diagnose_figures.py [layers phase spectrum compare norm]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fanin import schemes
from fanin.diagnose import panels, plots
from fanin.diagnose.compare import compare
from fanin.diagnose.probe import probe
from fanin.diagnose.report import Report
from fanin.diagnose.stack import Stack
from fanin.diagnose.tasks import digits

TASK = digits()
HE, XAVIER = schemes.he_normal(layout="OI"), schemes.xavier_normal(layout="OI")
ORTHOGONAL, GAUSSIAN = schemes.orthogonal(layout="OI"), schemes.lecun_normal(layout="OI")
HE_TANH = schemes.he_normal(layout="OI", activation="tanh")


def probed(stack: Stack, draws: int = 1) -> Report:
    """Probe a stack on 256 of the digits."""
    return probe(stack, TASK.inputs[:256], TASK.labels[:256], classes=TASK.classes, draws=draws)


def layers() -> Figure:
    """Draw 30 ReLU layers: Xavier's weights halve the mean square in each, He's keep it (He et al., 2015)."""
    return plots.layers({name: probed(Stack(weights=w, depth=30)) for name, w in (("Xavier", XAVIER), ("He", HE))})


def phase() -> Figure:
    """Draw where He's weights put a tanh network between order and chaos (Schoenholz et al., 2017)."""
    return plots.phase("tanh", Stack(weights=HE_TANH, activation="tanh"))


def spectrum() -> Figure:
    """Draw singular values through 100 layers (Saxe et al., 2014; Pennington et al., 2017)."""
    return plots.spectrum(
        {
            f"{name}, {activation}": probed(Stack(weights=weights, activation=activation, depth=100))
            for activation in ("linear", "tanh")
            for name, weights in (("orthogonal", ORTHOGONAL), ("Gaussian", GAUSSIAN))
        }
    )


def comparison() -> Figure:
    """Draw fifty tanh layers under three initializations, trained by plain SGD."""
    stack = Stack(weights=XAVIER, activation="tanh", depth=50, width=64)
    strategies = ["xavier", "he", "orthogonal"]
    return plots.comparison(compare(strategies, stack=stack, task=TASK, seeds=3, steps=100, rates=(0.01, 0.03)))


def norm() -> Figure:
    """Draw the slope of gradients over 20 ReLU layers by the std of their weights, with and without batch norm."""
    factors = np.geomspace(0.3, 3, 9)
    figure = panels.figure(3.6)
    axes = figure.subplots()
    axes.axhline(0, color=panels.GREY, linewidth=0.8)
    handles = []
    for style, name, kind in zip(panels.styles(), ("without norm", "batch norm"), (None, "batch"), strict=False):
        reports = [probed(Stack(weights=factor * HE, depth=20, norm=kind), draws=3) for factor in factors]
        slopes = np.array([report.slope for report in reports])
        intervals = np.array([report.interval for report in reports]).T
        predicted = [report.prediction.slope for report in reports]
        axes.plot(factors, predicted, color=style.color, alpha=0.35, linewidth=4)
        errors = np.abs(intervals - slopes)
        look = {"color": style.color, "marker": style.marker, "linestyle": "none", "capsize": 3}
        handles.append(axes.errorbar(factors, slopes, errors, label=f"{name}, measured (95 %)", **look))
    handles.append(axes.plot([], [], color=panels.GREY, alpha=0.35, linewidth=4, label="predicted")[0])
    for y, where, what in ((0.97, "top", "gradients vanish"), (0.03, "bottom", "gradients explode")):
        axes.text(
            0.5, y, what, transform=axes.transAxes, ha="center", va=where, fontsize=panels.TEXT, fontweight="bold"
        )
    axes.set_xscale("log")
    axes.set_xticks([0.3, 0.5, 1, 2, 3], ["0.3", "0.5", "1", "2", "3"])
    axes.minorticks_off()
    panels.plain(axes, "std of weights / He's", "slope of log gradient², a layer")
    return panels.finished(figure, None, handles)


FIGURES: dict[str, Callable[[], Figure]] = {
    "layers": layers,
    "phase": phase,
    "spectrum": spectrum,
    "compare": comparison,
    "norm": norm,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        FIGURES[name]().savefig(Path(__file__).parents[1] / f"docs/diagnose-{name}.png", dpi=160)
