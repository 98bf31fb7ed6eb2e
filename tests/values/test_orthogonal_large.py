"""Orthogonal matrices at size: accuracy and the memory they take beside the output."""

import sys

import numpy as np
import pytest
from processes import run
from reference_orthogonal import products

import fanin

MIB = 1 << 20


@pytest.mark.slow
@pytest.mark.xdist_group("memory")
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 5e-15)])
@pytest.mark.parametrize(
    "shape", [(1024, 1024), (2048, 2048), (4096, 4096), (8192, 8192), (11008, 4096), (4096, 11008)]
)
def test_large_matrices_are_orthogonal(shape, dtype, tolerance):
    """Compare all vectors with the first 64, some in the middle and the last 64."""
    q = fanin.orthogonal(shape, seed=0, name="w", layout="OI", dtype=dtype)
    q = q if shape[0] <= shape[1] else q.T
    count = len(q)
    worst = 0.0
    chosen = np.r_[0:64, count // 2 : count // 2 + 128, count - 64 : count]
    for begin in range(0, count, 512):
        part = products(q[begin : begin + 512], q[chosen])
        part -= np.arange(begin, min(begin + 512, count))[:, None] == chosen
        worst = max(worst, abs(part).max())
    assert worst <= tolerance


# By how many bytes the second call raises the process's peak: the first has loaded the code and its threads.
PROGRAM = """
import numpy as np, fanin
from processes import peak
init = fanin.seeded(0, layout="OI")
init.orthogonal("w", (600, 600), dtype="{dtype}")
out = np.ones({out}, "{dtype}")
open("/proc/self/clear_refs", "w").write("5")
before = peak()
init.orthogonal("w", {shape}, index={index}, out=out)
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize(
    ("shape", "index", "dtype"),
    [
        ((3000, 3000), "np.s_[...]", "float32"),
        pytest.param((3000, 3000), "np.s_[...]", "float16", marks=pytest.mark.slow),
        pytest.param((2000, 6000), "np.s_[...]", "float64", marks=pytest.mark.slow),
        ((70, 200_000), "np.s_[...]", "float32"),
        pytest.param((200_000, 70), "np.s_[...]", "float64", marks=pytest.mark.slow),
        ((300_000, 300), "np.s_[1000:1100]", "float32"),
        ((300, 300_000), "np.s_[100:103]", "float16"),
        ((3, 3_000_000), "np.s_[...]", "float32"),
        ((20_000_000, 1), "np.s_[::2]", "float16"),
        pytest.param((1_000_000, 200), "np.s_[:100]", "float64", marks=pytest.mark.slow),
        pytest.param((33_000, 1100), "np.s_[::3]", "float64", marks=pytest.mark.slow),
    ],
)
def test_the_workspace_is_at_most_64_mib_and_1_mib_a_thread(shape, index, dtype):
    out = np.lib.stride_tricks.as_strided(np.zeros(1), shape, (0, 0))[eval(index)].shape
    program = PROGRAM.format(shape=shape, index=index, dtype=dtype, out=out)
    assert 0 < int(run(program, FANIN_NUM_THREADS="2")) <= (64 + 2) * MIB
