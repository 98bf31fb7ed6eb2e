"""Interrupt saves once so many of their tasks are on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saves import contents, small_plan

from fanin.plans import Plan


class Stop(Exception):
    """What ends a save in these tests."""


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
