"""On a GPU: arrays of torch, CuPy and whoever else speaks DLPack or the CUDA array interface."""

import math

import numpy as np
import pytest
from gpu import (
    DEVICE,
    GUARD,
    KEY,
    LAYOUTS,
    Exporter,
    Interface,
    as_numpy,
    assert_filled,
    assert_same_bits,
    every_dtype,
    keep_busy,
    memory,
    own_or_default_stream,  # noqa: F401
    torch_with_cuda,  # noqa: F401
    view,
    warm_up,
)
from samplers import sample

import fanin
from fanin import schemes
from fanin.recipes import Recipe, Rule

pytestmark = pytest.mark.gpu


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
    schemes.embedding(padding=2)(out=parameter, **KEY)
    assert parameter._version > version + 1
    assert_filled(parameter, schemes.embedding(padding=2)((8, 16), dtype=dtype, **KEY))


def test_autograd_notices_a_fill(torch):
    parameter = torch.nn.Parameter(torch.ones(4, device=DEVICE))
    loss = (parameter**2).sum()
    fanin.normal(out=parameter, **KEY)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_module_is_drawn_in_place_and_what_has_no_kernel_is_copied(torch):
    module = torch.nn.Sequential(
        torch.nn.Linear(8, 16, device=DEVICE),
        torch.nn.Embedding(9, 16, padding_idx=3, device=DEVICE, dtype=torch.float16),
        torch.nn.Linear(16, 24, device=DEVICE, dtype=torch.bfloat16),
    )
    before = {name: (parameter.data_ptr(), parameter._version) for name, parameter in module.named_parameters()}
    rules = [
        Rule("*.bias", schemes.zeros()),
        Rule("1.weight", schemes.embedding(padding=3)),
        Rule("2.weight", schemes.orthogonal(layout="OI")),
        Rule("*", schemes.he_normal(layout="OI")),
    ]
    plan = fanin.torch.init_(module, Recipe("mixed", rules), seed=7)
    for name, parameter in module.named_parameters():
        assert_same_bits(as_numpy(parameter), plan[name])
        address, version = before[name]
        assert parameter.data_ptr() == address
        assert parameter._version > version


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


# ---- the CUDA array interface ----------------------------------------------------------------------------------------


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


# ---- other libraries -------------------------------------------------------------------------------------------------


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
def test_arrays_of_cupy_are_filled_on_its_stream(dtype):
    cupy = pytest.importorskip("cupy")
    with cupy.cuda.Stream(non_blocking=True) as stream:
        whole = cupy.zeros((60, 41), dtype)
        out = whole[::2, ::-1].T
        assert fanin.normal(out=out, **KEY) is out
        found = cupy.asnumpy(whole)
        stream.synchronize()
    assert_same_bits(np.ascontiguousarray(found[::2, ::-1].T), fanin.normal((41, 30), dtype=dtype, **KEY))
    assert not found[1::2].any()


def test_arrays_of_jax_are_refused():
    jax = pytest.importorskip("jax")
    if jax.default_backend() != "gpu":
        pytest.skip("JAX has no GPU")
    array = jax.numpy.zeros((3, 4))
    with pytest.raises(TypeError, match="JAX arrays are immutable"):
        fanin.normal(out=array, **KEY)
    assert not np.asarray(array).any()
