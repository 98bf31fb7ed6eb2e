"""On a GPU: the bits of the CPU, for every sampler, dtype, index and layout, and nothing else is written."""

import numpy as np
import pytest
from golden_lines import FILES, HUGE, ROW, check, read
from gpu import (
    DEVICE,
    GUARD,
    KEY,
    LAYOUTS,
    ONE_OF_A_DTYPE,
    SIZES,
    as_numpy,
    assert_filled,
    assert_same_bits,
    every_dtype,
    every_sampler,
    memory,
    torch_with_cuda,  # noqa: F401
    view,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from samplers import LARGE_SLICES, NAME, SEED, SLICES, sample
from scheme_cases import CASES, indices
from scheme_values import GOLDEN

import fanin
from fanin import schemes

pytestmark = pytest.mark.gpu


@every_sampler
def test_every_sampler_has_the_bits_of_the_cpu(torch, distribution, dtype):
    for size in SIZES:
        out = memory((size,), dtype)
        assert sample(distribution, dtype, out=out) is out
        assert_filled(out, sample(distribution, dtype, size))


@every_sampler
@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_index_goes_into_any_layout_and_nothing_else_does(torch, distribution, dtype, layout):
    for shape, index in SLICES + (LARGE_SLICES if distribution in ("bits", "normal") else []):
        expected = np.asarray(sample(distribution, dtype, shape, index=index))
        out = view(layout, expected.shape, dtype)
        assert sample(distribution, dtype, shape, index=index, out=out) is out
        assert_filled(out, expected)


@every_dtype
@settings(max_examples=60)
@given(data=st.data())
def test_any_shape_order_of_axes_and_index(torch, dtype, data):
    shape = tuple(data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=3)))
    index = data.draw(indices(shape))
    expected = np.asarray(fanin.normal(shape, dtype=dtype, index=index, **KEY))
    order = data.draw(st.permutations(range(expected.ndim)))
    steps = [data.draw(st.sampled_from([1, 1, 2, 3])) for _ in order]
    whole = memory([expected.shape[axis] * step for axis, step in zip(order, steps, strict=True)], dtype)
    out = whole[(..., *(slice(step - 1, None, step) for step in steps))].permute(np.argsort(order).tolist())
    fanin.normal(shape, dtype=dtype, index=index, out=out, **KEY)
    assert_filled(out, expected)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem not in ("orthogonal", "schemes")], ids=lambda path: path.stem
)
def test_golden_values_are_the_gpus(torch, path):
    """The frozen ones, as `test_golden` finds them on the CPU; also where the shape has two axes."""
    for run in read(path):
        arguments = [] if run.parameters == "-" else run.parameters.split(",")
        bounds = {"bounds": arguments.pop()} if path.stem == "truncated_normal" else {}
        row, column = divmod(run.first, ROW)
        for shape, index in (
            ((HUGE,), np.s_[run.first : run.first + run.expected.size]),
            ((HUGE // ROW, ROW), np.s_[row, column : column + run.expected.size]),
        ):
            out = memory((run.expected.size,), run.dtype)
            draw = getattr(fanin, path.stem)
            draw(shape, *map(float, arguments), **bounds, seed=run.seed, name=run.name, index=index, out=out)
            found = as_numpy(out)
            check(path.stem, run, found.view(f"u{found.itemsize}"))


# ---- schemes ---------------------------------------------------------------------------------------------------------


def is_elementwise(case):
    whole = ("orthogonal", "haar", "delta_orthogonal", "sparse", "concatenate", "regions", "stack, of stacks")
    return not case.startswith(whole)


FUSED = schemes.concatenate([schemes.normal(), schemes.xavier_uniform(layout="IO"), schemes.ones()], (2, 3, 4), axis=-1)
ELEMENTWISE = {case: CASES[case] for case in CASES if is_elementwise(case)}
ELEMENTWISE["concatenate"] = FUSED, st.integers(1, 9).map(lambda rows: (rows, 9))
ELEMENTWISE["concatenate, groups"] = FUSED.replace(sizes=(2, 4, 6), axis=0, groups=2), st.just((12, 5))
OVER = schemes.regions([schemes.zeros(), schemes.uniform()], [":, 1", "1, 2, ::2"], of=schemes.normal(), view=(2, 3, 4))
ELEMENTWISE["regions"] = OVER, st.just((6, 4))


@pytest.mark.parametrize("case", ELEMENTWISE)
@every_dtype
@settings(max_examples=15)
@given(data=st.data())
def test_every_elementwise_scheme_has_the_bits_of_the_cpu(torch, case, dtype, data):
    scheme, possible = ELEMENTWISE[case]
    shape = data.draw(possible)
    index = data.draw(indices(shape) | st.none())
    expected = np.asarray(scheme(shape, dtype=dtype, index=index, **KEY))
    out = view(data.draw(st.sampled_from(list(LAYOUTS))), expected.shape, dtype)
    assert scheme(shape, index=index, out=out, **KEY) is out
    assert_filled(out, expected)
    assert_same_bits(np.asarray(scheme(shape, dtype=dtype, index=index, device=DEVICE, **KEY)), expected)


@pytest.mark.parametrize("case", [case for case in GOLDEN if is_elementwise(case)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_golden_schemes_are_the_gpus(torch, case, dtype):
    scheme, shape, wanted = GOLDEN[case]
    out = memory(shape, dtype)
    scheme(out=out, seed=SEED, name=NAME)
    parts, start = [], 0
    for size, draw, _ in wanted if isinstance(wanted, list) else [(shape[0], wanted, False)]:
        index = np.arange(start * shape[1], (start + size) * shape[1], dtype=np.uint64)
        parts.append(draw(index, shape, dtype))
        start += size
    assert_filled(out, np.concatenate(parts).reshape(shape))


SHAPES = {"haar": (3, 5, 5), "delta_orthogonal": (6, 4, 3), "orthogonal, blocks": (5, 7), "concatenate": (4, 9)}
SHAPES |= {"concatenate, groups": (12, 3), "regions": (24, 5), "stack, of stacks": (2, 3, 4, 5)}


@pytest.mark.parametrize("case", [case for case in CASES if not is_elementwise(case)])
def test_schemes_that_need_a_whole_matrix_are_refused(torch, case):
    scheme, shape = CASES[case][0], SHAPES.get(case, (6, 8))
    out = memory(shape, "float32")
    with pytest.raises(NotImplementedError, match=r"(?i)gpu|cuda"):
        scheme(out=out, **KEY)
    if scheme.pieces(shape, "") is None:
        assert (out.view(torch.uint8) == GUARD).all()
    with pytest.raises(NotImplementedError, match=r"(?i)gpu|cuda"):
        scheme(shape, device=DEVICE, **KEY)


# ---- arrays of NumPy -------------------------------------------------------------------------------------------------


@every_sampler
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_without_out_a_numpy_array_comes_back(distribution, dtype, device):
    for size in SIZES:
        assert_same_bits(sample(distribution, dtype, size, device=device), sample(distribution, dtype, size))
    for shape, index in SLICES:
        found = sample(distribution, dtype, shape, index=index, device=device)
        assert_same_bits(found, sample(distribution, dtype, shape, index=index))


@pytest.mark.parametrize(("distribution", "dtype"), ONE_OF_A_DTYPE)
def test_numpy_arrays_of_several_chunks(distribution, dtype):
    """The array has 64 MiB and more, and chunks also end within a row."""
    size = 3 * 2**24 + 77
    for shape, index in [
        ((size,), ...),
        ((size,), np.s_[size - 5 :: -2]),
        ((997, 50021), np.s_[::-1, 17:50000]),
        ((11, 2**20 + 1, 5), np.s_[:, ::-1, 1:4]),
    ]:
        found = sample(distribution, dtype, shape, index=index, device=DEVICE)
        assert_same_bits(found, sample(distribution, dtype, shape, index=index))
