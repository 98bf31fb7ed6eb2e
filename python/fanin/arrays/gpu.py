"""Find the memory of arrays on a GPU, to write into: torch's, and any with DLPack or the CUDA array interface."""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core import Gpu, Memory
from ..text import short
from . import dtypes
from .types import Device, Out

if TYPE_CHECKING:
    from numpy.typing import NDArray

DLPACK_DEVICES = (2, 13)  # kDLCUDA and kDLCUDAManaged
# The legacy default stream, as DLPack and the CUDA array interface number it; every blocking stream waits for it.
_DEFAULT_STREAM = 1


def addresses(memory: Memory) -> NDArray[Any]:
    """Return an ndarray with the same addresses. It must not be read: the CPU cannot reach them."""
    dtype = dtypes.native(memory.dtype)
    words = {
        "version": 3,
        "data": (memory.address, False),
        "shape": memory.shape,
        "strides": memory.strides,
        "typestr": f"<u{dtype.itemsize}",
    }
    return np.asarray(type("Addresses", (), {"__array_interface__": words})()).view(dtype)


def part(memory: Memory, view: NDArray[Any]) -> Memory:
    """Return the part of an array's memory that a view of its `addresses` has."""
    address = view.__array_interface__["data"][0]
    return Memory(
        address, memory.dtype, view.shape, view.strides, memory.device, memory.stream, memory.wait, memory.owner
    )


def number(device: Device) -> int | None:
    """Return the number of the GPU that a device stands for, -1 for the current one, None for the CPU."""
    if device is None:
        return None
    spelled = short(device) if isinstance(device, int) else str(device)
    kind, colon, index = spelled.partition(":")
    if kind == "cpu":
        return None
    if kind != "cuda" or (colon and not index.isdecimal()):
        raise ValueError(f"device must be None, 'cpu', 'cuda' or 'cuda:' and a number, got {short(spelled)}")
    from .. import cuda  # here and below, not at the top: `import fanin` is quicker without it

    try:
        count = cuda.load()
    except RuntimeError as error:
        raise RuntimeError(f"device={str(device)!r} is not available: {error}") from None
    if colon and int(index) >= count:
        raise ValueError(f"device must be one of {count} GPUs, from 'cuda:0' on, got {str(device)!r}")
    if colon:
        return int(index)
    torch = sys.modules.get("torch")
    return torch.cuda.current_device() if torch is not None and torch.cuda.is_initialized() else -1


def drawing(device: Device) -> Gpu | None:
    """Return the GPU that is to draw an array for the CPU's memory, or None where the CPU draws it."""
    found = number(device)
    return None if found is None else Gpu(found)


def interface(out: Out) -> dict[str, Any] | None:
    """Return the CUDA array interface of an array, or None if it has none."""
    return getattr(out, "__cuda_array_interface__", None)


def is_on_gpu(out: Out) -> bool:
    """Tell whether an array, which is not NumPy's, is in a GPU's memory."""
    if hasattr(out, "__dlpack_device__"):
        return int(out.__dlpack_device__()[0]) in DLPACK_DEVICES
    return hasattr(out, "__cuda_array_interface__")


def current_stream(device: int) -> int:
    """Return the handle of torch's current stream on a GPU."""
    torch = sys.modules["torch"]
    try:
        stream: int = torch._C._cuda_getCurrentRawStream(device)  # without an object around it, in a tenth of the time
    except AttributeError:
        stream = torch.cuda.current_stream(device).cuda_stream
    return stream


def of_interface(out: Out) -> Memory:
    """Return the memory of an array with the CUDA array interface, to be filled in the stream that the interface names.

    numba.readthedocs.io, "CUDA Array Interface (Version 3)", defines it.
    """
    from .. import cuda

    load()
    found = interface(out) or {}
    address, read_only = found["data"]
    if read_only:
        raise ValueError("out must be writable, got a read-only array")
    if found.get("mask") is not None:
        raise ValueError("out must not have a mask")
    stream = found.get("stream")
    if stream == 0:
        raise ValueError(
            "out must name its stream as 1, 2 or a handle, got 0, which its CUDA array interface rules out"
        )
    dtype, shape = np.dtype(found["typestr"]), tuple(map(operator.index, found["shape"]))
    if dtype.kind == "V" and hasattr(out, "dtype"):  # bfloat16 has no typestr of its own
        dtype = np.dtype(out.dtype)
    if not dtype.isnative:
        raise ValueError(f"out must have native byte order, got {dtype.str}")
    strides = found.get("strides")
    if strides is None:
        strides = tuple(int(n) for n in dtype.itemsize * np.cumprod((1, *shape[:0:-1]), dtype=np.int64))[::-1]
        strides = strides[: len(shape)]
    if address:
        device = cuda.device_of(address)
    else:
        device = int(out.__dlpack_device__()[1]) if hasattr(out, "__dlpack_device__") else 0
    handle = _DEFAULT_STREAM if stream is None else operator.index(stream)
    return Memory(address, dtypes.find(dtype, dtypes.ANY), shape, strides, device, handle)


def of_dlpack(out: Out) -> Memory:
    """Return the memory of an array with DLPack, to be filled in the legacy default stream.

    That stream waits for the work that the array's owner has queued. The call then waits for the stream: DLPack defines
    how a reader waits for the owner, but not how the owner waits for a writer.
    """
    from .. import cuda

    load()
    with cuda.current(int(out.__dlpack_device__()[1])):  # torch exports from the current device alone
        try:
            capsule = out.__dlpack__(stream=_DEFAULT_STREAM, max_version=(1, 1), copy=False)
        except TypeError:  # a producer from before DLPack 1.0
            capsule = out.__dlpack__(stream=_DEFAULT_STREAM)
    found = Memory.from_dlpack(capsule, on_gpu=True)
    device = found.device
    if device is None or device < 0:
        device = cuda.device_of(found.address) if found.address else 0
    return Memory(found.address, found.dtype, found.shape, found.strides, device, _DEFAULT_STREAM, True, capsule)


def load() -> None:
    """Make GPUs usable, or raise RuntimeError that says why `out` cannot be written there."""
    from .. import cuda

    try:
        cuda.load()
    except RuntimeError as error:
        raise RuntimeError(f"out is on a GPU: {error}") from None
