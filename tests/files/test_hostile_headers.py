"""Headers and indexes as large as may be, made to exhaust memory or time: each is an error that costs little."""

from __future__ import annotations

import sys

import pytest
from processes import run

SIZE = 99_000_000
# The processor time of reading a file, divided by that of parsing a million empty lists; and the memory that it takes.
SCRIPT = """
import json, sys
from costs import quickest, seconds
from fanin.models import files_of
from processes import peak

def read():
    try:
        files_of(sys.argv[1])
    except ValueError as refusal:
        global error
        error = refusal

lists = "[" + "[]," * 999_999 + "[]]"
unit = quickest(lambda: json.loads(lists))
before = peak()
print(seconds(read) / unit, peak() - before, error)
"""
ENTRY = b'{"dtype":"F4","shape":[0],"data_offsets":[0,0]}'
TEXTS = {
    "lists": lambda: b'{"a":[' + b"[]," * (SIZE // 3) + b"0]}",
    "integers": lambda: b'{"a":{"shape":[' + b"0," * (SIZE // 2) + b"0]}}",
    "objects": lambda: b"{" + b",".join(b'"%x":{}' % i for i in range(SIZE // 12)) + b"}",
    "tensors": lambda: b"{" + b",".join(b'"%x":%b' % (i, ENTRY) for i in range(500_001)) + b"}",
    "metadata": lambda: b'{"__metadata__":{' + b",".join(b'"%x":""' % i for i in range(SIZE // 12)) + b"}}",
    "name": lambda: b'{"' + b"a" * SIZE + b'":{}}',
    "wide name": lambda: b'{"\xf0\x9f\x98\x80' + b"a" * SIZE + b'":{}}',
    "escapes": lambda: b'{"' + b"\\n" * (SIZE // 2) + b'":{}}',
    "backslashes": lambda: b'{"' + b"\\" * SIZE,
    "spaces": lambda: b"{" + b" " * SIZE,
    "open string": lambda: b'{"' + b"a" * SIZE,
    "open object": lambda: b'{"a":{' + b" " * SIZE,
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
@pytest.mark.parametrize("kind", TEXTS)
def test_a_header_costs_less_than_a_gigabyte_and_a_hundred_million_empty_lists(kind, tmp_path):
    text = TEXTS[kind]()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    check_cost(path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
@pytest.mark.parametrize("piece", ["[],", "{},", '"",', "1.5,"])
def test_an_index_costs_as_little(piece, tmp_path):
    path = tmp_path / "w.index.json"
    path.write_text('{"weight_map":[' + piece * (24_900_000 // len(piece)) + "0]}")
    check_cost(path)


def check_cost(path):
    """The slowest takes as long as 20 million empty lists; a search among all for each would take as long as 10⁹."""
    cost, memory, error = run(SCRIPT, path).split(maxsplit=2)
    assert float(cost) < 100
    assert int(memory) < 10**9
    assert error.startswith(f"{path}: ")
    assert len(error) < len(str(path)) + 400
