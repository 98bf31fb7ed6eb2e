"""The safetensors files that a path stands for, and where in them each tensor is."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import safetensors.numpy

from fanin.models import Parameter, files_of, parameters

ARRAYS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(5, np.float16), "none": np.zeros((0, 2))}


def save(path, arrays=ARRAYS):
    safetensors.numpy.save_file(arrays, path)
    return path


def save_split(folder, weight_map=None):
    for name, array in ARRAYS.items():
        save(folder / f"{name}.safetensors", {name: array})
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": weight_map or {name: f"{name}.safetensors" for name in ARRAYS}}))
    return path


def assert_places(found, arrays):
    """Every array's bytes are in the file of its path, at its place."""
    seen = {}
    for path, header in found.items():
        with open(path, "rb") as file:
            data = file.read()
        seen |= {name: data[begin:end] for name, (begin, end) in header.places.items()}
        assert list(header.places) == list(header.tensors)
    assert seen == {name: array.tobytes() for name, array in arrays.items()}


def test_a_file_is_itself(tmp_path):
    path = save(tmp_path / "any.safetensors")
    found = files_of(path)
    assert list(found) == [str(path)]
    assert_places(found, ARRAYS)


def test_an_index_is_the_files_beside_it(tmp_path, monkeypatch):
    path = save_split(tmp_path)
    found = files_of(path)
    assert list(found) == [str(tmp_path / f"{name}.safetensors") for name in ARRAYS]
    assert_places(found, ARRAYS)
    monkeypatch.chdir(tmp_path)
    assert list(files_of(path.name)) == [f"{name}.safetensors" for name in ARRAYS]


def test_a_directory_is_its_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"it must have a model\.safetensors, .* got none of them"):
        files_of(tmp_path)
    save_split(tmp_path)
    assert_places(files_of(tmp_path), ARRAYS)
    assert [p.name for p in parameters(tmp_path)] == list(ARRAYS)
    save(tmp_path / "model.safetensors", {"w": np.ones(2)})
    assert list(files_of(tmp_path)) == [str(tmp_path / "model.safetensors")]
    assert parameters(tmp_path).parameters == (Parameter("w", (2,), dtype="float64"),)


def test_the_only_file_of_a_directory_is_its_checkpoint(tmp_path):
    path = save(tmp_path / "adapter.safetensors")
    (tmp_path / "config.json").write_text("{}")
    assert list(files_of(tmp_path)) == [str(path)]
    save(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"it must have .* got \['adapter\.safetensors', 'other\.safetensors'\]"):
        files_of(tmp_path)


@pytest.mark.parametrize("path", ["model.bin", "config.json", "gpt2", ""])
def test_paths_of_another_kind(path):
    with pytest.raises(ValueError, match=r"path must be that of a \.safetensors or an \.index\.json file, .* got "):
        files_of(path)


def test_what_is_not_there():
    for path in ("no.safetensors", "no.index.json"):
        with pytest.raises(FileNotFoundError):
            files_of(path)


def test_an_index_is_checked_as_it_is_read(tmp_path):
    path = save_split(tmp_path, {"a": "a.safetensors", "b": "a.safetensors"})
    with pytest.raises(ValueError, match=r"tensor 'b' must be in 'a\.safetensors', which does not hold it"):
        files_of(path)


@pytest.mark.parametrize("file", ["NUL.safetensors", "con.x.safetensors", "COM1.safetensors", "lpt9.safetensors"])
def test_names_of_devices_are_no_files(file, tmp_path):
    with pytest.raises(ValueError, match=r"plain name of a \.safetensors file"):
        files_of(save_split(tmp_path, {"a": file}))


def test_a_link_is_followed_as_the_cache_of_the_hub_has_them(tmp_path):
    """A snapshot there is a directory of links to blobs elsewhere."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    save_split(tmp_path / "blobs")
    for path in (tmp_path / "blobs").iterdir():
        (tmp_path / "snapshot" / path.name).symlink_to(path)
    assert_places(files_of(tmp_path / "snapshot"), ARRAYS)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("name", ["w.safetensors", "model.safetensors.index.json", "config.json", "model.toml"])
def test_a_pipe_is_no_file(name, tmp_path):
    """Opening one would wait for a writer, for ever."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match="it must be a regular file"):
        parameters(tmp_path / name)
