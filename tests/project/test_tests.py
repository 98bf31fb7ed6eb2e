"""Every test asserts something, since one that cannot fail shows nothing; and its name says what it shows."""

from __future__ import annotations

import ast
from functools import cache

from paths import TESTS

Function = ast.FunctionDef | ast.AsyncFunctionDef
MODULES = {path.stem: path for path in TESTS.rglob("*.py")}
FILES = sorted(path for name, path in MODULES.items() if name.startswith("test_"))


class Module:
    """What of a file of tests is defined there, and what it takes from other files of tests."""

    def __init__(self, text: str) -> None:
        self.tests: list[Function] = []
        self.functions: dict[str, Function] = {}
        self.imported: dict[str, tuple[str, str]] = {}  # name: the module that it is from, and its name there
        tree = ast.parse(text)
        self.outside_classes = [node.name for node in tree.body if isinstance(node, Function)]
        for node in ast.walk(tree):
            if isinstance(node, Function):
                self.functions[node.name] = node
                self.tests += [node] if node.name.startswith("test_") else []
            elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
                self.imported |= {each.asname or each.name: (node.module, each.name) for each in node.names}
            elif isinstance(node, ast.Import):
                self.imported |= {each.name: (each.name, "") for each in node.names if each.name in MODULES}
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):  # recorded = Peer("recorded")
                names = [each.value for each in node.value.args if isinstance(each, ast.Constant)]
                self.imported |= {name: (name, "") for name in names if name in MODULES}

    def without_assertion(self) -> list[str]:
        return [test.name for test in self.tests if not self.contains_assertion(test, frozenset())]

    def asserts(self, name: str, callers: frozenset[str] = frozenset()) -> bool:
        """Return whether a function asserts something itself or by a function that it calls."""
        if name in self.imported:
            module, there = self.imported[name]
            return read(module).asserts(there)
        if name not in self.functions or name in callers:
            return False
        return self.contains_assertion(self.functions[name], callers | {name})

    def contains_assertion(self, function: Function, callers: frozenset[str]) -> bool:
        return any(self.is_assertion(node, callers) for node in ast.walk(function))

    def is_assertion(self, node: ast.AST, callers: frozenset[str]) -> bool:
        match node:
            case ast.Assert():
                return not isinstance(node.test, ast.Constant)
            case ast.Call(func=ast.Name(name)):
                return self.asserts(name, callers)
            case ast.Call(func=ast.Attribute(ast.Name("pytest"), attribute)):
                return attribute in ("raises", "warns", "fail")
            case ast.Call(func=ast.Attribute(ast.Name(module), attribute)) if module in self.imported:
                return read(module).asserts(attribute)
            case ast.Call(func=ast.Attribute(_, attribute), keywords=keywords):
                checked = [each for each in keywords if each.arg == "check" and getattr(each.value, "value", False)]
                return bool(checked) or attribute.startswith("assert_") or self.asserts(attribute, callers)
        return False


@cache
def read(module: str) -> Module:
    return Module(MODULES[module].read_text(encoding="utf-8"))


def test_every_test_is_in_a_folder_that_says_what_it_shows():
    assert [path for path in FILES if path.parent == TESTS] == []


def test_every_test_asserts_something():
    assert [f"{path}::{name}" for path in FILES for name in read(path.stem).without_assertion()] == []


def test_a_name_has_three_words_at_least_unless_a_class_is_its_subject():
    names = [(path, name) for path in FILES for name in read(path.stem).outside_classes]
    assert [f"{path}::{name}" for path, name in names if name.startswith("test_") and name.count("_") < 3] == []


def test_what_asserts_nothing_is_found():
    module = Module(
        """
import pytest
from costs import calls, require_linear

def test_by_itself(): assert made() == 1
def test_by_an_error(): pytest.raises(ValueError, made)
def test_by_what_it_calls(): compared(made())
def test_by_what_it_imports(): require_linear(made, 10)

def test_of_nothing(): made()
def test_of_nothing_imported(): calls(made)
def test_of_a_constant(): assert True

class TestMade:
    def test_by_itself(self): made()

def made(): return 1
def compared(found): assert found == 1
"""
    )
    assert module.without_assertion() == [
        "test_of_nothing",
        "test_of_nothing_imported",
        "test_of_a_constant",
        "test_by_itself",
    ]
