"""Find out what this build of fanin can do on this machine's GPUs, and load the module that uses them."""

from __future__ import annotations

import importlib
import os
import re
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from . import _core

_DRIVER = "NVIDIA's driver (libcuda.so.1 on Linux, nvcuda.dll on Windows)"


class Device(NamedTuple):
    """Describe a GPU.

    Attributes
    ----------
    name : str
        The name that the driver gives.
    capability : (int, int)
        The compute capability, major and minor.
    memory : int
        The size of its memory, in bytes.
    multiprocessors : int
        The number of its streaming multiprocessors.
    """

    name: str
    capability: tuple[int, int]
    memory: int
    multiprocessors: int


class Status(NamedTuple):
    """Say whether CUDA can be used, why not if it cannot, and what was built and found.

    Attributes
    ----------
    available : bool
        Whether fanin can compute on a GPU here.
    reason : str
        One line: what was found, or why CUDA cannot be used.
    toolkit : str or None
        The version of CUDA that fanin was built with ("12.4"); None for a build without CUDA.
    architectures : tuple of str
        The architectures that were compiled, as CMake spells them ("90-real").
    driver : str or None
        The newest version of CUDA that the driver supports; None where no driver was found.
    devices : tuple of Device
        The GPUs, in CUDA's order.
    """

    available: bool
    reason: str
    toolkit: str | None = None
    architectures: tuple[str, ...] = ()
    driver: str | None = None
    devices: tuple[Device, ...] = ()


def status() -> Status:
    """Find out whether fanin can compute with CUDA here, and on which GPUs. Never raise.

    A process that has asked cannot use CUDA in its later forks; start these by spawn.

    Returns
    -------
    Status
        `available` and `reason` come first; then the versions that were built and found, and the GPUs.

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
    except Exception as error:  # the module exists but does not load
        return Status(False, f"fanin's module for CUDA cannot be loaded: {error}")


def _judged(found: dict[str, Any]) -> Status:
    """Judge what the module found: return a status with a reason."""
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
    """Tell whether code for an architecture runs on a device.

    Machine code runs on later devices of its generation, PTX on all later devices.
    """
    match = re.match(r"(\d+)(\d)(a?)", architecture)
    if match is None:  # a name, such as "all"
        return True
    built = int(match[1]), int(match[2])
    if match[3]:
        return built == capability
    same_generation = built[0] == capability[0] and built <= capability
    return same_generation or (not architecture.endswith("-real") and built <= capability)


def _version(number: int) -> str | None:
    """Format a version as CUDA numbers it: 1000 times the major one plus 10 times the minor one. None for 0."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else None


def _module() -> Any:
    return importlib.import_module("fanin._cuda")


class _Loaded:
    """Remember that the module was handed to the core, with how many GPUs, by which process. This is never undone."""

    devices = 0
    process = 0


def load() -> int:
    """Make GPUs usable by the native module and return their number; raise RuntimeError that says why there is none."""
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
    """Return the number of the GPU whose memory has this address."""
    number: int = _module().device_of(address)
    return number


def current(device: int) -> AbstractContextManager[None]:
    """Return a context in which this GPU is CUDA's current device."""
    context: AbstractContextManager[None] = _module().Current(device)
    return context
