"""The examples run as a user runs them, print their table and leave a picture; whole, they show what they say."""

import os
import re
import struct
import subprocess
import sys
from contextlib import ExitStack

import pytest
from paths import ROOT
from processes import TIMEOUT

EXAMPLES = ROOT / "examples"
pytestmark = pytest.mark.xdist_group("examples")  # they share runs
NAMES = ["mlp_tanh", "cnn_relu", "lstm_forget_bias"]
# For each, the strategies that end above a test accuracy, and those that end above a training loss; a guess has 2.303.
# Training multiplies rounding: from BLAS to BLAS the losses of an LSTM, 0.49 and 1.10, vary by 0.03 and 0.09 (one
# standard deviation), its accuracies, 0.83 and 0.65, by 0.03 and 0.04, and all others by less. A bound is four away.
SHOWN = {
    "mlp_tanh": ({"Xavier": 0.9}, {"Xavier / 3, too small": 2.2, "Xavier × 3, too large": 0.6, "zeros": 2.2}),
    "cnn_relu": ({"He, batch norm": 0.85, "std 0.01, batch norm": 0.85, "He": 0.2}, {"std 0.01": 2.2}),
    "lstm_forget_bias": ({"orthogonal, bias 1": 0.7}, {"orthogonal, bias 0": 0.7, "std 0.01, bias 0": 2.0}),
}


def start(name, folder, *options):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--output", str(folder / f"{name}.png"), *options]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error::RuntimeWarning"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, encoding="utf-8", env=environment, cwd=folder, stdout=pipe, stderr=pipe)


def run(names, folder, *options):
    """What each example prints, all run side by side; asserts that its picture is a PNG of at least 800 pixels."""
    printed, processes = {}, {}
    with ExitStack() as stack:
        for name in names:
            processes[name] = stack.enter_context(start(name, folder, *options))
            stack.callback(processes[name].kill)  # if another fails
        for name, process in processes.items():
            printed[name], errors = process.communicate(timeout=TIMEOUT)
            # matplotlib says where it keeps its fonts, if that is new or its usual place cannot be written to.
            errors = [line for line in errors.splitlines() if "matplotlib" not in line.lower()]
            assert (process.returncode, errors) == (0, [])
            signature, width, height = struct.unpack(">8s8x2I", (folder / f"{name}.png").read_bytes()[:24])
            assert signature == b"\x89PNG\r\n\x1a\n"
            assert min(width / 800, height / 300) >= 1
    return printed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(NAMES, tmp_path_factory.mktemp("whole"))


def test_every_example_is_tested():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(NAMES)


@pytest.mark.parametrize("name", [NAMES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in NAMES[1:])])
def test_a_few_steps_print_a_table_and_what_is_wrong(name, tmp_path):
    printed = run([name], tmp_path, "--steps", "2")[name]
    good, bad = SHOWN[name]
    assert "final loss" in printed
    for strategy in (*good, *bad):
        assert re.search(rf"^\d  {re.escape(strategy)} ", printed, re.MULTILINE)
    # What is wrong is known before training.
    assert "gradients vanish" in printed


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_good_ends_well_and_bad_ends_badly(name, whole):
    ends = {
        strategy: (float(loss), float(accuracy))
        for strategy, loss, accuracy in re.findall(
            r"^\d  (.+?)  +\S+ +(\S+) ± \S+ +(\S+) ± ", whole[name], re.MULTILINE
        )
    }
    good, bad = SHOWN[name]
    assert ends.keys() == good.keys() | bad.keys()
    assert {strategy for strategy, least in good.items() if ends[strategy][1] <= least} == set()
    assert {strategy for strategy, least in bad.items() if ends[strategy][0] <= least} == set()
