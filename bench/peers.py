"""Call the samplers of other libraries, into a given buffer if their interface can do that."""
# ruff: noqa: PLC0415 - a peer is imported where it is used: none is required

from __future__ import annotations

import ctypes
import importlib.metadata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .timing import Call

# What a sampler is asked for: float32 on [0, 1), N(0, 1), N(0, 1) as bfloat16, and N(0, 1) within two std;
# and the exponential of rate 1.
# A maker takes the buffer (float32, or uint16 for bfloat16) and returns a call that fills it.
Maker = Callable[[NDArray[Any]], Call]
Samplers = Mapping[str, Maker]


def _numpy(bit_generator: Any) -> Samplers:
    generator = np.random.Generator(bit_generator)
    return {
        "uniform": lambda buffer: partial(generator.random, dtype=np.float32, out=buffer),
        "normal": lambda buffer: partial(generator.standard_normal, dtype=np.float32, out=buffer),
    }


def _randomgen() -> Samplers:
    import randomgen  # type: ignore[import-untyped]

    return _numpy(randomgen.Philox(0, number=4, width=32))


def _torch() -> Samplers:
    import torch

    def tensor(buffer: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(buffer).view(torch.bfloat16) if buffer.dtype == np.uint16 else torch.from_numpy(buffer)

    def normal(buffer: NDArray[Any]) -> Call:
        return partial(tensor(buffer).normal_, 0.0, 1.0)

    return {
        "uniform": lambda buffer: partial(tensor(buffer).uniform_, 0.0, 1.0),
        "normal": normal,
        "normal bf16": normal,
        "exponential": lambda buffer: partial(tensor(buffer).exponential_, 1.0),
        "truncated normal": lambda buffer: partial(torch.nn.init.trunc_normal_, tensor(buffer), 0.0, 1.0, -2.0, 2.0),
    }


def _jax() -> Samplers:
    import jax

    jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
    key = jax.random.key(0)

    def maker(sample: Callable[..., Any], dtype: Any) -> Maker:
        # JAX cannot write into a caller's memory; instead the previous result is donated, so that its memory is reused.
        def make(buffer: NDArray[Any]) -> Call:
            draw = partial(sample, shape=buffer.shape, dtype=dtype)
            fill = jax.jit(lambda key, _: draw(key), donate_argnums=1, keep_unused=True)
            result = jax.numpy.zeros(buffer.shape, dtype)

            def call() -> None:
                nonlocal result
                result = fill(key, result).block_until_ready()

            return call

        return make

    return {
        "uniform": maker(jax.random.uniform, np.float32),
        "normal": maker(jax.random.normal, np.float32),
        "normal bf16": maker(jax.random.normal, jax.numpy.bfloat16),
        "truncated normal": maker(partial(jax.random.truncated_normal, lower=-2.0, upper=2.0), np.float32),
    }


def _onemkl(generator: int) -> Samplers:
    """Return samplers of Intel oneMKL, which inverts the distribution function for normals: its fastest method."""
    try:
        files = importlib.metadata.files("mkl") or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ImportError("mkl is not installed") from error
    library = ctypes.CDLL(str(next(file for file in files if file.name.startswith("libmkl_rt.so")).locate()))
    library.MKL_Set_Threading_Layer(1)  # sequential
    stream = ctypes.c_void_p()
    if library.vslNewStream(ctypes.byref(stream), generator << 20, 1):
        raise RuntimeError(f"oneMKL refused generator {generator}")

    def maker(function: Any, method: int) -> Maker:
        def make(buffer: NDArray[Any]) -> Call:
            arguments = (stream, ctypes.c_int(buffer.size), ctypes.c_void_p(buffer.ctypes.data))
            call = partial(function, method, *arguments, ctypes.c_float(0), ctypes.c_float(1))
            if call():
                raise RuntimeError("oneMKL reported an error")
            return call

        return make

    return {"uniform": maker(library.vsRngUniform, 0), "normal": maker(library.vsRngGaussian, 2)}


_ONEMKL_GENERATORS = {"SFMT": 13, "ARS5": 15, "Philox": 16}

_PEERS: dict[str, Callable[[], Samplers]] = {
    "numpy PCG64": lambda: _numpy(np.random.PCG64(0)),
    "numpy SFC64": lambda: _numpy(np.random.SFC64(0)),
    "numpy Philox": lambda: _numpy(np.random.Philox(0)),
    "randomgen Philox4x32": _randomgen,
    "torch": _torch,
    "JAX": _jax,
    **{f"oneMKL {name}": partial(_onemkl, number) for name, number in _ONEMKL_GENERATORS.items()},
}
NUMPY = ("numpy PCG64", "numpy SFC64", "numpy Philox")
ONEMKL = tuple(f"oneMKL {name}" for name in _ONEMKL_GENERATORS)

_loaded: dict[str, Samplers | None] = {}


def sampler(peer: str, what: str) -> Maker | None:
    """Return the peer's maker for what is sampled; None if the peer is not installed."""
    if peer not in _loaded:
        try:
            _loaded[peer] = _PEERS[peer]()
        except ImportError:
            _loaded[peer] = None
    samplers = _loaded[peer]
    return None if samplers is None else samplers[what]


def set_num_threads(count: int) -> None:
    """Set the number of threads of all peers that use several; JAX takes as many as the CPUs that it may use."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(count)
