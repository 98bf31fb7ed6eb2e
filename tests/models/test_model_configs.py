"""Names and shapes in config.json and TOML; a hostile one is one clear ValueError."""

from __future__ import annotations

import json
import sys

import pytest

from fanin.models import Parameters, parameters


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
def test_a_config_tells_the_family_and_no_dtype(model_type, family, config):
    model = parameters(config(model_type=model_type, dtype="bfloat16"))
    assert model.family == family
    assert {parameter.dtype for parameter in model} == {None}


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
        ({"model_type": 3}, "model_type must be a string, as 'llama', got 3"),
        ({"model_type": "gpt2", "architectures": "GPT2Model"}, "architectures must be a list of strings"),
        ({"model_type": "gpt2", "architectures": [3]}, r"architectures must be a list of strings, got \[3\]"),
        ({"model_type": "bert", "position_embedding_type": []}, "where transformers is not installed"),
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
        ({"model_type": "t5"}, "model_type must be gpt2, .* where transformers is not installed, got 't5', None"),
        ({"model_type": "gpt2", "add_cross_attention": True}, "where transformers is not installed"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]}, "'GPT2ForSequenceClassification'"),
    ],
)
def test_a_hostile_config_is_one_error_that_names_it(values, message, config):
    path = config(**values)
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert str(caught.value).startswith(f"{path}: ")


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
