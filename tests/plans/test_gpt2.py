"""GPT-2 from recipe to file: the right tensors, drawn by the right rules, in bounded memory."""

from __future__ import annotations

import json
import math
import os
import sys

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from processes import run

import fanin
from fanin import Plan, models, recipes
from fanin.models import Parameter
from fanin.plans import chunks, rows, tasks
from fanin.plans.chunks import contiguous_chunks
from fanin.plans.moments import Moments
from fanin.recipes import Recipe, Rule
from fanin.schemes import Constant, Normal

pytestmark = pytest.mark.xdist_group("gpt2")  # of which each worker would write 500 MB

SMALL = {"layers": 2, "width": 64, "vocabulary": 1000, "positions": 96}


def small_plan(seed: int = 0, dtype: str = "float32") -> Plan:
    return fanin.plan(models.gpt2(**SMALL), recipes.gpt2(layers=2), seed=seed, dtype=dtype)


def std_of(name: str) -> float:
    if name.endswith(".bias") or ".ln_" in name or name.startswith("ln_f"):
        return 0.0
    return 0.02 / math.sqrt(24) if name.endswith("c_proj.weight") else 0.02


def test_model_is_gpt2_124m():
    shapes = {parameter.name: parameter.shape for parameter in models.gpt2()}
    assert len(shapes) == 148
    assert sum(math.prod(shape) for shape in shapes.values()) == 124_439_808
    assert shapes["wte.weight"] == (50257, 768)
    assert shapes["wpe.weight"] == (1024, 768)
    assert shapes["h.0.attn.c_attn.weight"] == (768, 2304)
    assert shapes["h.11.mlp.c_proj.weight"] == (3072, 768)
    assert shapes["ln_f.bias"] == (768,)


def test_every_parameter_has_its_rule():
    for parameter in models.gpt2():
        scheme = recipes.gpt2().rule(parameter.name).scheme
        assert scheme.expected_std(parameter.shape) == std_of(parameter.name)
        norm_scale = "ln_" in parameter.name and parameter.name.endswith("weight")
        assert scheme.expected_mean(parameter.shape) == (1.0 if norm_scale else 0.0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("gpt2") / "gpt2.safetensors"
    return path, fanin.plan("gpt2", "gpt2", seed=0).save(path)


def test_file_holds_every_parameter_as_drawn_alone(saved):
    path, _ = saved
    tensors = safetensors.numpy.load_file(path)
    assert len(tensors) == 148
    for parameter in models.gpt2():
        mean = 1.0 if "ln_" in parameter.name and parameter.name.endswith("weight") else 0.0
        expected = fanin.normal(parameter.shape, mean, std_of(parameter.name), seed=0, name=parameter.name)
        assert np.array_equal(tensors[parameter.name], expected), parameter.name


def test_metadata_says_where_the_values_come_from(saved):
    with safetensors.safe_open(saved[0], "numpy") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert json.loads(metadata["fanin"]) == {
        "recipe": "gpt2",
        "recipe_digest": recipes.gpt2().digest,
        "seed": 0,
        "stream": "v1",
        "version": fanin.__version__,
    }


def test_observed_moments_agree_with_the_rules(saved):
    """Six standard errors: p < 2e-9 each."""
    groups = {group.role: group for group in saved[1].groups}
    assert sum(group.tensors for group in groups.values()) == 148
    assert sum(group.expected.count for group in groups.values()) == 124_439_808
    for group in groups.values():
        error = group.expected.std / math.sqrt(group.expected.count)
        assert group.observed.count == group.expected.count
        assert abs(group.observed.mean - group.expected.mean) <= 6 * error
        assert abs(group.observed.std - group.expected.std) <= 6 * error / math.sqrt(2)
    assert groups["residual projections"].expected.std == pytest.approx(0.02 / math.sqrt(24), rel=1e-15)
    assert groups["norm scales"].observed.mean == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_file_is_the_reference_librarys(tmp_path, dtype):
    plan = small_plan(7, dtype)
    plan.save(tmp_path / "ours")
    ours = (tmp_path / "ours").read_bytes()
    metadata = json.loads(ours[8 : 8 + int.from_bytes(ours[:8], "little")])["__metadata__"]
    arrays = plan.fill()
    # The reference library writes the two keys of the metadata in either order.
    assert ours in {safetensors.numpy.save(arrays, metadata) for _ in range(64)}


@pytest.mark.parametrize("chunk", [8, 100, 1 << 16])
def test_pieces_of_any_size_make_the_same_file(tmp_path, monkeypatch, chunk):
    model = [Parameter("h.0.mlp.c_fc.weight", (7, 5, 3)), Parameter("wte.weight", ()), Parameter("wpe.weight", (0, 9))]
    recipe = Recipe("normal", [Rule("*", Normal(0.0, 1.0))])
    fanin.plan(model, recipe, seed=1).save(tmp_path / "whole")
    monkeypatch.setattr(chunks, "CHUNK", chunk)
    monkeypatch.setattr(tasks, "CHUNK", chunk)
    fanin.plan(model, recipe, seed=1).save(tmp_path / "pieces")
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()


def test_progress_counts_every_byte(tmp_path):
    seen: list[int] = []
    saved = small_plan().save(tmp_path / "model", progress=seen.append)
    assert sum(seen) == small_plan().nbytes < saved.nbytes == os.path.getsize(tmp_path / "model")


@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
def test_memory_does_not_grow_with_the_model(tmp_path):
    """A tensor of 268 MB is written in less than 16 MB."""
    program = """
        import sys, fanin
        from fanin.recipes import Recipe, Rule
        from processes import peak
        recipe = Recipe("r", [Rule("*", fanin.schemes.normal())])
        def save(rows):
            fanin.plan({"wte.weight": (rows, 1024)}, recipe, seed=0).save(sys.argv[1], force=True, workers=2)
        save(8192)
        before = peak()
        save(65536)
        print(peak() - before)
    """
    assert int(run(program, tmp_path / "model")) < 16e6


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_save_leaves_what_can_be_resumed(tmp_path, error):
    def progress(nbytes: int) -> None:
        raise error

    with pytest.raises(error):
        small_plan().save(tmp_path / "model", progress=progress)
    assert sorted(os.listdir(tmp_path)) == ["model.journal", "model.partial"]


def test_bad_seed_or_dtype_is_refused():
    with pytest.raises(ValueError, match="seed"):
        small_plan(-1)
    with pytest.raises(TypeError, match="int8"):
        small_plan(0, "int8")


def test_first_matching_rule_decides():
    recipe = Recipe("two", (Rule("*.bias", Constant(0.0), "biases"), Rule("*", Normal(0.0, 1.0), "weights")))
    assert recipe.rule("a.bias").role == "biases"
    assert recipe.rule("a.weight").role == "weights"


def test_parameters_without_a_rule_are_named():
    with pytest.raises(ValueError, match="'theta'"):
        fanin.plan([Parameter("theta", (2, 3))], recipes.gpt2(), seed=0)


def test_names_must_be_distinct():
    with pytest.raises(ValueError, match=r"'wte\.weight'"):
        fanin.plan([Parameter("wte.weight", (2, 3)), Parameter("wte.weight", (4,))], recipes.gpt2(), seed=0)


def test_random_streams_must_be_distinct(monkeypatch):
    monkeypatch.setattr(rows._core, "stream_id", lambda name, tag: tag)
    with pytest.raises(ValueError, match="random stream"):
        small_plan()


def test_digest_follows_the_values_a_recipe_draws():
    assert recipes.gpt2().digest == recipes.gpt2(12).digest != recipes.gpt2(24).digest


@given(st.lists(st.integers(0, 6), max_size=4), st.integers(1, 40))
def test_pieces_make_up_the_tensor_in_order(shape, limit):
    full = np.arange(math.prod(shape)).reshape(shape)
    pieces = [(full[index], piece) for index, piece in contiguous_chunks(shape, limit)]
    assert all(values.shape == piece and values.size <= limit for values, piece in pieces)
    assert [element for values, _ in pieces for element in values.ravel()] == list(range(full.size))


def test_moments_of_pieces_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, 10_000)
    moments = Moments()
    for piece in np.split(values, [1, 1, 50, 4000]):
        moments.add(piece.size, piece.mean() if piece.size else 0.0, piece.std() if piece.size else 0.0)
    assert moments.count == values.size
    assert moments.mean == pytest.approx(values.mean(), rel=1e-14)
    assert moments.std == pytest.approx(values.std(), rel=1e-14)
