"""What a stack is made of, and what it refuses."""

import json

import numpy as np
import pytest

from fanin import schemes
from fanin.diagnose import Stack, predict, probe, scheme_named

HE = schemes.he_normal(layout="OI")


@pytest.mark.parametrize(
    ("kind", "activation"), [("dense", "relu"), ("conv", "relu"), ("rnn", "tanh"), ("lstm", "tanh")]
)
def test_the_default_activation_is_the_usual_one_of_the_kind(kind, activation):
    assert Stack(weights=HE, kind=kind).activation == activation


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weights": schemes.he_normal(layout="IO")}, ValueError, "weights must have the layout 'OI', .* got 'IO'"),
        ({"head": schemes.xavier_normal(layout="IO")}, ValueError, "head must have the layout 'OI', .* got 'IO'"),
        ({"weights": "he"}, TypeError, "weights must be a scheme, .* got 'he'"),
        ({"biases": schemes.zeros}, TypeError, "biases must be a scheme, .* got <function zeros"),
        ({"kind": "mlp"}, ValueError, "kind must be one of dense, conv, rnn, lstm, got 'mlp'"),
        ({"norm": "group"}, ValueError, "norm must be None, 'batch' or 'layer', got 'group'"),
        ({"depth": 0}, ValueError, "depth must be at least 1, got 0"),
        ({"width": 16.5}, TypeError, "integer"),
        ({"kernel": 2}, ValueError, "kernel must be odd, got 2"),
        ({"kind": "lstm", "residual": True}, ValueError, "norm and residual are for dense and conv, got kind='lstm'"),
    ],
)
def test_what_makes_no_stack_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        Stack(**{"weights": HE} | options)


def test_sizes_may_be_numpy_s_and_a_report_is_json():
    stack = Stack(weights=HE, depth=np.int64(2), width=np.int32(8))
    data = json.loads(json.dumps(probe(stack, np.ones((4, 8))).to_dict(), allow_nan=False))
    assert (data["stack"]["depth"], data["stack"]["width"]) == (2, 8)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_recurrent_orthogonal_matrix_has_gain_1(kind):
    stack = Stack(weights=HE, kind=kind, activation="relu")
    assert scheme_named("orthogonal", stack).gain == 1.0
    assert scheme_named("orthogonal", Stack(weights=HE)).gain == pytest.approx(2**0.5)
    with pytest.raises(ValueError, match="blocks"):  # those of Fixup are residual ones, not gates
        scheme_named("fixup", stack)


def test_layer_norm_takes_away_a_constant_bias():
    given = {"weights": HE, "norm": "layer", "depth": 8, "width": 256}
    assert predict(Stack(**given, biases=schemes.constant(1.0))).slope == predict(Stack(**given)).slope
