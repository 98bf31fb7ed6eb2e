"""A cluster draws and writes the bytes that one process does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from lazily import Peer
from saves import SHARDS, contents, require_nothing_half, small_plan, small_tasks  # noqa: F401

import fanin

dask = Peer("dask")
distributed = Peer("distributed")

pytestmark = [
    pytest.mark.peer,
    pytest.mark.xdist_group("dask"),  # of which each worker would start a cluster
    pytest.mark.usefixtures("small_tasks"),
    pytest.mark.filterwarnings("ignore"),  # Dask's own, of ports, files and event loops
]


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[Any]:
    """Start a cluster of four processes on this machine."""
    with (
        dask.config.set(temporary_directory=str(tmp_path_factory.mktemp("dask"))),
        distributed.LocalCluster(
            n_workers=4,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Any:
    directory = tmp_path_factory.mktemp("alone")
    saved = small_plan().save(directory, max_shard_size=SHARDS, workers=1)
    return contents(directory), saved


def test_four_processes_of_a_cluster(tmp_path, client, alone):
    files, reference = alone
    assert len(client.scheduler_info(n_workers=-1)["workers"]) == 4
    executor = client.get_executor()
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, executor=executor)
    assert contents(tmp_path) == files
    for ours, theirs in zip(saved.groups, reference.groups, strict=True):
        assert ours.observed.count == theirs.observed.count
        assert ours.observed.mean == pytest.approx(theirs.observed.mean, rel=1e-12, abs=1e-15)
        assert ours.observed.std == pytest.approx(theirs.observed.std, rel=1e-12)
    assert small_plan().verify(tmp_path, executor=executor)


def test_the_same_work_is_done_again(tmp_path, client, alone, monkeypatch):
    """Dask takes equal calls for one while a future of it lives; but a file may have changed since."""
    executor = client.get_executor()
    futures: list[Any] = []
    submit = executor.submit
    monkeypatch.setattr(executor, "submit", lambda *arguments: futures.append(submit(*arguments)) or futures[-1])
    for _ in range(3):
        small_plan().save(tmp_path, max_shard_size=SHARDS, executor=executor, force=True)
        assert contents(tmp_path) == alone[0]
        assert small_plan().verify(tmp_path, executor=executor)
        path = tmp_path / "model-00003-of-00004.safetensors"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        assert len(small_plan().verify(tmp_path, executor=executor).problems) == 1


def test_an_interrupted_run_is_resumed_also_by_threads(tmp_path, client, alone):
    seen: list[int] = []

    def progress(nbytes: int) -> None:
        seen.append(nbytes)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_plan().save(tmp_path, max_shard_size=SHARDS, executor=client.get_executor(), progress=progress)
    require_nothing_half(tmp_path)
    saved = small_plan().save(tmp_path, max_shard_size=SHARDS, resume=True)
    assert saved.resumed > 0
    assert contents(tmp_path) == alone[0]


def test_another_seed_right_after_an_interruption(tmp_path, client, alone):
    """What workers still do for the run before is not seen in the files of this one."""

    def progress(nbytes: int) -> None:
        raise KeyboardInterrupt

    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            small_plan(seed=1).save(
                tmp_path, max_shard_size=SHARDS, executor=client.get_executor(), force=True, progress=progress
            )
        small_plan().save(tmp_path, max_shard_size=SHARDS, executor=client.get_executor(), force=True)
        assert contents(tmp_path) == alone[0]


def test_an_error_of_a_worker_is_the_callers(tmp_path, client):
    def remove(nbytes: int) -> None:
        for name in os.listdir(tmp_path):
            if name.endswith(".partial"):
                os.unlink(tmp_path / name)

    # A large first task, so that the others find their file gone.
    plan = fanin.plan({f"w.{number}": (300, 300) for number in range(40)}, small_plan().recipe, seed=0)
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors\.partial"):
        plan.save(tmp_path, executor=client.get_executor(), progress=remove)
