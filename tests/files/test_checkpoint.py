"""A checkpoint is the reference library's file, and exists only when it is complete."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from processes import TIMEOUT

from fanin.checkpoint import Entry, Writer, encode_header, in_file_order

DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}

ENTRIES = [Entry("w", "float32", (4,))]

texts = st.text(st.characters(codec="utf-8"), max_size=8)
tensors = st.dictionaries(
    texts,
    st.tuples(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 3), max_size=3)),
    max_size=6,
)


def arrays(specification: dict[str, tuple[str, list[int]]]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(DTYPES[dtype]) for name, (dtype, shape) in specification.items()}


def write(path: Path, values: dict[str, np.ndarray], metadata: dict[str, str] | None = None, **options: bool) -> None:
    with Writer(
        path, [Entry(name, str(value.dtype), value.shape) for name, value in values.items()], metadata, **options
    ) as writer:
        for name, value in values.items():
            writer.write(name, value.tobytes())


@given(specification=tensors, metadata=st.dictionaries(texts, texts, max_size=1))
def test_file_is_the_reference_librarys(specification, metadata, tmp_path_factory):
    values = arrays(specification)
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    write(path, values, metadata)
    assert path.read_bytes() == safetensors.numpy.save(values, metadata or None)


def test_metadata_keeps_its_order(tmp_path):
    """The reference library writes metadata in an order that changes from call to call; one of them is ours."""
    values = {"w": np.ones((2, 3), np.float32)}
    metadata = {"format": "pt", "fanin": '{"seed":0}'}
    write(tmp_path / "model.safetensors", values, metadata)
    written = (tmp_path / "model.safetensors").read_bytes()
    assert written in {safetensors.numpy.save(values, metadata) for _ in range(64)}
    assert written.index(b"format") < written.index(b"fanin")


def test_pieces_of_any_size_and_order_make_the_same_file(tmp_path):
    values = {"a": np.arange(1000, dtype=np.float32), "b": np.arange(7, dtype=np.float64)}
    entries = [Entry(name, str(value.dtype), value.shape) for name, value in values.items()]
    with Writer(tmp_path / "pieces", entries) as file:
        for name, value in values.items():
            data = value.tobytes()
            for start in reversed(range(0, len(data), 13)):
                file.write(name, data[start : start + 13], start)
    write(tmp_path / "whole", values)
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()


def test_wide_dtypes_come_first_then_names():
    entries = [
        Entry("b", "float16", (1,)),
        Entry("c", "bfloat16", (1,)),
        Entry("d", "float64", ()),
        Entry("a", "float32", (1,)),
        Entry("B", "float32", (1,)),
    ]
    assert [entry.name for entry in in_file_order(entries)] == ["d", "B", "a", "c", "b"]


def test_nothing_appears_before_the_end(tmp_path):
    path = tmp_path / "model.safetensors"
    with Writer(path, ENTRIES) as file:
        file.write("w", bytes(16))
        assert not path.exists()
        with pytest.raises(safetensors.SafetensorError):
            safetensors.numpy.load_file(tmp_path / "model.safetensors.partial")
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_missing_data_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="must be written"), Writer(tmp_path / "model", ENTRIES) as file:
        file.write("w", bytes(12))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("size", "start"), [(20, 0), (16, 1), (1, 16), (1, -1)])
def test_data_must_lie_within_its_tensor(tmp_path, size, start):
    with pytest.raises(ValueError, match="within the 16 bytes of 'w'"), Writer(tmp_path / "model", ENTRIES) as file:
        file.write("w", bytes(size), start)
    assert os.listdir(tmp_path) == []


def test_an_error_or_an_interruption_leaves_no_file(tmp_path):
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), Writer(tmp_path / "model", ENTRIES):
            raise error
        assert os.listdir(tmp_path) == []


def test_existing_files_need_force(tmp_path):
    path = tmp_path / "model"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        write(path, {})
    assert path.read_text() == "precious"
    with pytest.raises(RuntimeError), Writer(path, [], force=True):
        raise RuntimeError
    assert path.read_text() == "precious"
    write(path, {}, force=True)
    assert safetensors.numpy.load_file(path) == {}


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "model"
    with pytest.raises(FileExistsError), Writer(path, []):
        path.write_text("precious")
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["model"]


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    for options in ({}, {"force": True}, {"resume": True}):
        with Writer(tmp_path / "model", [], force=True), pytest.raises(OSError, match="another process") as refused:
            write(tmp_path / "model", {}, **options)
        assert refused.value.errno == errno.EBUSY
        assert os.listdir(tmp_path) == ["model"]


def test_force_replaces_what_an_interrupted_run_left(tmp_path):
    (tmp_path / "model.partial").write_text("half")
    with pytest.raises(FileExistsError):
        write(tmp_path / "model", {})
    write(tmp_path / "model", {}, force=True)
    assert os.listdir(tmp_path) == ["model"]


def test_in_a_directory_the_file_has_hugging_faces_name(tmp_path):
    write(tmp_path, {})
    assert os.listdir(tmp_path) == ["model.safetensors"]


def test_a_directory_that_is_named_as_one_is_made(tmp_path):
    write(f"{tmp_path}/a/b/", {})
    assert os.listdir(tmp_path / "a" / "b") == ["model.safetensors"]


def test_directories_and_devices_are_not_replaced(tmp_path):
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(OSError, match="regular"):
        write(tmp_path, {}, force=True)
    (tmp_path / "file").write_text("precious")
    with pytest.raises(NotADirectoryError):
        write(f"{tmp_path}/file/", {}, force=True)
    with pytest.raises(OSError, match="regular"):
        write(os.devnull, {}, force=True)


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need privileges on Windows")
def test_a_symbolic_link_is_followed(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write(tmp_path / "link", {}, force=True)
    assert (tmp_path / "link").is_symlink()
    assert safetensors.numpy.load_file(tmp_path / "target") == {}


def test_names_must_be_distinct_and_free():
    entry = Entry("w", "float32", (1,))
    with pytest.raises(ValueError, match="'w'"):
        encode_header([entry, entry])
    with pytest.raises(ValueError, match="__metadata__"):
        encode_header([Entry("__metadata__", "float32", (1,))])
    with pytest.raises(TypeError, match="int8"):
        Entry("w", "int8", (1,))


def test_a_header_beyond_the_formats_limit_is_refused():
    with pytest.raises(ValueError, match="100000000"):
        encode_header([Entry("w", "float32", (1,))], {"text": "x" * 100_000_000})


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_space_that_cannot_be_reserved_is_taken_as_it_comes(tmp_path, monkeypatch, code):
    def refuse(file: int, start: int, size: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    write(tmp_path / "model", {"w": np.ones(4, np.float32)})
    assert safetensors.numpy.load_file(tmp_path / "model")["w"].tolist() == [1, 1, 1, 1]


@pytest.mark.skipif(sys.platform != "linux", reason="reserves space by posix_fallocate")
def test_a_file_size_limit_shows_before_any_data_is_written(tmp_path):
    program = (
        "import resource\nfrom fanin.checkpoint import *\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"with Writer({str(tmp_path / 'model')!r}, [Entry('w', 'float32', (1000,))]) as file: print('opened')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert run.stdout == ""
    assert "File too large" in run.stderr
    assert os.listdir(tmp_path) == []
