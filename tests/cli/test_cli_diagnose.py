"""`fanin probe`, `fanin compare` and `fanin audit`: what they print, write and refuse."""

import json

import numpy as np
import pytest

import fanin
from fanin.cli import main

QUICK = ["--depth", "4", "--width", "16"]


@pytest.fixture
def blobs(tmp_path):
    """Three classes around three points, as a user's file."""
    labels = np.arange(300) % 3
    x = 3 * fanin.normal((3, 8), seed=0, name="centres")[labels] + fanin.normal((300, 8), seed=0, name="noise")
    path = tmp_path / "blobs.npz"
    np.savez(path, x=x, y=labels)
    return str(path)


def test_probe_prints_the_layers_and_what_is_wrong(capsys):
    assert main(["probe", "xavier", "--depth", "30"]) == 0
    printed = capsys.readouterr().out
    assert "layers.29" in printed
    assert "gradients vanish" in printed
    assert "he_normal" in printed


def test_probe_of_what_is_recommended_finds_nothing_wrong(capsys):
    assert main(["probe", "he", "--depth", "8", "--width", "256"]) == 0
    assert "vanish" not in capsys.readouterr().out


def test_probe_writes_a_figure_and_strict_json(tmp_path, blobs):
    figure, numbers = tmp_path / "probe.png", tmp_path / "probe.json"
    # Zero weights have gradients of 0, and JSON has no infinity.
    assert main(["probe", "zeros", *QUICK, "--data", blobs, "-o", str(figure), "--json", str(numbers)]) == 0
    assert figure.read_bytes()[:4] == b"\x89PNG"
    report = json.loads(numbers.read_text(), parse_constant=pytest.fail)
    assert report["symmetric"]


def test_compare_ranks_and_draws(tmp_path, blobs, capsys):
    figure, numbers = tmp_path / "compare.png", tmp_path / "compare.json"
    arguments = ["--data", blobs, "--steps", "60", "--seeds", "2", "-o", str(figure), "--json", str(numbers)]
    assert main(["compare", "zeros", "he", *QUICK, *arguments]) == 0
    rows = json.loads(numbers.read_text(), parse_constant=pytest.fail)["rows"]
    assert [row["name"] for row in rows] == ["he", "zeros"]
    assert figure.read_bytes()[:4] == b"\x89PNG"
    assert "he is better than zeros" in capsys.readouterr().out


def test_audit_has_status_1_where_it_finds_something(tmp_path, capsys):
    init, path = fanin.seeded(0, layout="OI"), str(tmp_path / "weights.npz")
    good = init.he_normal("fc1.weight", (64, 64))
    np.savez(path, **{"fc1.weight": good})
    assert main(["audit", path]) == 0
    np.savez(path, **{"fc1.weight": good, "fc2.weight": np.full((64, 64), np.nan, np.float32)})
    assert main(["audit", path]) == 1
    assert "fc2.weight" in capsys.readouterr().out
    assert main(["audit", path, "--json", "-"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["name"] == "fc2.weight"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["compare", "hey"], 1, ["a name of fanin.schemes", "got 'hey': did you mean 'he'?"]),
        (["probe", "he", "--depth", "0"], 1, ["depth must be at least 1, got 0"]),
        (["probe", "he", "--kind", "lstm", "--norm", "batch"], 1, ["norm and residual are for dense and conv"]),
        (["probe", "he", "--data", "no/such.npz"], 1, ["cannot open no/such.npz"]),
        (["audit", "no/such.npz"], 1, ["cannot open no/such.npz"]),
        (["probe", "--activation", "leaky_relu:x"], 2, ["must be a name, alone or with parameters"]),
        (["compare"], 2, ["SCHEME"]),
    ],
)
def test_a_wrong_argument_is_refused_without_a_traceback(arguments, status, words, capsys):
    assert main(arguments) == status
    refusal = capsys.readouterr().err
    assert all(word in refusal for word in words)
    assert "Traceback" not in refusal


def test_a_figure_that_cannot_be_written_is_an_error_in_one_line(blobs, capsys):
    assert main(["probe", "he", *QUICK, "--data", blobs, "-o", "no/such/directory.png"]) == 1
    assert "cannot open no/such/directory.png" in capsys.readouterr().err
