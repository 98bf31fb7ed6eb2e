"""Read a scheme as a command line spells it: `normal(std=0.01)`."""

from __future__ import annotations

import ast
import math
import warnings
from typing import Any

from ..entry import entry
from ..schemes import Scheme
from ..schemes.expression import OPERATIONS
from ..text import short
from . import recipe_data

_MOST = 10_000  # characters in a text
_OPERATORS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
_HOW = "a name, or a call of one with keywords, as he_normal(layout=OI, activation=(leaky_relu, 0.2))"


@entry
def scheme(text: str) -> Scheme:
    """Return the scheme that a text spells: the name of a function of `fanin.schemes`, and its keywords.

    Parameters
    ----------
    text : str
        A name, or a call with keywords: "he_normal(layout=OI)". Words need no quotes. Values are words, numbers,
        tuples, True, False, None, and other schemes as calls. A formula of schemes is an expression:
        "log(uniform(low=1, high=16)) + 0.5". What `describe` of a scheme returns is read too.

    Returns
    -------
    Scheme
        The scheme. Nothing in the text is evaluated as code.

    Raises
    ------
    ValueError
        If the text cannot be read, the name is unknown, or the scheme does not take the parameters.
    TypeError
        If `text` is not a string.

    Examples
    --------
    >>> scheme("he_normal(layout=OI, activation=relu)").expected_std((10, 200))
    0.1
    >>> scheme("padded(of=normal(std=0.02), row=0)").describe()
    'padded(of=normal(mean=0, std=0.02), row=0)'
    """
    if not isinstance(text, str):
        raise TypeError(f"scheme must be a string, got {short(text)}")
    try:
        data = _value(_parsed(text))
        if not isinstance(data, str | dict):
            raise ValueError(f"scheme must be {_HOW}, got {short(text)}")
        return recipe_data.scheme(data)
    except RecursionError:
        raise ValueError(f"scheme must be {_HOW}, got {short(text)}: it is nested too deeply") from None
    except TypeError as error:  # the argument is of the right type; what it says is wrong
        raise ValueError(str(error)) from error


def _parsed(text: str) -> ast.expr:
    problem = f"scheme must be {_HOW}, got {short(text)}"
    if len(text) > _MOST:
        raise ValueError(f"{problem}: it has more than {_MOST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return ast.parse(text.strip(), mode="eval").body
    except (
        SyntaxError,
        ValueError,
        MemoryError,
    ) as error:  # the parser raises MemoryError for a text nested too deeply
        why = getattr(error, "msg", None) or str(error) or "it is nested too deeply"
        if isinstance(error, UnicodeError):
            why = "it has lone surrogates"
        raise ValueError(f"{problem}: {why}") from None


def _value(node: ast.expr) -> Any:
    """Return what a node of the syntax tree stands for, as plain data."""
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.Name():
            return math.inf if node.id == "inf" else node.id
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            number = _value(operand)
            if isinstance(number, int | float) and not isinstance(number, bool):
                return -number if isinstance(node.op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            operands = _value(left), _value(right)
            if any(isinstance(each, dict) for each in operands):  # not of numbers alone
                return _operation(_OPERATORS[type(op)], operands)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(map(_value, items))
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, node)
    raise ValueError(f"a value must be a word, a number, a tuple or a scheme as {_HOW}, got {short(ast.unparse(node))}")


def _operation(name: str, operands: tuple[Any, ...]) -> dict[str, Any]:
    return {"scheme": "expression", "operation": name, "of": operands}


def _call(name: str, node: ast.Call) -> dict[str, Any]:
    if name in OPERATIONS and not node.keywords:
        return _operation(name, tuple(map(_value, node.args)))
    given: dict[str, Any] = {}
    if name == "constant" and len(node.args) == 1 and not node.keywords:  # as `describe` writes it
        given["value"] = _value(node.args[0])
    elif node.args or any(keyword.arg is None for keyword in node.keywords):
        raise ValueError(
            f"scheme {name!r} must have its parameters by name, as std=0.01, got {short(ast.unparse(node))}"
        )
    for keyword in node.keywords:
        key = str(keyword.arg)
        if key in given:
            raise ValueError(f"scheme {name!r} must have each parameter once, got {key} again")
        given[key] = _value(keyword.value)
    return {"scheme": name, **given}
