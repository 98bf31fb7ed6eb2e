"""What saves are compared with, and a Python without transformers, which would read configs by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from saves import contents, small_plan


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Callable[[int], dict[str, bytes]]:
    """What an uninterrupted save of the small plan writes, for each size of shards."""

    def saved(max_shard_size: int) -> dict[str, bytes]:
        directory = tmp_path_factory.mktemp("whole")
        small_plan().save(directory, max_shard_size=max_shard_size)
        return contents(directory)

    return saved


@pytest.fixture
def no_transformers(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
