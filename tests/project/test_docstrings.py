"""The examples of the docstrings run, in the package as it is installed."""

import doctest
import importlib
import pkgutil

import pytest

import fanin

MODULES = ["fanin", *(module.name for module in pkgutil.walk_packages(fanin.__path__, "fanin."))]


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ("fanin._core", "fanin.__main__")])
def test_the_examples_of_every_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name.startswith("fanin.torch"):
        pytest.importorskip("torch", reason="what fills torch modules needs torch")
    assert doctest.testmod(importlib.import_module(name)).failed == 0
