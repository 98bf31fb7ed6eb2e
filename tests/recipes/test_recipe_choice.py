"""The recipe for a model: by name, by file, or the one that suits, built for what the model's parameters tell."""

from __future__ import annotations

import math

import pytest

from fanin import recipes, schemes
from fanin.models import Parameter, Parameters, parameters
from fanin.models.vision import resnet_shapes
from fanin.recipes import RECIPES, Recipe, Rule, resolve

NOTHING = Parameters(())


def resnet18(features=512):
    model = {name: shape for name, shape in resnet_shapes().items() if "conv3" not in name and "bn3" not in name}
    return parameters(model | {"fc.weight": (10, features), "fc.bias": (10,)})


@pytest.mark.parametrize("model", ["gpt2", "gpt2-medium", "llama-70b", "resnet50", "vit-b-16", "bert-base", "lstm-lm"])
def test_every_built_in_model_has_a_recipe_that_suits(model):
    model = parameters(model)
    recipe = resolve(None, model)
    assert recipe.name == model.family
    assert len(recipe.match(model, strict=True)) == len(model)


def test_a_recipe_is_returned_as_it_is():
    recipe = Recipe("mine", [Rule("*", schemes.zeros())])
    assert resolve(recipe, parameters("gpt2")) is recipe


def test_a_file_is_loaded(tmp_path):
    (tmp_path / "mine.toml").write_text(recipes.bert().to_toml())
    for path in (tmp_path / "mine.toml", str(tmp_path / "mine.toml")):
        assert resolve(path, NOTHING) == recipes.bert()
    with pytest.raises(FileNotFoundError):
        resolve(tmp_path / "other.toml", NOTHING)


@pytest.mark.parametrize(("model", "layers"), [("gpt2", 12), ("gpt2-large", 36), ("gpt2-xl", 48)])
@pytest.mark.parametrize("prefix", ["", "transformer.", "module.transformer."])
def test_gpt2_scales_its_residual_projections_by_its_own_depth(model, layers, prefix):
    model = parameters({prefix + p.name: p.shape for p in parameters(model)})
    matched = resolve("gpt2", model).match(model, strict=True)
    assert matched[f"{prefix}h.1.mlp.c_proj.weight"].scheme.expected_std((1, 1)) == 0.02 / math.sqrt(2 * layers)


@pytest.mark.parametrize("names", [["h.1.ln_1.weight"], ["h.0.ln_1.weight", "h.2.ln_1.weight"]])
def test_a_part_of_a_model_does_not_tell_its_depth(names):
    model = parameters(dict.fromkeys(names, (3,)))
    with pytest.raises(ValueError, match=r"layers h\.0, h\.1, … .* must be all there .* recipes\.gpt2\(layers=…\)"):
        resolve("gpt2", model)


def test_resnet_is_built_for_the_kind_of_its_blocks_and_the_width_of_its_head():
    assert resolve(None, parameters("resnet50")) == recipes.resnet(50)
    assert resolve("resnet", resnet18()) == recipes.resnet(18)
    assert resolve("resnet", resnet18(64)) == recipes.resnet(18, features=64)
    prefixed = parameters({f"module.{p.name}": p.shape for p in resnet18(64)})
    assert resolve("resnet", prefixed) == recipes.resnet(18, features=64)
    assert resolve("resnet", resnet18()).match(resnet18(), strict=True)["layer1.0.bn2.weight"].scheme == schemes.zeros()


def test_lstm_lm_is_for_four_gates():
    model = parameters("lstm-lm")
    assert resolve(None, model) == recipes.lstm_lm()
    gated = parameters({"encoder.weight": (9, 4), "rnn.weight_ih_l0": (12, 4), "rnn.weight_hh_l0": (12, 4)})
    with pytest.raises(ValueError, match=r"four gates, .* got \(12, 4\) for 'rnn\.weight_hh_l0'"):
        resolve("lstm-lm", gated)


def test_torch_default_is_built_for_the_model():
    model = parameters({"fc.weight": (8, 3), "fc.bias": (8,)})
    assert resolve("torch-default", model) == recipes.torch_default(model)


@pytest.mark.parametrize(
    ("stacks", "layers"),
    [
        ({"encoder.layers": 2, "decoder.layers": 3}, (2, 3)),
        ({"model.encoder.layers": 2}, (2, 0)),
        ({"decoder.layers": 3}, (0, 3)),
        ({"layers": 4}, (0, 4)),
    ],
)
def test_deepnorm_counts_the_layers_of_each_stack(stacks, layers):
    names = [f"{stack}.{number}.fc1.weight" for stack, count in stacks.items() for number in range(count)]
    model = parameters(dict.fromkeys(names, (4, 4)))
    assert resolve("deepnorm", model) == recipes.deepnorm(*layers)


def test_mup_needs_a_base_model():
    call = r"recipes\.mup\(recipes\.gpt2\(48\), models\.gpt2\(layers=48, width=256\)\)"
    with pytest.raises(ValueError, match=f"must be built for a base model, .* {call}"):
        resolve("mup", parameters("gpt2-xl"))


@pytest.mark.parametrize("recipe", sorted(set(RECIPES) - {"mup", "torch-default"}))
def test_a_recipe_that_does_not_suit_matches_no_parameter(recipe):
    model = Parameters((Parameter("theta", (3, 4)),))
    with pytest.raises(ValueError, match=f"no rule of recipe '{recipe}' matches the parameter 'theta'"):
        resolve(recipe, model).match(model)


@pytest.mark.parametrize(
    ("recipe", "error", "message"),
    [
        ("gpt5", ValueError, r"recipe must be one of torch-default, gpt2, .* the path of a \.toml file, got 'gpt5'"),
        ("", ValueError, "recipe must be one of"),
        ("recipe.json", ValueError, "recipe must be one of"),
        (None, ValueError, "recipe must be given, as the model does not tell which suits: one of torch-default"),
        (3, TypeError, "recipe must be a Recipe, a name, a path or None, got 3"),
    ],
)
def test_what_is_no_recipe(recipe, error, message):
    with pytest.raises(error, match=message):
        resolve(recipe, NOTHING)
