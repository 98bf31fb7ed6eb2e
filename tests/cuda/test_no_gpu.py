"""Where a GPU is asked for and cannot be used, the error says why; what is known of its arrays needs none."""

import contextlib
import os
import re
import sys

import ml_dtypes
import numpy as np
import pytest
from capsules import Capsule, Exporter
from scheme_cases import CASES

import fanin
from fanin import cuda
from fanin._core import Dtype, Memory
from fanin.arrays import gpu, target
from fanin.plans.filling import has_kernel

KEY = {"seed": 11, "name": "w"}
FOUND = {"runtime": 13000, "driver": 12040, "architectures": "75-real 90", "current": 0, "error": None, "devices": []}


class Interface:
    """An array known by its CUDA array interface alone."""

    def __init__(self, **changes):
        self.__cuda_array_interface__ = {
            "shape": (3, 4),
            "typestr": "<f4",
            "data": (0, False),
            "version": 3,
        } | changes


@pytest.fixture
def without_a_gpu(monkeypatch):
    """A machine, or a build, on which nothing is to be had."""
    monkeypatch.setattr(cuda._Loaded, "devices", 0)
    monkeypatch.setattr(cuda, "status", lambda: cuda.Status(False, "there is no CUDA here"))


@pytest.fixture
def two_gpus(monkeypatch):
    """Pretend that there are GPUs, which is enough for what happens before memory is touched."""
    monkeypatch.setattr(cuda._Loaded, "devices", 2)
    monkeypatch.setattr(cuda._Loaded, "process", os.getpid())
    monkeypatch.setattr(cuda, "current", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(cuda, "device_of", lambda address: 1)


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_device_that_cannot_be_used(without_a_gpu, device):
    for draw in (fanin.normal, fanin.schemes.normal(), fanin.schemes.embedding(padding=0)):
        with pytest.raises(RuntimeError, match=f"device='{device}' is not available: there is no CUDA here"):
            draw((2, 2), device=device, **KEY)


@pytest.mark.parametrize("out", [Exporter(np.zeros(3, np.float32), (2, 0)), Interface()], ids=["DLPack", "interface"])
def test_an_array_on_a_gpu_that_cannot_be_used(without_a_gpu, out):
    with pytest.raises(RuntimeError, match="out is on a GPU: there is no CUDA here"):
        fanin.normal(out=out, **KEY)


def test_a_device_beyond_the_last(two_gpus, monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # whose current device is "cuda", once it has used one
    assert [gpu.number(device) for device in (None, "cpu", "cuda", "cuda:0", "cuda:1")] == [None, None, -1, 0, 1]
    with pytest.raises(ValueError, match="device must be one of 2 GPUs, from 'cuda:0' on, got 'cuda:2'"):
        fanin.normal(3, device="cuda:2", **KEY)


def test_out_is_where_device_says(two_gpus):
    with pytest.raises(ValueError, match="out must be on device 'cuda', got an array on 'cpu'"):
        fanin.normal(out=np.zeros(3, np.float32), device="cuda", **KEY)
    with pytest.raises(ValueError, match="out must be on device 'cpu', got an array on 'cuda:0'"):
        fanin.normal(out=Interface(), device="cpu", **KEY)
    with pytest.raises(ValueError, match="out must be on device 'cuda:1', got an array on 'cuda:0'"):
        fanin.normal(out=Interface(), device="cuda:1", **KEY)


# ---- what an interface says ------------------------------------------------------------------------------------------


def test_an_interface_is_read_as_its_definition_has_it(two_gpus):
    assert gpu.of_interface(Interface()) == Memory(0, Dtype.float32, (3, 4), (16, 4), 0, 1)
    strided = Interface(typestr="<f2", strides=(-8, 32), stream=77, data=(64, False))
    assert gpu.of_interface(strided) == Memory(64, Dtype.float16, (3, 4), (-8, 32), 1, 77)
    assert gpu.of_interface(Interface(shape=())).strides == ()
    assert gpu.of_interface(Interface(shape=(0, 5))).shape == (0, 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": (0, True)}, "writable, got a read-only array"),
        ({"mask": Interface()}, "out must not have a mask"),
        ({"stream": 0}, "out must name its stream as 1, 2 or a handle, got 0"),
        ({"typestr": ">f4"}, "out must have native byte order, got >f4"),
        ({"shape": (4, 3)}, r"out must have shape \(3, 4\), got \(4, 3\)"),
        ({"typestr": "<f8"}, "out must have dtype float32, got float64"),
        ({"strides": (8, 4)}, "out must not have elements whose memory overlaps"),
    ],
)
def test_an_interface_that_cannot_be_filled(two_gpus, changes, message):
    with pytest.raises(ValueError, match=message):
        fanin.normal((3, 4), dtype="float32", out=Interface(**changes), **KEY)


def test_bfloat16_is_what_the_array_says(two_gpus):
    out = Interface(typestr="<V2")
    with pytest.raises(TypeError, match="dtype must be one of float32"):
        gpu.of_interface(out)
    out.dtype = np.dtype(ml_dtypes.bfloat16)
    assert gpu.of_interface(out).dtype is Dtype.bfloat16


def test_a_fork_of_a_process_that_uses_cuda(two_gpus, monkeypatch):
    monkeypatch.setattr(cuda._Loaded, "process", os.getpid() + 1)
    with pytest.raises(RuntimeError, match="fork of a process that has used it: start it by spawn"):
        fanin.normal(3, device="cuda", **KEY)


def test_schemes_that_a_gpu_can_draw():
    for scheme, expected in [
        (fanin.schemes.he_normal(layout="OI"), True),
        (fanin.schemes.embedding(padding=0), True),
        (fanin.schemes.orthogonal(layout="OI"), False),
        (fanin.schemes.sparse(layout="OI", sparsity=0.5), False),
        (fanin.schemes.concatenate([fanin.schemes.normal(), fanin.schemes.orthogonal(layout="OI")]), False),
    ]:
        assert has_kernel(scheme, (4, 6), "w") == expected


def test_an_interface_of_another_dtype(two_gpus):
    with pytest.raises(TypeError, match="dtype of out must be one of float32"):
        fanin.normal(out=Interface(typestr="<i4"), **KEY)


def on_gpu(code, bits, device=(2, 1)):
    """An array on GPU 1, known by DLPack alone."""
    return Capsule(4096, (2, 3), (5, 1), kind=(code, bits), device=device, byte_offset=64)


def test_an_array_known_by_dlpack_is_asked_for_the_default_stream(two_gpus):
    kinds = ((2, 32), (2, 64), (2, 16), (4, 16), (1, 32), (1, 64))
    for (code, bits), dtype in zip(kinds, Dtype, strict=True):
        out = on_gpu(code, bits)
        found = gpu.of_dlpack(out)
        # It waits, as DLPack has no word for an owner's waiting for who wrote.
        assert found == Memory(4096 + 64, dtype, (2, 3), (5 * bits // 8, bits // 8), 1, 1, wait=True)
        assert found.owner is not None
        assert out.asked["stream"] == 1
    assert gpu.of_dlpack(on_gpu(2, 32, (13, 0))).device == 1  # managed memory: found by its address
    with pytest.raises(ValueError, match="got another DLPack type"):
        gpu.of_dlpack(on_gpu(0, 32))
    with pytest.raises(ValueError, match="must be in a GPU's memory, got DLPack device type 1"):
        gpu.of_dlpack(on_gpu(2, 32, (1, 0)))


# ---- boxes of an array -----------------------------------------------------------------------------------------------


def test_a_part_of_an_array_has_the_addresses_of_the_slice():
    memory = np.arange(7 * 10, dtype=np.float32).reshape(7, 10)[::-1, 1::2]
    whole = Memory(memory.ctypes.data, Dtype.float32, memory.shape, memory.strides, 0, 1)
    assert (gpu.addresses(whole) == memory).all()
    for place in (np.s_[:, :], np.s_[2:5, 1:], np.s_[6:, ::3], np.s_[3:3, :], np.s_[4], np.s_[4:5, 2, ...]):
        found = gpu.part(whole, gpu.addresses(whole)[place].T)
        assert (gpu.addresses(found) == memory[place].T).all()
        assert (found.dtype, found.device, found.stream) == (whole.dtype, 0, 1)
    scalar = Memory(memory.ctypes.data, Dtype.float32, (), (), 0, 1)
    assert gpu.part(scalar, gpu.addresses(scalar)) == scalar


@pytest.mark.parametrize("case", ["stack", "transpose", "concatenate, groups", "regions", "embedding"])
def test_pieces_are_drawn_at_their_addresses(case, monkeypatch):
    """As into memory of a GPU, but into the CPU's."""
    scheme, shape = CASES[case][0], {"regions": (24, 5), "embedding": (5, 4)}.get(case, (12, 3, 4))
    memory = np.zeros((*shape[::-1], 2), np.float32)[..., 1].T
    monkeypatch.setattr(target, "is_gpus", lambda _: True)
    monkeypatch.setattr(
        target, "writable", lambda out, _: Memory(out.ctypes.data, Dtype.float32, out.shape, out.strides)
    )
    for index in (None, np.s_[::-2, 1:]):
        out = memory if index is None else memory[index]
        out[...] = 0
        scheme(shape, index=index, out=out, **KEY)
        assert (out == scheme(shape, index=index, **KEY)).all()


def test_pieces_are_refused_before_they_are_drawn(two_gpus):
    with pytest.raises(ValueError, match="overlaps"):
        fanin.schemes.embedding(padding=0)((3, 4), out=Interface(strides=(8, 4)), **KEY)


# ---- status ----------------------------------------------------------------------------------------------------------

H200 = ("NVIDIA H200", 9, 0, 1 << 37, 132)


@pytest.mark.parametrize(
    ("changes", "available", "reason"),
    [
        ({"devices": [H200]}, True, "CUDA 13.0, a driver for CUDA 12.4; 0: NVIDIA H200"),
        ({"driver": 0}, False, "built with CUDA 13.0, but NVIDIA's driver .* was not found"),
        ({"error": "no CUDA-capable device is detected"}, False, "cannot be used: no CUDA-capable device"),
        ({}, False, "CUDA found no GPU"),
        ({"devices": [("Tesla V100", 7, 0, 1 << 34, 80)]}, False, r"capabilities \(75-real 90\) than Tesla V100, 7.0"),
        ({"devices": [("A100", 8, 0, 1 << 34, 80)]}, False, "than A100, 8.0"),
        ({"devices": [("B200", 10, 0, 1 << 34, 80)]}, True, "B200"),
        ({"devices": [H200], "architectures": "90a-real"}, True, "H200"),
        ({"devices": [("B200", 10, 0, 1 << 34, 80)], "architectures": "90a"}, False, "than B200"),
        ({"devices": [H200], "architectures": "all-major"}, True, "H200"),
    ],
)
def test_status_says_what_was_found(changes, available, reason):
    status = cuda._judged(FOUND | changes)
    assert status.available == available
    assert re.search(reason, status.reason)
    assert status.toolkit == "13.0"
    assert status.architectures == tuple((FOUND | changes)["architectures"].split())


def test_a_module_that_cannot_be_loaded_is_a_reason(monkeypatch):
    def broken():
        raise ImportError("undefined symbol: cudaLaunchKernelExC")

    monkeypatch.setattr(cuda, "_module", broken)
    assert cuda.status() == cuda.Status(
        False, "fanin's module for CUDA cannot be loaded: undefined symbol: cudaLaunchKernelExC"
    )
