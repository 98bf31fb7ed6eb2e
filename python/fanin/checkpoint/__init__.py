"""Write checkpoints: safetensors files, split and indexed as Hugging Face does, in any order, and resumable."""

from __future__ import annotations

from .format import DTYPES, Entry, encode_header, in_file_order
from .split import File, Split
from .writer import Writer

__all__ = ["DTYPES", "Entry", "File", "Split", "Writer", "encode_header", "in_file_order"]
