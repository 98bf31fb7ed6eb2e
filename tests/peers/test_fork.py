"""A forked child samples though another library used the shared OpenMP runtime before the fork."""

import os

import pytest
from processes import TIMEOUT, run

pytestmark = [pytest.mark.peer, pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork()")]


@pytest.mark.parametrize("imported", ["before", "after"])
def test_torch_alone_used_openmp_before_the_fork(imported):
    run(
        f"""
        import os, signal
        import torch
        if {imported == "before"}:
            import fanin
        torch.set_num_threads(2)
        torch.ones(2000, 2000).exp().sum()  # a parallel region of torch's
        child = os.fork()
        if child == 0:
            signal.alarm({TIMEOUT})
            import fanin
            fanin.normal(2**20, seed=0, name="w")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0, "the child hung or failed"
        """,
        FANIN_NUM_THREADS="2",
    )
