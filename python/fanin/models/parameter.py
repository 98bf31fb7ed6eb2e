"""A parameter of a model, and all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ..files.validation import as_name, as_shape


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter of a model; the name selects its random stream.

    Parameters
    ----------
    name : str
        The name it has in a checkpoint.
    shape : sequence of int
        Its global shape.
    aliases : sequence of str
        Other names of the same values: what is tied to it.
    dtype : str, optional
        The dtype it has in its source, as NumPy and ml_dtypes name it, whether or not fanin draws it: "float32",
        "bfloat16", "float8_e4m3fn". None where the source does not say.

    Examples
    --------
    >>> Parameter("h.0.mlp.c_fc.weight", (768, 3072)).size
    2359296
    """

    name: str
    shape: Sequence[int]
    aliases: Sequence[str] = ()
    dtype: str | None = None

    def __post_init__(self) -> None:
        if type(self.shape) is not tuple:
            object.__setattr__(self, "shape", tuple(self.shape))
        if type(self.aliases) is not tuple:
            object.__setattr__(self, "aliases", tuple(self.aliases))

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a model, and what beside them its source holds. Iterating gives the parameters.

    Parameters
    ----------
    parameters : tuple of Parameter
        In the order of the source.
    skipped : tuple of (str, str)
        Names of what is no parameter, each with the reason: integers, running statistics, masks.
    family : str
        The name of the built-in recipe that suits the model, as "llama" for Mistral too; "" where the source does not
        tell.

    Examples
    --------
    >>> model = Parameters((Parameter("embed.weight", (10, 4), aliases=("head.weight",)), Parameter("bias", (10,))))
    >>> model.ties
    {'head.weight': 'embed.weight'}
    >>> model.size, [parameter.name for parameter in model]
    (50, ['embed.weight', 'bias'])
    """

    parameters: tuple[Parameter, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    family: str = ""

    @classmethod
    def of(
        cls,
        shapes: Mapping[str, Sequence[int]],
        ties: Mapping[str, str] | None = None,
        skipped: Iterable[tuple[str, str]] = (),
        *,
        dtypes: Mapping[str, str | None] | None = None,
        family: str = "",
        where: str = "",
    ) -> Self:
        """Parameters of these names and shapes; `ties` gives other names, each with the one that it is tied to.

        Raises ValueError, which starts with `where`, for a name or a shape that no parameter can have.
        """
        aliases: dict[str, list[str]] = {}
        for alias, name in (ties or {}).items():
            aliases.setdefault(name, []).append(as_name(alias, where))
        return cls(
            tuple(
                Parameter(
                    as_name(name, where),
                    as_shape(shape, f"{where}tensor {name!r}: shape"),
                    aliases.get(name, ()),
                    (dtypes or {}).get(name),
                )
                for name, shape in shapes.items()
            ),
            tuple(skipped),
            family,
        )

    @property
    def ties(self) -> dict[str, str]:
        """Every alias, and the name of the parameter that it is."""
        return {alias: parameter.name for parameter in self.parameters for alias in parameter.aliases}

    @property
    def size(self) -> int:
        """Number of elements of all parameters."""
        return sum(parameter.size for parameter in self.parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)
