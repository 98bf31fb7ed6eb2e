"""Names and shapes in safetensors files; a hostile one is one clear ValueError, and costs nothing."""

from __future__ import annotations

import json
import sys
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanin.checkpoint import Entry, Writer
from fanin.models import Parameters, files_of, parameters
from fanin.models.headers import read_header

W = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
REUSED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100)


def header(entries: object, size: int = 0, length: int | None = None) -> bytes:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + bytes(size)


def shapes(model: Parameters) -> dict[str, tuple[int, ...]]:
    return {parameter.name: tuple(parameter.shape) for parameter in model}


# Files


def test_a_safetensors_file_of_the_library(tmp_path):
    path = tmp_path / "model.safetensors"
    arrays = {
        "w": np.zeros((3, 4), np.float32),
        "half": np.zeros(5, ml_dtypes.bfloat16),
        "none": np.zeros((0, 7)),
        "scalar": np.zeros((), np.float16),
        "ids": np.zeros(3, np.int32),
        "mask": np.zeros((2, 2), np.bool_),
        "bn.running_var": np.zeros(4),
    }
    safetensors.numpy.save_file(arrays, path, {"format": "np"})
    model = parameters(path)
    assert shapes(model) == {name: arrays[name].shape for name in ("w", "half", "none", "scalar")}
    assert {p.name: p.dtype for p in model} == {p.name: arrays[p.name].dtype.name for p in model}
    assert model.family == ""
    assert dict(model.skipped) == {
        "ids": "dtype I32 is not floating-point",
        "mask": "dtype BOOL is not floating-point",
        "bn.running_var": "running statistic",
    }


def test_a_file_of_fanins_own(tmp_path):
    with Writer(
        path := tmp_path / "model.safetensors", [Entry("w", "bfloat16", (2, 3)), Entry("b", "float32", ())]
    ) as file:
        file.write("w", bytes(range(12)))
        file.write("b", bytes(4))
    assert {p.name: (p.shape, p.dtype) for p in parameters(path)} == {"b": ((), "float32"), "w": ((2, 3), "bfloat16")}
    begin, end = files_of(path)[str(path)].places["w"]
    assert path.read_bytes()[begin:end] == bytes(range(12))


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz"]
)
def test_dtypes_that_fanin_does_not_draw_have_the_name_that_ml_dtypes_gives_them(dtype, tmp_path):
    code = {"float8_e4m3fn": "F8_E4M3", "float8_e8m0fnu": "F8_E8M0"}.get(dtype, dtype.upper().replace("FLOAT", "F"))
    (tmp_path / "w.safetensors").write_bytes(header({"w": {"dtype": code, "shape": [2], "data_offsets": [0, 2]}}, 2))
    assert parameters(tmp_path / "w.safetensors").parameters[0].dtype == np.dtype(getattr(ml_dtypes, dtype)).name


def test_ties_in_metadata_stay(tmp_path):
    path = tmp_path / "model.safetensors"
    arrays = {"embed": np.zeros((3, 4), np.float32), "pt": np.zeros(2)}
    safetensors.numpy.save_file(arrays, path, {"head": "embed", "format": "pt", "note": "of no tensor", "pt": "embed"})
    assert parameters(path).ties == {"head": "embed"}


F32 = {"dtype": "F32", "shape": [1]}
HOSTILE = {
    "empty": (b"", "header must have 2 to 100000000 bytes within a file of 0, got no length"),
    "short": (b"1234567", "within a file of 7, got no length"),
    "long": (header({}, length=3), "within a file of 10, got 3"),
    "huge": (header({}, length=2**64 - 1), "got 18446744073709551615"),
    "no header": (header(b""), "got 0"),
    "not UTF-8": (header(b'{"\xff":1}'), r"must be UTF-8, got b'\\xff' at 2"),
    "not JSON": (header(b"{,}"), "must be valid JSON, got ',}' at 1"),
    "not an object": (header([]), r"must be a JSON object, got '\[\]'"),
    "more than one": (header(b"{} {}"), "must be valid JSON, got '{}' at 3"),
    "two commas": (header(b'{"a":{},,"b":{}}'), "tensor 'a': it must be an object of dtype, shape and data_offsets"),
    "deep": (header(b'{"w":' + b"[" * 10**6), r"tensor 'w': it must be an object of .*, got '\[\["),
    "deep within": (
        header(b'{"w":{"shape":' + b"[" * 4000 + b"}}"),
        "tensor 'w': it must have at most 64 lists and objects",
    ),
    "long entry": (header(b'{"w":{' + b" " * 5000 + b"}}"), "tensor 'w': it must be an object of dtype"),
    "long integer": (header(b'{"w":' + b"9" * 10**5 + b"}"), "tensor 'w': it must be an object of dtype"),
    "long name": (header({"a" * 10_001: W}, 24), "must have names of at most 10000 characters, got 'aaa"),
    "repeated": (header(f'{{"w":{json.dumps(W)},"w":1}}'.encode(), 24), "must give each name once, got 'w' again"),
    "repeated within": (
        header(b'{"w":{"dtype":1,"dtype":1}}'),
        "tensor 'w': it must give each name once, got 'dtype' again",
    ),
    "surrogate": (header(b'{"\\ud800":1}'), r"name must be a string without lone surrogates, got '\\ud800'"),
    "no entry": (header({"w": 3}), "tensor 'w': it must be an object of dtype, shape and data_offsets, got '3}'"),
    "no shape": (header({"w": {"dtype": "F32", "data_offsets": [0, 4]}}, 4), "it must be an object of dtype, shape"),
    "dtype": (header({"w": W | {"dtype": "F128"}}, 24), "tensor 'w': dtype must be one of F64, .*, got 'F128'"),
    "dtype's type": (header({"w": W | {"dtype": []}}, 24), "dtype must be one of"),
    "offsets": (header({"w": W | {"data_offsets": 24}}, 24), r"data_offsets must be \[begin, end\], got 24"),
    "three offsets": (header({"w": W | {"data_offsets": [0, 1, 24]}}, 24), r"must be \[begin, end\], got \[0, 1, 24\]"),
    "negative": (
        header({"w": W | {"data_offsets": [-24, 0]}}, 24),
        r"data_offsets must each be an integer in .*, got -24",
    ),
    "floating": (
        header({"w": W | {"data_offsets": [0, 24.0]}}, 24),
        r"data_offsets must each be an integer in .*, got 24.0",
    ),
    "not a number": (
        header(b'{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', 4),
        "must have at axis 0 an integer in .*, got nan",
    ),
    "size": (
        header({"w": W | {"data_offsets": [0, 20]}}, 20),
        r"must be 24 bytes apart for F32 \[2, 3\], got \[0, 20\]",
    ),
    "backwards": (header({"w": W | {"data_offsets": [24, 0]}}, 24), r"24 bytes apart for F32 \[2, 3\], got \[24, 0\]"),
    "half a byte": (header({"w": {"dtype": "F4", "shape": [3], "data_offsets": [0, 1]}}, 1), "must be 1.5 bytes apart"),
    "beyond": (header({"w": W}, 23), "the tensors must take all 23 bytes of the data, got 24"),
    "rest": (header({"w": W}, 25), "the tensors must take all 25 bytes of the data, got 24"),
    "hole": (
        header({"a": F32 | {"data_offsets": [0, 4]}, "b": F32 | {"data_offsets": [8, 12]}}, 12),
        "tensor 'b' must begin at byte 4 of the data, got 8: it leaves a hole after 'a'",
    ),
    "hole at the start": (header({"a": F32 | {"data_offsets": [4, 8]}}, 8), "got 4: it leaves a hole after the header"),
    "overlap": (
        header({"a": F32 | {"data_offsets": [0, 4]}, "b": F32 | {"data_offsets": [2, 6]}}, 6),
        "tensor 'b' must begin at byte 4 of the data, got 2: it overlaps 'a'",
    ),
    "shared": (header({name: F32 | {"data_offsets": [0, 4]} for name in "ab"}, 4), "tensor 'b' .* overlaps 'a'"),
    "huge tensor": (
        header({"w": {"dtype": "F64", "shape": [2**62], "data_offsets": [0, 2**63 - 1]}}),
        "must be 3.6893488147419103e\\+19 bytes apart",
    ),
    "metadata": (
        header({"__metadata__": {"a": 1}}),
        "__metadata__ must be an object of strings: it .*, got '1}}' at 23",
    ),
    "metadata's type": (
        header({"__metadata__": [1]}),
        r"__metadata__ must be an object of strings: it .*, got '\[1\]}'",
    ),
    "metadata repeated": (header(b'{"__metadata__":{"a":"","a":""}}'), "must give each name once, got 'a' again"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_header_is_one_error_that_names_it(kind, tmp_path):
    data, message = HOSTILE[kind]
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert type(caught.value) is ValueError
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < len(str(path)) + 400


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (3, "must be a sequence of at most 64 integers, got 3"),
        ("23", "must be a sequence of at most 64 integers, got '23'"),
        ([1] * 65, "must be a sequence of at most 64 integers"),
        ([2, -3], "must have at axis 1 an integer in .*, got -3"),
        ([2.0], "must have at axis 0 an integer in .*, got 2.0"),
        ([True], "must have at axis 0 an integer in .*, got True"),
        ([2**63], "must have at axis 0 an integer in .*, got 9223372036854775808"),
        ([2**32, 2**31], r"must have fewer than 2\^63 elements, got \(4294967296, 2147483648\)"),
        ([0, 2**62, 2**62], r"must have fewer than 2\^63 elements"),
    ],
)
def test_a_hostile_shape_is_refused_by_its_tensor(shape, message, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(header({"w": W | {"shape": shape}}, 24))
    with pytest.raises(ValueError, match=f"tensor 'w': shape {message}"):
        parameters(path)


VALID = header(
    {
        "__metadata__": {"format": "pt"},
        "w": W,
        "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
        "n": {"dtype": "I64", "shape": [], "data_offsets": [32, 40]},
    },
    40,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def attempt(read, path):
    """What `read` makes of a file, or None after the only kind of error that there may be."""
    try:
        return read(path)
    except ValueError as error:
        caught = error
    assert type(caught) is ValueError
    assert str(caught).startswith(f"{path}: ")
    return None


def check_as_the_library(path, data: bytes) -> None:
    """An error, or a header that the library accepts too; in little memory either way."""
    path.write_bytes(data)
    tracemalloc.start()
    found = attempt(read_header, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    if found is not None:
        with safetensors.safe_open(path, "np") as file:
            assert set(file.keys()) == found.tensors.keys()
            for name, (dtype, shape) in found.tensors.items():
                part = file.get_slice(name)
                assert (part.get_dtype(), tuple(part.get_shape())) == (dtype, shape)


@REUSED
@given(
    edits=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=4), cut=st.integers(0, 60)
)
def test_mutated_bytes_are_read_as_the_library_reads_them(edits, cut, tmp_path):
    data = bytearray(VALID[: len(VALID) - max(0, cut - 50)])
    for position, byte in edits:
        if position < len(data):
            data[position] = byte
    check_as_the_library(tmp_path / "model.safetensors", bytes(data))


@REUSED
@given(
    key=st.sampled_from(["dtype", "shape", "data_offsets", "more"]),
    value=json_values
    | st.sampled_from(["F64", "F4", "BOOL", [6], [24], [1] * 70, [0, 24], [24, 48], [0, 2**64], [2**40, 2**40]]),
)
def test_mutated_entries_are_read_as_the_library_reads_them(key, value, tmp_path):
    check_as_the_library(tmp_path / "model.safetensors", header({"w": W | {key: value}}, 24))


@REUSED
@given(value=json_values)
def test_any_json_is_a_model_or_one_error(value, tmp_path):
    check_as_the_library(tmp_path / "model.safetensors", header(value))
    for content in (value, {"weight_map": value}, {"model_type": "gpt2", "n_layer": value}, {"model_type": value}):
        for name in ("model.safetensors.index.json", "config.json"):
            (tmp_path / name).write_text(json.dumps(content))
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(sys.modules, "transformers", None)
                attempt(parameters, tmp_path / name)


# Indexes


@pytest.fixture
def split(tmp_path):
    """A checkpoint in two files; `write` gives it another index."""
    for file, names in {"a": ["x", "y"], "b": ["z"]}.items():
        safetensors.numpy.save_file(
            {name: np.zeros((2, 3), np.float32) for name in names}, tmp_path / f"{file}.safetensors"
        )

    def write(weight_map: object):
        path = tmp_path / "model.safetensors.index.json"
        path.write_text(json.dumps({"metadata": {"total_size": 72}, "weight_map": weight_map}))
        return path

    return write


FILES = {"z": "b.safetensors", "x": "a.safetensors", "y": "a.safetensors"}


def test_an_index_is_read_in_its_order(split):
    model = parameters(split(FILES))
    assert list(shapes(model)) == ["z", "x", "y"]
    assert model.size == 18


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        (None, "weight_map must be an object of file names, got None"),
        ([], r"weight_map must be an object of file names, got \[\]"),
        ({**FILES, "x": 3}, "tensor 'x': its file must be the plain name of a .safetensors file .*, got 3"),
        ({**FILES, "x": "../a.safetensors"}, r"plain name .*, got '\.\./a\.safetensors'"),
        ({**FILES, "x": "/etc/a.safetensors"}, "plain name"),
        ({**FILES, "x": "sub\\a.safetensors"}, "plain name"),
        ({**FILES, "x": "C:a.safetensors"}, "plain name"),
        ({**FILES, "x": "a.safetensors\0"}, "plain name"),
        ({**FILES, "x": "a.safetensors\n"}, "plain name"),
        ({**FILES, "x": ".."}, "plain name"),
        ({**FILES, "x": ""}, "plain name"),
        ({**FILES, "x": "model.bin"}, "plain name"),
        ({**FILES, "x": "c.safetensors"}, "'c.safetensors' must be a file beside it: No such file"),
        ({**FILES, "x": "c" * 300 + ".safetensors"}, "must be a file beside it: File name too long"),
        ({**FILES, "x": "b.safetensors"}, "tensor 'x' must be in 'a.safetensors', which holds it, got 'b.safetensors'"),
        (
            {"z": "b.safetensors", "x": "a.safetensors"},
            "tensor 'y' must be in 'a.safetensors', which holds it, got no file",
        ),
        ({**FILES, "v": "a.safetensors"}, "tensor 'v' must be in 'a.safetensors', which does not hold it"),
    ],
)
def test_a_hostile_index_is_one_error_that_names_it(weight_map, message, split):
    path = split(weight_map)
    with pytest.raises(ValueError, match=message) as caught:
        parameters(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_hostile_file_of_an_index(split, tmp_path):
    path = split(FILES)
    (tmp_path / "b.safetensors").write_bytes(b"1")
    with pytest.raises(ValueError, match=r"b\.safetensors: the header must have"):
        parameters(path)


# Anything


@REUSED
@given(data=st.binary(max_size=40) | st.text("[]{}=.\"',x0123 \n", max_size=40).map(str.encode))
def test_any_text_is_a_model_or_one_error(data, tmp_path):
    for name in ("model.toml", "config.json", "model.safetensors.index.json", "model.safetensors"):
        (tmp_path / name).write_bytes(data)
        model = attempt(parameters, tmp_path / name)
        assert model is None or all(parameter.size < 2**63 for parameter in model)
