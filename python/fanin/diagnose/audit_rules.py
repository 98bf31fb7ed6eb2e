"""Judge a parameter by the rules that `audit` states."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from statistics import NormalDist

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from .. import schemes
from ..arrays.types import Activation, Layout
from ..fans import Fans
from ..recommendation import review
from .findings import Statistics
from .tensors import Array, may_be_zero

_P = 1e-9  # a finding must be less likely than this by chance
_FACTOR = 10.0  # how far the square of a std may be from what is asked, where the factor per layer is not known
_FAR = 1e4  # how far a std may be from what is asked before factors per layer over- or underflow
_HUGE = 1e100  # the square of a std up to this is finite, and so are sums of such squares
_NEAR = 1e-5  # units are nearly equal if their squared distance, over the product of their lengths, is up to this
_MOST_COMPARED = 512, 1 << 18  # all units of a layer are compared if it has at most so many units, and weights
_ORTHOGONAL = 0.3  # rows whose cosines are below this share of random ones are orthogonal by design
_TOLERANCE = 1e-5  # how far orthogonal rows may be from orthogonal; or two units in the last place of the dtype


def judge(
    name: str, s: Statistics, units: Array | None, activation: Activation, layout: Layout, norm: bool
) -> Iterator[tuple[str, str]]:
    """Yield rule and message of everything that is wrong with a parameter."""
    if s.nan or s.infinite:
        yield "non-finite", f"{s.nan} NaN and {s.infinite} infinite of {s.count} values"
    if s.finite < 2:
        return
    if s.constant:
        if s.layer not in ("bias", "norm") and not (s.maximum == 0 and may_be_zero(name, s.layer)):
            told = f"all weights are {s.maximum:.4g}: units start equal, and only other layers can tell them apart"
            yield "constant" if s.maximum else "zero", told
        return
    if units is not None and s.layer not in ("bias", "norm", "embedding"):
        found = _identical(s, units)
        if found:
            yield "identical units", found
    outlier = _outlier(s)
    if outlier:
        yield "outlier", outlier
    elif s.asked is not None and not norm:
        found = _wrong_std(s, activation, layout)
        if found:
            yield "std", found
    if s.defect is not None and s.defect > max(_TOLERANCE, 2 * 2.0 ** -_fraction_bits(s.dtype)):
        yield "orthogonality", f"nearly orthogonal, but max |QQᵀ/g² - I| is {s.defect:.2g}"


def _identical(s: Statistics, units: Array) -> str:
    """Say which units have equal or nearly equal weights; "" if none do."""
    count, size = units.shape
    density = 1 - s.zeros / s.count
    if count * count / 2 * 2.0 ** (-_fraction_bits(s.dtype) * size * density) > _P:
        return ""
    groups = [group for group in _equal_rows(units) if units[group[0]].any()]
    if groups:
        most = max(groups, key=len)
        these = ", ".join(map(str, most[:4])) + (", …" if len(most) > 4 else "")
        return f"{sum(map(len, groups))} of {count} units have the weights of another: {these}"
    if size < 8 or density < 0.5 or count > _MOST_COMPARED[0] or units.size > _MOST_COMPARED[1]:
        return ""
    rows = units.astype(np.float64)
    with np.errstate(all="ignore"):  # units without weights, or with infinite ones, are not near to any
        products = rows @ rows.T
        squares = products.diagonal()
        distance = (squares[:, None] + squares - 2 * products) / np.outer(np.sqrt(squares), np.sqrt(squares))
    distance[np.tril_indices(count)] = np.inf
    i, j = np.unravel_index(np.nan_to_num(distance, nan=np.inf).argmin(), distance.shape)
    if not distance[i, j] <= _NEAR:
        return ""
    return f"units {i} and {j} differ by {math.sqrt(max(0.0, distance[i, j])):.1e} of their length"


def _equal_rows(units: Array) -> list[list[int]]:
    """Return groups of rows with the same bits. A few columns tell most rows apart, so the others are hardly read."""
    bits = bits_of(units)
    rows, group = np.arange(len(bits)), np.zeros(len(bits), np.int64)
    for column in np.unique(np.linspace(0, bits.shape[1] - 1, 16).astype(int)):
        _, code = np.unique(bits[rows, column], return_inverse=True)
        _, group, counts = np.unique(group * len(bits) + code, return_inverse=True, return_counts=True)
        rows, group = rows[counts[group] > 1], group[counts[group] > 1]
        if not len(rows):
            return []
    by_content: dict[bytes, list[int]] = defaultdict(list)
    for row in rows.tolist():
        by_content[bits[row].tobytes()].append(row)
    return [same for same in by_content.values() if len(same) > 1]


def _outlier(s: Statistics) -> str:
    """Describe the value farthest from the mean, if normal values are never so far; "" if they are."""
    if not s.std < _HUGE:
        return f"values from {s.minimum:.3g} to {s.maximum:.3g}, too large for their std"
    count, mean, std = s.finite - s.zeros, s.mean, s.std
    if s.zeros:  # mean and std of the values that are not 0
        mean = s.mean * s.finite / count
        std = math.sqrt(max(0.0, (s.std**2 + s.mean**2) * s.finite / count - mean**2))
    if count < 2 or not std > 1e-6 * abs(mean):
        return ""
    value = max(s.minimum, s.maximum, key=lambda x: abs(x - mean))
    distance, most = abs(value - mean) / std, -NormalDist().inv_cdf(_P / 2 / count)
    if distance <= most:
        return ""
    beyond = f"of {count} normal values one exceeds {most:.1f} with p = {_P:g}"
    return f"{value:.4g} is {distance:.1f} std from the mean; {beyond}"


def _wrong_std(s: Statistics, activation: Activation, layout: Layout) -> str:
    """Say how the std differs from what layer and activation ask for; "" if it does not."""
    assert s.asked is not None
    ratio = s.std / s.asked
    if s.layer in ("linear", "conv"):
        if not 1 / _FAR < ratio < _FAR:
            return f"std {s.std:.3g} is {ratio:.1e} times the {s.asked:.3g} asked for"
        noise = 1 + 5 / math.sqrt(2 * (s.finite - s.zeros))
        likely = min(max(s.asked, s.std / noise), s.std * noise)

        def problems(std: float) -> tuple[str, ...]:
            scheme = schemes.normal(std=std)
            return review(scheme, s.shape, activation=activation, layer=s.layer, layout=layout)

        return "; ".join(problems(s.std)) if problems(likely) else ""
    if s.layer == "head":
        variance = s.std**2 * Fans.of(s.shape, layout).fan_in
        far = f"logits start with std {math.sqrt(variance):.3g}, the loss far above ln(classes)"
        return far if variance > _FACTOR else ""
    if s.layer == "embedding" or 1 / _FACTOR <= ratio**2 <= _FACTOR or s.finite - s.zeros < 64:
        return ""
    return f"std {s.std:.3g} multiplies squares by {ratio**2:.3g} of what std {s.asked:.3g} would"


@np.errstate(all="ignore")  # rows that are not finite, or all 0, count as not orthogonal
def defect_of(units: Array) -> float | None:
    """Return `Statistics.defect`, how far Q·Qᵀ/g² is from I; None unless rows, or columns if fewer, look orthogonal."""
    lines = units if units.shape[0] <= units.shape[1] else units.T
    count, size = lines.shape
    if count < 8 or size < 16 or size > 16 * count:
        return None

    def some(most: int) -> NDArray[np.float64]:
        rows = lines[np.linspace(0, count - 1, min(count, most)).astype(int)].astype(np.float64)
        scaled: NDArray[np.float64] = rows / abs(rows).max()
        return scaled

    rows = some(32)
    used = rows[:, rows.any(axis=0)]
    if 2 * np.count_nonzero(used) <= used.size:  # sparse rows hardly overlap, so they are nearly orthogonal by chance
        return None
    products = rows @ rows.T
    squares = products.diagonal().copy()
    if not (np.isfinite(products).all() and squares.all()):
        return None
    np.fill_diagonal(products, 0.0)
    cosines = products**2 / np.outer(squares, squares)
    # Random directions in `size` dimensions have a mean squared cosine of 1/size.
    if np.median(cosines.sum(axis=1)) / (len(cosines) - 1) > _ORTHOGONAL**2 / size:
        return None
    rows = some(256)
    products = rows @ rows.T
    products /= products.diagonal().mean()
    return float(abs(products - np.eye(len(products))).max())


def _fraction_bits(dtype: str) -> int:
    return int(ml_dtypes.finfo(dtype).nmant)  # type: ignore[no-untyped-call]


def bits_of(array: Array) -> Array:
    return array.view(f"u{array.itemsize}")
