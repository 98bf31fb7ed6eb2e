"""List the parameters that a Hugging Face config.json describes."""

from __future__ import annotations

import os
from dataclasses import replace

from ..files.json_reader import parse_object
from ..files.regular import read_text
from ..text import short
from .architectures import TYPES
from .hub import build, installed
from .parameter import Parameters
from .settings import Config


def is_config(source: object) -> bool:
    """Tell whether this is a config of transformers, without importing that."""
    return all(hasattr(source, name) for name in ("model_type", "to_json_string", "to_diff_dict"))


def config_in(source: object) -> str | None:
    """Return the path of the config.json that a path, or a directory's path, stands for; None if there is none."""
    if not isinstance(source, str | os.PathLike):
        return None
    path = os.fspath(source)
    if not isinstance(path, str):
        return None
    inner = os.path.join(path, "config.json")
    if os.path.isdir(path) and os.path.isfile(inner):
        return inner
    return path if path.endswith(".json") and not path.endswith(".index.json") else None


def read_values(path: str | os.PathLike[str]) -> Config:
    """Return what a config.json says, read with the limits that all files have."""
    where = f"{os.fspath(path)}: "
    return Config(where, parse_object(read_text(path), f"{where}the file"))


def read_config(path: str | os.PathLike[str]) -> Parameters:
    """Return the parameters of the first architecture that a config.json names, or else of the base model.

    Names, shapes, dtypes and ties are those of the `state_dict` of transformers' model, with its defaults for what is
    left out, and `arguments` says how its weights start. The common architectures of the types in `TYPES` need no
    transformers. Anything else is built by transformers, if it is installed, on the meta device.

    Raises
    ------
    ValueError
        If a value is not what its field may have; or if a field may change the weights in a way that only transformers
        knows, and it is not installed.

    Examples
    --------
    >>> from pathlib import Path
    >>> text = '{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "initializer_range": 0.01}'
    >>> _ = Path("config.json").write_text(text)
    >>> model = read_config("config.json")
    >>> model.size, model.ties, model.arguments
    (124439808, {'lm_head.weight': 'transformer.wte.weight'}, (('std', 0.01),))
    """
    config = read_values(path)
    where = config.where
    known = TYPES.get(config.model_type)
    if known is None:
        described = build(config.model_type, config.architecture, config.values, where)
        return replace(described, config=config.values)
    config = replace(config, defaults=known.defaults, spellings=known.spellings)
    unknown = known.unknown(config.values)
    builder = known.builders.get(config.architecture)
    if unknown is not None and not installed():
        raise ValueError(
            f"{where}{unknown} must be left out of a config of type {config.model_type!r} where transformers is not "
            f"installed, since what it does to the weights is not known, got {short(config.values[unknown])}"
        )
    if builder is None or unknown is not None:
        described = build(config.model_type, config.architecture, config.values, where)
    else:
        shapes, ties = builder(config)
        described = Parameters.of(shapes, ties, dtypes=dict.fromkeys(shapes, config.dtype), where=where)
    told = tuple(known.arguments(config).items())
    return replace(described, family=known.family, arguments=told, config=config.values)
