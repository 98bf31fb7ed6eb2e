"""Every file that the package reads, made to hang it, to exhaust it or to end it with a traceback: each is one error.

An error says which file and what is allowed, and comes before anything of the size that the file claims is built.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import struct
import sys
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
from costs import require_linear
from processes import run

from fanin.checkpoint import Entry, Writer
from fanin.diagnose import audit
from fanin.files.npz_reader import read_npz
from fanin.files.regular import open_regular
from fanin.models import files_of, parameters
from fanin.models.offline import NetworkRefused, offline
from fanin.recipes import Recipe, Rule
from fanin.schemes import zeros

posix_only = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes on this system")

READERS: dict[str, Callable[[Path], object]] = {
    "recipe.toml": Recipe.load,
    "shapes.toml": parameters,
    "config.json": parameters,
    "w.safetensors": files_of,
    "w.safetensors.index.json": files_of,
    "w.npz": audit,
}


@pytest.fixture(autouse=True)
def no_transformers(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)


def refused(read: Callable[[Path], object], path: Path, most: int = 3_000_000) -> Exception:
    """The error of reading a file, which takes little memory beside a few times that of the file."""
    size = path.stat().st_size if path.is_file() else 0
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


# What is no regular file


@posix_only
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_a_device_and_a_directory_are_not_read(name, tmp_path):
    for kind, make in {
        "a pipe": os.mkfifo,
        "a device": lambda path: path.symlink_to("/dev/zero"),
        "a directory": os.mkdir,
    }.items():
        path = tmp_path / kind / name
        path.parent.mkdir()
        make(path)
        error = refused(READERS[name], path)
        assert type(error) is ValueError
        assert kind == "a directory" or str(error) == f"{path}: it must be a regular file, got {kind}"


@posix_only
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    regular = os.stat(tmp_path / "file")
    monkeypatch.setattr("fanin.files.regular.os.stat", lambda path: regular)
    with pytest.raises(ValueError, match="it must be a regular file, got a pipe"):
        open_regular(tmp_path / "pipe")


# TOML


TOML = {
    "dotted": ("." * 1 + "a.a" * 20_000 + "=1", "keys of at most 32 parts, got more in .* in line 1"),
    "dotted with quotes": ("x = 1\n" + '"a" . ' * 40 + "b = 1", "keys of at most 32 parts, got more in .* in line 2"),
    "header": ("[" + "a." * 20_000 + "a]", "keys of at most 32 parts"),
    "lists": ("w = " + "[" * 5000, "at most 64 lists and tables within each other, got more at 'w' in line 1"),
    "lists in lines": (
        "w = " + "[\n" * 5000,
        "at most 64 lists and tables within each other, got more at 'w' in line 65",
    ),
    "tables": ("w = " + "{a=" * 5000, "at most 64 lists and tables within each other, got more at 'a' in line 1"),
    "tables of dotted keys": ("w = " + "{a.b.c.d.e=" * 30, "at most 64 lists and tables within each other"),
    "number": (
        "[a]\nw = [" + "9" * 5000 + "]",
        r"numbers of at most 500 characters, got a number of 5000 .* at 'w' in line 2 in \[a\]",
    ),
    "hexadecimal": ("w = 0x" + "f" * 6000, "numbers of at most 500 characters, got a number of 6002 characters at 'w'"),
    "fraction": ("w = 0." + "3" * 6000, "numbers of at most 500 characters"),
    "key": ("k" * 6000 + " = 1", "keys and numbers of at most 500 characters, got 'kkk"),
    "twice": ("a = 1\na = 2\n", r"valid TOML: Cannot overwrite a value \(at line 2, column 6\), got 'a = 2'"),
    "open string": ('a = "' + "x" * 10**5, "valid TOML: "),
    "open lines": ('a = """' + "x\n" * 10**5, "valid TOML: "),
    "quotes": ('a = """' + '"' * 10**5, "valid TOML: "),
    "backslashes": ('a = "' + "\\" * 10**5, "valid TOML: "),
    "large": (" " * 4_000_001, "at most 4000000 bytes, got more"),
}


@pytest.mark.parametrize("name", ["recipe.toml", "shapes.toml"])
@pytest.mark.parametrize("kind", TOML)
def test_hostile_toml_is_one_error_that_costs_little(name, kind, tmp_path):
    text, message = TOML[kind]
    path = tmp_path / name
    path.write_text(text)
    error = refused(READERS[name], path, most=12_000_000)
    assert type(error) is ValueError
    assert str(error).startswith(f"{path}: the file must ")
    with pytest.raises(ValueError, match=message):
        raise error


def test_what_looks_hostile_within_a_string_or_a_comment_is_none(tmp_path):
    path = tmp_path / "recipe.toml"
    odd = "[" * 100 + "a." * 100 + "9" * 600
    path.write_text(
        f'# {odd}\nname = \'a\'\nsource = """\n{odd} "" \\""""\nrules = [{{pattern = \'\'\'{odd}\'\'\', '
        f'scheme = \'zeros\', role = "{odd}\\"" }}]  # {odd}\n'
    )
    it = Recipe.load(path)
    assert it.rules[0].pattern == odd
    assert it.rules[0].role == odd + '"'
    assert it.source == odd + ' "" "'


def test_the_deepest_that_is_allowed_is_read(tmp_path):
    path = tmp_path / "shapes.toml"
    path.write_text(".".join("a" * 32) + " = [2]\nb = " + "{c=" * 60 + "[3]" + "}" * 60)
    assert [parameter.shape for parameter in parameters(path)] == [(2,), (3,)]


def test_toml_of_more_lines_takes_longer_in_proportion(tmp_path):
    def read(lines: int) -> Callable[[], object]:
        path = tmp_path / f"{lines}.toml"
        path.write_text("".join(f'{"a." * 20}b{line} = [{line}]\n"x{line}" = [2]\n' for line in range(lines)))
        return lambda: parameters(path)

    require_linear(read, 100)


RECIPE = 'name = "it"\n[[rules]]\npattern = "*.bias"\nscheme = "zeros"\n[[rules]]\n'
RULES = {
    "key twice": ('pattern = "*"\npattern = "a"\nscheme = "zeros"', r"got 'pattern = \"a\"' in \[\[rules\]\] number 2"),
    "no key": ('scheme = "zeros"', "rule 2 of recipe 'it': a rule must have pattern and scheme, got no 'pattern'"),
    "no such key": (
        'patern = "*"\nscheme = "zeros"',
        "rule 2 of recipe 'it': a rule has .*, got 'patern' = .*: did you mean 'pattern'",
    ),
    "wrong type": ('pattern = 3\nscheme = "zeros"', "rule 2 of recipe 'it': pattern must be a string, got 3"),
    "deep scheme": (f'pattern = "*"\nscheme = {"[" * 60}1{"]" * 60}', "rule 2 of recipe 'it': scheme must be a name"),
    "long list": (
        'pattern = "*"\nscheme = "zeros"\nndim = [' + "1," * 10**4 + "-1]",
        "rule 2 of recipe 'it': ndim must be",
    ),
    "large number": (
        f'pattern = "*"\nscheme = {{scheme="normal", std=0x{"f" * 490}}}',
        "number that a float64 can hold",
    ),
    "repetitions": ('pattern = "/a{99999999999999}/"\nscheme = "zeros"', r"\{99999999999999\} is more than 1000 times"),
    "repetitions of repetitions": (
        'pattern = "/((a{99}){99}){99}/"\nscheme = "zeros"',
        "it has 970299 characters with all rep",
    ),
    "empty repetitions": (
        'pattern = "/(((){999}){999}){999}/"\nscheme = "zeros"',
        "it has 997002999 characters with all rep",
    ),
    "groups": (f'pattern = "/{"(" * 400}a{")" * 400}/"\nscheme = "zeros"', "more than 20 groups are within each other"),
    "long pattern": (f'pattern = "/{"(" * 5000}a{")" * 5000}/"\nscheme = "zeros"', "it has more than 1000 characters"),
    "long shell pattern": (f'pattern = "{"*a" * 5000}"\nscheme = "zeros"', "it has more than 1000 characters"),
    "reference": (r"""pattern = '/(a)\1/'""" + '\nscheme = "zeros"', "reference or position, which is not taken, at 3"),
    "lookaround": ('pattern = "/(?=a)a/"\nscheme = "zeros"', r"\(\?= is not taken: a group is \(…\), \(\?:…\) or"),
    "atomic": ('pattern = "/(?>a)a/"\nscheme = "zeros"', r"\(\?> is not taken"),
    "possessive": ('pattern = "/a*+a/"\nscheme = "zeros"', r"possessive \*\+ is not taken"),
    "position": (r"""pattern = '/a\bb/'""" + '\nscheme = "zeros"', "reference or position, which is not taken"),
}


@pytest.mark.parametrize("kind", RULES)
def test_hostile_rules_are_one_error_that_costs_little(kind, tmp_path):
    text, message = RULES[kind]
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE + text)
    with pytest.raises((ValueError, TypeError), match=message):
        raise refused(Recipe.load, path, most=16_000_000)


# Patterns


EVIL = ["(a+)+b", "(a|aa)*b", "(a?){30}a{30}b", "(.*a){20}b", "((a*)*)*b", ".*.*.*.*.*b", "(a|b|ab)*c", "[a]*?a*?a*?b"]


@pytest.mark.parametrize("expression", EVIL)
def test_any_expression_is_matched_in_time_proportional_to_the_name(expression):
    rule = Rule(f"/{expression}/", zeros())
    # The ending, which most names fail at first, is left aside.
    require_linear(lambda count: lambda: rule._regex.fullmatch("a" * count), 1000)
    assert not rule.matches("a" * 32_000)


def test_a_name_of_ever_new_characters_is_matched_in_time_proportional_to_it():
    """What is kept of them is bounded, and begun anew."""
    rule = Rule("/(a|[^b])*.{50}x/", zeros())
    require_linear(lambda count: lambda: rule._regex.fullmatch("".join(map(chr, range(1000, 1000 + count)))), 400)


def test_shell_patterns_take_time_proportional_to_the_name():
    rule = Rule("*a*a*a*a*a*a*a*b", zeros())
    require_linear(lambda count: lambda: rule._regex.fullmatch("a" * count), 1000)


def test_what_a_match_keeps_is_bounded(monkeypatch):
    """Each character leads to other places in the pattern; the answer stays the same when they are forgotten."""
    monkeypatch.setattr("fanin.recipes.patterns._STEPS_KEPT", 100)
    rule = Rule("/(a|b)*a(a|b){99}/", zeros())
    chance = random.Random(0)
    for _ in range(20):
        name = "".join(chance.choices("ab", k=500))
        assert rule.matches(name) == (name[-100] == "a")
    assert len(rule._regex._met) <= 100


# JSON


CONFIG = {
    "deep": ("[" * 10**6, "at most 64 lists and objects within each other, got more"),
    "deep value": (
        '{"model_type": ' + "[" * 5000,
        "at most 64 lists and objects within each other, got more at 'model_type'",
    ),
    "deep objects": ('{"a":' * 5000, "at most 64 lists and objects within each other, got more at 'a'"),
    "deep after strings": ('{"a": "' + "]" * 100 + '\\"", "b": ' + "[" * 65, "got more at 'b'"),
    "integer": (
        '{"model_type": "gpt2", "n_layer": ' + "9" * 5000 + "}",
        "numbers of at most 500 characters, got one of 5000 digits at 'n_layer'",
    ),
    "fraction": ('{"model_type": "gpt2", "n_layer": [0.' + "9" * 5000 + "]}", "got one of 5001 digits at 'n_layer'"),
    "twice": ('{"a": 1, "a": 2}', "the file must give each name once, got 'a' again"),
    "twice within": (
        '{"model_type": "gpt2", "b": [{"a": 1, "a": 2}]}',
        "the file must give each name once, got 'a' again",
    ),
    "infinite": ('{"model_type": "gpt2", "n_layer": 1e999}', "n_layer must be an integer in .*, got inf"),
    "not a number": ('{"model_type": "gpt2", "n_layer": NaN}', "n_layer must be an integer in .*, got nan"),
    "layers": ('{"model_type": "gpt2", "n_layer": 99999}', r"n_layer must be an integer in \[0, 10000\], got 99999"),
    "open string": ('{"' + "a" * 10**6, "must be valid JSON"),
    "backslashes": ('{"' + "\\" * 10**6, "must be valid JSON"),
    "surrogate": ('{"model_type": "\\ud800"}', "where transformers is not installed"),
    "large": (" " * 10_000_001, "at most 10000000 bytes, got more"),
}


@pytest.mark.parametrize("kind", CONFIG)
def test_a_hostile_config_is_one_error_that_costs_little(kind, tmp_path):
    text, message = CONFIG[kind]
    path = tmp_path / "config.json"
    path.write_text(text)
    error = refused(parameters, path, most=12_000_000)
    assert type(error) is ValueError
    with pytest.raises(ValueError, match=message):
        raise error


def test_the_network_is_refused_where_a_config_is_built():
    import socket

    with offline(), pytest.raises(NetworkRefused):
        socket.create_connection(("localhost", 1))
    with offline(), pytest.raises(NetworkRefused):
        socket.getaddrinfo("localhost", 1)
    with pytest.raises(OSError, match=r".*"):  # of the network itself
        socket.create_connection(("256.256.256.256", 1))


# The data of safetensors files


def header(entries: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}


TENSORS = {
    "trailing bytes": (
        header({"w": entry([2], 0, 8)}, bytes(9)),
        "the tensors must take all 9 bytes of the data, got 8",
    ),
    "overlap": (
        header({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
        "tensor 'b' must begin at byte 8 .*, got 4: it overlaps 'a'",
    ),
    "long header": (
        header({}, length=2**63),
        "header must have 2 to 100000000 bytes within a file of 10, got 9223372036854775808",
    ),
    "other shape": (header({"w": entry([3], 0, 8)}, bytes(8)), r"data_offsets must be 12 bytes apart for F32 \[3\]"),
    "huge shape": (header({"w": entry([2**40, 2**40], 0, 8)}, bytes(8)), "shape must have fewer than 2\\^63 elements"),
    "negative shape": (header({"w": entry([-1, -2], 0, 8)}, bytes(8)), "shape must have at axis 0 an integer in"),
}


@pytest.mark.parametrize("kind", TENSORS)
def test_an_audit_refuses_what_a_header_tells_wrongly(kind, tmp_path):
    data, message = TENSORS[kind]
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    error = refused(audit, path)
    assert "reshape" not in str(error)
    with pytest.raises(ValueError, match=message):
        raise error


# .npz


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


ARCHIVES = {
    "empty": (b"", "it must be a complete .npz file: File is not a zip file"),
    "text": (b"PK no more", "it must be a complete .npz file"),
    "claims 4 TB": (
        archive(("w.npy", npy("(1000000000000,)"))),
        "array 'w': it must have 4000000000000 bytes for float32 .*, got 0",
    ),
    "claims more than there is": (
        claiming(archive(("w.npy", npy("(1000000000,)"))), 2**32 - 2),
        "its arrays must have at most 268435456 bytes for a file of .*, got 4294967294",
    ),
    "bomb": (
        archive(("w.npy", npy("(100000000,)", bytes(400_000_000))), method=zipfile.ZIP_DEFLATED),
        "its arrays must have at most 268435456 bytes",
    ),
    "hidden bomb": (
        claiming(archive(("w.npy", npy("(2,)", bytes(10**7))), method=zipfile.ZIP_DEFLATED), len(npy("(2,)")) + 8),
        "it must be a complete|array 'w': Bad CRC-32|more bytes",
    ),
    "deep header": (
        archive(("w.npy", npy("(" * 4000 + ")" * 4000))),
        "array 'w': its header must give descr, fortran_order and shape",
    ),
    "deep dtype": (archive(("w.npy", npy("(1,)", dtype="[" * 4000))), "array 'w': its header must give descr"),
    "long header": (
        archive(("w.npy", npy("(1,)", before=" " * 20_000))),
        "array 'w': its header must have at most 10000 bytes, got 200",
    ),
    "huge shape": (
        archive(("w.npy", npy("(9999999999999999999, 9999999999)"))),
        "array 'w': shape must have at axis 0",
    ),
    "long shape": (archive(("w.npy", npy(f"({'9' * 5000},)"))), "array 'w': shape must have at axis 0"),
    "many axes": (
        archive(("w.npy", npy(f"({'1,' * 70})", bytes(4)))),
        "array 'w': shape must be a sequence of at most 64",
    ),
    "objects": (
        archive(("w.npy", npy("(1,)", b"x", "'|O'"))),
        "array 'w': it must be an array of numbers, got one of objects",
    ),
    "dtype": (archive(("w.npy", npy("(1,)", b"x", "'<f3'"))), "array 'w': its dtype must be one of NumPy's, got '<f3'"),
    "no header": (archive(("w.npy", b"")), "array 'w': it ends too early"),
    "no array": (archive(("w.npy", b"GIF89a, and more")), "array 'w': it must begin as an .npy file does"),
    "short": (
        archive(("w.npy", npy("(3,)", bytes(8)))),
        r"array 'w': it must have 12 bytes for float32 of shape \(3,\), got 8",
    ),
    "long": (archive(("w.npy", npy("(1,)", bytes(8)))), "array 'w': it must have 4 bytes for float32 .*, got 8"),
    "twice": (
        archive(("w.npy", npy("(1,)", bytes(4))), ("w.npy", npy("(1,)", bytes(4)))),
        "each array must be there once, got 'w' again",
    ),
    "other packing": (
        archive(("w.npy", npy("(1,)", bytes(4))), method=zipfile.ZIP_BZIP2),
        "array 'w.npy' must be stored or deflated",
    ),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_hostile_archive_is_one_error_that_names_it(kind, tmp_path):
    data, message = ARCHIVES[kind]
    path = tmp_path / "w.npz"
    path.write_bytes(data)
    error = refused(audit, path)
    assert type(error) is ValueError
    assert str(error).startswith(f"{path}: ")
    with pytest.raises(ValueError, match=message):
        raise error


def test_an_archive_of_a_large_directory_is_not_read_whole(tmp_path):
    path = tmp_path / "w.npz"
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 9, 9, 120_000_000, 0, 0)
    with path.open("wb") as file:
        file.truncate(120_000_000)
        file.seek(0, os.SEEK_END)
        file.write(end)
    with pytest.raises(ValueError, match="its directory must have at most 100000000 bytes, got 120000000"):
        raise refused(audit, path, most=-900_000_000)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(save, tmp_path):
    arrays = {
        **{name: np.arange(24, dtype=name).reshape(2, 3, 4) for name in ("float16", ">f4", "f8", "int32", "complex64")},
        **{
            "none": np.empty((0, 3)),
            "scalar": np.array(2.5),
            "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        },
        **{"text": np.array(["a", "b"]), "pairs": np.zeros(2, "f4,i4"), "large": np.zeros(3_000_000)},
    }
    save(tmp_path / "w.npz", **arrays)
    found = dict(read_npz(tmp_path / "w.npz"))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array, strict=True)
        else:
            assert found[name].dtype == ("structured" if name == "pairs" else str(array.dtype))


# Journals


class Interrupted(Exception):
    """What ends a run in the middle."""


def written(path: Path, **how: object) -> None:
    with Writer(path, [Entry("w", "float32", (4,))], identity={"seed": 0}, **how) as writer:
        if not writer.complete and 0 not in writer.done:
            writer.write("w", bytes(16))


@pytest.fixture
def journal(tmp_path):
    """The journal of an interrupted run, and a function that writes it anew with checked lines of other texts."""
    path = tmp_path / "w.safetensors"
    with contextlib.suppress(Interrupted), Writer(path, [Entry("w", "float32", (4,))], identity={"seed": 0}) as writer:
        writer.record([(0, 0, 16, None)])
        raise Interrupted
    file = tmp_path / "w.safetensors.journal"
    first = json.loads(file.read_bytes().split(b"\n")[0].partition(b" ")[2])

    def write(*texts: str) -> Path:
        checked = (f"{blake2b(text.encode(), digest_size=8).hexdigest()} {text}\n" for text in texts)
        file.write_text("".join(checked))
        return path

    return first, write


FIRST = {
    "many files": ({"files": 10**12}, "line 1: files must be an integer in .1, 99999., got 1000000000000"),
    "no files": ({"files": 0}, "line 1: files must be an integer in"),
    "files of another type": ({"files": "1"}, "line 1: files must be an integer in .*, got '1'"),
    "mark": ({"mark": "xy"}, "line 1: mark must be 32 hexadecimal digits, got 'xy'"),
    "mark of another type": ({"mark": None}, "line 1: mark must be a string, got None"),
    "force": ({"force": 1}, "line 1: force must be a bool, got 1"),
    "identity": ({"identity": [99]}, r"line 1: identity must be an object, got \[99\]"),
    "size": ({"max_shard_size": True}, "line 1: max_shard_size must be an integer"),
    "more": ({"more": 1}, "line 1: it must be an object of identity, mark, files, force, max_shard_size, got"),
}


def check_refused_unless_forced(path: Path, message: str) -> None:
    name = f"{path}.journal"
    before = sorted(os.listdir(path.parent))
    with pytest.raises(ValueError, match=message) as caught:
        written(path, resume=True)
    assert str(caught.value).startswith(f"{name}: ")
    assert str(caught.value).endswith(": force to start anew")
    assert sorted(os.listdir(path.parent)) == before
    written(path, force=True)
    assert os.listdir(path.parent) == ["w.safetensors"]


@pytest.mark.parametrize("kind", FIRST)
def test_a_journal_of_another_first_line_is_refused_or_replaced(kind, journal):
    first, write = journal
    change, message = FIRST[kind]
    check_refused_unless_forced(write(json.dumps(first | change)), message)


@pytest.mark.parametrize("text", ["[99]", "{}", "3", "null", '"x"', '{"files": 1000000000000}'])
def test_a_journal_of_something_else_is_refused_or_replaced(text, journal):
    check_refused_unless_forced(journal[1](text), "line 1: it must be an object of identity, mark, files, force")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[99]", r"line 2: file must be an integer in \[0, 0\], got 99"),
        ("[-1]", "line 2: file must be an integer"),
        ("{}", r"line 2: it must be \[file\] or \[task, file, bytes, note\], got {}"),
        ("[]", r"line 2: it must be \[file\] or"),
        ("[0, 1, 16, null]", "line 2: file must be an integer in"),
        ("[0.5, 0, 16, null]", "line 2: task must be an integer in .*, got 0.5"),
        ("[0, 0, -1, null]", "line 2: bytes must be an integer in"),
        ("[0, 0, 17, null]", "file 0 must have at most 16 bytes on record, got 17"),
        ("[0, 0, 1e3, null]", "line 2: bytes must be an integer in"),
    ],
)
def test_a_journal_of_another_task_is_refused_or_replaced(text, message, journal):
    first, write = journal
    check_refused_unless_forced(write(json.dumps(first), text), message)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, '{"a": 1, "a": 2}', "", "[0, 0"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_line_that_no_run_would_write_says_nothing(text, place, journal):
    first, write = journal
    path = write(*([json.dumps(first)] * place), text)
    written(path, resume=True)
    assert os.listdir(path.parent) == ["w.safetensors"]
    assert path.read_bytes()[-16:] == bytes(16)


@posix_only
def test_a_link_and_a_pipe_in_the_place_of_a_journal_are_refused_with_advice_that_helps(tmp_path, capsys):
    from fanin.cli import main

    (tmp_path / "precious").write_text("precious")
    journal = tmp_path / "w.safetensors.journal"
    for make, word in (
        (lambda: journal.symlink_to("precious"), "a symbolic link, which is not followed"),
        (lambda: os.mkfifo(journal), "not a regular file"),
    ):
        make()
        assert main(["init", "lstm-lm", "-o", str(tmp_path / "w.safetensors"), "--force"]) == 1
        said = capsys.readouterr().err
        assert f"{journal} is {word}; remove it or write elsewhere\n" in said
        assert "--resume" not in said
        journal.unlink()
    assert os.listdir(tmp_path) == ["precious"]
    assert (tmp_path / "precious").read_text() == "precious"


# Anything


def samples() -> dict[str, bytes]:
    """A valid file of each kind."""
    stored = archive(("w.npy", npy("(2, 3)", bytes(range(24)))), ("b.npy", npy("()", bytes(4))))
    packed = archive(("w.npy", npy("(2, 3)", bytes(range(24)))), ("i.npy", npy("(1,)", bytes(8), "'<i8'")), method=8)
    return {
        "recipe.toml": (
            b'name = "it"\nlayout = "OI"\n[[rules]]\npattern = "/(.*[.])?w[0-9]{1,3}/"\nndim = [1, 2]\n'
            b'scheme = { scheme = "he_normal", activation = ["leaky_relu", 0.2] }\n[[rules]]\npattern = "*"\n'
            b'shape = ["*", 3]\noptional = true\nscheme = { scheme = "padded", of = "zeros", row = 0 }\n'
        ),
        "shapes.toml": b'a.b = [1, 2]\n"c.d" = []\n[t.0]\nw = [3] # x\ne = {f = [4]}\n',
        "config.json": b'{"model_type": "gpt2", "architectures": ["GPT2Model"], "n_layer": 1, "n_inner": null}',
        "w.safetensors": header({"__metadata__": {"a": "b"}, "w": entry([2, 1], 0, 8)}, bytes(8)),
        "w.safetensors.index.json": b'{"metadata": {"total_size": 1e3}, "weight_map": {"w": "w.safetensors"}}',
        "stored.npz": stored,
        "packed.npz": packed,
    }


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


def check_mutants(read: Callable[[Path], object], path: Path, data: bytes, count: int) -> None:
    """Each mutant is read, or refused by an error that names the file; some are read."""
    said = []
    for seed in range(count):
        path.write_bytes(mutated(data, random.Random(seed)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of `re`, of a set within a set
                read(path)
        except (ValueError, TypeError, OSError) as error:
            said.append(str(error))
    assert 0 < len(said) < count
    assert [text for text in said if str(path.parent) not in text or len(text) > 3000] == []


@pytest.mark.parametrize("name", samples())
def test_mutants_are_read_or_refused(name, tmp_path):
    kind = "w.npz" if name.endswith(".npz") else name
    if "index" in name:
        (tmp_path / "w.safetensors").write_bytes(samples()["w.safetensors"])
    data = samples()[name]
    (tmp_path / kind).write_bytes(data)
    READERS[kind](tmp_path / kind)  # the sample itself is valid
    check_mutants(READERS[kind], tmp_path / kind, data, 400)


def test_mutants_of_journals_are_resumed_or_refused(journal):
    first, write = journal
    left = {file.name: file.read_bytes() for file in write(json.dumps(first)).parent.iterdir()}
    path = write(json.dumps(first))
    for seed in range(200):
        for name in os.listdir(path.parent):
            (path.parent / name).unlink()
        for name, data in left.items():
            (path.parent / name).write_bytes(data)
        chance = random.Random(seed)
        lines = [json.dumps(first), "[0, 0, 16, null]", "[0]", "[0, 0, 8, [[0, 1, 2.5, 0.5]]]"]
        at = chance.randrange(len(lines))
        lines[at] = mutated(lines[at].encode(), chance).decode("latin1").replace("\n", " ")
        write(*lines)
        said = ""
        try:
            written(path, resume=True)
        except (ValueError, OSError) as error:
            said = str(error)
            written(path, force=True)
        assert not said or str(path.parent) in said or "all bytes must be written" in said
        assert os.listdir(path.parent) == ["w.safetensors"], seed


# Memory, in interpreters of their own


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
@pytest.mark.parametrize("name", ["config.json", "shapes.toml", "recipe.toml"])
def test_the_largest_text_takes_little_memory(name, tmp_path):
    path = tmp_path / name
    path.write_text('{"a": "' + "\\n" * 4_999_000 + '"' if name == "config.json" else "a = [" + "[]," * 1_300_000)
    program = """
    import sys
    from fanin.models import parameters
    from fanin.recipes import Recipe
    from processes import peak

    before = peak()
    try:
        (Recipe.load if "recipe" in sys.argv[1] else parameters)(sys.argv[1])
    except ValueError as refusal:
        print(peak() - before, refusal)
    """
    memory, error = run(program, path).split(maxsplit=1)
    assert int(memory) < 700_000_000
    assert error.startswith(f"{path}: the file must be valid ")
