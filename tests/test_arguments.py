"""Every parameter of every public function takes what equals a value that it allows, and refuses all else by name."""

import contextlib
import copy
import inspect
import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from signatures import CALLS, outcome

import fanin

# What is given, and the plain value that it equals.
EQUAL = [
    (np.int64(3), 3),
    (np.uint8(3), 3),
    (np.array(2), 2),
    (np.float32(0.5), 0.5),
    (np.float64(2.0), 2.0),
    (np.array(0.5), 0.5),
    (Fraction(1, 2), 0.5),
    (np.array([2, 3]), (2, 3)),
    ([2, 3], (2, 3)),
    ([np.int64(4), 5], (4, 5)),
    (np.bool_(True), True),
]
VALUES = [
    *(value for value, _ in EQUAL),
    *(True, "x", np.str_("OI"), "", b"x", [1], ["x"], [True, 2], None, math.nan, math.inf, -math.inf, -1, 0, 1.5, 2.0),
    *(2**31, 2**63, 2**70, 10**400, 1j, Decimal("0.5"), np.array([0.5]), np.array("x"), np.array(None)),
    *(
        (),
        {},
        {"scheme": "x"},
        object(),
        object,
        len,
        "\ud800",
        "x" * 1000,
        ("leaky_relu", "0.2"),
        ("leaky_relu", True),
    ),
]
NEVER = [  # no parameter takes these, whatever it is
    *(b"x", 1j, Decimal("0.5"), np.array("x"), np.array(None), "\ud800"),
]
PYTHONS = re.compile(  # what Python, NumPy and pybind11 say themselves
    r"incompatible function arguments|not supported between|unsupported operand|cannot be interpreted|has no attribute"
    r"|must be real number|only length-1|only 0-dim|not iterable|not subscriptable|unhashable|can't multiply"
    r"|could not convert|invalid literal|argument must be|__[a-z]+__|NoneType|too large|exceeds the limit"
    r"|cannot convert|object is not|codec can't|math domain|bad operand|takes .* positional|setting an array"
)
# What a message may call a parameter.
CALLED = {
    "n": ("shape", "index"),
    "count": ("shape", "n", "index"),
    "groups": ("convention", "divide"),
    "transposed": ("layout", "convention"),
    "blocks": ("convention",),
    "layout": ("convention",),
    "derivative": ("centred", "convention"),
    "centred": ("derivative", "convention"),
    "padding": ("row",),
    "source": ("shape",),
    "recipe": ("base",),
    "index": ("indices",),
    "shape": ("index", "axis"),
    "gates": ("axis",),
    "prefix": ("name", "weight"),
    "text": ("scheme",),
    "parameters": ("shape",),
    "base": ("shape",),
    "out": ("dtype",),
}
# Parameters that take any callable, any text, or any object of a kind.
FREE = {"name", "prefix", "activation"}

# Parameters that all functions of schemes have in common, and the schemes by which they are tried.
PLACE, TRIED = {"seed", "name", "dtype", "index", "out", "device"}, {"normal", "he_normal", "haar", "padded", "zeros"}
PARAMETERS = [
    (label, parameter)
    for label, (function, _) in CALLS.items()
    for parameter in inspect.signature(function).parameters
    if parameter not in PLACE or label.partition(".")[2] in TRIED or label.startswith(("scheme.", "plan", "seeded"))
]


@pytest.fixture(autouse=True)
def threads():
    yield
    fanin.set_num_threads(None)


def spellings(value):
    """Return how a message may begin to spell a value."""
    texts = {repr(value), str(value), type(value).__name__, ascii(value), repr(np.shape(value))}
    if isinstance(value, np.ndarray):
        texts.add(repr(value.dtype)[:7])
    if isinstance(value, dict):
        texts |= {repr(each) for each in (*value, *value.values())}
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1:
        texts |= {repr(item) for item in value} | {repr(tuple(value)), repr(tuple(np.asarray(value).tolist()))}
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        texts |= {repr(float(value)), f"{float(value):g}"}
    return {text[:12].rstrip("'") for text in texts}


def is_too_large(label, parameter, value):
    """Whether a call would be right, and draw or build more than a test should."""
    number = value if isinstance(value, int) else 0
    return number >= 2**31 and (label, parameter) in {("fanin.haar", "n"), ("Seeded.haar", "n")}


@pytest.mark.filterwarnings("ignore:rule")  # of a recipe that draws nothing
@pytest.mark.parametrize(("label", "parameter"), PARAMETERS, ids=lambda part: part)
def test_a_parameter_takes_what_equals_a_value_and_refuses_the_rest_by_name(label, parameter):
    function, base = CALLS[label]
    annotation = str(inspect.signature(function).parameters[parameter].annotation)
    for value in VALUES:
        if is_too_large(label, parameter, value) or (parameter == "renamed" and callable(value)):
            continue
        found = outcome(function, base | {parameter: copy.copy(value)})
        if not isinstance(found, Exception):
            assert not any(value is each for each in NEVER), value
            if isinstance(value, bool | np.bool_):
                assert "bool" in annotation, "a truth value is no number"
            if isinstance(value, str) and parameter not in FREE:
                assert value in ("OI", "zeros"), "a text is no number, and no word but those allowed"
            continue
        message = str(found)
        told = f"{parameter} = {value!r:.50}: {type(found).__name__}: {message}"
        if isinstance(found, MemoryError):
            continue
        assert not PYTHONS.search(message), told
        assert "\n" not in message, told
        assert len(message) < 900, told
        assert any(re.search(rf"\b{name}", message) for name in (parameter, *CALLED.get(parameter, ()))), told
        if value is None or "dimension" in message or "torchtitan" in label:
            continue  # none was given; so many dimensions; std is what it makes of it
        assert any(text in message for text in spellings(value)), told


@pytest.mark.filterwarnings("ignore:rule")
@pytest.mark.parametrize(("label", "parameter"), PARAMETERS, ids=lambda part: part)
def test_what_equals_a_value_means_the_same(label, parameter):
    function, base = CALLS[label]
    for value, equal in EQUAL:
        if parameter in ("source", "generator", "parameters", "out", "index") or is_too_large(label, parameter, equal):
            continue
        found, wanted = (outcome(function, base | {parameter: each}) for each in (value, equal))
        assert isinstance(found, Exception) == isinstance(wanted, Exception), (value, found, wanted)
        if not isinstance(found, Exception):
            assert found == wanted, value
