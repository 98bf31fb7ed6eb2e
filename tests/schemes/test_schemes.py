"""Three spellings of one scheme draw the same values, with the std that its formula says."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

import fanin
from fanin import schemes

KEY = {"seed": 5, "name": "layer.weight"}
SHAPE = (48, 20, 3)  # OI: fan_in 60, fan_out 144

# name: (options, std for a fan_in of 60 and a fan_out of 144, distribution)
SCHEMES = {
    "variance_scaling": ({"scale": 3.0, "mode": "fan_geo_avg"}, (3 / (60 * 144) ** 0.5) ** 0.5, "truncated_normal"),
    "xavier_uniform": ({"activation": "tanh"}, fanin.gain("tanh") * (1 / 102) ** 0.5, "uniform"),
    "xavier_normal": ({"gain": 0.5}, 0.5 * (1 / 102) ** 0.5, "normal"),
    "he_uniform": ({"mode": "fan_out"}, (2 / 144) ** 0.5, "uniform"),
    "he_normal": ({"activation": ("leaky_relu", 0.5)}, (2 / 1.25 / 60) ** 0.5, "normal"),
    "lecun_uniform": ({}, (1 / 60) ** 0.5, "uniform"),
    "lecun_normal": ({"truncate": 2.0}, (1 / 60) ** 0.5, "truncated_normal"),
}
every_scheme = pytest.mark.parametrize(
    ("name", "options"), [(name, case[0]) for name, case in SCHEMES.items()], ids=SCHEMES
)


@every_scheme
@pytest.mark.parametrize("placement", [{}, {"dtype": "bfloat16"}, {"index": np.s_[5:, ::2]}])
def test_function_object_and_namespace_agree(name, options, placement):
    scheme = getattr(schemes, name)(layout="OI", **options)
    expected = scheme(SHAPE, **KEY, **placement)
    assert (getattr(fanin, name)(SHAPE, layout="OI", **options, **KEY, **placement) == expected).all()
    init = fanin.seeded(5, layout="OI")
    assert (getattr(init, name)("layer.weight", SHAPE, **options, **placement) == expected).all()
    assert (init.draw(scheme, "layer.weight", SHAPE, **placement) == expected).all()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("uniform", (-1.0, 2.0)),
        ("normal", (1.0, 0.3)),
        ("truncated_normal", (1.0, 0.3, -1.0, 3.0)),
        ("constant", (0.25,)),
        ("zeros", ()),
        ("ones", ()),
    ],
)
def test_distributions_have_the_same_three_spellings(name, arguments):
    key = KEY if name in ("uniform", "normal", "truncated_normal") else {}
    expected = getattr(fanin, name)(SHAPE, *arguments, **key)
    assert (getattr(schemes, name)(*arguments)(SHAPE, **KEY) == expected).all()
    assert (getattr(fanin.seeded(5), name)("layer.weight", SHAPE, *arguments) == expected).all()


def test_the_namespace_draws_bits():
    assert (fanin.seeded(5).bits("layer.weight", 9) == fanin.bits(9, **KEY)).all()


@every_scheme
def test_the_std_is_the_formula_s(name, options):
    _, expected, distribution = SCHEMES[name]
    scheme = getattr(schemes, name)(layout="OI", **options)
    assert scheme.expected_std(SHAPE) == pytest.approx(expected, rel=1e-15)
    assert scheme.expected_mean(SHAPE) == 0.0
    assert scheme.distribution == distribution


@every_scheme
@pytest.mark.parametrize("layout", ["OI", "IO"])
def test_samples_have_the_expected_std(name, options, layout):
    """Within 5 standard errors: of the std of a normal, the largest of the three distributions."""
    scheme = getattr(schemes, name)(layout=layout, **options)
    values = scheme((400, 300), dtype="float64", **KEY)
    expected = scheme.expected_std((400, 300))
    assert values.std() == pytest.approx(expected, rel=5 / math.sqrt(2 * values.size))
    assert abs(values.mean()) < 5 * expected / math.sqrt(values.size)


@pytest.mark.parametrize("truncate", [1e-3, 0.5, 1.0, 2.0, 2.5, 4.0, 8.0])
def test_truncation_keeps_the_variance_exactly(truncate):
    cut = schemes.he_normal(layout="IO", truncate=truncate)
    assert (
        cut.expected_std((50, 7))
        == schemes.he_normal(layout="IO").expected_std((50, 7))
        == math.sqrt(2) / math.sqrt(50)
    )
    values = cut((500, 600), seed=1, name="w", dtype="float64")
    widened = (
        cut.expected_std((500, 600)) / stats.truncnorm.std(-truncate, truncate)
        if truncate > 0.01
        else values.max() / truncate
    )
    assert np.abs(values).max() <= truncate * widened * (1 + 1e-12)
    assert values.std() == pytest.approx(cut.expected_std((500, 600)), rel=5 / math.sqrt(2 * values.size))


@pytest.mark.parametrize("layout", ["OI", "IO"])
def test_uniform_bounds_are_root_three_times_the_std(layout):
    values = fanin.lecun_uniform((300, 400), layout=layout, **KEY)
    bound = math.sqrt(3 / (400 if layout == "OI" else 300))
    assert 0.9999 * bound < np.abs(values).max() <= bound * (1 + 1e-7)


def test_aliases_are_the_same():
    for namespace in (fanin, schemes, fanin.Seeded):
        for kind in ("uniform", "normal"):
            assert getattr(namespace, f"glorot_{kind}") is getattr(namespace, f"xavier_{kind}")
            assert getattr(namespace, f"kaiming_{kind}") is getattr(namespace, f"he_{kind}")


def test_relu_is_the_default_of_he_and_no_gain_that_of_xavier():
    assert schemes.he_normal(layout="OI").gain == math.sqrt(2)
    assert schemes.xavier_normal(layout="OI").gain == schemes.lecun_normal(layout="OI").gain == 1.0


def test_gain_overrides_the_activation():
    assert schemes.he_normal(layout="OI", activation="tanh", gain=0.7).gain == 0.7


@pytest.mark.parametrize("name", SCHEMES)
def test_a_layout_is_never_guessed(name):
    with pytest.raises(ValueError, match=r'"OI".*"IO"'):
        getattr(schemes, name)()
    with pytest.raises(ValueError, match=r'"OI".*"IO"'):
        getattr(fanin, name)(SHAPE, **KEY)
    with pytest.raises(ValueError, match=r'"OI".*"IO"'):
        getattr(fanin.seeded(5), name)("layer.weight", SHAPE)


@every_scheme
@pytest.mark.parametrize("layout", ["OI", "IO"])
def test_zero_size_weights_are_empty(name, options, layout):
    scheme = getattr(schemes, name)(layout=layout, **options)
    for shape in ((0, 5), (5, 0), (0, 0), (3, 3, 0, 4), (2**40, 0)):
        assert scheme(shape, **KEY).shape == shape
        assert math.isfinite(scheme.expected_std(shape)), shape


def test_a_part_has_the_std_of_the_whole():
    whole = fanin.he_normal((64, 4096), layout="OI", **KEY)
    part = fanin.he_normal((64, 4096), layout="OI", index=np.s_[:, :10], **KEY)
    assert (part == whole[:, :10]).all()


def test_schemes_are_frozen_hashable_and_compare_by_value():
    scheme = schemes.he_normal(layout="OI")
    assert scheme == schemes.kaiming_normal(layout="OI", activation="relu")
    assert len({scheme, schemes.he_normal(layout="OI"), schemes.he_normal(layout="IO")}) == 2
    with pytest.raises(AttributeError):
        scheme.gain = 2.0
    assert not hasattr(scheme, "__dict__")


def test_schemes_describe_themselves_exactly():
    assert schemes.zeros().describe() == "constant(0)"
    assert schemes.normal(0.0, 0.02).describe() == "normal(mean=0, std=0.02)"
    assert schemes.uniform(-1, 1).describe() == "uniform(low=-1, high=1)"
    cut = schemes.truncated_normal(0, 0.02, -0.06, 0.06, bounds="absolute")
    assert cut.describe() == "truncated_normal(mean=0, std=0.02, low=-0.06, high=0.06, bounds=absolute)"
    described = "variance_scaling(gain=1.4142135623730951, mode=fan_in, distribution=normal, layout=OI)"
    assert schemes.he_normal(layout="OI").describe() == described
    cut = described.replace("=normal", "=truncated_normal")
    assert schemes.he_normal(layout="OI", truncate=2).describe() == cut
    assert schemes.he_normal(layout="OI", truncate=3).describe() == cut.replace("OI)", "OI, truncate=3)")


@pytest.mark.parametrize(
    ("scheme", "mean", "std"),
    [
        (schemes.constant(0.3), 0.3, 0.0),
        (schemes.uniform(-1.0, 2.0), 0.5, 3 / math.sqrt(12)),
        (schemes.normal(1.0, 0.2), 1.0, 0.2),
        (schemes.truncated_normal(0.5, 0.0), 0.5, 0.0),
        (schemes.truncated_normal(1.5, 0.0, 1.0, 2.0, bounds="absolute"), 1.5, 0.0),
        (schemes.truncated_normal(0.0, 2.0, -3.0, 3.0, bounds="absolute"), 0.0, 2 * stats.truncnorm.std(-1.5, 1.5)),
    ],
)
def test_expected_moments_are_those_of_the_formula(scheme, mean, std):
    assert scheme.expected_mean((3,)) == pytest.approx(mean, abs=1e-12)
    assert scheme.expected_std((3,)) == pytest.approx(std, rel=1e-12)


@pytest.mark.parametrize(
    "window", [(-2, 2), (-1, 3), (0, math.inf), (-math.inf, -1), (4, 5), (30, 31), (-100, -50), (1, 1.001)]
)
def test_expected_moments_of_any_window(window):
    scheme = schemes.truncated_normal(1.0, 2.0, *window)
    low, high = (mpmath.mpf(bound) for bound in window)
    with mpmath.workdps(30):
        near = min(max(mpmath.mpf(0), low), high)
        cuts = [point for point in (near + k / max(1, abs(near)) for k in range(-40, 41, 4)) if low < point < high]
        ends = [max(low, near - 40), *cuts, min(high, near + 40)]

        def moment(power):
            return mpmath.quad(lambda x: x**power * mpmath.exp((near - x) * (near + x) / 2), ends)

        mean = moment(1) / moment(0)
        std = mpmath.sqrt(moment(2) / moment(0) - mean**2)
    assert scheme.expected_mean(()) == pytest.approx(float(1 + 2 * mean), rel=1e-9)
    assert scheme.expected_std(()) == pytest.approx(float(2 * std), rel=1e-7)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: schemes.VarianceScaling(mode="in", layout="OI"), "mode must be one of 'fan_in'"),
        (lambda: schemes.VarianceScaling(distribution="gauss", layout="OI"), "distribution must be one of 'normal'"),
        (lambda: schemes.VarianceScaling(gain=-1.0, layout="OI"), "gain must be finite and not negative, got -1.0"),
        (lambda: schemes.VarianceScaling(gain=math.nan, layout="OI"), "gain must be finite"),
        (lambda: schemes.VarianceScaling(truncate=0.0, layout="OI"), "truncate must be positive and finite, got 0.0"),
        (lambda: schemes.VarianceScaling(truncate=math.inf, layout="OI"), "truncate must be finite"),
        (lambda: schemes.variance_scaling(-1.0, layout="OI"), "scale must be finite and not negative, got -1.0"),
        (lambda: schemes.variance_scaling(math.inf, layout="OI"), "scale must be finite"),
        (lambda: schemes.he_normal(layout="OI", activation="swoosh"), "activation must be one of"),
        (lambda: schemes.truncated_normal(bounds="sigma"), "bounds must be one of 'std', 'absolute', got 'sigma'"),
        (lambda: fanin.seeded(0, layout="oi"), "layout must be"),
        (lambda: fanin.seeded(-1), "seed must be in"),
    ],
)
def test_what_a_scheme_cannot_be(build, message):
    with pytest.raises(ValueError, match=message):
        build()
