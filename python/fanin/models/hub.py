"""Build models that only transformers knows, by transformers, without memory for their weights."""

from __future__ import annotations

import importlib
import importlib.util
import re
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..files import limits
from ..text import short
from .architectures import TYPES
from .arrays import from_mapping
from .offline import NetworkRefused, offline
from .parameter import Parameters

_LAYERS, _COUNTS = (
    re.compile("layers?$|^depths?$|blocks$|stages$"),
    re.compile("label|expert"),
)  # keys of what is built one by one
_CODE = re.compile("auto_map|_implementation$|quantization_config")  # keys of what might be looked up elsewhere


def installed() -> bool:
    """Tell whether transformers and torch are there, without importing them."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "transformers"))


def build(model_type: str, architecture: str | None, values: dict[str, Any], where: str) -> Parameters:
    """Return the parameters of a class of transformers, or of the type's base model if `architecture` is None.

    Parameters
    ----------
    model_type : str
        The type that the config.json names.
    architecture : str or None
        The class that the config.json names, if any.
    values : dict
        All values of the config.json. Code and other models that it refers to are not fetched.
    where : str
        The beginning of error messages.

    Raises
    ------
    ValueError
        If transformers or torch is missing, does not know the type, or fails to build it; if the model would have more
        layers or parameters than any model has; or if another model would have to be looked up.
    """
    try:
        torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    except ImportError as error:
        raise ValueError(
            f"{where}model_type must be one of {', '.join(TYPES)}, in a common architecture, where transformers is not "
            f"installed, got {short(model_type)}, {short(architecture)}: {error}"
        ) from error
    values = {key: value for key, value in _harmless(values, where).items() if key != "model_type"}
    try:
        with offline(), _counted(torch):
            config = transformers.AutoConfig.for_model(model_type, **values)
            with torch.device("meta"):
                model = _class(transformers, architecture, config)(config)
        state = model.state_dict()
        buffers = {name for name, _ in model.named_buffers(remove_duplicate=False)} & state.keys()
        found = from_mapping({name: tensor for name, tensor in state.items() if name not in buffers})
    except NetworkRefused as error:
        raise ValueError(
            f"{where}model_type {short(model_type)} must be described here, with all that it refers to: nothing is "
            "fetched or looked up elsewhere"
        ) from error
    except Exception as error:
        raise ValueError(
            f"{where}transformers {transformers.__version__} cannot build model_type {short(model_type)}, architecture "
            f"{short(architecture)}: {textwrap.shorten(str(error), 300)}"
        ) from error
    described = tuple(
        replace(parameter, dtype=None) for parameter in found
    )  # the config.json does not say the dtype; this one is torch's default
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


@contextmanager
def _counted(torch: Any) -> Iterator[None]:
    """Raise ValueError inside the `with` block once its modules have more parameters than any model has."""
    left, thread = limits.FOREIGN_PARAMETERS, threading.get_ident()

    def count(*_: object) -> None:
        nonlocal left
        left -= threading.get_ident() == thread
        if left < 0:
            raise ValueError(f"it has more than {limits.FOREIGN_PARAMETERS} parameters")

    handle = torch.nn.modules.module.register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()


def _harmless(values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values without those that refer to code.

    Raise ValueError if they refer to another model, or have a count that would take hours to build.
    """
    kept: dict[str, Any] = {}
    elsewhere = values.get("backbone")
    if elsewhere is not None and values.get("use_timm_backbone") is False and not values.get("backbone_config"):
        raise ValueError(
            f"{where}backbone must be described in backbone_config, got {short(elsewhere)}: nothing is fetched or "
            "looked up elsewhere"
        )
    for key, value in values.items():
        if _CODE.search(key):
            continue
        numbers = value if isinstance(value, list) else [value]
        most = limits.FOREIGN_LAYERS if _LAYERS.search(key) else limits.FOREIGN_COUNT
        if _LAYERS.search(key) or _COUNTS.search(key):
            for number in (len(numbers), *(number for number in numbers if isinstance(number, int))):
                if number > most:
                    raise ValueError(f"{where}{key} must be at most {most}, got {short(number)}")
        kept[key] = _harmless(value, where) if isinstance(value, dict) else value
    return kept
