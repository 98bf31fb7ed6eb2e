"""A config.json, planned without transformers, beside the model that transformers constructs from it.

Names, their order, shapes and ties are compared exactly, and so are constants and rows of zeros; the rest by mean and
std of what was drawn.
"""

from __future__ import annotations

import json
import math

import pytest
from lazily import Peer

import fanin
from fanin import schemes
from fanin.models import parameters
from fanin.models.architectures import TYPES

torch, transformers = Peer("torch"), Peer("transformers")
pytestmark = pytest.mark.peer

ERRORS = 6  # standard errors that mean and std may be apart: p < 2e-9 each, for a normal

LLAMA = {
    **{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"num_key_value_heads": 2, "vocab_size": 200},
}
GEMMA = LLAMA | {"head_dim": 24}
BERT = {
    **{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 200},
    **{"max_position_embeddings": 60, "type_vocab_size": 3},
}
GPT2 = {
    **{"n_embd": 64, "n_layer": 3, "n_head": 4, "vocab_size": 200, "n_positions": 60},
    **{"bos_token_id": 0, "eos_token_id": 0},
}
VIT = {
    **{"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"image_size": 32, "patch_size": 8},
}
UNTIED, TIED = {"tie_word_embeddings": False}, {"tie_word_embeddings": True}

# architecture, values, and what they differ in
CASES = [
    *((architecture, GPT2, {}) for architecture in ("GPT2Model", "GPT2LMHeadModel")),
    ("GPT2LMHeadModel", GPT2, {"n_inner": 100, "pad_token_id": 3, **UNTIED}),
    ("GPT2LMHeadModel", GPT2, {"add_cross_attention": True, "n_layer": 1}),
    *((f"{name}Model", LLAMA, {"pad_token_id": 5}) for name in ("Llama", "Mistral", "Qwen2", "Qwen3")),
    *((f"{name}ForCausalLM", LLAMA, {}) for name in ("Llama", "Mistral", "Qwen2", "Qwen3")),
    *((f"{name}ForCausalLM", LLAMA, {"pad_token_id": -1, **TIED}) for name in ("Llama", "Mistral", "Qwen2", "Qwen3")),
    ("LlamaForCausalLM", LLAMA, {"attention_bias": True, "mlp_bias": True, "head_dim": 24}),
    ("Qwen3ForCausalLM", LLAMA, {"attention_bias": True, "head_dim": 8}),
    *((f"{name}Model", GEMMA, {}) for name in ("Gemma", "Gemma2", "Gemma3Text")),
    *((f"{name}ForCausalLM", GEMMA, {"pad_token_id": 7}) for name in ("Gemma", "Gemma2", "Gemma3")),
    *((f"{name}ForCausalLM", GEMMA, {"pad_token_id": None, **UNTIED}) for name in ("Gemma", "Gemma2", "Gemma3")),
    ("Gemma2ForCausalLM", GEMMA, {"attention_bias": True}),
    *((f"Bert{head}", BERT, {}) for head in ("Model", "ForMaskedLM", "ForPreTraining")),
    ("BertModel", BERT, {"pad_token_id": None}),
    ("BertForMaskedLM", BERT, {"pad_token_id": 9}),
    ("BertForPreTraining", BERT, {"pad_token_id": 9, **UNTIED}),
    ("RobertaModel", BERT, {}),
    ("RobertaForMaskedLM", BERT, {"pad_token_id": 9}),
    ("RobertaForMaskedLM", BERT, {"pad_token_id": None, **UNTIED}),
    ("ViTModel", VIT, {}),
    ("ViTModel", VIT, {"pooler_output_size": 20, "qkv_bias": False, "num_channels": 1}),
    ("ViTForImageClassification", VIT, {"id2label": {str(label): f"class {label}" for label in range(30)}}),
    ("ViTForImageClassification", VIT, {"num_labels": 0, "image_size": [32, 48], "patch_size": [16, 8]}),
    ("ViTForMaskedImageModeling", VIT, {"encoder_stride": 8}),
]


def constructed(architecture: str, values: dict):
    """The model that transformers constructs, on the CPU, with weights as it starts them."""
    build = getattr(transformers, architecture)
    torch.manual_seed(0)
    return build(build.config_class(**values))


def planned(architecture: str, model, values: dict, tmp_path, monkeypatch) -> fanin.Plan:
    """The plan of its config.json, without transformers."""
    stated = {"model_type": model.config.model_type, "architectures": [architecture], **values}
    (tmp_path / "config.json").write_text(json.dumps(stated))
    monkeypatch.setattr("fanin.planning.installed", lambda: False)
    monkeypatch.setattr("fanin.models.config.build", None)
    return fanin.plan(tmp_path / "config.json", None, seed=0, strict=True)


def assert_one_law(plan: fanin.Plan, model) -> None:
    state = model.state_dict()
    owners: dict[int, str] = {}
    ties = {name: owners.setdefault(tensor.data_ptr(), name) for name, tensor in state.items()}
    assert [row.name for row in plan.rows] == list(dict.fromkeys(ties.values()))
    assert plan.ties == {name: owner for name, owner in ties.items() if name != owner}
    for row in plan.rows:
        theirs, ours = state[row.name].double().numpy(), plan[row.name].astype(float)
        assert theirs.shape == ours.shape == row.shape, row.name
        if isinstance(row.scheme, schemes.Constant):
            assert (theirs == ours).all(), row.name
            continue
        assert ((theirs == 0) == (ours == 0)).all(), row.name  # rows of zeros; nothing else is zero, up to 2^-24
        std = row.scheme.expected_std(row.shape)
        error = ERRORS * std / math.sqrt(theirs.size)
        for drawn in (theirs, ours):
            assert abs(drawn.mean()) <= error, row.name
            assert abs(drawn.std() - std) <= error / math.sqrt(2), row.name


@pytest.mark.parametrize(
    ("architecture", "values", "changed"), CASES, ids=[f"{case[0]}-{list(case[2])}" for case in CASES]
)
@pytest.mark.parametrize("std", [None, 0.006, 0.1])
def test_a_plan_is_what_transformers_constructs(architecture, values, changed, std, tmp_path, monkeypatch):
    values = values | changed | ({} if std is None else {"initializer_range": std})
    model = constructed(architecture, values)
    plan = planned(architecture, model, values, tmp_path, monkeypatch)
    assert_one_law(plan, model)
    assert any(row.scheme.expected_std(row.shape) == pytest.approx(std or 0.02, rel=0.1) for row in plan.rows)


def test_a_normal_that_is_cut_at_two_where_that_is_near(tmp_path, monkeypatch):
    """Positions and class token of ViT are cut at ±2, whatever the std."""
    values = VIT | {"initializer_range": 0.9}
    model = constructed("ViTModel", values)
    plan = planned("ViTModel", model, values, tmp_path, monkeypatch)
    assert_one_law(plan, model)
    assert 1.5 < abs(plan["embeddings.position_embeddings"]).max() <= 2


@pytest.mark.parametrize("model_type", TYPES)
def test_defaults_are_theirs(model_type, tmp_path):
    """The whole model of a config.json that says nothing but its type, on the meta device."""
    config = transformers.AutoConfig.for_model(model_type)
    with torch.device("meta"):
        model = transformers.AutoModel.from_config(config)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    ours = parameters(tmp_path / "config.json")
    assert {p.name: p.shape for p in ours} == {name: tuple(p.shape) for name, p in model.state_dict().items()}
    told = dict(ours.arguments)
    assert told["std"] == config.initializer_range
    if "padding" in told:
        assert told["padding"] == config.pad_token_id
    heads = TYPES[model_type].builders
    assert all(getattr(transformers, name).config_class is type(config) for name in heads if name is not None)


@pytest.mark.parametrize("architecture", ["BertForSequenceClassification", "LlamaForTokenClassification"])
def test_a_head_that_only_transformers_builds_starts_by_the_same_config(architecture, tmp_path):
    values = (BERT if architecture.startswith("Bert") else LLAMA) | {"initializer_range": 0.1, "pad_token_id": 3}
    model = constructed(architecture, values)
    stated = {"model_type": model.config.model_type, "architectures": [architecture], **values}
    (tmp_path / "config.json").write_text(json.dumps(stated))
    assert_one_law(fanin.plan(tmp_path / "config.json", None, seed=0), model)


@pytest.mark.parametrize("architecture", ["ViTForImageClassification", "Gemma2ForCausalLM", "RobertaForMaskedLM"])
def test_what_is_saved_by_these_names_is_what_from_pretrained_loads(architecture, tmp_path, monkeypatch):
    values = {"ViT": VIT, "Gem": GEMMA, "Rob": BERT}[architecture[:3]] | {"initializer_range": 0.1}
    model = constructed(architecture, values)
    plan = planned(architecture, model, values, tmp_path, monkeypatch)
    plan.save(tmp_path / "model.safetensors")
    loaded = type(model).from_pretrained(tmp_path)
    for name, tensor in loaded.state_dict().items():
        assert (tensor.numpy() == plan[plan.ties.get(name, name)]).all(), name


def test_fields_that_transformers_knows_by_two_names(tmp_path, monkeypatch):
    values = {"hidden_size": 32, "num_hidden_layers": 1, "max_position_embeddings": 20, "vocab_size": 100, "n_head": 2}
    model = constructed("GPT2Model", values)
    assert_one_law(planned("GPT2Model", model, values, tmp_path, monkeypatch), model)


def test_labels_are_counted_as_they_count_them(tmp_path, monkeypatch):
    values = VIT | {"id2label": {"0": "a", "1": "b", "2": "c"}, "num_labels": 5}
    model = constructed("ViTForImageClassification", values)
    assert_one_law(planned("ViTForImageClassification", model, values, tmp_path, monkeypatch), model)
