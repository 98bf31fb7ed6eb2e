"""Describe where a benchmark ran: the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import fanin

from .timing import usable_cpus

_PACKAGES = ("numpy", "torch", "jax", "jaxlib", "mkl", "randomgen")


def _processor() -> str:
    """Return the processor's name, with family and model if the name is vague."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return name


def _caches() -> dict[str, str]:
    caches = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / field).read_text().strip() for field in ("level", "type", "size"))
        if kind != "Instruction":
            caches[f"L{level}"] = size
    return caches


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def describe() -> dict[str, object]:
    """Describe the processor, its caches, the CPUs that this process may use, the system, and all relevant versions."""
    return {
        "processor": _processor(),
        "caches": _caches(),
        "cpus": len(usable_cpus()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "fanin": {key: str(value) for key, value in fanin.info().items()},
        "versions": {package: _version(package) for package in _PACKAGES},
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(("OMP_", "MKL_", "FANIN_"))},
    }
