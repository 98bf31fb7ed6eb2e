"""Stream v1 is frozen: its golden files, and the tables and page sections that define it, never change."""

import hashlib

import pytest
import reference
from paths import GOLDEN

WHAT_TO_DO = (
    "{} has changed, and stream v1 is frozen: whoever drew a weight with it must get the same bits for ever. Undo the"
    " change. A new law gets a table and a golden file of its own, whose digest is added here; a better algorithm for"
    " a law that exists is another stream, under another name."
)

FILES = {
    "batched.txt": "6b190559e53e817bb970dbd480bdd5d6",
    "bits.txt": "cfb83ed1e0d2c0b36d949ab35902fb8d",
    "expressions.txt": "d324d1785d15afcc257b315063ef179a",
    "normal.txt": "f9c674267e4ddf8f9355cb18e7a58b72",
    "orthogonal.txt": "80dfb7c146b528213ff55268db5ce7a9",
    "schemes.txt": "4bb1656152ee926029d425d253d8c6c8",
    "truncated_normal.txt": "12c530b357c38cbb15d31093db0a871a",
    "uniform.txt": "53c72f151a1e049e54b0a1b394beb608",
    "vectors.json": "6635f74c72a3a4d527ff140e10cfc967",
}

TABLES = {
    "log_f32": "fdf0252c4a84bd9a5b20b2a96b42e44b",
    "sin_f32": "52ca45c2f7f30611bb3a4006a997284e",
    "cos_f32": "141fc472f326a5e15d535bf0962cfc25",
    "log_f64": "379cd012eebd46af04d7d6692c5d4bf3",
    "sin_f64": "2b580e60d6593d96c69b82b184b9610b",
    "cos_f64": "e66c47f3ad003c34645a5def2c5c4168",
    "exp_f64": "4751363afa4c2a32a85a694b6116d76f",
    "mills_f64": "7f6de4f85d336df908add6840977cf1a",
    "quantile_central_f32": "50ebec76312b45bd11a4ed300d945f84",
    "quantile_far_f32": "381882dc3dbbcdad6260f8a65e1547e6",
    "quantile_central_f64": "ad684b9eda8646acd3f0b35d188aac31",
    "quantile_tail_f64": "8a372462c1114211cd81adb66c5e85aa",
    "quantile_far_f64": "f41818e6a7ae5924d0f51404959eca26",
}


def digest(data):
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def of_table(name):
    return digest(" ".join(float(c).hex() for c in reference.tables()[name]).encode())


def test_every_golden_file_and_table_is_held():
    assert FILES.keys() == {path.name for path in GOLDEN.iterdir()}
    assert TABLES.keys() == reference.tables().keys()


@pytest.mark.parametrize("name", FILES)
def test_a_golden_file_never_changes(name):
    assert digest((GOLDEN / name).read_bytes().replace(b"\r\n", b"\n")) == FILES[name], WHAT_TO_DO.format(name)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_never_changes(name):
    assert of_table(name) == TABLES[name], WHAT_TO_DO.format(f"the table {name} of docs/stream-v1.md")
