"""Schemes that know the depth or width of the network: numbers their papers print, and what they claim."""

import math

import numpy as np
import pytest

import fanin
from fanin import schemes

KEY = {"seed": 3, "name": "w"}


def test_gpt2_scales_the_residual_projections_by_the_root_of_their_number():
    """Radford et al. 2019: 1/√N with N residual layers, of which GPT-2 124M has 24."""
    assert schemes.scaled_residual(layers=12) == schemes.normal(std=0.02 / math.sqrt(24))
    assert schemes.scaled_residual(layers=9, std=0.03, branches=1) == schemes.normal(std=0.01)


def test_the_sum_of_scaled_branches_has_the_size_of_one():
    width, layers = 400, 8
    branches = [
        schemes.scaled_residual(layers=layers, std=1 / math.sqrt(width))(
            (width, width), seed=0, name=f"h.{i}.proj.weight"
        )
        @ fanin.normal((width, 50), seed=0, name=f"x.{i}")
        for i in range(2 * layers)
    ]
    assert sum(branches).std() == pytest.approx(1.0, rel=0.05)


def test_torchtitan_scales_each_layer_by_its_own_depth():
    stds = [schemes.torchtitan_residual(layer=layer).expected_std(()) for layer in range(4)]
    assert stds == pytest.approx([0.02 / math.sqrt(2 * (layer + 1)) for layer in range(4)])
    assert fanin.torchtitan_residual((8, 8), layer=0, **KEY).std() == pytest.approx(0.02 / math.sqrt(2), rel=0.2)


def test_deepnorm_bounds_the_update_of_the_whole_network():
    """Wang et al. 2022, section 4.3: 2N branches of weight β² move a residual of weight α by 2N·β²/α² = O(1)."""
    for stack in ("encoder", "decoder"):
        moved = []
        for layers in (1, 10, 100, 1000):
            counts = {f"{stack}_layers": layers}
            alpha = schemes.deepnorm_alpha(**counts, stack=stack)
            beta = schemes.deepnorm(**counts, stack=stack, layout="OI").gain
            moved.append(2 * layers * beta**2 / alpha**2)
        assert moved == pytest.approx([0.5] * 4, rel=1e-12)


def test_deepnorm_of_encoder_and_decoder_bounds_the_update_too():
    """The decoder's 3M branches, at any depth; and in the encoder α and β have opposite powers of N⁴M (figure 2)."""
    for layers in (6, 60, 600):
        decoder = schemes.deepnorm(layers, layers, stack="decoder", layout="OI").gain
        assert 3 * layers * decoder**2 / schemes.deepnorm_alpha(layers, layers, stack="decoder") ** 2 == pytest.approx(
            0.5
        )
        encoder = schemes.deepnorm(layers, layers, stack="encoder", layout="OI").gain
        alpha = schemes.deepnorm_alpha(layers, layers, stack="encoder")
        assert alpha * encoder == pytest.approx(0.81 * 0.87)


def residual_network(scheme, last, blocks=32, width=200):
    """The output of a ReLU network of two-layer branches, as a multiple of its input."""
    signal = fanin.normal((width, 100), seed=0, name="x", dtype="float64")
    before = signal.std()
    for i in range(blocks):
        inner = scheme((width, width), seed=0, name=f"{i}.1.weight", dtype="float64") @ signal
        signal = signal + last((width, width), seed=0, name=f"{i}.2.weight", dtype="float64") @ np.maximum(inner, 0)
    return signal.std() / before


def test_without_fixup_a_residual_network_explodes_and_with_it_starts_as_the_identity():
    he = schemes.he_normal(layout="OI")
    assert residual_network(he, he) > 1e4  # doubled variance a block: 2^16
    assert residual_network(schemes.fixup(blocks=32, layout="OI"), schemes.zeros()) == 1.0


@pytest.mark.parametrize(("depth", "power"), [(2, 1 / 2), (3, 1 / 4), (4, 1 / 6)])
def test_fixup_makes_the_first_step_of_a_network_as_large_as_that_of_one_layer(depth, power):
    """Zhang, Dauphin and Ma 2019: L branches of m weights, each scaled by a, move by L·a^(2m-2) = 1."""
    for blocks in (1, 16, 1000):
        factor = schemes.fixup(blocks=blocks, depth=depth, layout="OI").gain / math.sqrt(2)
        assert factor == pytest.approx(blocks**-power, rel=1e-14)
        assert blocks * factor ** (2 * depth - 2) == pytest.approx(1, rel=1e-13)


def test_t_fixup_has_the_factors_of_the_paper():
    """Huang et al. 2020, section 3.2: (9N)^(-1/4) in decoder and embeddings, 0.67·N^(-1/4) in the encoder."""
    assert schemes.t_fixup(layers=16, layout="OI").gain == pytest.approx(0.335)
    assert schemes.t_fixup(layers=9, stack="decoder", layout="OI").gain == pytest.approx(1 / 3)
    assert schemes.t_fixup(layers=1, layout="OI").distribution == "uniform"
    assert schemes.t_fixup_embedding(layers=9).expected_std((1000, 400)) == pytest.approx(1 / 60)


def test_branches_that_start_at_zero_or_nearly():
    assert schemes.rezero is schemes.skip_init
    assert fanin.rezero((), dtype="float64") == 0
    # Touvron et al. 2021, section 2.2: 0.1 up to 18 layers, 1e-5 at 24, 1e-6 above.
    assert [schemes.layer_scale(layers=layers).value for layers in (12, 18, 24, 36)] == [0.1, 0.1, 1e-5, 1e-6]


def test_siren_keeps_the_size_of_its_signals():
    """Sitzmann et al. 2020, theorem 1.8: weights of variance 2/fan_in bring normal inputs, of variance v, to sines.

    Their mean square is (1 - e^(-2v))/2, so that v goes to 1 - e^(-2v), whose fixed point is 0.797, at any depth.
    """
    x = fanin.uniform((2, 4000), -1.0, 1.0, seed=0, name="x", dtype="float64")
    first = schemes.siren(first=True, layout="OI")((512, 2), seed=0, name="0.weight", dtype="float64")
    assert abs(first).max() <= 0.5
    signal, variance = np.sin(30 * (first @ x)), 1.0
    for layer in range(1, 9):
        weight = schemes.siren(layout="OI")((512, 512), seed=0, name=f"{layer}.weight", dtype="float64")
        assert abs(weight).max() <= math.sqrt(6 / 512) / 30
        before = 30 * (weight @ signal)
        assert before.var() == pytest.approx(variance, rel=0.07)
        signal, variance = np.sin(before), 1 - math.exp(-2 * variance)
    assert variance == pytest.approx(0.797, abs=1e-3)


@pytest.mark.parametrize(
    ("scheme", "base", "shape", "std"),
    [
        (schemes.normal(std=0.02), (256, 256), (1024, 1024), 0.01),  # hidden: 1/√m
        (schemes.normal(std=0.02), (256, 10), (1024, 10), 0.02),  # input
        (schemes.normal(std=0.02), (10, 256), (10, 1024), 0.02),  # output
        (schemes.normal(std=0.02), (256,), (1024,), 0.02),  # bias
        (schemes.he_normal(layout="OI"), (128, 128), (512, 512), math.sqrt(2 / 512)),  # already right
        (schemes.he_normal(layout="OI"), (10, 128), (10, 512), math.sqrt(2 / 128)),
        (schemes.he_normal(layout="OI"), (128, 10), (512, 10), math.sqrt(2 / 10)),
        (schemes.he_normal(layout="OI", mode="fan_out"), (128, 64), (512, 512), math.sqrt(2 / 128 / 8)),
        (schemes.xavier_normal(layout="OI"), (128, 10), (512, 10), math.sqrt(2 / 138)),
        (schemes.xavier_normal(layout="OI"), (128, 128), (512, 512), math.sqrt(1 / 128) / 2),
        (schemes.xavier_uniform(layout="IO"), (64, 128), (256, 512), math.sqrt(2 / 192) / 2),
    ],
)
def test_mup_keeps_what_the_base_width_has_and_shrinks_hidden_weights(scheme, base, shape, std):
    """Yang et al. 2021, table 3; as mup.init: equal at the base, hidden weights by the root of the input's growth."""
    assert schemes.mup(scheme, base).expected_std(base) == scheme.expected_std(base)
    assert schemes.mup(scheme, base).expected_std(shape) == pytest.approx(std, rel=1e-14)


def test_a_readout_of_mup_grows_by_the_root_of_the_width_that_its_output_is_divided_by():
    scheme = schemes.mup(schemes.normal(std=0.02), (10, 256), readout=True)
    assert scheme.expected_std((10, 4096)) == pytest.approx(0.08)
    bias = schemes.mup(schemes.zeros(), (10,), readout=True)
    assert (bias((10,), **KEY) == 0).all()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: schemes.scaled_residual(layers=0), "layers must be at least 1, got 0"),
        (lambda: schemes.torchtitan_residual(layer=-1), "layer must be at least 0, got -1"),
        (lambda: schemes.deepnorm(layout="OI"), "encoder_layers must be at least 1, got 0"),
        (
            lambda: schemes.deepnorm(6, stack="middle", layout="OI"),
            "stack must be one of 'encoder', 'decoder'",
        ),
        (lambda: schemes.fixup(blocks=3, depth=1, layout="OI"), "depth must be at least 2"),
        (lambda: schemes.siren(omega=0.0, layout="OI"), "omega must be positive and finite, got 0.0"),
        (schemes.siren, "layout must be"),
        (lambda: schemes.mup(schemes.normal(), (4, 4))((4, 4, 4), **KEY), r"as many dimensions as base \(4, 4\)"),
        (lambda: schemes.mup(schemes.normal(), (4, 4, 4))((8, 8, 8), **KEY), "at most 2 dimensions"),
        (lambda: schemes.mup(schemes.normal(), (4, 4))((8, 16), **KEY), "layout must be"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
