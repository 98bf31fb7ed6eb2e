"""Hand work to any executor, a bounded number of tasks at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain
from queue import Empty, SimpleQueue
from typing import TypeVar

from .. import _core

T = TypeVar("T")
R = TypeVar("R")

_MOST_WORKERS = 8  # threads unless the caller says how many: enough for any disk
_MOST_WAITING = 1024  # tasks that may be handed over and not yet done; each takes a few kB of memory


@contextmanager
def workers(executor: Executor | None, count: int | None) -> Iterator[Executor]:
    """Yield the executor given, or one of `count` threads: by default as many as fanin uses, but at most eight."""
    if executor is not None:
        if not isinstance(executor, Executor):
            raise TypeError(
                f"executor must be a concurrent.futures.Executor, as Dask's Client.get_executor() is, got {executor!r}"
            )
        if count is not None:
            raise ValueError(f"workers must not be given with an executor, which has its own, got {count!r}")
        yield executor
        return
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ValueError(f"workers must be a positive integer, got {count!r}")
    pool = ThreadPoolExecutor(count or min(_core.get_num_threads(), _MOST_WORKERS))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def as_completed(
    executor: Executor, function: Callable[[T], R], items: Iterable[T]
) -> Generator[list[tuple[T, R]], None, None]:
    """Call a function for every item in an executor; yield lists of items with their results as they are done.

    After an error or an interruption no further call begins, and those that run are waited for. Their results are still
    yielded before the error is raised, unless it was the consumer of this generator who failed.
    """
    pending: dict[Future[R], T] = {}
    done: SimpleQueue[Future[R]] = SimpleQueue()  # futures put themselves here, also those that someone else cancels
    run = os.urandom(8).hex()
    rest = iter(items)
    error: BaseException | None = None
    try:
        while error is None:
            for item in rest:
                future = executor.submit(_call, function, item, run)
                pending[future] = item
                future.add_done_callback(done.put)
                if len(pending) >= _MOST_WAITING:
                    break
            if not pending:
                return
            finished = []
            for future in chain([done.get()], _more(done)):
                item = pending.pop(future)
                failure = future.exception()
                if failure is None:
                    finished.append((item, future.result()))
                error = error or failure
            if finished:
                yield finished
    except GeneratorExit:
        _abandon(pending)
        raise
    except BaseException as raised:
        error = raised
    _abandon(pending)
    under_way = [(item, future) for future, item in pending.items() if not future.cancelled()]
    if finished := [(item, future.result()) for item, future in under_way if future.exception() is None]:
        yield finished
    raise error


def _more(done: SimpleQueue[R]) -> Iterator[R]:
    """Yield what is in the queue by now, without waiting."""
    while True:
        try:
            yield done.get_nowait()
        except Empty:
            return


def _call(function: Callable[[T], R], item: T, run: str) -> R:
    """Call the function. `run` differs between runs: Dask would not repeat a call that equals an earlier one."""
    return function(item)


def _abandon(pending: Iterable[Future[R]]) -> None:
    """Cancel the calls that have not begun, and wait for those that have."""
    left: SimpleQueue[Future[R]] = SimpleQueue()
    under_way = [future for future in pending if not future.cancel()]
    for future in under_way:
        future.add_done_callback(left.put)
    for _ in under_way:
        left.get()
