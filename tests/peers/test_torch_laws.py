"""Every layer of torch.nn with parameters, and every function of torch.nn.init, keeps its law when fanin draws it."""

import pytest
from lazily import Peer

torch = Peer("torch")
recorded = Peer("recorded")
pytestmark = [
    pytest.mark.peer,
    pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning"),  # torch's, of its own layers
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*spectral_norm.* is deprecated:FutureWarning"),
]

LAYERS = {
    "Linear": lambda nn: nn.Linear(13, 7),
    "Bilinear": lambda nn: nn.Bilinear(5, 6, 7),
    "Conv1d": lambda nn: nn.Conv1d(4, 6, 3, groups=2),
    "Conv2d": lambda nn: nn.Conv2d(3, 5, (3, 5)),
    "Conv3d": lambda nn: nn.Conv3d(2, 3, 3),
    "ConvTranspose1d": lambda nn: nn.ConvTranspose1d(4, 6, 3),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(4, 6, 3, groups=2),
    "ConvTranspose3d": lambda nn: nn.ConvTranspose3d(2, 3, 3),
    "BatchNorm1d": lambda nn: nn.BatchNorm1d(9),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(9),
    "BatchNorm3d": lambda nn: nn.BatchNorm3d(9),
    "SyncBatchNorm": lambda nn: nn.SyncBatchNorm(9),
    "InstanceNorm2d": lambda nn: nn.InstanceNorm2d(9, affine=True, track_running_stats=True),
    "LayerNorm": lambda nn: nn.LayerNorm((8, 8)),
    "GroupNorm": lambda nn: nn.GroupNorm(3, 9),
    "RMSNorm": lambda nn: nn.RMSNorm(9),
    "PReLU": lambda nn: nn.PReLU(5),
    "Embedding": lambda nn: nn.Embedding(11, 5, padding_idx=-1),
    "EmbeddingBag": lambda nn: nn.EmbeddingBag(11, 5, padding_idx=2),
    "RNN": lambda nn: nn.RNN(3, 5, 2, bidirectional=True),
    "LSTM": lambda nn: nn.LSTM(3, 5, 2, proj_size=2),
    "GRU": lambda nn: nn.GRU(3, 5),
    "RNNCell": lambda nn: nn.RNNCell(3, 5),
    "LSTMCell": lambda nn: nn.LSTMCell(3, 5),
    "GRUCell": lambda nn: nn.GRUCell(3, 5),
    "MultiheadAttention": lambda nn: nn.MultiheadAttention(8, 2),
    "MultiheadAttention, kdim": lambda nn: nn.MultiheadAttention(8, 2, kdim=5, vdim=3, add_bias_kv=True),
    "TransformerEncoder": lambda nn: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3),
    "TransformerDecoderLayer": lambda nn: nn.TransformerDecoderLayer(8, 2, 16),
    "Transformer": lambda nn: nn.Transformer(8, 2, 2, 2, 16),
    "AdaptiveLogSoftmaxWithLoss": lambda nn: nn.AdaptiveLogSoftmaxWithLoss(8, 40, [10, 20]),
    "weight_norm": lambda nn: nn.utils.parametrizations.weight_norm(nn.Linear(13, 7)),
    "weight_norm, the old one": lambda nn: nn.utils.weight_norm(nn.Linear(13, 7)),
    "orthogonal": lambda nn: nn.utils.parametrizations.orthogonal(nn.Linear(8, 8)),
    "orthogonal, householder": lambda nn: nn.utils.parametrizations.orthogonal(
        nn.Linear(8, 5), orthogonal_map="householder"
    ),
    "spectral_norm": lambda nn: nn.utils.parametrizations.spectral_norm(nn.Linear(13, 7)),
    "spectral_norm, the old one": lambda nn: nn.utils.spectral_norm(nn.Linear(13, 7)),
    "float16": lambda nn: nn.Linear(13, 7, dtype=torch.float16),
    "bfloat16": lambda nn: nn.Conv2d(3, 5, 3, dtype=torch.bfloat16),
    "float64": lambda nn: nn.Linear(13, 7, dtype=torch.float64),
    "complex64": lambda nn: nn.Linear(13, 7, dtype=torch.complex64),
    "half()": lambda nn: nn.Embedding(13, 7, padding_idx=0).half(),
    "to(bfloat16)": lambda nn: nn.LSTM(3, 5).to(torch.bfloat16),
    "on the CPU": lambda nn: nn.TransformerEncoderLayer(8, 2, 16, device="cpu"),
}

INIT = {
    "uniform_": ((7, 11), {"a": -0.1, "b": 0.3}),
    "normal_": ((7, 11), {"mean": 0.1, "std": 0.3}),
    "trunc_normal_": ((7, 11), {"std": 0.5, "a": -0.4, "b": 1.0}),
    "constant_": ((7, 11), {"val": 0.3}),
    "ones_": ((7,), {}),
    "zeros_": ((7, 1, 3), {}),
    "eye_": ((7, 11), {}),
    "dirac_": ((6, 4, 3, 3), {"groups": 2}),
    "xavier_uniform_": ((7, 11, 3), {"gain": 2.0}),
    "xavier_normal_": ((7, 11), {}),
    "kaiming_uniform_": ((7, 11), {"a": 0.1, "mode": "fan_out"}),
    "kaiming_normal_": ((7, 11), {"nonlinearity": "relu"}),
}
FULL = {  # torch has no QR of 16 bits
    "orthogonal_": ((7, 11), {"gain": 1.5}),
    "sparse_": ((40, 11), {"sparsity": 0.3, "std": 0.5}),
}
CALLS = [
    *((name, dtype) for name in INIT for dtype in ("float32", "float16", "bfloat16")),
    *((name, "float32") for name in FULL),
]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_keeps_its_law(layer):
    recorded.assert_same_law(lambda: LAYERS[layer](torch.nn))


@pytest.mark.parametrize(("function", "dtype"), CALLS)
def test_a_function_keeps_its_law(function, dtype):
    shape, arguments = (INIT | FULL)[function]

    def build():
        module = torch.nn.Module()
        module.w = torch.nn.Parameter(torch.empty(shape, dtype=getattr(torch, dtype)))
        getattr(torch.nn.init, function)(module.w, **arguments)
        return module

    plan = recorded.assert_same_law(build, times=30 if function == "sparse_" else 6)
    assert "replayed" not in plan.row("w").scheme.describe()


def test_every_function_of_torch_is_tried():
    """Those that end with an underscore; `uniform` and the like are deprecated names of the same."""
    theirs = {name for name in vars(torch.nn.init) if name.endswith("_") and not name.startswith("_")}
    assert theirs == INIT.keys() | FULL.keys()


def test_every_layer_of_torch_with_a_reset_is_tried():
    """But for lazy and quantization-aware ones, and what is only built on."""
    nn = torch.nn
    tried = set()
    for make in LAYERS.values():
        tried |= {kind for module in make(nn).modules() for kind in type(module).__mro__}
    kinds = [kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, nn.Module)]
    resets = {
        kind
        for kind in kinds
        if hasattr(kind, "reset_parameters") and not issubclass(kind, nn.modules.lazy.LazyModuleMixin)
    }
    by_kind = {nn.InstanceNorm1d: nn.InstanceNorm2d, nn.InstanceNorm3d: nn.InstanceNorm2d}
    assert {kind for kind in resets if by_kind.get(kind, kind) not in tried} == {nn.CrossMapLRN2d} & resets
