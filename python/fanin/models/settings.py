"""Hold the values of a config.json, and check them as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..files import limits
from ..files.validation import as_integer
from ..text import short


@dataclass(frozen=True, slots=True)
class Config:
    """Hold the values of a config.json.

    Parameters
    ----------
    where : str
        The beginning of error messages.
    values : dict
        What the file says.
    defaults : mapping of str to object
        The fields that models of this type have, each with the value that transformers gives it where the file has
        none. Default: none.
    spellings : mapping of str to str
        Other names of some of these fields. Default: none.

    Examples
    --------
    >>> config = Config("", {"hidden_size": 64}, {"n_embd": 768, "n_layer": 12}, {"n_embd": "hidden_size"})
    >>> config.size("n_embd"), config.layers("n_layer")
    (64, 12)
    """

    where: str
    values: dict[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    spellings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def model_type(self) -> str:
        """The type of the model, such as "llama"."""
        value = self.values.get("model_type")
        if not isinstance(value, str):
            raise ValueError(f"{self.where}model_type must be a string, as 'llama', got {short(value)}")
        return value

    @property
    def architecture(self) -> str | None:
        """The first class that the file names; None if it names none."""
        value = self.values.get("architectures") or [None]
        if not isinstance(value, list) or not isinstance(value[0], str | None):
            raise ValueError(f"{self.where}architectures must be a list of strings, got {short(value)}")
        return value[0]

    @property
    def dtype(self) -> str | None:
        """The dtype that the file says; None if it says none."""
        given = [self.values[key] for key in ("dtype", "torch_dtype") if self.values.get(key) is not None]
        if not all(isinstance(name, str) for name in given):
            raise ValueError(f"{self.where}dtype must be a string, as 'bfloat16', got {short(given[0])}")
        return next((name.removeprefix("torch.") for name in given), None)

    @property
    def labels(self) -> int:
        """The number of classes: `num_labels`, or as many as `id2label` names, or 2."""
        names = self.values.get("id2label")
        default = len(names) if isinstance(names, dict) else 2
        given = self.values.get("num_labels")
        return default if given is None else self._integer("num_labels", given, 0, limits.SIZE)

    @property
    def std(self) -> float:
        """The value of `initializer_range`, the std of whatever is not scaled."""
        value = self.value("initializer_range")
        if type(value) not in (int, float) or not 0 < value <= limits.STD:
            raise ValueError(
                f"{self.where}initializer_range must be a positive number up to {limits.STD}, got {short(value)}"
            )
        return float(value)

    @property
    def padding(self) -> int | None:
        """The row of the token embeddings that is zeros, if any; a negative `pad_token_id` counts from the end."""
        value, rows = self.value("pad_token_id"), self.size("vocab_size")
        return None if value is None else self._integer("pad_token_id", value, -rows, rows - 1) % rows

    def value(self, key: str) -> Any:
        """Return what the file says under this name or its other one, or else the default."""
        given = {name: self.values[name] for name in (key, self.spellings.get(key, key)) if name in self.values}
        if len(given) == 2 and given[key] != given[self.spellings[key]]:
            raise ValueError(
                f"{self.where}{self.spellings[key]} must be left out, or equal to {key}, which is {short(given[key])}, "
                f"got {short(given[self.spellings[key]])}"
            )
        return next(iter(given.values()), self.defaults.get(key))

    def size(self, key: str) -> int:
        """Return a positive integer."""
        return self._integer(key, self.value(key), 1, limits.SIZE)

    def size_or(self, key: str, otherwise: int) -> int:
        """Return a positive integer, or `otherwise` where the value is null."""
        return otherwise if self.value(key) is None else self.size(key)

    def sides(self, key: str) -> tuple[int, int]:
        """Return the height and width of an image, which may be one positive integer or a list of two."""
        value = self.value(key)
        if not isinstance(value, list):
            return (self.size(key),) * 2
        if len(value) != 2:
            raise ValueError(f"{self.where}{key} must be an integer or a list of two, got {short(value)}")
        height, width = (self._integer(key, side, 1, limits.SIZE) for side in value)
        return height, width

    def layers(self, key: str = "num_hidden_layers") -> int:
        """Return the number of layers."""
        return self._integer(key, self.value(key), 0, limits.LAYERS)

    def flag(self, key: str) -> bool:
        """Return True or False; False, whatever the file says, where models of this type have no such field."""
        value = self.value(key) if key in self.defaults else False
        if not isinstance(value, bool):
            raise ValueError(f"{self.where}{key} must be true or false, got {short(value)}")
        return value

    def _integer(self, key: str, value: object, low: int, high: int) -> int:
        return as_integer(value, f"{self.where}{key} must be", low, high)
