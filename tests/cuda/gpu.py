"""Make memory of a GPU to fill, check it and the memory around it afterwards, and keep streams busy meanwhile."""

import math

import ml_dtypes
import numpy as np
import pytest
from samplers import FLOATS, SAMPLERS

KEY = {"seed": 11, "name": "w"}
DEVICE = "cuda"
GUARD = 0xA5  # every byte of memory before it is filled
SIZES = (0, 1, 31, 33, 127, 128, 129, 2**16 + 1)
ONE_OF_A_DTYPE = [("normal", dtype) for dtype in FLOATS] + [("bits", "uint32"), ("bits", "uint64")]
every_sampler = pytest.mark.parametrize(("distribution", "dtype"), SAMPLERS)
every_dtype = pytest.mark.parametrize("dtype", FLOATS)


@pytest.fixture(scope="module", name="torch")
def torch_with_cuda():
    module = pytest.importorskip("torch")
    if not module.cuda.is_available():
        pytest.skip(f"torch {module.__version__} has no CUDA")
    return module


# ---- memory ----------------------------------------------------------------------------------------------------------


def memory(shape, dtype, device=None):
    """Return a new tensor, filled with bytes that show where it is not written."""
    import torch

    kind = getattr(torch, dtype)
    count = math.prod(shape)
    if count == 0:
        return torch.empty(shape, dtype=kind, device=device or DEVICE)
    raw = torch.full((count * kind.itemsize,), GUARD, dtype=torch.uint8, device=device or DEVICE)
    return raw.view(kind).view(shape)


# How to make views of a shape in larger memory, which `make` allocates.
LAYOUTS = {
    "contiguous": lambda make, shape: make(shape),
    "offset by an element": lambda make, shape: make((math.prod(shape) + 1,))[1:].view(shape),
    "transposed": lambda make, shape: make(shape[::-1]).permute(list(range(len(shape)))[::-1]),
    "every third": lambda make, shape: make((*shape, 3))[..., 1],
    "between other columns": lambda make, shape: make((*shape[:-1], sum(shape[-1:]) + 9))[..., 4:-5],
    "between other rows": lambda make, shape: make((3, *shape))[1],
}


def view(layout, shape, dtype):
    """Return a tensor of a shape with this layout in memory."""
    if not shape and layout == "between other columns":
        layout = "between other rows"
    return LAYOUTS[layout](lambda whole: memory(whole, dtype), tuple(shape))


class Interface:
    """Wrap a tensor such that it has nothing but the CUDA array interface."""

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
    """Wrap a tensor such that it has nothing but DLPack."""

    def __init__(self, tensor):
        self.tensor, self.shape, self.dtype = tensor, tuple(tensor.shape), tensor.dtype

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __dlpack__(self, **options):
        return self.tensor.__dlpack__(**options)


# ---- what is found in it ---------------------------------------------------------------------------------------------


def as_numpy(tensor):
    """Return a copy of a tensor's values, bfloat16 as NumPy knows it."""
    import torch

    tensor = tensor.detach().contiguous().cpu()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def assert_filled(out, expected):
    """Assert that a tensor has the bits of an array, and that the memory around it is unchanged."""
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
    """Assert that arrays have one dtype, one shape and equal bits."""
    assert type(found) is type(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert found.tobytes() == expected.tobytes()


# ---- streams ---------------------------------------------------------------------------------------------------------


def keep_busy(torch):
    """Keep the current stream busy for about half a second; what is queued now runs afterwards."""
    torch.cuda._sleep(10**9)


def warm_up(torch, fill, out):
    """Load every kernel beforehand, since the driver may wait for the device when it loads one."""
    torch.cuda._sleep(1)
    out.fill_(7)
    fill()
    out.clone()
    torch.cuda.synchronize()


@pytest.fixture(name="stream", params=["a stream of its own", "the legacy default stream"])
def own_or_default_stream(request, torch):
    return torch.cuda.Stream() if request.param == "a stream of its own" else torch.cuda.default_stream()
