"""The parameters of torch modules, as torch keeps them."""

import math

import pytest
from lazily import Peer

from fanin.diagnose import plots
from fanin.diagnose.audit import audit

torch = Peer("torch")
pytestmark = pytest.mark.peer


def model():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.BatchNorm1d(128), torch.nn.Linear(128, 64)]
    net = torch.nn.Sequential(*layers)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_state_dict_is_audited(dtype):
    state = model().to(getattr(torch, dtype)).state_dict()
    found = audit(state)
    assert found.findings == ()
    assert found.skipped == {"2.num_batches_tracked": "of dtype int64"}
    wide = state["0.weight"].double()
    assert found.statistics["0.weight"].std == pytest.approx(wide.std(unbiased=False).item(), rel=1e-12)
    assert found.statistics["0.weight"].dtype == dtype


def test_torch_defaults_vanish_under_relu_by_a_factor_of_six():
    torch.manual_seed(0)
    found = audit(dict(torch.nn.Linear(512, 512).named_parameters())).findings
    assert [finding.rule for finding in found] == ["std"]
    assert "by 0.167" in found[0].message


def test_tied_parameters_and_orthogonal_ones():
    embedding, head = torch.nn.Embedding(100, 32), torch.nn.Linear(32, 100, bias=False)
    torch.nn.init.normal_(embedding.weight, std=0.02)
    head.weight = embedding.weight
    square = torch.nn.init.orthogonal_(torch.empty(256, 256), math.sqrt(2))
    found = audit({"wte.weight": embedding.weight, "head.weight": head.weight, "fc.weight": square})
    assert found.findings == ()
    assert found.tied == (("wte.weight", "head.weight"),)
    assert found.statistics["fc.weight"].defect < 1e-5


def test_other_dtypes_are_skipped():
    found = audit({"q": torch.zeros(3, 3).to(torch.float8_e4m3fn), "z": torch.zeros(3, 3, dtype=torch.complex64)})
    assert found.skipped == {"q": "of dtype float8_e4m3fn", "z": "of dtype complex64"}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_picture_has_the_singular_values_that_torch_finds(dtype):
    weight = torch.nn.Linear(8, 4, dtype=getattr(torch, dtype)).weight
    _, axes = plots.weights(weight).axes
    expected = torch.linalg.svdvals(weight.detach().double())
    assert axes.lines[0].get_ydata() == pytest.approx(expected.numpy())


def test_other_devices_are_refused():
    with pytest.raises(TypeError, match=r"arrays\['w'\] must be in CPU memory, got device meta"):
        audit({"w": torch.empty(3, device="meta")})
