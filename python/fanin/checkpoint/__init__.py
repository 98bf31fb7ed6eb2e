"""Checkpoints: safetensors files, split and indexed by Hugging Face's conventions, written in any order and resumed."""

from __future__ import annotations

from .format import DTYPES, Entry, encode_header, in_file_order
from .split import File, Split
from .writer import Writer

__all__ = ["DTYPES", "Entry", "File", "Split", "Writer", "encode_header", "in_file_order"]
