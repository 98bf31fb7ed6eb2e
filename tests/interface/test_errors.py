"""Bad input is refused before anything is written; the message names the argument, its value and what is allowed."""

import math
import shutil
import subprocess
from functools import partial

import numpy as np
import pytest
from processes import run

import fanin

KEY = {"seed": 0, "name": "w"}
uniform, normal = partial(fanin.uniform, 3, **KEY), partial(fanin.normal, 3, **KEY)
truncated = partial(fanin.truncated_normal, 3, **KEY)
SAMPLERS = {
    "uniform": fanin.uniform,
    "normal": fanin.normal,
    "truncated_normal": fanin.truncated_normal,
    "bits": fanin.bits,
    "he_normal": partial(fanin.he_normal, layout="OI"),
}
every_sampler = pytest.mark.parametrize("sample", SAMPLERS.values(), ids=SAMPLERS)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (partial(normal, std=-1.0), "std.*-1"),
        (partial(normal, std=math.nan), "std.*nan"),
        (partial(normal, std=math.inf), "std.*inf"),
        (partial(normal, mean=math.nan), "mean.*nan"),
        (partial(normal, mean=-math.inf), "mean.*inf"),
        (partial(normal, std=1e38), "std"),
        (partial(normal, mean=65000.0, std=100.0, dtype="float16"), "float16"),
        (partial(normal, std=1e308, dtype="float64"), "std"),
        (partial(uniform, low=1.0, high=0.0), "low.*high|high.*low"),
        (partial(uniform, low=math.nan), "low.*nan"),
        (partial(uniform, high=math.inf), "high.*inf"),
        (partial(uniform, low=-3e38, high=3e38), "high"),
        (partial(uniform, low=-1e5, high=1e5, dtype="float16"), "high - low.*float16, 65504"),
        (partial(uniform, low=1.0001, high=1.0002, dtype="bfloat16"), "bfloat16"),
        (partial(truncated, low=1.0, high=0.0), "low.*high|high.*low"),
        (partial(truncated, low=math.nan), "low.*nan"),
        (partial(truncated, std=-1.0), "std.*-1"),
        (partial(truncated, mean=math.inf), "mean.*inf"),
        (partial(truncated, bounds="sigma"), "bounds must be one of 'std', 'absolute', got 'sigma'"),
        (partial(truncated, mean=1.00015, std=1e-5, dtype="bfloat16"), "bfloat16"),
        (partial(truncated, std=5e37, low=6.0, high=math.inf), "9.04.*std"),  # what tails reach
        (partial(truncated, std=9e3, low=-math.inf, high=-4.9, dtype="float16"), "float16.*std"),
        (partial(truncated, low=-1e-13, high=1e-13), "low and high must be equal or 1e-12 std apart"),
        (
            partial(truncated, 1.7e308, 1e308, -1.7e308, 1.79e308, bounds="absolute", dtype="float64"),
            "low and high must lie within .* of mean",
        ),
        (partial(fanin.constant, 3, math.nan), "value.*nan"),
        (partial(fanin.constant, 3, 1e39), "value"),
        (partial(fanin.constant, 3, 1e5, dtype="float16"), "value"),
    ],
)
def test_parameters_that_no_distribution_has(call, argument):
    with pytest.raises(ValueError, match=argument):
        call()


WITH_A_COMMA = """
import contextlib, locale
import fanin
with contextlib.suppress(locale.Error):
    locale.setlocale(locale.LC_ALL, "")
if locale.localeconv()["decimal_point"] == ",":
    try:
        fanin.normal(3, std=-0.5, seed=0, name="w")
    except ValueError as error:
        print(error)
"""


def test_messages_have_points_in_every_locale(tmp_path):
    """German numbers have commas. Python does not use the user's locale by itself, but programs that embed it may."""
    name = "de_DE.UTF-8"
    if localedef := shutil.which("localedef"):
        subprocess.run([localedef, "-i", "de_DE", "-f", "UTF-8", tmp_path / name], capture_output=True, check=False)
    compiled = {"LOCPATH": str(tmp_path)} if (tmp_path / name).exists() else {}
    message = run(WITH_A_COMMA, LC_ALL=name, **compiled)
    if not message and not compiled:
        pytest.skip(f"{name} is not installed, and localedef cannot compile it here")
    assert message.endswith("std must be finite and not negative, got -0.5")


@pytest.mark.parametrize("value", ["1", None, [1.0], 1j])
def test_parameters_must_be_numbers(value):
    with pytest.raises(TypeError, match="std must be a number"):
        normal(std=value)


@every_sampler
@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((3, -1), ValueError, "-1.*axis 1|axis 1.*-1"),
        ((2**32, 2**32), ValueError, "2"),
        ((2**63, 2), ValueError, "2"),
        ((0, 2**63), ValueError, "2"),
        ((2**200, 1), ValueError, "2"),
        ((1.5, 2), TypeError, "shape"),
        ("ab", TypeError, "shape"),
        (1.5, TypeError, "shape"),
    ],
)
def test_shapes_that_no_array_has_are_refused(sample, shape, error, message):
    out = np.zeros((3, 1), np.uint32 if sample is fanin.bits else np.float32)
    for placement in ({}, {"index": 0}, {"out": out}):
        with pytest.raises(error, match=message):
            sample(shape, **KEY, **placement)


@every_sampler
def test_a_shape_is_needed_without_out(sample):
    with pytest.raises(TypeError, match="shape is needed"):
        sample(**KEY)
    with pytest.raises(TypeError, match="shape is needed"):
        sample(index=0, **KEY)


@every_sampler
@pytest.mark.parametrize("seed", [-1, 2**64, -(2**70)])
def test_a_seed_has_64_bits(sample, seed):
    with pytest.raises(ValueError, match=f"seed must be in .*, got {seed}"):
        sample((2, 2), seed=seed, name="w")


@every_sampler
@pytest.mark.parametrize("seed", [1.0, "1", True, [1, 2]])
def test_a_seed_is_an_int_or_a_seed_sequence(sample, seed):
    with pytest.raises(TypeError, match=r"seed must be an int or a numpy.random.SeedSequence.*fanin.fresh_seed\(\)"):
        sample((2, 2), seed=seed, name="w")


@every_sampler
@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState, np.random.PCG64])
def test_a_seed_is_no_generator_but_can_be_drawn_from_one(sample, kind):
    with pytest.raises(TypeError, match=r"seed must be an int .*fanin.seed_from\(generator\)"):
        sample((2, 2), seed=kind(0), name="w")
    assert sample((2, 2), seed=fanin.seed_from(kind(0)), name="w").shape == (2, 2)


@every_sampler
def test_seed_and_name_are_required(sample):
    with pytest.raises(TypeError, match=r"needs seed, an int .* fanin.fresh_seed\(\)"):
        sample((2, 2), name="w")
    with pytest.raises(TypeError, match=r"seed must be an int .*, got None; fanin.fresh_seed\(\)"):
        sample((2, 2), name="w", seed=None)
    with pytest.raises(TypeError, match="needs name, the parameter's name"):
        sample((2, 2), seed=0)


@every_sampler
def test_a_name_is_text(sample):
    with pytest.raises(ValueError, match="name"):
        sample((2, 2), seed=0, name="half of a pair: \ud800")
    for name in (None, b"w", 3):
        with pytest.raises(TypeError):
            sample((2, 2), seed=0, name=name)


@pytest.mark.parametrize(
    "dtype",
    ["int32", "f8_e4m3", np.int8, np.dtype(">f4"), complex, "complex64", object, ["float32"], 3.0, "uint32"],
)
def test_an_unsupported_dtype_is_a_type_error_with_the_list(dtype):
    with pytest.raises(TypeError, match="dtype must be one of float32, float64, float16, bfloat16, got"):
        normal(dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", np.int32, "uint8"])
def test_bits_must_be_unsigned_integers(dtype):
    with pytest.raises(TypeError, match="dtype must be one of uint32, uint64, got"):
        fanin.bits(3, dtype=dtype, **KEY)


@every_sampler
def test_there_is_one_stream_and_so_no_parameter_for_it(sample):
    with pytest.raises(TypeError, match="has no parameter 'stream'"):
        sample((2, 2), stream="v1", **KEY)


@every_sampler
@pytest.mark.parametrize("device", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:0:0", ""])
def test_device_is_one_that_exists(sample, device):
    message = rf"device must be None, 'cpu', 'cuda' or 'cuda:' and a number, got {device!r}"
    with pytest.raises(ValueError, match=message):
        sample((2, 2), device=device, **KEY)
    with pytest.raises(ValueError, match=message):
        sample(out=np.zeros((2, 2), np.uint32 if sample is fanin.bits else np.float32), device=device, **KEY)


@every_sampler
def test_device_may_be_the_cpu(sample):
    out = np.zeros((2, 2), np.uint32 if sample is fanin.bits else np.float32)
    assert sample(out=out, device="cpu", **KEY) is out
    assert (out == sample((2, 2), device="cpu", **KEY)).all()


@every_sampler
def test_a_valid_shape_beyond_any_memory_is_a_memory_error(sample):
    with pytest.raises(MemoryError, match=r"float32|uint32"):
        sample((2**30, 2**30), **KEY)


@pytest.mark.parametrize("n", [0, -1])
def test_at_least_one_thread_computes(n):
    with pytest.raises(ValueError, match="must be at least 1"):
        fanin.set_num_threads(n)
    with pytest.raises(ValueError, match="n must be at least 1"), fanin.num_threads(n):
        pass
