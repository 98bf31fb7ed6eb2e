"""Audit: what is wrong with the parameters of a network, found before it trains."""

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

_P = 1e-9  # of an outlier, or of equal units, by chance
_FACTOR = 10.0  # of the square of a std, where no exact factor a layer is known
_FAR = 1e4  # of a std, where factors a layer over- or underflow
_HUGE = 1e100  # whose square is finite, and that of a sum
_NEAR = 1e-5  # squared distance of two units over the product of their lengths
_MOST_COMPARED = 512, 1 << 18  # units and weights of a layer whose units are all compared with each other
_ORTHOGONAL = 0.3  # of the cosine of two random directions: below it, rows are orthogonal by design
_TOLERANCE = 1e-5  # of orthogonal rows, or two units of the dtype's last place
_FRACTION_BITS = {"float64": 52, "float32": 23, "float16": 10, "bfloat16": 7}
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with one parameter.

    Parameters
    ----------
    name : str
        Of the parameter.
    rule : str
        "non-finite", "zero", "constant", "identical units", "outlier", "std", "orthogonality" or "equal values".
    message : str
        What it is, in numbers.
    """

    name: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """What one reading of a parameter tells.

    Parameters
    ----------
    layer : str
        The kind of layer it was judged as.
    shape, dtype : tuple of int, str
        Its own.
    count, finite, nan, infinite, zeros : int
        Elements: all, and of each kind.
    mean, std, minimum, maximum : float
        Of the finite elements; NaN where there are none. The std divides by their number.
    hash : int
        64 bits that depend on all elements and their order.
    asked : float, optional
        The std that `fanin.recommend` gives; None for biases and norms.
    defect : float, optional
        max |Q·Qᵀ/g² - I| of a weight that looks orthogonal, g² the mean square of its rows; of 256 of them, if more.
        None for others, for sparse ones, and where one side is over 16 times the other.
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
    """What `audit` found. As text: findings first, then a table.

    Parameters
    ----------
    findings : tuple of Finding
        In the order of the parameters; empty if nothing is wrong.
    statistics : dict of str to Statistics
        By parameter.
    tied : tuple of (str, str)
        Parameters that share their memory with an earlier one, which comes first.
    skipped : dict of str to str
        What was not judged, and why: counters, masks, tables of positions.
    """

    findings: tuple[Finding, ...]
    statistics: dict[str, Statistics]
    tied: tuple[tuple[str, str], ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON takes it: NaN is None, a hash 16 hexadecimal digits."""
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
        """Findings, then a row for every parameter; at most 100 columns."""
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
    """Read every parameter once, and say what is wrong.

    Parameters
    ----------
    arrays : mapping of str to array, array, or path
        NumPy arrays, torch tensors in CPU memory (a `state_dict()`), or whatever `numpy.asarray` takes; one array,
        called "array"; or the path of a .safetensors, .index.json or .npz file, or of a directory with a checkpoint.
        float32, float64, float16 or bfloat16. Other dtypes are skipped, and so are arrays that are named as masks
        (*mask*) or tables of positions (pe, pos_encoding, inv_freq, cos_cached, …), unless `layers` has them.
    activation : str, (str, float) or callable
        What follows each layer: see `fanin.gain`. Default "relu".
    layout : "OI" or "IO"
        (out, in, *spatial), as in PyTorch, the default; or (*spatial, in, out), as in Keras and JAX.
    layers : mapping of str to str, optional
        Kinds of layer, by name: see `fanin.recommend`. Others follow from name and rank. Of rank 1 and 0: "norm" if
        called weight, scale or gamma, else "bias". Above: "conv" from rank 4 on; "recurrent" for weight_hh and
        recurrent_kernel, "input" for weight_ih, "embedding" for wte, wpe, table, and words that begin with embed or end
        with emb, embed or embedding, "attention" for attn, attention, query, key, value, q, k, v and qkv, "head" for
        head, classifier and logits; else "conv" for rank 3 and "linear" for rank 2. An embedding, query, key or value
        does not lend its kind to what it holds under linear, fc, proj, dense, conv or a number.
    norm : bool, optional
        Whether normalization follows or precedes every layer: then no std is judged. Default: whether any parameter is
        a "norm" of more than one element.

    Returns
    -------
    Audit
        `findings`, `statistics`, `tied`, `skipped`, `to_dict()`, and a table as text.

    Raises
    ------
    TypeError
        For what is no array of numbers, or on another device.
    ValueError
        For an unknown layout, layer or name in `layers`, or a damaged file.
    OSError
        Where a file cannot be read.

    Notes
    -----
    The rules, each of which a parameter can break:

    - non-finite: any NaN or infinity. The other rules judge the finite values. A matrix of 0 and over a tenth
      -∞ is a mask, which is skipped.
    - zero, constant: all weights equal, so that units start equal, and only other layers can tell them apart. Not of a
      bias or norm. A head may be zero, and so may the factor of an adapter that makes it start as nothing (lora_B). The
      last layer of a residual branch may be meant to be, which no name tells.
    - identical units: outputs with equal weights, bit for bit, or at a distance below 0.3 % of their length (of up to
      512 units and 2¹⁸ weights). Not of embeddings, not of units whose weights are all 0, and not where units have so
      few bits that chance makes them equal. Equal filters of different groups of a convolution are found too, though
      they see different channels: no array tells its groups.
    - outlier: |x - mean|/std beyond what the largest of as many normal values exceeds with probability 10⁻⁹. Zeros are
      left out, so that sparse weights are judged by the others. Uniform and truncated values never reach that.
    - std: of linear and conv, that of `fanin.review`, with its factor a layer, beyond 5 standard errors. Of recurrent,
      input and attention, a square over 10 times that of `fanin.recommend`, or under a tenth. Of a head, logits whose
      variance exceeds 10 for inputs of variance 1. Not where there is an outlier.
    - orthogonality: where rows (or columns, if fewer) have cosines below 0.3 of what random ones have: an entry of
      Q·Qᵀ/g² - I beyond 10⁻⁵, or two units of the dtype's last place.
    - equal values: two weights with the same bits in different memory. Not of constants, biases, norms, or where most
      are 0. Weights that share memory are tied, which is no finding: the first is judged.

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
    at: dict[Any, str] = {}  # memory
    holding: dict[Any, str] = {}  # values
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
    """Whether it is what attention adds to its logits, 0 or -inf, under whatever name."""
    return len(s.shape) > 1 and not s.nan and 0 < s.zeros == s.finite < 0.9 * s.count and not (array > 0).any()


# ---- The rules -------------------------------------------------------------------------------------------------------


def _judge(
    name: str, s: Statistics, units: Array | None, activation: Activation, layout: Layout, norm: bool
) -> Iterator[tuple[str, str]]:
    """Rule and message of everything wrong with one parameter."""
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
    """Which units have equal or nearly equal weights."""
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
    with np.errstate(all="ignore"):  # no weights, or infinite ones, are near to nothing
        products = rows @ rows.T
        squares = products.diagonal()
        distance = (squares[:, None] + squares - 2 * products) / np.outer(np.sqrt(squares), np.sqrt(squares))
    distance[np.tril_indices(count)] = np.inf
    i, j = np.unravel_index(np.nan_to_num(distance, nan=np.inf).argmin(), distance.shape)
    if not distance[i, j] <= _NEAR:
        return ""
    return f"units {i} and {j} differ by {math.sqrt(max(0.0, distance[i, j])):.1e} of their length"


def _equal_rows(units: Array) -> list[list[int]]:
    """Groups of rows with the same bits. A few columns tell most rows apart, so that the others are hardly read."""
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
    """The value farthest from the mean, where a normal distribution has none."""
    if not s.std < _HUGE:
        return f"values from {s.minimum:.3g} to {s.maximum:.3g}, too large for their std"
    count, mean, std = s.finite - s.zeros, s.mean, s.std
    if s.zeros:  # those of the values that are not 0
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
    """How the std departs from what layer and activation ask for."""
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


@np.errstate(all="ignore")  # what is not finite, or all 0, looks like nothing
def _defect(units: Array) -> float | None:
    """How far Q·Qᵀ/g² is from I: see `Statistics.defect`. None unless rows, or columns if fewer, look orthogonal."""
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
    if 2 * np.count_nonzero(used) <= used.size:  # sparse rows hardly meet, and are as good as orthogonal by chance
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
