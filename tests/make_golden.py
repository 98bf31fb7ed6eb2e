"""Write tests/golden/ from the NumPy reference: `python tests/make_golden.py`.

The stream is frozen, so it refuses to replace a file without --force.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import reference
import reference_batched
import reference_expressions
import reference_orthogonal
import reference_schemes

GOLDEN = Path(__file__).parent / "golden"
SEEDS = (0, 1, 2**64 - 1, 0x243F6A8885A308D3)
NAMES = ("", "wte.weight", "h.0.attn.c_attn.weight", "层.重み")
FLOATS = ("float32", "float64", "float16", "bfloat16")

# 10000^(-i/4)/2π, i = 0 … 3, as unevaluated sums.
TURNS_HIGH = "0x1.45f306dc9c883p-3;0x1.04c26be3b06cfp-6;0x1.a1371305e714bp-10;0x1.4dc5a8d185aa2p-13"
TURNS_LOW = "-0x1.6b01ec5417056p-57;-0x1.566c8dd9e3448p-62;0x1.0f52503cfac5ap-66;0x1.cfdd433f655acp-67"

# Mamba's steps, as its code computes them.
STEP = "uniform:0:1;constant:4.605170185988092;constant:-6.907755278982137;fma;exp;constant:0.0001;maximum"

# distribution -> (dtypes, the parameters to write; the first of them for every seed and name)
DISTRIBUTIONS = {
    "bits": (("uint32", "uint64"), ["-"]),
    "uniform": (FLOATS, ["0.0,1.0", "-0.3,0.7", "-0.030618621784789724,0.030618621784789724", "60000.0,70000.0"]),
    "normal": (FLOATS, ["0.0,1.0", "0.1,0.02"]),
    "truncated_normal": (
        FLOATS,
        [
            "0.0,1.0,-2.0,2.0,std",
            "0.0,0.02,-3.0,3.0,std",
            "0.1,0.5,-0.25,0.8,absolute",
            "0.3,0.5,-0.25,0.1,absolute",
            "0.0,1.0,0.0,inf,std",
            "0.0,1.0,-inf,inf,std",
            "0.0,1.0,4.9,inf,std",
            "0.0,1.0,6.0,inf,std",
            "0.5,2.0,-inf,-8.0,std",
            "0.0,1.0,5.0,6.0,std",
            "1.0,0.02,-2.0,2.0,std",
            "0.5,2.0,-9.0,-6.0,std",
            "62000.0,3000.0,50000.0,70000.0,absolute",
        ],
    ),
    "orthogonal": (
        FLOATS,
        [
            "5,5,1.5",
            "1,1,1.0",
            "1,7,1.0",
            "7,1,1.0",
            "67,70,-0.5",
            "70,67,1.0",
            "66,1100,1.0",
            "9,33000,1.0",
            "66,66,1.0",
        ],
    ),
    "schemes": (
        FLOATS,
        [
            "sparse,5x12,0.5,3,1,1",
            "step_bias,40,0.001,0.1,0.0001",
            "sparse,12x5,1.0,3,0,1",
            "sparse,3x4x10,1.0,2,1,0",
            "sparse,3x4x10,1.0,5,0,0",
            "sparse,4x300,0.02,30,1,1",
            "sparse,300x4,0.02,150,0,1",
            "sparse,300x70,1.0,299,0,1",
            "sparse,6x70,1.0,0,1,1",
            "sparse,6x70,1.0,70,1,1",
            "sparse,4x40,1e-40,9,1,1",
            "sparse,2x262150,1.0,26215,1,1",
            "sparse,262150x2,1.0,131075,1,0",
            "dirac,6x3x4x5,1.0,1,1",
            "dirac,4x5x3x8,-0.3,2,0",
            "dirac,9x5,2.5,1,1",
            "dirac,6x2x3,0.1,3,1",
            "broadcast,3x5,0.1;1e-7;-65504.0,0",
            "broadcast,3x5,0.1;0.2;0.3;1e-40;-3.0,1",
            f"sinusoid,20x8,{TURNS_HIGH},{TURNS_LOW},1",
            f"sinusoid,1048577x7,{TURNS_HIGH},{TURNS_LOW},0",
            "step_bias,40,0.5,4.0,1.0",
            "step_bias,40,1e-12,1e4,0.0",
        ],
    ),
    "batched": (
        FLOATS,
        [
            "orthogonal,3x4x9,BOI,1.5,4",
            "haar,2x9x9,special,1.0",
            "orthogonal,5x3x4,IBO,1.0,4",
            "orthogonal,3x3x6x4,HWIO,1.0,1;3",
            "orthogonal,6x2x3x5,OBHI,-0.5,2;4",
            "orthogonal,7x3x4,IOO,1.0,1;2",
            "orthogonal,5x70x3,OIB,1.0,5",
            "orthogonal,2x66x70,BOI,1.0,66",
            "haar,3x1x1,special,1.0",
            "haar,3x2x2,any,0.5",
            "haar,66x66,special,1.0",
            "haar,2x130x130,special,-2.0",
            "delta_orthogonal,2x6x4x3,BOIX,1.0",
            "delta_orthogonal,3x2x4x6,HWIO,1.0",
            "delta_orthogonal,3x4x2x5,XIBO,1.5",
            "delta_orthogonal,4x3x2x5,OOIX,1.0",
            "sparse,3x5x12,BOI,0.5,3,1",
            "sparse,3x5x12,BOI,1.0,2,0",
            "sparse,12x3x5,IBO,1.0,3,1",
            "sparse,12x5x3,IOB,1.0,3,1",
            "sparse,12x5x3,IOB,1.0,2,0",
            "sparse,5x12x3,OIB,1.0,4,1",
            "sparse,5x12x3,OIB,1.0,2,0",
            "sparse,4x6x2x3,IOHW,1.0,5,1",
            "sparse,4x2x3x6,IBHO,1.0,5,0",
            "sparse,7x3x40,IOO,1.0,3,1",
            "sparse,3x7x40,OIO,1.0,3,1",
            "dirac,2x6x3x5,BOIX,1.0,2",
            "dirac,4x5x3x8,HWIO,-0.3,2",
            "dirac,3x4x2x6,XIBO,0.1,1",
            "dirac,6x2x3,IOO,1.0,2",
            "dirac,2x3x6,IIO,2.5,1",
        ],
    ),
    "expressions": (
        FLOATS,
        [
            "expression,40,uniform:1:16;log",
            "permutation,40",
            "permutation,3x70",
            "permutation,2x1x300",
            "permutation,2x20000",
            "expression,24x10,bernoulli:0.3",
            "expression,24x10,bernoulli:1",
            "expression,24x10,exponential:4",
            "expression,24x10,log_normal:0.1:0.5",
            "expression,24x10,integers:-5:1000",
            "expression,24x10,integers:-9007199254740992:0",
            "expression,24x10,normal:0.1:0.02;uniform:-0.3:0.7;multiply",
            "expression,24x10,truncated_normal:0:0.02:-2:2:1;exp",
            "expression,24x10,truncated_normal:0.5:2:-inf:-8:0;negate;sqrt",
            "expression,24x10,truncated_normal:0.3:0:-1:1:0",
            f"expression,24x10,{STEP};{STEP};negate;expm1;negate;log;add",
            "expression,24x10,uniform:0:1;normal:0:1#1;exponential:1#12;fma",
            "expression,24x10,uniform:0:1%0;normal:0:1#1%1;divide",
            "expression,24x10,uniform:0:1%1.0;position%1;position;add;subtract",
            "expression,50x16,position;constant:1.9;constant:-750;fma;exp",
            "expression,50x16,position;constant:1.9;constant:-750;fma;exp;log",
            "expression,50x16,position;constant:1.9;constant:-750;fma;expm1",
            "expression,50x16,position;constant:0.0037;constant:-1.6;fma;expm1",
            "expression,50x16,position;constant:1.9;constant:-750;fma;exp;constant:1;subtract;log1p",
            "expression,50x16,position;constant:0.0037;constant:-1.02;fma;log1p",
            "expression,50x16,normal:0:1;abs;sqrt;log1p",
            "expression,50x16,normal:0:1;log",
            "expression,50x16,normal:0:1;log;constant:0;minimum;constant:-1;maximum",
            "expression,50x16,normal:0:1;uniform:-1:1#1;less;normal:0:1;uniform:-1:1#1;where",
            "expression,50x16,normal:0:1;constant:0;multiply;constant:1;normal:0:1;constant:1e308;multiply;where",
            "expression,50x16,constant:0.1",
        ],
    ),
}

# First indices and counts: across a tile, across 32 bits of the index and of the block counter, and far out.
EDGES = [(112, 32), (2**32 - 16, 32), (2**33 - 16, 32), (2**34 - 16, 32), (2**40 + 12345, 16), (2**62 - 16, 16)]

# Elements of seed 0 and "wte.weight" whose word, or radius word, is the smallest or largest of 2³¹ elements.
EXTREMES_32 = [1401008708, 1943475768, 1894981777]
EXTREMES_64 = [1524915062, 2112716031, 1876220636, 1239617559]

# Files of several schemes.
OF_LINES: dict[str, Any] = {
    "schemes": reference_schemes,
    "batched": reference_batched,
    "expressions": reference_expressions,
}
YOUNGER = ("batched", "expressions")  # than the file of vectors, which is frozen

HEADER = """\
# Stream v1, {distribution}: what docs/stream-v1.md gives, written by tests/make_golden.py from tests/reference.py.
# One line: parameters, dtype, seed, name (as JSON), flat index of the first element, ':', then the bit patterns of
# consecutive elements in hexadecimal. Parameters: {parameters}.
"""
PARAMETERS = {
    "bits": "none",
    "uniform": "low,high",
    "normal": "mean,std",
    "truncated_normal": "mean,std,low,high,bounds",
    "orthogonal": "outs,ins,gain of one matrix in layout OI",
    "schemes": "scheme,shape and of sparse std,nonzeros,per output,out first; of dirac gain,groups,out first;"
    " of broadcast values,axis; of sinusoid turns high,turns low,interleaved; of step_bias low,high,floor",
    "batched": "scheme,shape,layout and of orthogonal gain,blocks; of delta_orthogonal gain; of sparse std,nonzeros,per"
    " output; of dirac gain,groups; haar has special or any instead of a layout, and gain",
    "expressions": "expression,shape and steps in reverse Polish notation, each with its numbers, #k of the stream"
    " name#k, %a.b of a source that varies along axes a and b in that order; or permutation,shape",
}


def runs(distribution: str) -> Iterator[tuple[str, str, int, str, int, int]]:
    """Yield parameters, dtype, seed, name, first index and number of elements of each line."""
    dtypes, parameters = DISTRIBUTIONS[distribution]
    if distribution == "orthogonal":
        yield from orthogonal_runs(dtypes, parameters)
        return
    if distribution in OF_LINES:
        yield from scheme_runs(distribution, dtypes, parameters)
        return
    for dtype in dtypes:
        extremes = EXTREMES_64 if dtype in ("float64", "uint64") else EXTREMES_32
        for parameter in parameters:
            yield parameter, dtype, 0, "wte.weight", 0, 160
            for index, count in EDGES:
                yield parameter, dtype, SEEDS[3], NAMES[3], index, count
            for index in extremes:
                yield parameter, dtype, 0, "wte.weight", index, 1
        for seed in SEEDS:
            for name in NAMES:
                yield parameters[0], dtype, seed, name, 0, 8


def orthogonal_runs(dtypes: tuple[str, ...], parameters: list[str]) -> Iterator[tuple[str, str, int, str, int, int]]:
    """Yield stretches of rows: the first, the last, around a block of 64 vectors; ends, and around coordinate 512."""
    for dtype in dtypes:
        for parameter in parameters:
            outs, ins = (int(size) for size in parameter.split(",")[:2])
            for row in sorted({0, 62, 63, 64, outs - 1} if outs > 9 else {0, 4, outs - 1}):
                for column in (0, 504, ins - 8) if ins > 512 else (0, ins - 8) if ins > 16 else (0,):
                    if row < outs:
                        yield (
                            parameter,
                            dtype,
                            0,
                            "wte.weight",
                            row * ins + column,
                            min(ins, 16 if column == 504 else 8),
                        )
        for seed in SEEDS:
            for name in NAMES:
                yield parameters[0], dtype, seed, name, 0, 5


def scheme_runs(
    distribution: str, dtypes: tuple[str, ...], parameters: list[str]
) -> Iterator[tuple[str, str, int, str, int, int]]:
    """Yield both ends of the first, middle and last row along the last axis; two schemes for every seed and name."""
    for dtype in dtypes:
        for parameter in parameters:
            shape = OF_LINES[distribution].parse(parameter)[1]
            row, rows = shape[-1], math.prod(shape[:-1])
            count = min(row, 16)
            for number in sorted({0, rows // 2, rows - 1}):
                for column in sorted({0, row - count}):
                    yield parameter, dtype, 0, "wte.weight", number * row + column, count
        for parameter in parameters[:2]:
            for seed in SEEDS:
                for name in NAMES:
                    yield parameter, dtype, seed, name, 0, 8


def values(distribution: str, parameter: str, dtype: str, seed: int, name: str, index: np.ndarray) -> np.ndarray:
    """Return the reference's elements as bit patterns."""
    if distribution in OF_LINES:
        part = OF_LINES[distribution].elements(seed, name, index, parameter, dtype)
        return part.view(f"u{part.itemsize}")
    arguments = [v if v in ("std", "absolute") else float(v) for v in parameter.split(",") if v != "-"]
    module = reference_orthogonal if distribution == "orthogonal" else reference
    result: np.ndarray = getattr(module, distribution.replace("orthogonal", "elements"))(
        seed, name, index, *arguments, dtype=dtype
    )
    return result.view(f"u{result.itemsize}")


def line(distribution: str, parameter: str, dtype: str, seed: int, name: str, first: int, count: int) -> str:
    index = np.arange(count, dtype=np.uint64) + np.uint64(first)
    patterns = values(distribution, parameter, dtype, seed, name, index)
    digits = " ".join(f"{int(pattern):0{2 * patterns.itemsize}x}" for pattern in patterns)
    return f"{parameter} {dtype} {seed} {json.dumps(name, ensure_ascii=False)} {first} : {digits}\n"


# ---- the same for other languages ------------------------------------------------------------------------------------

FIELDS = {
    "bits": (),
    "uniform": ("low", "high"),
    "normal": ("mean", "std"),
    "truncated_normal": ("mean", "std", "low", "high", "bounds"),
    "orthogonal": ("outs", "ins", "gain"),
    "sparse": ("shape", "std", "nonzeros", "per_output", "out_first"),
    "step_bias": ("shape", "low", "high", "floor"),
    "dirac": ("shape", "gain", "groups", "out_first"),
    "broadcast": ("shape", "values", "axis"),
    "sinusoid": ("shape", "turns_high", "turns_low", "interleaved"),
}


def vectors() -> Iterator[dict[str, object]]:
    """Yield, for every law, a line for each choice of parameters and dtype, and all lines of its first parameters."""
    for distribution, (_, (first, *_)) in DISTRIBUTIONS.items():
        if distribution in YOUNGER:
            continue
        seen = set()
        for parameter, dtype, seed, name, index, count in runs(distribution):
            if (parameter, dtype) in seen and (parameter != first or 0 < index < 2**31):
                continue
            seen.add((parameter, dtype))
            law, *fields = parameter.split(",") if distribution == "schemes" else [distribution, *parameter.split(",")]
            elements = np.arange(min(count, 8), dtype=np.uint64) + np.uint64(index)
            patterns = values(distribution, parameter, dtype, seed, name, elements)
            yield {
                "seed": str(seed),
                "name": name,
                "law": law,
                "parameters": dict(zip(FIELDS[law], fields, strict=False)),
                "dtype": dtype,
                "index": str(index),
                "hex": " ".join(f"{int(pattern):0{2 * patterns.itemsize}x}" for pattern in patterns),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="replace existing files")
    force = parser.parse_args().force
    GOLDEN.mkdir(exist_ok=True)
    for distribution in DISTRIBUTIONS:
        path = GOLDEN / f"{distribution}.txt"
        if path.exists() and not force:
            print(f"{path} exists and is kept; the stream is frozen. Replace it with --force.")
            continue
        header = HEADER.format(distribution=distribution, parameters=PARAMETERS[distribution])
        path.write_text(header + "".join(line(distribution, *run) for run in runs(distribution)), encoding="utf-8")
    path = GOLDEN / "vectors.json"
    if path.exists() and not force:
        print(f"{path} exists and is kept; the stream is frozen. Replace it with --force.")
        return
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors())
    path.write_text(f'{{"stream": "v1", "vectors": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
