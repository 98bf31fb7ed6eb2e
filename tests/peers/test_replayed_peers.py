"""What fanin has no scheme for: torch computes it, from fanin's draws."""

from __future__ import annotations

import pytest
from lazily import Peer

import fanin.torch

torch = Peer("torch")
pytestmark = pytest.mark.peer


def test_a_model_with_two_parameters_that_torch_computes_is_planned():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.left = torch.nn.Parameter(torch.linalg.svd(torch.randn(3, 3))[0])
            self.right = torch.nn.Parameter(torch.linalg.svd(torch.randn(3, 3))[0])

    with fanin.torch.record() as recording:
        model = Model()
    plan = recording.plan(model, seed=0)
    assert [row.scheme.scheme_name for row in plan.rows] == ["replayed", "replayed"]
    assert plan.row("left").scheme == plan.row("right").scheme, "the same is computed"
    assert (plan["left"] != plan["right"]).any(), "from draws of their own"
    assert abs(plan["left"] @ plan["left"].T - torch.eye(3).numpy()).max() < 1e-5
