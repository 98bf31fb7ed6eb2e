"""Expressions: parameters computed from draws by a closed set of operations, with the same bits everywhere.

FANIN_FORCE_ISA is read once, so every instruction set computes in a process of its own: this file, run as a program.
"""

import hashlib
import json
import math
import sys

import numpy as np
import pytest
import reference
import reference_expressions
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp
from processes import command, run

import fanin
from fanin import _core, recipes, schemes
from fanin.schemes import Scheme

SEED, NAME = 0x243F6A8885A308D3, "layers.0.mixer.dt_bias"
KEY = {"seed": SEED, "name": NAME}
FLOATS = tuple(reference.DTYPES)
X = schemes.from_stream(schemes.normal())
Y = schemes.from_stream(schemes.uniform(-1.0, 1.0), 1)
PLACE = schemes.expression("arange", [0, 1, -1])


def native(line, shape, dtype="float32", name=NAME):
    """What the core draws of a line of tests/golden/expressions.txt."""
    steps = reference_expressions.steps(line, name)
    return _core.expression(steps, SEED, name, _core.Dtype[dtype], shape, None, None)


def function_of(name, x):
    """An elementary function of given numbers, as the core computes it: one expression for each."""
    return np.array([native(f"constant:{float(value)!r};{name}", (), "float64").item() for value in x])


# ---- bits ------------------------------------------------------------------------------------------------------------


def mamba_as_written():
    """torch.exp(torch.rand(n) * (ln high - ln low) + ln low).clamp(min=floor), then dt + log(-expm1(-dt))."""
    low, high = math.log(0.001), math.log(0.1)
    dt = schemes.expression("fma", [schemes.uniform(), high - low, low]).exp().clamp(1e-4)
    return dt + (-(-dt).expm1()).log()


@pytest.mark.parametrize("dtype", FLOATS)
def test_mamba_as_its_author_wrote_it_is_mamba_step_bias(dtype):
    expected = schemes.mamba_step_bias()((500, 3), dtype=dtype, **KEY)
    assert mamba_as_written()((500, 3), dtype=dtype, **KEY).tobytes() == expected.tobytes()


# What an expression is called here, and the line of the reference.
SPELLED = {
    "add": (X + Y, "normal:0:1;uniform:-1:1#1;add"),
    "add a number": (1.5 + X, "constant:1.5;normal:0:1;add"),
    "subtract": (X - Y, "normal:0:1;uniform:-1:1#1;subtract"),
    "subtract from a number": (2 - X, "constant:2;normal:0:1;subtract"),
    "multiply": (X * Y, "normal:0:1;uniform:-1:1#1;multiply"),
    "divide": (X / Y, "normal:0:1;uniform:-1:1#1;divide"),
    "divide a number": (1 / X, "constant:1;normal:0:1;divide"),
    "fma": (schemes.expression("fma", [X, Y, 3]), "normal:0:1;uniform:-1:1#1;constant:3;fma"),
    "minimum": (schemes.expression("minimum", [X, Y]), "normal:0:1;uniform:-1:1#1;minimum"),
    "clamp": (X.clamp(-1, 0.5), "normal:0:1;constant:-1;maximum;constant:0.5;minimum"),
    "where": (
        schemes.expression("where", [schemes.expression("less", [X, Y]), X, -Y]),
        "normal:0:1;uniform:-1:1#1;less;normal:0:1;uniform:-1:1#1;negate;where",
    ),
    "root of a magnitude": (abs(X).sqrt(), "normal:0:1;abs;sqrt"),
    "power": (
        X**5,
        "normal:0:1;normal:0:1;multiply;normal:0:1;normal:0:1;multiply;multiply;normal:0:1;multiply",
    ),
    "negative power": (X**-2, "constant:1;normal:0:1;normal:0:1;multiply;divide"),
    "exp": (X.exp(), "normal:0:1;exp"),
    "log": (X.log(), "normal:0:1;log"),
    "expm1": (X.expm1(), "normal:0:1;expm1"),
    "log1p": (Y.log1p(), "uniform:-1:1#1;log1p"),
    "a scheme with a std of its own": (
        schemes.expression("exp", schemes.normal(0.1, 0.02)),
        "normal:0.1:0.02;exp",
    ),
    "a truncated normal": (
        schemes.expression("abs", schemes.truncated_normal(0.0, 0.5, -1.0, 3.0, bounds="absolute")),
        "truncated_normal:0:0.5:-1:3:0;abs",
    ),
    "arange": (PLACE, "position%1;constant:1;constant:0;fma"),
    "rows": (schemes.from_stream(schemes.normal(), 2, along=[0]) * 2, "normal:0:1#2%0;constant:2;multiply"),
    "a transposed draw": (schemes.from_stream(schemes.uniform(), along=[1, 0]) + 0, "uniform:0:1%1.0;constant:0;add"),
    "laws": (
        schemes.bernoulli(0.3) * schemes.from_stream(schemes.exponential(2.0), 1),
        "bernoulli:0.3;exponential:2#1;multiply",
    ),
}
every = pytest.mark.parametrize("case", SPELLED)


@every
@pytest.mark.parametrize("dtype", FLOATS)
def test_an_expression_is_that_of_the_page(case, dtype):
    scheme, line = SPELLED[case]
    index = np.arange(24 * 11, dtype=np.uint64)
    wanted = reference_expressions.elements(SEED, NAME, index, f"expression,24x11,{line}", dtype).reshape(24, 11)
    assert scheme((24, 11), dtype=dtype, **KEY).tobytes() == wanted.tobytes()


@every
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_part_is_that_of_the_whole(case, data):
    scheme, _ = SPELLED[case]
    shape = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 90)))
    index = data.draw(st.tuples(*(st.integers(-size, size - 1) | st.slices(size) for size in shape)))
    whole = scheme(shape, **KEY)
    wanted = np.array(whole[index], order="C")
    assert np.asarray(scheme(shape, index=index, **KEY)).tobytes() == wanted.tobytes()
    out = np.zeros((*wanted.shape, 3), np.float32)[..., 1]
    assert scheme(shape, index=index, out=out, **KEY) is out
    assert out.tobytes() == wanted.tobytes()


def test_a_draw_from_another_parameters_stream_is_that_parameters():
    shared = schemes.from_stream(schemes.normal(std=0.5), stream="wte.weight")
    assert (shared((30, 4), **KEY) == schemes.normal(std=0.5)((30, 4), seed=SEED, name="wte.weight")).all()
    assert (
        schemes.from_stream(schemes.orthogonal(), 1)((6, 4), **KEY)
        == schemes.orthogonal()((6, 4), seed=SEED, name=f"{NAME}#1")
    ).all()
    padded = schemes.from_stream(schemes.padded(schemes.normal(), 0), 1)
    assert (padded((6, 4), **KEY)[1:] == schemes.normal()((6, 4), seed=SEED, name=f"{NAME}#1")[1:]).all()


def test_a_plan_refuses_a_draw_whose_stream_is_another_parameters():
    sharing = schemes.from_stream(schemes.normal(), stream="a")
    further = sharing + schemes.from_stream(schemes.uniform(), 1)
    assert further.streams((3, 2), "b") == {"b", "b#1"}
    recipe = recipes.Recipe("mine", [recipes.Rule("b", further), recipes.Rule("*", schemes.normal())])
    assert len(fanin.plan({"a": (3,), "b": (3,)}, recipe, seed=0)) == 2
    with pytest.raises(ValueError, match="every parameter must have its own stream, got 'b#1'"):
        fanin.plan({"a": (3,), "b": (3,), "b#1": (3,)}, recipe, seed=0)


def test_a_draw_along_some_axes_has_the_fans_of_its_own_shape():
    row = schemes.from_stream(schemes.he_normal(layout="OI"), along=[0, 2])
    assert row.expected_std((6, 5, 8)) == schemes.he_normal(layout="OI").expected_std((6, 8))
    assert (row((6, 5, 8), **KEY)[:, 3] == schemes.he_normal(layout="OI")((6, 8), **KEY)).all()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 100])
def test_linspace_has_both_ends_and_is_symmetric(count):
    drawn = schemes.expression("linspace", [-0.7, 0.7, 0])((count,), dtype="float64", **KEY)
    assert drawn[0] == -0.7
    assert count == 1 or (drawn == -drawn[::-1]).all()
    np.testing.assert_allclose(drawn, np.linspace(-0.7, 0.7, count), rtol=0, atol=2e-16)
    assert schemes.expression("linspace", [3, 5, -1])((2, 3), **KEY).tolist() == [[3, 4, 5]] * 2


def test_all_thread_counts_give_the_same_bits():
    for scheme, _ in SPELLED.values():
        drawn = []
        for threads in (1, 2, 3):
            with fanin.num_threads(threads):
                drawn.append(scheme((201, 407), **KEY).tobytes())
        assert drawn[0] == drawn[1] == drawn[2]


def digests():
    """What the active instruction set gives."""
    shapes = [(), (1,), (7,), (4099,), (5, 37, 22), (1021, 3)]
    return {
        f"{case} {shape} {dtype}": hashlib.sha256(scheme(shape, dtype=dtype, **KEY).tobytes()).hexdigest()
        for case, scheme in {"mamba": mamba_as_written(), **{case: each for case, (each, _) in SPELLED.items()}}.items()
        for shape in shapes
        for dtype in FLOATS
        if len(shape) > 1 or case not in ("rows", "a transposed draw", "arange")
    }


@pytest.mark.parametrize("isa", fanin.info()["compiled_isas"])
def test_every_instruction_set_gives_the_same_bits(isa):
    if isa not in fanin.info()["available_isas"]:
        pytest.skip(f"this processor does not have {isa}")
    answer = json.loads(command(sys.executable, __file__, FANIN_FORCE_ISA=isa))
    assert answer["isa"] == isa
    wanted = digests()
    assert [case for case in wanted if answer["digests"][case] != wanted[case]] == []


def test_it_takes_no_memory_beside_its_output():
    """A block of each of its seven steps in each of two threads, whatever its size is."""
    program = """
        import numpy as np
        import fanin
        from fanin import schemes
        from processes import peak
        fanin.set_num_threads(2)
        scheme = schemes.expression("log", schemes.uniform(1.0, 16.0)).log1p()
        out = np.ones(2**24, np.float32)
        scheme(out=out[:100_000], seed=0, name="w")
        before = peak()
        scheme(out=out, seed=0, name="w")
        print(peak() - before)
        """
    assert int(run(program)) < 2**23


def test_the_callers_rounding_mode_has_no_say():
    program = """
        import ctypes, ctypes.util, sys
        from fanin import schemes
        x = schemes.from_stream(schemes.normal())
        scheme = (0.1 * x / 3 + 0.7).exp().log1p()
        key = {"seed": 0, "name": "w", "dtype": "float64"}
        wanted = scheme(300, **key).tobytes()
        libm = ctypes.CDLL(ctypes.util.find_library("m"))
        for mode in (0x400, 0x800, 0xC00):
            libm.fesetround(mode)
            found = scheme(300, **key).tobytes()
            libm.fesetround(0)
            assert found == wanted, mode
        print("equal")
        """
    assert run(program) == "equal"


# ---- values at the limits, and accuracy ------------------------------------------------------------------------------


LIMITS = [0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324, 2.0**-1022, 1.7e308, -1.7e308, -1.0, 1.0, 2.0**53]


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "sqrt", "abs", "negate"])
def test_limits_are_those_of_ieee_754(name):
    """What NumPy gives at zeros, infinities and subnormals is exact there."""
    with np.errstate(all="ignore"):
        wanted = {"negate": np.negative}.get(name, getattr(np, name, None))(np.array(LIMITS))
    found = function_of(name, LIMITS)
    exact = ~np.isfinite(wanted) | (wanted == 0) | np.isin(name, ["sqrt", "abs", "negate"])
    assert (found.view(np.uint64)[exact & ~np.isnan(wanted)] == wanted.view(np.uint64)[exact & ~np.isnan(wanted)]).all()
    assert (np.isnan(found) == np.isnan(wanted)).all()
    np.testing.assert_allclose(found, wanted, rtol=1e-15)


@pytest.mark.parametrize(
    ("dtype", "pattern"),
    [("float32", 0x7FC00000), ("float64", 0x7FF8 << 48), ("float16", 0x7E00), ("bfloat16", 0x7FC0)],
)
def test_a_nan_is_the_positive_quiet_one(dtype, pattern):
    for line in (
        "constant:-1;log",
        "constant:-1;sqrt",
        "constant:inf;negate;log1p",
        "constant:inf;constant:0;multiply",
    ):
        drawn = native(line, (5,), dtype)
        assert (drawn.view(f"u{drawn.itemsize}") == pattern).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_what_the_dtype_cannot_hold_is_infinite(dtype):
    assert (native("constant:1e308;constant:1e308;add", (3,), dtype) == np.inf).all()
    assert (native("constant:70000;negate", (3,), "float16") == -np.inf).all()


def test_minimum_and_maximum_keep_a_nan_of_either_operand():
    nan = "constant:-1;log"
    for name in ("minimum", "maximum"):
        assert np.isnan(native(f"{nan};constant:0;{name}", (2,))).all()
        assert np.isnan(native(f"constant:0;{nan};{name}", (2,))).all()


def ulps(found, exact):
    """The largest distance from mpmath's value, in units of the last place of the float64 next to it."""
    return max(abs(mp.mpf(float(a)) - b) / mp.mpf(math.ulp(float(b))) for a, b in zip(found, exact, strict=True))


RANGES = {  # function -> arguments, and the largest error that docs/stream-v1.md states
    "exp": (lambda r: np.concatenate([r.uniform(-745, 709.7, 3000), r.uniform(-1, 1, 1000)]), 0.83),
    "expm1": (
        lambda r: np.concatenate([r.uniform(-50, 45, 2000), r.uniform(-1.2, 1.2, 3000), 2.0 ** -r.uniform(1, 60, 500)]),
        2.4,
    ),
    "log": (lambda r: np.concatenate([np.exp(r.uniform(-740, 709, 2000)), r.uniform(0.5, 2, 3000)]), 1.5),
    "log1p": (
        lambda r: np.concatenate(
            [r.uniform(-0.9999, 3, 4000), 2.0 ** r.uniform(-60, 1000, 1000), -(2.0 ** -r.uniform(1, 60, 1000))]
        ),
        1.5,
    ),
}


@pytest.mark.parametrize("name", RANGES)
def test_errors_stay_below_those_that_the_page_states(name):
    arguments, most = RANGES[name]
    x = arguments(np.random.default_rng(5))
    found = getattr(reference_expressions, name)(x)  # all together, and some of them by the core
    some = np.random.default_rng(6).integers(0, x.size, 50)
    assert (function_of(name, x[some]) == found[some]).all()
    mp.prec = 120
    assert ulps(found, [getattr(mp, name)(mp.mpf(float(each))) for each in x]) <= most


# ---- as data and as text ---------------------------------------------------------------------------------------------


@every
def test_a_dict_and_a_text_carry_it(case):
    scheme, _ = SPELLED[case]
    assert Scheme.from_dict(json.loads(json.dumps(scheme.to_dict()))) == scheme
    assert recipes.scheme(scheme.describe()) == scheme
    assert recipes.scheme(repr(scheme)) == scheme


def test_a_recipe_of_toml_carries_it():
    recipe = recipes.Recipe("mine", [recipes.Rule("*.A_log", schemes.expression("log", schemes.uniform(1.0, 16.0)))])
    again = recipes.Recipe.from_toml(recipe.to_toml())
    assert again.rule("mixer.A_log").scheme == recipe.rule("mixer.A_log").scheme
    assert again.digest == recipe.digest


def test_it_reads_as_a_formula():
    scheme = schemes.expression("log", schemes.uniform(1.0, 16.0))
    assert scheme.describe() == "log(uniform(low=1, high=16))"
    assert repr(scheme) == "log(uniform(low=1.0, high=16.0))"
    assert (2 * X - Y / 3).describe() == (
        "(from_stream(of=normal(mean=0, std=2)) - (from_stream(of=uniform(low=-1, high=1), number=1) / 3))"
    )


def test_one_number_scales_it():
    scheme = schemes.expression("log", schemes.uniform(1.0, 16.0))
    assert (2 * scheme)(9, **KEY).tolist() == (2 * scheme(9, **KEY)).tolist()
    assert (2 * scheme) == scheme * 2
    assert (2 * scheme).expected_std((9,)) == 2 * scheme.expected_std((9,))


@pytest.mark.parametrize("shape", [(100_000,), (300, 400), (7,), (3, 50_000, 2)])
def test_expected_moments_are_near_the_exact_ones(shape):
    """log of U(1, 16): the estimate is of 65536 values, so its mean is off by 5·0.68/256 at most."""
    scheme = schemes.expression("log", schemes.uniform(1.0, 16.0))
    mean = (16 * math.log(16) - 15) / 15
    square = (16 * (math.log(16) ** 2 - 2 * math.log(16) + 2) - 2) / 15
    std = math.sqrt(square - mean**2)
    few = math.sqrt(min(2**16, 64 * math.prod(shape)))
    assert scheme.expected_mean(shape) == pytest.approx(mean, abs=5 * std / few)
    assert scheme.expected_std(shape) == pytest.approx(std, rel=5 / few)


# ---- what is refused -------------------------------------------------------------------------------------------------


def nested(depth):
    scheme = X
    for _ in range(depth):
        scheme = scheme.exp()
    return scheme


def doubled(times):
    scheme = X
    for _ in range(times):
        scheme = scheme + scheme
    return scheme


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: schemes.expression("sin", X), ValueError, "operation must be one of 'add', .* got 'sin'"),
        (lambda: schemes.expression("lg", X), ValueError, "did you mean 'log'"),
        (lambda: schemes.expression("add", [X]), ValueError, "of must be the 2 operands of add, got "),
        (lambda: schemes.expression("exp", math.nan), ValueError, r"of\[0\] must be a number, got nan"),
        (lambda: schemes.expression("exp", None), TypeError, r"of\[0\] must be a number, got None"),
        (lambda: schemes.expression("power", [X, 0]), ValueError, "exponent of power must not be 0"),
        (lambda: schemes.expression("power", [X, 0.5]), TypeError, "exponent of power must be an integer"),
        (lambda: schemes.expression("power", [X, 5000]), ValueError, "exponent of power must be at most 1024"),
        (lambda: schemes.expression("arange", [0, X, 1]), TypeError, "step of arange must be a number"),
        (lambda: PLACE((), **KEY), ValueError, "along must be axes of shape"),
        (lambda: schemes.from_stream(X, -1), ValueError, "number must be at least 0, got -1"),
        (lambda: schemes.from_stream(X, 1, stream="w"), ValueError, "number must be 0 where a stream is given, got 1"),
        (lambda: schemes.from_stream(X, along=[0, 0])((2, 2), **KEY), ValueError, "along must name each axis once"),
        (
            lambda: schemes.from_stream(X, along=[2])((2, 2), **KEY),
            ValueError,
            r"along must be axes of shape \(2, 2\), got 2",
        ),
        (
            lambda: schemes.expression("exp", schemes.orthogonal())((2, 2), **KEY),
            TypeError,
            "draws each element on its own",
        ),
        (
            lambda: schemes.expression("exp", schemes.lstm_bias())((4,), **KEY),
            TypeError,
            "draws each element on its own",
        ),
        (lambda: nested(25), ValueError, "of must be at most 24 operations within each other"),
        (lambda: doubled(10), ValueError, "1000 altogether"),
        (lambda: X + "1", TypeError, "unsupported operand"),
        (lambda: X * None, TypeError, "unsupported operand"),
        (lambda: X + True, TypeError, "unsupported operand"),
    ],
)
def test_what_an_expression_refuses(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((), "steps must be from 1 to 4096, got 0"),
        ((("sin", (), (), "", None),), "steps must be operations, draws or numbers, got 'sin'"),
        ((("exp", (0,), (), "", None),), "exp must have operands that precede it, got 0 at 0"),
        ((("constant", (), (), "", None),), "constant must have 1 numbers, got 0"),
        ((("uniform", (), (2.0, 1.0), "w", None),), "low must not exceed high"),
        ((("uniform", (), (-1e308, 1e308), "w", None),), "high - low must be finite"),
        ((("normal", (), (0.0, -1.0), "w", None),), "std must be finite and not negative"),
        ((("bernoulli", (), (2.0,), "w", None),), "p must be between 0 and 1"),
        ((("exponential", (), (0.0,), "w", None),), "rate must be positive"),
        ((("integers", (), (0.5, 2.0), "w", None),), "low and high must be integers"),
        ((("integers", (), (2.0, 2.0), "w", None),), "low must be below high"),
        ((("normal", (), (0.0, 1.0), "w", (0, 0)),), "axes of shape, each once, got 0"),
        ((("normal", (), (0.0, 1.0), "w", (1,)),), "axes of shape, each once, got 1"),
        ((("constant", (), (math.nan,), "", None),), "constant must have numbers, got nan"),
    ],
)
def test_the_core_checks_every_step(steps, message):
    with pytest.raises(ValueError, match=message):
        _core.expression(steps, 0, "w", _core.Dtype.float32, (3,), None, None)


if __name__ == "__main__":
    json.dump({"isa": fanin.info()["active_isa"], "digests": digests()}, sys.stdout)
