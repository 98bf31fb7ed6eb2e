"""`index` gives exactly full[index], without the rest."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fanin

KEY = {"seed": 3, "name": "w"}
DTYPES = ["float32", "float64", "float16", "bfloat16"]


def same(part, expected):
    """Equal values, shape and kind: NumPy scalar or array."""
    part_bytes, expected_bytes = np.asarray(part).tobytes(), np.asarray(expected).tobytes()
    return type(part) is type(expected) and np.shape(part) == np.shape(expected) and part_bytes == expected_bytes


@st.composite
def shapes_and_indices(draw, **limits):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, **limits))
    return shape, draw(hnp.basic_indices(shape, allow_newaxis=False))


@given(case=shapes_and_indices(min_side=0, max_side=40))
def test_a_normal_part_is_the_part_of_the_whole(case):
    shape, index = case
    for dtype in DTYPES:
        part = fanin.normal(shape, dtype=dtype, index=index, **KEY)
        assert same(part, fanin.normal(shape, dtype=dtype, **KEY)[index])


SAMPLERS = {
    "uniform": fanin.uniform,
    "truncated_normal": fanin.truncated_normal,
    "bits": fanin.bits,
    "constant": lambda shape, index=None, **_: fanin.constant(shape, 0.3, index=index),
    "he_normal": lambda *args, **kwargs: fanin.he_normal(*args, layout="OI", **kwargs),
}


@given(case=shapes_and_indices(min_side=0, max_side=12).filter(lambda case: len(case[0]) >= 2))
def test_every_sampler_takes_an_index(case):
    shape, index = case
    for name, sample in SAMPLERS.items():
        assert same(sample(shape, index=index, **KEY), sample(shape, **KEY)[index]), name


@pytest.mark.parametrize(
    "index",
    [
        np.s_[100:200],
        np.s_[:, 3],
        np.s_[:, 100:164],
        np.s_[::-1],
        np.s_[::7, ::-3],
        np.s_[-1],
        np.s_[..., -5:],
        np.s_[5:5],
        np.s_[900:-5000:-100, 1],
        np.s_[np.int32(4), np.uint8(9) :],
        np.s_[4, 9],
        np.s_[4, 9, ...],
        ...,
        (),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_columns_steps_and_elements(index, dtype):
    whole = fanin.normal((1000, 301), dtype=dtype, **KEY)
    assert same(fanin.normal((1000, 301), dtype=dtype, index=index, **KEY), whole[index])


@pytest.mark.parametrize("step", [2**63 - 1, 2**63, 2**70, -(2**63), -(2**64) - 1])
def test_a_step_beyond_64_bits_takes_what_numpy_takes(step):
    whole = fanin.normal((5, 3), seed=0, name="w")
    for index in (np.s_[1::step], np.s_[::step, 1:], np.s_[:, ::step]):
        assert (fanin.normal((5, 3), seed=0, name="w", index=index) == whole[index]).all()


def test_an_element_of_a_scalar_tensor():
    whole = fanin.normal((), **KEY)
    assert same(fanin.normal((), index=(), **KEY), whole[()])
    assert same(fanin.normal((), index=..., **KEY), whole[...])


@st.composite
def huge_shapes_and_small_indices(draw):
    """Up to 2^63 elements, of which at most a few hundred are selected; each axis by int or short slice."""
    shape, room = [], 2**63 - 1
    for _ in range(draw(st.integers(1, 4))):
        shape.append(draw(st.integers(1, room)))
        room //= shape[-1]
    index = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        step = draw(st.integers(-size, size).filter(bool))
        stop = start + step * draw(st.integers(1, 4))
        index.append(draw(st.sampled_from([start, start - size, slice(start, max(stop, 0), step)])))
    return tuple(shape), tuple(index)


@given(case=huge_shapes_and_small_indices())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_part_of_a_tensor_too_large_for_any_memory(dtype, case):
    shape, index = case
    part = fanin.normal(shape, dtype=dtype, index=index, **KEY)
    virtual = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), shape, (0,) * len(shape))
    assert np.shape(part) == np.shape(virtual[index])
    axes = [range(size)[entry] for size, entry in zip(shape, index, strict=True)]
    for position in np.ndindex(*np.shape(part)):
        along = iter(position)
        flat = 0
        for size, axis in zip(shape, axes, strict=True):
            flat = flat * size + (axis if isinstance(axis, int) else axis[next(along)])
        assert np.asarray(part)[position] == fanin.normal(math.prod(shape), dtype=dtype, index=flat, **KEY)


@pytest.mark.parametrize(
    "index", [np.s_[2], np.s_[-3], np.s_[0, 5], np.s_[0, 0, 0], np.s_[..., 0, 0, 0], np.s_[0, ..., ...]]
)
def test_an_index_outside_the_shape_is_an_index_error(index):
    with pytest.raises(IndexError):
        np.zeros((2, 5))[index]
    with pytest.raises(IndexError):
        fanin.normal((2, 5), index=index, **KEY)


@pytest.mark.parametrize("index", [True, np.True_, [0], np.array([0, 1]), (0, None), 1.0, "a", np.zeros((2, 5), bool)])
def test_only_basic_indexing_is_supported(index):
    with pytest.raises(TypeError, match="index may hold integers, slices"):
        fanin.normal((2, 5), index=index, **KEY)


@pytest.mark.parametrize(("index", "error"), [(np.s_[::0], ValueError), (np.s_[1.0:], TypeError)])
def test_slices_are_checked_as_numpy_does(index, error):
    with pytest.raises(error):
        np.zeros((2, 5))[index]
    with pytest.raises(error):
        fanin.normal((2, 5), index=index, **KEY)
