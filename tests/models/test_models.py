"""Names and shapes of built-in models, and of mappings of shapes and arrays."""

from __future__ import annotations

import re

import ml_dtypes
import numpy as np
import pytest

from fanin import recipes
from fanin.models import MODELS, Parameter, Parameters, parameters

PUBLISHED = {
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "llama-7b": 6_738_415_616,
    "llama-13b": 13_015_864_320,
    "llama-30b": 32_528_943_616,
    "llama-65b": 65_285_660_672,
    "llama-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "resnet50": 25_557_032,
    "vit-b-16": 86_567_656,
    "bert-base": 109_482_240,
    "lstm-lm": 19_780_400,  # "about 20 M": 2·10000·650 + 10000 + 2·(8·650² + 8·650)
}


def shapes(model: Parameters) -> dict[str, tuple[int, ...]]:
    return {parameter.name: tuple(parameter.shape) for parameter in model}


# Built-in models


@pytest.mark.parametrize("name", MODELS)
def test_counts_are_the_published_ones(name):
    model = parameters(name)
    assert model.size == PUBLISHED[name]
    assert len(shapes(model)) == len(model)
    assert model.parameters == MODELS[name]()
    assert {parameter.dtype for parameter in model} == {None}
    assert model.family in recipes.RECIPES


@pytest.mark.parametrize(
    ("model", "name", "shape"),
    [
        ("gpt2-xl", "h.47.mlp.c_fc.weight", (1600, 6400)),
        ("llama-70b", "model.layers.79.self_attn.k_proj.weight", (1024, 8192)),
        ("llama-3-8b", "lm_head.weight", (128256, 4096)),
        ("resnet50", "layer2.0.conv2.weight", (128, 128, 3, 3)),
        ("resnet50", "layer2.0.downsample.0.weight", (512, 256, 1, 1)),
        ("vit-b-16", "vit.layers.11.attention.q_proj.weight", (768, 768)),
        ("bert-base", "encoder.layer.0.intermediate.dense.weight", (3072, 768)),
        ("lstm-lm", "rnn.weight_ih_l1", (2600, 650)),
    ],
)
def test_names_are_those_of_checkpoints(model, name, shape):
    assert shapes(parameters(model))[name] == shape


@pytest.mark.parametrize("source", ["gpt5", "model.bin", "", "folder/"])
def test_sources_of_no_kind(source):
    with pytest.raises(ValueError, match=r"source must be one of gpt2, .*\.toml file, got"):
        parameters(source)


@pytest.mark.parametrize("source", [None, 3, [("w", (2,))], b"gpt2", {"w"}])
def test_sources_of_no_type(source):
    with pytest.raises(TypeError, match="source must be a name, a path, a mapping or several Parameter, got"):
        parameters(source)


class BytesPath:
    def __fspath__(self):
        return b"model.toml"


def test_a_path_of_bytes_is_none():
    with pytest.raises(TypeError, match="source must be a path as a string, got b'model"):
        parameters(BytesPath())


def test_parameters_are_taken_as_they_are():
    model = parameters("gpt2")
    assert parameters(model) is model
    assert parameters(list(model)).parameters == model.parameters
    assert parameters(p for p in model if "ln" in p.name).size == 25 * 2 * 768
    assert len(parameters([])) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Parameter("w", (2,)), Parameter("w", (2,))], "every parameter must have its own name, got 'w' twice"),
        ([Parameter("w", (2,), ("v",)), Parameter("v", (2,))], "every parameter must have its own name, got 'v' twice"),
        ([Parameter("w", (2, -1))], "'w': shape must have at axis 1 an integer in .*, got -1"),
        ([Parameter("\ud800", (2,))], "name must be a string without lone surrogates"),
        ([Parameter(3, (2,))], "name must be a string without lone surrogates, got 3"),
    ],
)
def test_parameters_that_no_model_has(given, message):
    with pytest.raises(ValueError, match=message):
        parameters(given)


@pytest.mark.parametrize("suffix", ["safetensors", "index.json", "json", "toml"])
def test_a_file_that_is_not_there(suffix, tmp_path):
    with pytest.raises(FileNotFoundError):
        parameters(tmp_path / f"model.{suffix}")


# Mappings


def test_a_mapping_of_shapes_is_a_model():
    model = parameters({"fc.weight": (10, 4), "fc.bias": [10], "scale": (), "bn.running_mean": (4,)})
    assert shapes(model) == {"fc.weight": (10, 4), "fc.bias": (10,), "scale": ()}
    assert model.skipped == (("bn.running_mean", "running statistic"),)
    assert model.ties == {}


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (np.float16, "float16"),
        (np.float32, "float32"),
        (np.float64, "float64"),
        (">f4", "float32"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (ml_dtypes.float8_e4m3fn, "float8_e4m3fn"),
    ],
)
def test_floating_point_arrays_are_parameters_of_their_dtype(dtype, name):
    model = parameters({"w": np.zeros((2, 3), dtype), "v": (2, 3)})
    assert model.parameters == (Parameter("w", (2, 3), dtype=name), Parameter("v", (2, 3)))
    assert model.skipped == ()


def test_what_is_tied_has_the_dtype_of_what_is_kept():
    w = np.zeros((2, 3), np.float16)
    assert parameters({"a": w, "b": w}).parameters == (Parameter("a", (2, 3), ("b",), "float16"),)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, np.bool_, np.complex64, object])
def test_other_arrays_are_skipped_and_listed(dtype):
    model = parameters({"w": np.zeros((2, 3), dtype), "v": np.zeros(2)})
    assert shapes(model) == {"v": (2,)}
    assert model.skipped == (("w", f"dtype {np.dtype(dtype).name} is not floating-point"),)


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("bn1.running_mean", (64,), "running statistic"),
        ("bn1.running_var", (64,), "running statistic"),
        ("bn1.num_batches_tracked", (), "counter"),
        ("embeddings.position_ids", (1, 512), "table of indices"),
        ("layers.0.self_attn.rotary_emb.inv_freq", (64,), "table of rotary frequencies"),
        ("h.0.attn.masked_bias", (), "constant of a mask"),
        ("h.0.attn.bias", (1, 1, 8, 8), "causal mask"),
    ],
)
def test_buffers_are_skipped_and_listed(name, shape, reason):
    assert parameters({name: np.zeros(shape, np.float32)}).skipped == ((name, reason),)
    assert parameters({name: shape}).skipped == ((name, reason),)


def test_a_bias_is_no_mask():
    assert len(parameters({"h.0.attn.bias": (24,)})) == 1


def test_arrays_of_one_memory_are_one_parameter():
    w, v = np.zeros((4, 6), np.float32), np.zeros((4, 6), np.float32)
    model = parameters({"embed": w, "other": v, "head": w[:], "again": w})
    assert [(p.name, p.aliases) for p in model] == [("embed", ("head", "again")), ("other", ())]
    assert model.ties == {"head": "embed", "again": "embed"}
    assert model.size == 48


def test_parts_of_one_memory_are_parameters_of_their_own():
    flat = np.zeros(24, np.float32)
    matrix = np.zeros((4, 6), np.float32)
    parts = {"a": flat[:12], "b": flat[12:], "even": matrix[:, ::2], "odd": matrix[:, 1::2], "none": flat[:0]}
    assert list(shapes(parameters(parts))) == list(parts)
    backwards = {"a": flat[11::-1], "b": flat[:11:-1]}
    assert list(shapes(parameters(backwards))) == list(backwards)


@pytest.mark.parametrize(
    "view",
    [
        lambda w: w.T,
        lambda w: w[::-1],
        lambda w: w[1:],
        lambda w: w.reshape(2, 18),
        lambda w: w[:, 2],
        lambda w: w[2:3, 2:3],
        lambda w: w.view(np.float16),
    ],
)
def test_other_views_of_one_memory_are_refused(view):
    w = np.zeros((6, 6), np.float32)
    expected = re.escape(
        "'b' must have all of the memory of 'a', in the same order, or none, got some: their shapes are"
    )
    with pytest.raises(ValueError, match=expected):
        parameters({"a": w, "b": view(w)})
    with pytest.raises(ValueError, match="'b' must have all of the memory of 'a'"):
        parameters({"a": view(w), "b": w})


def test_strides_of_a_single_row_do_not_matter():
    w = np.zeros((4, 6), np.float32)
    assert parameters({"a": w[:1], "b": w.reshape(-1)[:6][None]}).ties == {"b": "a"}
    assert parameters({"a": w[:1], "b": np.lib.stride_tricks.as_strided(w, (1, 6), (0, 4))}).ties == {"b": "a"}


def test_arrays_that_pass_by_do_not_tie(tmp_path):
    """An .npz file makes each array when it is asked for: the next may lie where the last one lay."""
    np.savez(tmp_path / "model.npz", **{f"w{i}": np.zeros(1000) for i in range(20)})
    with np.load(tmp_path / "model.npz") as file:
        assert parameters(file).ties == {}


@pytest.mark.parametrize(
    ("shape", "allowed"),
    [
        ((-1,), "must have at axis 0 an integer in"),
        ((2.0,), "must have at axis 0 an integer in"),
        ((True,), "must have at axis 0 an integer in"),
        (("2",), "must have at axis 0 an integer in"),
        ((2**63,), "must have at axis 0 an integer in"),
        ((2**32, 2**31), "fewer than 2\\^63 elements"),
        ((0, 2**62, 2**62), "fewer than 2\\^63 elements"),
        ((1,) * 65, "at most 64"),
        (3, "a sequence"),
        ("23", "a sequence"),
        (None, "a sequence"),
        ({}, "a sequence"),
    ],
)
def test_shapes_that_no_parameter_has(shape, allowed):
    with pytest.raises(ValueError, match=rf"^'w' must be a shape or an array: it .*{allowed}.*, got "):
        parameters({"w": shape})


@pytest.mark.parametrize("name", [3, None, ("a",), "\ud800"])
def test_names_that_no_parameter_has(name):
    with pytest.raises(ValueError, match="name must be a string without lone surrogates, got"):
        parameters({name: (2,)})
