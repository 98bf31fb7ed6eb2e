"""Bernoulli, exponential, log-normal, integers, permutations: bits, statistics with fixed keys, what is refused."""

import itertools
import math

import numpy as np
import pytest
import reference
import reference_expressions
from interrupts import overrun
from scipy import stats

import fanin
from fanin import schemes

SEED, NAME = 0x243F6A8885A308D3, "h.0.attn.c_attn.weight"
FLOATS = tuple(reference.DTYPES)
P = 1e-4  # keys are fixed: a smaller p-value would be a defect and not chance
LAWS = {  # and what the reference calls them
    "bernoulli": (schemes.bernoulli(0.3), "bernoulli:0.3"),
    "exponential": (schemes.exponential(4.0), "exponential:4"),
    "log_normal": (schemes.log_normal(0.1, 0.5), "log_normal:0.1:0.5"),
    "integers": (schemes.integers(-5, 1000), "integers:-5:1000"),
}
every = pytest.mark.parametrize("law", LAWS)


def key(name):
    return {"seed": SEED, "name": name}


@every
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_law_is_that_of_the_page(law, dtype):
    scheme, line = LAWS[law]
    wanted = reference_expressions.elements(
        SEED, NAME, np.arange(600, dtype=np.uint64), f"expression,60x10,{line}", dtype
    ).reshape(60, 10)
    assert scheme((60, 10), dtype=dtype, **key(NAME)).tobytes() == wanted.tobytes()
    part = scheme((60, 10), dtype=dtype, index=np.s_[50:7:-3, 1::2], **key(NAME))
    assert part.tobytes() == np.ascontiguousarray(wanted[50:7:-3, 1::2]).tobytes()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (2,), (70,), (3, 33), (2, 3, 200), (20000,)])
def test_a_permutation_is_that_of_the_page(shape, dtype):
    flat = np.arange(math.prod(shape), dtype=np.uint64)
    sizes = "x".join(map(str, shape))
    wanted = reference_expressions.elements(SEED, NAME, flat, f"permutation,{sizes}", dtype).reshape(shape)
    assert schemes.permutation()(shape, dtype=dtype, **key(NAME)).tobytes() == wanted.tobytes()
    index = (*[slice(None, None, -1)] * (len(shape) - 1), slice(None, None, -3))
    part = schemes.permutation()(shape, dtype=dtype, index=index, **key(NAME))
    assert part.tobytes() == np.ascontiguousarray(wanted[index]).tobytes()


@pytest.mark.parametrize("law", ["bernoulli", "integers"])
def test_a_law_of_whole_numbers_is_the_same_in_every_dtype(law):
    scheme, _ = LAWS[law]
    single, double = (scheme(5000, dtype=dtype, **key("w")) for dtype in ("float32", "float64"))
    assert (single == double).all()


def test_all_thread_counts_give_the_same_bits():
    for scheme, _ in [*LAWS.values(), (schemes.permutation(), "")]:
        drawn = []
        for threads in (1, 2, 3):
            with fanin.num_threads(threads):
                drawn.append(scheme((61, 1003), **key("w")).tobytes())
        assert drawn[0] == drawn[1] == drawn[2]


# ---- statistics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 1e-4, 0.3, 0.5, 1.0])
def test_bernoulli_draws_ones_with_its_probability(p):
    ones = int(schemes.bernoulli(p)(10**6, **key("mask")).sum())
    assert stats.binomtest(ones, 10**6, p).pvalue > P


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponential_values_follow_their_law(dtype):
    drawn = schemes.exponential(2.5)(10**6, dtype=dtype, **key("w")).astype(np.float64)
    assert stats.kstest(drawn, stats.expon(scale=1 / 2.5).cdf).pvalue > P
    # The least of 10⁶ values, times 10⁶, is exponential too: there the uniform of 23 bits would pile up.
    least = np.sort(drawn)[:1000] * 2.5
    assert stats.kstest(-np.expm1(-least) / -math.expm1(-least[-1]), stats.uniform.cdf).pvalue > P
    assert drawn.min() > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_normal_values_follow_their_law(dtype):
    drawn = schemes.log_normal(0.3, 0.7)(10**6, dtype=dtype, **key("w")).astype(np.float64)
    assert stats.kstest(drawn, stats.lognorm(0.7, scale=math.exp(0.3)).cdf).pvalue > P


@pytest.mark.parametrize(("low", "high"), [(0, 7), (-3, 2), (5, 1005), (-(2**53), 0)])
def test_integers_are_equally_likely(low, high):
    drawn = schemes.integers(low, high)(10**6, dtype="float64", **key("w")).astype(np.int64)
    assert low <= drawn.min() <= drawn.max() < high
    cells = min(high - low, 1024)
    assert stats.chisquare(np.bincount((drawn - low) * cells // (high - low), minlength=cells)).pvalue > P


def test_permutations_are_equally_likely():
    drawn = schemes.permutation()((48000, 4), **key("order")).astype(np.int64)
    codes = {order: number for number, order in enumerate(itertools.permutations(range(4)))}
    counts = np.bincount([codes[tuple(order)] for order in drawn.tolist()], minlength=24)
    assert stats.chisquare(counts).pvalue > P


def test_a_permutation_chooses_what_sparse_chooses():
    """The first k of its order are the weights that are not zero: one order decides both."""
    order = schemes.permutation()((5, 90), **key("w"))[:, :12].astype(int)
    weights = schemes.sparse(1.0, nonzeros=12, layout="OI")((5, 90), **key("w"))
    for line, chosen in zip(weights, order, strict=True):
        assert set(np.flatnonzero(line)) == set(chosen)


@every
def test_expected_moments_are_those_of_the_law(law):
    scheme, _ = LAWS[law]
    drawn = scheme(10**6, dtype="float64", **key("w"))
    mean, std = scheme.expected_mean(10**6), scheme.expected_std(10**6)
    assert drawn.mean() == pytest.approx(mean, abs=5 * std / 1e3)
    assert drawn.std() == pytest.approx(std, rel=0.02)


def test_moments_of_a_permutation_are_exact():
    drawn = schemes.permutation()((2, 99), dtype="float64", **key("w"))
    assert schemes.permutation().expected_mean((2, 99)) == drawn.mean() == 49
    assert schemes.permutation().expected_std((2, 99)) == pytest.approx(drawn.std(), rel=1e-12)


# ---- limits ----------------------------------------------------------------------------------------------------------


def test_certain_events_are_certain():
    assert schemes.bernoulli(1.0)(10**5, **key("w")).all()
    assert not schemes.bernoulli(0.0)(10**5, **key("w")).any()
    assert (schemes.integers(3, 4)(1000, **key("w")) == 3).all()


def test_the_largest_integers_are_exact():
    drawn = schemes.integers(2**53 - 2, 2**53)(1000, dtype="float64", **key("w"))
    assert set(drawn.tolist()) == {2.0**53 - 2, 2.0**53 - 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schemes.bernoulli(1.5), "p must be between 0 and 1, got 1.5"),
        (lambda: schemes.bernoulli(math.nan), "p must be finite, got nan"),
        (lambda: schemes.exponential(0.0), "rate must be positive and finite, got 0.0"),
        (lambda: schemes.log_normal(0.0, -1.0), "std must be finite and not negative, got -1.0"),
        (lambda: schemes.integers(3, 3), "low must be below high, by at most 2.53, got low=3 and high=3"),
        (lambda: schemes.integers(-(2**53), 1), "low must be below high, by at most 2.53"),
        (lambda: schemes.integers(0, 2**53 + 1), "high must be at most 9007199254740992"),
        (lambda: schemes.permutation()((), **key("w")), "shape must have at least 1 dimension"),
        (lambda: schemes.permutation()((2**33,), index=0, **key("w")), "last axis of at most 2.28"),
    ],
)
def test_what_a_law_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_foreign_names_are_answered_with_ours():
    with pytest.raises(TypeError, match="rate="):
        schemes.exponential(lambd=1.0)
    with pytest.raises(TypeError, match="p="):
        schemes.bernoulli(probability=0.5)
    with pytest.raises(TypeError, match="cannot be scaled"):
        2 * schemes.permutation()


def test_a_long_permutation_ends_soon_after_an_interrupt():
    """Long before it would have ended: sorting takes twenty times as long as the shorter call."""
    call, unit = (f"fanin.permutation(2**{bits}, seed=0, name='w')" for bits in (24, 19))
    assert overrun(call, unit) < 5
