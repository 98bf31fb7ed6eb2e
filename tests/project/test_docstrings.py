"""The examples of the docstrings run, in the package as it is installed."""

import doctest
import importlib
import pkgutil

import pytest

import fanin

MODULES = ["fanin", *(module.name for module in pkgutil.walk_packages(fanin.__path__, "fanin."))]
ADAPTERS = ("fanin.torch", "fanin.transformers")  # whose examples need the library


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.peer] if name.startswith(ADAPTERS) else [])
        for name in MODULES
        if name not in ("fanin._core", "fanin.__main__")
    ],
)
def test_the_examples_of_every_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
