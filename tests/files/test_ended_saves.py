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
from pathlib import Path
from typing import Any

import pytest
from interrupted import Stop, interrupt, stop_after
from paths import SUPPORT
from processes import ENVIRONMENT, TIMEOUT, command
from saves import SHARDS, WHOLE, contents, posix_only, require_nothing_half, small_plan, small_tasks  # noqa: F401

pytestmark = pytest.mark.usefixtures("small_tasks")

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
@pytest.mark.parametrize("every", [23, pytest.param(1, marks=pytest.mark.slow)])
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
