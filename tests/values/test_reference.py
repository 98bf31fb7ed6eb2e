"""The NumPy reference: known answers, exact arithmetic, and its transforms against mpmath within the stated ulp."""

import math
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import reference
from mpmath import mp, mpf

RNG = np.random.default_rng
INF = math.inf


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


def ulp(x):
    return mpf(float(np.spacing(abs(x))))


def ulps(found, exact):
    """The largest error in units of the last place of the exact value."""
    kind = found.dtype.type
    return max(abs(mpf(float(x)) - e) / ulp(kind(float(e))) for x, e in zip(found, exact, strict=True))


def words(width, count, seed=0):
    """Words of the given width: zero, all ones, near every power of two from either end, near quarters, and random."""
    rng, top = RNG(seed), 2**width
    edges = [q * top // 8 + d for q in range(9) for d in (-2, -1, 0, 1, 2)]
    for k in range(1, width):
        w = 2**k + int(rng.integers(2**k))
        edges += [w, top - 1 - w]
    rest = rng.integers(0, top, count, dtype=np.uint64)
    return np.concatenate([np.array([w for w in edges if 0 <= w < top], np.uint64), rest])


class TestWords:
    # Random123's vectors for philox4x32-10: counter, key, output.
    VECTORS = (
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    )

    @pytest.mark.parametrize(("counter", "key", "output"), VECTORS)
    def test_philox_has_the_known_answers_of_random123(self, counter, key, output):
        counter, key, output = ([int(word, 16) for word in text.split()] for text in (counter, key, output))
        assert reference.philox([np.uint64(c) for c in counter], tuple(key)) == output

    # From BLAKE2b as RFC 7693 states it, its parameter block written out.
    @pytest.mark.parametrize(
        ("name", "tag", "expected"),
        [
            ("", 0, 0xF0C127B9AB567054),
            ("", 1, 0x7527BCFE87BBD4DF),
            ("wte.weight", 0, 0xE46E34D6668765C0),
            ("wte.weight", 1, 0xCB7FA0AF61C836C8),
            ("层.重み", 0, 0x43F08CA4135474C2),
            ("x" * 127, 0, 0x422195AFC267A885),
            ("x" * 128, 0, 0x68111112AD9F05C8),
            ("x" * 300, 1, 0x2AA09B15078C5558),
        ],
    )
    def test_a_stream_id_is_blake2b_of_the_name(self, name, tag, expected):
        assert reference.stream_id(name, tag) == expected

    def test_a_lone_surrogate_has_no_stream(self):
        with pytest.raises(UnicodeEncodeError):
            reference.stream_id("\ud800", 0)

    @pytest.mark.parametrize("tile", [0, 1, 2**27 + 5, 2**55 - 1])
    def test_an_element_finds_its_word_in_its_tile(self, tile):
        """A tile is 32 blocks; its elements are their words 0, then 1, 2 and 3 (halves 0 and 1)."""
        seed, name = 0x243F6A8885A308D3, "w"
        for tag, size, join in ((0, 128, lambda *w: w), (1, 64, lambda a, b, c, d: (a + 2**32 * b, c + 2**32 * d))):
            blocks = []
            for block in range(32 * tile, 32 * tile + 32):
                stream = reference.stream_id(name, tag)
                counter = [block % 2**32, block // 2**32, stream % 2**32, stream // 2**32]
                output = reference.philox([np.uint64(c) for c in counter], (seed % 2**32, seed // 2**32))
                blocks.append(join(*map(int, output)))
            index = np.uint64(size * tile) + np.arange(size, dtype=np.uint64)
            found = reference.bits(seed, name, index, "uint64" if tag else "uint32")
            assert found.tolist() == [block[place] for place in range(size // 32) for block in blocks]


class TestArithmetic:
    """The emulations of what NumPy lacks, against rational numbers."""

    @staticmethod
    def operands(kind, count, spread, seed):
        """Random factors, and addends that cancel the product, exactly or nearly, make ties, or hardly change it."""
        rng, eps = RNG(seed), float(np.finfo(kind).eps)
        a, b = (
            np.ldexp(rng.uniform(1, 2, count), rng.integers(-spread, spread + 1, count)).astype(kind) for _ in range(2)
        )
        short = rng.random(count) < 0.5  # products with few bits make ties
        a = np.where(short, (a.view(f"i{a.itemsize}") & -(2 ** (3 * np.finfo(kind).nmant // 4))).view(kind), a)
        factor = rng.choice([-1, 0, 0.5, 1, 2, -3, eps / 2, -eps / 2, 1 / eps, -1 / eps**2, eps, eps**2], count)
        c = ((a * b).astype(np.float64) * factor * (1 + eps * rng.integers(-2, 3, count))).astype(kind)
        return a * rng.choice([1, -1], count).astype(kind), b, c

    @pytest.mark.parametrize("spread", [3, 30, 63])
    def test_fma32_rounds_once(self, spread):
        with np.errstate(over="ignore", under="ignore"):
            a, b, c = self.operands(np.float32, 4000, spread, 1)
            finite = np.isfinite(a * b) & np.isfinite(c)
            a, b, c = a[finite], b[finite], c[finite]
            found = reference.fma32(a, b, c)
        for x, y, z, result in zip(a, b, c, found, strict=True):
            assert result == round32(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)))

    def test_fma32_rounds_subnormals_once(self):
        rng = RNG(2)
        a = (rng.uniform(-1, 1, 4000) * 2.0**-70).astype(np.float32)
        b = (rng.uniform(-1, 1, 4000) * 2.0**-72).astype(np.float32)
        c = (rng.integers(-9, 10, 4000) * 2.0**-149).astype(np.float32)
        for x, y, z, result in zip(a, b, c, reference.fma32(a, b, c), strict=True):
            assert result == round32(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(z)))

    @pytest.mark.parametrize("spread", [3, 60, 390])
    def test_fma64_rounds_once(self, spread):
        with np.errstate(over="ignore", under="ignore"):
            a, b, c = self.operands(np.float64, 4000, spread, 3)
            c = np.where(np.isfinite(c), c, 1.0)
        for x, y, z, result in zip(a, b, c, reference.fma64(a, b, c), strict=True):
            assert result == reference.exact_fma(float(x), float(y), float(z))

    @pytest.mark.parametrize(
        ("a", "b", "c", "expected"),
        [
            (2.0**-600, 2.0**-474, 0.0, 2.0**-1074),
            (2.0**-600, 2.0**-475, 0.0, 0.0),
            (-(2.0**-600), 2.0**-500, 0.0, -0.0),
            (1 + 2.0**-52, 1 - 2.0**-53, -1.0, 2.0**-53 - 2.0**-105),
            (2.0**-538, 3 * 2.0**-538, 2.0**-1022, 2.0**-1022 + 2.0**-1074),
            (2.0**700, 2.0**700, -INF, -INF),
            (2.0**512, 2.0**512, -1.0, INF),
            (0.0, 5.0, -0.0, 0.0),
            (3.0, 5.0, -15.0, 0.0),
            (INF, 1.0, 1.0, INF),
            (1e-300, -1e-300, 1.0, 1.0),
        ],
    )
    def test_fma64_rounds_once_at_the_ends_of_the_range(self, a, b, c, expected):
        found = float(reference.fma64(a, b, c))
        assert (found, math.copysign(1, found)) == (expected, math.copysign(1, expected))

    def test_bfloat16_rounds_once_to_nearest_even(self):
        ties = [0x00008000, 0x00018000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF]
        x = np.concatenate([np.arange(0, 0x7F800000, 40503), ties]).astype(np.uint32).view(np.float32)
        with np.errstate(over="ignore"):
            assert (reference.to_dtype(x, "bfloat16") == x.astype(ml_dtypes.bfloat16)).all()
            assert (reference.to_dtype(-x, "bfloat16") == -x.astype(ml_dtypes.bfloat16)).all()

    @pytest.mark.parametrize("dtype", reference.DTYPES)
    @pytest.mark.parametrize("bounds", [(-0.3, 0.7), (0.1, 0.1000001), (-1e-9, 1e-9), (1.0, 2.0), (-1e39, 1e39)])
    def test_bounds_round_to_the_inside(self, dtype, bounds):
        low, high = reference.inward(*bounds, dtype)
        kind = reference.DTYPES[dtype].type
        assert low >= bounds[0]
        assert high <= bounds[1]
        with np.errstate(over="ignore"):
            below, above = float(np.nextafter(kind(low), kind(-INF))), float(np.nextafter(kind(high), kind(INF)))
        assert below < bounds[0]
        assert above > bounds[1]


def round32(value):
    """A rational number rounded to float32, to nearest even."""
    if value == 0:
        return 0.0
    exponent = max(-149, (abs(value).numerator.bit_length() - value.denominator.bit_length()) - 24)
    while abs(value) >= Fraction(2) ** (exponent + 24):
        exponent += 1
    return float(round(value / Fraction(2) ** exponent) * Fraction(2) ** exponent)


def exact_radius32(w):
    return mp.sqrt(-2 * mp.log((w + mpf(0.5)) / 2**32))


def exact_radius64(w):
    return mp.sqrt(-2 * mp.log((2 * (w >> 12) + 1) / mpf(2) ** 53))


class TestNormal:
    def test_the_radius_is_accurate_to_two_ulp(self):
        w = words(32, 800)
        assert ulps(reference.radius32(w), [exact_radius32(int(x)) for x in w]) < 2
        w = words(64, 800)
        assert ulps(reference.radius64(w), [exact_radius64(int(x)) for x in w]) < 1.5

    @staticmethod
    def exact_direction(w, width, used):
        """Two flags and an angle within ±π/4."""
        offset = (w >> (width - 2 - used)) % 2**used
        x = (offset - (2**used if offset >= 2 ** (used - 1) else 0) + mpf(0.5)) * mp.pi / 2 ** (used + 1)
        c, s = (mp.sin(x), mp.cos(x)) if w >> (width - 2) & 1 else (mp.cos(x), mp.sin(x))
        return c, s, -1 if w >> (width - 1) else 1

    @pytest.mark.parametrize(
        ("bits", "direction", "pair", "radius", "limits"),
        [
            ((32, 30), reference.direction32, reference.normal_pair32, exact_radius32, (3, 5)),
            ((64, 52), reference.direction64, reference.normal_pair64, exact_radius64, (2, 4)),
        ],
        ids=["float32", "float64"],
    )
    def test_direction_and_product_are_accurate_to_the_stated_ulp(self, bits, direction, pair, radius, limits):
        width, used = bits
        w_direction = words(width, 800)
        w_radius = words(width, len(w_direction) + 1000, seed=1)[-len(w_direction) :]
        exact = [self.exact_direction(int(w), width, used) for w in w_direction]
        c, s, turn = direction(w_direction)
        assert (np.where(turn, -1, 1) == [sign for _, _, sign in exact]).all()
        assert ulps(c, [e[0] for e in exact]) < limits[0]
        assert ulps(s, [e[1] for e in exact]) < limits[0]
        lengths = [sign * radius(int(w)) for w, (_, _, sign) in zip(w_radius, exact, strict=True)]
        x, y = pair(w_radius, w_direction)
        assert ulps(x, [r * e[0] for r, e in zip(lengths, exact, strict=True)]) < limits[1]
        assert ulps(y, [r * e[1] for r, e in zip(lengths, exact, strict=True)]) < limits[1]

    def test_the_range_ends_where_stated(self):
        """The longest radius along an axis, and the shortest across it: never 0."""
        zero, ones = np.array([0], np.uint64), np.array([2**32 - 1], np.uint64)
        assert 6.7637 < reference.normal_pair32(zero, zero)[0][0] < 6.7638
        assert 0 < reference.normal_pair32(ones, zero)[1][0] < 1e-13
        assert 8.5716 < reference.normal_pair64(zero, zero)[0][0] < 8.5717
        assert 0 < reference.normal_pair64(ones * np.uint64(2**32 + 1), zero)[1][0] < 1e-23


def tail(x):
    return mp.mpf(0) if x == INF else mp.mpf(1) if x == -INF else mp.erfc(x / mp.sqrt(2)) / 2


def exact_truncated(u, alpha, beta, guess):
    """The quantile at u of the standard normal between alpha and beta: Newton's iteration on the tail's logarithm."""
    mirrored = beta <= 0 or (alpha < 0 and u < 0.5)
    if mirrored:
        u, alpha, beta, guess = 1 - u, -beta, -alpha, -guess
    target = mp.log(tail(alpha) * (1 - u) + u * tail(beta))
    x, step = mpf(guess), mpf(1)
    while abs(step) > mpf(10) ** -40 * (1 + abs(x)):
        above = tail(x)
        step = (mp.log(above) - target) * above * mp.sqrt(2 * mp.pi) * mp.exp(x * x / 2)
        x += step
    return -x if mirrored else x


WINDOWS = [
    (-2, 2),
    (-0.5, 0.5),
    (-INF, INF),
    (0, INF),
    (1, 3),
    (-4.9, -4),
    (4.99, INF),
    (-1e-6, 1e-6),
    (-3, 1),
    (-1, 5.5),
    (4.9, 30),
    (-INF, 2),
    (2, 2.0001),
    (5, 6),
    (6, INF),
    (-INF, -8),
    (30, 31),
    (40, INF),
    (1000, INF),
]


class TestTruncatedNormal:
    @pytest.mark.parametrize("window", WINDOWS)
    @pytest.mark.parametrize("short", [True, False], ids=["float32", "float64"])
    def test_values_are_accurate_to_the_stated_ulp(self, window, short):
        """Within 4.5 ulp + 2⁻²⁵ std where all is float32, else 0.53 ulp + 2⁻⁵³ std; in float64 2 ulp + 2⁻⁵¹ std."""
        width, kind = (32, np.float32) if short else (52, np.float64)
        ulp_limit, absolute = (2, mpf(2) ** -51)
        if short:
            ulp_limit, absolute = (4.5, mpf(2) ** -25) if window[0] <= 0 <= window[1] else (0.53, mpf(2) ** -53)
        low, high = reference.inward(*window, np.dtype(kind).name)
        w = words(width, 60)
        values = reference.truncated_values(w, short, 0.0, 1.0, low, high).astype(kind)
        for word, x in zip(w, np.clip(values, kind(low), kind(high)), strict=True):
            exact = exact_truncated((int(word) + mpf(0.5)) / mpf(2) ** width, mpf(low), mpf(high), float(x))
            assert abs(mpf(float(x)) - exact) <= ulp_limit * ulp(kind(float(exact))) + absolute, (int(word), x)

    @pytest.mark.parametrize("bound", [1e-6, 0.5, 2.0, 3.0, 4.9, 7.0, INF])
    def test_a_symmetric_window_gives_exactly_symmetric_values_in_float64(self, bound):
        w = words(52, 2000)
        mirror = np.uint64(2**52 - 1) - w
        x, mirrored = (reference.truncated_values(v, False, 0.0, 1.0, -bound, bound) for v in (w, mirror))
        assert (x == -mirrored).all()

    @pytest.mark.parametrize("window", [*WINDOWS[:6], (3, INF), (3, 3.2), (5, 6), (-INF, -8)])
    @pytest.mark.parametrize("width", [32, 52])
    def test_values_rise_with_the_word(self, window, width):
        """Or fall by an ulp, where rounding has it; by 3 where all is float32."""
        kind = np.float32 if width == 32 else np.float64
        fall = 3 if width == 32 and window[0] <= 0 <= window[1] else 1
        for u in (1e-9, 0.001, 0.00102445, 0.1, 0.3, 0.5, 0.9, 0.99897555, 0.999, 1 - 1e-9):
            start = min(int(u * 2**width), 2**width - 1000)
            w = np.arange(start, start + 1000).astype(np.uint64)
            x = reference.truncated_values(w, width == 32, 0.0, 1.0, *window).astype(kind)
            assert (np.diff(x) >= -fall * np.spacing(abs(x[1:]))).all()
        w = np.sort(words(width, 5000))
        x = reference.truncated_values(w, width == 32, 0.0, 1.0, *window).astype(kind)
        assert (np.diff(x) >= -fall * np.spacing(abs(x[1:]))).all()

    def test_an_exponential_tail_far_from_the_mean(self):
        """A thousand std out, the values, of the order of 1e-3, are within 2 ulp + 2⁻⁵⁷."""
        w = words(52, 100)
        x = reference.truncated_values(w, False, -1000.0, 1.0, 0.0, INF)
        for word, value in zip(w, x, strict=True):
            u = (int(word) + mpf(0.5)) / mpf(2) ** 52
            exact = exact_truncated(u, mpf(1000), mpf(INF), 1000 + float(value)) - 1000
            assert abs(mpf(float(value)) - exact) <= 2 * ulp(value) + mpf(2) ** -57

    def test_a_window_without_width_gives_its_bound(self):
        index = np.arange(300)
        for parameters in ((0.5, 0.0, -1.0, 1.0, "absolute"), (0.0, 1.0, 0.5, 0.5, "absolute")):
            assert (reference.truncated_normal(0, "w", index, *parameters) == 0.5).all()


class TestUniform:
    @pytest.mark.parametrize("dtype", reference.DTYPES)
    @pytest.mark.parametrize("bounds", [(0.0, 1.0), (-0.3, 0.7), (0.1, 0.1001), (-1e-40, 1e-40), (1.0, 1.0)])
    def test_the_extreme_words_stay_within_the_bounds(self, dtype, bounds, monkeypatch):
        low, high = reference.inward(*bounds, dtype)
        if low > high:
            pytest.skip(f"no {dtype} lies between")
        for width in (32, 64):
            monkeypatch.setattr(reference, f"bits{width}", lambda *_, width=width: words(width, 1000))
        u = reference.uniform(0, "w", 0, *bounds, dtype).astype(np.float64)
        assert low <= u.min() <= low + (high - low) * 2**-6
        assert high >= u.max() >= high - (high - low) * 2**-6
