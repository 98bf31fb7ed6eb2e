"""On a GPU: compute-sanitizer finds nothing in a little of everything, which is this file as a program."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from gpu import (
    DEVICE,
    KEY,
    LAYOUTS,
    assert_filled,
    assert_same_bits,
    memory,
    torch_with_cuda,  # noqa: F401
    view,
)
from processes import ENVIRONMENT, TIMEOUT
from samplers import SAMPLERS, sample

from fanin import schemes

pytestmark = [pytest.mark.gpu, pytest.mark.slow]


def a_little_of_everything():
    """Every sampler, dtype and layout, and every scheme: what the sanitizers watch."""
    for distribution, dtype in SAMPLERS:
        for layout in LAYOUTS:
            for shape, index in [
                ((), ...),
                ((33,), ...),
                ((129,), ...),
                ((1000,), np.s_[::-3]),
                ((9, 37), np.s_[:, 3:36]),
            ]:
                expected = np.asarray(sample(distribution, dtype, shape, index=index))
                out = view(layout, expected.shape, dtype)
                sample(distribution, dtype, shape, index=index, out=out)
                assert_filled(out, expected)
        assert_same_bits(sample(distribution, dtype, 1000, device=DEVICE), sample(distribution, dtype, 1000))
    for scheme, shape in [
        (schemes.mamba_log_range(), (3, 17)),
        (schemes.mamba_step_bias(), (130,)),
        (schemes.sinusoid(), (33, 8)),
        (schemes.identity(), (5, 9)),
        (schemes.embedding(padding=1), (5, 9)),
    ]:
        out = memory(shape, "float32")
        scheme(out=out, **KEY)
        assert_filled(out, scheme(shape, **KEY))


@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_the_sanitizers_find_nothing(torch, tool):
    places = (os.environ["PATH"], os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin"))
    sanitizer = shutil.which("compute-sanitizer", path=os.pathsep.join(places))
    if sanitizer is None:
        pytest.skip(f"compute-sanitizer is in none of {os.pathsep.join(places)}")
    # Every allocation of torch is the driver's own, so that the end of each is watched. What torch asks the driver for
    # and does without is not reported.
    command = [
        sanitizer,
        "--tool",
        tool,
        "--error-exitcode",
        "9",
        "--report-api-errors",
        "no",
        sys.executable,
        __file__,
    ]
    environment = ENVIRONMENT | {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if "Device not supported" in process.stdout:
        pytest.skip("compute-sanitizer does not support this device")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "SUMMARY: 0 " in process.stdout  # errors, or hazards: it was there


if __name__ == "__main__":
    a_little_of_everything()
