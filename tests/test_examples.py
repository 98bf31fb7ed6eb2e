"""The examples run as a user runs them, print their table and leave a picture; whole, they show what they say."""

import os
import re
import struct
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from processes import TIMEOUT

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
pytestmark = pytest.mark.xdist_group("examples")  # they share runs
NAMES = ["mlp_tanh", "cnn_relu", "lstm_forget_bias"]
# For each, the strategies that end above a test accuracy, and those that end below another.
SHOWN = {
    "mlp_tanh": ({"Xavier": 0.9}, {"Xavier / 3, too small": 0.2, "Xavier × 3, too large": 0.8, "zeros": 0.2}),
    "cnn_relu": ({"He, batch norm": 0.85, "std 0.01, batch norm": 0.85, "He": 0.2}, {"std 0.01": 0.2}),
    "lstm_forget_bias": ({"orthogonal, bias 1": 0.7}, {"orthogonal, bias 0": 0.75, "std 0.01, bias 0": 0.3}),
}


def start(name, folder, *options):
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), "--output", str(folder / f"{name}.png"), *options]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error::RuntimeWarning"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, encoding="utf-8", env=environment, cwd=folder, stdout=pipe, stderr=pipe)


def run(folder, *options):
    """What each example prints, all run side by side; asserts that its picture is a PNG of at least 800 pixels."""
    printed, processes = {}, {}
    with ExitStack() as stack:
        for name in NAMES:
            processes[name] = stack.enter_context(start(name, folder, *options))
            stack.callback(processes[name].kill)  # if another fails
        for name, process in processes.items():
            printed[name], errors = process.communicate(timeout=TIMEOUT)
            assert (process.returncode, errors) == (0, "")
            signature, width, height = struct.unpack(">8s8x2I", (folder / f"{name}.png").read_bytes()[:24])
            assert signature == b"\x89PNG\r\n\x1a\n"
            assert min(width / 800, height / 300) >= 1
    return printed


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return run(tmp_path_factory.mktemp("short"), "--steps", "2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


def test_all_are_tested():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps(name, short):
    printed = short[name]
    good, bad = SHOWN[name]
    assert "final loss" in printed
    for strategy in (*good, *bad):
        assert re.search(rf"^\d  {re.escape(strategy)} ", printed, re.MULTILINE)
    # What is wrong is known before training.
    assert "gradients vanish" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_good_ends_well_and_bad_ends_badly(name, whole):
    accuracies = {
        strategy: float(accuracy)
        for strategy, accuracy in re.findall(r"^\d  (.+?)  +\S+ +\S+ ± \S+ +(\S+) ± ", whole[name], re.MULTILINE)
    }
    good, bad = SHOWN[name]
    assert accuracies.keys() == good.keys() | bad.keys()
    assert {strategy for strategy, least in good.items() if accuracies[strategy] <= least} == set()
    assert {strategy for strategy, most in bad.items() if accuracies[strategy] >= most} == set()
