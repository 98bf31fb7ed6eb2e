"""What docs/reproducibility.md guarantees and no other test shows, and that every test named there exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from paths import ROOT, TESTS
from saves import contents, small_plan

import fanin
from fanin import models, schemes
from fanin.checkpoint import Entry, Split
from fanin.plans import Plan
from fanin.plans.saving import metadata
from fanin.recipes import Recipe, Rule
from fanin.schemes import Scheme

PAGE = ROOT / "docs" / "reproducibility.md"
NAMED = re.findall(r"`((?:\w+/)?test_\w+\.py)::(test_\w+)`", PAGE.read_text(encoding="utf-8"))
DTYPES = ["float32", "float64", "bfloat16", "float16"]

# Drawn element by element, of a std that axis 0 has no part in.
KEPT: dict[str, Scheme] = {
    "normal": schemes.normal(mean=0.1, std=0.02),
    "uniform": schemes.uniform(-0.1, 0.3),
    "truncated in std": schemes.truncated_normal(std=0.02),
    "truncated absolutely": schemes.truncated_normal(std=0.02, low=-0.03, high=2.0, bounds="absolute"),
    "constant": schemes.constant(0.3),
    "embedding": schemes.embedding(0.02),
    "embedding with padding in front": schemes.embedding(0.02, padding=3),
    "scaled residual": schemes.scaled_residual(layers=12),
    "fan_in, OI": schemes.he_normal(layout="OI"),
    "fan_in, OI, truncated": schemes.lecun_normal(layout="OI", truncate=2.0),
    "fan_in, OI, uniform": schemes.he_uniform(layout="OI", activation="tanh"),
    "fan_out, IO": schemes.he_normal(layout="IO", mode="fan_out"),
    "sparse, a row a line": schemes.sparse(layout="OI", sparsity=0.7),
    "sparse, IO": schemes.sparse(layout="IO", nonzeros=5, per="input"),
    "identity": schemes.identity(),
    "sinusoid": schemes.sinusoid(),
}
# The std of these depends on axis 0: they are the same draws, times another std.
SCALED: dict[str, Scheme] = {
    "fan_out, OI": schemes.he_normal(layout="OI", mode="fan_out"),
    "fan_avg": schemes.xavier_normal(layout="OI"),
    "fan_in, IO": schemes.he_normal(layout="IO"),
}
# More rows keep no values of these.
NEW: dict[str, Scheme] = {
    "tall orthogonal": schemes.orthogonal(layout="OI"),
    "orthogonal blocks": schemes.orthogonal(layout="OI", blocks=4),
    "sparse, a column a line": schemes.sparse(layout="OI", sparsity=0.7, per="input"),
    "two schemes": schemes.concatenate([schemes.normal(std=0.1), schemes.normal(std=0.2)]),
}


def grown(scheme: Scheme, dtype: str = "float32", rows: int = 100, more: int = 172, columns: int = 48):
    """The same rows of a short parameter and of a taller one."""
    short, tall = (scheme((count, columns), seed=1, name="w", dtype=dtype) for count in (rows, more))
    return short, tall[:rows]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scheme", KEPT.values(), ids=KEPT)
def test_more_rows_keep_the_existing_ones(scheme, dtype):
    for columns in (1, 48, 128, 131):  # 128 elements are a tile of the counter
        if columns > 5 or not scheme.describe().startswith("sparse"):
            assert np.array_equal(*grown(scheme, dtype, columns=columns))


@pytest.mark.parametrize("scheme", SCALED.values(), ids=SCALED)
def test_more_rows_of_another_std_are_the_same_draws(scheme):
    short, tall = grown(scheme)
    ratio = scheme.expected_std((172, 48)) / scheme.expected_std((100, 48))
    assert not np.array_equal(short, tall)
    np.testing.assert_allclose(tall, short * ratio, rtol=1e-6)


@pytest.mark.parametrize("scheme", NEW.values(), ids=NEW)
def test_more_rows_of_what_is_drawn_as_a_whole_are_new(scheme):
    short, tall = grown(scheme)
    assert (short != tall).mean() > 0.2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("rows", "more", "columns"), [(20, 48, 48), (1, 300, 1000), (64, 65, 130)])
def test_more_rows_of_a_wide_orthogonal_matrix_keep_the_existing_ones(rows, more, columns, dtype):
    assert np.array_equal(*grown(schemes.orthogonal(layout="OI"), dtype, rows, more, columns))


def test_more_rows_move_a_padding_row_that_is_counted_from_the_end():
    short, tall = grown(schemes.embedding(0.02, padding=-1))
    assert np.array_equal(short[:-1], tall[:-1])
    assert not short[-1].any()
    assert tall[-1].all()


def test_more_columns_keep_no_row_but_the_first():
    narrow, wide = (schemes.normal()((100, columns), seed=1, name="w") for columns in (48, 64))
    assert np.array_equal(narrow[0], wide[0, :48])
    assert (narrow[1:] != wide[1:, :48]).mean() > 0.99


def test_a_larger_vocabulary_keeps_the_embeddings_of_a_model():
    small, large = (
        fanin.plan(models.gpt2(layers=1, width=64, vocabulary=vocabulary), "gpt2", seed=0, dtype="bfloat16")
        for vocabulary in (1000, 1024)
    )
    assert np.array_equal(large["wte.weight", :1000], small["wte.weight"])
    assert all(np.array_equal(large[row.name], small[row.name]) for row in small.rows[1:])


def test_more_layers_leave_the_others_alone():
    """Layers whose std depends on the depth are the exception: they are the same draws, times another std."""
    few, many = (fanin.plan(models.gpt2(layers=layers, width=32, vocabulary=100), "gpt2", seed=0) for layers in (2, 8))
    for row in few.rows:
        if row.name.endswith("c_proj.weight"):
            np.testing.assert_allclose(many[row.name], few[row.name] / 2, rtol=1e-6)
        else:
            assert np.array_equal(many[row.name], few[row.name]), row.name


def test_order_and_company_change_no_value():
    plan = small_plan(seed=3)
    turned = Plan.of([models.Parameter(row.name, row.shape) for row in plan.rows[::-1]], plan.recipe, 3)
    for row in plan.rows:
        alone = Plan.of([models.Parameter(row.name, row.shape)], Recipe("alone", [Rule("*", row.scheme)]), 3)
        assert np.array_equal(turned[row.name], plan[row.name])
        assert np.array_equal(alone[row.name], plan[row.name])


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_slices_of_any_number_of_ranks_make_up_the_whole(axis, ranks):
    rules = {
        "normal": schemes.normal(std=0.02),
        "truncated": schemes.lecun_normal(layout="OI", truncate=2.0),
        "embedding": schemes.embedding(0.02, padding=-1),
        "orthogonal": schemes.orthogonal(layout="OI"),
        "gates": schemes.orthogonal(layout="OI", blocks=4),
        "sparse": schemes.sparse(layout="OI", sparsity=0.9),
    }
    plan = fanin.plan(
        dict.fromkeys(rules, (72, 51)), Recipe("all", [Rule(*rule) for rule in rules.items()]), seed=5, dtype="bfloat16"
    )
    edges = np.linspace(0, plan.row("normal").shape[axis], ranks + 1).astype(int)
    for name in rules:
        parts = [
            plan[name, slice(None) if axis else slice(*edge), slice(*edge) if axis else slice(None)]
            for edge in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        ]
        assert np.array_equal(np.concatenate(parts, axis), plan[name])


def test_a_process_for_each_file_writes_what_one_save_does(tmp_path):
    plan = small_plan()
    for directory in ("one", "many"):
        (tmp_path / directory).mkdir()
    plan.save(tmp_path / "one", max_shard_size=14_000)
    entries = [Entry(row.name, row.dtype, row.shape) for row in plan.rows]
    split = Split.of(tmp_path / "many", entries, metadata(plan), max_shard_size=14_000)
    for file in split.files[::-1]:
        rows = tuple(plan.row(entry.name) for entry in file.entries)
        Plan(plan.recipe, plan.seed, rows).save(file.path, max_shard_size=max(1, file.data_nbytes), resume=True)
    Path(split.index_path).write_bytes(split.index)
    assert contents(tmp_path / "many") == contents(tmp_path / "one")
    assert len(split.files) > 2


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_cast_of_the_float32_is_the_half_unless_there_are_bounds(dtype):
    normal, bounded = schemes.normal(), schemes.uniform(-0.3, 0.3)
    half = normal(100_000, seed=0, name="w", dtype=dtype)
    assert np.array_equal(half, normal(100_000, seed=0, name="w").astype(half.dtype))
    half = bounded(100_000, seed=0, name="w", dtype=dtype)
    cast = bounded(100_000, seed=0, name="w").astype(half.dtype)
    assert abs(half.astype("float64")).max() <= 0.3
    assert abs(cast.astype("float64")).max() > 0.3


def test_float64_is_a_function_of_its_own():
    single, double = (schemes.normal()(1000, seed=0, name="w", dtype=dtype) for dtype in ("float32", "float64"))
    assert (double.astype("float32") != single).mean() > 0.99


def test_every_test_that_the_page_names_exists():
    assert len(NAMED) > 40
    there = {file: names_in(TESTS / file) for file, _ in NAMED}
    assert [(file, name) for file, name in NAMED if name not in there[file]] == []


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_guarantee_names_a_test():
    section = PAGE.read_text(encoding="utf-8").split("| guarantee | tests |")[1].split("\n\n")[0]
    rows = section.splitlines()[2:]
    assert len(rows) > 15
    assert [row for row in rows if not re.search(r"`[\w/]+\.py::test_\w+`", row)] == []
