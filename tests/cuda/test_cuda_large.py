"""On a GPU: more elements than 32 bits count, and as many as there are words."""

import math

import numpy as np
import pytest
from gpu import (
    DEVICE,
    KEY,
    ONE_OF_A_DTYPE,
    as_numpy,
    assert_same_bits,
    every_sampler,
    torch_with_cuda,  # noqa: F401
)
from samplers import sample

import fanin

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


def integers(tensor):
    """The same memory as signed integers, which torch compares bit by bit."""
    import torch

    return tensor.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.dtype.itemsize])


def differences(out, first, distribution, dtype, count, chunk=2**26):
    """Where chunks of a flat tensor, which begins at element `first` of `count`, are not the CPU's: their starts."""
    import torch

    host = torch.empty(chunk, dtype=out.dtype, pin_memory=True)
    wrong = []
    for start in range(0, len(out), chunk):
        size = min(chunk, len(out) - start)
        index = np.s_[first + start : first + start + size]
        sample(distribution, dtype, count, index=index, out=host[:size])
        if not torch.equal(integers(out[start : start + size]), integers(host[:size].to(out.device))):
            wrong.append(first + start)
    return wrong


def allocate(torch, shape, dtype):
    try:
        return torch.empty(shape, dtype=getattr(torch, dtype), device=DEVICE)
    except torch.cuda.OutOfMemoryError:
        pytest.skip(f"the GPU has no room for {math.prod(shape)} elements of {dtype}")


@pytest.mark.parametrize(("distribution", "dtype"), ONE_OF_A_DTYPE)
def test_more_than_two_to_the_31_elements_in_one_call(torch, distribution, dtype):
    count = 2**31 + 2**20 + 77
    out = allocate(torch, (count,), dtype)
    sample(distribution, dtype, out=out)
    assert differences(out, 0, distribution, dtype, count) == []


def test_more_than_two_to_the_31_elements_backwards_and_transposed(torch):
    shape = (2**16 + 1, 2**15 + 3)
    out = allocate(torch, shape[::-1], "bfloat16").T
    for step in (1, -1):
        fanin.normal(shape, index=np.s_[::step, ::step], out=out, **KEY)
        for row in (0, 1, 2**15, 2**16 - 1, -2, -1):
            index = (row if step == 1 else ~row, np.s_[::step])
            assert_same_bits(as_numpy(out[row]), fanin.normal(shape, dtype="bfloat16", index=index, **KEY))


@every_sampler
def test_exhaustively_two_to_the_32_elements(torch, distribution, dtype):
    """There are as many elements as words that a float32 can be drawn from."""
    count, chunk = 2**32, 2**27
    out = allocate(torch, (chunk,), dtype)
    for first in range(0, count, chunk):
        sample(distribution, dtype, count, index=np.s_[first : first + chunk], out=out)
        assert differences(out, first, distribution, dtype, count) == []
