"""Expressions: parameters computed from draws by a closed set of operations, with the same bits everywhere."""

import math

import numpy as np

from fanin import schemes

KEY = {"seed": 7, "name": "mixer.dt_bias"}


def test_mamba_as_its_author_wrote_it_is_mamba_step_bias():
    """torch.exp(torch.rand(n) * (ln high - ln low) + ln low).clamp(min=floor), then dt + log(-expm1(-dt))."""
    low, high = math.log(0.001), math.log(0.1)
    dt = schemes.expression("fma", [schemes.uniform(), high - low, low]).exp().clamp(1e-4)
    written = dt + (-(-dt).expm1()).log()
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        expected = schemes.mamba_step_bias()((500, 3), dtype=dtype, **KEY)
        assert written((500, 3), dtype=dtype, **KEY).tobytes() == expected.tobytes()


def test_a_part_is_that_of_the_whole():
    scheme = schemes.expression("log", schemes.uniform(1.0, 16.0)) + schemes.expression("arange", [0, 1, -1])
    whole = scheme((70, 40), **KEY)
    assert (scheme((70, 40), index=np.s_[60:3:-7, 5:], **KEY) == whole[60:3:-7, 5:]).all()
