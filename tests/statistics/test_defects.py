"""Defects found in other libraries' initializers, each with a test that we do not share it."""

import math

import numpy as np
import pytest
from scipy import stats

import fanin
from fanin import Fans, layers, schemes

KEY = {"seed": 0, "name": "w"}


def test_a_truncated_std_is_that_of_the_samples():
    """JAX's complex truncated weights are 0.93 % too wide: the constant is not that of its sampler."""
    for truncate in (1.0, 2.0, 3.0):
        scheme = schemes.lecun_normal(layout="OI", truncate=truncate)
        drawn = scheme((1000, 1000), dtype="float64", **KEY)
        assert drawn.std() * math.sqrt(1000) == pytest.approx(1.0, rel=5 / math.sqrt(2e6))


def test_a_sparse_mask_depends_on_the_seed_and_the_name():
    """torch's sparse_ ignores its generator for the mask, Flux's shuffle ignores its rng."""
    init = schemes.sparse(nonzeros=10, layout="OI")
    masks = [init((100, 100), seed=seed, name=name) != 0 for seed in (0, 1) for name in ("a", "b")]
    for i, mask in enumerate(masks):
        assert (mask == (init((100, 100), seed=i // 2, name="ab"[i % 2]) != 0)).all()
        for other in masks[:i]:
            assert (mask & other).sum() < 250  # 100 expected of independent masks


def test_no_value_is_beyond_a_truncation():
    """Keras's torch backend takes the first of four normals within 2σ, or else one that is not: 4·10⁻⁶ of all."""
    drawn = fanin.truncated_normal(2**22, **KEY)
    assert abs(drawn).max() <= 2.0
    assert (abs(drawn) == 2.0).sum() < 5


def test_the_fan_in_of_a_linear_layer_is_that_of_its_inputs_in_either_layout():
    """Burn passes the outputs as fan_in for one of its two layouts."""
    assert (
        schemes.lecun_normal(layout="OI").expected_std((30, 100))
        == schemes.lecun_normal(layout="IO").expected_std((100, 30))
        == 0.1
    )


def test_recurrent_weights_have_mean_zero_and_the_std_of_the_formula():
    """Lux draws a normal where the formula is of a uniform: mean -1/√h and twice the std."""
    for name, parameter in layers.lstm(64, 256, framework="torch").items():
        drawn = parameter.scheme(parameter.shape, seed=0, name=name)
        assert abs(drawn).max() <= 1 / 16
        assert abs(drawn.mean()) < 5 * drawn.std() / math.sqrt(drawn.size)
        assert drawn.std() == pytest.approx(1 / 16 / math.sqrt(3), rel=5 / math.sqrt(2 * drawn.size))


def test_two_layers_of_one_shape_never_get_equal_weights():
    """Lux's default generator is seeded anew at every call; Keras's integer seeds repeat themselves."""
    init = fanin.seeded(0, layout="OI")
    assert (init.he_normal("0.weight", (50, 50)) != init.he_normal("1.weight", (50, 50))).all()


def test_groups_count_in_the_fans():
    """MLX and Keras ignore groups in the scale of a convolution, torch in its fan_out."""
    shape = (64, 2, 3, 3)  # 64 outputs, 32 groups of 2 inputs
    assert Fans.of(shape, "OI", groups=32) == Fans(fan_in=18, fan_out=18)
    assert schemes.he_normal(layout="OI", groups=32).expected_std(shape) == math.sqrt(2) / math.sqrt(18)
    assert schemes.he_normal(layout="OI", groups=32, mode="fan_out").expected_std(shape) == math.sqrt(2) / math.sqrt(18)


def test_he_has_the_gain_of_relu():
    """MLX's he_normal has gain 1, and Lux's table 2 for ReLU."""
    assert schemes.he_normal(layout="OI").gain == schemes.he_uniform(layout="OI").gain == math.sqrt(2)


def test_an_unknown_mode_is_a_value_error():
    """timm's variance_scaling_ fails with an UnboundLocalError."""
    with pytest.raises(ValueError, match=r"mode must be one of 'fan_in', .*, got 'fan'"):
        schemes.variance_scaling(mode="fan", layout="OI")


@pytest.mark.parametrize("bound", [5.0, 6.0, 100.0, math.inf])
def test_wide_bounds_leave_the_normal_its_tails(bound):
    """By erf, as in JAX and older torch, bounds round to ±1 and values pile up at the largest finite quantile."""
    drawn = np.sort(abs(fanin.truncated_normal(2**22, low=-bound, high=bound, **KEY)))[::-1]
    assert 4.8 < drawn[0] <= min(bound, 6.8)
    assert len(np.unique(drawn[:20])) == 20
    assert (
        stats.kstest(
            drawn[:2000] / drawn[2000], lambda x: 1 - stats.norm.sf(x * drawn[2000]) / stats.norm.sf(drawn[2000])
        ).pvalue
        > 1e-3
    )


def test_an_orthogonal_matrix_is_one_in_half_precision_too():
    """torch's orthogonal_ raises for bfloat16 and float16, JAX's qr too (pytorch#9315, jax#30176)."""
    for dtype, error in (("bfloat16", 2**-8), ("float16", 2**-11)):
        q = fanin.orthogonal((64, 64), layout="OI", dtype=dtype, **KEY).astype(np.float64)
        assert abs(q @ q.T - np.eye(64)).max() < 4 * error


def test_a_column_of_an_orthogonal_matrix_is_never_zeroed_by_the_sign_of_zero():
    """sign(0) = 0 zeroes a column in torch, Keras and Burn; the definition here has sign(0) = +1."""
    for n in (1, 2, 3):
        q = fanin.haar(n, 1000, dtype="float64", **KEY)
        assert np.abs(q @ q.transpose(0, 2, 1) - np.eye(n)).max() < 1e-14


def test_forget_gates_start_open_where_asked_and_once():
    """torch has no way to (pytorch#20102), and its two biases make 2 of 1."""
    lstm = layers.lstm(8, 16)
    biases = [lstm[name].scheme(lstm[name].shape, seed=0, name=name) for name in ("bias_ih_l0", "bias_hh_l0")]
    assert (sum(biases)[16:32] == 1).all()


def test_each_part_of_a_fused_projection_has_its_own_fans():
    """torch's in_proj_weight of a fused attention has √½ of the std that its parts have alone (pytorch#166378)."""
    fused = schemes.xavier_uniform(layout="OI", blocks=3).expected_std((3 * 512, 512))
    assert fused == schemes.xavier_uniform(layout="OI").expected_std((512, 512))
    assert schemes.xavier_uniform(layout="OI").expected_std((3 * 512, 512)) == pytest.approx(fused * math.sqrt(0.5))
