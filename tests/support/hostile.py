"""Make files that do harm where they are believed, and check that each is one error that costs little."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fanin.diagnose import audit
from fanin.models import files_of, parameters
from fanin.recipes import Recipe

with_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")
READERS: dict[str, Callable[[Path], object]] = {
    "recipe.toml": Recipe.load,
    "shapes.toml": parameters,
    "config.json": parameters,
    "w.safetensors": files_of,
    "w.safetensors.index.json": files_of,
    "w.npz": audit,
}


def refused(read: Callable[[Path], object], path: Path, most: int = 3_000_000) -> Exception:
    """Return the error of reading a file, which takes little memory beside a few times the size of the file."""
    size = path.stat().st_size if path.is_file() else 0
    with contextlib.suppress(ValueError, TypeError, OSError):
        read(path)  # which may be the first to import something
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, TypeError, OSError)) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < most + 8 * size
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 1000
    return caught.value


def header(entries: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


def npy(shape: str, data: bytes = b"", dtype: str = "'<f4'", before: str = "") -> bytes:
    text = f"{before}{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name given twice
        with zipfile.ZipFile(file, "w", method) as written:
            for name, data in members:
                written.writestr(name, data)
    return file.getvalue()


def claiming(data: bytes, size: int) -> bytes:
    """The archive with this size in the place of that of its only member, as it is unpacked."""
    field = struct.pack("<I", size)
    central = data.index(b"PK\x01\x02")
    return data[:22] + field + data[26 : central + 24] + field + data[central + 28 :]


PIECES = rb"""[ ] { } " ' \ = . , 0 - a. {a= [[ (a*)* (? null 1e999 inf true [0-9] | ^ $ \. PK""".split()
PIECES += [b"\n", b"\0", b"\xff", b"\xed\xa0\x80", b'"""', b"[" * 70, b"9" * 600, b"PK\x05\x06", b"a." * 40]


def mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + chance.choice(PIECES) + data[at:]
            case 2:
                data = data[:at] + data[at + chance.randint(1, 20) :]
            case 3:
                data = data[:at] + data[chance.randrange(at + 1) : at] + data[at:]
            case 4:
                data = data[:at]
    return data
