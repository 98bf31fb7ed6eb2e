"""Models of transformers, planned, built, loaded and saved as their own code says, beside those that they draw.

Twenty-two types are tried here; every type that transformers has is tried with `-m exhaustive`.
"""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest
from lazily import Peer

import fanin
from fanin.cli import main

torch, transformers = Peer("torch"), Peer("transformers")
recorded, tiny, hub = Peer("recorded"), Peer("tiny_models"), Peer("fanin.models.hub")
pytestmark = pytest.mark.peer

CLASSES = [
    *("GPT2LMHeadModel", "LlamaForCausalLM", "Gemma2ForCausalLM", "Qwen3MoeForCausalLM", "GptOssForCausalLM"),
    *("DeepseekV3ForCausalLM", "BertForMaskedLM", "RobertaForMaskedLM", "T5ForConditionalGeneration"),
    *("BloomForCausalLM", "GPTNeoXForCausalLM", "MambaForCausalLM", "Mamba2ForCausalLM", "JambaForCausalLM"),
    *("RwkvForCausalLM", "ViTForImageClassification", "BeitForImageClassification", "SwinForImageClassification"),
    *("ConvNextForImageClassification", "CLIPModel", "WhisperForConditionalGeneration", "Wav2Vec2ForCTC"),
]


@pytest.fixture(autouse=True)
def quiet():
    """transformers logs what it misses; the tests look at it themselves."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    yield
    transformers.logging.set_verbosity(before)


def config_of(name, **values):
    return getattr(transformers, name).config_class(**{**tiny.TINY[name], "architectures": [name], **values})


def write(path, name, **values):
    """Write the config.json of a tiny model."""
    model_type = getattr(transformers, name).config_class.model_type
    said = {"model_type": model_type, "architectures": [name], **tiny.TINY[name], **values}
    path.write_text(json.dumps(said))
    return path


def test_every_tiny_model_is_tried():
    assert sorted(CLASSES) == sorted(tiny.TINY)


@pytest.mark.parametrize("name", CLASSES)
def test_a_model_follows_the_law_of_its_own_code(name, tmp_path):
    config = config_of(name)
    plan = recorded.assert_same_law(lambda: getattr(transformers, name)(config), times=4)
    model = fanin.transformers.from_config(config, seed=0).eval()
    assert fanin.torch.verify(model, fanin.plan(config, seed=0))
    assert [(row.name, row.scheme) for row in fanin.plan(write(tmp_path / "config.json", name), seed=0).rows] == [
        (row.name, row.scheme) for row in plan.rows
    ]
    theirs = dict(getattr(transformers, name)(config).named_buffers())
    ours = dict(model.named_buffers())
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    with torch.no_grad():
        output = model(**tiny.inputs(model))
    values = [each for each in output.values() if isinstance(each, torch.Tensor) and each.is_floating_point()]
    assert values
    assert all(each.isfinite().all() for each in values)


@pytest.mark.parametrize("name", ["GPT2LMHeadModel", "BertForMaskedLM", "Mamba2ForCausalLM", "CLIPModel"])
def test_what_is_built_is_left_alone_by_a_later_initialization(name):
    model = fanin.transformers.from_config(config_of(name), seed=3)
    before = {key: tensor.clone() for key, tensor in recorded.state(model).items()}
    assert all(tensor._is_hf_initialized for tensor in model.parameters())
    model.init_weights()
    model.initialize_weights()
    after = recorded.state(model)
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_dtype_and_device_and_ties():
    config = config_of("GPT2LMHeadModel", dtype="bfloat16")
    model = fanin.transformers.from_config(config, seed=0)
    assert model.dtype == torch.bfloat16
    assert model.lm_head.weight is model.transformer.wte.weight
    assert {row.dtype for row in fanin.plan(config, seed=0).rows} == {"bfloat16"}
    assert fanin.transformers.from_config(config, seed=0, dtype="float16").dtype == torch.float16
    mixed = fanin.transformers.from_config(config, seed=0, dtype={"*.ln_*": "float32", "*": "bfloat16"})
    assert (mixed.transformer.ln_f.weight.dtype, mixed.lm_head.weight.dtype) == (torch.float32, torch.bfloat16)
    assert config.dtype in (torch.bfloat16, "bfloat16")  # the config is left as it was


def test_which_class_is_built(tmp_path):
    config = write(tmp_path / "config.json", "BertForMaskedLM")
    assert "cls.predictions.bias" in fanin.plan(tmp_path, seed=0)
    for architecture in ("AutoModelForSequenceClassification", transformers.BertForSequenceClassification):
        assert "classifier.weight" in fanin.transformers.plan(config, seed=0, architecture=architecture)
    base = config_of("BertForMaskedLM", architectures=None)
    assert "pooler.dense.weight" in fanin.plan(base, seed=0)
    with pytest.raises(ValueError, match=r"cannot build .*'BertForNothing': it has no such model"):
        fanin.transformers.plan(config, seed=0, architecture="BertForNothing")
    with pytest.raises(ValueError, match=r"'GPT2Model': the architecture is of another model_type"):
        fanin.transformers.plan(config, seed=0, architecture="GPT2Model")
    with pytest.raises(TypeError, match="architecture must be a class or its name, got 3"):
        fanin.transformers.plan(config, seed=0, architecture=3)
    with pytest.raises(ValueError, match="config must be the path of a config"):
        fanin.transformers.plan({"model_type": "bert"}, seed=0)


def test_a_class_of_ones_own_is_built():
    class OwnConfig(transformers.PreTrainedConfig):
        model_type = "fanin-own"

    class OwnModel(transformers.PreTrainedModel):
        config_class = OwnConfig

        def __init__(self, config):
            super().__init__(config)
            self.head = torch.nn.Linear(4, 3)
            self.post_init()

        def _init_weights(self, module):
            if isinstance(module, torch.nn.Linear):
                torch.nn.init.constant_(module.weight, 0.5)

    assert fanin.transformers.plan(OwnConfig(), seed=0, architecture=OwnModel)["head.weight"][0, 0] == 0.5


@pytest.mark.parametrize(
    "name", ["LlamaForCausalLM", "BertForMaskedLM", "GPT2LMHeadModel", "ViTForImageClassification"]
)
def test_the_same_values_are_planned_without_transformers(name, tmp_path, monkeypatch):
    config = write(tmp_path / "config.json", name, initializer_range=0.01, dtype="bfloat16")
    ours = fanin.plan(config, seed=5)
    assert ours.recipe.name == "as-written"
    monkeypatch.setitem(sys.modules, "transformers", None)
    theirs = fanin.plan(config, seed=5)
    assert theirs.recipe.name != "as-written"
    assert list(ours) == list(theirs)
    assert ours.ties == theirs.ties
    for key in ours:
        assert ours[key].tobytes() == theirs[key].tobytes(), key


def test_a_named_recipe_still_counts(tmp_path):
    config = write(tmp_path / "config.json", "LlamaForCausalLM")
    assert fanin.plan(config, "llama", seed=0).recipe.name == "llama"
    assert fanin.plan(config_of("LlamaForCausalLM"), "llama", seed=0).recipe.name == "llama"
    model = fanin.transformers.from_config(config, "llama", seed=0)
    assert torch.equal(model.lm_head.weight, torch.from_numpy(fanin.plan(config, "llama", seed=0)["lm_head.weight"]))


# Saved directories


@pytest.mark.parametrize("name", CLASSES)
def test_a_saved_directory_is_loaded_with_the_same_bits(name, tmp_path):
    plan = fanin.plan(config_of(name), seed=1)
    plan.save(f"{tmp_path}/saved/")
    kind = getattr(transformers, name)
    loaded, report = kind.from_pretrained(tmp_path / "saved", output_loading_info=True)
    assert report["missing_keys"] <= {key for key, _ in loaded.named_buffers()}  # which transformers computes anew
    assert not report["unexpected_keys"]
    assert fanin.torch.verify(loaded, plan)
    built = recorded.state(fanin.transformers.from_config(config_of(name), seed=1))
    assert all(torch.equal(tensor, built[key]) for key, tensor in recorded.state(loaded).items())


def test_the_config_that_is_saved(tmp_path):
    config = write(tmp_path / "config.json", "GPT2LMHeadModel", dtype="float32", quantization_config={"bits": 4})
    plan = fanin.plan(config, seed=0, dtype="bfloat16")
    plan.save(f"{tmp_path}/saved/")
    said = json.loads((tmp_path / "saved/config.json").read_text())
    assert (said["dtype"], said["n_embd"], "quantization_config" in said) == ("bfloat16", 32, False)
    assert transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "saved").dtype == torch.bfloat16
    assert fanin.Plan.from_dict(json.loads(json.dumps(plan.to_dict()))).config == plan.config
    # One that is there is replaced by force alone, unless it says the same.
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(FileExistsError, match="says something else"):
        plan.save(other)
    assert os.listdir(other) == ["config.json"]
    plan.save(other, force=True)
    assert json.loads((other / "config.json").read_text()) == said
    plan.save(other, force=True)
    fanin.plan(other, seed=0).save(tmp_path / "file.safetensors")
    assert sorted(os.listdir(tmp_path)) == ["config.json", "file.safetensors", "other", "saved"]


def test_the_commands_plan_and_verify_as_the_code_says(tmp_path, capsys, monkeypatch):
    config = str(write(tmp_path / "config.json", "T5ForConditionalGeneration", dtype="float16"))
    weights = f"{tmp_path}/weights/"
    assert main(["plan", config]) == 0
    assert "recipe as-written" in capsys.readouterr().out
    assert main(["init", config, "-o", weights, "--seed", "3"]) == 0
    assert main(["verify", weights]) == 0
    assert main(["verify", f"{weights}model.safetensors", config]) == 0
    assert main(["verify", weights, "--seed", "4", "--json", "-"]) == 1
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert main(["verify", weights]) != 0
    assert "is as its model's own code says; give its config.json" in capsys.readouterr().err


# What a checkpoint lacks


@pytest.fixture
def backbone(tmp_path):
    fanin.plan(config_of("BertForMaskedLM"), seed=1).save(f"{tmp_path}/backbone/")
    return tmp_path / "backbone"


def load(backbone, **options):
    kind = transformers.BertForSequenceClassification
    return kind.from_pretrained(backbone, num_labels=5, **options)


def test_two_loads_draw_the_same_head_and_leave_what_is_loaded(backbone):
    with fanin.transformers.missing(seed=7) as drawn:
        first = load(backbone)
    torch.rand(3)
    with fanin.transformers.missing(seed=7):
        second = load(backbone)
    assert set(drawn[0]) == {
        *("classifier.weight", "classifier.bias", "bert.pooler.dense.weight", "bert.pooler.dense.bias")
    }
    ours, again = recorded.state(first), recorded.state(second)
    assert all(torch.equal(ours[key], again[key]) for key in ours)
    saved = fanin.plan(config_of("BertForMaskedLM"), seed=1)
    shared = [key for key in ours if key in saved and key not in drawn[0]]
    assert len(shared) > 20
    assert all(torch.equal(ours[key], torch.from_numpy(saved[key])) for key in shared)
    built = fanin.transformers.from_config(first.config, seed=7, architecture=type(first))
    assert torch.equal(built.classifier.weight, first.classifier.weight)
    assert not torch.equal(load(backbone).classifier.weight, load(backbone).classifier.weight)  # outside, it is torch's


def test_the_dtype_of_what_is_loaded_and_a_recipe(backbone):
    with fanin.transformers.missing("bert", seed=7) as drawn:
        model = load(backbone, dtype=torch.bfloat16)
    assert drawn[0].recipe.name == "bert"
    assert drawn[0].row("classifier.weight").dtype == "bfloat16"
    same = fanin.transformers.plan(model.config, "bert", seed=7, architecture=type(model), dtype="bfloat16")
    name = "classifier.weight"
    assert (model.get_parameter(name).detach().float().numpy() == same[name].astype("float32")).all()


def test_parameters_of_another_shape_are_drawn_too(backbone):
    with fanin.transformers.missing(seed=7) as drawn:
        model = load(backbone, max_position_embeddings=40, ignore_mismatched_sizes=True)
    name = "bert.embeddings.position_embeddings.weight"
    assert torch.equal(model.get_parameter(name), torch.from_numpy(drawn[0][name]))
    assert drawn[0][name].shape == (40, 32)


def test_nothing_is_drawn_where_nothing_is_missing(backbone):
    with fanin.transformers.missing(seed=7) as drawn:
        transformers.BertForMaskedLM.from_pretrained(backbone)
    assert drawn == []


def test_another_thread_is_not_disturbed(backbone):
    inside, plans = [], []
    with fanin.transformers.missing(seed=7) as drawn:
        worker = threading.Thread(target=lambda: inside.append(load(backbone)))
        worker.start()
        worker.join()
        plans += drawn
    assert plans == []
    assert inside[0].classifier.weight.isfinite().all()


# What is refused


def refused(path, message, **values):
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=message) as caught:
        fanin.plan(path, seed=0)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_network_and_code_that_comes_with_a_model(tmp_path):
    path = tmp_path / "config.json"
    refused(path, "code that comes with a model is not run", model_type="own", auto_map={"AutoModel": "own.Model"})
    refused(path, "cannot build model_type 'own'", model_type="own")
    refused(
        path,
        "nothing is fetched or looked up elsewhere",
        **{"model_type": "dpt", "backbone": "facebook/dinov2-base", "use_timm_backbone": False, "is_hybrid": False},
    )
    values = tiny.TINY["GPT2LMHeadModel"] | {"auto_map": {"AutoModel": "own.Model"}}
    path.write_text(json.dumps({"model_type": "gpt2", **values}))
    assert "wte.weight" in fanin.plan(path, seed=0)  # transformers' own class, whatever the file says


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "t5", "num_layers": 10**9}, "num_layers must be at most 1000"),
        ({"model_type": "t5", "id2label": dict.fromkeys(range(200_000))}, "id2label must be at most 100000"),
        ({"model_type": "t5", "num_layers": 4, "d_model": "wide"}, "cannot build model_type 't5'"),
        ({"model_type": ["t5"]}, "model_type must be a string"),
        ({"model_type": "t5", "architectures": ["os.system"]}, "'os.system': it has no such model"),
    ],
)
def test_hostile_values_in_a_config(values, message, tmp_path):
    refused(tmp_path / "config.json", message, **values)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("FOREIGN_PARAMETERS", 10, "it has more than 10 parameters"),
        ("FOREIGN_SECONDS", -1, "it takes more than -1 seconds to build"),
    ],
)
def test_limits_while_a_model_is_built(limit, value, message, tmp_path, monkeypatch):
    monkeypatch.setattr(f"fanin.files.limits.{limit}", value)
    with pytest.raises(ValueError, match=message):
        fanin.plan(write(tmp_path / "config.json", "GPT2LMHeadModel"), seed=0)


def test_a_limit_on_memory_while_a_model_is_built(monkeypatch):
    class OwnConfig(transformers.PreTrainedConfig):
        model_type = "fanin-large"

    class OwnModel(transformers.PreTrainedModel):
        config_class = OwnConfig

        def __init__(self, config):
            super().__init__(config)
            self.register_buffer("table", torch.zeros(2000, device="cpu"))
            self.post_init()

    assert fanin.transformers.plan(OwnConfig(), seed=0, architecture=OwnModel).size == 0
    monkeypatch.setattr("fanin.files.limits.FOREIGN_BYTES", 1000)
    with pytest.raises(ValueError, match="it takes more than 1000 bytes to build"):
        fanin.transformers.plan(OwnConfig(), seed=0, architecture=OwnModel)
