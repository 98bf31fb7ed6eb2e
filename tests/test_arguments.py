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

import fanin
from fanin import Fans, layers, models, recipes, schemes
from fanin.schemes import Scheme, deepnorm_alpha
from fanin.schemes.registry import ALIASES, REGISTRY

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
    "prefix": ("name",),
    "text": ("scheme",),
    "parameters": ("shape",),
    "base": ("shape",),
    "out": ("dtype",),
}
# Parameters that take any callable, any text, or any object of a kind.
FREE = {"name", "prefix", "activation"}

NORMAL = schemes.normal(std=0.02)
OWN = {  # parameters of schemes without a default, and what else makes a call valid
    "gate": 1,
    "gates": 4,
    "layers": 12,
    "layer": 3,
    "of": NORMAL,
    "row": 0,
    "schemes": [NORMAL, schemes.zeros()],
    "layout": "OI",
}
BY_SCHEME = {
    "fixup": {"blocks": 8},
    "sparse": {"nonzeros": 1},
    "deepnorm": {"encoder_layers": 6},
    "mup": {"base": (4, 4)},
}
SHAPES = {"delta_orthogonal": (4, 2, 3), "dirac": (4, 2, 3), "lstm_bias": (8,), "gru_bias": (6,), "mup": (12, 12)}
KEY = {"seed": 7, "name": "w"}


def of_scheme(name):
    parameters = inspect.signature(REGISTRY[name]).parameters
    return {key: value for key, value in OWN.items() if key in parameters} | BY_SCHEME.get(name, {})


def calls():
    """Yield every public function, by a name, and arguments with which it can be called."""
    for name, build in REGISTRY.items():
        if name in ALIASES:
            continue
        own = of_scheme(name)
        yield f"schemes.{name}", build, own
        sized = {"n": 4} if name == "haar" else {"shape": SHAPES.get(name, (4, 4))}
        index = {} if name == "mup" else {"index": 0}
        key = KEY if "seed" in inspect.signature(getattr(fanin, name)).parameters else {}
        yield f"fanin.{name}", getattr(fanin, name), {**own, **sized, **index, **key}
        without = {key: value for key, value in own.items() if key != "layout" or name == "mup"}
        method = getattr(fanin.seeded(7, layout="OI"), name)
        yield f"Seeded.{name}", method, {**without, **sized, **index, "name": "w"}
    yield "fanin.bits", fanin.bits, {"shape": (4, 4), "index": 0, **KEY}
    yield "Seeded.bits", fanin.seeded(7).bits, {"shape": (4, 4), "index": 0, "name": "w"}
    yield "Seeded.draw", fanin.seeded(7).draw, {"scheme": NORMAL, "shape": (4, 4), "index": 0, "name": "w"}
    yield "scheme.__call__", NORMAL.__call__, {"shape": (4, 4), "index": 0, **KEY}
    yield "seeded", fanin.seeded, {"seed": 7}
    yield "Fans.of", Fans.of, {"shape": (8, 4), "layout": "OI"}
    yield "Fans.of_blocks", Fans.of_blocks, {"shape": (8, 4), "layout": "OI"}
    yield "Fans.by", Fans(3, 4).by, {"mode": "fan_in"}
    yield "gain", fanin.gain, {"activation": "relu"}
    yield "deepnorm_alpha", deepnorm_alpha, {"encoder_layers": 6}
    yield "recommend", fanin.recommend, {}
    yield "review", fanin.review, {"scheme": NORMAL, "shape": (8, 8)}
    yield "set_num_threads", fanin.set_num_threads, {"n": 2}
    yield "num_threads", fanin.num_threads, {"n": 2}
    yield "seed_from", fanin.seed_from, {"generator": np.random.default_rng(0)}
    yield "plan", fanin.plan, {"source": {"fc.weight": (3, 2)}, "recipe": "torch-default", "seed": 0}
    yield "expected_std", schemes.he_normal(layout="OI").expected_std, {"shape": (3, 2)}
    for name in ("gpt2", "llama", "bert", "vit", "resnet", "lstm_lm", "deepnorm"):
        yield f"recipes.{name}", getattr(recipes, name), {}
    yield "recipes.torch_default", recipes.torch_default, {}
    yield "recipes.mup", recipes.mup, {"recipe": recipes.gpt2(), "base": models.gpt2(width=64)}
    yield "recipes.scheme", recipes.scheme, {"text": "zeros"}
    sizes = {"inputs": 8, "outputs": 4, "size": (3,), "channels": 8, "features": 8, "hidden": 4, "heads": 2}
    sizes |= {"count": 10, "classes": 3, "shape": (8,), "layer": layers.linear(3, 2), "seed": 0}
    for name in layers.__all__:
        if name[0].islower():
            function = getattr(layers, name)
            known = inspect.signature(function).parameters
            yield f"layers.{name}", function, {key: value for key, value in sizes.items() if key in known}


CALLS = {label: (function, base) for label, function, base in calls()}
PARAMETERS = [
    (label, parameter) for label, (function, _) in CALLS.items() for parameter in inspect.signature(function).parameters
]


@pytest.fixture(autouse=True)
def threads():
    yield
    fanin.set_num_threads(None)


def plain(result):
    """Return what is to be equal where results are."""
    if isinstance(result, Scheme):
        return result, result.to_dict(), result.describe(), hash(result), repr(result)
    if isinstance(result, recipes.Recipe):
        return result, result.digest
    if isinstance(result, fanin.Plan):
        return result.seed, [row.scheme.describe() for row in result.rows], result.nbytes
    if isinstance(result, dict):
        return {key: plain(value) for key, value in result.items()}
    if isinstance(result, np.ndarray | np.generic):
        return str(result.dtype), result.shape, result.tobytes()
    return (type(result), result) if result is None or isinstance(result, int | float | tuple) else type(result)


def outcome(function, arguments):
    """Return what a call returns, or its error."""
    try:
        return plain(function(**arguments))
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        return error


def spellings(value):
    """Return how a message may begin to spell a value."""
    texts = {repr(value), str(value), type(value).__name__, ascii(value), repr(np.shape(value))}
    if isinstance(value, np.ndarray):
        texts.add(repr(value.dtype)[:7])
    if isinstance(value, dict):
        texts |= {repr(each) for each in value.values()}
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1:
        texts |= {repr(item) for item in value} | {repr(tuple(value)), repr(tuple(np.asarray(value).tolist()))}
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        texts |= {repr(float(value)), f"{float(value):g}"}
    return {text[:12] for text in texts}


def is_too_large(label, parameter, value):
    """Whether a call would be right, and draw or build more than a test should."""
    number = value if isinstance(value, int) else 0
    return number >= 2**31 and (label, parameter) in {("fanin.haar", "n"), ("Seeded.haar", "n")}


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
