"""What is resumed, what is not, what force replaces, and that a complete checkpoint is left alone."""

from __future__ import annotations

import pytest
from interrupted import interrupt
from saves import RECIPE, SHAPES, SHARDS, WHOLE, contents, require_nothing_half, small_plan, small_tasks  # noqa: F401

import fanin
from fanin import _core
from fanin.recipes import Recipe

pytestmark = pytest.mark.usefixtures("small_tasks")
OTHER_STD = Recipe.from_dict(
    RECIPE.to_dict() | {"rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 0.1}}]}
)
OTHER_NAME = Recipe.from_dict(RECIPE.to_dict() | {"name": "other"})


@pytest.mark.parametrize(
    ("other", "options", "words"),
    [
        (lambda: small_plan(seed=1), {}, ["seed must be that of the interrupted run, 0, got 1"]),
        (lambda: fanin.plan(SHAPES, OTHER_NAME, seed=0), {}, ["recipe must be", "'small'", "'other'"]),
        (lambda: fanin.plan(SHAPES, OTHER_STD, seed=0), {}, ["recipe_digest must be", RECIPE.digest, OTHER_STD.digest]),
        (lambda: small_plan(dtype="float64"), {}, ["dtypes must be", "['float32']", "['float64']"]),
        (small_plan, {"max_shard_size": 20_000}, ["max_shard_size must be", "14000", "20000"]),
        (lambda: small_plan(renamed={"h.1.weight": "old"}), {}, ["renamed_digest must be", "None"]),
        (lambda: fanin.plan(SHAPES | {"h.4.weight": (3,)}, RECIPE, seed=0), {}, ["tensors must be"]),
    ],
    ids=["seed", "recipe", "rules", "dtype", "shards", "renamed", "model"],
)
def test_another_plan_is_not_resumed(tmp_path, whole, other, options, words):
    left = interrupt(tmp_path, max_shard_size=SHARDS)
    with pytest.raises(ValueError) as caught:
        other().save(tmp_path, resume=True, **({"max_shard_size": SHARDS} | options))
    for word in (*words, "resume with the same, or force to start anew"):
        assert word in str(caught.value)
    assert contents(tmp_path) == left
    small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert contents(tmp_path) == whole(SHARDS)


def test_another_version_does_not_resume(tmp_path, monkeypatch):
    left = interrupt(tmp_path)
    monkeypatch.setattr(_core, "__version__", "99.0")
    with pytest.raises(ValueError, match=rf"version must be .*, '{fanin.__version__}', got '99\.0'"):
        small_plan().save(tmp_path, resume=True)
    assert contents(tmp_path) == left


def test_a_size_of_shards_that_changes_nothing_is_resumed(tmp_path, whole):
    interrupt(tmp_path, max_shard_size="1GB")
    assert small_plan().save(tmp_path, max_shard_size="2GB", resume=True).resumed > 0
    assert contents(tmp_path) == whole(WHOLE)


def test_what_is_left_is_replaced_by_force_and_by_nothing_else(tmp_path, whole):
    left = interrupt(tmp_path, plan=small_plan(seed=1))
    with pytest.raises(FileExistsError, match=r"interrupted run.*model\.safetensors\.journal"):
        small_plan().save(tmp_path)
    assert contents(tmp_path) == left
    with pytest.raises(ValueError, match="force and resume"):
        small_plan().save(tmp_path, force=True, resume=True)
    assert small_plan().save(tmp_path, force=True).resumed == 0
    assert contents(tmp_path) == whole(WHOLE)


@pytest.mark.parametrize(("before", "after"), [(SHARDS, WHOLE), (WHOLE, SHARDS), (SHARDS, 20_000)])
def test_force_replaces_what_is_left_of_a_run_with_other_files(tmp_path, whole, before, after):
    interrupt(tmp_path, max_shard_size=before)
    small_plan().save(tmp_path, max_shard_size=after, force=True)
    assert contents(tmp_path) == whole(after)


def test_resume_starts_where_there_is_nothing(tmp_path, whole):
    assert small_plan().save(tmp_path, resume=True).resumed == 0
    assert contents(tmp_path) == whole(WHOLE)


@pytest.mark.parametrize("size", [SHARDS, WHOLE])
def test_resume_leaves_a_complete_checkpoint_alone(tmp_path, whole, size):
    small_plan().save(tmp_path, max_shard_size=size)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    seen: list[int] = []
    saved = small_plan().save(tmp_path, max_shard_size=size, resume=True, progress=seen.append)
    assert saved.resumed == sum(seen) == small_plan().nbytes
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    with pytest.raises(FileExistsError):
        small_plan(seed=1).save(tmp_path, max_shard_size=size, resume=True)
    with pytest.raises(FileExistsError):
        small_plan(renamed={"h.1.weight": "old"}).save(tmp_path, max_shard_size=size, resume=True)
    assert contents(tmp_path) == whole(size)


def test_an_older_checkpoint_is_there_until_the_new_one_is_complete(tmp_path, whole):
    small_plan(seed=1).save(tmp_path)
    older = contents(tmp_path)
    interrupt(tmp_path, force=True)
    require_nothing_half(tmp_path, older)
    assert (tmp_path / "model.safetensors").exists()
    small_plan().save(tmp_path, resume=True)  # which knows that it was to replace
    assert contents(tmp_path) == whole(WHOLE)
