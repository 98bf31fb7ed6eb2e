"""Find what is wrong with the parameters of a network before it trains."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import _core
from ..arrays.types import Activation, Layer, Layout
from ..recommendation import recommend
from .audit_rules import bits_of, defect_of, judge
from .findings import Audit, Finding, Statistics
from .tensors import Array, layers_of, memory_of, native, tensors_of, units_of


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
        defect = defect_of(units) if units is not None and units.size else None
        s = Statistics(layer, array.shape, str(array.dtype), **_core.statistics(array), asked=asked, defect=defect)
        statistics[name] = s
        if _is_mask(s, array):
            skipped[name] = "a mask of 0 and -inf"
            continue
        findings += [Finding(name, *found) for found in judge(name, s, units, activation, layout, norm)]
        if s.layer in ("bias", "norm") or s.constant or s.finite < 2 or 2 * s.zeros > s.count:
            continue  # equal by design
        twin = holding.setdefault((s.dtype, s.count, s.hash), name)
        if twin != name and np.array_equal(bits_of(array).ravel(), bits_of(native(parameters[twin])).ravel()):
            findings.append(Finding(name, "equal values", f"the {s.count} values of {twin}: from one random stream?"))
    return Audit(tuple(findings), statistics, tuple(tied), skipped)


def _asked(shape: tuple[int, ...], layer: Layer, activation: Activation, layout: Layout) -> float | None:
    if len(shape) < 2 or not math.prod(shape) or layer in ("bias", "norm"):
        return None
    return recommend(activation, layer, layout=layout).expected_std(shape)


def _is_mask(s: Statistics, array: Array) -> bool:
    """Tell whether an array holds 0 and -inf, as a mask that attention adds to its logits does."""
    return len(s.shape) > 1 and not s.nan and 0 < s.zeros == s.finite < 0.9 * s.count and not (array > 0).any()
