"""`import fanin` is light: NumPy and little else."""

import ast
import json
from pathlib import Path

import pytest
from processes import run

import fanin


@pytest.mark.parametrize(
    "module",
    [
        "torch",
        "jax",
        "tensorflow",
        "matplotlib",
        "rich",
        "ml_dtypes",
        "scipy",
        "numpy.random",
        "argparse",
        "fanin.cuda",
        "fanin.schemes",
    ],
)
def test_a_module_is_not_imported(module):
    assert run(f"import sys, fanin; print({module!r} in sys.modules)") == "False"


def test_ml_dtypes_is_imported_on_the_first_bfloat16():
    code = """
import sys, fanin
fanin.normal(3, seed=0, name="w")
before = "ml_dtypes" in sys.modules
fanin.normal(3, seed=0, name="w", dtype="bfloat16")
print(before, "ml_dtypes" in sys.modules)
"""
    assert run(code) == "False True"


def test_the_public_names_are_there():
    code = "import json, fanin; print(json.dumps([n for n in fanin.__all__ if not hasattr(fanin, n)]))"
    assert json.loads(run(code)) == []
    listed = run("from fanin import *; print(normal.__module__)")
    assert listed == "fanin.sampling"


def test_importing_makes_less_than_an_eighth_of_the_calls_that_numpy_makes():
    """It makes 4% of them."""
    code = """
import importlib
from costs import calls
numpy, fanin = (calls(lambda: importlib.import_module(name)) for name in ("numpy", "fanin"))
print(fanin / numpy)
"""
    assert float(run(code)) < 1 / 8


def test_modules_take_only_the_native_module_from_the_package_itself():
    """Its other names come from modules that may stand above: `lint-imports` sees them where those are named."""
    package = Path(fanin.__file__).parent
    taken = set()
    for path in package.rglob("*.py"):
        depth = len(path.relative_to(package).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.level, node.module) in [(depth, None), (0, "fanin")]:
                taken |= {alias.name for alias in node.names}
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert taken - modules == {"_core"}
