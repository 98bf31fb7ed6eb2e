"""Every scheme is also a function and a method of the namespace, with its parameters."""

import ast
import importlib.util
import inspect
from pathlib import Path

import pytest

import fanin
from fanin import namespace, schemes, spellings

ROOT = Path(__file__).parents[1]
TOOL = ROOT / "tools/write_spellings.py"

spec = importlib.util.spec_from_file_location("write_spellings", TOOL)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
NAMES = [*tool.KEYED, *tool.FIXED]


@pytest.mark.parametrize("module", [spellings, namespace], ids=lambda module: module.__name__)
def test_they_are_what_the_tool_writes(module):
    """Up to formatting; else run python tools/write_spellings.py."""
    written = ast.parse(tool.modules()[module.__name__.rpartition(".")[2]])
    assert ast.dump(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))) == ast.dump(written)


def test_every_function_that_builds_a_scheme_has_them():
    without = {"concatenate", "mup", "deepnorm_alpha", "haar", *tool.DISTRIBUTIONS}  # of schemes, no scheme, by hand
    builders = {name for name in schemes.__all__ if inspect.isfunction(getattr(schemes, name))}
    assert builders - without == {*NAMES, *tool.ALIASES}
    assert {*NAMES, *tool.ALIASES} <= set(fanin.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_a_scheme_s_parameters_are_those_of_its_spellings(name):
    scheme = set(inspect.signature(getattr(schemes, name)).parameters) - {"fans"}
    function = set(inspect.signature(getattr(fanin, name)).parameters)
    method = set(inspect.signature(getattr(fanin.Seeded, name)).parameters)
    assert scheme | {"shape", "seed", "name", "placement"} <= function
    assert (scheme - {"layout"}) | {"self", "shape", "name", "place"} <= method


@pytest.mark.parametrize("alias", tool.ALIASES)
def test_an_alias_is_the_same(alias):
    for where in (schemes, fanin, fanin.Seeded):
        assert getattr(where, alias) is getattr(where, tool.ALIASES[alias])
