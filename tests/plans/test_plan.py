"""A plan: every parameter with its rule, read before it is run, filled in place, the same in every spelling."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest
from costs import calls, require_linear
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import fanin
from fanin import Plan, schemes
from fanin.models import Parameter
from fanin.plans import table
from fanin.recipes import Recipe, Rule

NORMAL = Recipe("normal", [Rule("*", schemes.normal(std=0.5))])
SHAPES = {"embed.weight": (7, 4), "fc.weight": (3, 4), "fc.bias": (3,), "scale": ()}


def test_a_parameter_is_what_its_scheme_draws_alone():
    plan = fanin.plan(SHAPES, NORMAL, seed=3)
    for name, shape in SHAPES.items():
        assert np.array_equal(plan[name], fanin.normal(shape, std=0.5, seed=3, name=name))
    assert plan["scale"].shape == ()


@pytest.mark.parametrize(
    "index", [2, -1, slice(1, 3), ..., (slice(None), 1), (0, 0), (slice(4, None, -2), slice(1, 3))]
)
def test_any_part_is_that_of_the_whole(index):
    plan = fanin.plan(SHAPES, NORMAL, seed=3)
    assert np.array_equal(plan["embed.weight", index], plan["embed.weight"][index])
    if isinstance(index, tuple):
        assert np.array_equal(plan[("embed.weight", *index)], plan["embed.weight"][index])


def test_unknown_names_are_named():
    with pytest.raises(KeyError, match="'head' is none of the 4 parameters"):
        fanin.plan(SHAPES, NORMAL, seed=3)["head"]
    assert "head" not in fanin.plan(SHAPES, NORMAL, seed=3)


def test_what_is_asked_of_a_plan_by_no_name_of_its_is_refused():
    plan = fanin.plan(SHAPES, NORMAL, seed=3)
    with pytest.raises(KeyError, match="is none of the 4 parameters"):
        plan[()]
    with pytest.raises(TypeError, match="index may hold integers"):
        plan["fc.weight", None]


def test_a_plan_iterates_over_names_and_its_repr_is_a_line():
    plan = fanin.plan(SHAPES, NORMAL, seed=3)
    assert list(plan) == list(SHAPES)
    assert repr(plan) == "<Plan: 4 parameters, recipe 'normal', seed 3>"


def test_a_plan_can_be_copied_pickled_and_hashed():
    plan = fanin.plan(SHAPES, NORMAL, seed=3)
    for other in (copy.deepcopy(plan), pickle.loads(pickle.dumps(plan))):
        assert (other, hash(other)) == (plan, hash(plan))
        assert other["fc.bias"].tobytes() == plan["fc.bias"].tobytes()
    assert plan != fanin.plan(SHAPES, NORMAL, seed=4)


def test_the_recipe_may_be_a_name_a_file_or_the_one_that_suits(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(NORMAL.to_toml())
    assert fanin.plan(SHAPES, path, seed=0).rows == fanin.plan(SHAPES, NORMAL, seed=0).rows
    assert fanin.plan("gpt2-xl", "gpt2", seed=0) == fanin.plan("gpt2-xl", None, seed=0)
    assert fanin.plan("gpt2-xl", None, seed=0).row("h.47.mlp.c_proj.weight").scheme.expected_std((1,)) == pytest.approx(
        0.02 / 96**0.5
    )
    with pytest.raises(ValueError, match="recipe must be given"):
        fanin.plan(SHAPES, None, seed=0)


def test_dtypes_are_the_sources_unless_the_plan_has_one():
    arrays = {"a": np.empty(3, "float16"), "b": np.empty(3, ml_dtypes.bfloat16), "c": np.empty(3, "float64")}
    assert [row.dtype for row in fanin.plan(arrays, NORMAL, seed=0).rows] == ["float16", "bfloat16", "float64"]
    assert {row.dtype for row in fanin.plan(arrays, NORMAL, seed=0, dtype="bfloat16").rows} == {"bfloat16"}
    assert {row.dtype for row in fanin.plan(SHAPES, NORMAL, seed=0).rows} == {"float32"}
    assert {row.dtype for row in fanin.plan(SHAPES, NORMAL, seed=0, dtype=np.float16).rows} == {"float16"}
    small = [Parameter("w", (3,), (), "float8_e4m3fn")]
    with pytest.raises(TypeError, match=r"'w': dtype must be one of .* got 'float8_e4m3fn'; give the plan a dtype"):
        fanin.plan(small, NORMAL, seed=0)
    assert fanin.plan(small, NORMAL, seed=0, dtype="float16")["w"].dtype == "float16"


def test_renamed_parameters_keep_their_stream():
    old = fanin.plan({"fc.weight": (3, 4), "fc.bias": (3,)}, NORMAL, seed=0)
    new = {"head.weight": (3, 4), "head.bias": (3,)}
    for renamed in ({"head.weight": "fc.weight", "head.bias": "fc.bias"}, lambda name: name.replace("head", "fc")):
        plan = fanin.plan(new, NORMAL, seed=0, renamed=renamed)
        assert np.array_equal(plan["head.weight"], old["fc.weight"])
        assert np.array_equal(plan["head.bias"], old["fc.bias"])
        assert Plan.from_dict(plan.to_dict()) == plan
    assert not np.array_equal(fanin.plan(new, NORMAL, seed=0)["head.weight"], old["fc.weight"])
    with pytest.raises(ValueError, match=r"own stream, got 'head\.bias' for 'head\.weight' and 'head\.bias'"):
        fanin.plan(new, NORMAL, seed=0, renamed={"head.weight": "head.bias"})
    with pytest.raises(ValueError, match="renamed must have names of parameters as its keys, got 'x'"):
        fanin.plan(new, NORMAL, seed=0, renamed={"x": "head.bias"})
    with pytest.raises(TypeError, match=r"renamed must be a mapping or a callable, got \['fc\.weight'\]"):
        fanin.plan(new, NORMAL, seed=0, renamed=["fc.weight"])
    with pytest.raises(TypeError, match=r"renamed must give a string for 'head\.weight', got None"):
        fanin.plan(new, NORMAL, seed=0, renamed=lambda name: None)


def test_more_rows_leave_the_first_alone():
    """A larger vocabulary keeps the embeddings that it had, as the std does not change."""
    small, large = (fanin.plan({"wte.weight": (rows, 48)}, NORMAL, seed=0, dtype="bfloat16") for rows in (1000, 1100))
    assert np.array_equal(large["wte.weight"][:1000], small["wte.weight"])
    assert np.array_equal(large["wte.weight", 990:1010][:10], small["wte.weight", 990:])


def test_arrays_of_one_memory_are_one_parameter():
    embedding = np.empty((7, 4), "float32")
    model = {"embed.weight": embedding, "head.weight": embedding, "steps": np.array(3), "bn.running_mean": np.zeros(4)}
    plan = fanin.plan(model, NORMAL, seed=0)
    assert plan.ties == {"head.weight": "embed.weight"}
    assert [name for name, _ in plan.skipped] == ["steps", "bn.running_mean"]
    assert (len(plan), plan.size) == (1, 28)
    assert plan.fill(model) is model
    assert np.array_equal(embedding, plan["head.weight"])
    assert np.array_equal(embedding, fanin.normal((7, 4), std=0.5, seed=0, name="embed.weight"))
    assert not model["bn.running_mean"].any()


def test_filling_writes_in_place_in_the_arrays_own_dtype_and_strides():
    arrays = {
        "embed.weight": np.empty((4, 7), "float64").T,
        "fc.weight": np.empty((3, 8), "float16")[:, ::2],
        "fc.bias": np.empty(3, ml_dtypes.bfloat16),
        "scale": np.empty((), "float32"),
    }
    plan = fanin.plan(SHAPES, NORMAL, seed=0)
    plan.fill(arrays)
    for name, array in arrays.items():
        assert np.array_equal(array, fanin.normal(SHAPES[name], std=0.5, seed=0, name=name, dtype=array.dtype))


def test_tied_names_with_memory_of_their_own_are_filled_alike():
    plan = fanin.plan([Parameter("embed", (7, 4), ("head",))], NORMAL, seed=0)
    apart = {"embed": np.zeros((7, 4), "float32"), "head": np.zeros((7, 4), "float32")}
    plan.fill(apart)
    assert np.array_equal(apart["embed"], apart["head"])
    assert apart["embed"].any()
    only = {"head": np.zeros((7, 4), "float32")}
    assert np.array_equal(plan.fill(only)["head"], apart["embed"])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"fc.bias": None}, ValueError, "must have every parameter of the plan, got none named 'fc.bias'"),
        ({"x": np.zeros(3)}, ValueError, "must have names of the plan's parameters, got 'x'"),
        ({"fc.bias": np.zeros(4, "float32")}, ValueError, r"'fc.bias': the array must have shape \(3,\), got \(4,\)"),
        ({"fc.bias": np.zeros(3, "int32")}, TypeError, "'fc.bias': dtype must be one of float32"),
        ({"fc.bias": np.zeros(3, ">f4")}, ValueError, "'fc.bias': the array must be writable and of native byte order"),
        ({"fc.bias": np.broadcast_to(np.float32(0), 3)}, ValueError, "'fc.bias': the array must be writable"),
        ({"fc.bias": [0, 0, 0]}, TypeError, "'fc.bias': out must be a NumPy array"),
        (
            {"fc.weight": as_strided(np.zeros(8, "float32"), (3, 4), (8, 4))},
            ValueError,
            "'fc.weight': the array must not have elements whose memory overlaps",
        ),
    ],
)
def test_what_cannot_be_filled_is_refused_before_anything_is_written(change, error, message):
    arrays = {name: np.zeros(shape, "float32") for name, shape in SHAPES.items()} | change
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(error, match=message):
        fanin.plan(SHAPES, NORMAL, seed=0).fill(arrays)
    assert not arrays["embed.weight"].any()


MEMORY = np.zeros((4, 4), "float32")


@pytest.mark.parametrize("other", [MEMORY, MEMORY.T, MEMORY[::-1], MEMORY.reshape(-1)[3:15].reshape(3, 4)])
def test_two_parameters_in_one_memory_are_refused_before_anything_is_written(other):
    plan = fanin.plan({"first": (4, 4), "second": other.shape, "empty": (0, 4)}, NORMAL, seed=0)
    with pytest.raises(ValueError, match="'second': the array must not share memory with that of 'first'"):
        plan.fill({"first": MEMORY, "second": other, "empty": MEMORY[:0]})
    assert not MEMORY.any()


def test_arrays_that_lie_among_each_other_are_filled():
    memory = np.zeros((4, 8), "float32")
    arrays = {"even": memory[:, ::2], "odd": memory[:, 1::2]}
    plan = fanin.plan(dict.fromkeys(arrays, (4, 4)), NORMAL, seed=0)
    plan.fill(arrays)
    assert all(np.array_equal(array, plan[name]) for name, array in arrays.items())


def test_a_tied_name_must_have_its_shape_in_the_same_memory_too():
    plan = fanin.plan([Parameter("embed", (2, 4), ("head",))], NORMAL, seed=0)
    memory = np.zeros((4, 4), "float32")
    with pytest.raises(ValueError, match=r"'head': the array must have shape \(2, 4\), got \(4, 4\)"):
        plan.fill({"embed": memory[:2], "head": memory})
    assert not memory.any()


def test_what_is_no_mapping_of_arrays_is_told_what_to_do():
    with pytest.raises(TypeError, match=r"arrays must be a mapping .* got list; fanin\.torch\.init_ fills"):
        fanin.plan(SHAPES, NORMAL, seed=0).fill([np.zeros(3)])
    with pytest.raises(ValueError, match=r"'params' must be a shape.* got a mapping; flatten it"):
        fanin.plan({"params": {"kernel": (3, 4)}}, NORMAL, seed=0)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), st.lists(st.integers(0, 3), max_size=3)),
    st.integers(0, 2**64 - 1),
    st.sampled_from(["float32", "float64", "float16", "bfloat16"]),
)
def test_a_dict_carries_a_plan(shapes, seed, dtype):
    plan = fanin.plan(shapes, Recipe("r", [Rule("*", schemes.normal(std=0.1), optional=True)]), seed=seed, dtype=dtype)
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert all(again[name].tobytes() == plan[name].tobytes() for name in shapes)


def test_a_dict_that_is_no_plan_is_refused():
    data = fanin.plan(SHAPES, NORMAL, seed=0).to_dict()
    with pytest.raises(ValueError, match="stream must be 'v1', got 'v9'"):
        Plan.from_dict(data | {"stream": "v9"})
    with pytest.raises(ValueError, match="got no 'seed'"):
        Plan.from_dict({key: value for key, value in data.items() if key != "seed"})
    with pytest.raises(TypeError, match="a plan must be a mapping, got list"):
        Plan.from_dict([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": None}, "parameters of a plan must each have name, shape and dtype"),
        ({"parameters": [{"name": "w"}]}, "parameters of a plan must each have name, shape and dtype.*'shape'"),
        ({"parameters": [{"name": "w", "shape": [-1], "dtype": "float32"}]}, "'w': shape must have at axis 0"),
        ({"parameters": [{"name": 1, "shape": [1], "dtype": "float32"}]}, "name must be a string"),
        ({"skipped": [1]}, "what it skipped a name and a reason"),
    ],
)
def test_a_dict_whose_parameters_are_none_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Plan.from_dict(fanin.plan(SHAPES, NORMAL, seed=0).to_dict() | change)


def test_a_rule_that_draws_nothing_is_a_warning_and_under_strict_an_error():
    recipe = Recipe("r", [Rule("*.gamma", schemes.ones()), *NORMAL.rules])
    with pytest.warns(UserWarning, match=r"\*\.gamma"):
        fanin.plan(SHAPES, recipe, seed=0)
    with pytest.raises(ValueError, match=r"\*\.gamma"):
        fanin.plan(SHAPES, recipe, seed=0, strict=True)


def test_the_table_groups_what_differs_in_a_number():
    plan = fanin.plan("llama-70b", None, seed=0, dtype="bfloat16")
    lines = table.render(plan, None).splitlines()
    assert len(lines) == 2 + 12 + 2
    assert "model.layers.0-79.self_attn.k_proj.weight (80)" in lines[4]
    assert all(word in lines[4] for word in ("1024×8192", "bfloat16", "0.02", "671,088,640", "1.34 GB"))
    assert lines[-1] == "723 tensors, 68,976,648,192 parameters, 138 GB; recipe llama, seed 0"
    assert str(plan) == table.render(plan, None)  # no terminal here


def test_the_table_tells_ties_and_what_was_skipped():
    weight = np.empty((7, 4), "float32")
    text = str(fanin.plan({"embed": weight, "head": weight, "steps": np.array(3)}, NORMAL, seed=0))
    assert "\nhead is tied to embed" in text
    assert "1 skipped: steps (dtype int64 is not floating-point)" in text


def test_a_table_without_end_is_cut():
    text = str(fanin.plan({f"a{'b' * i}.weight": (2,) for i in range(300)}, NORMAL, seed=0))
    assert "\n… and 100 lines more\n" in text
    assert "300 tensors" in text


def test_a_number_of_any_length_is_part_of_a_name():
    names = [f"layers.{'9' * digits}.weight" for digits in (5000, 5001)]
    text = str(fanin.plan(dict.fromkeys(names, (2,)), NORMAL, seed=0))
    assert "2 tensors" in text


def test_a_hostile_name_does_not_command_the_terminal():
    names = ["\x1b[31mred.weight", "two\nlines", "\x9b31m", "\u202egnirts", "[red]markup[/red]"]
    for model in (dict.fromkeys(names, (2,)), {name: np.zeros(2, int) for name in names}):
        text = str(fanin.plan(model, Recipe("all", [Rule("*", schemes.zeros(), optional=True)]), seed=0))
        assert text.replace("\n", "").isprintable()
        assert all(shown in text for shown in (r"\x1b[31mred", r"two\nlines", r"\u202egnirts", "[red]markup[/red]"))


def test_what_is_folded_stays_under_its_heading():
    lines = table.render(fanin.plan("resnet50", None, seed=0), 80).splitlines()
    assert "  sample\\.0))\\.weight/ of 4 dimensions" in lines[6]


@pytest.mark.parametrize("width", [40, 72, 120])
def test_a_table_fits_its_width(width):
    text = table.render(fanin.plan("bert-base", None, seed=0), width)
    assert max(map(len, text.splitlines())) <= width


def test_the_cost_of_a_parameter_does_not_grow_with_their_number():
    def shapes(count: int) -> dict[str, tuple[int, ...]]:
        return {f"layers.{i // 10}.block.{i % 10}.weight": (4, 4) for i in range(count)}

    def new(count: int) -> Callable[[], object]:
        return lambda: fanin.plan(shapes(count), NORMAL, seed=0).fill()

    def in_place(count: int) -> Callable[[], object]:
        arrays = {name: np.empty(shape, "float32") for name, shape in shapes(count).items()}
        plan = fanin.plan(arrays, NORMAL, seed=0)
        return lambda: plan.fill(arrays)

    require_linear(new, 300)
    require_linear(in_place, 300)


def test_a_plan_of_llama_70b_takes_some_hundred_calls_for_each_parameter():
    """It takes 164; the parameters have 10⁸ elements each."""
    fanin.plan("llama-7b", None, seed=0)  # loads everything
    assert calls(lambda: str(fanin.plan("llama-70b", None, seed=0))) < 500 * len(fanin.plan("llama-70b", None, seed=0))
