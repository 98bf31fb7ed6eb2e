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


@pytest.mark.parametrize("layout", [None, "", "oi", "HWI", "ÖI", 1])
def test_a_layout_that_cannot_be_is_refused_and_the_error_names_those_that_can(layout):
    with pytest.raises(
        ValueError, match=r'layout must be "OI".*PyTorch, or "IO".*Keras and JAX, or one capital letter'
    ):
        Fans.of((2, 3), layout)


@pytest.mark.parametrize(
    ("shape", "layout", "fans"),
    [
        ((10, 784), "OI", (784, 10)),
        ((3, 3, 32, 64), "HWIO", (288, 576)),
        ((64, 3, 3, 32), "OHWI", (288, 576)),  # MLX
        ((512, 8, 64), "IOO", (512, 512)),  # an attention kernel: embedding, heads, size
        ((8, 64, 512), "IIO", (512, 512)),
        ((16, 100, 300), "BOI", (300, 100)),  # experts
        ((3, 3, 32, 4), "HWBO", (9, 36)),  # Keras's depthwise convolution
    ],
)
def test_a_layout_may_name_every_axis(shape, layout, fans):
    assert Fans.of(shape, layout) == Fans(*fans)


@pytest.mark.parametrize(
    ("shape", "layout", "groups", "fans"),
    [
        ((64, 1, 3, 3), "OI", 64, (9, 9)),
        ((3, 3, 1, 128), "IO", 64, (9, 18)),
        ((64, 16, 5), "OI", 2, (80, 160)),
    ],
)
def test_an_input_of_a_grouped_convolution_feeds_the_outputs_of_its_group_only(shape, layout, groups, fans):
    """torch, Keras and JAX count all outputs: pytorch#23854."""
    assert Fans.of(shape, layout, groups=groups) == Fans(*fans)


@pytest.mark.parametrize(
    ("shape", "layout", "groups", "fans"),
    [
        ((32, 64, 3, 3), "OI", 1, (288, 576)),  # ConvTranspose2d(32, 64, 3)
        ((32, 16, 3, 3), "OI", 4, (72, 144)),  # ConvTranspose2d(32, 64, 3, groups=4)
        ((3, 3, 64, 32), "IO", 1, (288, 576)),  # Conv2DTranspose(64, 3) of 32 channels
    ],
)
def test_a_transposed_convolution_stores_its_inputs_where_others_have_outputs(shape, layout, groups, fans):
    assert Fans.of(shape, layout, groups=groups, transposed=True) == Fans(*fans)


def test_fused_blocks_have_the_fans_of_one():
    assert Fans.of((4 * 256, 100), "OI", blocks=4) == Fans(100, 256)
    assert Fans.of((100, 3 * 256), "IO", blocks=(256, 256, 256)) == Fans(100, 256)
    assert Fans.of_blocks((6144, 4096), "OI", blocks=(4096, 1024, 1024)) == (
        Fans(4096, 4096),
        Fans(4096, 1024),
        Fans(4096, 1024),
    )
    with pytest.raises(ValueError, match="blocks of unequal sizes have fans of their own"):
        Fans.of((6144, 4096), "OI", blocks=(4096, 1024, 1024))


@pytest.mark.parametrize(
    ("shape", "convention", "fans"),
    [
        ((64, 1, 3, 3), "torch", (9, 576)),
        ((32, 64, 3, 3), "torch", (576, 288)),  # a ConvTranspose2d weight
        ((3, 3, 64, 1), "keras", (576, 9)),  # a DepthwiseConv2D kernel
        ((7,), "keras", (7, 7)),
        ((), "keras", (1, 1)),
        ((512, 8, 64), "jax", (512 * 8, 64 * 512)),
    ],
)
def test_each_library_has_its_own_way(shape, convention, fans):
    assert Fans.of(shape, None, convention=convention) == Fans(*fans)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (((8, 4), "OI"), {"groups": 3}, "groups must be at least 1 and divide the outputs of shape .8, 4., got 3"),
        (((8, 4), "OI"), {"groups": 0}, "groups must be at least 1"),
        (((8, 4), "OI"), {"groups": 3, "transposed": True}, "groups must be at least 1 and divide the inputs"),
        (((8, 4), "OI"), {"blocks": 3}, "blocks must divide the 8 outputs of shape .8, 4., got 3"),
        (((8, 4), "OI"), {"blocks": (4, 3)}, "blocks must add up to the 8 outputs"),
        (((8, 4), "OIH"), {}, "layout must have a letter for each axis of shape .8, 4., got 'OIH'"),
        (((8, 4, 2), "OIH"), {"transposed": True}, "transposed must be False where the layout names every axis"),
        (((8, 4), "IO"), {"convention": "torch"}, "layout must be None or 'OI' with convention 'torch', got 'IO'"),
        (((8, 4), None), {"convention": "torch", "groups": 2}, "groups, transposed and blocks must be left out"),
        (((8, 4), None), {"convention": "mxnet"}, "convention must be one of 'torch', 'keras', 'jax', got 'mxnet'"),
    ],
)
def test_fans_that_cannot_be(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        Fans.of(*arguments, **options)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="mode must be one of 'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg', got"):
        Fans(1, 2).by("avg")


def test_a_negative_size_is_refused():
    with pytest.raises(ValueError, match="got -2 at axis 1"):
        fanin.he_normal((3, -2), seed=0, name="w", layout="OI", index=0)
