"""What this build and this machine can do on a GPU."""

from __future__ import annotations

import importlib
import os
import re
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from . import _core

_DRIVER = "NVIDIA's driver (libcuda.so.1 on Linux, nvcuda.dll on Windows)"


class Device(NamedTuple):
    """A GPU."""

    name: str
    capability: tuple[int, int]
    memory: int  # bytes
    multiprocessors: int


class Status(NamedTuple):
    """Whether CUDA can be used, and if not, why; then what was built and found."""

    available: bool
    reason: str
    toolkit: str | None = None  # the version that fanin was built with
    architectures: tuple[str, ...] = ()  # compiled, as CMake spells them
    driver: str | None = None  # the newest version of CUDA that the driver knows
    devices: tuple[Device, ...] = ()


def status() -> Status:
    """Whether this build and this machine can compute with CUDA, and with what; never raises.

    Examples
    --------
    >>> available, reason = status()[:2]
    >>> available or "CUDA" in reason
    True
    """
    try:
        return _judged(_module().status())
    except ModuleNotFoundError:
        return Status(
            False,
            "fanin was built without CUDA; it computes on the CPU. With CUDA's toolkit, "
            "`pip install . -C cmake.define.FANIN_CUDA=ON` builds it",
        )
    except Exception as error:  # a module that cannot be loaded
        return Status(False, f"fanin's module for CUDA cannot be loaded: {error}")


def _judged(found: dict[str, Any]) -> Status:
    """A status from what the module found."""
    devices = tuple(
        Device(name, (major, minor), memory, units) for name, major, minor, memory, units in found["devices"]
    )
    architectures = tuple(found["architectures"].split())
    toolkit, driver = _version(found["runtime"]), _version(found["driver"])
    usable = any(_serves(name, device.capability) for name in architectures for device in devices)
    if driver is None:
        reason = f"fanin was built with CUDA {toolkit}, but {_DRIVER} was not found"
    elif found["error"]:
        reason = f"CUDA cannot be used: {found['error']} (CUDA {toolkit}, a driver for CUDA {driver})"
    elif not devices:
        reason = f"CUDA found no GPU (CUDA {toolkit}, a driver for CUDA {driver})"
    elif not usable:
        names = ", ".join(f"{device.name}, {device.capability[0]}.{device.capability[1]}" for device in devices)
        reason = f"fanin was built with CUDA for other compute capabilities ({' '.join(architectures)}) than {names}"
    else:
        listed = ", ".join(f"{number}: {device.name}" for number, device in enumerate(devices))
        reason = f"CUDA {toolkit}, a driver for CUDA {driver}; {listed}"
    return Status(usable and not found["error"] and driver is not None, reason, toolkit, architectures, driver, devices)


def _serves(architecture: str, capability: tuple[int, int]) -> bool:
    """Whether code for an architecture runs on a device: machine code on its generation, PTX on what came later."""
    match = re.match(r"(\d+)(\d)(a?)", architecture)
    if match is None:  # a name, such as "all"
        return True
    built = int(match[1]), int(match[2])
    if match[3]:
        return built == capability
    same_generation = built[0] == capability[0] and built <= capability
    return same_generation or (not architecture.endswith("-real") and built <= capability)


def _version(number: int) -> str | None:
    """CUDA's numbers are 1000 times the major version and 10 times the minor."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else None


def _module() -> Any:
    return importlib.import_module("fanin._cuda")


class _Loaded:
    """The number of GPUs, once the module's fills are in the core's hands; they are never taken back."""

    devices = 0
    process = 0


def load() -> int:
    """Make GPUs usable by the native module, and count them; RuntimeError says why where there is none."""
    if _Loaded.devices and _Loaded.process != os.getpid():
        raise RuntimeError("CUDA cannot be used in a fork of a process that has used it: start it by spawn")
    if not _Loaded.devices:
        now = status()
        if not now.available:
            raise RuntimeError(now.reason)
        _core.set_cuda_backend(_module().backend)
        _Loaded.devices, _Loaded.process = len(now.devices), os.getpid()
    return _Loaded.devices


def device_of(address: int) -> int:
    """The number of the GPU that has an address in its memory."""
    number: int = _module().device_of(address)
    return number


def current(device: int) -> AbstractContextManager[None]:
    """A context in which a GPU is the current one."""
    context: AbstractContextManager[None] = _module().Current(device)
    return context
