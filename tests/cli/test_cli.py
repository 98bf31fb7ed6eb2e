"""The command line: what it prints, what it writes, and how it fails."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.numpy
from processes import TIMEOUT

import fanin
from fanin.cli import main
from fanin.cli.terminal import explain

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's limits, devices and namespaces")
posix_only = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals and terminals")
COMMAND = [sys.executable, "-m", "fanin"]
# As on a file system that cannot reserve space: the disk then fills while data is written.
UNRESERVED = [
    sys.executable,
    "-c",
    "import os, sys; del os.posix_fallocate; from fanin.cli import main; sys.exit(main())",
]
# A run in which Ctrl-C arrives as soon as something is on record.
INTERRUPTED = [
    sys.executable,
    "-c",
    """
import signal, sys
from fanin.checkpoint import Writer
from fanin.cli import main

def interrupted(*arguments, record=Writer.record):
    record(*arguments)
    signal.raise_signal(signal.SIGINT)

Writer.record = interrupted
sys.exit(main())
""",
]


def run(*arguments: object, command: list[str] = COMMAND, **options: object) -> subprocess.CompletedProcess[str]:
    words = [*command, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=False, **options)  # type: ignore[call-overload]


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


def in_terminal(words: list[str], width: int, encoding: str = "utf-8", **options: object) -> str:
    """What a command prints on a terminal so wide, without colours."""
    import pty

    control, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm-256color", "PYTHONIOENCODING": encoding}
    with subprocess.Popen(words, stdout=terminal, stderr=terminal, env=environment, **options) as process:  # type: ignore[call-overload]
        os.close(terminal)
        output = b""
        try:
            while piece := os.read(control, 65536):
                output += piece
        except OSError:  # the other end is closed
            pass
        assert process.wait(TIMEOUT) == 0
    os.close(control)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode()).replace("\r\n", "\n")


@posix_only
@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_terminal_shows_a_bar_and_a_table_that_fits(tmp_path, width):
    text = in_terminal([*COMMAND, "init", "gpt2", "-o", "gpt2.safetensors", "--dtype", "float16"], width, cwd=tmp_path)
    assert re.search(r"━.* [\d.]+/248\.9 MB .*\d:\d\d:\d\d", text)
    table = text[text.rindex("group") :].replace("\r", "").splitlines()
    assert any(line.startswith("residual") for line in table)
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


def test_partial_file_of_another_program_needs_force(tmp_path):
    (tmp_path / "gpt2.safetensors.partial").write_text("theirs")
    done = run("init", "gpt2", "-o", tmp_path / "gpt2.safetensors")
    assert done.returncode == 1
    assert_one_line(done.stderr, "gpt2.safetensors.partial", "--force")
    assert os.listdir(tmp_path) == ["gpt2.safetensors.partial"]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("missing/gpt2.safetensors", ["no directory", "missing", "create it"]),
        ("/dev/null/new/", ["/dev/null", "no directory"]),
        ("x" * 300, ["cannot write", "too long"]),
        # Not permitted, or read-only, as in a container.
        pytest.param("/sys/kernel/gpt2.safetensors", ["cannot write in /sys/kernel", "elsewhere"], marks=linux_only),
        pytest.param("/proc/gpt2.safetensors", ["/proc takes no new files", "write elsewhere"], marks=linux_only),
        pytest.param("/dev/null", ["cannot write /dev/null", "not a regular file; remove it"], marks=posix_only),
    ],
)
def test_impossible_outputs_are_one_clear_line(tmp_path, output, words):
    done = run("init", "gpt2", "-o", output, "--force", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert_one_line(done.stderr, *words)
    assert os.listdir(tmp_path) == []


def test_the_space_that_is_told_is_that_of_the_directory_written_to(tmp_path, monkeypatch):
    """Another disk may be mounted there."""
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=5 if folder == str(tmp_path) else 7))
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "model.safetensors.partial"))
    for path in (tmp_path, f"{tmp_path}{os.sep}", tmp_path / "w.safetensors"):
        assert f"{tmp_path} has 5 B free" in explain(error, str(path), 9)


def obey_permissions() -> None:
    """Take root's right to write anywhere from the program that this process executes next."""
    import ctypes

    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(24, 1, 0, 0, 0):  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
        raise OSError("the right to write anywhere cannot be dropped")


@posix_only
@pytest.mark.skipif(sys.platform != "linux" and os.name == "posix" and os.geteuid() == 0, reason="root writes anywhere")
def test_an_unwritable_directory_is_one_clear_line(tmp_path):
    tmp_path.chmod(0o500)
    done = run("init", "gpt2", "-o", tmp_path / "gpt2.safetensors", preexec_fn=obey_permissions)
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
def test_an_interrupted_run_says_how_to_go_on_and_does(tmp_path):
    words = ["init", "gpt2", "-o", "model.safetensors", "--dtype", "float16", "--quiet"]
    done = run(*words, command=INTERRUPTED, cwd=tmp_path)
    assert done.returncode == 130
    assert_one_line(done.stderr, "interrupted", "--resume", "--force")
    assert sorted(os.listdir(tmp_path)) == ["model.safetensors.journal", "model.safetensors.partial"]
    again = run(*words, cwd=tmp_path)
    assert again.returncode == 1
    assert_one_line(again.stderr, "interrupted run", "--resume", "--force")
    other = run(*words, "--resume", "--seed", 1, cwd=tmp_path)
    assert other.returncode == 1
    assert_one_line(other.stderr, "seed", "0", "1", "force")
    assert run(*words, "--resume", cwd=tmp_path).returncode == 0
    assert os.listdir(tmp_path) == ["model.safetensors"]
    assert run("verify", "model.safetensors", "gpt2", cwd=tmp_path).returncode == 0


@linux_only
def test_full_standard_output_is_one_clear_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "info"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False
        )
    assert done.returncode == 1
    assert_one_line(done.stderr, "standard output", "No space")


@posix_only
def test_a_reader_that_leaves_is_no_error():
    done = run(command=["bash", "-c", f"{sys.executable} -m fanin recommend | true; exit ${{PIPESTATUS[0]}}"])
    assert (done.returncode, done.stderr) == (141, "")


@posix_only
@pytest.mark.parametrize(("closed", "status"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("2>&- --seed x", 2)])
def test_closed_streams_are_no_error(closed, status):
    done = run(command=["bash", "-c", f"{sys.executable} -m fanin plan lstm-lm {closed}"])
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_any_encoding_can_be_printed(encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    words = "plan", "lstm-lm", "--set", "decoder.bias=normal(std=0.5)"
    lines = run(*words, env=environment, encoding=encoding).stdout.splitlines()
    assert set(lines[1]) == {"-"}
    assert ("10000x650" if encoding == "ascii" else "10000×650") in lines[2]
    assert run("probe", "--help", env=environment, encoding=encoding).returncode == 0


@linux_only
@pytest.mark.parametrize(
    ("file", "words"), [("", ["No such file"]), ("/nope/x", ["/nope/x"]), ("/dev/full", ["/dev/full", "No space"])]
)
def test_json_that_cannot_be_written_is_one_clear_line(file, words, capsys):
    assert main(["plan", "lstm-lm", "--json", file]) == 1
    assert_one_line(capsys.readouterr().err, "cannot write", *words)


def test_info_prints_what_the_library_says(capsys):
    assert main(["info"]) == 0
    assert capsys.readouterr() == (f"{fanin.info()}\n", "")


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fanin {fanin.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["init", "gpt2"], "--output"),
        (["init", "gpt2", "-o", "x", "--resume", "--force"], "--force"),
        (["init", "gpt2", "-o", "x", "--max-shard-size", "5 pounds"], "5GB"),
        (["init", "gpt2", "-o", "x", "--workers", "0"], "[1, 1024]"),
        (["init", "gpt2", "-o", "x", "--set", "wte.weight"], "normal(std=0.01)"),
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
        (["--activation", "leaky_relu:x"], 2, ["--activation: must be a name, alone or with parameters"]),
        (["--std", "0.1"], 1, ["--std needs --shape"]),
        (["--depth", "0"], 1, ["depth must be at least 1, got 0"]),
        (["--shape", "512", "--std", "0.1", "--layout", "xy"], 1, ["layout must be"]),
        (["--shape", "big"], 2, ["must be sizes such as 4096x1024, got 'big'"]),
        (["--layer", "dense"], 2, ["invalid choice: 'dense'"]),
    ],
)
def test_recommend_refuses_what_it_does_not_know_in_one_line(arguments, status, words, capsys):
    assert main(["recommend", *arguments]) == status
    message = capsys.readouterr().err
    assert all(word in message for word in words)


def test_plan_prints_its_table_and_its_json(tmp_path, capsys):
    assert main(["plan", "gpt2-xl", "--dtype", "bfloat16", "--json", str(tmp_path / "plan.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["parameter", "rule", "scheme", "shape", "dtype", "std", "parameters", "bytes"]
    row = next(line for line in lines if line.startswith("h.0-47.mlp.c_proj.weight (48)"))
    assert re.search(
        r"\*h\.\*\.c_proj\.weight\s+normal\(.*\)\s+6400×1600\s+bfloat16\s+0\.00204124\s+491,520,000\s+983 MB", row
    )
    assert lines[-1] == "580 tensors, 1,557,611,200 parameters, 3.12 GB; recipe gpt2, seed 0"
    plan = fanin.Plan.from_dict(json.loads((tmp_path / "plan.json").read_text()))
    assert plan == fanin.plan("gpt2-xl", "gpt2", seed=0, dtype="bfloat16")
    assert main(["plan", "lstm-lm", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]["name"] == "lstm-lm"


@posix_only
@pytest.mark.parametrize("width", [40, 60, 100])
def test_plan_fits_a_narrow_terminal(width):
    text = in_terminal([*COMMAND, "plan", "bert-base"], width)
    assert text.startswith("parameter ")
    assert "199 tensors, 109,482,240 parameters" in text
    assert max(map(len, text.splitlines())) <= width


def test_set_draws_otherwise_and_must_match(tmp_path, capsys):
    arguments = ["plan", "gpt2", "--set", "wpe.weight=normal(std=0.01)", "--set", "*.mlp.*.bias=zeros"]
    assert main(arguments) == 0
    assert re.search(r"wpe\.weight\s+wpe\.weight\s.*normal\(mean=0, std=0\.01\)", capsys.readouterr().out)
    assert main(["plan", "gpt2", "--set", "x.weight=zeros"]) == 1
    assert_one_line(capsys.readouterr().err, "--override x.weight", "no parameter")
    assert main(["plan", "gpt2", "--set", "x=swoosh"]) == 2
    assert "swoosh" in capsys.readouterr().err


def test_a_recipe_that_leaves_a_rule_idle_is_a_warning(tmp_path, capsys):
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[[rules]]\npattern = "*.gamma"\nscheme = "ones"\n[[rules]]\npattern = "*"\nscheme = "zeros"\n'
    )
    (tmp_path / "model.toml").write_text("w = [3, 2]\n")
    assert main(["plan", str(tmp_path / "model.toml"), "--recipe", str(tmp_path / "mine.toml")]) == 0
    assert_one_line(capsys.readouterr().err, "warning", "*.gamma")


def test_init_in_shards_and_verify(tmp_path, capsys):
    arguments = ["init", "gpt2", "-o", str(tmp_path), "--dtype", "float16", "--seed", "5", "--workers", "3"]
    assert main([*arguments, "--max-shard-size", "100MB", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [os.path.basename(path) for path in told["files"]] == [
        f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)
    ]
    assert (told["seed"], told["resumed"]) == (5, 0)
    assert main(["verify", str(tmp_path)]) == 0
    assert "148 tensors" in (line := capsys.readouterr().out)
    assert "every byte is as planned" in line
    assert main([*arguments, "--max-shard-size", "100MB", "--resume"]) == 0
    assert "249 MB were there" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "model.safetensors.index.json"), "gpt2", "--seed", "6", "--json", "-"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert "its seed is 5, the plan's 6" in problems[0]
    assert any(problem.startswith("wte.weight: differs first at [0, 0]") for problem in problems)
    assert main(["verify", str(tmp_path), "--workers", "1", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_checkpoint_of_a_config_is_verified_with_that_config(tmp_path, capsys, monkeypatch):
    """A checkpoint names its recipe, but does not record what the config.json said of it."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    values = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 20}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", "initializer_range": 0.1, **values}))
    config, weights = str(tmp_path / "config.json"), str(tmp_path / "model.safetensors")
    assert main(["init", config, "-o", weights]) == 0
    assert main(["verify", weights, config]) == 0
    assert main(["verify", weights]) == 1
    told = capsys.readouterr().out
    assert "its recipe_digest is" in told
    assert "embed_tokens.weight: differs first at [0, 0]" in told


def write_hostile(path, names=("w",), **metadata) -> None:
    told = {"fanin": json.dumps(metadata)} if metadata else None
    safetensors.numpy.save_file({name: np.zeros(2, "float32") for name in names}, path, told)


@pytest.mark.parametrize("seed", [True, 1.0, "1", -1, 2**64, None, "9" * 5000])
def test_verify_believes_no_seed_that_is_none(tmp_path, capsys, seed):
    write_hostile(tmp_path / "x.safetensors", seed=seed, recipe="torch-default")
    assert main(["verify", str(tmp_path)]) == 1
    assert_one_line(capsys.readouterr().err, "does not say which seed it is from; give --seed")


@pytest.mark.parametrize("told", ["[" * 100_000, "1" * 5000, "null", "{"])
def test_verify_believes_no_metadata_that_is_none(tmp_path, capsys, told):
    safetensors.numpy.save_file({"w": np.zeros(2, "float32")}, tmp_path / "x.safetensors", {"fanin": told})
    assert main(["verify", str(tmp_path)]) == 1
    assert_one_line(capsys.readouterr().err, "does not say which seed it is from; give --seed")


def test_verify_opens_no_recipe_that_a_checkpoint_names(tmp_path, capsys):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\n[[rules]]\npattern = "*"\nscheme = "zeros"\n')
    for told in (str(recipe), "mine", 5, ["gpt2"], "\x1b[31m"):
        write_hostile(tmp_path / "x.safetensors", seed=0, recipe=told)
        assert main(["verify", str(tmp_path)]) == 1
        assert_one_line(capsys.readouterr().err, "is from the recipe", "not a built-in one; give --recipe")
    assert main(["verify", str(tmp_path), "--recipe", str(recipe)]) == 1
    assert "its recipe is" in capsys.readouterr().out


def test_a_hostile_name_does_not_command_the_terminal(tmp_path, capsys):
    path = tmp_path / "x.safetensors"
    write_hostile(path, ["\x1b[31mw", "x\nevery byte is as planned", "\u202ey", "[red]z", "w" * 300])
    (tmp_path / "mine.toml").write_text('name = "\\u001bx"\n[[rules]]\npattern = "*"\nscheme = "zeros"\n')
    for words, status in (
        (["plan", path, "--recipe", tmp_path / "mine.toml"], 0),
        (["plan", path, "--recipe", "gpt2"], 1),
        (["verify", path, "gpt2", "--seed", "0"], 1),
        (["audit", path], 0),
    ):
        assert main([str(word) for word in words]) == status
        out, err = capsys.readouterr()
        assert (out + err).replace("\n", "").isprintable()
        assert r"\x1b[31mw" in out + err
        assert not any(line.startswith("every byte") for line in out.splitlines())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "nope"], ["source must be one of gpt2", "config.json", "'nope'"]),
        (["plan", "nope.safetensors"], ["cannot open nope.safetensors", "No such file"]),
        (["plan", "resnet50", "--recipe", "gpt2"], ["no rule of recipe 'gpt2'", "'conv1.weight'"]),
        (["plan", "gpt2", "--recipe", "gpt5"], ["recipe must be one of torch-default", "'gpt5'"]),
        (["plan", "gpt2", "--rename", "a.b=c.d"], ["renamed", "'a.b'"]),
        (["verify", "nope.safetensors"], ["cannot open nope.safetensors"]),
        (["verify", "nope.txt"], ["must be"]),
    ],
)
def test_what_cannot_be_planned_is_one_line(arguments, words, capsys):
    assert main(arguments) == 1
    assert_one_line(capsys.readouterr().err, *words)


def test_renamed_parameters_keep_their_values(tmp_path):
    (tmp_path / "old.toml").write_text("fc.weight = [4, 3]\n")
    (tmp_path / "new.toml").write_text("head.weight = [4, 3]\n")
    common = ["--recipe", "torch-default", "--quiet"]
    assert main(["init", str(tmp_path / "old.toml"), "-o", str(tmp_path / "old.safetensors"), *common]) == 0
    renamed = ["--rename", "head.weight=fc.weight"]
    assert main(["init", str(tmp_path / "new.toml"), "-o", str(tmp_path / "new.safetensors"), *common, *renamed]) == 0
    old, new = (safetensors.numpy.load_file(tmp_path / f"{name}.safetensors") for name in ("old", "new"))
    assert (old["fc.weight"] == new["head.weight"]).all()


@posix_only
@pytest.mark.parametrize(("encoding", "formula"), [("utf-8", "1/√E f(z)²"), ("ascii", "1/sqrt E f(z)^2")])
def test_recommend_fits_a_narrow_terminal(encoding, formula):
    text = in_terminal([*COMMAND, "recommend", "--activation", "gelu"], 60, encoding)
    assert max(map(len, text.splitlines())) <= 60
    assert formula in " ".join(text.split())
    assert "1.534" in text
