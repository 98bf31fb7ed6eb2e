"""Names, shapes and how weights start in config.json, and TOML; a hostile one is one clear ValueError."""

from __future__ import annotations

import json
import math
import sys

import pytest

import fanin
from fanin import recipes, schemes
from fanin.models import Parameters, parameters
from fanin.models.architectures import TYPES


def shapes(model: Parameters) -> dict[str, tuple[int, ...]]:
    return {parameter.name: tuple(parameter.shape) for parameter in model}


# config.json, without transformers


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)

    def write(**values: object):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values))
        return path

    return write


@pytest.mark.parametrize(
    ("model", "values"),
    [
        ("gpt2-medium", {"model_type": "gpt2", "n_layer": 24, "n_embd": 1024}),
        ("llama-7b", {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}),
        ("bert-base", {"model_type": "bert", "architectures": ["BertModel"]}),
        (
            "llama-3-8b",
            {
                **{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_key_value_heads": 8},
                **{"intermediate_size": 14336, "vocab_size": 128256},
            },
        ),
        (
            "vit-b-16",
            {
                "model_type": "vit",
                "architectures": ["ViTForImageClassification"],
                "id2label": dict.fromkeys(range(1000)),
            },
        ),
    ],
)
def test_configs_of_built_in_models(model, values, config):
    assert parameters(config(**values)).parameters == parameters(model).parameters


@pytest.mark.parametrize(
    ("model_type", "family"),
    [("gpt2", "gpt2"), ("llama", "llama"), ("mistral", "llama"), ("qwen2", "llama"), ("bert", "bert")],
)
def test_a_config_tells_the_family_and_the_dtype(model_type, family, config):
    model = parameters(config(model_type=model_type, dtype="bfloat16"))
    assert model.family == family
    assert {parameter.dtype for parameter in model} == {"bfloat16"}
    assert {parameter.dtype for parameter in parameters(config(model_type=model_type))} == {None}
    assert {parameter.dtype for parameter in parameters(config(model_type=model_type, torch_dtype="float16"))} == {
        "float16"
    }


def test_tied_and_untied_output_projections(config):
    values = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    tied, untied = parameters(config(**values)), parameters(config(**values, tie_word_embeddings=False))
    assert tied.ties == {"lm_head.weight": "transformer.wte.weight"}
    assert untied.ties == {}
    assert untied.size - tied.size == 50257 * 768
    values = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "tie_word_embeddings": True}
    assert parameters(config(**values)).ties == {"lm_head.weight": "model.embed_tokens.weight"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "model_type must be a string, as 'llama', got None"),
        ({"model_type": "gpt2", "dtype": 3}, "dtype must be a string, as 'bfloat16', got 3"),
        ({"model_type": 3}, "model_type must be a string, as 'llama', got 3"),
        ({"model_type": "gpt2", "architectures": "GPT2Model"}, "architectures must be a list of strings"),
        ({"model_type": "gpt2", "architectures": [3]}, r"architectures must be a list of strings, got \[3\]"),
        ({"model_type": "bert", "position_embedding_type": []}, r"position_embedding_type must be left .* got \[\]"),
        ({"model_type": "gpt2", "n_layer": 10**9}, r"n_layer must be an integer in \[0, 10000\], got 1000000000"),
        ({"model_type": "gpt2", "n_embd": -1}, r"n_embd must be an integer in \[1, 2147483647\], got -1"),
        ({"model_type": "gpt2", "n_embd": 2**31}, "n_embd must be an integer in"),
        ({"model_type": "gpt2", "n_embd": 768.0}, "n_embd must be an integer in .*, got 768.0"),
        ({"model_type": "gpt2", "n_embd": None}, "n_embd must be an integer in .*, got None"),
        ({"model_type": "gpt2", "n_embd": True}, "n_embd must be an integer in .*, got True"),
        ({"model_type": "gpt2", "n_inner": "x"}, "n_inner must be an integer in .*, got 'x'"),
        ({"model_type": "llama", "attention_bias": 1}, "attention_bias must be true or false, got 1"),
        ({"model_type": "llama", "num_attention_heads": 0}, "num_attention_heads must be an integer in"),
        ({"model_type": "llama", "num_attention_heads": 3}, "hidden_size must be a multiple of .*, 3, got 4096"),
        (
            {"model_type": "llama", "num_attention_heads": 2**31 - 1, "head_dim": 2**31 - 1, "hidden_size": 2**30},
            "tensor 'layers.0.self_attn.q_proj.weight': shape must",
        ),
        (
            {"model_type": "t5"},
            "model_type must be one of gpt2, .*, vit, in .* where transformers is not installed, got 't5', None",
        ),
        ({"model_type": "bert", "add_cross_attention": True}, "add_cross_attention must be left out of a config"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]}, "'GPT2ForSequenceClassification'"),
    ],
)
def test_a_hostile_config_is_one_error_that_names_it(values, message, config):
    path = config(**values)
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("model_type", TYPES)
def test_an_initializer_range_must_be_a_positive_number(model_type, config):
    for value in (0, 0.0, -0.02, math.inf, math.nan, None, True, "0.02", [0.02], 1e4, 10**400):
        path = config(model_type=model_type, initializer_range=value)
        with pytest.raises(ValueError, match=r"initializer_range must be a positive number up to 1000\.0, got"):
            parameters(path)


@pytest.mark.parametrize("model_type", [name for name in TYPES if name not in ("gpt2", "vit")])
def test_a_pad_token_must_be_in_the_vocabulary(model_type, config):
    for value in (20, -21, 10**400, 1.0, True, "0", [0]):
        path = config(model_type=model_type, vocab_size=20, pad_token_id=value)
        with pytest.raises(ValueError, match=r"pad_token_id must be an integer in \[-20, 19\], got"):
            parameters(path)


@pytest.mark.parametrize(
    ("model_type", "field", "value"),
    [
        ("llama", "initializer_factor", 0.5),
        ("llama", "embed_init_std", 0.1),
        ("llama", "num_experts", 8),
        ("llama", "per_layer_config", {"0": {"intermediate_size": 8}}),
        ("llama", "use_qk_norm", True),
        ("llama", "quantization_config", {"quant_method": "gptq"}),
        ("llama", "layer_norm_init", "ones"),
        ("mistral", "attention_bias", True),
        ("qwen2", "mlp_bias", True),
        ("gemma", "q_lora_rank", 8),
        ("bert", "embedding_size", 128),
        ("bert", "tie_encoder_decoder", True),
        ("bert", "pruned_heads", {"0": [1]}),
        ("roberta", "position_embedding_type", "relative_key"),
        ("vit", "layer_scale_init_value", 1e-5),
        ("gpt2", "lm_head_bias", True),
    ],
)
def test_a_field_that_may_change_the_weights_is_refused_by_its_name(model_type, field, value, config):
    path = config(model_type=model_type, **{field: value})
    message = f"{field} must be left out of a config of type '{model_type}' where transformers is not installed"
    with pytest.raises(ValueError, match=message):
        parameters(path)


@pytest.mark.parametrize("model_type", TYPES)
def test_fields_that_do_not_change_the_weights_are_read_over(model_type, config):
    fields = {
        **{"_name_or_path": "a/b", "bos_token_id": 1, "use_cache": True, "hidden_act": "x"},
        **{"rope_theta": 5e5, "rope_scaling": {"factor": 8.0}, "rms_norm_eps": 1e-5, "layer_norm_epsilon": 1e-5},
        **{"attention_dropout": 0.1, "sliding_window": 4096, "layer_types": ["full_attention"], "is_decoder": True},
        **{"num_experts": 0, "quantization_config": None, "task_specific_params": {"init": 1}, "pretraining_tp": 1},
    }
    assert parameters(config(model_type=model_type, **fields)) == parameters(config(model_type=model_type))


def test_a_field_under_two_names_has_one_value(config):
    assert shapes(parameters(config(model_type="gpt2", hidden_size=32)))["h.0.ln_1.weight"] == (32,)
    assert parameters(config(model_type="gpt2", hidden_size=32, n_embd=32)).size > 0
    with pytest.raises(ValueError, match="hidden_size must be left out, or equal to n_embd, which is 64, got 32"):
        parameters(config(model_type="gpt2", hidden_size=32, n_embd=64))


# How weights start: recipes by the values of config.json


SMALL = {
    **{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12, "vocab_size": 20},
    **{"image_size": 8, "patch_size": 4, "max_position_embeddings": 10},
}


def planned(path, name):
    return fanin.plan(path, None, seed=0, strict=True).row(name).scheme


@pytest.mark.parametrize(
    ("model_type", "std", "name"),
    [
        ("llama", 0.006, "layers.1.mlp.up_proj.weight"),
        ("mistral", 0.05, "layers.0.self_attn.k_proj.weight"),
        ("qwen2", 0.1, "embed_tokens.weight"),
        ("gemma2", 0.1, "layers.0.self_attn.o_proj.weight"),
        ("gpt2", 0.01, "h.1.attn.c_attn.weight"),
        ("bert", 0.01, "encoder.layer.0.output.dense.weight"),
        ("vit", 0.01, "layers.0.attention.q_proj.weight"),
    ],
)
def test_the_initializer_range_is_the_std(model_type, std, name, config):
    assert planned(config(model_type=model_type, initializer_range=std, **SMALL), name) == schemes.normal(std=std)


def test_the_std_of_gpt2_is_divided_by_its_depth(config):
    path = config(model_type="gpt2", initializer_range=0.01, **SMALL)
    assert planned(path, "h.1.mlp.c_proj.weight").expected_std((1, 1)) == 0.01 / math.sqrt(4)


@pytest.mark.parametrize(
    ("model_type", "values", "row"),
    [
        *(("llama", values, row) for values, row in (({}, None), ({"pad_token_id": 3}, 3), ({"pad_token_id": -1}, 19))),
        *(("gemma", values, row) for values, row in (({}, 0), ({"pad_token_id": None}, None))),
    ],
)
def test_the_row_of_the_padding_token_is_zeros(model_type, values, row, config):
    tokens = fanin.plan(config(model_type=model_type, **SMALL, **values), None, seed=0)["embed_tokens.weight"]
    assert [number for number in range(20) if not tokens[number].any()] == ([] if row is None else [row])


def test_bert_has_the_padding_row_of_its_config_and_roberta_two(config):
    for model_type, values, rows in (
        ("bert", {}, [[0], []]),
        ("bert", {"pad_token_id": 4}, [[4], []]),
        ("bert", {"pad_token_id": None}, [[], []]),
        ("roberta", {}, [[1], [1]]),
    ):
        plan = fanin.plan(config(model_type=model_type, **SMALL, **values), None, seed=0)
        tables = [plan[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position")]
        assert [[number for number, row in enumerate(table) if not row.any()] for table in tables] == rows


@pytest.mark.parametrize("model_type", ["gemma", "gemma2", "gemma3_text"])
def test_norms_that_scale_by_one_more_start_at_zero(model_type, config):
    path = config(model_type=model_type, **SMALL)
    for recipe in (None, "llama"):
        plan = fanin.plan(path, recipe, seed=0, strict=True)
        norms = [row for row in plan.rows if "norm" in row.name]
        assert len(norms) >= 5
        assert {row.scheme for row in norms} == {schemes.zeros()}


def test_the_names_of_gemma_2_are_not_taken_for_llamas(config):
    """By its state_dict, which does not say that its norms are zero-centred, it is no Llama."""
    names = {parameter.name: parameter.shape for parameter in parameters(config(model_type="gemma2", **SMALL))}
    with pytest.raises(ValueError, match=r"no rule .* matches 2 parameters: 'layers\.0\.pre_feedforward_layernorm"):
        fanin.plan(names, "llama", seed=0)
    plan = fanin.plan(names, recipes.llama(zero_centered=True), seed=0)
    assert plan.row("norm.weight").scheme == schemes.zeros()


def test_a_vision_transformer_has_the_names_of_transformers_5(config):
    values = SMALL | {"architectures": ["ViTForImageClassification"], "num_labels": 3}
    names = set(shapes(parameters(config(model_type="vit", **values))))
    assert {"vit.layers.1.attention.q_proj.weight", "vit.layers.0.mlp.fc2.bias", "classifier.weight"} <= names
    assert not any("encoder" in name for name in names)


# TOML


def test_toml_has_names_shapes_and_what_is_skipped(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text('scalar = []\n"a.weight" = [2, 3]\n[block.0]\nfc.weight = [4, 2]\nbn.running_mean = [4]\n')
    model = parameters(path)
    assert shapes(model) == {"scalar": (), "a.weight": (2, 3), "block.0.fc.weight": (4, 2)}
    assert model.skipped == (("block.0.bn.running_mean", "running statistic"),)
    assert (model.family, {parameter.dtype for parameter in model}) == ("", {None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w = ", "the file must be valid TOML"),
        ("w = 3", "'w' must be a sequence of at most 64 integers, got 3"),
        ("w = [2.0]", "'w' must have at axis 0 an integer in .*, got 2.0"),
        ("w = [[2]]", r"'w' must have at axis 0 an integer in .*, got \[2\]"),
        ("w = [9223372036854775807, 2]", "'w' must have fewer than 2\\^63 elements"),
        ("w = [1]\nw = [2]", "the file must be valid TOML"),
        ('a.b = [1]\n"a.b" = [2]', "the file must give each name once, got 'a.b' again"),
        (f"'{'a' * 10_001}' = [1]", "the file must have names of at most 10000 characters, got 'aaa"),
        ("\ud800", "the file must be UTF-8, got"),
    ],
)
def test_hostile_toml_is_one_error_that_names_it(text, message, tmp_path):
    path = tmp_path / "model.toml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert type(caught.value) is ValueError
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "most"),
    [("model.toml", 4_000_000), ("config.json", 10_000_000), ("model.safetensors.index.json", 25_000_000)],
)
def test_a_text_beyond_its_limit_is_refused(name, most, tmp_path):
    (tmp_path / name).write_bytes(b" " * (most + 1))
    with pytest.raises(ValueError, match=f"the file must have at most {most} bytes, got more"):
        parameters(tmp_path / name)
