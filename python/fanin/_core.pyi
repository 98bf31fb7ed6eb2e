"""The native module: docs of the public functions built on it are in `fanin`."""

import enum
from collections.abc import Callable
from typing import Any, Self, TypeAlias, TypedDict, final, type_check_only

import numpy as np
from numpy.typing import NDArray

__version__: str

class Dtype(enum.Enum):
    float32 = 0
    float64 = 1
    float16 = 2
    bfloat16 = 3
    uint32 = 4
    uint64 = 5

# Memory that is not NumPy's: the CPU's, or a GPU's, where it is filled in a stream.
class Memory:
    def __init__(
        self,
        address: int,
        dtype: Dtype,
        shape: Any,
        strides: Any,
        device: int | None = None,
        stream: int = 0,
        wait: bool = False,
        owner: Any = None,
    ) -> None: ...
    @staticmethod
    def from_dlpack(capsule: Any, on_gpu: bool) -> Memory: ...
    def __eq__(self, other: object, /) -> bool: ...
    @property
    def address(self) -> int: ...
    @property
    def dtype(self) -> Dtype: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def device(self) -> int | None: ...
    @property
    def stream(self) -> int: ...
    @property
    def wait(self) -> bool: ...
    @property
    def owner(self) -> Any: ...

# The GPU that draws an array of the CPU; -1 for the current one.
class Gpu:
    def __init__(self, number: int) -> None: ...
    @property
    def number(self) -> int: ...

_Out: TypeAlias = NDArray[Any] | Memory | Gpu | None

# seed: an int in [0, 2^64). shape: the global tensor's. box: None, or for every axis an int or (start, step, count).
# out: an ndarray or Memory to fill; or None for a new ndarray, or a Gpu that draws it.
def bits(seed: Any, name: Any, dtype: Dtype, shape: Any, box: Any, out: _Out, /) -> Any: ...
def uniform(
    low: float,
    high: float,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def normal(
    mean: float,
    std: float,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def truncated_normal(
    mean: float,
    std: float,
    low: float,
    high: float,
    in_std: bool,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def constant(value: float, dtype: Dtype, shape: Any, box: Any, out: _Out, /) -> Any: ...
def orthogonal(
    gain: float,
    layout: str,
    blocks: Any,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def haar(gain: float, special: bool, seed: Any, name: Any, dtype: Dtype, shape: Any, box: Any, out: _Out, /) -> Any: ...
def delta_orthogonal(
    gain: float,
    layout: str,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def sparse(
    std: float,
    nonzeros: int,
    per_output: bool,
    layout: str,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def dirac(
    gain: float,
    groups: int,
    layout: str,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def broadcast(
    values: NDArray[np.float64],
    axis: int,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def sinusoid(
    turns_high: NDArray[np.float64],
    turns_low: NDArray[np.float64],
    interleaved: bool,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def step_bias(
    low: float,
    high: float,
    floor: float,
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
    /,
) -> Any: ...
def permutation(seed: Any, name: Any, dtype: Dtype, shape: Any, box: Any, out: _Out, /) -> Any: ...

# A step is its name, operands, numbers, stream, and axes or None.
def expression(
    steps: tuple[tuple[str, tuple[int, ...], tuple[float, ...], str, tuple[int, ...] | None], ...],
    seed: Any,
    name: Any,
    dtype: Dtype,
    shape: Any,
    box: Any,
    out: _Out,
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
def overlaps(shape: Any, strides: Any, itemsize: int, /) -> bool: ...
def has_gpu_kernel(function: str, /) -> bool: ...
def set_cuda_backend(backend: Any, /) -> None: ...

# A public function. Python's own float arithmetic inside it rounds to nearest and keeps subnormals. After a TypeError
# it calls explain(self, args, kwargs), which raises an error that helps where these do not fit the parameters. A
# docstring or signature may be set to a function, which makes it when it is first asked for.
@final
class Entry:
    __doc__: Any
    __signature__: Any
    def __new__(
        cls, function: Callable[..., Any], explain: Callable[[Entry, tuple[Any, ...], dict[str, Any]], object]
    ) -> Self: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __get__(self, instance: object, owner: type | None = None, /) -> Any: ...
    def __reduce__(self) -> str: ...
