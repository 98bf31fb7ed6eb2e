"""Check seeds, which are 64-bit integers or NumPy's SeedSequence, and make fresh ones."""

from __future__ import annotations

import operator
import os

from .types import Seed

_HINT = "fanin.fresh_seed() returns an int to use and to log"


def as_seed(seed: Seed) -> int:
    """Return `seed` as an int in [0, 2**64)."""
    if type(seed) is not int:
        seed = _convert(seed)
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be in [0, 2^64), got {seed}")
    return seed


def _convert(seed: Seed) -> int:
    if hasattr(seed, "generate_state"):  # a SeedSequence; numpy.random is slow to import and may not be needed
        return int(seed.generate_state(1, "uint64")[0])
    try:
        if not isinstance(seed, bool):
            return operator.index(seed)
    except TypeError:
        pass
    raise TypeError(f"seed must be an int or a numpy.random.SeedSequence, got {seed!r}; {_HINT}")


def fresh_seed() -> int:
    """Make a seed from the operating system's entropy, to log and to pass on.

    Returns
    -------
    int
        The seed, in [0, 2**64).

    Examples
    --------
    >>> seed = fresh_seed()
    >>> 0 <= seed < 2**64
    True
    """
    return int.from_bytes(os.urandom(8), "little")
