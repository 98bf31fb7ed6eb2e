"""Every parameter of every public function takes what equals a value that it allows, and refuses all else by name."""

import contextlib
import copy
import inspect
import itertools
import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from signatures import CALLS, outcome

import fanin
from fanin import Fans, schemes
from fanin.text import short

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
    *(2**31, 2**63, 2**70, 10**400, 10**5000, 1j, Decimal("0.5"), np.array([0.5]), np.array("x"), np.array(None)),
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
FREE = {"name", "names", "prefix", "activation", "stream"}

# Parameters that all functions of schemes have in common, and the schemes by which they are tried.
PLACE, TRIED = {"seed", "name", "dtype", "index", "out", "device"}, {"normal", "he_normal", "haar", "padded", "zeros"}


def parameters_of(label):
    own = inspect.signature(CALLS[label][0]).parameters
    every = label.partition(".")[2] in TRIED or label.startswith(("scheme.", "plan", "seeded"))
    return [name for name in own if every or name not in PLACE]


each_function = pytest.mark.parametrize("label", [label for label in CALLS if parameters_of(label)])


@pytest.fixture(autouse=True)
def threads():
    yield
    fanin.set_num_threads(None)


def spellings(value):
    """Return how a message may begin to spell a value."""
    texts = {short(value), type(value).__name__}
    if isinstance(value, int) and value > 10**4000:
        return {"an integer o", "a value of t"}  # Python does not spell it
    texts |= {repr(value), str(value), ascii(value), repr(np.shape(value))}
    if isinstance(value, np.ndarray):
        texts.add(repr(value.dtype)[:7])
    if isinstance(value, dict):
        texts |= {repr(each) for each in (*value, *value.values())}
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1:
        texts |= {f(item) for item in value for f in (repr, str)} | {
            repr(tuple(value)),
            repr(tuple(np.asarray(value).tolist())),
        }
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        texts |= {repr(float(value)), f"{float(value):g}"}
    return {text[:12].rstrip("'") for text in texts}


def is_too_large(label, parameter, value):
    """Whether a call would be right, and draw or build more than a test should."""
    number = value if isinstance(value, int) else 0
    return number >= 2**31 and (label, parameter) in {("fanin.haar", "n"), ("Seeded.haar", "n")}


@pytest.mark.filterwarnings("ignore:rule")  # of a recipe that draws nothing
@each_function
def test_a_parameter_takes_what_equals_a_value_and_refuses_the_rest_by_name(label):
    function, base = CALLS[label]
    for parameter, value in itertools.product(parameters_of(label), VALUES):
        if is_too_large(label, parameter, value) or (parameter == "renamed" and callable(value)):
            continue
        found = outcome(function, base | {parameter: copy.copy(value)})
        if not isinstance(found, Exception):
            assert not any(value is each for each in NEVER), (parameter, value)
            if isinstance(value, bool | np.bool_):
                annotation = str(inspect.signature(function).parameters[parameter].annotation)
                assert "bool" in annotation, "a truth value is no number"
            if isinstance(value, str) and parameter not in FREE:
                assert value in ("OI", "zeros"), "a text is no number, and no word but those allowed"
            continue
        message = str(found)
        told = f"{parameter} = {short(value)}: {type(found).__name__}: {message}"
        if isinstance(found, MemoryError):
            continue
        assert not PYTHONS.search(message), told
        assert "\n" not in message, told
        assert len(message) < 900, told
        assert any(re.search(rf"\b{name}", message) for name in (parameter, *CALLED.get(parameter, ()))), told
        if (
            value is None
            or "dimensions" in message
            or "spatial axes" in message
            or "torchtitan" in label
            or "no letter yet" in message
        ):
            continue  # none was given; so many dimensions; std is what it makes of it
        assert any(text in message for text in spellings(value)), told


@pytest.mark.filterwarnings("ignore:rule")
@each_function
def test_what_equals_a_value_means_the_same(label):
    function, base = CALLS[label]
    for parameter, (value, equal) in itertools.product(parameters_of(label), EQUAL):
        if parameter in ("source", "generator", "parameters", "out", "index") or is_too_large(label, parameter, equal):
            continue
        found, wanted = (outcome(function, base | {parameter: each}) for each in (value, equal))
        assert isinstance(found, Exception) == isinstance(wanted, Exception), (parameter, value, found, wanted)
        if not isinstance(found, Exception):
            assert found == wanted, (parameter, value)


KEY = {"seed": 0, "name": "w"}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fanin.gain(("leaky_relu", "0.2")), TypeError, "activation 'leaky_relu' must be a number, got '0.2'"),
        (lambda: fanin.gain(("leaky_relu", True)), TypeError, "activation 'leaky_relu' must be a number, got True"),
        (lambda: fanin.gain([1]), TypeError, r"activation must be a name, \(name, parameter, ...\) or .*, got \[1\]"),
        (lambda: fanin.gain("rellu"), ValueError, "got 'rellu': did you mean 'relu'"),
        (lambda: schemes.he_normal(layout="OI", gain="2"), TypeError, "gain must be a number, got '2'"),
        (lambda: schemes.orthogonal("2", layout="OI"), TypeError, "gain must be a number, got '2'"),
        (lambda: schemes.siren(omega="30", layout="OI"), TypeError, "omega must be a number, got '30'"),
        (lambda: schemes.variance_scaling("1", layout="OI"), TypeError, "scale must be a number, got '1'"),
        (lambda: schemes.variance_scaling(truncate="2", layout="OI"), TypeError, "truncate must be a number, got '2'"),
        (lambda: schemes.sparse(std="1", nonzeros=1, layout="OI"), TypeError, "std must be a number, got '1'"),
        (lambda: schemes.layer_scale(layers="3"), TypeError, "layers must be an integer, got '3'"),
        (lambda: schemes.scaled_residual(layers="3"), TypeError, "layers must be an integer, got '3'"),
        (lambda: schemes.fixup(blocks=1.5, layout="OI"), TypeError, "blocks must be an integer, got 1.5"),
        (lambda: schemes.deepnorm("3", layout="OI"), TypeError, "encoder_layers must be an integer, got '3'"),
        (lambda: schemes.prior_probability("0.1"), TypeError, "probability must be a number, got '0.1'"),
        (lambda: schemes.he_normal(layout="OI", groups="1"), TypeError, "groups must be an integer, got '1'"),
        (lambda: schemes.normal(std="0.02"), TypeError, "std must be a number, got '0.02'"),
        (lambda: schemes.lstm_bias("1"), TypeError, "forget must be a number, got '1'"),
        (lambda: schemes.embedding("0.02"), TypeError, "std must be a number, got '0.02'"),
        (lambda: schemes.constant("x"), TypeError, "value must be a number, got 'x'"),
        (lambda: schemes.dirac(groups=1.0, layout="OI"), TypeError, "groups must be an integer, got 1.0"),
        (lambda: schemes.he_normal(layout="OI", groups=2.0), TypeError, "groups must be an integer, got 2.0"),
        (lambda: schemes.normal(std=True), TypeError, "std must be a number, got True"),
        (lambda: fanin.set_num_threads(2**31), ValueError, "n must be at most 2147483647, got 2147483648"),
        (lambda: fanin.num_threads(0), ValueError, "n must be at least 1, got 0"),
        (lambda: fanin.haar(count=7, out=np.empty((3, 4, 4)), **KEY), TypeError, "n is needed with count.*count=7"),
        (lambda: fanin.haar(2.5, **KEY), TypeError, "n must be an integer, got 2.5"),
        (lambda: fanin.normal((True, 2), **KEY), TypeError, r"shape must be .* of integers, got \(?True"),
        (lambda: fanin.recipes.llama(10**9, depth_scaled=True), ValueError, "layers must be at most 10000"),
        (lambda: fanin.mamba_log_range((2, 2**40)), ValueError, "shape must .* at most 65536, got"),
        (lambda: fanin.sinusoid((2, 2**40)), ValueError, "shape must .* at most 65536 of these, got"),
    ],
)
def test_a_wrong_value_is_refused_when_the_object_is_made(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_shape_may_be_an_array_of_integers():
    wanted = fanin.normal((2, 3), **KEY)
    for shape in (np.array([2, 3]), [np.int64(2), 3], range(2, 4)):
        assert (fanin.normal(shape, **KEY) == wanted).all()
        assert (schemes.normal()(shape, **KEY) == wanted).all()
    assert (fanin.normal(np.array(6), **KEY) == fanin.normal(6, **KEY)).all()


def test_dtypes_met_before_leave_the_list_of_those_allowed_as_it_was():
    for dtype in ("f2", "<f4", np.dtype("f8"), np.float16, "half"):
        fanin.normal(3, dtype=dtype, **KEY)
    allowed = "dtype must be one of float32, float64, float16, bfloat16, got 'f3'$"
    with pytest.raises(TypeError, match=allowed):
        fanin.normal(3, dtype="f3", **KEY)


def test_a_number_is_no_dtype_though_it_has_one():
    """And what equals it is none either."""
    for value in (np.float32(0.5), 0.5, Fraction(1, 2), Decimal("0.5"), np.zeros(2, np.float32)):
        with pytest.raises(TypeError, match="dtype must be one of"):
            fanin.normal(3, dtype=value, **KEY)


def test_what_describe_writes_tells_large_integers_apart():
    first, second = (schemes.padded(schemes.zeros(), 2**62 + each) for each in (0, 1))
    assert first != second
    assert first.describe() != second.describe()


init = fanin.seeded(0, layout="OI")


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: fanin.he_normal((2, 3), nonlinearity="relu", layout="OI", **KEY), "activation="),
        (lambda: init.he_normal("w", (2, 3), nonlinearity="relu"), "activation="),
        (lambda: schemes.he_normal(layout="OI", nonlinearity="relu"), "activation="),
        (lambda: schemes.kaiming_uniform(layout="OI", a=0.2), r'activation=\("leaky_relu", a\)'),
        (lambda: schemes.kaiming_uniform(layout="OI", negative_slope=0.2), r'activation=\("leaky_relu"'),
        (lambda: schemes.normal(stddev=0.02), "std="),
        (lambda: fanin.normal(3, stddev=0.02, **KEY), "std="),
        (lambda: fanin.normal(3, scale=0.02, **KEY), "std="),
        (lambda: fanin.normal(3, loc=0.02, **KEY), "mean="),
        (lambda: fanin.normal(size=3, **KEY), "shape="),
        (lambda: init.normal("w", 3, sigma=0.02), "std="),
        (lambda: fanin.uniform(3, minval=-1.0, **KEY), "low="),
        (lambda: fanin.truncated_normal(3, upper=1.0, **KEY), "high="),
        (lambda: fanin.constant(3, val=1.0), "value="),
        (lambda: fanin.orthogonal((3, 3), scale=1.0, layout="OI", **KEY), "gain="),
        (lambda: schemes.lecun_normal(in_axis=0, out_axis=1), "layout="),
        (lambda: schemes.lecun_normal(layout="OI", in_axis=0), "layout="),
        (lambda: Fans.of((2, 3), "OI", in_axis=0), "layout="),
        (lambda: fanin.normal(3, name="w", generator=np.random.default_rng(0)), "seed=fanin.seed_from"),
        (lambda: fanin.he_normal((3, 3), name="w", layout="OI", key=3), "seed=fanin.seed_from"),
        (lambda: schemes.normal()(3, name="w", rng=3), "seed=fanin.seed_from"),
        (lambda: fanin.seeded(random_state=3), "seed=fanin.seed_from"),
        (lambda: schemes.embedding(padding_idx=0), "padding="),
        (lambda: schemes.scaled_residual(num_layers=3), "layers="),
        (lambda: fanin.normal(3, sd=1, stf=2, **KEY), "std="),
        (lambda: fanin.normal(3, dtpe="f4", **KEY), "did you mean 'dtype'"),
        (lambda: schemes.he_normal(layot="OI"), "did you mean 'layout'"),
        (lambda: init.he_normal("w", (2, 3), activaton="relu"), "did you mean 'activation'"),
        (lambda: fanin.gain("relu", derivativ=True), "did you mean 'derivative'"),
        (lambda: fanin.plan({}, "gpt2", seeds=3), "did you mean 'seed'"),
        (lambda: fanin.recommend(activaton="relu"), "did you mean 'activation'"),
        (lambda: fanin.recipes.gpt2(layer=3), "did you mean 'layers'"),
        (lambda: fanin.layers.linear(3, 2, framwork="torch"), "did you mean 'framework'"),
        (lambda: fanin.normal(3, name="w"), r"needs seed, .* fanin.fresh_seed\(\)"),
        (lambda: fanin.zeros(3, sed=0), "zeros.. has no parameter 'sed'; it has shape, dtype"),
        (lambda: fanin.he_normal((2, 3), seed=0, layout="OI"), "needs name"),
        (schemes.mup, "mup.. needs of"),
        (lambda: schemes.padded(schemes.zeros()), "padded.. needs row"),
    ],
)
def test_a_wrong_call_is_answered_with_what_was_meant(call, meant):
    with pytest.raises(TypeError, match=meant):
        call()


@pytest.mark.parametrize(
    ("mode", "meant"), [("out", "fan_out"), ("in", "fan_in"), ("fan_mean", "fan_avg"), ("fan_ot", "fan_out")]
)
def test_modes_of_others_are_answered_with_ours(mode, meant):
    for call in (
        lambda: schemes.he_normal(layout="OI", mode=mode),
        lambda: schemes.variance_scaling(layout="OI", mode=mode),
        lambda: init.he_normal("w", (2, 3), mode=mode),
        lambda: Fans(2, 3).by(mode),
    ):
        with pytest.raises(ValueError, match=f"mode must be one of .*, got '{mode}': did you mean '{meant}'"):
            call()


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState, np.random.PCG64, np.random.MT19937])
def test_a_generator_gives_a_seed_once(kind):
    """Of all 64 bits, the same from equal generators, and another one the next time."""
    generator = kind(0)
    seeds = [fanin.seed_from(generator) for _ in range(20)]
    assert fanin.seed_from(kind(0)) == seeds[0]
    assert len(set(seeds)) == len(seeds)
    assert all(type(seed) is int and 0 <= seed < 2**64 for seed in seeds)
    assert max(seeds) > 2**63 > min(seeds)
    assert fanin.normal(3, seed=seeds[0], name="w").shape == (3,)


@pytest.mark.parametrize("value", [None, 3, "x", np.random.SeedSequence(3), np.random])
def test_a_seed_is_drawn_from_a_generator_only(value):
    with pytest.raises(TypeError, match=r"generator must be NumPy's or torch's, got .*; an int is a seed already"):
        fanin.seed_from(value)
