"""The rule that makes the config of any model small, by the names of its fields alone."""

from __future__ import annotations

import pytest
from shrinking import ALL, DIVISORS, Steps, every_step, shrink, smallest


def test_one_layer_of_each_kind_is_kept():
    kinds = ["linear", "linear", "linear", "full"] * 8
    small = shrink({"num_hidden_layers": 32, "layer_types": kinds, "no_rope_layers": [1, 1, 1, 0] * 8})
    assert small == {"num_hidden_layers": 2, "layer_types": ["linear", "full"], "no_rope_layers": [1, 0]}
    moe = ["dense"] + ["sparse"] * 31
    small = shrink({"num_hidden_layers": 32, "layer_types": kinds, "mlp_layer_types": moe})
    assert list(zip(small["layer_types"], small["mlp_layer_types"], strict=True)) == [
        ("linear", "dense"),
        ("linear", "sparse"),
        ("full", "sparse"),
    ]
    assert small["num_hidden_layers"] == 3


def test_a_table_of_layers_follows_them():
    small = shrink({"num_hidden_layers": 30, "per_layer_config": {"05": {"head_dim": 512}, "11": {"head_dim": 512}}})
    assert small == {"num_hidden_layers": 2, "per_layer_config": {"1": {"head_dim": 64}}}


def test_layers_of_a_kind_may_have_different_numbers():
    values = {"num_hidden_layers": 8, "kinds": ["dense"] * 4 + ["sparse"] * 4, "experts": [0, 0, 0, 0, 1, 2, 3, 4]}
    values["per_layer_config"] = {str(layer): {"rank": layer} for layer in (2, 3, 4, 5, 6, 7)}
    small = shrink(values)
    assert small["kinds"] == ["dense", "dense", "sparse"]
    assert small["per_layer_config"] == {"1": {"rank": 2}, "2": {"rank": 4}}


def test_a_cycle_of_kinds_is_gone_through_once():
    values = {"num_hidden_layers": 26, "block_types": ["recurrent", "recurrent", "attention"]}
    assert shrink(values) == values | {"num_hidden_layers": 3}


def test_layers_that_are_all_different_are_the_first_two():
    assert shrink({"n_layer": 24, "windows": list(range(24))}) == {"n_layer": 2, "windows": [0, 1]}


def test_numbers_of_layers_point_into_what_is_kept():
    values = {"depth": 32, "fullatt_block_indexes": [7, 15, 23, 31], "out_features": ["stage16", "stage32"]}
    assert shrink(values) == {"depth": 2, "fullatt_block_indexes": [1], "out_features": ["stage1", "stage2"]}
    assert shrink({"num_hidden_layers": 12, "out_indices": [3, 6, 9, 12]}) == {
        "num_hidden_layers": 4,
        "out_indices": [1, 2, 3, 4],
    }


def test_periods_of_layers_are_two():
    values = {"attn_layer_period": 8, "attn_layer_offset": 4, "first_k_dense_replace": 3, "num_hidden_layers": 32}
    small = {"attn_layer_period": 2, "attn_layer_offset": 1, "first_k_dense_replace": 1, "num_hidden_layers": 2}
    assert shrink(values) == small


def test_stages_stay_with_a_block_each():
    values = {"depths": [2, 2, 18, 2], "hidden_sizes": [64, 128, 320, 512], "image_size": 224, "patch_size": 4}
    assert shrink(values) == {**values, "depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 40, 64]}


def test_widths_stay_products_of_heads():
    values = {"hidden_size": 4096, "num_attention_heads": 32, "head_dim": 128, "intermediate_size": 11008}
    small = shrink(values)
    assert small == {"hidden_size": 512, "num_attention_heads": 32, "head_dim": 16, "intermediate_size": 1376}
    assert shrink({"head_dim": 128, "mrope_section": [16, 24, 24]}) == {"head_dim": 16, "mrope_section": [4, 2, 2]}
    assert shrink({"hidden_size": 4097, "num_channels": 3, "kernel_size": 16, "window_size": 8}, Steps(8)) == {
        **{"hidden_size": 4097, "num_channels": 3, "kernel_size": 16, "window_size": 8}
    }


def test_experts_tokens_positions_and_images():
    values = {"n_routed_experts": 256, "num_experts_per_tok": 8, "n_group": 8, "index_topk": 2048}
    assert shrink(values) == {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 2, "index_topk": 2048}
    values = {"vocab_size": 32000, "pad_token_id": 31999, "eos_token_id": [2, 31998], "bos_token_id": None}
    assert shrink(values) == {"vocab_size": 128, "pad_token_id": 127, "eos_token_id": [2, 126], "bos_token_id": None}
    assert shrink({"max_position_embeddings": 4096, "n_positions": 64}) == {
        "max_position_embeddings": 128,
        "n_positions": 64,
    }
    assert shrink({"image_size": 384, "patch_size": 16}) == {"image_size": 64, "patch_size": 16}


def test_configs_within_a_config_are_shrunk_by_themselves():
    values = {"text_config": {"num_hidden_layers": 32, "hidden_size": 64}, "vision_config": {"depth": 24}, "flag": True}
    assert shrink(values) == {
        "text_config": {"num_hidden_layers": 2, "hidden_size": 8},
        "vision_config": {"depth": 2},
        "flag": True,
    }


@pytest.mark.parametrize("step", ALL)
def test_a_step_that_is_left_out_changes_nothing_else(step):
    changed = {
        "layers": {"num_hidden_layers": 32},
        "experts": {"num_experts": 64},
        "vocabulary": {"vocab_size": 32000, "pad_token_id": 3200},
        "positions": {"max_position_embeddings": 4096},
        "images": {"image_size": 224, "patch_size": 8},
    }
    values = {key: value for each in changed.values() for key, value in each.items()} | {"hidden_size": 64}
    small = shrink(values, Steps(4, (step,)))
    assert small["hidden_size"] == 16
    assert {key for key, value in values.items() if small[key] == value} - {"patch_size"} == (
        set(changed[step]) - {"patch_size"}
    )


def test_steps_are_left_out_until_a_model_is_built():
    def build(values):
        if values["num_hidden_layers"] != 3 or values["hidden_size"] % 32:
            raise ValueError(values)
        return values

    steps, built = smallest({"num_hidden_layers": 3, "hidden_size": 96, "vocab_size": 1000}, build)
    assert str(steps) == "widths / 1, layers kept"
    assert built == {"num_hidden_layers": 3, "hidden_size": 96, "vocab_size": 128}
    with pytest.raises(ValueError, match="'num_hidden_layers': 4"):
        smallest({"num_hidden_layers": 4, "hidden_size": 16}, build)


def test_in_the_end_nothing_is_shrunk():
    values = {"num_hidden_layers": 32, "hidden_size": 64, "vocab_size": 1000, "num_experts": 8, "n_positions": 999}
    *some, last = every_step()
    assert shrink(values, last) == values
    assert len({*some, last}) == (1 + 5 + 10) * len(DIVISORS) + 1
