"""Describe this build of fanin and what it uses on this machine."""

from __future__ import annotations

from typing import Any

from . import _core
from .threads import get_num_threads


class Info(dict[str, Any]):
    """Hold facts by name, as a dict that prints as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self))
        texts = {key: ", ".join(value) if isinstance(value, list) else value for key, value in self.items()}
        return "\n".join(f"{key:{width}}  {text}" for key, text in texts.items())


def info() -> Info:
    """Describe this build of fanin and what it uses on this machine.

    Returns
    -------
    Info
        A dict that prints as a table. It holds the version; the instruction sets that were compiled, those of them that
        this processor has, and the active one (the best that it has, or what the environment variable FANIN_FORCE_ISA
        names); the compiler, the threading runtime, the number of threads, and what is known of CUDA.

    Raises
    ------
    ValueError
        If FANIN_FORCE_ISA names an instruction set that this build or processor does not have.

    Examples
    --------
    >>> here = info()
    >>> set(here["available_isas"]) <= set(here["compiled_isas"])
    True
    >>> here["active_isa"] in here["available_isas"]
    True
    """
    from . import cuda  # here, not at the top: `import fanin` is quicker without it

    here = {"threads": get_num_threads(), "cuda": cuda.status().reason}
    return Info({"version": _core.__version__} | _core.build_info() | here)
