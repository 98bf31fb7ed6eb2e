"""Recognize what a checkpoint holds besides parameters."""

from __future__ import annotations

import re

_BY_NAME = {
    "running_mean": "running statistic",
    "running_var": "running statistic",
    "num_batches_tracked": "counter",
    "position_ids": "table of indices",
    "inv_freq": "table of rotary frequencies",
    "masked_bias": "constant of a mask",
}
_FLOATING = re.compile(r"B?F\d|.*float")  # as safetensors names dtypes, or as NumPy, JAX and torch do


def reason_to_skip(name: str, shape: tuple[int, ...], dtype: str) -> str | None:
    """Return why a tensor is not a parameter, or None if it is one, as every other floating-point tensor is.

    Parameters
    ----------
    name : str
        The name of the tensor; its last part tells running statistics and tables.
    shape : tuple of int
        The shape of the tensor.
    dtype : str
        Its dtype, as a safetensors file, NumPy or torch spells it; "" if it is unknown.

    Examples
    --------
    >>> reason_to_skip("bn1.running_mean", (64,), "F32"), reason_to_skip("mask", (8, 8), "BOOL")
    ('running statistic', 'dtype BOOL is not floating-point')
    """
    leaf = name.rpartition(".")[2]
    if leaf in _BY_NAME:
        return _BY_NAME[leaf]
    if name.endswith("attn.bias") and len(shape) == 4:  # in OpenAI's checkpoints of GPT-2
        return "causal mask"
    if dtype and not _FLOATING.match(dtype):
        return f"dtype {dtype} is not floating-point"
    return None
