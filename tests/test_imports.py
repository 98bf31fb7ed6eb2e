"""`import fanin` is light: NumPy and little else."""

import json
import os
import subprocess
import sys

import pytest


def run(code, **environment):
    environment = os.environ | environment
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout


@pytest.mark.parametrize(
    "module", ["torch", "jax", "tensorflow", "matplotlib", "rich", "ml_dtypes", "scipy", "numpy.random", "argparse"]
)
def test_a_module_is_not_imported(module):
    assert run(f"import sys, fanin; print({module!r} in sys.modules)") == "False\n"


def test_ml_dtypes_is_imported_on_the_first_bfloat16():
    code = """
import sys, fanin
fanin.normal(3, seed=0, name="w")
before = "ml_dtypes" in sys.modules
fanin.normal(3, seed=0, name="w", dtype="bfloat16")
print(before, "ml_dtypes" in sys.modules)
"""
    assert run(code) == "False True\n"


def test_the_public_names_are_there():
    code = "import json, fanin; print(json.dumps([n for n in fanin.__all__ if not hasattr(fanin, n)]))"
    assert json.loads(run(code)) == []
    listed = run("from fanin import *; print(normal.__module__)")
    assert listed == "fanin.sampling\n"


def test_importing_costs_at_most_15_ms_beyond_numpy(tmp_path):
    """From compiled bytecode, the best of up to six, so that a busy machine does not decide."""
    code = "import numpy, time; t = time.perf_counter(); import fanin; print(time.perf_counter() - t)"
    cached = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    assert any(float(run(code, **cached)) < 0.015 for _ in range(6))
