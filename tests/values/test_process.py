"""What the process does around a call changes no bit and stops no call: signals, forks, threads, rounding modes."""

import os
import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from environments import ENVIRONMENTS, LINUX, environment
from interrupts import overrun
from processes import TIMEOUT, run

import fanin

LARGE = 200_000  # elements: enough for two threads, where they are asked for

# Calls, to be formatted with a number of elements, or of rows.
FAR = "fanin.truncated_normal({}, low=6, high=np.inf, seed=0, name='w', dtype='float64')"
NEAR = "fanin.truncated_normal({}, seed=0, name='w', dtype='float64')"
ORTHOGONAL = "fanin.orthogonal(({0}, {0}), seed=0, name='w', layout='OI')"


@pytest.mark.parametrize("threads", [1, 2])
def test_another_thread_ends_a_long_call_by_ctrl_c(threads):
    """Without an answer, it would go on for 15 units; with one, it does for less than 0.1."""
    assert overrun(FAR.format(2**27), unit=FAR.format(2**23), threads=threads) < 1


def test_ctrl_c_in_the_slowest_variant_too():
    """Without an answer, it would go on for 31 units; with one, it does for less than 0.1."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("the variant without fma is for x86-64")
    assert overrun(NEAR.format(2**23), unit=NEAR.format(2**18), FANIN_FORCE_ISA="baseline") < 1


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_an_orthogonal_matrix_of_16384(threads):
    """Without an answer, it would go on for about 500 units; with one, it does for less than 0.1."""
    assert overrun(ORTHOGONAL.format(16384), unit=ORTHOGONAL.format(2048), threads=threads) < 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")
@pytest.mark.parametrize("first", ["the parent", "the child"])
def test_a_forked_child_samples_the_same(first):
    same = run(
        f"""
        import os, signal, hashlib
        sample = lambda: hashlib.sha256(fanin.normal({LARGE}, seed=0, name="w").tobytes()).hexdigest()
        if {first == "the parent"}:
            import fanin
            sample()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            signal.alarm({TIMEOUT})
            import fanin
            os.write(write, sample().encode())
            os._exit(0)
        import fanin
        assert os.waitpid(child, 0)[1] == 0, "the child hung or failed"
        print(os.read(read, 64).decode() == sample())
        """,
        FANIN_NUM_THREADS="2",
    )
    assert same == "True"


def test_sixteen_threads_sample_at_once():
    def sample(i: int) -> np.ndarray:
        with fanin.num_threads(2):
            return fanin.normal(LARGE, seed=i, name="w")

    alone = [sample(i) for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(sample, range(16)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_orthogonal_matrices_are_made_in_many_threads_and_in_a_forked_child():
    def sample(i: int) -> np.ndarray:
        with fanin.num_threads(2):
            return fanin.orthogonal((300, 200), seed=i, name="w", layout="OI")

    alone = [sample(i) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(np.array_equal(a, b) for a, b in zip(alone, pool.map(sample, range(8)), strict=True))
    if hasattr(os, "fork"):
        same = run(
            f"""
            import os, signal, hashlib, fanin
            def sample():
                return hashlib.sha256(fanin.haar(300, 3, seed=0, name="w").tobytes()).hexdigest()
            parent = sample()
            read, write = os.pipe()
            if os.fork() == 0:
                signal.alarm({TIMEOUT})
                os.write(write, sample().encode())
                os._exit(0)
            assert os.wait()[1] == 0, "the child hung or failed"
            print(os.read(read, 64).decode() == parent)
            """,
            FANIN_NUM_THREADS="2",
        )
        assert same == "True"


def test_no_workspace_is_a_memory_error_that_leaves_out_alone():
    out = np.ones((1, 2), np.float32)
    with pytest.raises(MemoryError, match=r"\(1, 4611686018427387904\).*float32"):
        fanin.orthogonal((1, 2**62), seed=0, name="w", layout="OI", index=np.s_[:, :2], out=out)
    assert (out == 1).all()


def test_no_memory_is_a_memory_error_that_names_shape_and_dtype():
    with pytest.raises(MemoryError, match=r"\(1099511627776, 1048576\).*float32"):
        fanin.normal((2**40, 2**20), seed=0, name="w")


@pytest.fixture
def two_threads():
    with fanin.num_threads(2):
        yield


@pytest.mark.usefixtures("two_threads")
@LINUX
@pytest.mark.parametrize("state", ENVIRONMENTS[1:])
def test_the_callers_floating_point_state_changes_no_bit(state):
    init = fanin.seeded(0, layout="OI")

    def samples() -> list[np.ndarray]:
        return [
            fanin.normal(LARGE, std=1e-39, seed=0, name="w"),  # most are subnormal
            fanin.normal(1000, mean=0.1, std=1 / 3, seed=0, name="w", dtype="float64"),
            fanin.uniform(LARGE, low=-0.1, high=0.3, seed=0, name="w"),
            fanin.truncated_normal(1000, low=-1.7, high=2.3, seed=0, name="w"),
            fanin.truncated_normal(1000, low=6, high=9, seed=0, name="w", dtype="float64"),
            fanin.uniform(1000, high=1e-7, seed=0, name="w", dtype="float16"),
            init.he_normal("w", (33, 77), activation=("leaky_relu", 0.3)),
            init.xavier_uniform("w", (33, 77)),
            init.lecun_normal("w", (33, 77), truncate=1.3),
            init.orthogonal("w", (300, 200)),
            init.orthogonal("w", (20, 70), 1e-39),
            init.orthogonal("w", (70, 20), dtype="float64"),
        ]

    expected = samples()
    with environment(*state):
        found = samples()
    for a, b in zip(expected, found, strict=True):
        assert a.tobytes() == b.tobytes()
