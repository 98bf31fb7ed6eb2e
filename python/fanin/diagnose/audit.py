"""Find what is wrong with the parameters of a network before it trains."""

from __future__ import annotations

import math
import os
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core, schemes
from ..arrays.types import Activation, Layer, Layout
from ..fans import Fans
from ..recommendation import recommend, review
from ..text import printable
from .tensors import Array, layers_of, may_be_zero, memory_of, native, tensors_of, units_of

_P = 1e-9  # a finding must be less likely than this by chance
_FACTOR = 10.0  # how far the square of a std may be from what is asked, where the factor per layer is not known
_FAR = 1e4  # how far a std may be from what is asked before factors per layer over- or underflow
_HUGE = 1e100  # the square of a std up to this is finite, and so are sums of such squares
_NEAR = 1e-5  # units are nearly equal if their squared distance, over the product of their lengths, is up to this
_MOST_COMPARED = 512, 1 << 18  # all units of a layer are compared if it has at most so many units, and weights
_ORTHOGONAL = 0.3  # rows whose cosines are below this share of random ones are orthogonal by design
_TOLERANCE = 1e-5  # how far orthogonal rows may be from orthogonal; or two units in the last place of the dtype
_FRACTION_BITS = {"float64": 52, "float32": 23, "float16": 10, "bfloat16": 7}
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Describe something that is wrong with a parameter.

    Parameters
    ----------
    name : str
        The name of the parameter.
    rule : str
        The rule that it breaks: "non-finite", "zero", "constant", "identical units", "outlier", "std", "orthogonality"
        or "equal values".
    message : str
        What is wrong, in numbers.
    """

    name: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """Hold what was measured of a parameter.

    Parameters
    ----------
    layer : str
        The kind of layer that it was judged as: see `fanin.recommend`.
    shape : tuple of int
        The shape of the parameter.
    dtype : str
        The name of its dtype.
    count, finite, nan, infinite, zeros : int
        The number of all elements, and of those that are finite, NaN, infinite and 0.
    mean, std, minimum, maximum : float
        The moments and extremes of the finite elements; NaN if there are none. The std divides by their number.
    hash : int
        A hash of 64 bits of all elements and their order.
    asked : float, optional
        The std that `fanin.recommend` gives; None for biases and norms.
    defect : float, optional
        For a weight that looks orthogonal, max |Q·Qᵀ/g² - I|, where g² is the mean square of its rows; at most 256 rows
        are taken. None for other weights, for sparse ones, and if one side is over 16 times the other.
    """

    layer: Layer
    shape: tuple[int, ...]
    dtype: str
    count: int
    finite: int
    nan: int
    infinite: int
    zeros: int
    mean: float
    std: float
    minimum: float
    maximum: float
    hash: int
    asked: float | None = None
    defect: float | None = None

    @property
    def constant(self) -> bool:
        """Whether all finite elements are equal."""
        return self.minimum == self.maximum


@dataclass(frozen=True, slots=True)
class Audit:
    """Hold what `audit` found; printing it shows the findings, then a table of all parameters.

    Parameters
    ----------
    findings : tuple of Finding
        What is wrong, in the order of the parameters; empty if nothing is.
    statistics : dict of str to Statistics
        What was measured of each parameter, by name.
    tied : tuple of (str, str)
        Pairs of an earlier parameter and a later one that shares its memory. Default: none.
    skipped : dict of str to str
        The names of arrays that were not judged, such as counters, masks and tables of positions, with the reason.
        Default: none.
    """

    findings: tuple[Finding, ...]
    statistics: dict[str, Statistics]
    tied: tuple[tuple[str, str], ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it: NaN becomes None, a hash becomes 16 hexadecimal digits."""
        rows = {name: asdict(s) | {"hash": f"{s.hash:016x}"} for name, s in self.statistics.items()}
        return {
            "findings": [asdict(finding) for finding in self.findings],
            "statistics": {
                name: {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
                for name, row in rows.items()
            },
            "tied": [list(pair) for pair in self.tied],
            "skipped": dict(self.skipped),
        }

    def __str__(self) -> str:
        """Return the findings, then a row for every parameter, in at most 100 columns."""
        what = "no findings" if not self.findings else f"{len(self.findings)} findings"
        lines = [f"{what} in {len(self.statistics)} parameters".replace("1 findings", "1 finding")]
        lines += [f"{f.name}: {f.rule}: {f.message}" for f in self.findings]
        lines += [f"{other} shares the memory of {first}" for first, other in self.tied]
        for reason in dict.fromkeys(self.skipped.values()):
            lines.append(f"skipped, {reason}: {', '.join(n for n, why in self.skipped.items() if why == reason)}")
        text = [textwrap.fill(printable(line), _WIDTH, subsequent_indent="    ") for line in lines]
        header = ("parameter", "layer", "shape", "mean", "std", "asked", "minimum", "maximum")
        return "\n".join([*text, "", *map(_row, [header, *(_cells(n, s) for n, s in self.statistics.items())])])


def audit(
    arrays: Mapping[str, Any] | str | os.PathLike[str] | Any,
    *,
    activation: Activation = "relu",
    layout: Layout = "OI",
    layers: Mapping[str, Layer] | None = None,
    norm: bool | None = None,
) -> Audit:
    """Read every parameter once, and say what is wrong with it.

    Parameters
    ----------
    arrays : mapping of str to array, array, or path
        Arrays by name: NumPy arrays, torch tensors in CPU memory (a `state_dict()`), or whatever `numpy.asarray` takes.
        Or a single array, which is called "array". Or the path of a .safetensors, .index.json or .npz file, or of a
        directory with a checkpoint. Dtypes are float32, float64, float16 and bfloat16; others are skipped, and so are
        arrays whose names say that they are masks (*mask*) or tables of positions (pe, pos_encoding, inv_freq,
        cos_cached, …), unless `layers` has them.
    activation : str, (str, float) or callable
        The activation that follows each layer: see `fanin.gain`. Default "relu".
    layout : "OI" or "IO"
        The order of axes: "OI", the default, is (out, in, *spatial), as in PyTorch; "IO" is (*spatial, in, out), as in
        Keras and JAX.
    layers : mapping of str to str, optional
        The kinds of layer of parameters, by name: see `fanin.recommend`. Default: what name and rank tell. With rank 0
        or 1 a parameter is a "norm" if it is called weight, scale or gamma, and else a "bias". With rank 4 or more it
        is a "conv". Otherwise weight_hh and recurrent_kernel are "recurrent"; weight_ih is "input"; wte, wpe, table,
        and words that begin with embed or end with emb, embed or embedding are "embedding"; attn, attention, query,
        key, value, q, k, v and qkv are "attention"; head, classifier and logits are "head"; anything else is "conv"
        with rank 3 and "linear" with rank 2. A layer inside an embedding, query, key or value that is called linear,
        fc, proj, dense, conv or a number is judged by its own name.
    norm : bool, optional
        Whether normalization follows or precedes every layer; if so, no std is judged. Default: whether any parameter
        is a "norm" with more than one element.

    Returns
    -------
    Audit
        `findings`, `statistics`, `tied`, `skipped` and `to_dict()`; it prints as a table.

    Raises
    ------
    TypeError
        If a value is not an array of numbers, or is on another device.
    ValueError
        If the layout is unknown, `layers` has an unknown layer or name, or a file is damaged.
    OSError
        If a file cannot be read.

    Notes
    -----
    A parameter can break these rules:

    - non-finite: a value is NaN or infinite. The other rules judge the finite values. A matrix of 0 in which more than
      a tenth is -∞ is a mask, and skipped.
    - zero, constant: all weights are equal, so units start equal, and only other layers can tell them apart. Biases and
      norms may be so. A head may be zero, and so may the factor of an adapter that has no effect at first (lora_B). The
      last layer of a residual branch may be zero on purpose too, but no name tells that.
    - identical units: two outputs have equal weights, bit for bit; or, in layers of up to 512 units and 2¹⁸ weights,
      they differ by less than 0.3 % of their length. Embeddings are not judged, nor units whose weights are all 0, nor
      units with so few bits that chance makes them equal. Equal filters in different groups of a convolution are found
      too, although they see different channels: an array does not tell its groups.
    - outlier: |x - mean|/std is beyond what the largest of as many normal values exceeds with probability 10⁻⁹. Zeros
      are left out, so that the other values of a sparse weight are judged. Uniform and truncated values stay below.
    - std: for linear and conv, `fanin.review` finds the std wrong, and it differs by more than 5 standard errors. For
      recurrent, input and attention, its square is over 10 times that of `fanin.recommend`, or under a tenth. For a
      head, logits have a variance over 10 with inputs of variance 1. Weights with an outlier are not judged.
    - orthogonality: rows (or columns, if fewer) have cosines below 0.3 of those of random ones, as if they were meant
      to be orthogonal, but an entry of Q·Qᵀ/g² - I exceeds 10⁻⁵, or two units in the last place of the dtype.
    - equal values: two weights have the same bits in different memory. Constants, biases and norms may be so, and
      weights that are mostly 0. Weights that share memory are tied, which is not a finding; the first is judged.

    Examples
    --------
    >>> import fanin
    >>> init = fanin.seeded(0, layout="OI")
    >>> weights = {"fc1.weight": init.he_normal("fc1", (64, 64)), "fc2.weight": np.zeros((64, 64), np.float32)}
    >>> [(finding.name, finding.rule) for finding in audit(weights).findings]
    [('fc2.weight', 'zero')]
    """
    if layout not in ("OI", "IO"):
        raise ValueError(f"layout must be 'OI' or 'IO', got {layout!r}")
    parameters, skipped = tensors_of(arrays, layers or ())
    kinds = layers_of(parameters, layers or {})
    if norm is None:
        norm = any(kind == "norm" and parameters[name].size > 1 for name, kind in kinds.items())
    at: dict[Any, str] = {}  # names by memory
    holding: dict[Any, str] = {}  # names by values
    statistics: dict[str, Statistics] = {}
    findings: list[Finding] = []
    tied: list[tuple[str, str]] = []
    for name, given in parameters.items():
        layer, asked = kinds[name], _asked(given.shape, kinds[name], activation, layout)
        owner = at.setdefault(memory_of(given), name) if given.size else name
        if owner != name:
            tied.append((owner, name))
            defect = statistics[owner].defect if given.shape == statistics[owner].shape else None
            statistics[name] = replace(statistics[owner], layer=layer, shape=given.shape, asked=asked, defect=defect)
            continue
        array = native(given)
        units = units_of(array, layout)
        defect = _defect(units) if units is not None and units.size else None
        s = Statistics(layer, array.shape, str(array.dtype), **_core.statistics(array), asked=asked, defect=defect)
        statistics[name] = s
        if _is_mask(s, array):
            skipped[name] = "a mask of 0 and -inf"
            continue
        findings += [Finding(name, *found) for found in _judge(name, s, units, activation, layout, norm)]
        if s.layer in ("bias", "norm") or s.constant or s.finite < 2 or 2 * s.zeros > s.count:
            continue  # equal by design
        twin = holding.setdefault((s.dtype, s.count, s.hash), name)
        if twin != name and np.array_equal(_bits(array).ravel(), _bits(native(parameters[twin])).ravel()):
            findings.append(Finding(name, "equal values", f"the {s.count} values of {twin}: from one random stream?"))
    return Audit(tuple(findings), statistics, tuple(tied), skipped)


def _asked(shape: tuple[int, ...], layer: Layer, activation: Activation, layout: Layout) -> float | None:
    if len(shape) < 2 or not math.prod(shape) or layer in ("bias", "norm"):
        return None
    return recommend(activation, layer, layout=layout).expected_std(shape)


def _is_mask(s: Statistics, array: Array) -> bool:
    """Tell whether an array holds 0 and -inf, as a mask that attention adds to its logits does."""
    return len(s.shape) > 1 and not s.nan and 0 < s.zeros == s.finite < 0.9 * s.count and not (array > 0).any()


# ---- The rules -------------------------------------------------------------------------------------------------------


def _judge(
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
    if s.defect is not None and s.defect > max(_TOLERANCE, 2 * 2.0 ** -_FRACTION_BITS[s.dtype]):
        yield "orthogonality", f"nearly orthogonal, but max |QQᵀ/g² - I| is {s.defect:.2g}"


def _identical(s: Statistics, units: Array) -> str:
    """Say which units have equal or nearly equal weights; "" if none do."""
    count, size = units.shape
    density = 1 - s.zeros / s.count
    if count * count / 2 * 2.0 ** (-_FRACTION_BITS[s.dtype] * size * density) > _P:
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
    bits = _bits(units)
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
def _defect(units: Array) -> float | None:
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


def _bits(array: Array) -> Array:
    return array.view(f"u{array.itemsize}")


# ---- As text ---------------------------------------------------------------------------------------------------------


def _cells(name: str, s: Statistics) -> tuple[str, ...]:
    asked = "" if s.asked is None else f"{s.asked:.3g}"
    numbers = (f"{s.mean:.2g}", f"{s.std:.3g}", asked, f"{s.minimum:.3g}", f"{s.maximum:.3g}")
    return printable(name), s.layer, "×".join(map(str, s.shape)), *numbers


def _row(cells: Iterable[str]) -> str:
    name, layer, shape, *numbers = cells
    name = name if len(name) <= 26 else "…" + name[-25:]
    return f"{name:26} {layer:9} {shape[:15]:>15}" + "".join(f" {number:>8}" for number in numbers)
