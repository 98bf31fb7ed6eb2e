"""No bit depends on how the calling thread rounds, or on whether it takes subnormal numbers for zero."""

import functools
import gc

import pytest
from environments import ENVIRONMENTS, LINUX, environment
from scheme_cases import CASES
from signatures import CALLS, outcome, plain

import fanin
from fanin import Fans, layers, models, recipes, schemes
from fanin.schemes import Scheme
from fanin.signals import activations
from fanin.signals.gains import GAINS

pytestmark = LINUX

KEY = {"seed": 3, "name": "w"}
SHAPES = {"haar": (6, 6), "delta_orthogonal": (8, 4, 3), "dirac": (8, 4, 3), "mup": (12, 12), "lstm_bias": (12,)}
SHAPES |= {"gru_bias": (12,), "concatenate": (6, 9), "xavier_normal, unequal blocks": (12, 7)}
SHAPES |= {"orthogonal, blocks": (12, 7), "xavier_uniform, letters": (12, 5, 4)}
SHAPES |= {"stack": (6, 5, 3), "stack, of stacks": (4, 3, 2, 5), "transpose": (3, 4, 5), "regions": (24, 5)}
DTYPES = ("float32", "float64", "float16", "bfloat16")
TOML = """
name = "computed"
layout = "OI"

[[rules]]
pattern = "fc.weight"
scheme = { scheme = "he_normal", activation = ["leaky_relu", 0.2], truncate = 2.2 }

[[rules]]
pattern = "fc.bias"
scheme = { scheme = "normal", std = 0.02, mean = 1e-310 }
"""
SHAPES_OF_A_MODEL = {"fc.weight": (12, 30), "fc.bias": (12,)}


def every_case(use):
    """What `use` makes of every scheme."""
    return {name: use(name, scheme) for name, (scheme, _) in CASES.items()}


def drawn(name, scheme):
    shape = SHAPES.get(name, (12, 10))
    return [plain(scheme(shape, dtype=dtype, **KEY)) for dtype in DTYPES]


def scaled(name, scheme):
    if name.startswith(("mamba", "sinusoid", "permutation")):
        return None
    return [plain(factor * scheme) for factor in (0.3, 1e-300)] + drawn(name, 0.3 * scheme)


def made_again(name, scheme):
    shape = SHAPES.get(name, (12, 10))
    again = Scheme.from_dict(scheme.to_dict())
    return plain(again), scheme.expected_mean(shape), scheme.expected_std(shape)


def gains():
    named = {}
    for name in GAINS:
        named[name] = fanin.gain(name), fanin.gain(name, derivative=True), fanin.gain(name, centred=True)
    for slope in (0.01, 0.2, 1 / 3, 1e-300, -0.7):
        named["leaky_relu", slope] = fanin.gain(("leaky_relu", slope))
    for other in (("elu", 0.3), ("softplus", 0.7), ("hard_tanh", -0.3, 0.9), activations.function("gelu")):
        named[other] = fanin.gain(other), fanin.gain(other, centred=True)
    return list(named.values())


def built():
    """Schemes and recipes with parameters from which something is computed."""
    return [
        schemes.he_normal(layout="OI", activation=("leaky_relu", 0.2), truncate=1.7),
        schemes.variance_scaling(0.3, "fan_geo_avg", "uniform", layout="IO"),
        schemes.scaled_residual(layers=7, std=0.1),
        schemes.torchtitan_residual(layer=2, std=0.1),
        schemes.deepnorm(7, 5, layout="OI"),
        schemes.fixup(blocks=7, depth=3, layout="OI"),
        schemes.t_fixup(layers=7, stack="decoder", layout="OI"),
        schemes.siren(omega=7.0, layout="OI"),
        schemes.prior_probability(0.3),
        *(recipes.scheme(text) for text in ("normal(mean=0.1, std=0.02)", "he_uniform(layout=OI, gain=1.7e-3)")),
        *(recipes.gpt2(7), recipes.llama(3, std=0.1, depth_scaled=True), recipes.bert(std=0.1, truncated=True)),
        *(recipes.vit(std=0.1, paper=True), recipes.resnet(18, features=77), recipes.lstm_lm(forget=0.1, bound=0.3)),
        *(recipes.deepnorm(3, 7), recipes.mup(recipes.gpt2(3), models.gpt2(layers=3, width=64))),
        *(recipes.torch_default(SHAPES_OF_A_MODEL), recipes.Recipe.from_toml(TOML)),
        *(layers.linear(77, 10, framework=each) for each in ("fanin", "torch", "keras", "flax")),
        layers.gru(77, 10, framework="torch"),
    ]


def planned():
    computed = fanin.plan(SHAPES_OF_A_MODEL, recipes.Recipe.from_toml(TOML), seed=0, dtype="float64")
    default = fanin.plan(SHAPES_OF_A_MODEL, "torch-default", seed=0)
    return [(plain(plan), {name: plain(plan[name]) for name in SHAPES_OF_A_MODEL}) for plan in (computed, default)]


def advised():
    advice = [
        fanin.recommend(activation, layer, depth=depth, residual=residual)
        for activation in ("gelu", "tanh", ("leaky_relu", 0.2))
        for layer in ("linear", "conv", "recurrent", "attention")
        for depth, residual in ((None, False), (7, True), (100, False))
    ]
    return [plain(each.scheme) for each in advice], fanin.review(schemes.normal(std=0.02), (64, 64))


def fans():
    of = [Fans.of((77, 30, 3), "OI"), Fans(3, 10**18 + 1), Fans(2**60 + 1, 3)]
    return [(each.avg, each.geo_avg, *(each.by(mode) for mode in ("fan_in", "fan_out"))) for each in of]


WHAT = {
    "every scheme": functools.partial(every_case, drawn),
    "every scheme times a number": functools.partial(every_case, scaled),
    "every scheme of a dict, its mean and std": functools.partial(every_case, made_again),
    "gains": gains,
    "schemes, recipes and layers that compute": lambda: [plain(each) for each in built()],
    "plans": planned,
    "recommendations": advised,
    "fans": fans,
    "every public function": lambda: {
        label: outcome(function, base) for label, (function, base) in CALLS.items() if label != "seed_from"
    },
}


def caches():
    """What the package remembers of earlier calls."""
    found = [each for each in gc.get_objects() if type(each) is functools._lru_cache_wrapper]
    return [each for each in found if str(each.__module__).startswith("fanin.")]


@pytest.mark.parametrize("what", WHAT)
def test_bits_are_the_same_however_the_thread_rounds(what):
    expected = WHAT[what]()  # which imports all that it needs
    remembered = caches()
    for each in ENVIRONMENTS:
        for cache in remembered:
            cache.cache_clear()
        with environment(*each):
            found = WHAT[what]()
        assert found == expected, each


def test_the_environments_do_differ():
    third = {}
    for each in ENVIRONMENTS:
        one, three, five, tiny = 1.0, 3.0, 5.0, 1e-310
        with environment(*each):
            third[each] = one / three, -one / three, one / five, tiny * one
    assert len(set(third.values())) == len(ENVIRONMENTS)
