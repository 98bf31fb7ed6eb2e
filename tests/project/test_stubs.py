"""The stub of the native module says what is there: every name, and for every function its parameters."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import fanin
from fanin import _core

STUB = ast.parse(Path(fanin.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
CLASSES = [
    node
    for node in STUB.body
    if isinstance(node, ast.ClassDef) and "type_check_only" not in map(ast.unparse, node.decorator_list)
]
PYTHON_TYPES = {
    "typing.SupportsFloat | typing.SupportsIndex": "float",
    "typing.SupportsInt | typing.SupportsIndex": "int",
}


def test_the_stub_has_every_native_name():
    classes = {node.name for node in CLASSES}
    attributes = {node.target.id for node in STUB.body if isinstance(node, ast.AnnAssign)}
    attributes = {name for name in attributes if not name.startswith("_") or name == "__version__"}
    native = {name for name in vars(_core) if not name.startswith("__") or name == "__version__"}
    assert FUNCTIONS.keys() | classes | attributes == native


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_stub_has_the_parameters_of_every_function(name):
    native, stub = getattr(_core, name), FUNCTIONS[name].args.posonlyargs
    if native.__text_signature__ is not None:
        assert list(inspect.signature(native).parameters) == [argument.arg for argument in stub]
        return
    signature = re.match(rf"{name}\((.*)\) -> ", native.__doc__)
    assert signature is not None
    kinds = re.findall(r"arg\d+: (.*?)(?:, (?=arg\d+)|$)", signature[1])
    assert len(stub) == len(kinds)
    for theirs, ours in zip(kinds, (ast.unparse(argument.annotation) for argument in stub), strict=True):
        kind = PYTHON_TYPES.get(theirs, theirs)
        assert kind in (ours, "object", "handle") or ours.startswith(("NDArray", "int | None")), (theirs, ours)


def test_classes_have_the_methods_of_the_stub():
    for node in CLASSES:
        native = inspect.getattr_static(_core, node.name)
        assert all(hasattr(native, method.name) for method in node.body if isinstance(method, ast.FunctionDef))
