"""Verify finds every difference between a checkpoint and a plan, names it, and sees none where there is none."""

from __future__ import annotations

import errno
import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from saves import SHAPES, SHARDS, contents, small_plan, small_tasks  # noqa: F401

import fanin
from fanin.models import Parameter, Parameters
from fanin.plans import Plan, saving, tasks
from fanin.recipes import Recipe

DTYPES = ["float32", "float64", "float16", "bfloat16"]
NORMAL = Recipe.from_dict({"name": "normal", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 1.0}}]})
OTHER = Recipe.from_dict({"name": "normal", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 2.0}}]})


def normal_plan(shapes: Mapping[str, Any], seed: int = 0, **options: Any) -> Plan:
    return fanin.plan(shapes, NORMAL, seed=seed, **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [SHARDS, 10**9])
@pytest.mark.usefixtures("small_tasks")
def test_what_a_plan_saves_is_as_planned(tmp_path, dtype, size):
    plan = small_plan(dtype=dtype)
    saved = plan.save(tmp_path, max_shard_size=size)
    for path in (tmp_path, saved.path):
        verified = plan.verify(path)
        assert verified
        assert str(verified).startswith("every byte is as planned\n9 tensors")
        assert (verified.tensors, verified.nbytes, verified.problems) == (9, plan.nbytes, ())
        assert sorted(map(os.path.basename, verified.files)) == sorted(map(os.path.basename, saved.files))


@pytest.mark.usefixtures("small_tasks")
def test_a_changed_bit_anywhere_is_found(tmp_path):
    """Or the file is none any more, which is an error that names it."""
    path = tmp_path / "model.safetensors"
    plan = fanin.plan({"w": (9, 11), "a.bias": (7,)}, small_plan().recipe, seed=0)
    plan.save(path)
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    chance = random.Random(0)
    positions = {0, 7, 8, start - 1, start, len(data) - 1, *chance.sample(range(start), 60)}
    key = data.index(b"fanin")  # under another key the file is one of somebody else's, and as good
    positions -= set(range(key, key + len("fanin")))
    version = data.index(fanin.__version__.encode())  # which another release would have written
    positions -= set(range(version, version + len(fanin.__version__)))
    for position in positions | set(chance.sample(range(start, len(data)), 40)):
        changed = bytearray(data)
        changed[position] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        try:
            verified = plan.verify(path)
        except ValueError as error:
            problem = str(error)
        else:
            assert not verified, position
            problem = verified.problems[0]
        assert problem.startswith(("w: differs", "a.bias: differs")) if position >= start else problem, position


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(7,), (60, 50), (3, 2000), (2, 3, 4, 5), (1, 1, 2500), ()], ids=str)
@pytest.mark.usefixtures("small_tasks")
def test_the_first_difference_is_named(tmp_path, dtype, shape):
    """Whatever pieces the tensor is cut into, along whichever axis."""
    path = tmp_path / "model.safetensors"
    plan = normal_plan({"w": shape}, dtype=dtype)
    ours = plan["w"]
    chance = np.random.default_rng(0)
    for _ in range(5):
        theirs = np.array(ours)
        for flat in chance.integers(0, theirs.size, 3):
            theirs.reshape(-1)[flat] = 7
        safetensors.numpy.save_file({"w": theirs}, path)
        (problem,) = plan.verify(path, workers=2).problems
        place = np.unravel_index(np.flatnonzero(theirs != ours)[0], shape) if shape else ()
        where = ", ".join(map(str, place))
        assert problem == f"w: differs first at [{where}]: {theirs[place]!s} in the file, " + (
            f"{ours[place]!s} by the plan"
        )


def test_zero_and_minus_zero_differ_and_nan_is_itself(tmp_path):
    recipe = Recipe.from_dict({"name": "zeros", "rules": [{"pattern": "*", "scheme": "zeros"}]})
    plan = fanin.plan({"w": (3,)}, recipe, seed=0)
    for values, where in (([0.0, -0.0, 0.0], "[1]: -0.0"), ([0.0, 0.0, np.nan], "[2]: nan")):
        safetensors.numpy.save_file({"w": np.array(values, np.float32)}, tmp_path / "w.safetensors")
        assert where in plan.verify(tmp_path / "w.safetensors").problems[0]


def test_every_kind_of_difference_is_told(tmp_path):
    path = tmp_path / "model.safetensors"
    plan = normal_plan({"same": (4,), "gone": (2,), "shape": (2, 3), "dtype": (5,), "values": (2, 2)})
    tensors = dict(plan.fill())
    del tensors["gone"]
    tensors["shape"] = tensors["shape"].reshape(3, 2)
    tensors["dtype"] = tensors["dtype"].astype(np.float64)
    tensors["values"] = tensors["values"] + np.float32(1)
    tensors["more"] = np.ones(3, np.int32)
    safetensors.numpy.save_file(tensors, path)
    verified = plan.verify(path)
    assert not verified
    assert verified.tensors == 2
    values = plan["values"][0, 0]
    assert set(verified.problems) == {
        "more: not a parameter of the plan",
        "gone: missing",
        "shape: F32 of shape (3, 2) in the file, F32 of (2, 3) by the plan",
        "dtype: F64 of shape (5,) in the file, F32 of (5,) by the plan",
        f"values: differs first at [0, 0]: {values + np.float32(1)!s} in the file, {values!s} by the plan",
    }
    assert str(verified).count("\n") == 5


def test_another_seed_and_another_recipe_are_named(tmp_path):
    plan = normal_plan({"w": (4,)}, seed=1)
    plan.save(tmp_path / "model.safetensors")
    seed = normal_plan({"w": (4,)}, seed=2).verify(tmp_path).problems
    assert seed[0] == f"{tmp_path / 'model.safetensors'}: its seed is 1, the plan's 2"
    assert seed[1].startswith("w: differs first at [0]")
    recipe = fanin.plan({"w": (4,)}, OTHER, seed=1).verify(tmp_path).problems
    assert recipe[0].endswith(f"its recipe_digest is '{NORMAL.digest}', the plan's '{OTHER.digest}'")
    assert len(recipe) == 2


def test_names_that_a_parameter_had_are_part_of_the_plan(tmp_path):
    normal_plan({"w": (4,)}, renamed={"w": "old"}).save(tmp_path / "model.safetensors")
    assert normal_plan({"w": (4,)}, renamed={"w": "old"}).verify(tmp_path)
    assert not normal_plan({"w": (4,)}).verify(tmp_path)
    safetensors.numpy.save_file({"w": normal_plan({"old": (4,)})["old"]}, tmp_path / "model.safetensors")
    assert normal_plan({"w": (4,)}, renamed={"w": "old"}).verify(tmp_path)


@pytest.mark.usefixtures("small_tasks")
def test_files_of_the_reference_library_are_as_good(tmp_path):
    """Without our metadata, in another order, with data that is not aligned."""
    dtypes = {"a": "float16", "b": "float32", "c": "bfloat16", "d": "float64", "e": "float32", "f": "float16"}
    shapes = {"a": (3,), "b": (40, 50), "c": (5, 1, 7), "d": (11,), "e": (), "f": (0, 4)}
    model = Parameters(tuple(Parameter(name, shapes[name], (), dtypes[name]) for name in shapes))
    plan = Plan.of(model, NORMAL, 0)
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(dict(plan.fill()), path)
    assert plan.verify(path)
    handmade(path, plan, sorted(shapes))
    assert plan.verify(path)
    places = fanin.models.files_of(path)[str(path)].places
    assert places["b"][0] % 4  # float32 after three float16
    data = bytearray(path.read_bytes())
    data[places["b"][0] + 4 * 57] ^= 1
    path.write_bytes(data)
    (problem,) = plan.verify(path).problems
    assert problem.startswith("b: differs first at [1, 7]")


def handmade(path: Path, plan: Plan, names: list[str]) -> None:
    """A file whose tensors come in this order, whatever that means for their alignment."""
    codes = {"float16": "F16", "float32": "F32", "bfloat16": "BF16", "float64": "F64"}
    header, data = {}, b""
    for name in names:
        values = plan[name]
        offsets = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": codes[str(values.dtype)], "shape": list(values.shape), "data_offsets": offsets}
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.usefixtures("small_tasks")
def test_however_the_files_are_split(tmp_path):
    plan = small_plan()
    names = {f"part-{number}.safetensors": list(SHAPES)[number::2] for number in range(2)}
    for file, there in names.items():
        safetensors.numpy.save_file({name: plan[name] for name in there}, tmp_path / file)
    index = {"weight_map": {name: file for file, there in names.items() for name in there}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert plan.verify(tmp_path)
    assert {problem.split(":")[1] for problem in plan.verify(tmp_path / "part-0.safetensors").problems} == {" missing"}


def test_tied_names_are_as_good_as_the_parameter_in_any_number(tmp_path):
    model = Parameters((Parameter("embed", (5, 4), ("head", "other"), "float32"),))
    plan = Plan.of(model, NORMAL, 0)
    values = plan["embed"]
    path = tmp_path / "model.safetensors"
    for names in (["embed"], ["head"], ["embed", "head"], ["embed", "head", "other"]):
        safetensors.numpy.save_file(dict.fromkeys(names, values), path)
        verified = plan.verify(path)
        assert verified
        assert verified.tensors == len(names)
    different = values.copy()
    different[4, 3] = 0
    safetensors.numpy.save_file({"embed": values, "head": different}, path)
    (problem,) = plan.verify(path).problems
    assert problem.startswith("head: differs first at [4, 3]: 0.0 in the file")
    safetensors.numpy.save_file({"unrelated": values}, path)
    assert plan.verify(path).problems == ("unrelated: not a parameter of the plan", "embed: missing")


def test_what_the_plan_skipped_is_not_looked_at(tmp_path):
    tensors = {"w": np.ones((2, 3), np.float32), "steps": np.ones(1, np.int64)}
    safetensors.numpy.save_file(tensors, tmp_path / "source.safetensors")
    plan = normal_plan(str(tmp_path / "source.safetensors"))  # type: ignore[arg-type]
    assert [name for name, _ in plan.skipped] == ["steps"]
    safetensors.numpy.save_file({"w": plan["w"], "steps": np.zeros(1, np.int64)}, tmp_path / "model.safetensors")
    assert plan.verify(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    "text",
    ["", "null", "[1]", "{", "[" * 100_000, '{"seed": ' * 200_000, '{"seed": ' + "9" * 5000 + "}", '"\\ud800"'],
    ids=["empty", "null", "list", "cut", "deep", "deeper", "long", "surrogate"],
)
def test_what_a_file_says_of_itself_is_believed_in_nothing(tmp_path, text):
    plan = normal_plan({"w": (3,)})
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file({"w": plan["w"]}, path, {"fanin": text})
    (problem,) = plan.verify(path).problems
    assert problem.startswith(f"{path}: its metadata must say where it is from, got ")
    assert len(problem) < 300 + len(str(path))


@pytest.mark.parametrize("value", [None, "x" * 10_000, [[1]] * 1000, {"a": {}}], ids=["null", "text", "list", "object"])
def test_what_a_file_says_of_its_seed_is_shown_shortly(tmp_path, value):
    plan = normal_plan({"w": (3,)})
    plan.save(tmp_path / "model.safetensors")
    told = json.loads(
        fanin.models.files_of(tmp_path / "model.safetensors")[str(tmp_path / "model.safetensors")].metadata["fanin"]
    )
    metadata = {"format": "pt", "fanin": json.dumps(told | {"seed": value})}
    safetensors.numpy.save_file({"w": plan["w"]}, tmp_path / "model.safetensors", metadata)
    (problem,) = plan.verify(tmp_path / "model.safetensors").problems
    assert "its seed is" in problem
    assert problem.endswith("the plan's 0")
    assert len(problem) < 300 + len(str(tmp_path))


def test_a_header_that_is_not_ours_is_a_problem(tmp_path):
    plan = normal_plan({"w": (3,)})
    path = tmp_path / "model.safetensors"
    plan.save(path)
    data = path.read_bytes()
    header = data[8 : 8 + int.from_bytes(data[:8], "little")] + b" " * 8
    path.write_bytes(len(header).to_bytes(8, "little") + header + data[-12:])
    (problem,) = plan.verify(path).problems
    assert problem == f"{path}: its header is not the one that fanin writes for these tensors"


def test_what_is_no_checkpoint_is_an_error(tmp_path):
    plan = normal_plan({"w": (3,)})
    path = tmp_path / "model.safetensors"
    for data in (b"", b"\0" * 7, b"\xff" * 100, (10**6).to_bytes(8, "little") + b"{}", b"\2" + bytes(7) + b"[]"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            plan.verify(path)
    plan.save(path, force=True)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        plan.verify(path)
    with pytest.raises(FileNotFoundError):
        plan.verify(tmp_path / "missing.safetensors")
    small_plan().save(tmp_path / "many.safetensors", max_shard_size=SHARDS)
    (tmp_path / "many-00002-of-00004.safetensors").unlink()
    with pytest.raises(ValueError, match="many-00002-of-00004"):
        small_plan().verify(tmp_path / "many.safetensors.index.json")


def changed_while_read(monkeypatch: pytest.MonkeyPatch, change: Callable[[], Any]) -> None:
    """Let a file change after its header is read."""
    original = tasks.tasks_of

    def after_the_change(*arguments: Any) -> Any:
        change()
        return original(*arguments)

    monkeypatch.setattr("fanin.plans.verifying.tasks_of", after_the_change)


def test_a_file_that_is_cut_meanwhile_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    plan = normal_plan({"w": (300,)})
    plan.save(path)
    size = path.stat().st_size
    changed_while_read(monkeypatch, lambda: os.truncate(path, size - 100))
    with pytest.raises(OSError, match=rf"ends at byte {size - 100}, 100 too early.*model\.safetensors"):
        plan.verify(path)


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="reads otherwise here")
def test_a_read_error_names_the_file(tmp_path, monkeypatch):
    def fail(*arguments: Any) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    plan = normal_plan({"w": (300,)})
    plan.save(tmp_path / "model.safetensors")
    monkeypatch.setattr(os, "preadv", fail)
    with pytest.raises(OSError, match=r"Input/output error.*model\.safetensors") as caught:
        plan.verify(tmp_path)
    assert caught.value.errno == errno.EIO


def test_reads_may_be_short(tmp_path, monkeypatch):
    plan = small_plan()
    plan.save(tmp_path)
    if hasattr(os, "preadv"):
        preadv = os.preadv
        monkeypatch.setattr(os, "preadv", lambda file, views, at: preadv(file, [views[0][:1001]], at))
        assert plan.verify(tmp_path)
        monkeypatch.delattr(os, "preadv")  # as on Windows and macOS
    assert plan.verify(tmp_path)


def test_verifying_changes_no_file(tmp_path):
    small_plan().save(tmp_path, max_shard_size=SHARDS)
    before = contents(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    if os.name == "posix":
        for path in tmp_path.iterdir():
            path.chmod(0o400)
    small_plan().verify(tmp_path)
    small_plan(seed=1).verify(tmp_path)
    assert contents(tmp_path) == before
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_bfloat16_of_the_reference_library(tmp_path):
    plan = normal_plan({"w": (33, 3)}, dtype="bfloat16")
    assert plan["w"].dtype == ml_dtypes.bfloat16
    safetensors.numpy.save_file(dict(plan.fill()), tmp_path / "model.safetensors")
    assert plan.verify(tmp_path)


def test_every_tensor_that_differs_is_named_once(tmp_path):
    shapes = {f"w.{number}": (3,) for number in range(500)}
    normal_plan(shapes).save(tmp_path)
    problems = normal_plan(shapes, seed=1).verify(tmp_path).problems
    assert {problem.split(":")[0] for problem in problems[1:]} == set(shapes)
    assert len(problems) == 501


def test_a_checkpoint_of_another_release_is_as_planned(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    with monkeypatch.context() as patched:
        patched.setattr(saving._core, "__version__", "9.9")
        small_plan().save(path)
    assert b'\\"version\\": \\"9.9\\"' in path.read_bytes()
    assert small_plan().verify(path)
    monkeypatch.setattr(saving, "STREAM", "v9")
    assert "its stream is 'v1', the plan's 'v9'" in small_plan().verify(path).problems[0]
