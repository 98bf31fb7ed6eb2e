"""Find names and shapes of a model's parameters, wherever they come from: `parameters` reads them all.

It takes the names of built-in models, mappings of shapes or arrays, safetensors files and their index, Hugging Face's
config.json, and TOML. Nothing here imports torch or transformers, unless a config.json has a type that fanin does not
know.
"""

from __future__ import annotations

from .builtin import MODELS, gpt2
from .checkpoints import files_of
from .headers import Header
from .parameter import Parameter, Parameters
from .sources import parameters

__all__ = ["MODELS", "Header", "Parameter", "Parameters", "files_of", "gpt2", "parameters"]
