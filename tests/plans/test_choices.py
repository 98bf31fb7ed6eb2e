"""Parameters chosen by pattern: overrides, only, dtypes; a plan that is changed, digested, written and read."""

import json

import numpy as np
import pytest

import fanin
from fanin import schemes
from fanin.recipes import Recipe, Rule

SHAPES = {"0.weight": (4, 3), "0.bias": (4,), "1.weight": (2, 4), "1.bias": (2,)}
RECIPE = Recipe("normal", [Rule("*", schemes.normal(std=0.1))])


def planned(**options):
    return fanin.plan(SHAPES, RECIPE, seed=3, **options)


def test_overrides_come_before_the_recipe_in_their_order():
    plan = planned(
        overrides={"1.bias": "ones", "*.bias": {"scheme": "constant", "value": 0.5}, "0.weight": schemes.zeros()}
    )
    assert plan["1.bias"].tolist() == [1, 1]
    assert plan["0.bias"].tolist() == [0.5] * 4
    assert not plan["0.weight"].any()
    assert np.array_equal(plan["1.weight"], planned()["1.weight"])


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ({"0.weigth": "ones"}, ValueError, r"overrides must have patterns of parameters, got '0.weigth'.*'0.weight'"),
        ({"*": "ones", "1.bias": "zeros"}, ValueError, "got '1.bias', which matches none that an earlier one does not"),
        ({"*": "swoosh"}, ValueError, "overrides must be a name of fanin.schemes"),
        ({"*": 3}, TypeError, "overrides must be a scheme"),
        (["*"], TypeError, "overrides must be a mapping of patterns to schemes"),
    ],
)
def test_overrides_that_cannot_be(overrides, error, message):
    with pytest.raises(error, match=message):
        planned(overrides=overrides)


@pytest.mark.parametrize("only", ["0.*", ["0.weight", "0.bias"], ("/0\\..*/",)])
def test_only_some_keep_the_values_that_they_have_beside_the_others(only):
    plan = planned(only=only)
    assert list(plan) == ["0.weight", "0.bias"]
    assert plan.skipped == (("1.weight", "left out by only"), ("1.bias", "left out by only"))
    assert all(np.array_equal(plan[name], planned()[name]) for name in plan)
    weights = {name: np.zeros(shape, "float32") for name, shape in SHAPES.items()}
    plan.fill(weights)
    assert weights["0.bias"].any()
    assert not weights["1.weight"].any()


def test_only_what_is_there():
    with pytest.raises(ValueError, match=r"only must have names or patterns of parameters, got '0.weigth'.*'0.weight'"):
        planned(only=["0.weigth"])
    with pytest.raises(TypeError, match="only must be a sequence of strings, got 3"):
        planned(only=3)


def test_the_first_pattern_decides_the_dtype():
    plan = planned(dtype={"*.bias": "float64", "*": "bfloat16"})
    assert [row.dtype for row in plan.rows] == ["bfloat16", "float64"] * 2
    assert [row.dtype for row in planned(dtype={"1.*": "float16"}).rows] == ["float32"] * 2 + ["float16"] * 2
    with pytest.raises(ValueError, match="dtype must have patterns of parameters, got 'x', which match none"):
        planned(dtype={"x": "float16"})
    with pytest.raises(TypeError, match="dtype must be one of float32"):
        planned(dtype={"*": "int8"})


def test_a_plan_is_changed_and_the_first_one_stays():
    plan = planned(renamed={"0.bias": "old"})
    changed = plan.replace(seed=4, dtype={"*.bias": "float16"}, overrides={"0.weight": "ones"})
    assert changed.seed == 4
    assert [row.dtype for row in changed.rows] == ["float32", "float16"] * 2
    assert changed["0.weight"].tolist() == [[1] * 3] * 4
    assert np.array_equal(changed["0.bias"], schemes.normal(std=0.1)(4, seed=4, name="old", dtype="float16"))
    assert plan.seed == 3
    assert plan.replace() == plan


def test_a_digest_tells_plans_apart_by_what_they_draw():
    plan = planned()
    same = fanin.plan(dict(reversed(SHAPES.items())), Recipe("other", [Rule("?.*", schemes.normal(std=0.1))]), seed=3)
    assert same.digest == plan.digest
    others = [
        planned(overrides={"0.bias": "ones"}),
        planned(dtype="float16"),
        planned(only="0.*"),
        plan.replace(seed=4),
    ]
    others.append(planned(renamed={"0.bias": "old"}))
    assert len({plan.digest, *(other.digest for other in others)}) == 6


def test_a_plan_in_a_file(tmp_path):
    plan = planned(overrides={"0.bias": "ones"}, renamed={"1.bias": "old"})
    plan.write(tmp_path / "init.json")
    again = fanin.Plan.read(tmp_path / "init.json")
    assert again == plan
    assert again.digest == plan.digest
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(ValueError, match=r"list\.json: the file must be a JSON object"):
        fanin.Plan.read(tmp_path / "list.json")
    (tmp_path / "less.json").write_text(json.dumps(plan.to_dict() | {"stream": "v0"}))
    with pytest.raises(ValueError, match=r"less\.json: stream must be 'v1', got 'v0'"):
        fanin.Plan.read(tmp_path / "less.json")


def test_streams_that_are_shared_on_purpose_go_through_a_dict():
    plan = fanin.Plan.of(
        fanin.models.parameters({"a": (3,), "b": (3,)}),
        RECIPE,
        3,
        renamed={"b": "a"},
        shares={"b": "a"},
    )
    assert np.array_equal(plan["a"], plan["b"])
    assert "b has the draws of a" in str(plan)
    assert fanin.Plan.from_dict(plan.to_dict()) == plan
    assert np.array_equal(plan.replace(seed=4)["b"], plan.replace(seed=4)["a"])
    with pytest.raises(ValueError, match="every parameter must have its own stream"):
        fanin.plan({"a": (3,), "b": (3,)}, RECIPE, seed=3, renamed={"b": "a"})
