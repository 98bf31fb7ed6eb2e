"""Measure small calls, whose time is that of the call itself."""
# ruff: noqa: PLC0415 - torch is imported where it is used: no peer is required

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

import fanin

from .figures import OURS, Figure, Figures
from .fills import use_threads
from .timing import Call, interleaved

Shape = tuple[int, ...]


def _numpy(shape: Shape) -> Call:
    return partial(np.random.Generator(np.random.SFC64(0)).standard_normal, shape, np.float32)


def _torch_calls(shape: Shape, *, he: bool) -> Mapping[str, Call | None]:
    label = "torch kaiming_normal_" if he else "torch normal_"
    try:
        import torch
    except ImportError:
        return {label: None}
    tensor = torch.empty(shape)
    if he:
        return {label: partial(torch.nn.init.kaiming_normal_, tensor)}
    return {label: partial(tensor.normal_, 0.0, 1.0)}


def _microseconds(calls: Mapping[str, Call | None], rounds: int) -> Figures:
    use_threads(1)
    samples = interleaved({label: call for label, call in calls.items() if call is not None}, rounds)
    figures = {label: Figure(s.minimum * 1e6, s.median * 1e6) for label, s in samples.items()}
    return figures | {label: None for label, call in calls.items() if call is None}


def function(rounds: int, shape: Shape) -> Figures:
    """Measure a call of `fanin.normal` that returns a new array, in microseconds."""
    ours = partial(fanin.normal, shape, seed=0, name="fc.weight")
    calls = {OURS: ours, "numpy standard_normal": _numpy(shape), **_torch_calls(shape, he=False)}
    return _microseconds(calls, rounds)


def scheme(rounds: int, shape: Shape) -> Figures:
    """Measure a call of a scheme object, in microseconds."""
    he_normal = fanin.schemes.he_normal(layout="OI")
    calls = {OURS: partial(he_normal, shape, seed=0, name="fc.weight"), **_torch_calls(shape, he=True)}
    return _microseconds(calls, rounds)


def recommend(rounds: int) -> Figures:
    """Measure a call of `fanin.recommend`, in microseconds."""
    return _microseconds({OURS: partial(fanin.recommend, "gelu", "conv")}, rounds)
