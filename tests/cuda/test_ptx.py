"""What nvcc compiles of the GPU's fills, run on the host without a GPU: its PTX, translated into C++ by ptx.py.

Every case of tests/native/cuda_threads.cpp, for every thread of every launch. What ptxas makes of the PTX, and the GPU
of that, is for tests/cuda/test_cuda_*.py to see.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from paths import ROOT
from ptx import UntranslatableError, kernels, translate

ARCHITECTURES = ("75", "100")  # nvcc has a compiler for each of them
BROKEN = "broken"
pytestmark = pytest.mark.xdist_group("build")
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


def configure(folder: Path, *options: str) -> None:
    options = ("-DFANIN_BUILD_PYTHON=OFF", "-DFANIN_BUILD_TESTS=ON", "-DFANIN_CUDA=ON", *options)
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, *options], check=True)


def compile_to_ptx(folder: Path, architecture: str, **replaced: str) -> str:
    """The PTX of the fills, by the command that would compile them."""
    commands = json.loads((folder / "compile_commands.json").read_text())
    [command] = [c for c in commands if c["file"].endswith("fills.cu")]
    words = [word for word in shlex.split(command["command"]) if not word.startswith("--generate-code")]
    output = folder / f"{architecture}.ptx"
    words[words.index("-c")] = "-ptx"
    words[words.index("-o") + 1] = str(output)
    for old, new in replaced.items():
        words[words.index(f"-{old}=false")] = f"-{old}={new}"
    subprocess.run([*words, f"-arch=compute_{architecture}"], check=True, cwd=command["directory"])
    return output.read_text()


def split_one_fma(ptx: str) -> str:
    """The kernel of normals in float32, alone, with its last fma as a multiplication and an addition."""
    kernel = re.search(r"\.visible \.entry \w*Tiles\w*Normal32\w*DtypeE0\w*\(.*?\n}", ptx, re.DOTALL)
    assert kernel is not None
    fma = [*re.finditer(r"fma(\.rn\.f32\s+%\w+), (%\w+, %\w+), (%\w+);", kernel[0])][-1]
    before, after, result = kernel[0][: fma.start()], kernel[0][fma.end() :], fma[1].split()[1]
    return f"{before}mul{fma[1]}, {fma[2]};\nadd{fma[1]}, {result}, {fma[3]};{after}"


@pytest.fixture(scope="module")
def folder(build_folder: Path) -> Path:
    missing = [tool for tool in ("nvcc", "cmake", "c++") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    configure(build_folder)
    return build_folder


@pytest.fixture(scope="module")
def ptx(folder: Path) -> dict[str, str]:
    """Return the PTX for each architecture that this nvcc knows."""
    known = subprocess.run(["nvcc", "--list-gpu-arch"], check=True, capture_output=True, text=True).stdout.split()
    return {a: compile_to_ptx(folder, a) for a in ARCHITECTURES if f"compute_{a}" in known}


@pytest.fixture(scope="module")
def programs(folder: Path, ptx: dict[str, str]) -> Path:
    sources = {folder / f"ptx_{name}.cpp": translate(text) for name, text in ptx.items()}
    broken = folder / f"ptx_{BROKEN}.cpp"
    for path, source in [*sources.items(), (broken, translate(split_one_fma(next(iter(ptx.values())))))]:
        path.write_text(source)
    configure(folder, f"-DFANIN_PTX={';'.join(map(str, sources))}", f"-DFANIN_PTX_REPLACED={broken}")
    build = ["cmake", "--build", folder, "--parallel", str(os.cpu_count())]
    subprocess.run([*build, "--target", *(path.stem for path in (*sources, broken))], check=True)
    return folder / "tests"


def of(architecture: str, ptx: dict[str, str]) -> str:
    if architecture not in ptx:
        pytest.skip(f"nvcc does not compile for compute_{architecture}")
    return ptx[architecture]


def run(program: Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run([program], capture_output=True, text=True, check=False)
    if result.stdout.startswith("left out"):
        pytest.skip(result.stdout)
    return result


@pytest.mark.slow
@every_architecture
def test_every_kernel_gives_the_bits_of_the_processor(architecture: str, ptx: dict[str, str], programs: Path) -> None:
    count = len(kernels(of(architecture, ptx)))
    result = run(programs / f"ptx_{architecture}")
    assert re.fullmatch(rf"{count} kernels, \d{{4}} passed, 0 failed\n", result.stdout), result.stdout + result.stderr
    assert result.returncode == 0


@pytest.mark.slow
def test_a_kernel_that_rounds_once_more_is_found(programs: Path) -> None:
    result = run(programs / f"ptx_{BROKEN}")
    assert result.returncode == 1
    failures = re.findall(r"^FAILED (\S+) in (\w+),", result.stdout, re.MULTILINE)
    assert set(failures) == {("normal", "float32")}


@pytest.mark.slow
@every_architecture
def test_nothing_is_approximate_and_tiles_are_stored_16_bytes_at_once(architecture: str, ptx: dict[str, str]) -> None:
    text = of(architecture, ptx)
    assert not re.search(r"\.(ftz|approx|full)\b", text)
    tiles = [entry for entry in text.split(".entry ")[1:] if re.match(r"\w+?5Tiles", entry)]
    assert len(tiles) == 21
    for entry in tiles:
        assert re.search(r"st\.global\.(v4\.[busf]32|v2\.[busf]64)", entry), entry.split("(")[0]


@pytest.mark.slow
@every_architecture
def test_without_its_flag_nvcc_makes_what_is_refused(architecture: str, ptx: dict[str, str], folder: Path) -> None:
    of(architecture, ptx)
    with pytest.raises(UntranslatableError, match=r"'(add|mul)\.f(32|64) "):
        translate(compile_to_ptx(folder, architecture, fmad="true"))


KERNEL = """
.version 8.5
.target sm_75
.address_size 64

.visible .entry kernel(
    .param .align 8 .b8 kernel_param_0[20],
    .param .u64 kernel_param_1
)
.maxntid 256, 1, 1
{
    .reg .pred %p<3>;
    .reg .b32 %r<4>;
    .reg .f32 %f<4>;

    INSTRUCTION
    ret;

}
"""


@pytest.mark.parametrize(
    ("instruction", "statement"),
    [
        ("add.rn.f32 %f1, %f2, 0f3F800000;", "put(_f1, f32(as<f32>(_f2) + as<f32>(u32(0x3F800000))));"),
        ("@!%p1 bra $L__BB0_2;", "if (!_p1) { goto L__BB0_2; }"),
        ("setp.leu.f32 %p1, %f1, %f2;", "put(_p1, pred(!(as<f32>(_f1) > as<f32>(_f2))));"),
        ("mov.u32 %r1, -1;", "put(_r1, u32(as<u32>(u64(0xffffffffffffffff))));"),
        ("mov.u32 %r1, %tid.x;", "put(_r1, u32(tid));"),
        ("ld.param.u32 %r1, [kernel_param_1+4];", "memory(u64(params + 24) + u64(4), 4);"),
    ],
)
def test_an_instruction_is_translated(instruction: str, statement: str) -> None:
    assert statement in translate(KERNEL.replace("INSTRUCTION", instruction))


@pytest.mark.parametrize(
    "instruction",
    [
        "add.f32 %f1, %f2, %f3;",  # may be fused with the multiplication before it
        "mad.f32 %f1, %f2, %f3, %f1;",
        "add.rn.ftz.f32 %f1, %f2, %f3;",
        "fma.rz.f32 %f1, %f2, %f3, %f1;",
        "sqrt.approx.f32 %f1, %f2;",
        "div.full.f32 %f1, %f2, %f3;",
        "cvt.rn.f16x2.f32 %r1, %f2, %f3;",
        "add.rn.f32 %f1, %f2;",
        "bar.sync 0;",
        ".local .align 8 .b8 __local_depot0[16];",
    ],
)
def test_what_need_not_give_the_same_bits_is_refused(instruction: str) -> None:
    with pytest.raises(UntranslatableError, match=re.escape(instruction.split(maxsplit=1)[0])):
        translate(KERNEL.replace("INSTRUCTION", instruction))


def test_an_operand_that_is_not_known_is_refused() -> None:
    with pytest.raises(UntranslatableError, match="%laneid"):
        translate(KERNEL.replace("INSTRUCTION", "mov.u32 %r1, %laneid;"))


def test_what_is_beside_kernels_is_refused() -> None:
    with pytest.raises(UntranslatableError, match="table"):
        translate(KERNEL + ".const .align 4 .b8 table[8];\n")
