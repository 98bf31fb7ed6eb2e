"""Find the memory of the caller's array to write into: NumPy's, torch's, or any that has DLPack.

On a GPU the CUDA array interface serves too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from .._core import Dtype, Memory
from ..text import short
from . import dtypes, gpu
from .types import Device, Index, Out, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOSTS = (1, 3)  # DLPack's kDLCPU and kDLCUDAHost, pinned memory
_IMMUTABLE = {"jax": "JAX", "jaxlib": "JAX", "tensorflow": "TensorFlow"}


def require_array(out: Out) -> None:
    """Raise TypeError unless `out` is a kind of array that can be written to."""
    if isinstance(out, np.ndarray):
        return
    library = _IMMUTABLE.get(type(out).__module__.partition(".")[0])
    if library:
        raise TypeError(f"out must be writable, and {library} arrays are immutable: use the returned array instead")
    if not (hasattr(out, "__dlpack__") or hasattr(out, "__cuda_array_interface__")):
        raise TypeError(f"out must be a NumPy array or support DLPack (a torch tensor does), got {short(out)}")


def global_shape(shape: Shape | None, index: Index, out: Out) -> Shape:
    """Return the shape of the whole tensor: `shape`, or else that of `out`, which then holds all of it.

    Raise TypeError if neither is given, and ValueError if `index` selects a part and only `out` is.
    """
    if out is not None:
        require_array(out)
    if shape is not None:
        return shape
    if out is None:
        raise TypeError("shape is needed unless out is given")
    if index is not None:
        raise ValueError("shape is needed with index: it is the whole tensor's, and out has the shape of the part")
    return out.shape if isinstance(out, np.ndarray) else _said(out, "shape", "shape")  # type: ignore[no-any-return]


def dtype(out: Out) -> Any:
    """Return the dtype to draw for `out`, in native byte order; whoever writes to `out` judges the order it has."""
    if isinstance(out, np.ndarray):
        return out.dtype.newbyteorder("=")
    found = _said(out, "dtype", "typestr")
    return np.dtype(found).newbyteorder("=") if isinstance(found, str) else found


def writable(out: Out, device: Device = None) -> NDArray[Any] | Memory:
    """Return `out` as the core takes it: an ndarray itself, or the memory of any other array.

    Raise ValueError if `out` cannot be written to, or is not on `device` where one is named.
    """
    if isinstance(out, np.ndarray):
        target: NDArray[Any] | Memory = out
    else:
        try:
            target = _of_others(out)
        except (
            BufferError,
            ValueError,
        ) as error:  # read-only, sparse, without memory, …: the message of its owner says why
            raise ValueError(f"out cannot be written to in place: {error}") from error
    if device is not None:
        _require_there(target, device)
    return target


def memory(out: Out) -> tuple[str, NDArray[Any]]:
    """Return the device that `out` is on, and an ndarray with the same addresses.

    The ndarray must not be read or written where the device is a GPU.
    """
    target = writable(out)
    if is_gpus(target):
        return f"cuda:{target.device}", gpu.addresses(target)
    return "cpu", as_ndarray(out)


def is_gpus(target: NDArray[Any] | Memory) -> TypeGuard[Memory]:
    """Tell whether what `writable` returned is memory of a GPU."""
    return isinstance(target, Memory) and target.device is not None


def as_ndarray(out: Out) -> NDArray[Any]:
    """Return `out`, which is on the CPU, as an ndarray that shares its memory."""
    if isinstance(out, np.ndarray):
        return out
    if not is_torch(out):
        return np.from_dlpack(out)
    tensor = out.detach()
    if str(tensor.dtype) != "torch.bfloat16":
        return tensor.numpy()  # type: ignore[no-any-return]
    words = tensor.view(sys.modules["torch"].uint16).numpy()
    return words.view(dtypes.native(Dtype.bfloat16))  # type: ignore[no-any-return]


def written(out: Out) -> None:
    """Tell torch's autograd that the values of `out` changed, if it is torch's."""
    if is_torch(out) and not out.is_inference():
        sys.modules["torch"].autograd.graph.increment_version(out)


def copy(values: NDArray[Any], out: Out) -> None:
    """Copy an array into a torch tensor, on whatever device that is."""
    words = values.view(f"i{values.itemsize}")  # NumPy's bfloat16 is unknown to torch
    torch = sys.modules["torch"]
    out.detach().view(getattr(torch, f"int{8 * values.itemsize}")).copy_(torch.from_numpy(words))
    written(out)


def _of_others(out: Out) -> Memory:
    if is_torch(out):
        _require_plain(out)
        return _of_torch(out) if out.is_cpu or out.is_cuda else _of_host(out.detach())
    if not gpu.is_on_gpu(out):
        return _of_host(out)
    return gpu.of_dlpack(out) if gpu.interface(out) is None else gpu.of_interface(out)


def _of_host(out: Out) -> Memory:
    device = int(out.__dlpack_device__()[0])
    if device not in _HOSTS:
        raise RuntimeError(f"out must be in CPU memory or a GPU's, got DLPack device type {device}")
    try:
        capsule = out.__dlpack__(max_version=(1, 1), copy=False)
    except TypeError:  # a producer from before DLPack 1.0
        capsule = out.__dlpack__()
    return Memory.from_dlpack(capsule, on_gpu=False)


def _require_there(target: NDArray[Any] | Memory, device: Device) -> None:
    number = gpu.number(device)
    place = f"cuda:{target.device}" if is_gpus(target) else "cpu"
    wanted = "cpu" if number is None else str(device)
    if wanted not in (place, place.partition(":")[0]):  # "cuda" is any of them
        raise ValueError(f"out must be on device {str(device)!r}, got an array on {place!r}")


def _said(out: Out, name: str, entry: str) -> Any:
    """Return an attribute of an array, or else the entry of its CUDA array interface that says the same."""
    return getattr(out, name) if hasattr(out, name) else (gpu.interface(out) or {})[entry]


def _require_plain(tensor: Any) -> None:
    """Raise BufferError where the memory of a torch tensor does not hold its values."""
    torch = sys.modules["torch"]
    if type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        raise BufferError(f"a {type(tensor).__name__} only stands for other tensors")
    if tensor.is_neg():
        raise BufferError("its values are negated when they are read")
    if tensor.layout != torch.strided:
        raise BufferError(f"its layout is {tensor.layout}, not torch.strided")


def _of_torch(tensor: Any) -> Memory:
    """Return the memory of a plain tensor, ten times as fast as by DLPack, with torch's current stream on a GPU."""
    size = tensor.element_size()
    strides = tuple([size * stride for stride in tensor.stride()])
    dtype = dtypes.find(tensor.dtype, dtypes.ANY)
    if tensor.is_cpu:
        return Memory(tensor.data_ptr(), dtype, tensor.shape, strides)
    gpu.load()
    device = tensor.get_device()
    return Memory(tensor.data_ptr(), dtype, tensor.shape, strides, device, gpu.current_stream(device))


def is_torch(out: Out) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(out, torch.Tensor)
