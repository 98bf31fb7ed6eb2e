"""Biases, positions and state spaces: what their papers say they are for."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special, stats

import fanin
from fanin import schemes

KEY = {"seed": 2, "name": "w"}


@pytest.mark.parametrize("probability", [0.01, 0.5, 0.9, 1e-12, 1 - 2**-53])
def test_a_sigmoid_output_first_predicts_the_prior(probability):
    bias = fanin.prior_probability(3, probability, dtype="float64")
    assert special.expit(bias) == pytest.approx(probability, rel=1e-14)


def test_the_prior_of_the_paper():
    """Lin et al. 2017: π = 0.01, b = -log((1 - π)/π) = -4.595."""
    assert fanin.prior_probability((), 0.01, dtype="float64") == pytest.approx(-4.59511985, abs=1e-8)
    assert fanin.prior_probability((), 0.5, dtype="float64") == 0


def test_the_forget_gate_of_an_lstm_starts_open_and_its_memory_lasts():
    """Jozefowicz, Zaremba and Sutskever 2015: with bias 0 the gate keeps ½ at every step, with 1 it keeps 0.73."""
    for forget, kept in ((0.0, 0.5), (1.0, 0.731)):
        bias = fanin.lstm_bias(8, forget, **KEY)
        gates = bias.reshape(4, 2)
        assert (gates[[0, 2, 3]] == 0).all()
        assert special.expit(gates[1]) == pytest.approx(kept, abs=1e-3)


def test_other_gates_may_have_any_scheme():
    bias = fanin.lstm_bias(4000, others=schemes.uniform(-0.5, 0.5), **KEY).reshape(4, 1000)
    assert (bias[1] == 1).all()
    for gate in (0, 2, 3):
        assert stats.kstest(bias[gate], "uniform", (-0.5, 1)).pvalue > 1e-3
    assert len(np.unique(bias[[0, 2, 3]])) > 2990  # each gate has its own values


@pytest.mark.parametrize(("order", "gate"), [("rzn", 1), ("zrn", 0)])
def test_the_update_gate_of_a_gru_is_where_its_framework_has_it(order, gate):
    assert (fanin.gru_bias(6, order=order, **KEY).reshape(3, 2).sum(axis=1) == np.eye(3)[gate] * 2).all()


def test_mamba_steps_are_log_uniform_after_softplus():
    """Gu and Dao 2023, section 3.6: Δ = softplus(b) with log Δ uniform between log 0.001 and log 0.1."""
    steps = np.log1p(np.exp(fanin.mamba_step_bias(20000, dtype="float64", **KEY)))
    assert 1e-3 <= steps.min() < 1.01e-3
    assert 0.099 < steps.max() <= 0.1
    assert stats.kstest(np.log(steps), "uniform", (math.log(1e-3), math.log(100))).pvalue > 1e-3


def test_no_mamba_step_is_below_the_floor():
    steps = np.log1p(np.exp(fanin.mamba_step_bias(20000, 1e-6, 0.1, 1e-4, dtype="float64", **KEY)))
    assert steps.min() == pytest.approx(1e-4, rel=1e-12)
    assert (steps < 1.0001e-4).mean() == pytest.approx(0.4, abs=0.02)  # log(1e-4/1e-6)/log(0.1/1e-6)


def test_mamba_log_range_is_the_diagonal_of_s4d_real():
    """A = -exp(A_log) is -1, -2, …, -N in every channel."""
    table = fanin.mamba_log_range((5, 16), dtype="float64")
    # Half an ulp of a logarithm up to 2.8 is 3e-16 of the number, and NumPy's exp is good to 4 ulp.
    assert np.exp(table) == pytest.approx(np.tile(np.arange(1, 17), (5, 1)), rel=2e-15)
    with mp.workdps(40):
        assert (table == [float(mp.log(n)) for n in range(1, 17)]).all()


def test_a_position_is_a_rotation_of_any_other():
    """Vaswani et al. 2017, section 3.5: PE(pos + k) is a linear function of PE(pos), the same for every pos."""
    table = fanin.sinusoid((400, 32), dtype="float64")
    now, later = table[:-57], table[57:]
    rotation, *_ = np.linalg.lstsq(now, later, rcond=None)
    assert abs(now @ rotation - later).max() < 1e-9
    assert table @ table.T == pytest.approx((table @ table.T)[0, 0] * np.eye(400), abs=16.0)


@pytest.mark.parametrize("features", [1, 6, 7, 64])
def test_positions_are_sines_and_cosines(features):
    """By mpmath: the difference of two numbers up to 1 that are good to 1.6e-16 and 1.1e-16, and its own rounding."""
    index = (slice(None, None, 9973), slice(None))
    pairs = fanin.sinusoid((70000, features), dtype="float64", index=index)
    halves = fanin.sinusoid((70000, features), interleaved=False, dtype="float64", index=index)
    with mp.workdps(40):
        turns = [mpf(10000) ** (-mpf(2 * i) / features) for i in range((features + 1) // 2)]
        angles = [[position * turn for turn in turns] for position in range(0, 70000, 9973)]
        sines, cosines = (np.array([[float(f(a)) for a in row] for row in angles]) for f in (mp.sin, mp.cos))
    wanted = np.empty_like(pairs)
    wanted[:, ::2], wanted[:, 1::2] = sines, cosines[:, : features // 2]
    assert abs(pairs - wanted).max() < 3e-16
    assert (halves == np.concatenate([pairs[:, ::2], pairs[:, 1::2]], axis=1)).all()


def test_more_tokens_and_a_padding_row_leave_the_others_alone():
    few, more = (fanin.embedding((count, 16), padding=7, **KEY) for count in (100, 150))
    assert (few == more[:100]).all()
    assert (few[7] == 0).all()
    assert (np.delete(few, 7, 0) == np.delete(fanin.embedding((100, 16), **KEY), 7, 0)).all()


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: schemes.prior_probability(0.0), ValueError, "probability must be between 0 and 1, got 0.0"),
        (lambda: schemes.prior_probability(1.0), ValueError, "probability must be between 0 and 1, got 1.0"),
        (lambda: schemes.gate_bias(gate=4, gates=4), ValueError, r"gate must be in \[0, 4\), got 4"),
        (lambda: schemes.gru_bias(order="rz"), ValueError, "order must be one of 'rzn', 'zrn', got 'rz'"),
        (lambda: fanin.lstm_bias(7, **KEY), ValueError, "must be a multiple of 4, or sizes be given"),
        (lambda: schemes.mamba_step_bias(0.1, 0.01), ValueError, "low must not exceed high, got low=0.1 and high=0.01"),
        (lambda: schemes.mamba_step_bias(floor=-1.0), ValueError, "floor must be finite and not negative, got -1.0"),
        (lambda: fanin.mamba_log_range(()), ValueError, r"shape must have at least 1 dimension, .*, got \(\)"),
        (lambda: fanin.sinusoid((3, 3, 3)), ValueError, "must have 2 dimensions, positions and features"),
        (lambda: schemes.sinusoid(0.0), ValueError, "base must be positive and finite, got 0.0"),
        (
            lambda: fanin.embedding((3, 2), padding=3, **KEY),
            ValueError,
            r"row, or padding, must be one of the rows of shape \(3, 2\), got 3",
        ),
        (lambda: schemes.concatenate([]), TypeError, "schemes must be a sequence of schemes"),
        (lambda: schemes.concatenate([schemes.zeros()], sizes=(1, 2)), ValueError, "sizes must be one for each of 1"),
        (lambda: schemes.concatenate([schemes.zeros()], sizes=(2,))(3, **KEY), ValueError, "sizes must add up to 3"),
        (lambda: schemes.concatenate([schemes.zeros()], axis=1)(3, **KEY), ValueError, "axis must be one of the 1"),
        (
            lambda: schemes.identity()((2, 3, 4), **KEY),
            ValueError,
            "2 dimensions without a layout, got .*; .* use dirac",
        ),
        (lambda: schemes.dirac(layout="OI")((2, 3), **KEY), ValueError, "at least 3 dimensions"),
        (lambda: schemes.sparse(layout="OI"), ValueError, "one of nonzeros and sparsity must be given"),
        (lambda: schemes.sparse(nonzeros=1, sparsity=0.5, layout="OI"), ValueError, "one of nonzeros and sparsity"),
        (lambda: schemes.sparse(sparsity=1.5, layout="OI"), ValueError, "sparsity must be between 0 and 1, got 1.5"),
        (lambda: schemes.sparse(nonzeros=-1, layout="OI"), ValueError, "nonzeros must be at least 0, got -1"),
        (lambda: schemes.sparse(nonzeros=9, layout="OI")((4, 8), **KEY), ValueError, "nonzeros must be at most 8"),
        (
            lambda: schemes.sparse(nonzeros=1, per="row", layout="OI"),
            ValueError,
            "per must be one of 'output', 'input'",
        ),
    ],
)
def test_what_cannot_be_is_refused(build, error, message):
    with pytest.raises(error, match=message):
        build()
