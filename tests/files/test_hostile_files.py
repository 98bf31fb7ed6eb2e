"""What is no regular file is not read, and a mutant of any file is read or refused by its name."""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import READERS, archive, entry, header, mutated, npy, refused, with_pipes

from fanin.files.regular import open_regular

pytestmark = pytest.mark.usefixtures("no_transformers")


@with_pipes
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


@with_pipes
def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    regular = os.stat(tmp_path / "file")
    monkeypatch.setattr("fanin.files.regular.os.stat", lambda path: regular)
    with pytest.raises(ValueError, match="it must be a regular file, got a pipe"):
        open_regular(tmp_path / "pipe")


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
