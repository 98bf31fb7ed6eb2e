"""More than 2^31 elements in one tensor, and blocks of the generator beyond 2^32."""

import numpy as np
import pytest

import fanin


@pytest.mark.slow
@pytest.mark.xdist_group("memory")
def test_more_than_two_to_the_31_elements():
    shape = (2**16 + 1, 2**15 + 3)  # 2,147,745,795 elements, 4.3 GB
    try:
        full = fanin.normal(shape, std=0.02, seed=0, name="w", dtype="bfloat16")
    except MemoryError:
        pytest.skip("needs 4.3 GB of memory")
    full = full.view(np.uint16)
    for index in (np.s_[-2:], np.s_[::9973, -5:], np.s_[2**15 - 1 : 2**15 + 2]):
        part = fanin.normal(shape, std=0.02, seed=0, name="w", dtype="bfloat16", index=index)
        assert np.array_equal(part.view(np.uint16), full[index])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_across_the_carry_of_the_block_counter(dtype):
    # Block 2^32 begins at element 2^34 (float32) or 2^33 (float64): its counter's second word changes there.
    first = 2**34 if dtype == "float32" else 2**33
    run = fanin.normal(2**40, seed=0, name="w", dtype=dtype, index=slice(first - 500, first + 500))
    singles = [fanin.normal(2**40, seed=0, name="w", dtype=dtype, index=first + i) for i in range(-500, 500, 37)]
    assert np.array_equal(run[::37], singles)
    assert len(np.unique(run)) == 1000
