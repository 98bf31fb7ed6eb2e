"""Arrays of others to write into: NumPy's, or any on the CPU that speaks DLPack."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _dtypes, cuda
from ._index import as_shape
from ._types import Device, Index, Out, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HOSTS = (1, 3)  # DLPack's kDLCPU and kDLCUDAHost, pinned memory
_GPUS = (2, 13)  # kDLCUDA and kDLCUDAManaged
_IMMUTABLE = {"jax": "JAX", "jaxlib": "JAX", "tensorflow": "TensorFlow"}


def require_cpu(device: Device) -> None:
    """Refuse to compute anywhere but on the CPU."""
    kind = str(device).partition(":")[0]
    if kind == "cuda":
        raise RuntimeError(f"device={str(device)!r} is not available: {cuda.status().reason}")
    if kind != "cpu":
        raise ValueError(f"device must be None, 'cpu' or 'cuda', got {device!r}")


def require_array(out: Out) -> None:
    """TypeError unless `out` is a kind of array that can be written to."""
    if isinstance(out, np.ndarray):
        return
    library = _IMMUTABLE.get(type(out).__module__.partition(".")[0])
    if library:
        raise TypeError(f"out must be writable, and {library} arrays are immutable: use the returned array instead")
    if not hasattr(out, "__dlpack__"):
        if hasattr(out, "__cuda_array_interface__"):
            raise RuntimeError(f"out is on a GPU: {cuda.status().reason}")
        raise TypeError(f"out must be a NumPy array or support DLPack (a torch tensor does), got {type(out).__name__}")


def global_shape(shape: Shape | None, index: Index, out: Out) -> Shape:
    """The shape of the whole tensor, of which `index` selects a part and `out` may hold it."""
    if out is not None:
        require_array(out)
    if shape is not None:
        return shape
    if out is None:
        raise TypeError("shape is needed unless out is given")
    if index is not None:
        raise ValueError("shape is needed with index: it is the whole tensor's, and out has the shape of the part")
    return out.shape if isinstance(out, np.ndarray) else as_shape(out.shape)


def dtype(out: Out) -> Any:
    """The dtype to draw for `out`; its byte order is the writer's to judge."""
    return out.dtype.newbyteorder("=") if isinstance(out, np.ndarray) else out.dtype


def writable(out: Out) -> Any:
    """`out` as the core takes it: an ndarray, or a DLPack capsule that shares its memory."""
    if isinstance(out, np.ndarray):
        return out
    try:
        _require_host(int(out.__dlpack_device__()[0]))
        return _capsule(_plain(out) if _is_torch(out) else out)
    except (BufferError, ValueError) as error:  # read-only, sparse, without memory, …: the owner says why
        raise ValueError(f"out cannot be written to in place: {error}") from error


def as_ndarray(out: Out) -> NDArray[Any]:
    """`out` as an array that shares its memory."""
    if isinstance(out, np.ndarray):
        return out
    writable(out)  # says why where it cannot be written
    if not _is_torch(out):
        return np.from_dlpack(out)
    tensor = _plain(out)
    if str(tensor.dtype) != "torch.bfloat16":
        return tensor.numpy()  # type: ignore[no-any-return]
    words = tensor.view(sys.modules["torch"].uint16).numpy()
    return words.view(_dtypes.native(_dtypes.code("bfloat16", _dtypes.FLOATS)))  # type: ignore[no-any-return]


def written(out: Out) -> None:
    """Tell the owner of `out` that its values changed."""
    if _is_torch(out) and not out.is_inference():
        sys.modules["torch"].autograd.graph.increment_version(out)


def _require_host(device: int) -> None:
    if device in _GPUS:
        raise RuntimeError(f"out is on a GPU: {cuda.status().reason}")
    if device not in _HOSTS:
        raise RuntimeError(f"out must be in CPU memory, got DLPack device type {device}")


def _plain(tensor: Any) -> Any:
    """A torch tensor without its gradient; BufferError where its memory does not hold its values."""
    if type(tensor).__torch_dispatch__ is not sys.modules["torch"].Tensor.__torch_dispatch__:
        raise BufferError(f"a {type(tensor).__name__} only stands for other tensors")
    if tensor.is_neg():
        raise BufferError("its values are negated when they are read")
    return tensor.detach()


def _capsule(exporter: Any) -> Any:
    try:
        return exporter.__dlpack__(max_version=(1, 1), copy=False)
    except TypeError:  # a producer from before DLPack 1.0
        return exporter.__dlpack__()


def _is_torch(out: Out) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(out, torch.Tensor)
