"""Build models that only transformers knows, by transformers, without memory for their weights."""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import importlib.util
import json
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..files import limits
from ..text import short
from .architectures import TYPES
from .arrays import from_mapping
from .budget import limited
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


def values_of(config: Any) -> dict[str, Any]:
    """Return what a config of transformers says, as its config.json would."""
    values: dict[str, Any] = json.loads(config.to_json_string())
    return values


def configuration(values: dict[str, Any], where: str) -> Any:
    """Return the config that the values of a config.json stand for; code and models that they refer to are not fetched.

    Raises
    ------
    ValueError
        If transformers does not know the type or refuses the values, another model would have to be looked up, or
        something would be built more often than in any model.
    """
    model_type = values.get("model_type")
    kept = {key: value for key, value in _harmless(values, where).items() if key != "model_type"}
    if "auto_map" in values and not _knows(model_type):
        raise ValueError(
            f"{where}model_type must be one that transformers itself has, got {short(model_type)}, whose code is in "
            f"{short(values['auto_map'])}: code that comes with a model is not run"
        )
    with guarded(f"{where}transformers", f"model_type {short(model_type)}"):
        return importlib.import_module("transformers").AutoConfig.for_model(model_type, **kept)


def construct(config: Any, architecture: str | type | None = None, **options: Any) -> Any:
    """Construct the model of a config of transformers, from code that is installed alone.

    Parameters
    ----------
    config : transformers.PreTrainedConfig
        The config, which is left as it is.
    architecture : str or type, optional
        The class, or one of transformers' AutoModel classes, or its name. Default: the first that the config names, or
        else the type's base model.
    **options
        `dtype`. Default: the config's.
    """
    config = copy.deepcopy(config)
    kind = _class(config, architecture)
    if hasattr(kind, "from_config"):
        return kind.from_config(config, trust_remote_code=False, **options)
    return kind._from_config(config, **options)


@contextmanager
def guarded(builder: str, what: str) -> Iterator[None]:
    """Keep what transformers does inside the `with` block offline and within limits; its errors become ValueError.

    Parameters
    ----------
    builder, what : str
        The beginning of errors, and what cannot be built.
    """
    try:
        with offline(), limited():
            yield
    except NetworkRefused as error:
        raise ValueError(
            f"{builder.removesuffix('transformers')}{what} must be described here, with all that it refers to: nothing "
            "is fetched or looked up elsewhere"
        ) from error
    except Exception as error:
        version = importlib.metadata.version("transformers")
        raise ValueError(f"{builder} {version} cannot build {what}: {textwrap.shorten(str(error), 300)}") from error


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
        layers or parameters than any model has, or takes more time; or if another model would have to be looked up.
    """
    require_installed(where, model_type, architecture)
    return described(configuration(values, where), architecture, where)


def require_installed(where: str, model_type: str, architecture: str | None) -> None:
    """Import torch and transformers; raise ValueError, which names the type that needs them, if one is missing."""
    try:
        for name in ("torch", "transformers"):
            importlib.import_module(name)
    except ImportError as error:
        raise ValueError(
            f"{where}model_type must be one of {', '.join(TYPES)}, in a common architecture, where transformers is not "
            f"installed, got {short(model_type)}, {short(architecture)}: {error}"
        ) from error


def described(config: Any, architecture: str | None = None, where: str = "") -> Parameters:
    """Return the parameters of the model of a config of transformers, which is built on the meta device."""
    torch = importlib.import_module("torch")
    with guarded(f"{where}transformers", said(config, architecture)):
        with torch.device("meta"):
            model = construct(config, architecture)
        state = model.state_dict()
        buffers = {name for name, _ in model.named_buffers(remove_duplicate=False)} & state.keys()
        found = from_mapping({name: tensor for name, tensor in state.items() if name not in buffers})
    every = found.parameters
    if config.dtype is None:  # what the parameters have is torch's default
        every = tuple(replace(parameter, dtype=None) for parameter in every)
    return Parameters(every, (*found.skipped, *((name, "buffer") for name in state if name in buffers)))


def said(config: Any, architecture: str | type | None) -> str:
    """Return how an error names a model."""
    named = getattr(architecture, "__name__", architecture) or next(iter(config.architectures or ()), None)
    return f"model_type {short(config.model_type)}, architecture {short(named)}"


def _knows(model_type: object) -> bool:
    return model_type in importlib.import_module("transformers.models.auto.configuration_auto").CONFIG_MAPPING


def _class(config: Any, architecture: str | type | None) -> Any:
    """Return the class of a model; ValueError if there is none of that name, or it is of another type."""
    transformers = importlib.import_module("transformers")
    named = architecture or next(iter(config.architectures or ()), None)
    if named is None:
        kind = next(_classes(config), None)
        if kind is None:
            raise ValueError("there is no model of this type")
        return kind
    found = getattr(transformers, named, None) if isinstance(named, str) else named
    if found is None:  # a class that is registered with transformers, and is not its own
        found = next((kind for kind in _classes(config) if kind.__name__ == named), None)
    if hasattr(found, "from_config") and hasattr(found, "_model_mapping"):
        return found
    if not (isinstance(found, type) and issubclass(found, transformers.PreTrainedModel)):
        raise ValueError("it has no such model")
    if not isinstance(config, getattr(found, "config_class", None) or ()):
        raise ValueError("the architecture is of another model_type")
    return found


def _classes(config: Any) -> Iterator[Any]:
    """Yield the classes that take a config: AutoModel's, those of other tasks, and what its package has beside them."""
    auto = importlib.import_module("transformers.models.auto.modeling_auto")
    base = importlib.import_module("transformers").PreTrainedModel
    others = (each for name, each in sorted(vars(auto).items()) if name.endswith("_MAPPING"))
    for mapping in (auto.MODEL_MAPPING, *others):
        found = mapping.get(type(config), ())
        yield from found if isinstance(found, list | tuple) else (found,)
    package = importlib.import_module(type(config).__module__.rpartition(".")[0])
    for place in getattr(package, "__path__", ()):
        for path in sorted(Path(place).glob("modeling_*.py")):
            for name, kind in vars(importlib.import_module(f"{package.__name__}.{path.stem}")).items():
                is_model = isinstance(kind, type) and issubclass(kind, base) and not name.endswith("PreTrainedModel")
                if is_model and getattr(kind, "config_class", None) is type(config):
                    yield kind


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
        numbers = list(value) if isinstance(value, list | dict) else [value]
        most = limits.FOREIGN_LAYERS if _LAYERS.search(key) else limits.FOREIGN_COUNT
        if _LAYERS.search(key) or _COUNTS.search(key):
            for number in (len(numbers), *(number for number in numbers if isinstance(number, int))):
                if number > most:
                    raise ValueError(f"{where}{key} must be at most {most}, got {short(number)}")
        kept[key] = _harmless(value, where) if isinstance(value, dict) else value
    return kept
