"""On a GPU: the bits of the CPU, written where they belong, on the stream of whoever owns the memory, without waiting.

Tests of a library that is missing are skipped; where no GPU can be used, `conftest` leaves out all.
"""

import math
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_every_scheme import CASES, indices
from test_golden import FILES, HUGE, ROW, check, read
from test_golden_schemes import GOLDEN
from test_parity import FLOATS, LARGE_SLICES, NAME, SAMPLERS, SEED, SLICES, sample

import fanin
from fanin import schemes

KEY = {"seed": 11, "name": "w"}
DEVICE = "cuda"
GUARD = 0xA5  # every byte of memory before it is filled
SIZES = (0, 1, 31, 33, 127, 128, 129, 2**16 + 1)
ONE_OF_A_DTYPE = [("normal", dtype) for dtype in FLOATS] + [("bits", "uint32"), ("bits", "uint64")]
every_sampler = pytest.mark.parametrize(("distribution", "dtype"), SAMPLERS)
every_dtype = pytest.mark.parametrize("dtype", FLOATS)
pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def torch():
    module = pytest.importorskip("torch")
    if not module.cuda.is_available():
        pytest.skip(f"torch {module.__version__} has no CUDA")
    return module


# ---- memory of a GPU -------------------------------------------------------------------------------------------------


def memory(shape, dtype, device=None):
    """A new tensor, of bytes that show where it is not written."""
    import torch

    kind = getattr(torch, dtype)
    count = math.prod(shape)
    if count == 0:
        return torch.empty(shape, dtype=kind, device=device or DEVICE)
    raw = torch.full((count * kind.itemsize,), GUARD, dtype=torch.uint8, device=device or DEVICE)
    return raw.view(kind).view(shape)


# Views of a shape in larger memory, which `make` makes.
LAYOUTS = {
    "contiguous": lambda make, shape: make(shape),
    "offset by an element": lambda make, shape: make((math.prod(shape) + 1,))[1:].view(shape),
    "transposed": lambda make, shape: make(shape[::-1]).permute(list(range(len(shape)))[::-1]),
    "every third": lambda make, shape: make((*shape, 3))[..., 1],
    "between other columns": lambda make, shape: make((*shape[:-1], sum(shape[-1:]) + 9))[..., 4:-5],
    "between other rows": lambda make, shape: make((3, *shape))[1],
}


def view(layout, shape, dtype):
    """A tensor of a shape, laid out so."""
    if not shape and layout == "between other columns":
        layout = "between other rows"
    return LAYOUTS[layout](lambda whole: memory(whole, dtype), tuple(shape))


def as_numpy(tensor):
    """A copy of its values, NumPy's bfloat16 included."""
    import torch

    tensor = tensor.detach().contiguous().cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def assert_filled(out, expected):
    """A tensor has the bits of an array, and the memory around it is as it was."""
    import torch

    expected = np.asarray(expected)
    storage = torch.empty(0, dtype=torch.uint8, device=out.device).set_(out.detach().untyped_storage())
    found = storage.cpu().numpy()
    wanted = np.full(found.size, GUARD, np.uint8)
    strides = [stride * expected.itemsize for stride in out.stride()]
    whole = wanted.view(expected.dtype)[out.storage_offset() :]
    assert tuple(out.shape) == expected.shape
    np.lib.stride_tricks.as_strided(whole, expected.shape, strides)[...] = expected
    different = np.flatnonzero(found != wanted)
    assert different.size == 0, f"{different.size} of {found.size} bytes differ, first at {different[0]}"


def assert_same_bits(found, expected):
    """Arrays of one dtype and shape with equal bits."""
    assert type(found) is type(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.tobytes() == expected.tobytes()


# ---- the bits of the CPU ---------------------------------------------------------------------------------------------


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
def test_golden_values(torch, path):
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


def is_elementwise(case):
    return not case.startswith(("orthogonal", "haar", "delta_orthogonal", "sparse", "concatenate"))


FUSED = schemes.concatenate([schemes.normal(), schemes.xavier_uniform(layout="IO"), schemes.ones()], (2, 3, 4), axis=-1)
ELEMENTWISE = {case: CASES[case] for case in CASES if is_elementwise(case)}
ELEMENTWISE["concatenate"] = FUSED, st.integers(1, 9).map(lambda rows: (rows, 9))


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
def test_golden_schemes(torch, case, dtype):
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


@pytest.mark.parametrize("case", [case for case in CASES if not is_elementwise(case)])
def test_schemes_that_need_a_whole_matrix_are_refused(torch, case):
    scheme, shape = CASES[case][0], SHAPES.get(case, (6, 8))
    out = memory(shape, "float32")
    with pytest.raises(NotImplementedError, match=r"(?i)gpu|cuda"):
        scheme(out=out, **KEY)
    if case != "concatenate":
        assert (out.view(torch.uint8) == GUARD).all()
    with pytest.raises(NotImplementedError, match=r"(?i)gpu|cuda"):
        scheme(shape, device=DEVICE, **KEY)


# ---- many elements ---------------------------------------------------------------------------------------------------


def integers(tensor):
    """The same memory as signed integers, which torch compares bit by bit."""
    import torch

    return tensor.view({2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.dtype.itemsize])


def differences(out, first, distribution, dtype, count, chunk=2**26):
    """Where chunks of a flat tensor, which begins at element `first` of `count`, are not the CPU's: their starts."""
    import torch

    host = torch.empty(chunk, dtype=out.dtype, pin_memory=True)
    wrong = []
    for start in range(0, len(out), chunk):
        size = min(chunk, len(out) - start)
        index = np.s_[first + start : first + start + size]
        sample(distribution, dtype, count, index=index, out=host[:size])
        if not torch.equal(integers(out[start : start + size]), integers(host[:size].to(out.device))):
            wrong.append(first + start)
    return wrong


def allocate(torch, shape, dtype):
    try:
        return torch.empty(shape, dtype=getattr(torch, dtype), device=DEVICE)
    except torch.cuda.OutOfMemoryError:
        pytest.skip(f"the GPU has no room for {math.prod(shape)} elements of {dtype}")


@pytest.mark.slow
@pytest.mark.parametrize(("distribution", "dtype"), ONE_OF_A_DTYPE)
def test_more_than_two_to_the_31_elements_in_one_call(torch, distribution, dtype):
    count = 2**31 + 2**20 + 77
    out = allocate(torch, (count,), dtype)
    sample(distribution, dtype, out=out)
    assert differences(out, 0, distribution, dtype, count) == []


@pytest.mark.slow
def test_more_than_two_to_the_31_elements_backwards_and_transposed(torch):
    shape = (2**16 + 1, 2**15 + 3)
    out = allocate(torch, shape[::-1], "bfloat16").T
    for step in (1, -1):
        fanin.normal(shape, index=np.s_[::step, ::step], out=out, **KEY)
        for row in (0, 1, 2**15, 2**16 - 1, -2, -1):
            index = (row if step == 1 else ~row, np.s_[::step])
            assert_same_bits(as_numpy(out[row]), fanin.normal(shape, dtype="bfloat16", index=index, **KEY))


@pytest.mark.slow
@every_sampler
def test_exhaustively_two_to_the_32_elements(torch, distribution, dtype):
    """As many as there are words to draw a float32 from."""
    count, chunk = 2**32, 2**27
    out = allocate(torch, (chunk,), dtype)
    for first in range(0, count, chunk):
        sample(distribution, dtype, count, index=np.s_[first : first + chunk], out=out)
        assert differences(out, first, distribution, dtype, count) == []


# ---- streams ---------------------------------------------------------------------------------------------------------


def keep_busy(torch):
    """Let the current stream wait for about half a second: what it is given now, it does afterwards."""
    torch.cuda._sleep(10**9)


def warm_up(torch, fill, out):
    """Load every kernel: the driver may wait for the device to do so."""
    torch.cuda._sleep(1)
    out.fill_(7)
    fill()
    out.clone()
    torch.cuda.synchronize()


@pytest.fixture(params=["a stream of its own", "the legacy default stream"])
def stream(request, torch):
    return torch.cuda.Stream() if request.param == "a stream of its own" else torch.cuda.default_stream()


@pytest.mark.parametrize(
    "draw", [fanin.uniform, fanin.normal, fanin.truncated_normal, schemes.siren(first=True, layout="OI")]
)
def test_a_fill_follows_its_producer_on_the_current_stream_and_does_not_wait(torch, stream, draw):
    shape = (1000, 1001)
    out = memory(shape, "float32")
    warm_up(torch, lambda: draw(out=out, **KEY), out)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        out.fill_(7)
        written = torch.cuda.Event()
        written.record()
        draw(out=out, **KEY)
        returned_first = not written.query()
        after = out.clone()
    assert returned_first, "the call waited for the device"
    stream.synchronize()
    assert_same_bits(as_numpy(after), draw(shape, **KEY))
    assert_filled(out, draw(shape, **KEY))


def test_pieces_of_a_scheme_follow_each_other_on_the_stream(torch, stream):
    """Rows on both sides of one of zeros, and the zeros."""
    scheme, shape = schemes.embedding(padding=500), (1000, 257)
    out = memory(shape, "bfloat16")
    warm_up(torch, lambda: scheme(out=out, **KEY), out)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        out.fill_(7)
        written = torch.cuda.Event()
        written.record()
        scheme(out=out, **KEY)
        returned_first = not written.query()
    assert returned_first, "the call waited for the device"
    stream.synchronize()
    assert_filled(out, scheme(shape, dtype="bfloat16", **KEY))


def test_other_streams_are_not_waited_for(torch):
    """A stream of one's own is done before a busy one."""
    out = memory((1000,), "float32")
    warm_up(torch, lambda: fanin.normal(out=out, **KEY), out)
    busy, idle, still_busy = torch.cuda.Stream(), torch.cuda.Stream(), torch.cuda.Event()
    with torch.cuda.stream(busy):
        keep_busy(torch)
        still_busy.record()
    with torch.cuda.stream(idle):
        fanin.normal(out=out, **KEY)
    idle.synchronize()
    assert not still_busy.query()
    assert_filled(out, fanin.normal(1000, **KEY))


def test_two_threads_on_two_streams(torch):
    start = Barrier(2)

    def fills(number):
        stream = torch.cuda.Stream()
        dtype = ("float32", "bfloat16")[number]
        outs = [memory((257, 129 + k), dtype) for k in range(50)]
        torch.cuda.synchronize()
        start.wait(60)
        with torch.cuda.stream(stream):
            for k, out in enumerate(outs):
                out.fill_(7)
                fanin.normal(out=out, seed=number, name=f"w{k}")
        stream.synchronize()
        return outs, dtype

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(fills, range(2)))
    for number, (outs, dtype) in enumerate(results):
        for k, out in enumerate(outs):
            assert_filled(out, fanin.normal((257, 129 + k), seed=number, name=f"w{k}", dtype=dtype))


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
    """Of 64 MiB and more, also where a chunk ends within a row."""
    size = 3 * 2**24 + 77
    for shape, index in [
        ((size,), ...),
        ((size,), np.s_[size - 5 :: -2]),
        ((997, 50021), np.s_[::-1, 17:50000]),
        ((11, 2**20 + 1, 5), np.s_[:, ::-1, 1:4]),
    ]:
        found = sample(distribution, dtype, shape, index=index, device=DEVICE)
        assert_same_bits(found, sample(distribution, dtype, shape, index=index))


def test_a_device_may_be_named_beside_out(torch):
    out = memory((33, 65), "float16")
    for device in (out.device, "cuda", f"cuda:{out.device.index}"):
        assert fanin.normal(out=out, device=device, **KEY) is out
        assert_filled(out, fanin.normal((33, 65), dtype="float16", **KEY))
        out.fill_(7)


def test_a_namespace_and_a_torch_device(torch):
    init = fanin.seeded(0, layout="OI")
    found = init.he_normal("fc.weight", (30, 40), device=torch.device("cuda"), dtype=torch.bfloat16)
    assert_same_bits(found, init.he_normal("fc.weight", (30, 40), dtype="bfloat16"))


@pytest.mark.parametrize("device", ["cuda:99", "cuda:-1", "cuda:one"])
def test_a_device_that_does_not_exist(device):
    with pytest.raises((RuntimeError, ValueError), match=re.escape(device)):
        fanin.normal(3, device=device, **KEY)


# ---- arrays of other libraries ---------------------------------------------------------------------------------------


class Interface:
    """A tensor known by its CUDA array interface alone."""

    def __init__(self, tensor, **changes):
        self.tensor = tensor  # keeps the memory
        kind = np.dtype(str(tensor.dtype).removeprefix("torch."))
        self.__cuda_array_interface__ = {
            "shape": tuple(tensor.shape),
            "typestr": kind.str,
            "data": (tensor.data_ptr(), False),
            "strides": tuple(stride * kind.itemsize for stride in tensor.stride()),
            "version": 3,
        } | changes


class Exporter:
    """A tensor known by DLPack alone."""

    def __init__(self, tensor):
        self.tensor, self.shape, self.dtype = tensor, tuple(tensor.shape), tensor.dtype

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, **options):
        return self.tensor.__dlpack__(**options)


INTERFACES = [
    ("normal", "float32"),
    ("normal", "float64"),
    ("normal", "float16"),
    ("bits", "uint32"),
    ("bits", "uint64"),
]


@pytest.mark.parametrize(("distribution", "dtype"), INTERFACES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_cuda_array_interface(torch, distribution, dtype, layout):
    for shape in ((61, 67), (4099,), (), (5, 0)):
        tensor = view(layout, shape, dtype)
        torch.cuda.synchronize()
        out = Interface(tensor)
        assert sample(distribution, dtype=None, out=out) is out
        torch.cuda.synchronize()
        assert_filled(tensor, sample(distribution, dtype, shape))


def test_an_interface_without_strides_is_contiguous_and_has_negative_ones_too(torch):
    tensor = memory((60, 41), "float32")
    torch.cuda.synchronize()
    fanin.normal(out=Interface(tensor, strides=None), **KEY)
    torch.cuda.synchronize()
    assert_filled(tensor, fanin.normal((60, 41), **KEY))
    last = (tensor.data_ptr() + 4 * (tensor.numel() - 1), False)
    fanin.normal(out=Interface(tensor, strides=(-4 * 41, -4), data=last), **KEY)
    torch.cuda.synchronize()
    assert_filled(tensor, fanin.normal((60, 41), **KEY)[::-1, ::-1])


@pytest.mark.parametrize("number", [None, 1, 2])
def test_an_interface_may_name_a_default_stream(torch, number):
    """None asks for no order: everything before is done, and everything after waits."""
    tensor = memory((1000, 1001), "float32")
    torch.cuda.synchronize()
    fanin.normal(out=Interface(tensor, stream=number), **KEY)
    torch.cuda.synchronize()
    assert_filled(tensor, fanin.normal((1000, 1001), **KEY))


def test_an_interface_may_name_a_stream(torch, stream):
    tensor = memory((1000, 1001), "float32")
    out = Interface(tensor, stream=stream.cuda_stream or 1)
    warm_up(torch, lambda: fanin.normal(out=out, **KEY), tensor)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        tensor.fill_(7)
        written = torch.cuda.Event()
        written.record()
    fanin.normal(out=out, **KEY)
    returned_first = not written.query()
    assert returned_first, "the call waited for the device"
    stream.synchronize()
    assert_filled(tensor, fanin.normal((1000, 1001), **KEY))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"shape": (4, 3)}, ValueError, "shape"),
        ({"shape": (12,), "strides": None}, ValueError, "shape"),
        ({"typestr": "<f8", "strides": (64, 8)}, ValueError, "dtype"),
        ({"typestr": ">f4"}, ValueError, "byte order"),
        ({"strides": (0, 4)}, ValueError, "overlap"),
        ({"strides": (4, 4)}, ValueError, "overlap"),
        ({"stream": 0}, ValueError, "stream"),
    ],
    ids=str,
)
def test_an_interface_that_does_not_fit_is_refused_and_left_alone(torch, changes, error, message):
    tensor = memory((3, 8), "float32")
    with pytest.raises(error, match=message):
        fanin.normal((3, 4), dtype="float32", out=Interface(tensor[:, :4], **changes), **KEY)
    torch.cuda.synchronize()
    assert (tensor.view(torch.uint8) == GUARD).all()


def test_a_read_only_interface_is_refused(torch):
    tensor = memory((3, 4), "float32")
    with pytest.raises(ValueError, match=r"read-?only"):
        fanin.normal(out=Interface(tensor, data=(tensor.data_ptr(), True)), **KEY)
    torch.cuda.synchronize()
    assert (tensor.view(torch.uint8) == GUARD).all()


def test_dtypes_that_are_not_drawn_are_refused(torch):
    for dtype in ("int32", "complex64", "float8_e4m3fn", "bool"):
        tensor = torch.zeros(3, dtype=getattr(torch, dtype), device=DEVICE)
        with pytest.raises(TypeError, match="dtype must be one of float32"):
            fanin.normal(out=tensor, **KEY)
    with pytest.raises(TypeError, match="dtype must be one of float32"):
        fanin.normal(out=Interface(torch.zeros(3, dtype=torch.int32, device=DEVICE)), **KEY)


@every_dtype
def test_any_array_that_speaks_dlpack(torch, stream, dtype):
    tensor = view("between other columns", (61, 67), dtype)
    out = Exporter(tensor)
    warm_up(torch, lambda: fanin.normal(out=out, **KEY), tensor)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        tensor.fill_(7)
        assert fanin.normal(out=out, **KEY) is out
    torch.cuda.synchronize()
    assert_filled(tensor, fanin.normal((61, 67), dtype=dtype, **KEY))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_arrays_of_cupy(dtype):
    cupy = pytest.importorskip("cupy")
    with cupy.cuda.Stream(non_blocking=True) as stream:
        whole = cupy.zeros((60, 41), dtype)
        out = whole[::2, ::-1].T
        assert fanin.normal(out=out, **KEY) is out
        found = cupy.asnumpy(whole)
        stream.synchronize()
    assert_same_bits(np.ascontiguousarray(found[::2, ::-1].T), fanin.normal((41, 30), dtype=dtype, **KEY))
    assert not found[1::2].any()


def test_arrays_of_jax_are_refused(monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # other tests want memory too
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "gpu":
        pytest.skip("JAX has no GPU")
    array = jax.numpy.zeros((3, 4))
    with pytest.raises(TypeError, match="JAX arrays are immutable"):
        fanin.normal(out=array, **KEY)
    assert not np.asarray(array).any()


# ---- tensors of torch ------------------------------------------------------------------------------------------------


@every_dtype
def test_parameters_are_filled_and_their_version_counted(torch, dtype):
    parameter = torch.nn.Parameter(memory((8, 16), dtype))
    version = parameter._version
    assert fanin.he_normal(out=parameter, layout="OI", **KEY) is parameter
    assert parameter._version == version + 1
    assert parameter.requires_grad
    assert parameter.is_leaf
    assert_filled(parameter, fanin.he_normal((8, 16), layout="OI", dtype=dtype, **KEY))
    fanin.schemes.embedding(padding=2)(out=parameter, **KEY)
    assert parameter._version > version + 1
    assert_filled(parameter, fanin.schemes.embedding(padding=2)((8, 16), dtype=dtype, **KEY))


def test_autograd_notices_a_fill(torch):
    parameter = torch.nn.Parameter(torch.ones(4, device=DEVICE))
    loss = (parameter**2).sum()
    fanin.normal(out=parameter, **KEY)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_inference_tensors_have_no_version_to_count(torch):
    with torch.inference_mode():
        tensor = torch.zeros(4, device=DEVICE)
        fanin.normal(out=tensor, **KEY)
        assert_same_bits(as_numpy(tensor), fanin.normal(4, **KEY))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda torch: torch.zeros(4, device=DEVICE).expand(3, 4), "overlap"),
        (lambda torch: torch.zeros(4, 3, device=DEVICE), "shape"),
        (lambda torch: torch.zeros(3, 4, device=DEVICE, dtype=torch.float64), "dtype"),
        (lambda torch: torch.zeros(3, 4, device=DEVICE, dtype=torch.complex64).conj().imag, "negated"),
        (lambda torch: torch.zeros(3, 4, device=DEVICE).to_sparse(), "cannot be written to in place"),
    ],
    ids=["overlapping", "of another shape", "of another dtype", "negated", "sparse"],
)
def test_tensors_that_cannot_be_filled(torch, make, message):
    out = make(torch)
    with pytest.raises(ValueError, match=message):
        fanin.normal((3, 4), dtype="float32", out=out, **KEY)
    assert out.abs().sum() == 0


def test_what_is_refused_on_the_cpu_is_refused(torch):
    out = memory((3, 4), "float32")
    for arguments in ({"std": -1.0}, {"std": math.inf}, {"mean": 3e38, "std": 1e38}, {"stream": "v0"}):
        with pytest.raises(ValueError):
            fanin.normal(out=out, **arguments, **KEY)
        with pytest.raises(ValueError):
            fanin.normal((3, 4), device=DEVICE, **arguments, **KEY)
    with pytest.raises(IndexError):
        fanin.normal((3, 4), index=3, out=out[0], **KEY)
    assert (out.view(torch.uint8) == GUARD).all()


# ---- several devices -------------------------------------------------------------------------------------------------


@pytest.fixture
def second(torch):
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU")
    return torch.device("cuda", 1)


def test_the_current_device_is_left_as_it_was(torch):
    for device in range(torch.cuda.device_count()):
        for current in range(torch.cuda.device_count()):
            with torch.cuda.device(current):
                out = memory((100, 33), "float32", torch.device("cuda", device))
                fanin.normal(out=out, **KEY)
                fanin.normal((100, 33), device=f"cuda:{device}", **KEY)
                assert torch.cuda.current_device() == current
                assert_filled(out, fanin.normal((100, 33), **KEY))


@pytest.mark.parametrize("wrap", [lambda tensor: tensor, Exporter, Interface], ids=["torch", "dlpack", "interface"])
def test_a_tensor_of_another_device_than_the_current(torch, second, wrap):
    tensor = memory((1000, 1001), "float32", second)
    torch.cuda.synchronize(second)
    stream = torch.cuda.Stream(second)
    assert torch.cuda.current_device() == 0
    with torch.cuda.stream(stream), torch.cuda.device(0):
        fanin.normal(out=wrap(tensor), **KEY)
        assert torch.cuda.current_device() == 0
    torch.cuda.synchronize(second)
    assert_filled(tensor, fanin.normal((1000, 1001), **KEY))


def test_a_device_chosen_by_number(second):
    assert_same_bits(fanin.normal((100, 33), device="cuda:1", **KEY), fanin.normal((100, 33), **KEY))


# ---- the sanitizers of CUDA ------------------------------------------------------------------------------------------


def a_little_of_everything():
    """Every sampler, dtype and layout, and every scheme: what the sanitizers watch."""
    for distribution, dtype in SAMPLERS:
        for layout in LAYOUTS:
            for shape, index in [
                ((), ...),
                ((33,), ...),
                ((129,), ...),
                ((1000,), np.s_[::-3]),
                ((9, 37), np.s_[:, 3:36]),
            ]:
                expected = np.asarray(sample(distribution, dtype, shape, index=index))
                out = view(layout, expected.shape, dtype)
                sample(distribution, dtype, shape, index=index, out=out)
                assert_filled(out, expected)
        assert_same_bits(sample(distribution, dtype, 1000, device=DEVICE), sample(distribution, dtype, 1000))
    for scheme, shape in [
        (schemes.mamba_log_range(), (3, 17)),
        (schemes.mamba_step_bias(), (130,)),
        (schemes.sinusoid(), (33, 8)),
        (schemes.identity(), (5, 9)),
        (schemes.embedding(padding=1), (5, 9)),
    ]:
        out = memory(shape, "float32")
        scheme(out=out, **KEY)
        assert_filled(out, scheme(shape, **KEY))


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["memcheck", "racecheck"])
def test_the_sanitizers_find_nothing(torch, tool):
    places = (os.environ["PATH"], os.path.join(os.environ.get("CUDA_HOME", "cuda"), "bin"))
    sanitizer = shutil.which("compute-sanitizer", path=os.pathsep.join(places))
    if sanitizer is None:
        pytest.skip("compute-sanitizer is neither in PATH nor in CUDA_HOME")
    # Every allocation of torch is the driver's own, so that the end of each is watched. What torch asks the driver for
    # and does without is not reported.
    command = [
        sanitizer,
        "--tool",
        tool,
        "--error-exitcode",
        "9",
        "--report-api-errors",
        "no",
        sys.executable,
        __file__,
    ]
    environment = os.environ | {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    if "Device not supported" in process.stdout:
        pytest.skip("compute-sanitizer does not support this device")
    assert process.returncode == 0, process.stdout + process.stderr


if __name__ == "__main__":
    a_little_of_everything()
