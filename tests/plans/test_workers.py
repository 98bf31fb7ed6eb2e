"""Who draws and writes decides no byte: threads, processes, or any other executor."""

from __future__ import annotations

import concurrent.futures
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from typing import Any

import pytest
from costs import require_linear
from processes import ENVIRONMENT, TIMEOUT, run
from saves import SHARDS, contents, small_plan, small_tasks  # noqa: F401

import fanin
from fanin import _core
from fanin.plans import Saved, executors
from fanin.plans.executors import as_completed
from fanin.plans.tasks import Task, write
from fanin.recipes import Recipe

pytestmark = pytest.mark.usefixtures("small_tasks")


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> tuple[dict[str, bytes], Saved]:
    """Drawn whole, by one thread."""
    directory = tmp_path_factory.mktemp("reference")
    saved = small_plan().save(directory, max_shard_size=SHARDS, workers=1)
    return contents(directory), saved


def require_same(directory: Path, saved: Saved, reference: tuple[dict[str, bytes], Saved]) -> None:
    files, alone = reference
    assert contents(directory) == files
    for ours, theirs in zip(saved.groups, alone.groups, strict=True):
        assert ours.observed.count == theirs.observed.count
        assert ours.observed.mean == pytest.approx(theirs.observed.mean, rel=1e-12, abs=1e-15)
        assert ours.observed.std == pytest.approx(theirs.observed.std, rel=1e-12)


@pytest.mark.parametrize("workers", [1, 2, 4, None])
def test_any_number_of_threads(tmp_path, reference, workers):
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, workers=workers)
    require_same(tmp_path, saved, reference)
    seen: list[int] = []
    verified = small_plan().verify(tmp_path, workers=workers, progress=seen.append)
    assert verified
    assert sum(seen) == verified.nbytes == small_plan().nbytes


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_process_pool_writes_the_same_bytes(tmp_path, reference, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        saved = small_plan().save(tmp_path, max_shard_size=SHARDS, executor=pool)
        require_same(tmp_path, saved, reference)
        assert small_plan().verify(tmp_path, executor=pool)
        damage(tmp_path / "model-00002-of-00004.safetensors")
        assert not small_plan().verify(tmp_path, executor=pool)
        with pytest.raises(OSError, match=r"gone\.partial") as caught:  # pickled, with the file's name
            list(as_completed(pool, write, [Task(0, 0, str(tmp_path / "gone.partial"), b"", 0, ())]))
        assert caught.value.errno == errno.ENOENT


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


class Strange(Executor):
    """Begins with the third call, and does the last first of those that wait."""

    def __init__(self) -> None:
        self.calls: LifoQueue[tuple[Future[Any], Callable[[], Any]]] = LifoQueue()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.calls.put((future, lambda: function(*arguments, **options)))
        if self.calls.qsize() == 3 and not self.thread.ident:
            self.thread.start()
        return future

    def work(self) -> None:
        while True:
            future, call = self.calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)


@pytest.mark.parametrize("kind", ["Inline", "Strange"])
def test_tasks_in_any_order_write_the_same_bytes(tmp_path, reference, kind):
    executor = globals()[kind]()
    require_same(tmp_path, small_plan().save(tmp_path, max_shard_size=SHARDS, executor=executor), reference)


def test_no_more_tasks_are_handed_over_than_memory_allows(monkeypatch):
    class Counting(ThreadPoolExecutor):
        waiting = most = 0

        def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
            future = super().submit(*arguments, **options)
            future.add_done_callback(self.less)
            return future

        def less(self, future: Future[Any]) -> None:
            self.waiting -= 1

    monkeypatch.setattr(executors, "_MOST_WAITING", 10)
    with Counting(1) as pool:
        assert sorted(done for finished in as_completed(pool, abs, range(-99, 1)) for _, done in finished) == list(
            range(100)
        )
    assert 1 <= pool.most <= 11


class Inline(Executor):
    """Does each call at once, in the caller's thread."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


class Worked(Exception):
    """What a task raises."""


class Abandoned(ThreadPoolExecutor):
    """Two threads, and an event that is set when the last of a hundred items is done or cancelled."""

    def __init__(self) -> None:
        super().__init__(2)
        self.last = threading.Event()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future = super().submit(function, *arguments, **options)
        if 99 in arguments:
            future.add_done_callback(lambda _: self.last.set())
        return future


def test_after_an_error_what_is_under_way_is_done_and_nothing_more():
    begun: list[int] = []
    second = threading.Event()

    def work(item: int) -> int:
        begun.append(item)
        if item == 0:
            second.wait(TIMEOUT)
            raise Worked
        second.set()
        if item < 3:
            pool.last.wait(TIMEOUT)
        return item

    done: list[int] = []
    with Abandoned() as pool, pytest.raises(Worked):
        done.extend(item for finished in as_completed(pool, work, range(100)) for item, _ in finished)
    assert sorted(begun)[:2] == [0, 1]
    assert len(begun) <= 3
    assert done == sorted(begun)[1:]


def test_a_taker_that_fails_ends_the_work():
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if 0 < item < 3:
            pool.last.wait(TIMEOUT)
        return item

    with Abandoned() as pool:
        completed = as_completed(pool, work, range(100))
        assert next(completed) == [(0, 0)]
        completed.close()
    assert len(begun) <= 3


def test_an_executor_that_fails_leaves_what_can_be_resumed(tmp_path, reference):
    class Failing(ThreadPoolExecutor):
        calls = 0

        def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
            self.calls += 1
            return super().submit(abs, "no number") if self.calls == 5 else super().submit(*arguments, **options)

    with Failing(1) as pool, pytest.raises(TypeError, match="bad operand"):
        small_plan().save(tmp_path, max_shard_size=SHARDS, executor=pool)
    assert "model.safetensors.journal" in contents(tmp_path)
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert saved.resumed > 0
    require_same(tmp_path, saved, reference)


def test_an_executor_that_is_shut_down(tmp_path):
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        small_plan().save(tmp_path, executor=pool)
    assert contents(tmp_path) == {}


def test_an_executor_that_is_shut_down_meanwhile(tmp_path):
    """Its futures are cancelled by another, which nobody who only waits is told."""
    pool = ThreadPoolExecutor(1)
    with pytest.raises(concurrent.futures.CancelledError):
        small_plan().save(tmp_path, executor=pool, progress=lambda _: pool.shutdown(wait=False, cancel_futures=True))
    assert small_plan().save(tmp_path, resume=True).resumed > 0


def test_what_processes_that_died_left_is_resumed(tmp_path, reference):
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    def kill(nbytes: int) -> None:
        for process in pool._processes.values():
            process.kill()

    with pool, pytest.raises(concurrent.futures.BrokenExecutor):
        small_plan().save(tmp_path, max_shard_size=SHARDS, executor=pool, progress=kill)
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert saved.resumed > 0
    require_same(tmp_path, saved, reference)


NORMAL = Recipe.from_dict({"name": "normal", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 0.02}}]})
ORTHOGONAL = {"pattern": "*", "scheme": "orthogonal"}
HE = {"scheme": "he_normal", "activation": "gelu", "truncate": 2.0}


def test_a_scheme_of_many_parts_can_be_sent_to_a_process(tmp_path):
    recipe = Recipe.from_dict({"name": "activations", "layout": "OI", "rules": [{"pattern": "*", "scheme": HE}]})
    plan = fanin.plan({"a": (30, 20), "b": (40, 30)}, recipe, seed=0)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        plan.save(tmp_path / "one.safetensors", executor=pool)
    plan.save(tmp_path / "two.safetensors")
    files = contents(tmp_path)
    assert files["one.safetensors"] == files["two.safetensors"]


@pytest.mark.parametrize("workers", [0, -1, True, 1.0, "2"])
def test_workers_must_be_a_positive_integer(tmp_path, workers):
    for call in (small_plan().save, small_plan().verify):
        small_plan().save(tmp_path / "there.safetensors", force=True)
        path = tmp_path / ("new.safetensors" if call.__name__ == "save" else "there.safetensors")
        with pytest.raises(ValueError, match=rf"workers must be a positive integer, got {workers!r}"):
            call(path, workers=workers)
    assert list(contents(tmp_path)) == ["there.safetensors"]


def test_an_executor_has_its_own_workers(tmp_path):
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="workers must not be given with an executor"):
        small_plan().save(tmp_path, executor=pool, workers=2)
    with pytest.raises(TypeError, match=r"executor must be a concurrent\.futures\.Executor.*get_executor\(\).*got 4"):
        small_plan().save(tmp_path, executor=4)  # type: ignore[arg-type]
    assert contents(tmp_path) == {}


def test_a_task_of_a_run_that_is_gone_writes_nothing(tmp_path):
    """A killed run had handed it to processes or to a cluster, and it begins when another run writes there."""
    tasks: list[Task] = []

    class Keeping(Inline):
        def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
            tasks.append(arguments[1])
            return super().submit(function, *arguments, **options)

    def late(nbytes: int) -> None:
        assert tasks
        before = (tmp_path / "model.safetensors.partial").read_bytes()
        for task in tasks:
            with pytest.raises(OSError, match="Another run's by now"):
                write(task)
        assert (tmp_path / "model.safetensors.partial").read_bytes() == before
        tasks.clear()
        raise Worked

    small_plan(seed=1).save(tmp_path, executor=Keeping())
    with pytest.raises(Worked):
        small_plan().save(tmp_path, force=True, executor=Inline(), progress=late)


KILLED_POOL = """
import multiprocessing, os, signal, sys
from concurrent.futures import ProcessPoolExecutor
import saves

if __name__ == "__main__":
    saves.cut_small()
    seen = []

    def progress(nbytes):
        seen.append(nbytes)
        if len(seen) == 3:
            print(*(process.pid for process in multiprocessing.active_children()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    pool = ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
    saves.small_plan().save(sys.argv[1], max_shard_size=saves.SHARDS, executor=pool, progress=progress)
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_what_a_killed_run_with_processes_left_is_resumed_while_they_live(tmp_path, reference):
    words = [sys.executable, "-c", KILLED_POOL, tmp_path]
    with subprocess.Popen(words, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        orphans = list(map(int, process.stdout.readline().split()))
        process.wait(TIMEOUT)
        assert len(orphans) == 2
        try:
            saved = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
        finally:
            for orphan in orphans:
                os.kill(orphan, signal.SIGKILL)
    assert saved.resumed > 0
    require_same(tmp_path, saved, reference)


MEMORY = """
import sys
import fanin
from fanin.recipes import Recipe
from processes import peak

recipe = Recipe.from_dict({"name": "normal", "rules": [{"pattern": "*", "scheme": "he_normal"}], "layout": "OI"})
fanin.plan({"w": (1000, 1000)}, recipe, seed=0).save(sys.argv[1], force=True)
before = peak()
plan = fanin.plan({f"h.{i}": (4096, 4096) for i in range(16)}, recipe, seed=0)
plan.save(sys.argv[1], max_shard_size="300MB", force=True, workers=4)
assert plan.verify(sys.argv[1] + ".index.json", workers=4)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
def test_a_gigabyte_takes_less_memory_than_one_of_its_parameters(tmp_path):
    assert int(run(MEMORY, tmp_path / "model.safetensors")) < 4 * 4096**2
    assert len(os.listdir(tmp_path)) == 5


@pytest.mark.parametrize("shape", [(320, 64), (64, 320), (100, 100), (8, 50, 50)], ids=str)
def test_an_orthogonal_parameter_is_drawn_once(tmp_path, monkeypatch, shape):
    """Its parts would cost as much as the whole."""
    plan = fanin.plan({"w": shape}, Recipe.from_dict({"name": "q", "layout": "OI", "rules": [ORTHOGONAL]}), seed=0)
    whole, draws = plan["w"], []
    monkeypatch.setattr(_core, "orthogonal", lambda *arguments, draw=_core.orthogonal: draws.append(draw(*arguments)))
    plan.save(tmp_path, workers=2)
    assert len(draws) == 1
    assert (tmp_path / "model.safetensors").read_bytes().endswith(whole.tobytes())


@pytest.mark.slow
def test_the_cost_of_a_parameter_does_not_grow_with_their_number(tmp_path):
    def save(count: int) -> Callable[[], None]:
        plan = fanin.plan({f"h.{i}.weight": (3,) for i in range(count)}, NORMAL, seed=0)

        def save_and_verify() -> None:
            plan.save(tmp_path, workers=2, force=True)
            assert plan.verify(tmp_path, workers=2)

        return save_and_verify

    require_linear(save, 3_000)
