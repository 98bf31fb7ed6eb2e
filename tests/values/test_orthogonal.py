"""Orthogonal matrices: the definition's bits, any part of them, orthogonality, and what the arguments mean."""

import numpy as np
import pytest
import reference
import reference_orthogonal

import fanin

INIT = fanin.seeded(7, layout="OI")
FLOATS = ("float32", "float64", "float16", "bfloat16")
# max|QQᵀ - I| of the compute type, and what rounding to 11 or 8 bits adds.
TOLERANCE = {"float32": 1e-6, "float64": 5e-15, "float16": 2e-3, "bfloat16": 1.5e-2}


def deviation(q):
    """max|QQᵀ - I| over the orthonormal vectors of a matrix."""
    q = q if q.shape[0] <= q.shape[1] else q.T
    return abs(reference_orthogonal.products(q, q) - np.eye(len(q))).max()


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5), (9, 40), (70, 66)])
def test_the_matrix_is_the_reference(shape, dtype):
    wanted = reference_orthogonal.orthogonal(7, "w", *shape, gain=1.25, dtype=dtype)
    assert same(INIT.orthogonal("w", shape, 1.25, dtype=dtype), wanted)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("length", [511, 513, 1100])
def test_vectors_past_blocks_and_segments_are_the_reference(length, dtype):
    numbers = [0, 1, 63, 64, 130]
    wanted = reference_orthogonal.orthogonal(7, "w", 131, length, dtype=dtype, wanted=numbers)
    assert same(INIT.orthogonal("w", (131, length), dtype=dtype)[numbers], wanted)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_vectors_are_the_reference(dtype):
    """One block of all reflectors, drawn in windows."""
    wanted = reference_orthogonal.orthogonal(7, "w", 67, 32769, dtype=dtype, wanted=[1, 66])
    assert same(INIT.orthogonal("w", (67, 32769), dtype=dtype)[[1, 66]], wanted)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    "shape",
    [
        (2, 2),
        (3, 8),
        (16, 16),
        (17, 15),
        (64, 64),
        (65, 63),
        (100, 300),
        (300, 100),
        (513, 511),
        (1024, 1024),
        (40, 33000),
        (40000, 3),
    ],
)
def test_the_vectors_are_orthonormal(shape, dtype):
    assert deviation(INIT.orthogonal("w", shape, dtype=dtype)) <= TOLERANCE[dtype]


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_nothing_is_a_matrix_too(shape):
    assert INIT.orthogonal("w", shape).shape == shape
    assert INIT.haar("w", 0).shape == (0, 0)
    assert INIT.haar("w", 3, 0).shape == (0, 3, 3)


@pytest.mark.parametrize("gain", [0.0, -2.0, 1 / 3])
def test_the_gain_multiplies_every_value(gain):
    q = INIT.orthogonal("w", (9, 20))
    assert same(INIT.orthogonal("w", (9, 20), gain), np.float32(gain) * q)


@pytest.mark.parametrize("dtype", FLOATS)
def test_low_precision_is_the_float32_value_rounded_once(dtype):
    if dtype != "float64":
        assert same(
            INIT.orthogonal("w", (40, 33), 1.5, dtype=dtype),
            INIT.orthogonal("w", (40, 33), 1.5).astype(fanin.zeros(0, dtype=dtype).dtype),
        )


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", [(300, 300), (700, 130), (130, 700)])
def test_threads_change_no_bit(shape, threads):
    with fanin.num_threads(1):
        alone = INIT.orthogonal("w", shape)
    with fanin.num_threads(threads):
        assert same(INIT.orthogonal("w", shape), alone)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("shape", [(150, 600), (600, 150), (130, 130), (33000, 130)])
def test_a_part_is_the_slice_of_the_whole(shape, dtype):
    whole = INIT.orthogonal("w", shape, dtype=dtype)
    for index in (
        np.s_[100:],
        np.s_[:, 77:99],
        np.s_[::-7, 5:100:3],
        np.s_[129],
        np.s_[:, -1],
        np.s_[3, 4],
        np.s_[90:7:-9, ::-1],
        np.s_[5:5],
    ):
        part = INIT.orthogonal("w", shape, dtype=dtype, index=index)
        assert same(np.asarray(part), np.asarray(whole[index])), index


@pytest.mark.parametrize("shape", [(6, 5, 3, 2), (40, 2, 3), (4, 4, 4)])
@pytest.mark.parametrize("index", [np.s_[1:, ::-1], np.s_[..., 1], np.s_[3, 1:, -1], np.s_[::2, :, ::2]])
def test_more_dimensions_are_flattened_to_out_by_the_rest(shape, index):
    whole = INIT.orthogonal("w", shape)
    assert same(whole, INIT.orthogonal("w", (shape[0], int(np.prod(shape[1:])))).reshape(shape))
    assert same(np.asarray(INIT.orthogonal("w", shape, index=index)), np.asarray(whole[index]))


@pytest.mark.parametrize("shape", [(6, 9), (9, 6), (7, 7), (3, 3, 5, 8), (2, 60, 4)])
def test_the_other_layout_is_the_transpose(shape):
    io = fanin.orthogonal(shape, seed=7, name="w", layout="IO")
    rest, outs = int(np.prod(shape[:-1])), shape[-1]
    assert same(io.reshape(rest, outs).T.copy(), INIT.orthogonal("w", (outs, rest)))


@pytest.mark.parametrize("out", [np.zeros((70, 50)).T, np.zeros((100, 210))[::-2, ::3], np.zeros((50, 70), "f4")])
def test_any_strides_are_written(out):
    INIT.orthogonal("w", out=out)
    assert (out == INIT.orthogonal("w", out.shape, dtype=out.dtype)).all()


@pytest.mark.parametrize("layout", ["OI", "IO"])
@pytest.mark.parametrize(("blocks", "outs"), [(4, 40), ((8, 20, 12), 40), ((1, 39), 40), (1, 40), (3, 96)])
def test_each_block_is_orthogonal_on_its_own(blocks, outs, layout):
    shape = (outs, 16) if layout == "OI" else (16, outs)
    w = fanin.orthogonal(shape, blocks=blocks, seed=7, name="w", layout=layout)
    w = w if layout == "OI" else w.T
    sizes = [outs // blocks] * blocks if isinstance(blocks, int) else blocks
    first = 0
    for i, size in enumerate(sizes):
        block = w[sum(sizes[:i]) : sum(sizes[: i + 1])]
        assert same(block.copy(), reference_orthogonal.orthogonal(7, "w", size, 16, first=first))
        first += min(size, 16) * reference.line_pitch(max(size, 16))


@pytest.mark.parametrize("index", [np.s_[10:30], np.s_[::-3], np.s_[:, 5], np.s_[27:2:-5, ::4], np.s_[39]])
def test_a_part_across_blocks_is_the_slice_of_the_whole(index):
    whole = INIT.orthogonal("w", (40, 16), blocks=(8, 20, 12))
    assert same(INIT.orthogonal("w", (40, 16), blocks=(8, 20, 12), index=index), whole[index].copy())


@pytest.mark.parametrize("n", [1, 2, 5, 64, 130])
def test_haar_is_a_batch_of_orthogonal_matrices(n):
    batch = INIT.haar("w", n, 5)
    assert batch.shape == (5, n, n)
    assert max(map(deviation, batch)) <= 1e-6
    assert same(batch.reshape(5 * n, n), INIT.orthogonal("w", (5 * n, n), blocks=5))
    assert same(INIT.haar("w", n), batch[0])
    for index in (np.s_[3], np.s_[::-2, n // 2], np.s_[1:3, :, 0]):
        shape = (5, n, n)
        assert same(fanin.schemes.haar()(shape, seed=7, name="w", index=index), batch[index].copy())


@pytest.mark.parametrize("shape", [(8, 3, 5), (8, 8, 3, 4), (6, 2, 1, 2, 3)])
@pytest.mark.parametrize("layout", ["OI", "IO"])
def test_delta_orthogonal_is_an_orthogonal_matrix_at_the_centre(shape, layout):
    if layout == "IO":
        shape = (*shape[2:], shape[1], shape[0])
    w = fanin.delta_orthogonal(shape, 2.0, seed=7, name="w", layout=layout)
    spatial = shape[2:] if layout == "OI" else shape[:-2]
    centre = tuple((size - 1) // 2 for size in spatial)
    at = (..., *centre) if layout == "OI" else centre
    matrix = w[at] if layout == "OI" else w[at].T
    assert same(matrix.copy(), INIT.orthogonal("w", matrix.shape, 2.0))
    w2 = w.copy()
    w2[at] = 0
    assert not w2.any()
    for index in (np.s_[1:, ::-1], np.s_[..., -1], np.s_[..., 0, 1:], np.s_[::-1, 1]):
        part = fanin.delta_orthogonal(shape, 2.0, seed=7, name="w", layout=layout, index=index)
        assert same(part, w[index].copy())


def test_the_three_spellings_are_one():
    a = INIT.orthogonal("w", (30, 20), 1.1, blocks=3)
    assert same(a, fanin.orthogonal((30, 20), 1.1, 3, seed=7, name="w", layout="OI"))
    assert same(a, fanin.schemes.orthogonal(1.1, 3, layout="OI")((30, 20), seed=7, name="w"))


def test_schemes_know_their_std():
    for scheme, shape in [
        (fanin.schemes.orthogonal(2.0, layout="OI"), (64, 200)),
        (fanin.schemes.orthogonal(-2.0, (10, 54), layout="IO"), (20, 64)),
        (fanin.schemes.haar(3.0), (5, 40, 40)),
        (fanin.schemes.delta_orthogonal(3.0, layout="OI"), (40, 30, 3)),
    ]:
        w = scheme(shape, seed=0, name="w", dtype="float64")
        assert scheme.expected_mean(shape) == 0
        assert np.isclose(scheme.expected_std(shape), np.sqrt((w**2).mean()), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: fanin.orthogonal((4, 4, 3), seed=0, name="w"),
            ValueError,
            "layout must be .*none was given, and only a",
        ),
        (lambda: INIT.orthogonal("w", (4,)), ValueError, "shape must have at least 2 dimensions"),
        (lambda: INIT.orthogonal("w", (4, -1)), ValueError, "shape must have no negative axis"),
        (lambda: INIT.orthogonal("w", (4, 4), float("nan")), ValueError, "gain must be finite, got nan"),
        (lambda: INIT.orthogonal("w", (4, 4), 1e39), ValueError, "gain must not exceed the largest float32"),
        (lambda: INIT.orthogonal("w", (4, 4), 7e4, dtype="float16"), ValueError, "gain must not exceed .* float16"),
        (lambda: INIT.orthogonal("w", (4, 4), blocks=3), ValueError, "blocks must divide the 4 outputs"),
        (lambda: INIT.orthogonal("w", (4, 4), blocks=(1, 2)), ValueError, "blocks must add up to the 4 outputs"),
        (lambda: INIT.orthogonal("w", (4, 4), blocks=(5, -1)), ValueError, r"blocks\[1\] must be at least 0, got -1"),
        (lambda: INIT.orthogonal("w", (4, 4), blocks=0), ValueError, "blocks must be at least 1"),
        (lambda: INIT.orthogonal("w", (4, 4), blocks=1.5), TypeError, "blocks must be an integer"),
        (lambda: INIT.orthogonal("w", (4, 4), dtype="int8"), TypeError, "dtype must be one of float32"),
        (lambda: INIT.orthogonal("w", (4, 4), index=4), IndexError, "out of bounds"),
        (lambda: INIT.orthogonal("w", (2**40, 2**40)), ValueError, "fewer than 2\\^63"),
        (lambda: fanin.schemes.haar()((3, 4), seed=0, name="w"), ValueError, "two equal dimensions"),
        (lambda: INIT.haar("w", -1), ValueError, "n must be at least 0, got -1"),
        (lambda: INIT.delta_orthogonal("w", (4, 4)), ValueError, "shape must have 1 to 3 spatial axes, .* got 0"),
        (lambda: INIT.delta_orthogonal("w", (4, 5, 3)), ValueError, "no more inputs than outputs"),
    ],
)
def test_errors_name_the_argument(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_overlapping_memory_is_refused():
    memory = np.zeros(100, np.float32)
    out = np.lib.stride_tricks.as_strided(memory, (8, 8), (4, 4))
    with pytest.raises(ValueError, match="overlap"):
        INIT.orthogonal("w", out=out)
