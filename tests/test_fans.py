"""Fans come from the global shape and a layout that is always named."""

import pytest

import fanin
from fanin import Fans


@pytest.mark.parametrize(
    ("shape", "layout", "fans"),
    [
        ((10, 784), "OI", (784, 10)),
        ((784, 10), "IO", (784, 10)),
        ((64, 32, 3, 5), "OI", (32 * 15, 64 * 15)),
        ((3, 5, 32, 64), "IO", (32 * 15, 64 * 15)),
        ((8, 4, 3), "OI", (12, 24)),
        ((2, 3, 4, 5, 6), "IO", (120, 144)),
        ((0, 7), "OI", (7, 0)),
        ([1, 1], "OI", (1, 1)),
    ],
)
def test_fans_of_linear_and_convolutional_weights(shape, layout, fans):
    assert Fans.of(shape, layout) == Fans(*fans)


def test_fans_are_exact_at_any_size():
    assert Fans.of((3, 2**61 + 1), "OI") == Fans(2**61 + 1, 3)


def test_means_of_the_fans():
    fans = Fans(8, 2)
    assert (fans.avg, fans.geo_avg) == (5.0, 4.0)
    assert [fans.by(mode) for mode in ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")] == [8.0, 2.0, 5.0, 4.0]


def test_fans_cannot_be_changed():
    with pytest.raises(AttributeError):
        Fans(1, 2).fan_in = 3


@pytest.mark.parametrize("shape", [(), 5, (5,)])
def test_vectors_have_no_fans(shape):
    with pytest.raises(ValueError, match=r"at least 2 dimensions, in and out.* for biases"):
        Fans.of(shape, "OI")


@pytest.mark.parametrize("layout", [None, "", "oi", "OIHW", 1])
def test_the_layout_must_be_one_of_two_and_the_error_names_both(layout):
    with pytest.raises(ValueError, match=r'layout must be "OI".*PyTorch, or "IO".*Keras and JAX'):
        Fans.of((2, 3), layout)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be one of fan_in, fan_out, fan_avg, fan_geo_avg, got 'avg'"):
        Fans(1, 2).by("avg")


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="got -2 at axis 1"):
        fanin.he_normal((3, -2), seed=0, name="w", layout="OI", index=0)
