"""Statistics of an array in one reading: those of NumPy, with bits that neither strides nor threads change."""

import math

import numpy as np
import pytest
from interrupts import overrun

from fanin import _core, schemes

DTYPES = ["float32", "float64", "float16", "bfloat16"]


def draw(shape, scheme=None, dtype="float32"):
    return (scheme or schemes.he_normal(layout="OI"))(shape, seed=0, name="w", dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (300, 171), (3, 1, 70001)])
def test_statistics_are_those_of_numpy_in_float64(dtype, shape):
    x = draw(shape, schemes.normal(mean=0.25), dtype=dtype)
    s, wide = _core.statistics(x), x.astype(np.float64)
    assert (s["count"], s["finite"], s["nan"], s["infinite"]) == (x.size, x.size, 0, 0)
    assert s["zeros"] == np.count_nonzero(wide == 0)
    assert s["mean"] == pytest.approx(wide.mean(), rel=1e-12)
    assert s["std"] == pytest.approx(wide.std(), rel=1e-12)
    assert (s["minimum"], s["maximum"]) == (wide.min(), wide.max())


def test_a_mean_a_million_std_away_and_a_first_value_far_off_cost_no_digits():
    x = draw((1_000_003,), schemes.normal(mean=1e6), dtype="float64")
    x[0] = -3e6
    exact = math.sqrt(math.fsum((x - math.fsum(x) / x.size) ** 2) / x.size)  # to a few units of the last place
    s = _core.statistics(x)
    assert s["mean"] == pytest.approx(math.fsum(x) / x.size, rel=1e-15)
    assert s["std"] == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("exponent", [-970, -530, -100, 100, 505, 512, 1000])
def test_a_power_of_two_in_the_values_is_one_in_their_statistics(exponent):
    """At 2⁵⁰⁵, or 10¹⁵², squares are finite and sums of them are not."""
    x = draw((10_001,), schemes.normal(mean=1.0, std=1e-4), dtype="float64")
    s, ordinary = _core.statistics(np.ldexp(x, exponent)), _core.statistics(x)
    for key in ("mean", "std", "minimum", "maximum"):
        assert s[key] == math.ldexp(ordinary[key], exponent)


def test_sums_of_the_largest_values_do_not_overflow():
    equal = _core.statistics(np.full(4096, 1e308))
    assert (equal["mean"], equal["std"]) == (1e308, 0)
    mixed = _core.statistics(np.repeat([1.7e308, -1.7e308], 5000))
    assert abs(mixed["mean"]) < 1e296
    assert mixed["std"] == pytest.approx(1.7e308, rel=1e-12)


@pytest.mark.parametrize("view", [np.s_[::3], np.s_[::-1], np.s_[:, ::2], np.s_[5:, None, 3:], np.s_[::-2, ::-7]])
def test_strides_change_no_bit(view):
    x = draw((301, 222))
    assert _core.statistics(x[view]) == _core.statistics(np.ascontiguousarray(x[view]))
    assert _core.statistics(x.T) == _core.statistics(np.ascontiguousarray(x.T))
    assert _core.statistics(x.T)["hash"] != _core.statistics(x)["hash"]


def test_threads_change_no_bit():
    x = draw((1000, 999))
    try:
        results = []
        for threads in (1, 2, 5):
            _core.set_num_threads(threads)
            results.append(_core.statistics(x))
    finally:
        _core.set_num_threads(None)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_finite_is_counted_and_left_out(dtype):
    x = draw((5000,), schemes.uniform(), dtype=dtype)
    clean = x.copy()
    x[[0, 17, 4999]] = np.nan, np.inf, -np.inf
    s, rest = _core.statistics(x), np.delete(clean, [0, 17, 4999]).astype(np.float64)
    assert (s["nan"], s["infinite"], s["finite"]) == (1, 2, 4997)
    assert (s["minimum"], s["maximum"]) == (rest.min(), rest.max())
    assert s["std"] == pytest.approx(rest.std(), rel=1e-12)
    nothing = _core.statistics(np.full(3, np.nan, x.dtype))
    assert nothing["finite"] == 0
    assert all(math.isnan(nothing[key]) for key in ("mean", "std", "minimum", "maximum"))


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64, ">f4", np.longdouble, "V2", object])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(
        TypeError, match="array must be float32, float64, float16 or bfloat16 in native byte order, got"
    ):
        _core.statistics(np.zeros(3, dtype))


def test_another_thread_ends_it_by_ctrl_c():
    """Without an answer, it would go on for 63 units; with one, it does for less than 0.1."""
    read = "_core.statistics(np.broadcast_to(np.float32(1), ({},)))"  # gigabytes that take no memory
    assert overrun(read.format(2**34), unit=read.format(2**28)) < 1
