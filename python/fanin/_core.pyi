"""The native module: docs of the public functions built on it are in `fanin`."""

from typing import Any, TypedDict, type_check_only

import numpy as np
from numpy.typing import NDArray

__version__: str

# seed: an int in [0, 2^64). dtype: 0 float32, 1 float64, 2 float16, 3 bfloat16, 4 uint32, 5 uint64. shape: the global
# tensor's. box: None, or for every axis an int or (start, step, count). out: an ndarray, a DLPack capsule or a
# GpuArray; or None, or the number of a GPU that draws, for a new ndarray.
def bits(seed: Any, name: Any, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def uniform(low: float, high: float, seed: Any, name: Any, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def normal(mean: float, std: float, seed: Any, name: Any, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def truncated_normal(
    mean: float,
    std: float,
    low: float,
    high: float,
    in_std: bool,
    seed: Any,
    name: Any,
    dtype: int,
    shape: Any,
    box: Any,
    out: Any,
    /,
) -> Any: ...
def constant(value: float, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def orthogonal(
    gain: float,
    out_first: bool,
    blocks: Any,
    seed: Any,
    name: Any,
    dtype: int,
    shape: Any,
    box: Any,
    out: Any,
    /,
) -> Any: ...
def haar(gain: float, seed: Any, name: Any, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def delta_orthogonal(
    gain: float, out_first: bool, seed: Any, name: Any, dtype: int, shape: Any, box: Any, out: Any, /
) -> Any: ...
def sparse(
    std: float,
    nonzeros: int,
    per_output: bool,
    out_first: bool,
    seed: Any,
    name: Any,
    dtype: int,
    shape: Any,
    box: Any,
    out: Any,
    /,
) -> Any: ...
def dirac(gain: float, groups: int, out_first: bool, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def broadcast(values: NDArray[np.float64], axis: int, dtype: int, shape: Any, box: Any, out: Any, /) -> Any: ...
def sinusoid(
    turns_high: NDArray[np.float64],
    turns_low: NDArray[np.float64],
    interleaved: bool,
    dtype: int,
    shape: Any,
    box: Any,
    out: Any,
    /,
) -> Any: ...
def step_bias(
    low: float,
    high: float,
    floor: float,
    seed: Any,
    name: Any,
    dtype: int,
    shape: Any,
    box: Any,
    out: Any,
    /,
) -> Any: ...
def statistics(array: NDArray[Any], /) -> _Statistics: ...
def stream_id(name: Any, tag: int, /) -> int: ...
def truncated_std(c: float, /) -> float: ...
def set_num_threads(n: int | None, /) -> None: ...
def get_num_threads() -> int: ...
def swap_thread_limit(n: int, /) -> int: ...

@type_check_only
class _Statistics(TypedDict):
    count: int
    finite: int
    nan: int
    infinite: int
    zeros: int
    mean: float
    std: float
    minimum: float
    maximum: float
    hash: int

@type_check_only
class _BuildInfo(TypedDict):
    compiled_isas: list[str]
    available_isas: list[str]
    active_isa: str
    openmp: bool
    threading: str
    compiler: str

def build_info() -> _BuildInfo: ...
def dlpack_view(capsule: Any, /) -> tuple[int, int, tuple[int, ...], tuple[int, ...], int]: ...
def set_cuda_backend(backend: Any, /) -> None: ...

class Ieee754:
    def __init__(self) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *args: object) -> None: ...
