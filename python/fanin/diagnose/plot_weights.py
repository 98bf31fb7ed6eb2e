"""Draw the picture of weights: their histograms and singular values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .. import _core
from . import panels
from .measures import as_array
from .panels import SKY, VERMILION, Path, Values, named, ranks

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MOST = 1e39  # the largest value that a picture shows, a little more than float32 holds


def weights(arrays: ArrayLike | Mapping[str, ArrayLike], *, path: Path | None = None) -> Figure:
    """Draw the histogram and the singular values of weights, beside those of independent values of the same size.

    Parameters
    ----------
    arrays : array or mapping of str to array
        One weight, or several by name, in the layout "OI", from NumPy, torch or JAX: all axes but the first count as
        one. A vector gets a histogram only.
    path : str or path, optional
        The file to save the picture in; its suffix sets the format. Default: none.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each array. On the left is its histogram, with the normal density of the same mean and std. On the
        right are its singular values, those of a matrix with independent entries of the same mean square, and the equal
        ones of an orthogonal matrix of the same mean square, which are 1 if its gain is 1.

    Raises
    ------
    TypeError
        If an array does not hold real numbers.
    ValueError
        If there are no arrays, or one is empty.
    ImportError
        If matplotlib is not installed.

    References
    ----------
    Marchenko and Pastur, Distribution of eigenvalues for some sets of random matrices, 1967.

    Examples
    --------
    >>> import fanin
    >>> w = fanin.xavier_normal((64, 64), layout="OI", seed=0, name="w")
    >>> [axes.get_xlabel() for axes in weights({"w": w}).axes]
    ['value', 'share of the singular values, largest first']
    """
    given = named("arrays", arrays, "weight")
    found = {name: as_array(f"arrays[{name!r}]", each).astype(np.float64) for name, each in given.items()}
    figure = panels.figure(0.4 + 2.2 * len(found))
    rows = figure.subplots(len(found), 2, squeeze=False)
    handles: list[Artist] = []
    for (left, right), (name, weight) in zip(rows, found.items(), strict=True):
        shown = np.where(np.isfinite(weight), np.clip(weight, -_MOST, _MOST), weight)
        _histogram(left, shown, f"{name}, {' × '.join(map(str, weight.shape))}{_summary(weight)}")
        handles = _singular_values(right, shown) or handles
    return panels.finished(figure, path, handles)


def _summary(weight: Values) -> str:
    of = _core.statistics(weight)
    text = f": mean {of['mean']:.2g}, std {of['std']:.3g}" if of["finite"] else ""
    text += f", clipped at ±{_MOST:g}" if max(-of["minimum"], of["maximum"]) > _MOST else ""
    return text + (f", {weight.size - of['finite']} not finite" if of["finite"] < weight.size else "")


def _histogram(axes: Axes, weight: Values, title: str) -> None:
    panels.plain(axes, "value", "density", title)
    finite = weight[np.isfinite(weight)]
    if not finite.size:
        return
    low, high, std = finite.min(), finite.max(), finite.std()
    largest = max(-low, high)
    if high - low <= max(
        64 * np.spacing(largest), 1 / _MOST
    ):  # all equal up to rounding: they fill the middle one of 51 bins
        room = largest / 2 if largest > 1 / _MOST else 0.5
        axes.hist(finite, bins=51, range=(low - room, high + room), density=True, color=SKY)
        return
    axes.hist(finite, bins=50, density=True, color=SKY)
    z = np.linspace(-4, 4, 201)
    normal = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / std
    axes.plot(finite.mean() + std * z, normal, color=VERMILION, linestyle="--")


def _singular_values(axes: Axes, weight: Values) -> list[Artist]:
    if weight.ndim < 2 or not np.isfinite(weight).all():
        axes.set_axis_off()
        return []
    matrix = weight.reshape(len(weight), -1)
    values = np.linalg.svd(matrix, compute_uv=False)
    shares = ranks(values.size)
    independent = np.sqrt(np.mean(matrix**2)) * _marchenko_pastur(matrix.shape, shares)
    equal = np.full(values.size, np.sqrt(np.mean(values**2)))
    panels.plain(axes, "share of the singular values, largest first", "singular value")
    handles: list[Artist] = [
        *axes.plot(shares, values, color=SKY, linewidth=4, label="weights"),
        *axes.plot(shares, independent, color=VERMILION, linestyle="--", label="independent normal values"),
        *axes.plot(shares, equal, color="black", linestyle=":", label="orthogonal"),
    ]
    axes.set_ylim(0, 1.05 * max(values[0], independent[0]) or 1.0)
    axes.set_xlim(0, 1)
    return handles


def _marchenko_pastur(shape: tuple[int, ...], shares: Values) -> Values:
    """Return the singular values of a large matrix with independent entries of variance 1, at shares from the largest.

    Their squares, divided by the larger side, are 1 + c + 2√c·cos θ, where c is the ratio of the sides and θ in [0, π]
    has the density 2/π·sin²θ/(1 + c + 2√c·cos θ).
    """
    small, large = sorted(shape)
    c = small / large
    theta = (np.arange(4096) + 0.5) * np.pi / 4096
    square = 1 + c + 2 * np.sqrt(c) * np.cos(theta)
    larger = np.cumsum(np.sin(theta) ** 2 / square)
    return np.asarray(np.sqrt(large * np.interp(shares, larger / larger[-1], square)))
