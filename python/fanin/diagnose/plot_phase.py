"""Draw the picture of order and chaos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..arrays.types import Activation
from . import panels, theory
from .panels import BLUE, GREY, ORANGE, SMALL, TEXT, Path, Values
from .stack import Stack

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEVELS = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0)  # values of χ₁ at which lines are drawn, besides 1
_STRENGTHS = (0.75, 0.55, 0.35, 0.15, 0.15, 0.3, 0.45, 0.6, 0.75)  # strengths of the colours between these lines


def phase(
    activation: Activation, point: tuple[float, float] | Stack | None = None, *, path: Path | None = None
) -> Figure:
    """Draw order and chaos over the variances of weights and biases, and where a network is.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation: a name, alone or with its parameters, or a callable; see `fanin.gain`.
    point : (float, float) or Stack, optional
        A point to mark: σw², the variance of a weight times fan_in, and σb², the variance of a bias; or a network that
        has them. Default: none.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        Lines of equal χ₁, the factor by which a layer multiplies the squares of gradients; the critical line χ₁ = 1;
        and the point with its χ₁ and the depth that can be trained, 6 ξc.

    Raises
    ------
    ValueError
        If a stack has a norm, residual connections or LSTM cells, whose gradients follow other laws, or an activation
        has no critical line.
    ImportError
        If matplotlib is not installed.

    References
    ----------
    Poole et al., Exponential expressivity in deep neural networks through transient chaos, 2016. Schoenholz et al.,
    Deep information propagation, 2017.

    Examples
    --------
    >>> phase("linear", (0.5, 0.0)).axes[0].texts[-1].get_text().splitlines()
    ['χ₁ = 0.5, ordered', 'trainable depth 6 ξc = 8.7']
    """
    place = _place(point) if isinstance(point, Stack) else point
    right, top = 3 * theory.critical_weight_variance(activation), 0.3
    if place is not None:
        right, top = max(right, 1.5 * place[0]), max(top, 1.5 * place[1])
    weight, bias = np.linspace(0, right, 181), np.linspace(0, top, 121)
    chi = theory.phase_diagram(activation, weight, bias)
    figure = panels.figure(4.2)
    axes = figure.subplots()
    axes.contourf(weight, bias, np.minimum(chi, 1e8), [0, *sorted([*_LEVELS, 1]), 1e9], colors=_shades())
    _lines(axes, weight, bias, chi)
    _regions(axes, chi)
    if place is not None:
        _point(axes, theory.MeanField(activation, *place), right, top)
    weights, biases = r"$\sigma_w^2$: variance of a weight × fan_in", r"$\sigma_b^2$: variance of a bias"
    panels.plain(axes, weights, biases, _name(activation))
    return panels.finished(figure, path)


def _place(stack: Stack) -> tuple[float, float]:
    if stack.norm is not None or stack.residual:
        raise ValueError("point must be a stack without norm and residual connections, which have no such phases")
    _, hidden, bias, _ = theory._propagators(stack, None, 1.0)
    return hidden.forward, bias


def _shades() -> list[tuple[float, float, float]]:
    """Return shades of blue for order and of orange for chaos, light near the critical line."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415

    colours = [BLUE] * 4 + [ORANGE] * 5
    mixed = [1 - strength * (1 - np.array(to_rgb(c))) for c, strength in zip(colours, _STRENGTHS, strict=True)]
    return [(float(red), float(green), float(blue)) for red, green, blue in mixed]


def _lines(axes: Axes, weight: Values, bias: Values, chi: Values) -> None:
    """Draw lines of equal χ₁, and write χ₁ beside each, half-way up."""
    row = len(bias) // 2
    for levels, width, form, size in ((_LEVELS, 0.7, "%g", SMALL), ((1.0,), 2.0, "χ₁ = 1", TEXT)):
        lines = axes.contour(weight, bias, chi, levels, colors="black", linewidths=width)
        crossed = [level for level in levels if chi[row].min() < level < chi[row].max()]
        places = [(weight[np.argmax(chi[row] >= level)], bias[row]) for level in crossed]
        axes.clabel(lines, fmt=form, fontsize=size, manual=places)


def _regions(axes: Axes, chi: Values) -> None:
    box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 2}
    corners = (0.02, 0.95, chi[-1, 1], "left", "top"), (0.98, 0.7, chi[len(chi) // 2, -1], "right", "top")
    for x, y, there, across, up in corners:
        name = "ordered:\ngradients vanish" if there < 1 else "chaotic:\ngradients explode"
        axes.text(x, y, name, ha=across, va=up, fontsize=TEXT, fontweight="bold", transform=axes.transAxes, bbox=box)


def _point(axes: Axes, field: theory.MeanField, right: float, top: float) -> None:
    x, y, depth = field.weight_variance, field.bias_variance, field.trainable_depth
    axes.plot([x], [y], color="black", marker="*", markersize=14, markeredgecolor="white", clip_on=False, zorder=5)
    reach = f"trainable depth 6 ξc = {depth:.2g}" if np.isfinite(depth) else "trainable at any depth"
    # Beside the point, on the side away from the critical line where there is room.
    leftwards = x > 0.7 * right or (x > 0.3 * right and field.phase == "ordered")
    upwards = y < top / 2
    axes.annotate(
        f"χ₁ = {field.chi:.3g}, {field.phase}\n{reach}",
        (x, y),
        (-12 if leftwards else 12, 12 if upwards else -12),
        textcoords="offset points",
        ha="right" if leftwards else "left",
        va="bottom" if upwards else "top",
        fontsize=TEXT,
        bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": GREY, "linewidth": 0.7},
        zorder=6,
    )


def _name(activation: Activation) -> str:
    if isinstance(activation, tuple):
        return f"{activation[0]}({', '.join(map(str, activation[1:]))})"
    return activation if isinstance(activation, str) else str(getattr(activation, "__name__", activation))
