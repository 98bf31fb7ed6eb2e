"""What this build of fanin is and what it uses here."""

from __future__ import annotations

from typing import Any

from . import _core, cuda
from .threads import get_num_threads


class Info(dict[str, Any]):
    """A dict that prints as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self))
        return "\n".join(f"{key:{width}}  {value}" for key, value in self.items())


def info() -> Info:
    """The version, the instruction sets compiled and the one active, threads, OpenMP and CUDA.

    Examples
    --------
    >>> sorted(info())  # doctest: +ELLIPSIS
    ['compiler', 'cuda', ...]
    """
    here = {"threads": get_num_threads(), "cuda": cuda.status().reason}
    return Info({"version": _core.__version__} | _core.build_info() | here)
