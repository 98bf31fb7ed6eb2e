"""Write the config.json that a plan comes from beside the weights, so that transformers loads the directory."""

from __future__ import annotations

import errno
import json
import os
from typing import Any

from ..checkpoint import disk
from ..files.json_reader import parse_object
from ..files.regular import read_text
from .contents import Contents

_NAME = "config.json"


def path_of(plan: Contents, path: str | os.PathLike[str]) -> str | None:
    """Return the path of the config.json; None if the plan has none, or is not saved into a directory."""
    given = os.fspath(path)
    if plan.config is None or not (os.path.isdir(given) or given.endswith(os.sep)):
        return None
    return os.path.join(os.path.realpath(given), _NAME)


def require_free(plan: Contents, path: str, *, force: bool) -> None:
    """Raise FileExistsError if there is a config.json that says something else, which only `force` replaces."""
    if os.path.lexists(path) and not force and parse_object(read_text(path), f"{path}: the file") != stated(plan):
        raise FileExistsError(errno.EEXIST, "File exists, and says something else than this plan's config", path)


def place(plan: Contents, path: str) -> None:
    """Write the config.json, which appears complete or not at all."""
    partial = path + ".partial"
    disk.place(partial, (json.dumps(stated(plan), indent=2) + "\n").encode())
    os.replace(partial, path)
    disk.sync_directory(os.path.dirname(path))


def stated(plan: Contents) -> dict[str, Any]:
    """Return what the config.json says: what the plan's source said, with the dtype that the plan has.

    Weights are not quantized, whatever the source said. Where it says no dtype, transformers takes that of the weights.
    """
    values = {key: value for key, value in (plan.config or {}).items() if key != "quantization_config"}
    stated = [key for key in ("dtype", "torch_dtype") if values.get(key) is not None]
    dtypes = {row.dtype for row in plan.rows}
    if stated and len(dtypes) == 1:
        values |= dict.fromkeys(stated, *dtypes)
    return values
