"""Names and shapes of the parameters of well-known models."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter of a model; the name selects its random stream.

    Parameters
    ----------
    name : str
        The name it has in a checkpoint.
    shape : sequence of int
        Its global shape.

    Examples
    --------
    >>> Parameter("h.0.mlp.c_fc.weight", (768, 3072)).size
    2359296
    """

    name: str
    shape: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def gpt2(
    *, layers: int = 12, width: int = 768, vocabulary: int = 50257, positions: int = 1024
) -> tuple[Parameter, ...]:
    """Parameters of GPT-2, by default the 124 M one, as in its Hugging Face checkpoint.

    Projections are (in, out), the layout of that checkpoint's Conv1D. The output projection is tied to
    `wte.weight`, so it has no entry.

    Examples
    --------
    >>> parameters = gpt2()
    >>> len(parameters), sum(p.size for p in parameters)
    (148, 124439808)
    """
    norm: dict[str, tuple[int, ...]] = {"weight": (width,), "bias": (width,)}

    def projection(fan_in: int, fan_out: int) -> dict[str, tuple[int, ...]]:
        return {"weight": (fan_in, fan_out), "bias": (fan_out,)}

    block = {
        "ln_1": norm,
        "attn.c_attn": projection(width, 3 * width),
        "attn.c_proj": projection(width, width),
        "ln_2": norm,
        "mlp.c_fc": projection(width, 4 * width),
        "mlp.c_proj": projection(4 * width, width),
    }
    modules: dict[str, dict[str, tuple[int, ...]]] = {
        "wte": {"weight": (vocabulary, width)},
        "wpe": {"weight": (positions, width)},
        **{f"h.{layer}.{module}": shapes for layer in range(layers) for module, shapes in block.items()},
        "ln_f": norm,
    }
    return tuple(
        Parameter(f"{module}.{kind}", shape) for module, shapes in modules.items() for kind, shape in shapes.items()
    )


MODELS: dict[str, Callable[[], tuple[Parameter, ...]]] = {"gpt2": gpt2}
