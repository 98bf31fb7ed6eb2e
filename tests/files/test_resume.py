"""A save that is killed, interrupted or refused at any moment leaves nothing that looks whole, and can be resumed."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from paths import SUPPORT
from processes import ENVIRONMENT, TIMEOUT, command
from saves import RECIPE, SHAPES, SHARDS, contents, require_nothing_half, small_plan, small_tasks  # noqa: F401

import fanin
from fanin import _core
from fanin.plans import Plan
from fanin.recipes import Recipe

WHOLE = 10**9  # a size of shards that makes one file
posix_only = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals and forks")

pytestmark = pytest.mark.usefixtures("small_tasks")


class Stop(Exception):
    """What ends a save in these tests."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[[int], dict[str, bytes]]:
    """What an uninterrupted save of the small plan writes, for each size of shards."""

    def saved(max_shard_size: int) -> dict[str, bytes]:
        directory = tmp_path_factory.mktemp("whole")
        small_plan().save(directory, max_shard_size=max_shard_size)
        return contents(directory)

    return saved


def stop_after(tasks: int, error: type[BaseException] = Stop) -> Callable[[int], None]:
    """A progress that fails once so many tasks are on record."""
    seen: list[int] = []

    def progress(nbytes: int) -> None:
        seen.append(nbytes)
        if len(seen) >= tasks:
            raise error

    return progress


def interrupt(path: Path, tasks: int = 4, plan: Plan | None = None, **options: Any) -> dict[str, bytes]:
    with pytest.raises(Stop):
        (plan or small_plan()).save(path, workers=1, progress=stop_after(tasks), **options)
    left = contents(path.parent if path.suffix else path)
    assert "model.safetensors.journal" in left
    return left


# A save by two workers that is killed, interrupted or held before one of its steps, or announces each of them. It
# prints how many steps it has begun.
STEPPED = """
import itertools, os, signal, sys, threading
import saves

directory, size, moment, act = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
steps, interrupted = itertools.count(1), threading.Event()

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    interrupted.wait()

def hold():
    print("held", flush=True)
    sys.stdin.readline()

def announce():
    os.write(1, b"step\\n")

def raise_interrupt(*arguments):
    interrupted.set()
    raise KeyboardInterrupt

def stepped(call):
    def step(*arguments):
        if next(steps) == moment or act == "announce":
            globals()[act]()
        return call(*arguments)
    return step

signal.signal(signal.SIGINT, raise_interrupt)
for name in ("pwrite", "fdatasync", "fsync", "replace", "unlink"):
    setattr(os, name, stepped(getattr(os, name)))
saves.cut_small()
saves.small_plan().save(directory, max_shard_size=size, resume=True, workers=2)
print(next(steps) - 1)
"""


def stepped(directory: Path, size: int, moment: int, act: str) -> subprocess.Popen[str]:
    """The process of such a save; there is no step 0."""
    words = [sys.executable, "-c", STEPPED, directory, str(size), str(moment), act]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(words, env=ENVIRONMENT, text=True, **pipes)


@posix_only
@pytest.mark.parametrize("size", [SHARDS, WHOLE])
@pytest.mark.parametrize("act", ["kill", "announce"])
@pytest.mark.parametrize("kills", [2, pytest.param(25, marks=pytest.mark.slow)])
def test_killed_at_random_moments_and_resumed_the_bytes_are_the_same(tmp_path, whole, size, act, kills):
    """The process kills itself right before a step, or this one kills it from outside, wherever it is by then."""
    chance = random.Random(kills)
    expected = whole(size)
    with stepped(tmp_path, size, 0, "hold") as process:
        printed, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, errors
    steps = int(printed)
    assert steps > 40
    killed = 0
    while killed < kills:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        again = True
        while again:
            moment = chance.randint(1, steps)
            with stepped(tmp_path, size, moment, act) as process:
                if act == "announce":
                    for _ in range(moment):
                        process.stdout.readline()
                    process.kill()
                _, errors = process.communicate(timeout=TIMEOUT)
            assert process.returncode in (0, -signal.SIGKILL), errors
            require_nothing_half(tmp_path, expected)
            killed += process.returncode != 0
            again = process.returncode != 0 and killed < kills and chance.random() < 0.7
        small_plan().save(tmp_path, max_shard_size=size, resume=True)
        assert contents(tmp_path) == expected


@posix_only
@pytest.mark.parametrize("size", [SHARDS, WHOLE])
@pytest.mark.parametrize("flags", [(), ("force",), ("power",), ("power", "force")], ids="-".join)
@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_ended_before_any_step_and_resumed_the_bytes_are_the_same(tmp_path, size, flags, every):
    """A kill ends it, or a power loss that undoes by chance what is not synced; it is new, or replaces a checkpoint."""
    tried = command(sys.executable, SUPPORT / "crashes.py", tmp_path, size, *flags, f"every={every}")
    assert int(tried) > 40 // every  # a save takes 80 steps or so: several pieces may go on record in one of them


@pytest.mark.parametrize("size", [SHARDS, WHOLE])
@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()], ids=["EIO", "Ctrl-C"]
)
@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "fsync", "replace", "open"])
def test_after_an_error_in_any_call_what_is_on_record_is_kept(tmp_path, whole, monkeypatch, size, error, call):
    expected = whole(size)
    original = getattr(os, call)
    failing = 0
    failed = True
    while failed:
        failing += 1
        calls = 0

        def fail(*arguments: Any, failing: int = failing, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == failing:
                if call == "pwrite" and len(arguments[1]) > 16:  # fewer are in one page of memory
                    original(arguments[0], arguments[1][: len(arguments[1]) // 2], arguments[2])
                raise error
            return original(*arguments, **options)

        monkeypatch.setattr(os, call, fail)
        try:
            small_plan().save(tmp_path, max_shard_size=size, workers=1)
            failed = False
            assert calls < failing
        except type(error):
            pass
        monkeypatch.setattr(os, call, original)
        require_nothing_half(tmp_path, expected)
        journal = contents(tmp_path).get("model.safetensors.journal", b"")
        if failed and journal.count(b"\n") < 2:
            assert not any(name.endswith((".partial", ".journal")) for name in contents(tmp_path))
        recorded = sum(json.loads(line.partition(b" ")[2])[2] for line in journal.split(b"\n")[1:-1])
        complete = contents(tmp_path) == expected
        saved = small_plan().save(tmp_path, max_shard_size=size, resume=True)
        assert saved.resumed == (small_plan().nbytes if complete else recorded)
        assert contents(tmp_path) == expected
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()


def test_an_error_of_a_worker_names_the_file(tmp_path, monkeypatch):
    def fail(*arguments: Any) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    interrupt(tmp_path)
    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match=r"model\.safetensors\.partial'$") as caught:
        small_plan().save(tmp_path, resume=True)
    assert caught.value.errno == errno.EIO


FULL_DISK = """
import errno, os, subprocess, sys
import saves

directory, size, reserved = sys.argv[1], int(sys.argv[2]), sys.argv[3]
if reserved == "unreserved":
    del os.posix_fallocate
saves.cut_small()
try:
    saves.small_plan().save(directory, max_shard_size=size, workers=1)
except OSError as error:
    assert error.errno == errno.ENOSPC and error.filename.startswith(directory), error
else:
    raise AssertionError("there was room")
saves.require_nothing_half(directory)
print(os.listdir(directory))
# The type and the source are given again: without them mount would also repeat the options that the kernel shows, among
# them the id of a user that this namespace does not have.
subprocess.run(["mount", "-t", "tmpfs", "-o", "remount,size=1m", "none", directory], check=True)
saved = saves.small_plan().save(directory, max_shard_size=size, resume=True)
print(saved.resumed)
whole = os.path.join(directory, "whole")
os.mkdir(whole)
saves.small_plan().save(whole, max_shard_size=size)
there = saves.contents(whole)
for name in there:
    os.unlink(os.path.join(whole, name))
os.rmdir(whole)
assert saves.contents(directory) == there
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk in a namespace of its own")
@pytest.mark.parametrize("size", [SHARDS, WHOLE])
@pytest.mark.parametrize("reserved", ["reserved", "unreserved"])
def test_a_full_disk_is_an_error_after_which_there_is_nothing_or_what_can_be_resumed(tmp_path, size, reserved):
    private = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not permitted here, so no small disk can be mounted")
    script = 'mount -t tmpfs -o size=24k none "$0" && exec "$@"'
    program = (sys.executable, "-c", FULL_DISK, tmp_path, size, reserved)
    left, resumed = command(*private, "sh", "-c", script, tmp_path, *program).splitlines()
    if reserved == "reserved":
        assert (left, resumed) == ("[]", "0")
    else:
        assert "'model.safetensors.journal'" in left
        assert int(resumed) > 0


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop])
def test_an_interruption_once_something_is_on_record_can_be_resumed(tmp_path, whole, error):
    with pytest.raises(error):
        small_plan().save(tmp_path, workers=1, progress=stop_after(3, error))
    assert sorted(contents(tmp_path)) == ["model.safetensors.journal", "model.safetensors.partial"]
    seen: list[int] = []
    saved = small_plan().save(tmp_path, resume=True, progress=seen.append)
    assert seen[0] == saved.resumed > 0
    assert sum(seen) == small_plan().nbytes
    assert contents(tmp_path) == whole(WHOLE)


@posix_only
@pytest.mark.parametrize("moment", [1, 10, 25, 40])
def test_ctrl_c_leaves_nothing_or_what_can_be_resumed(tmp_path, whole, moment):
    with stepped(tmp_path, SHARDS, moment, "interrupt") as process:
        _, errors = process.communicate(timeout=TIMEOUT)
    assert process.returncode == -signal.SIGINT, errors
    left = contents(tmp_path)
    assert left == {} or left["model.safetensors.journal"].count(b"\n") > 1
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert (saved.resumed > 0) == bool(left)
    assert contents(tmp_path) == whole(SHARDS)


@posix_only
def test_two_processes_do_not_write_one_checkpoint(tmp_path, whole):
    with stepped(tmp_path, SHARDS, 30, "hold") as process:
        assert process.stdout.readline() == "held\n"
        for options in ({"resume": True}, {"force": True}, {}):
            with pytest.raises(OSError, match="In use by another process") as caught:
                small_plan(seed=5).save(tmp_path, max_shard_size=SHARDS, **options)
            assert caught.value.errno == errno.EBUSY
        _, errors = process.communicate("\n", timeout=TIMEOUT)
    assert process.returncode == 0, errors
    assert contents(tmp_path) == whole(SHARDS)


def test_two_threads_do_not_write_one_checkpoint(tmp_path, whole):
    def again(nbytes: int) -> None:
        with pytest.raises(OSError, match="In use"):
            small_plan(seed=5).save(tmp_path, force=True)

    small_plan().save(tmp_path, progress=again)
    assert contents(tmp_path) == whole(WHOLE)


@posix_only
def test_a_child_does_not_hold_the_checkpoint(tmp_path, whole):
    """A process pool leaves such a worker when the run that made it is killed."""
    children: list[int] = []
    begun, begin = os.pipe()

    def progress(nbytes: int) -> None:
        child = os.fork()
        if not child:
            signal.alarm(TIMEOUT)  # if this process dies
            os.write(begin, b"x")
            signal.pause()
            os._exit(0)
        children.append(child)
        os.read(begun, 1)
        raise Stop

    with pytest.raises(Stop):
        small_plan().save(tmp_path, workers=1, progress=progress)
    try:
        small_plan().save(tmp_path, resume=True)
    finally:
        os.kill(children[0], signal.SIGKILL)
        os.waitpid(children[0], 0)
        os.close(begun)
        os.close(begin)
    assert contents(tmp_path) == whole(WHOLE)


OTHER_STD = Recipe.from_dict(
    RECIPE.to_dict() | {"rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 0.1}}]}
)
OTHER_NAME = Recipe.from_dict(RECIPE.to_dict() | {"name": "other"})


@pytest.mark.parametrize(
    ("other", "options", "words"),
    [
        (lambda: small_plan(seed=1), {}, ["seed must be that of the interrupted run, 0, got 1"]),
        (lambda: fanin.plan(SHAPES, OTHER_NAME, 0), {}, ["recipe must be", "'small'", "'other'"]),
        (lambda: fanin.plan(SHAPES, OTHER_STD, 0), {}, ["recipe_digest must be", RECIPE.digest, OTHER_STD.digest]),
        (lambda: small_plan(dtype="float64"), {}, ["dtypes must be", "['float32']", "['float64']"]),
        (small_plan, {"max_shard_size": 20_000}, ["max_shard_size must be", "14000", "20000"]),
        (lambda: small_plan(renamed={"h.1.weight": "old"}), {}, ["renamed_digest must be", "None"]),
        (lambda: fanin.plan(SHAPES | {"h.4.weight": (3,)}, RECIPE, 0), {}, ["tensors must be"]),
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
