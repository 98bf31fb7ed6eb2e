"""Prepare the tests: reproducible properties, threads and interrupts as tests need them, one GPU for all workers."""

import os
import signal
from pathlib import Path

# NumPy and fanin read these when they are imported, and the programs that tests start inherit them. A thread that waits
# for work may spin, that is, ask for it in a loop, and so it keeps a core from the threads that have work: beside
# spinning threads of OpenBLAS, drawing a layer and multiplying by it took 9 ms, and takes 0.4 ms without them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# A worker of pytest-xdist has about one core. Its calls take two threads by default all the same, so that tests of the
# default test concurrent ones; threads that wait passively cost nothing.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "2")

import hypothesis
import pytest

import fanin

hypothesis.settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    max_examples=200,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # this check compares with the clock
)
hypothesis.settings.load_profile("fixed")

# What a shell starts in the background ignores SIGINT, and child processes inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# JAX would take most of a GPU's memory, whichever test is the first to import it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder where CMake builds what native tests need, so that the core is compiled once."""
    return tmp_path_factory.mktemp("build")


def pytest_itemcollected(item):
    """Let one worker of pytest-xdist run all tests of a GPU, since workers share it."""
    if item.get_closest_marker("gpu"):
        item.add_marker(pytest.mark.xdist_group("gpu"))


@pytest.hookimpl(trylast=True)  # after -m and -k have selected tests
def pytest_collection_modifyitems(config, items):
    """Without a GPU, skip one of its tests, which says why, and deselect the others."""
    tests = [item for item in items if item.get_closest_marker("gpu")]
    status = fanin.cuda.status() if tests else None
    if status is None or status.available:
        return
    tests[0].add_marker(pytest.mark.skip(reason=status.reason))
    config.hook.pytest_deselected(items=tests[1:])
    left_out = set(tests[1:])
    items[:] = [item for item in items if item not in left_out]
