"""Whatever befalls what an interrupted save left, nothing wrong is taken for the checkpoint."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from interrupted import interrupt, stop_after
from saves import SHARDS, WHOLE, contents, posix_only, require_nothing_half, small_plan, small_tasks  # noqa: F401

pytestmark = pytest.mark.usefixtures("small_tasks")


def resumed_after(change: Callable[[Path], None], tmp_path: Path, left: dict[str, bytes]) -> dict[str, bytes]:
    """What is there after a change of what an interrupted run left, and a resume."""
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    for name, data in left.items():
        (tmp_path / name).write_bytes(data)
    change(tmp_path / "model.safetensors.journal")
    small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True, workers=1)
    return contents(tmp_path)


def test_a_journal_cut_at_any_byte_is_resumed(tmp_path, whole):
    left, expected = interrupt(tmp_path, 9, max_shard_size=SHARDS), whole(SHARDS)
    size = len(left["model.safetensors.journal"])
    for length in [0, 1, *range(7, size, 67), size - 1]:
        assert resumed_after(lambda path, to=length: os.truncate(path, to), tmp_path, left) == expected, length


def test_a_journal_with_any_byte_changed_is_resumed(tmp_path, whole):
    left, expected = interrupt(tmp_path, 9, max_shard_size=SHARDS), whole(SHARDS)
    journal = left["model.safetensors.journal"]
    chance = random.Random(0)
    for position in chance.sample(range(len(journal)), 16):
        changed = bytearray(journal)
        changed[position] ^= 1 << chance.randrange(8)
        assert resumed_after(lambda path, data=changed: path.write_bytes(data), tmp_path, left) == expected, position


@pytest.mark.parametrize(
    "data",
    [b"\n", b"{}\n", b"\0" * 500, b'{"seed": 0}\n[0, 0, 33000, []]\n', random.Random(0).randbytes(300)],
    ids=["no line", "no fields", "zeros", "other fields", "noise"],
)
def test_a_journal_of_other_bytes_says_nothing(tmp_path, whole, data):
    left = interrupt(tmp_path, max_shard_size=SHARDS) | {"model.safetensors.journal": data}
    assert resumed_after(lambda path: None, tmp_path, left) == whole(SHARDS)
    resumed_after(lambda path: None, tmp_path, {})
    other = tmp_path / "other.safetensors.journal"
    other.write_bytes(data)
    with pytest.raises(FileExistsError):
        small_plan().save(tmp_path / "other.safetensors")
    assert other.read_bytes() == data


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: os.truncate(path, 5),
        lambda path: os.truncate(path, path.stat().st_size + 1),
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        lambda path: (path.unlink(), path.symlink_to("nowhere")),
    ],
    ids=["missing", "short", "long", "another's", "link"],
)
def test_a_partial_file_that_is_not_what_was_left_is_drawn_again(tmp_path, whole, change):
    interrupt(tmp_path, 9, max_shard_size=SHARDS)
    change(tmp_path / "model-00001-of-00004.safetensors.partial")
    interrupt(tmp_path, 2, max_shard_size=SHARDS, resume=True)  # once more: the first record of the file is void
    small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert contents(tmp_path) == whole(SHARDS)


@pytest.mark.parametrize(
    "name", ["model-00002-of-00004.safetensors", "model.safetensors.index.json", "model.safetensors"]
)
def test_a_file_that_someone_else_made_meanwhile_is_kept(tmp_path, whole, name):
    def make(nbytes: int) -> None:
        (tmp_path / name).write_text("precious")

    with pytest.raises(FileExistsError, match=name):
        small_plan().save(tmp_path, max_shard_size=SHARDS, progress=make)
    left = contents(tmp_path)
    assert left[name] == b"precious"
    with pytest.raises(FileExistsError, match=name):
        small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True, progress=stop_after(1))
    assert contents(tmp_path) == left
    (tmp_path / name).unlink()
    assert small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True).resumed == small_plan().nbytes
    assert contents(tmp_path) == whole(SHARDS)


def test_a_partial_file_that_vanishes_meanwhile_is_missed(tmp_path, whole):
    """However late: an index is not written without one of its files."""
    left = len(interrupt(tmp_path, 12, max_shard_size=SHARDS)["model.safetensors.journal"].splitlines())
    assert left > 5

    def remove(nbytes: int) -> None:
        (tmp_path / "model-00001-of-00004.safetensors.partial").unlink(missing_ok=True)

    with pytest.raises(FileNotFoundError, match=r"model-00001-of-00004\.safetensors\.partial"):
        small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True, progress=remove)
    require_nothing_half(tmp_path, whole(SHARDS))
    assert not (tmp_path / "model.safetensors.index.json").exists()
    assert small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True).resumed > 0
    assert contents(tmp_path) == whole(SHARDS)


@posix_only
def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path):
    for name in ("model.safetensors.journal", "model.safetensors.index.json", "model.safetensors"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(OSError, match="Not a regular file"):
            small_plan().save(tmp_path, force=True)
        (tmp_path / name).unlink()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "model.safetensors.journal").symlink_to("precious")
    with pytest.raises(OSError, match="Is a symbolic link"):
        small_plan().save(tmp_path, force=True)
    (tmp_path / "model.safetensors.journal").unlink()
    (tmp_path / "model.safetensors.partial").symlink_to("precious")
    with pytest.raises(FileExistsError):
        small_plan().save(tmp_path, resume=True)
    small_plan().save(tmp_path, force=True)
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "model.safetensors").is_symlink()


@posix_only
def test_a_link_is_followed_to_where_the_files_shall_be(tmp_path, whole):
    (tmp_path / "real").mkdir()
    (tmp_path / "link.safetensors").symlink_to("real/model.safetensors")
    small_plan().save(tmp_path / "link.safetensors")
    assert (tmp_path / "link.safetensors").is_symlink()
    assert contents(tmp_path / "real") == whole(WHOLE)


def test_the_moments_of_what_an_interrupted_run_drew_are_kept(tmp_path):
    once = small_plan().save(tmp_path / "once.safetensors").groups
    interrupt(tmp_path, 4, max_shard_size=SHARDS)
    again = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True).groups
    for one, other in zip(once, again, strict=True):
        assert one.observed.count == other.observed.count == one.expected.count
        assert other.observed.mean == pytest.approx(one.observed.mean, rel=1e-12, abs=1e-15)
        assert other.observed.std == pytest.approx(one.observed.std, rel=1e-12)


def test_an_index_is_never_there_before_its_files(tmp_path, monkeypatch):
    replace = os.replace
    order: list[str] = []

    def follow(source: str, target: str) -> None:
        replace(source, target)
        order.append(os.path.basename(target))
        if target.endswith(".json"):
            named = set(json.loads(Path(target).read_text())["weight_map"].values())
            assert named <= set(os.listdir(tmp_path))

    monkeypatch.setattr(os, "replace", follow)
    small_plan().save(tmp_path, max_shard_size=SHARDS)
    assert order[-1] == "model.safetensors.index.json"
    assert len(order) == 5
