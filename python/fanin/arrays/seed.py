"""Check seeds, which are 64-bit integers or NumPy's SeedSequence, and make fresh ones."""

from __future__ import annotations

import operator
import os
import sys
from typing import Any

from ..text import short
from .types import Seed

_FRESH = "; fanin.fresh_seed() returns an int to use and to log"
_GENERATORS = ("integers", "tomaxint", "random_raw", "initial_seed")  # NumPy's three kinds, and torch's
_FROM = "; fanin.seed_from(generator) draws an int from a generator, to use and to log"


def as_seed(seed: Seed) -> int:
    """Return `seed` as an int in [0, 2**64)."""
    if type(seed) is not int:
        seed = _convert(seed)
    if not 0 <= seed < 1 << 64:
        raise ValueError(f"seed must be in [0, 2^64), got {short(seed)}")
    return seed


def _convert(seed: Seed) -> int:
    if hasattr(seed, "generate_state"):  # a SeedSequence; numpy.random is slow to import and may not be needed
        return int(seed.generate_state(1, "uint64")[0])
    try:
        if not isinstance(seed, bool):
            return operator.index(seed)
    except TypeError:
        pass
    hint = _FROM if any(hasattr(seed, each) for each in _GENERATORS) else _FRESH
    raise TypeError(f"seed must be an int or a numpy.random.SeedSequence, got {short(seed)}{hint}")


def seed_from(generator: Any) -> int:
    """Draw a seed from a random generator, once: an int to log and to pass on.

    Parameters
    ----------
    generator : numpy.random.Generator, numpy.random.RandomState, numpy.random.BitGenerator or torch.Generator
        The generator to draw from. It advances, so that the next seed is another one.

    Returns
    -------
    int
        The seed, in [0, 2**64); from a torch.Generator it is in [0, 2**63 - 1), since torch draws no larger one.

    Raises
    ------
    TypeError
        If `generator` is another kind of object. An int or a SeedSequence is a seed already.

    Examples
    --------
    >>> import numpy as np
    >>> seed = seed_from(np.random.default_rng(0))
    >>> 0 <= seed < 2**64, seed == seed_from(np.random.default_rng(0))
    (True, True)
    """
    if hasattr(generator, "integers"):
        return int(generator.integers(0, 1 << 64, dtype="uint64"))
    if hasattr(generator, "random_raw"):  # in some of them words have 32 bits
        return int(sys.modules["numpy"].random.Generator(generator).integers(0, 1 << 64, dtype="uint64"))
    if hasattr(generator, "tomaxint"):
        return int(generator.randint(0, 1 << 64, dtype="uint64"))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(generator, torch.Generator):
        drawn = torch.randint(0, 2**63 - 1, (), generator=generator, device=generator.device, dtype=torch.int64)
        return int(drawn)
    raise TypeError(f"generator must be NumPy's or torch's, got {short(generator)}; an int is a seed already")


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
