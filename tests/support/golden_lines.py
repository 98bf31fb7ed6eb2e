"""The lines of tests/golden/, and how what was drawn is compared with them."""

import json
from typing import NamedTuple

import numpy as np
import pytest
from paths import GOLDEN

FILES = sorted(GOLDEN.glob("*.txt"))
HUGE, ROW = 2**62, 2**39


class Run(NamedTuple):
    """A line: consecutive elements from the flat index `first`."""

    parameters: str
    dtype: str
    seed: int
    name: str
    first: int
    expected: np.ndarray


def read(path):
    """Return the lines of a golden file."""
    runs = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            head, patterns = line.split(" : ")
            parameters, dtype, seed, name, first = head.split(" ")
            expected = np.array([int(pattern, 16) for pattern in patterns.split()], dtype=np.uint64)
            runs.append(Run(parameters, dtype, int(seed), json.loads(name), int(first), expected))
    return runs


def check(distribution, run, found):
    """Fail the test unless these are the bit patterns of a line."""
    assert found.size == run.expected.size
    wrong = np.flatnonzero(found.astype(np.uint64) != run.expected)
    if wrong.size:
        k = wrong[0]
        pytest.fail(
            f"{distribution}({run.parameters}) of {run.dtype}, seed {run.seed}, name {run.name!r}: {wrong.size} of"
            f" {found.size} elements from index {run.first} differ, first at {run.first + int(k)}:"
            f" expected {run.expected[k]:#x}, found {found[k]:#x}"
        )
