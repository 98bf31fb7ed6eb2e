"""Checkpoints: safetensors files, split and indexed by Hugging Face's conventions, written in any order and resumed."""

from __future__ import annotations

from .format import DTYPES, Entry, encode_header, in_file_order
from .layout import File, Layout
from .writer import Writer

__all__ = ["DTYPES", "Entry", "File", "Layout", "Writer", "encode_header", "in_file_order"]
