"""The GPT-2 that Hugging Face's transformers builds, and the one that `fanin init gpt2` writes."""

from __future__ import annotations

import math

import pytest
from lazily import Peer

import fanin
from fanin import models, recipes

torch = Peer("torch")
transformers = Peer("transformers")

pytestmark = pytest.mark.peer


def test_names_and_shapes_are_theirs():
    with torch.device("meta"):
        model = transformers.GPT2Model(transformers.GPT2Config())
    theirs = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert {parameter.name: parameter.shape for parameter in models.gpt2()} == theirs


def test_the_rules_are_those_of_transformers():
    """Means and standard deviations of what transformers draws, within six standard errors (p < 2e-9 each)."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(n_layer=3, n_embd=192, n_head=4, vocab_size=2000, n_positions=256)
    recipe = recipes.gpt2(layers=3)
    for name, tensor in transformers.GPT2Model(config).state_dict().items():
        scheme = recipe.rule(name).scheme
        mean, std = scheme.expected_mean(tensor.shape), scheme.expected_std(tensor.shape)
        error = std / math.sqrt(tensor.numel())
        values = tensor.double()
        assert abs(values.mean().item() - mean) <= 6 * error, name
        assert abs(values.std(correction=0).item() - std) <= 6 * error, name


def test_file_loads_as_a_pretrained_model(tmp_path):
    config = transformers.GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=1000, n_positions=96)
    config.save_pretrained(tmp_path)
    plan = fanin.plan(models.gpt2(layers=2, width=64, vocabulary=1000, positions=96), "gpt2", seed=0)
    plan.save(tmp_path)
    model, report = transformers.GPT2LMHeadModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    weights = model.state_dict()
    for name, values in plan.fill().items():
        torch.testing.assert_close(weights[f"transformer.{name}"], torch.from_numpy(values), rtol=0, atol=0)
    assert model.lm_head.weight is model.transformer.wte.weight
