"""Models that only transformers knows, built there without memory for their weights."""

from __future__ import annotations

import importlib
import re
import textwrap
from dataclasses import replace
from typing import Any

from ..files.validation import short
from .arrays import from_mapping
from .parameter import Parameters

_COUNTS, _MOST = re.compile("layer|depth|label|expert"), 100_000  # what is built one by one
_CODE = re.compile("auto_map|_implementation$|quantization_config")  # what might be looked up elsewhere


def build(model_type: str, architecture: str | None, values: dict[str, Any], where: str) -> Parameters:
    """The parameters of a transformers class, or of the type's base model where `architecture` is None.

    Parameters
    ----------
    model_type, architecture : str, str or None
        Of the config.json.
    values : dict
        All of it. Code that it refers to is not fetched.
    where : str
        What an error begins with.

    Raises
    ------
    ValueError
        If transformers or torch is missing, does not know the type, or fails to build it.
    """
    try:
        torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError as error:
        raise ValueError(
            f"{where}model_type must be gpt2, llama, mistral, qwen2, bert or vit, in a common architecture, where "
            f"transformers is not installed, got {short(model_type)}, {short(architecture)}: {error}"
        ) from error
    values = {key: value for key, value in _harmless(values, where).items() if key != "model_type"}
    try:
        config = transformers.AutoConfig.for_model(model_type, **values)
        with torch.device("meta"):
            model = _class(transformers, architecture, config)(config)
        state = model.state_dict()
        buffers = {name for name, _ in model.named_buffers(remove_duplicate=False)} & state.keys()
        found = from_mapping({name: tensor for name, tensor in state.items() if name not in buffers})
    except Exception as error:
        raise ValueError(
            f"{where}transformers {transformers.__version__} cannot build model_type {short(model_type)}, architecture "
            f"{short(architecture)}: {textwrap.shorten(str(error), 300)}"
        ) from error
    described = tuple(replace(parameter, dtype=None) for parameter in found)  # their dtype is torch's default
    return Parameters(described, (*found.skipped, *((name, "buffer") for name in state if name in buffers)))


def _class(transformers: Any, architecture: str | None, config: Any) -> Any:
    if architecture is None:
        return transformers.AutoModel.from_config
    found: Any = getattr(transformers, architecture, None)
    if not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        raise ValueError("it has no such model")
    if not isinstance(config, getattr(found, "config_class", None) or ()):
        raise ValueError("the architecture is of another model_type")
    return found


def _harmless(values: dict[str, Any], where: str) -> dict[str, Any]:
    """The values without those that refer to code; ValueError for a count that would take hours."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        if _CODE.search(key):
            continue
        if isinstance(value, int) and _COUNTS.search(key) and value > _MOST:
            raise ValueError(f"{where}{key} must be at most {_MOST}, got {short(value)}")
        kept[key] = _harmless(value, where) if isinstance(value, dict) else value
    return kept
