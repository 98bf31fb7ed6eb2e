"""Make small saves with many steps, and check what must be true of a directory at every moment of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.numpy

import fanin
from fanin.plans import Plan, chunks, tasks
from fanin.recipes import Recipe

RECIPE = Recipe.from_dict(
    {
        "name": "small",
        "rules": [
            {"pattern": "*.bias", "scheme": "zeros"},
            {"pattern": "*", "scheme": {"scheme": "normal", "std": 0.02}},
        ],
    }
)
# Nine tensors of 33 kB, which SHARDS divides among three files.
SHAPES: dict[str, tuple[int, ...]] = {
    **{f"h.{i}.weight": (40, 50) for i in range(4)},
    **{f"h.{i}.bias": (50,) for i in range(4)},
    "empty.weight": (0, 3),
}
SHARDS = 14_000
WHOLE = 10**9  # a size of shards that makes one file
TASK, PIECE = 3000, 1000

posix_only = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals and forks")


def small_plan(seed: int = 0, **options: Any) -> Plan:
    return fanin.plan(SHAPES, RECIPE, seed=seed, **options)


def cut_small() -> None:
    """Make chunks and tasks so small that small models have many of them."""
    tasks.TASK, chunks.CHUNK = TASK, PIECE


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "TASK", TASK)
    monkeypatch.setattr(chunks, "CHUNK", PIECE)


def contents(directory: str | os.PathLike[str]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(directory).iterdir())}


def require_nothing_half(directory: str | os.PathLike[str], *wholes: dict[str, bytes]) -> None:
    """Assert that every file with the name of a checkpoint is complete, and all belong to one: one of `wholes`."""
    there = contents(directory)
    for name, data in there.items():
        if name.endswith((".safetensors", ".index.json")):
            assert data in [whole[name] for whole in wholes if name in whole], f"{name} is half-written"
        elif name.endswith(".safetensors.partial"):
            try:
                safetensors.numpy.load(data)
            except safetensors.SafetensorError:
                continue
            assert data in [whole.get(name.removesuffix(".partial")) for whole in wholes], f"{name} can be loaded"
    for name, data in there.items():
        if name.endswith(".index.json"):
            files = {name, *json.loads(data)["weight_map"].values()}
            assert any(all(there.get(file) == whole.get(file) for file in files) for whole in wholes), "a mixture"
