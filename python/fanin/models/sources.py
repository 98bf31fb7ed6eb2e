"""Read the parameters of a model, wherever its names and shapes come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..files.validation import as_name, as_shape
from ..text import nearest, short
from .arrays import from_mapping
from .buffers import reason_to_skip
from .builtin import MODELS, family
from .checkpoints import checkpoint_in
from .config import config_in, is_config, read_config
from .headers import NUMPY_NAMES, Header, read_header
from .hub import described, values_of
from .index import read_index
from .parameter import Parameter, Parameters
from .toml_shapes import read_toml


def parameters(source: str | os.PathLike[str] | Mapping[str, Any] | Iterable[Parameter]) -> Parameters:
    """Return the parameters of a model: names, shapes, dtypes, what is tied to what, and which recipe suits.

    Integer tensors, running statistics, masks and tables are not parameters; the result lists them with the reason.
    Tensors that share their memory are one parameter under the first of their names; the others are aliases. A name
    selects a random stream: the same model under other names gets other values, as `wte.weight` in GPT-2's checkpoint
    and `transformer.wte.weight` in GPT2LMHeadModel.

    Parameters
    ----------
    source : str, path-like, mapping or iterable of Parameter
        One of:

        - the name of a built-in model: "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "llama-7b", "llama-13b",
          "llama-30b", "llama-65b", "llama-70b" (Llama 2), "llama-3-8b", "resnet50" (torchvision's names), "vit-b-16"
          (ViTForImageClassification of transformers 5), "bert-base" (BertModel), "lstm-lm";
        - a mapping from names to shapes or to arrays, such as a torch state_dict;
        - the path of a .safetensors file, of an .index.json of several, or of a directory, as `files_of` takes it; only
          headers are read;
        - the path of a Hugging Face config.json, or of a directory that has one and no checkpoint; transformers must be
          installed for types of model other than gpt2, llama, mistral, qwen2, qwen3, gemma, gemma2, gemma3_text, bert,
          roberta and vit;
        - a config of transformers;
        - the path of a .toml file of shapes by name;
        - `Parameters`, which are returned as they are, or several `Parameter`.

    Returns
    -------
    fanin.models.Parameters
        The parameters, in the order of the source.

    Raises
    ------
    ValueError
        If a path or name is unknown, or a file is not what its name says; the message names the file, the tensor, the
        value and what is allowed.
    TypeError
        If the source is another kind of object.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> parameters("llama-70b").size
    68976648192
    >>> parameters({"fc.weight": (10, 4), "fc.bias": (10,)}).parameters[0]
    Parameter(name='fc.weight', shape=(10, 4), aliases=(), dtype=None)
    """
    if isinstance(source, Parameters):
        return source
    if isinstance(source, Mapping):
        return from_mapping(source)
    if is_config(source):
        return replace(described(source), config=values_of(source))
    if not isinstance(source, (str, os.PathLike)):
        return _from_parameters(source)
    name = os.fspath(source)
    if not isinstance(name, str):
        raise TypeError(f"source must be a path as a string, got {short(name)}")
    return Parameters(MODELS[name](), family=family(name)) if name in MODELS else _from_path(name)


def _from_path(path: str) -> Parameters:
    if os.path.isdir(path):
        path = _in_directory(path)
    if path.endswith(".safetensors"):
        return _from_header(read_header(path), path)
    if path.endswith(".index.json"):
        return _from_header(read_index(path), path)
    if path.endswith(".json"):
        return read_config(path)
    if path.endswith(".toml"):
        return _from_shapes(read_toml(path), path)
    raise ValueError(
        f"source must be one of {', '.join(MODELS)}, or the path of a .safetensors, .index.json, config.json or .toml "
        f"file, got {short(path)}{nearest(path, MODELS)}"
    )


def _in_directory(path: str) -> str:
    """Return the checkpoint in a directory, or else its config.json."""
    try:
        return checkpoint_in(path)
    except ValueError:
        config = config_in(path)
        if config is None:
            raise
        return config


def _from_parameters(source: object) -> Parameters:
    """Return the parameters in an iterable, after the checks that a mapping gets."""
    given = tuple(source) if isinstance(source, Iterable) and getattr(source, "shape", None) != () else (source,)
    if not all(isinstance(parameter, Parameter) for parameter in given):
        raise TypeError(f"source must be a name, a path, a mapping or several Parameter, got {short(source)}")
    names: set[str] = set()
    for parameter in given:
        as_shape(parameter.shape, f"{short(as_name(parameter.name))}: shape")
        for name in (parameter.name, *parameter.aliases):
            if as_name(name) in names:
                raise ValueError(f"every parameter must have its own name, got {short(name)} twice")
            names.add(name)
    return Parameters(given)


def _from_header(header: Header, path: str) -> Parameters:
    shapes, dtypes, skipped = {}, {}, []
    for name, (dtype, shape) in header.tensors.items():
        if reason := reason_to_skip(name, shape, dtype):
            skipped.append((name, reason))
        else:
            shapes[name], dtypes[name] = shape, NUMPY_NAMES.get(dtype)
    return Parameters.of(shapes, header.ties, skipped, dtypes=dtypes, where=f"{path}: ")


def _from_shapes(shapes: Mapping[str, Any], path: str) -> Parameters:
    header = {name: ("", as_shape(shape, f"{path}: {short(name)}")) for name, shape in shapes.items()}
    return _from_header(Header(header), path)
