"""`out` is filled in place, whatever its strides and whoever owns it; what cannot be is refused."""

import ml_dtypes
import numpy as np
import pytest
from capsules import Capsule, Exporter, OldExporter
from hypothesis import given
from hypothesis import strategies as st

import fanin
from fanin import _core

KEY = {"seed": 11, "name": "w"}
DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def layouts(dtype):
    """Views of shape (30, 41) over larger memory, by name."""
    return {
        "contiguous": np.zeros((30, 41), dtype),
        "Fortran": np.zeros((30, 41), dtype, order="F"),
        "columns": np.zeros((30, 100), dtype)[:, 7:48],
        "steps": np.zeros((90, 123), dtype)[::3, ::3],
        "reversed": np.zeros((30, 41), dtype)[::-1, ::-1],
        "transposed": np.zeros((41, 2, 30), dtype)[:, 1].T,
        "unaligned": np.zeros(30 * 41 * np.dtype(dtype).itemsize + 1, np.uint8)[1:].view(dtype).reshape(30, 41),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", layouts(np.float32))
def test_any_strides_are_filled_and_nothing_else_is(dtype, layout):
    out = layouts(DTYPES[dtype])[layout]
    base = out if out.base is None else out.base
    expected = fanin.normal((30, 41), dtype=dtype, **KEY)
    assert fanin.normal(out=out, **KEY) is out
    assert (out == expected).all()
    out[...] = 0
    assert not base.any()


def test_shape_and_dtype_are_those_of_out():
    for sample in (fanin.uniform, fanin.normal, fanin.truncated_normal):
        out = np.empty((5, 6), np.float16)
        sample(out=out, **KEY)
        assert (out == sample((5, 6), dtype="float16", **KEY)).all()
    words = np.empty(9, np.uint64)
    assert (fanin.bits(out=words, **KEY) == fanin.bits(9, dtype="uint64", **KEY)).all()
    assert (fanin.ones(out=np.empty((2, 3))) == 1).all()
    out = np.empty((8, 4), np.float32)
    assert fanin.he_normal(out=out, layout="IO", **KEY) is out
    assert (out == fanin.he_normal((8, 4), layout="IO", **KEY)).all()


def test_out_holds_the_part_that_index_selects():
    whole = fanin.normal((20, 30), **KEY)
    out = np.empty((5, 30), np.float32)
    fanin.normal((20, 30), index=np.s_[5:10], out=out, **KEY)
    assert (out == whole[5:10]).all()
    column = np.zeros((20, 3), np.float32)
    fanin.normal((20, 30), index=np.s_[:, 4], out=column[:, 1], **KEY)
    assert (column[:, 1] == whole[:, 4]).all()
    assert not column[:, ::2].any()
    element = np.empty((), np.float32)
    assert fanin.normal((20, 30), index=(3, 4), out=element, **KEY) is element
    assert element == whole[3, 4]


def test_an_empty_out_comes_back_as_it_is():
    out = np.empty((0, 4), np.float32)
    assert fanin.normal(out=out, **KEY) is out


@pytest.mark.parametrize("exporter", [Exporter, OldExporter])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dlpack_arrays_are_filled_in_place(exporter, dtype):
    array = np.zeros((60, 41), dtype)[::2].T
    out = exporter(array)
    assert fanin.normal(out=out, **KEY) is out
    assert (array == fanin.normal(array.shape, dtype=dtype, **KEY)).all()


def test_a_read_only_out_is_refused():
    array = np.zeros((3, 4), np.float32)
    array.flags.writeable = False
    for out in (array, Exporter(array), OldExporter(array)):
        with pytest.raises(ValueError, match=r"read-?only"):
            fanin.normal(out=out, **KEY)
    assert not array.any()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.zeros((4, 3), np.float32), "shape"),
        (np.zeros(12, np.float32), "shape"),
        (np.zeros((3, 4), np.float64), "dtype"),
        (np.lib.stride_tricks.as_strided(np.zeros(12, np.float32), (3, 4), (4, 4)), "overlap"),
        (np.lib.stride_tricks.as_strided(np.zeros(12, np.float32), (3, 4), (0, 4)), "overlap"),
    ],
)
@pytest.mark.parametrize("wrap", [lambda array: array, Exporter], ids=["numpy", "dlpack"])
def test_an_out_that_does_not_fit_is_refused_and_left_alone(out, message, wrap):
    with pytest.raises(ValueError, match=message):
        fanin.normal((3, 4), dtype="float32", out=wrap(out), **KEY)
    assert not out.any()


def test_a_byte_swapped_out_is_refused():
    out = np.zeros(3, np.dtype(np.float32).newbyteorder())
    for dtype in (None, "float32"):
        with pytest.raises(ValueError, match="native byte order"):
            fanin.normal(out=out, dtype=dtype, **KEY)
    assert not out.any()


def test_an_unsupported_dtype_of_out_is_a_type_error():
    for dtype in (np.int32, np.complex64, np.longdouble, bool, object):
        with pytest.raises(TypeError, match="float32, float64, float16, bfloat16"):
            fanin.normal(out=np.zeros(3, dtype), **KEY)
    with pytest.raises(TypeError, match="uint32, uint64"):
        fanin.bits(out=np.zeros(3, np.float32), **KEY)


@pytest.mark.parametrize("out", [[0.0], bytearray(8), memoryview(bytearray(8)), 1.0, "out"])
def test_only_arrays_can_be_filled(out):
    with pytest.raises(TypeError, match="out must be a NumPy array or support DLPack"):
        fanin.normal(2, out=out, **KEY)


def test_index_with_out_needs_the_whole_shape():
    with pytest.raises(ValueError, match="shape is needed with index"):
        fanin.normal(index=0, out=np.empty(3, np.float32), **KEY)


@pytest.mark.parametrize("given", [None, 5, (4096, 0, (3,), (4,)), "capsule"])
def test_what_is_no_capsule_is_refused(given):
    class Broken(Exporter):
        def __dlpack__(self, **options):
            return given

    out = np.zeros(3, np.float32)
    with pytest.raises(TypeError, match=r"out must export a DLPack capsule that is not used up, got .+"):
        fanin.normal(out=Broken(out), **KEY)
    assert not out.any()


def test_a_capsule_that_is_used_up_is_refused():
    class Used(Exporter):
        def __dlpack__(self, **options):
            capsule = self.array.__dlpack__(**options)
            np.from_dlpack(Exporter.of(capsule))
            return capsule

    with pytest.raises(TypeError, match="not used up"):
        fanin.normal(out=Used(np.zeros(3, np.float32)), **KEY)


HUGE = [2**60, 2**61, 2**61 - 1, 2**62, 2**63 - 1]


@pytest.mark.parametrize("stride", [sign * stride for stride in HUGE for sign in (1, -1)] + [-(2**63)])
@pytest.mark.parametrize("shape", [(3,), (2, 40), (40, 2), (2, 2, 2)])
def test_strides_that_no_memory_has_are_refused(shape, stride):
    """Their bytes leave 64 bits, in which they would be counted, or lie further apart than any memory reaches."""
    memory = np.zeros(400, np.float32)
    for axis in range(len(shape)):
        strides = [int(np.prod(shape[other + 1 :])) for other in range(len(shape))]
        strides[axis] = stride
        with pytest.raises(ValueError, match=r"out (must have strides below|must not have elements|cannot be written)"):
            fanin.normal(out=Capsule(memory.ctypes.data, shape, strides), **KEY)
    assert not memory.any()


def test_a_huge_stride_along_one_element_means_nothing():
    memory = np.zeros(12, np.float32)
    fanin.normal(out=Capsule(memory.ctypes.data, (3, 1, 4), (4, 2**60, 1)), **KEY)
    assert (memory.reshape(3, 1, 4) == fanin.normal((3, 1, 4), **KEY)).all()


def test_a_shape_in_c_order_beyond_64_bits_is_refused():
    with pytest.raises(ValueError, match=r"shape must have fewer than 2\^63 elements"):
        fanin.normal(out=Capsule(4096, (2**40, 2**40)), **KEY)


def test_elements_that_interleave_without_overlap_are_filled():
    memory = np.zeros(8, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (2, 3), (12, 8))
    fanin.normal(out=out, **KEY)
    assert (out == fanin.normal((2, 3), **KEY)).all()
    assert (memory[[1, 6]] == 0).all()


@given(
    axes=st.lists(st.tuples(st.integers(1, 5), st.integers(-40, 40)), max_size=4),
    itemsize=st.sampled_from([2, 4, 8]),
)
def test_overlap_is_found_exactly(axes, itemsize):
    shape, strides = [size for size, _ in axes], [stride for _, stride in axes]
    places = np.zeros(1, np.int64)
    for size, stride in axes:
        places = (places[:, None] + stride * np.arange(size)).ravel()
    expected = bool((np.diff(np.sort(places)) < itemsize).any())
    assert _core.overlaps(shape, strides, itemsize) == expected


def test_an_overlap_that_takes_too_long_to_find_is_assumed():
    strides = [4 * 3**k + 1 for k in range(30)]
    assert _core.overlaps([2] * 30, strides, 4) == _core.overlaps([2] * 30, strides[::-1], 4)
    dense = [1000 + 7 * k for k in range(40)]
    assert _core.overlaps([2] * 40, dense, 4)


def test_an_out_on_a_device_that_fanin_does_not_know_is_refused():
    with pytest.raises(RuntimeError, match="CPU memory or a GPU's, got DLPack device type 8"):
        fanin.normal(out=Exporter(np.zeros(3, np.float32), (8, 0)), **KEY)


@given(data=st.data(), dtype=st.sampled_from(["float16", "float32", "float64"]))
def test_any_order_of_axes_is_filled_and_nothing_else(data, dtype):
    """Outputs contiguous along any axis, with gaps and reversed axes, large enough for every way of filling."""
    shape = tuple(data.draw(st.lists(st.integers(1, 70), min_size=2, max_size=3)))
    order = data.draw(st.permutations(range(len(shape))))
    steps = tuple(slice(None, None, data.draw(st.sampled_from([1, 1, -1, 2]))) for _ in shape)
    memory = np.full([shape[axis] for axis in order], -100.0, dtype)
    whole = memory.transpose(np.argsort(order))
    fanin.normal(shape, index=steps, out=whole[steps], seed=3, name="w")
    expected = np.full(shape, -100.0, dtype)
    expected[steps] = fanin.normal(shape, seed=3, name="w", dtype=dtype)[steps]
    assert np.array_equal(whole, expected)
