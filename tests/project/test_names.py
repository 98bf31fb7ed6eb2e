"""Generated files are what the tool writes; every scheme is an object, a function and a method, explained at each."""

import ast
import importlib.util
import inspect
import re
import shutil
from pathlib import Path

import pytest
from paths import ROOT

import fanin
from fanin import functions, names, schemes
from fanin.namespace import Seeded
from fanin.schemes.registry import ALIASES, REGISTRY, SHAPES

spec = importlib.util.spec_from_file_location("write_names", ROOT / "tools/write_names.py")
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

WRITTEN = tool.files()
PLACE = ["dtype", "index", "out", "device"]


@pytest.mark.parametrize("path", WRITTEN)
def test_a_generated_file_is_what_the_tool_writes(path):
    """Up to formatting, which needs ruff; else run python tools/write_names.py."""
    file = Path(fanin.__file__).parent / path
    text = file.read_text(encoding="utf-8")
    if shutil.which("ruff"):
        assert text == tool.formatted(WRITTEN[path], ROOT / "python/fanin" / path)
    found, wanted = (
        {ast.dump(node) for node in ast.parse(each).body if not isinstance(node, ast.ImportFrom | ast.Import)}
        for each in (text, WRITTEN[path])
    )
    assert found == wanted


def test_every_name_of_the_package_is_found_where_the_table_says():
    for name in fanin.__all__:
        assert getattr(fanin, name) is not None
    assert set(names.NAMES) | set(names.MODULES) <= set(fanin.__all__) <= set(dir(fanin))


def test_every_registered_scheme_is_an_object_a_function_and_a_method():
    for name in REGISTRY:
        assert getattr(schemes, name) is REGISTRY[name]
        assert name in fanin.__all__
        assert callable(getattr(fanin, name))
        assert callable(getattr(Seeded, name))
        assert name in schemes.__all__
        assert name in dir(schemes)


def documented(function):
    """Return the names that a docstring's section "Parameters" explains."""
    text = inspect.getdoc(function) or ""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^(\S[^:\n]*?)(?: :.*)?$", section[1], re.MULTILINE) if section else []
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ALIASES])
def test_signatures_are_whole_and_docstrings_explain_every_parameter(name):
    own = list(inspect.signature(REGISTRY[name]).parameters)
    shape = list(inspect.signature(SHAPES[name]).parameters) if name in SHAPES else ["shape"]
    function, method = getattr(fanin, name), getattr(Seeded, name)
    assert not any("fans" in parameter or parameter in ("args", "kwargs") for parameter in own)
    taken = [parameter for parameter in inspect.signature(function).parameters if parameter not in ("seed", "name")]
    assert sorted(taken) == sorted([*shape, *own, *PLACE])
    taken = list(inspect.signature(method).parameters)
    assert taken[:2] == ["self", "name"]
    assert sorted(taken[2:]) == sorted([*shape, *(each for each in own if each != "layout"), *PLACE])
    for each in (REGISTRY[name], function, method):
        parameters = {parameter for parameter in inspect.signature(each).parameters if parameter != "self"}
        assert parameters == documented(each) or name in tool.SAMPLERS, each
        assert inspect.getdoc(each).partition("\n")[0] == inspect.getdoc(REGISTRY[name]).partition("\n")[0]


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ALIASES and name not in tool.SAMPLERS])
def test_an_object_has_the_parameters_that_the_function_has_in_the_same_order(name):
    """So that what is given by position means the same."""
    function = [
        parameter.name
        for parameter in inspect.signature(getattr(fanin, name)).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY and parameter.name != "shape"
    ]
    own = [
        parameter.name
        for parameter in inspect.signature(REGISTRY[name]).parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    shape = list(inspect.signature(SHAPES[name]).parameters) if name in SHAPES else []
    assert function in (own, shape, [])


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_the_same(alias):
    for where in (schemes, fanin, Seeded):
        assert getattr(where, alias) is getattr(where, ALIASES[alias])


def test_a_scheme_of_ones_own_is_registered_as_those_of_the_package_are():
    """Then dicts and recipes know it, by its name."""

    @schemes.register()
    def thirds(*, of: int = 3) -> schemes.Scheme:
        """A third everywhere."""
        return schemes.constant(1 / of)

    try:
        assert schemes.Scheme.from_dict({"scheme": "thirds", "of": 4}) == schemes.constant(0.25)
        assert documented(thirds) == {"of"}
    finally:
        del REGISTRY["thirds"]


def test_functions_of_samplers_are_not_made_twice():
    assert not set(tool.SAMPLERS) & functions.FUNCTIONS.keys()


def test_no_module_stands_in_the_place_of_a_name():
    """Importing a module makes it an attribute of the package: `fanin.seeded` must stay the function."""
    assert not {path.stem for path in Path(fanin.__file__).parent.glob("*")} & names.NAMES.keys()
