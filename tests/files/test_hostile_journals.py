"""Journals that no run has written: each is refused, replaced by force, or says nothing."""

from __future__ import annotations

import contextlib
import json
import os
import random
from hashlib import blake2b
from pathlib import Path

import pytest
from hostile import mutated, with_pipes

from fanin.checkpoint import Entry, Writer


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


@with_pipes
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
