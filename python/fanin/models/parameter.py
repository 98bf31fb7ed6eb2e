"""Describe a parameter of a model, and all parameters of a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ..files.validation import as_name, as_shape


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe a parameter of a model; the name selects its random stream.

    Parameters
    ----------
    name : str
        The name that it has in a checkpoint.
    shape : sequence of int
        The shape of the whole parameter.
    aliases : sequence of str
        Other names of the same values, which are tied to it. Default: none.
    dtype : str, optional
        The dtype that it has in its source, as NumPy and ml_dtypes name it, whether or not fanin can draw it:
        "float32", "bfloat16", "float8_e4m3fn". None, the default, if the source does not say.

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
        """The number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Hold the parameters of a model, and what else its source has. Iterating yields the parameters.

    Parameters
    ----------
    parameters : tuple of Parameter
        The parameters, in the order of the source.
    skipped : tuple of (str, str)
        Names in the source that are not parameters, each with the reason: integers, running statistics, masks.
        Default: none.
    family : str
        The name of the built-in recipe that suits the model, such as "llama", for Mistral too; "", the default, if the
        source does not tell.
    arguments : tuple of (str, object)
        Arguments of that recipe that the source tells, such as ("std", 0.006) where a config.json has another
        `initializer_range` than most. Default: none.
    config : mapping of str to object, optional
        The values of the config.json that it comes from, if any.

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
    arguments: tuple[tuple[str, Any], ...] = ()
    config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

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
        """Make parameters from names and shapes.

        Parameters
        ----------
        shapes : mapping of str to sequence of int
            The shape of each parameter, by name.
        ties : mapping of str to str, optional
            Further names, each with the name of the parameter that it is tied to. Default: none.
        skipped : iterable of (str, str)
            Names that are not parameters, each with the reason. Default: none.
        dtypes : mapping of str to str, optional
            The dtype of each parameter, by name. Default: unknown.
        family : str
            The name of the built-in recipe that suits the model. Default "", unknown.
        where : str
            The beginning of error messages. Default "".

        Raises
        ------
        ValueError
            If a name or a shape is one that no parameter can have.
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
        """A dict from each alias to the name of its parameter."""
        return {alias: parameter.name for parameter in self.parameters for alias in parameter.aliases}

    @property
    def size(self) -> int:
        """The number of elements of all parameters."""
        return sum(parameter.size for parameter in self.parameters)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)
