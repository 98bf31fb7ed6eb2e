"""Names, shapes and ties beside transformers' own models, and files that the safetensors library writes from torch."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest
from lazily import Peer

from fanin.models import Parameter, parameters

torch = Peer("torch")
safetensors_torch = Peer("safetensors.torch")
transformers = Peer("transformers")
jax = Peer("jax")

pytestmark = pytest.mark.peer

LLAMA = {
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 99,
}
BERT = {**LLAMA, "max_position_embeddings": 40, "type_vocab_size": 3}
GPT2 = {"n_layer": 2, "n_embd": 48, "n_head": 4, "vocab_size": 77, "n_positions": 30}
LLAMA_70B = {
    **{"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64},
    "num_key_value_heads": 8,
}
LLAMA_3_8B = {"intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 128256}


def model_of(architecture: str, values: dict):
    """transformers' model on the meta device, where weights take no memory."""
    build = getattr(transformers, architecture)
    with torch.device("meta"):
        return build(build.config_class(**values))


def described(state: dict) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def every_name(model) -> dict[str, tuple[int, ...]]:
    return {name: tuple(p.shape) for p in model for name in (p.name, *p.aliases)}


CASES = [
    *(("GPT2LMHeadModel", values) for values in ({}, GPT2, GPT2 | {"n_inner": 100, "tie_word_embeddings": False})),
    ("GPT2Model", {"n_layer": 48, "n_embd": 1600, "n_head": 25}),
    *(("LlamaForCausalLM", values) for values in ({}, LLAMA, LLAMA_70B, LLAMA_3_8B)),
    ("LlamaForCausalLM", LLAMA | {"num_key_value_heads": 2, "head_dim": 24, "tie_word_embeddings": True}),
    ("LlamaForCausalLM", LLAMA | {"num_key_value_heads": 2, "attention_bias": True, "mlp_bias": True}),
    ("LlamaModel", LLAMA),
    *(("MistralForCausalLM", values) for values in ({}, LLAMA | {"num_key_value_heads": 2}, LLAMA | {"head_dim": 8})),
    ("MistralModel", LLAMA | {"num_key_value_heads": 1}),
    *(("Qwen2ForCausalLM", LLAMA | {"num_key_value_heads": 2, "tie_word_embeddings": tied}) for tied in (False, True)),
    ("Qwen2ForCausalLM", {}),
    ("Qwen2Model", LLAMA | {"num_key_value_heads": 4}),
    *(("BertModel", values) for values in ({}, BERT)),
    *(("BertForMaskedLM", values) for values in ({}, BERT, BERT | {"tie_word_embeddings": False})),
    *(("BertForPreTraining", values) for values in ({}, BERT)),
]


@pytest.mark.parametrize(("architecture", "values"), CASES)
@pytest.mark.parametrize("whole", [True, False], ids=["config", "defaults left out"])
def test_configs_are_read_as_transformers_reads_them(architecture, values, whole, tmp_path, monkeypatch):
    """Their state_dict's names and shapes, whether config.json states every value or only those given."""
    theirs = model_of(architecture, values)
    stated = theirs.config.to_dict() if whole else {"model_type": theirs.config.model_type, **values}
    (tmp_path / "config.json").write_text(json.dumps({**stated, "architectures": [architecture]}))
    monkeypatch.setattr("fanin.models.config.build", None)  # not through transformers
    ours = parameters(tmp_path / "config.json")
    assert every_name(ours) == described(theirs.state_dict())
    untied = {name for name, _ in theirs.named_parameters()}
    assert {p.name for p in ours} == untied
    assert ours.size == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize(
    ("name", "architecture", "values"),
    [
        ("gpt2", "GPT2Model", {}),
        ("gpt2-medium", "GPT2Model", {"n_layer": 24, "n_embd": 1024, "n_head": 16}),
        ("gpt2-large", "GPT2Model", {"n_layer": 36, "n_embd": 1280, "n_head": 20}),
        ("gpt2-xl", "GPT2Model", {"n_layer": 48, "n_embd": 1600, "n_head": 25}),
        ("llama-7b", "LlamaForCausalLM", {}),
        ("llama-70b", "LlamaForCausalLM", LLAMA_70B),
        ("llama-3-8b", "LlamaForCausalLM", LLAMA_3_8B),
        ("bert-base", "BertModel", {}),
    ],
)
def test_built_in_models_are_theirs(name, architecture, values):
    assert every_name(parameters(name)) == described(model_of(architecture, values).state_dict())


def test_the_full_vision_transformer_is_theirs():
    theirs = described(model_of("ViTForImageClassification", {"num_labels": 1000}).state_dict())
    assert every_name(parameters("vit-b-16")) == theirs


def test_resnet50_has_their_shapes():
    """Names are torchvision's, which transformers does not use; kernels of 1, 3 and 7 are equally many in both."""
    model = model_of("ResNetForImageClassification", {"num_labels": 1000})
    theirs = [tuple(p.shape) for p in model.parameters()]
    assert Counter(every_name(parameters("resnet50")).values()) == Counter(theirs)


def test_lstm_lm_is_torchs():
    with torch.device("meta"):
        theirs = torch.nn.ModuleDict(
            {
                "encoder": torch.nn.Embedding(10000, 650),
                "rnn": torch.nn.LSTM(650, 650, 2),
                "decoder": torch.nn.Linear(650, 10000),
            }
        )
    assert every_name(parameters("lstm-lm")) == described(theirs.state_dict())


@pytest.mark.parametrize(
    ("architecture", "values"),
    [
        ("T5ForConditionalGeneration", {"d_model": 32, "d_ff": 64, "num_layers": 2, "num_heads": 2, "d_kv": 16}),
        ("BertLMHeadModel", BERT | {"add_cross_attention": True, "is_decoder": True}),
        ("GPTNeoXForCausalLM", LLAMA),
        ("BertForSequenceClassification", BERT),
    ],
)
def test_other_configs_go_through_transformers(architecture, values, tmp_path):
    theirs = model_of(architecture, values)
    stated = {**theirs.config.to_dict(), "architectures": [architecture]}
    (tmp_path / "config.json").write_text(json.dumps(stated))
    ours = parameters(tmp_path / "config.json")
    assert {p.name for p in ours} == {name for name, _ in theirs.named_parameters()}
    assert {p.dtype for p in ours} == {None}
    assert ours.family == (theirs.config.model_type if theirs.config.model_type in ("gpt2", "bert") else "")
    assert every_name(ours).items() <= described(theirs.state_dict()).items()
    assert ours.size == sum(p.numel() for p in theirs.parameters())


def test_a_config_of_no_architecture_is_the_base_model(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt_neox", **LLAMA}))
    theirs = model_of("GPTNeoXModel", LLAMA)
    assert {p.name for p in parameters(tmp_path / "config.json")} == {name for name, _ in theirs.named_parameters()}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "gpt9"}, "cannot build model_type 'gpt9'"),
        ({"model_type": "t5", "architectures": ["pipeline"]}, "it has no such model"),
        ({"model_type": "t5", "architectures": ["os"]}, "it has no such model"),
        ({"model_type": "t5", "architectures": ["GPT2Model"]}, "the architecture is of another model_type"),
        ({"model_type": "t5", "num_layers": 10**9}, "num_layers must be at most 1000, got 1000000000"),
        ({"model_type": "swin", "depths": [1, 99_999]}, "depths must be at most 1000, got 99999"),
        ({"model_type": "t5", "num_labels": 10**6}, "num_labels must be at most 100000"),
        ({"model_type": "t5", "d_model": "wide"}, "cannot build model_type 't5'"),
        ({"model_type": "t5", "d_model": 2**62, "auto_map": {"AutoModel": "a--b.c"}}, "cannot build model_type 't5'"),
    ],
)
def test_a_hostile_config_is_one_error_that_names_it(values, message, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_config_of_too_many_parameters_is_an_error_before_all_are_built(tmp_path, monkeypatch):
    monkeypatch.setattr("fanin.files.limits.FOREIGN_PARAMETERS", 50)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5", "d_model": 8, "num_layers": 20}))
    with pytest.raises(ValueError, match="cannot build model_type 't5', architecture None: it has more than 50 param"):
        parameters(tmp_path / "config.json")
    torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(99)])  # nothing counts any more


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"model_type": "detr", "use_timm_backbone": False},
            "backbone must be described in backbone_config, got 'x/y'",
        ),
        ({"model_type": "dpt", "is_hybrid": False}, "model_type 'dpt' must be described here, with all that it refers"),
    ],
)
def test_a_config_that_refers_to_a_model_elsewhere_is_an_error_without_network(values, message, tmp_path):
    asked: list[str] = []
    listening = True
    sys.addaudithook(lambda event, _: asked.append(event) if listening and event == "socket.connect" else None)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values | {"backbone": "x/y", "use_pretrained_backbone": True}))
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    listening = False
    assert str(caught.value).startswith(f"{path}: ")
    assert asked == []


def tied_modules():
    module = torch.nn.ModuleDict(
        {
            "embed": torch.nn.Embedding(9, 4),
            "fc": torch.nn.Linear(4, 4),
            "norm": torch.nn.BatchNorm1d(4),
            "head": torch.nn.Linear(4, 9, bias=False),
        }
    )
    module["head"].weight = module["embed"].weight
    module.register_buffer("steps", torch.zeros(3, dtype=torch.int64))
    return module


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_state_dict_has_ties_and_what_is_skipped(device):
    with torch.device(device):
        module = tied_modules()
    model = parameters(module.state_dict())
    assert [p.name for p in model] == ["embed.weight", "fc.weight", "fc.bias", "norm.weight", "norm.bias"]
    assert model.ties == {"head.weight": "embed.weight"}
    assert dict(model.skipped) == {
        "steps": "dtype torch.int64 is not floating-point",
        "norm.running_mean": "running statistic",
        "norm.running_var": "running statistic",
        "norm.num_batches_tracked": "counter",
    }


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_torch_views_of_one_memory(device):
    w = torch.zeros(6, 6, device=device)
    assert parameters({"a": w, "b": w.view(6, 6), "c": w.detach()}).ties == {"b": "a", "c": "a"}
    assert len(parameters({"a": w[:, :3], "b": w[:, 3:], "c": torch.zeros(6, 6, device=device)})) == 3
    for view in (w.T, w[1:], w.view(36), w[0]):
        with pytest.raises(ValueError, match="'b' must have all of the memory of 'a'"):
            parameters({"a": w, "b": view})


def test_torch_and_numpy_share_memory():
    w = torch.zeros(6, 6)
    assert parameters({"a": w, "b": w.numpy()}).ties == {"b": "a"}


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "float8_e4m3fn"])
def test_every_dtype_of_torch_has_its_name_here(dtype):
    for device in ("cpu", "meta"):
        tensor = torch.zeros(3, dtype=getattr(torch, dtype), device=device)
        assert parameters({"w": tensor}).parameters == (Parameter("w", (3,), dtype=dtype),)


def test_sparse_tensors_have_shapes_too():
    assert parameters({"w": torch.zeros(3, 4).to_sparse()}).parameters[0].shape == (3, 4)


def test_files_of_the_library(tmp_path):
    path = tmp_path / "model.safetensors"
    module = tied_modules()
    safetensors_torch.save_model(module, path)
    in_memory, in_file = parameters(module.state_dict()), parameters(path)
    assert every_name(in_file) == every_name(in_memory)
    assert in_file.ties == in_memory.ties
    assert dict(in_file.skipped).keys() == dict(in_memory.skipped).keys()


@pytest.mark.parametrize("architecture", ["GPT2LMHeadModel", "LlamaForCausalLM"])
def test_saved_models_in_parts(architecture, tmp_path):
    """An index of several files, as save_pretrained writes it, and its config.json tell the same."""
    build = getattr(transformers, architecture)
    model = build(build.config_class(**(GPT2 if architecture.startswith("GPT2") else LLAMA)))
    model.save_pretrained(tmp_path, max_shard_size="60KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    in_files, described_there = (
        parameters(tmp_path / "model.safetensors.index.json"),
        parameters(tmp_path / "config.json"),
    )
    assert {p.name: p.shape for p in in_files} == {p.name: p.shape for p in described_there}


def test_jax_arrays_and_descriptions():
    """An array under two names is one parameter; a description of a shape is none in itself."""
    array, description = jax.numpy.zeros((2, 3)), jax.ShapeDtypeStruct((4,), "bfloat16")
    model = parameters(
        {"a": array, "b": array, "c": description, "d": description, "key": jax.random.key_data(jax.random.key(0))}
    )
    assert [p.name for p in model] == ["a", "c", "d"]
    assert [p.dtype for p in model] == ["float32", "bfloat16", "bfloat16"]
    assert model.ties == {"b": "a"}
    assert model.skipped == (("key", "dtype uint32 is not floating-point"),)
