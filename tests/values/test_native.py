"""The native tests of tests/native, built here by CMake: golden values on every instruction set, and all 2^32 words."""

import itertools
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from paths import ROOT

TOOLCHAIN = "-DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake"

pytestmark = pytest.mark.xdist_group("build")


def build(folder: Path, program: str, *options: str) -> Path:
    """A test program."""
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("cmake is not installed")
    options = ("-DFANIN_BUILD_PYTHON=OFF", "-DFANIN_BUILD_TESTS=ON", *options)
    subprocess.run([cmake, "-S", ROOT, "-B", folder, *options], check=True, cwd=ROOT)
    subprocess.run([cmake, "--build", folder, "--config", "Release", "--target", program], check=True)
    return folder / "tests" / program


def run(*command: str | Path, isa: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FANIN_FORCE_ISA": isa}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def golden(build_folder: Path) -> Path:
    return build(build_folder, "fanin_golden")


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512", "neon"])
def test_golden_values_hold_on_each_instruction_set_and_it_is_the_one_that_ran(golden: Path, isa: str) -> None:
    result = run(golden, isa=isa)
    if "must name an instruction set" in result.stderr:
        pytest.skip(result.stderr)
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith(f"{isa}, ")
    assert result.stdout.endswith(" 0 failed\n")


@pytest.mark.slow
def test_golden_values_hold_on_aarch64(tmp_path: Path) -> None:
    missing = [tool for tool in ("aarch64-linux-gnu-g++", "qemu-aarch64") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    golden = build(tmp_path, "fanin_golden", TOOLCHAIN)
    result = run("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", golden, isa="neon")
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith("neon, ")


@pytest.mark.slow
def test_a_wrong_golden_value_is_found(golden: Path, tmp_path: Path) -> None:
    (tmp_path / "bits.txt").write_text('- uint32 0 "wte.weight" 0 : 6796cf92 d11090ee\n')
    result = run(golden, tmp_path)
    assert result.returncode == 1
    assert 'bits - uint32, seed 0, name "wte.weight", index 1' in result.stdout
    assert "expected 0xd11090ee, found 0xd11090ed" in result.stdout


@pytest.mark.slow
def test_no_golden_value_at_all_is_an_error(golden: Path, tmp_path: Path) -> None:
    result = run(golden, tmp_path)
    assert result.returncode == 1
    assert f"no golden file in {tmp_path}" in result.stderr


@pytest.mark.exhaustive
def test_every_word_stays_within_the_stated_error(build_folder: Path) -> None:
    result = run(build(build_folder, "fanin_exhaustive"))
    assert result.returncode == 0, result.stdout


def shared_by_the_linker(objects: Path) -> set[str]:
    """Symbols that these object files define and of which a linker keeps one of many: weak ones and unique ones."""
    lines = [
        subprocess.run(["nm", "-P", path], check=True, capture_output=True, text=True).stdout.splitlines()
        for path in objects.rglob("*.o")
    ]
    assert lines, f"no object files in {objects}"
    return {line.split()[0] for each in lines for line in each if line.split()[1] in ("W", "V", "u")}


@pytest.mark.slow
def test_kernels_of_different_instruction_sets_share_no_symbol(build_folder: Path) -> None:
    """Code built for one of them could be linked into what must run everywhere."""
    if shutil.which("nm") is None:
        pytest.skip("nm is not installed")
    build(build_folder, "fanin_core")
    folders = sorted((build_folder / "CMakeFiles").glob("fanin_kernels_*.dir"))
    symbols = {folder.name: shared_by_the_linker(folder) for folder in folders}
    assert symbols
    for one, other in itertools.combinations(symbols, 2):
        assert not symbols[one] & symbols[other], (one, other)
    # Nor do they with what has no instruction set of its own.
    common = shared_by_the_linker(build_folder / "CMakeFiles" / "fanin_core.dir")
    for name, own in symbols.items():
        assert not own & common, name


@pytest.mark.slow
def test_the_installed_library_builds_and_runs_in_another_project(build_folder: Path, tmp_path: Path) -> None:
    build(build_folder, "fanin_core")
    cmake = str(shutil.which("cmake"))
    prefix, folder = tmp_path / "installed", tmp_path / "consumer"
    subprocess.run([cmake, "--install", build_folder, "--prefix", prefix], check=True)
    headers = {str(path.relative_to(prefix / "include")) for path in prefix.glob("include/**/*.hpp")}
    assert "fanin/api/fanin.hpp" in headers
    assert not [name for name in headers if not name.startswith(("fanin/api/", "fanin/tensor/"))]
    subprocess.run(
        [cmake, "-S", ROOT / "tests/native/consumer", "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}"], check=True
    )
    subprocess.run([cmake, "--build", folder], check=True)
    result = run(folder / "consumer")
    assert (result.returncode, result.stdout.partition(", ")[2]) == (0, "0 failed\n"), result.stdout
