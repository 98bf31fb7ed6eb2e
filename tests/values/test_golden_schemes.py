"""Every random scheme draws what the reference draws with these parameters, which are frozen with the stream.

A scheme adds only its parameters to a distribution of stream v1: here they are, bit by bit. What the native ones draw,
from sparse weights to sinusoids, is in tests/golden/schemes.txt.
"""

import numpy as np
import pytest
from samplers import NAME, SEED
from scheme_values import GOLDEN

from fanin.schemes.registry import ALIASES, REGISTRY


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_schemes_are_drawn(case):
    scheme, shape, wanted = GOLDEN[case]
    for dtype in ("float32", "float64", "bfloat16"):
        found = scheme(shape, seed=SEED, name=NAME, dtype=dtype)
        start = 0
        for size, draw, own in wanted if isinstance(wanted, list) else [(shape[0], wanted, False)]:
            place = (size, *shape[1:]) if own else shape
            index = np.arange(size * shape[1], dtype=np.uint64) + np.uint64(0 if own else start * shape[1])
            expected = draw(index, place, dtype)
            part = np.ascontiguousarray(found[start : start + size])
            assert part.tobytes() == expected.tobytes(), (dtype, start)
            start += size


def test_every_random_scheme_has_golden_values():
    without = {"haar", "delta_orthogonal"}  # in golden/orthogonal.txt by their matrices, and in test_orthogonal.py
    native = {"sparse", "mamba_step_bias"}  # in golden/schemes.txt
    native |= {"bernoulli", "exponential", "log_normal", "integers"}  # in golden/expressions.txt, as are the next
    native |= {"expression", "from_stream", "permutation"}
    fixed = {"constant", "zeros", "ones", "identity", "dirac", "prior_probability", "rezero", "layer_scale"}
    fixed |= {"mamba_log_range", "sinusoid", "gate_bias", "lstm_bias", "gru_bias"}
    same = {"xavier_normal", "he_uniform", "lecun_normal", "lecun_uniform"}  # variance scaling as the others
    parts = {"padded", "siren_first"}  # of embedding and siren
    parts |= {"stack", "transpose", "regions"}  # of tensors that have golden values: test_parts.py compares them
    builders = REGISTRY.keys() - ALIASES.keys()
    assert builders - without - native - fixed - same - parts == {name.partition(",")[0] for name in GOLDEN} - same
