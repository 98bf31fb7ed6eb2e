"""The command line: what it prints, what it writes, and how it fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import safetensors.numpy

import fanin
from fanin.cli import main

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's limits, devices and namespaces")
posix_only = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals and terminals")
COMMAND = [sys.executable, "-m", "fanin"]
# As on a file system that cannot reserve space: the disk then fills while data is written.
UNRESERVED = [
    sys.executable,
    "-c",
    "import os, sys; del os.posix_fallocate; from fanin.cli import main; sys.exit(main())",
]


def run(*arguments: object, command: list[str] = COMMAND, **options: object) -> subprocess.CompletedProcess[str]:
    words = [*command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload]


def assert_one_line(text: str, *words: str) -> None:
    assert text.startswith("fanin: ")
    assert text.count("\n") == 1
    for word in words:
        assert word in text


def test_init_writes_the_model_and_prints_its_table(tmp_path):
    done = run("init", "gpt2", "-o", "gpt2.safetensors", "--dtype", "bfloat16", "--seed", 3, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(tmp_path) == ["gpt2.safetensors"]
    with safetensors.safe_open(tmp_path / "gpt2.safetensors", "numpy") as file:
        assert len(file.keys()) == 148
        assert file.get_slice("wte.weight").get_dtype() == "BF16"
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["group", "scheme", "parameters", "tensors", "mean", "observed", "std", "observed"]
    row = next(line for line in lines if line.startswith("residual projections"))
    assert re.search(r"normal\(mean=0, std=0.00408248\)\s+35,389,440\s+24\s+0\s+\S+\s+0.00408248\s+0.0040[78]", row)
    assert "gpt2.safetensors: 148 tensors, 124,439,808 parameters, bfloat16, seed 3" in lines
    assert re.fullmatch(r"249 MB in \S+ s: \S+ [MG] parameters/s, \S+ [MG]B/s", lines[-1])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)


def test_init_quiet_prints_nothing(tmp_path, capsys):
    assert main(["init", "gpt2", "-o", str(tmp_path / "gpt2.safetensors"), "--dtype", "float16", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert os.path.getsize(tmp_path / "gpt2.safetensors") > 248_879_616


@posix_only
@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_terminal_shows_a_bar_and_a_table_that_fits(tmp_path, width):
    import pty

    control, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm-256color"}
    words = [*COMMAND, "init", "gpt2", "-o", "gpt2.safetensors", "--dtype", "float16"]
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, cwd=tmp_path, env=environment) as process:
        os.close(terminal)
        output = b""
        try:
            while piece := os.read(control, 65536):
                output += piece
        except OSError:  # the other end is closed
            pass
        assert process.wait(60) == 0
    os.close(control)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode())
    assert re.search(r"━.* [\d.]+/248\.9 MB .*\d:\d\d:\d\d", text)
    table = text[text.rindex("group") :].replace("\r", "").splitlines()
    assert any(line.startswith("residual projections") for line in table)
    assert max(map(len, table)) <= width
    assert any("249 MB in" in line for line in table)


def test_existing_file_needs_force(tmp_path):
    path = tmp_path / "gpt2.safetensors"
    path.write_text("precious")
    done = run("init", "gpt2", "-o", path)
    assert done.returncode == 1
    assert_one_line(done.stderr, "gpt2.safetensors exists", "--force")
    assert path.read_text() == "precious"
    assert main(["init", "gpt2", "-o", str(path), "--dtype", "float16", "--quiet", "--force"]) == 0
    assert path.stat().st_size > 248_879_616


def test_partial_file_of_another_run_needs_force(tmp_path):
    (tmp_path / "gpt2.safetensors.partial").write_text("theirs")
    done = run("init", "gpt2", "-o", tmp_path / "gpt2.safetensors")
    assert done.returncode == 1
    assert_one_line(done.stderr, "gpt2.safetensors.partial", "--force")
    assert os.listdir(tmp_path) == ["gpt2.safetensors.partial"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("missing/gpt2.safetensors", ["no directory", "missing", "create it"]),
        (".", ["is a directory", "gpt2.safetensors"]),
        ("new/", ["is a directory", "gpt2.safetensors"]),
        ("x" * 300, ["cannot write", "too long"]),
        pytest.param("/sys/kernel/gpt2.safetensors", ["cannot write in /sys/kernel", "Permission"], marks=linux_only),
        pytest.param("/dev/null", ["cannot write /dev/null", "regular"], marks=posix_only),
    ],
)
def test_impossible_outputs_are_one_clear_line(tmp_path, output, words):
    done = run("init", "gpt2", "-o", output, "--force", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, *words)
    assert os.listdir(tmp_path) == []


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory_is_one_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    done = run("init", "gpt2", "-o", tmp_path / "gpt2.safetensors")
    assert done.returncode == 1
    assert_one_line(done.stderr, f"cannot write in {tmp_path}", "Permission denied")
    assert os.listdir(tmp_path) == []


@linux_only
@pytest.mark.parametrize("command", [COMMAND, UNRESERVED], ids=["reserved", "unreserved"])
def test_a_file_size_limit_is_one_clear_line(tmp_path, command):
    import resource

    limit = 50 << 20
    done = run(
        *("init", "gpt2", "-o", tmp_path / "gpt2.safetensors"),
        command=command,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1
    assert_one_line(done.stderr, "498 MB", "ulimit -f")
    assert os.listdir(tmp_path) == []


@linux_only
@pytest.mark.parametrize("command", [COMMAND, UNRESERVED], ids=["reserved", "unreserved"])
def test_a_full_disk_is_one_clear_line(tmp_path, command):
    private = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not permitted here, so no small disk can be mounted")
    script = 'mount -t tmpfs -o size=50m none "$0" && { "$@"; status=$?; ls -A "$0"; exit $status; }'
    output = tmp_path / "gpt2.safetensors"
    done = run(*command, "init", "gpt2", "-o", output, command=[*private, "sh", "-c", script, str(tmp_path)])
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, "498 MB", "52.4 MB free")


@posix_only
def test_interruption_leaves_nothing(tmp_path):
    words = [*COMMAND, "init", "gpt2", "-o", "gpt2.safetensors", "--dtype", "float64"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not os.listdir(tmp_path):
            assert process.poll() is None
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "fanin: interrupted\n")
        assert process.returncode == 130
    assert os.listdir(tmp_path) == []


@linux_only
def test_full_standard_output_is_one_clear_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert_one_line(done.stderr, "standard output", "No space")


def test_info_prints_what_the_library_says(capsys):
    assert main(["info"]) == 0
    assert capsys.readouterr() == (f"{fanin.info()}\n", "")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fanin {fanin.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["init", "gpt2"], "--output"),
        (["init", "gpt5", "-o", "x"], "gpt5"),
        (["init", "gpt2", "-o", "x", "--dtype", "int8"], "int8"),
        (["init", "gpt2", "-o", "x", "--seed", "-1"], "[0, 2^64)"),
        (["init", "gpt2", "-o", "x", "--seed", "18446744073709551616"], "[0, 2^64)"),
        (["init", "gpt2", "-o", "x", "--seed", "one"], "[0, 2^64)"),
    ],
)
def test_wrong_usage_is_status_2(capsys, arguments, word):
    assert main(arguments) == 2
    assert word in capsys.readouterr().err


def test_recommend_says_what_and_why(capsys):
    assert main(["recommend", "--activation", "gelu", "--shape", "4096x1024"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["scheme"].strip() == "he_normal"
    assert lines["std"].strip() == "0.0479228 for 4096x1024"
    assert "1.534" in lines["why"]
    assert "He et al. (2015)" in lines["source"]


def test_recommend_reviews_a_std(capsys):
    assert main(["recommend", "--shape", "512,512", "--std", "1", "--depth", "5"]) == 0
    assert "gradients explode" in capsys.readouterr().out
    assert main(["recommend", "--shape", "512x512", "--std", "0.0625"]) == 0
    assert "is fine" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--activation", "swoosh"], 1, ["activation must be one of", "swoosh"]),
        (["--activation", "leaky_relu:x"], 2, ["--activation: must be a name, or as leaky_relu:0.2"]),
        (["--std", "0.1"], 1, ["--std needs --shape"]),
        (["--depth", "0"], 1, ["depth must be at least 1, got 0"]),
        (["--shape", "512", "--std", "0.1", "--layout", "xy"], 1, ["layout must be"]),
        (["--shape", "big"], 2, ["must be sizes as 4096x1024, got 'big'"]),
        (["--layer", "dense"], 2, ["invalid choice: 'dense'"]),
    ],
)
def test_what_recommend_refuses(arguments, status, words, capsys):
    assert main(["recommend", *arguments]) == status
    message = capsys.readouterr().err
    assert all(word in message for word in words)


@posix_only
def test_recommend_fits_a_narrow_terminal():
    import pty

    primary, secondary = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60"}
    subprocess.run(
        [*COMMAND, "recommend", "--activation", "gelu"], stdout=secondary, env=environment, check=True, timeout=60
    )
    os.close(secondary)
    text = os.read(primary, 1 << 16).decode()
    os.close(primary)
    assert max(map(len, text.splitlines())) <= 60
    assert "1.534" in text
