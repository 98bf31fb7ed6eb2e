"""Sinusoids and step biases are accurate to the ulp that docs/stream-v1.md states, against mpmath."""

import itertools
import math
from functools import cache

import numpy as np
import pytest
import reference_schemes
from mpmath import mp, mpf
from native_schemes import NAME, SEED, Scheme, code, turns

from fanin import _core


@cache
def angles():
    """Positions, and the exact sine and cosine of each of 16 frequencies in turn at each of them."""
    with mp.workdps(60):
        rng = np.random.default_rng(0)
        rows = [0, 1, 2, 3, 7, 100, 1023, 2**20 - 1, 2**20, *rng.integers(0, 2**20, 91).tolist()]
        exact = []
        for row, i in itertools.product(rows, range(16)):
            angle = row * mpf(10000) ** (-mpf(i) / 16)
            exact += [mp.sin(angle), mp.cos(angle)]
        return rows, exact


class TestAccuracy:
    """Errors in ulp of the exact value, against mpmath: what docs/stream-v1.md states."""

    @staticmethod
    def ulps(found, exact, floor=0.0):
        kind = found.dtype.type
        worst = 0
        for x, e in zip(found.ravel().tolist(), exact, strict=True):
            unit = mpf(float(np.spacing(kind(max(abs(float(e)), floor)))))
            worst = max(worst, abs(mpf(x) - e) / unit)
        return float(worst)

    @pytest.fixture(autouse=True)
    def sixty_digits(self):
        with mp.workdps(60):
            yield

    def sinusoids(self, rows, dtype):
        scheme = Scheme("sinusoid", (2**20 + 1, 32), *turns(16), True)
        return np.stack([scheme.native(dtype, np.s_[row, :]) for row in rows])

    def test_sinusoid_float32_is_correctly_rounded_but_for_ties(self):
        rows, exact = angles()
        assert self.ulps(self.sinusoids(rows, "float32"), exact) < 0.5001

    def test_sinusoid_float64_is_accurate_to_the_stated_ulp(self):
        rows, exact = angles()
        found = self.sinusoids(rows, "float64")
        assert max(abs(mpf(x) - e) for x, e in zip(found.ravel().tolist(), exact, strict=True)) < 1.6e-16
        assert self.ulps(found, exact) < 2.5

    def test_the_exponential_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(1)
        y = np.concatenate([rng.uniform(-700, 700, 3000), rng.uniform(-1, 1, 2000), [0.0, 1e-300, -1e-9]])
        assert self.ulps(reference_schemes.exp(y), [mp.exp(mpf(v)) for v in y.tolist()]) < 1

    def test_one_minus_the_exponential_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(2)
        y = -np.concatenate(
            [rng.uniform(0, 40, 2000), 10.0 ** rng.uniform(-300, 2, 3000), [0.34, 0.35, 99, 101, 1e300]]
        )
        assert self.ulps(reference_schemes.one_minus_exp(y), [-mp.expm1(mpf(v)) for v in y.tolist()]) < 1.2

    def test_the_logarithm_is_accurate_to_the_stated_ulp(self):
        rng = np.random.default_rng(3)
        x = np.concatenate([10.0 ** rng.uniform(-300, 300, 3000), rng.uniform(0.5, 2, 2000)])
        assert self.ulps(reference_schemes.ln(x), [mp.log(mpf(v)) for v in x.tolist()]) < 1.5

    def test_the_inverse_softplus_is_accurate_to_the_stated_ulp(self):
        """It crosses 0 at ln 2, where the error is that of numbers near 1."""
        rng = np.random.default_rng(4)
        step = np.concatenate([10.0 ** rng.uniform(-300, 300, 2000), 10.0 ** rng.uniform(-4, 1, 3000)])
        exact = [mpf(v) + mp.log(-mp.expm1(-mpf(v))) for v in step.tolist()]
        assert self.ulps(reference_schemes.inverse_softplus(step), exact, floor=1.0) < 2.7

    @pytest.mark.parametrize(("low", "high", "floor"), [(0.001, 0.1, 1e-4), (1e-6, 10.0, 0.01)])
    def test_the_step_bias_is_accurate_to_the_stated_ulp(self, low, high, floor):
        """The whole of it: an error of ln low in ulp becomes one of the step, relative to it."""
        shape = (3000,)
        for dtype, bound in (("float32", 0.51), ("float64", -1.2 * math.log(low))):
            found = _core.step_bias(low, high, floor, SEED, NAME, code(dtype), shape, None, None)
            u = _core.uniform(0.0, 1.0, SEED, NAME, code(dtype), shape, None, None)
            exact = []
            for v in u.tolist():
                step = mpf(low) * (mpf(high) / mpf(low)) ** mpf(v)
                step = max(step, mpf(floor))
                exact.append(mp.log(mp.expm1(step)))
            assert self.ulps(found, exact, floor=1.0) < bound
