"""A value is a function of seed, name, distribution, dtype and position: of nothing else."""

from functools import partial

import ml_dtypes
import numpy as np
import pytest

import fanin

KEY = {"seed": 7, "name": "w"}
SAMPLERS = {
    "uniform": partial(fanin.uniform, low=-1.0, high=3.0),
    "normal": partial(fanin.normal, mean=0.5, std=2.0),
    "truncated_normal": partial(fanin.truncated_normal, mean=0.5, std=2.0, low=-1.0, high=1.5),
}
every_sampler = pytest.mark.parametrize("sample", SAMPLERS.values(), ids=SAMPLERS)
FLOATS = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@every_sampler
@pytest.mark.parametrize("shape", [(), 5, (3, 4), [2, 0, 3], (np.int64(2), 1)])
def test_shape_is_an_int_or_a_sequence_of_ints(sample, shape):
    array = sample(shape, **KEY)
    assert isinstance(array, np.ndarray)
    assert array.shape == np.zeros(shape).shape
    assert array.dtype == np.float32
    assert array.flags.c_contiguous
    assert array.flags.writeable


@every_sampler
@pytest.mark.parametrize("name", FLOATS)
def test_a_dtype_has_many_spellings(sample, name):
    scalar = FLOATS[name]
    arrays = [sample(200, dtype=spelling, **KEY) for spelling in (name, scalar, np.dtype(scalar))]
    assert all(array.dtype == np.dtype(scalar) for array in arrays)
    assert all((array == arrays[0]).all() for array in arrays)


def test_bits_are_uint32_or_uint64():
    assert fanin.bits(3, **KEY).dtype == np.uint32
    assert fanin.bits(3, dtype="uint64", **KEY).dtype == np.uint64
    assert fanin.bits(3, dtype=np.uint64, **KEY).dtype == np.uint64


@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_a_half_precision_normal_is_the_float32_value_rounded(half):
    wide = fanin.normal((50, 70), mean=0.5, std=2.0, **KEY)
    assert (fanin.normal((50, 70), mean=0.5, std=2.0, dtype=half, **KEY) == wide.astype(FLOATS[half])).all()


@every_sampler
def test_repeating_a_call_repeats_its_values(sample):
    assert (sample((30, 40), **KEY) == sample((30, 40), **KEY)).all()


@every_sampler
def test_seed_and_name_select_values(sample):
    first = sample(1000, seed=7, name="w")
    assert (first != sample(1000, seed=8, name="w")).mean() > 0.99
    assert (first != sample(1000, seed=7, name="v")).mean() > 0.99
    assert (first != sample(1000, seed=7 + 2**63, name="w")).mean() > 0.99


@every_sampler
@pytest.mark.parametrize("dtype", FLOATS)
def test_growing_along_the_first_axis_keeps_the_first_values(sample, dtype):
    short, tall = sample((3, 100), dtype=dtype, **KEY), sample((77, 100), dtype=dtype, **KEY)
    assert (short == tall[:3]).all()


@every_sampler
def test_values_depend_on_the_flat_position_alone(sample):
    assert (sample((6, 50), **KEY).ravel() == sample(300, **KEY)).all()


def test_a_seed_is_an_int_or_what_numpy_derives_one_from():
    sequence = np.random.SeedSequence(5)
    derived = int(sequence.generate_state(1, np.uint64)[0])
    assert (fanin.normal(9, seed=sequence, name="w") == fanin.normal(9, seed=derived, name="w")).all()
    assert (fanin.normal(9, seed=np.int64(3), name="w") == fanin.normal(9, seed=3, name="w")).all()
    assert (fanin.normal(9, seed=2**64 - 1, name="w") != fanin.normal(9, seed=0, name="w")).all()


def test_fresh_seeds_are_all_different():
    seeds = {fanin.fresh_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**64 for seed in seeds)


@pytest.mark.parametrize("name", ["", "a", "Ω/β", "a" * 1000, "nul\0inside"])
def test_any_string_is_a_name(name):
    assert np.isfinite(fanin.normal(4, seed=0, name=name)).all()


def test_names_are_not_normalized():
    composed, decomposed = "\u00e9", "e\u0301"
    assert (fanin.normal(4, seed=0, name=composed) != fanin.normal(4, seed=0, name=decomposed)).all()


@every_sampler
@pytest.mark.parametrize("shape", [0, (0, 5), (5, 0), (0, 2**60), (2**40, 0)])
def test_zero_size_shapes_are_empty(sample, shape):
    assert sample(shape, **KEY).size == 0


@pytest.mark.parametrize("threads", [1, 2, 3])
@every_sampler
def test_the_number_of_threads_changes_no_value(sample, threads):
    expected = sample((700, 1001), **KEY)
    with fanin.num_threads(threads):
        assert fanin.get_num_threads() == threads
        assert (sample((700, 1001), **KEY) == expected).all()


def test_thread_limits_nest_and_end_with_their_block():
    outside = fanin.get_num_threads()
    with fanin.num_threads(3):
        with fanin.num_threads(1):
            assert fanin.get_num_threads() == 1
        assert fanin.get_num_threads() == 3
    assert fanin.get_num_threads() == outside


def test_the_number_of_threads_can_be_set_and_reset():
    default = fanin.get_num_threads()
    try:
        fanin.set_num_threads(5)
        assert fanin.get_num_threads() == 5
    finally:
        fanin.set_num_threads(None)
    assert fanin.get_num_threads() == default


@pytest.mark.parametrize("dtype", FLOATS)
def test_constants_are_rounded_to_the_dtype(dtype):
    array = fanin.constant((2, 3), 0.1, dtype=dtype)
    assert array.dtype == FLOATS[dtype]
    assert (array == np.array(0.1).astype(FLOATS[dtype])).all()
    assert (fanin.zeros(5, dtype=dtype) == 0).all()
    assert (fanin.ones(5, dtype=dtype) == 1).all()


def test_bounds_hold_and_are_approached():
    u = fanin.uniform(100_000, -0.25, 0.5, **KEY)
    assert -0.25 <= u.min() < -0.2499
    assert 0.4999 < u.max() <= 0.5
    t = fanin.truncated_normal(100_000, 1.0, 2.0, -0.5, 0.75, **KEY)
    assert 0.0 <= t.min() < 0.001
    assert 2.499 < t.max() <= 2.5


def test_truncation_bounds_are_in_std_or_absolute():
    in_std = fanin.truncated_normal(1000, 1.0, 2.0, -0.5, 0.75, **KEY)
    absolute = fanin.truncated_normal(1000, 1.0, 2.0, 0.0, 2.5, bounds="absolute", **KEY)
    assert (in_std == absolute).all()


def test_std_zero_gives_the_mean():
    assert (fanin.normal(100, 0.5, 0.0, **KEY) == 0.5).all()
    assert (fanin.truncated_normal(100, 0.5, 0.0, 0.0, 1.0, bounds="absolute", **KEY) == 0.5).all()
    assert (fanin.uniform(100, 0.5, 0.5, **KEY) == 0.5).all()


def test_distributions_under_one_name_are_coupled():
    u = fanin.uniform(10_000, **KEY)
    t = fanin.truncated_normal(10_000, **KEY)
    assert (np.argsort(u, kind="stable") == np.argsort(t, kind="stable")).mean() > 0.9
    z = fanin.normal(10_000, **KEY)
    assert np.allclose(fanin.normal(10_000, 1.0, 3.0, **KEY), 1.0 + 3.0 * z, rtol=1e-6, atol=1e-6)


def test_info_tells_what_runs_and_prints_a_line_each():
    info = fanin.info()
    assert info["version"] == fanin.__version__
    assert set(info["available_isas"]) <= set(info["compiled_isas"])
    assert info["active_isa"] in info["available_isas"]
    assert info["threads"] == fanin.get_num_threads()
    assert str(info).count("\n") == len(info) - 1
    assert all(key in str(info) for key in info)


def test_cuda_status_never_raises():
    status = fanin.cuda.status()
    assert status.available == bool(status.devices)
    assert "CUDA" in status.reason
    assert fanin.info()["cuda"] == status.reason
