"""What the monitor writes, says and advises, and what it refuses."""

import json
import math

import numpy as np
import pytest
from monitored import CASES, EYE, RANDOM, through_layers, units

from fanin.diagnose.monitor import Alarm, Monitor, Thresholds, Verdict


def strictly(line):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(line, parse_constant=refuse)


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_json_lines_are_written_as_they_come_and_hold_the_history(tmp_path, kind):
    path = tmp_path / "run.jsonl"
    with Monitor(kind(path), activations={"h": "tanh"}) as monitor:
        monitor.record(0, "h", activations=RANDOM, gradients=RANDOM)
        assert len(path.read_text().splitlines()) == 1
        monitor.record(np.int64(0), "w.ü", weights=RANDOM, gradients=[[math.nan]], updates=RANDOM)
        monitor.record_loss(0, math.inf)
        monitor.record_loss(1, np.float32(2.5))
    lines = [strictly(line) for line in path.read_text("utf-8").splitlines()]
    assert lines == monitor.history
    assert [line["name"] for line in lines] == ["h", "w.ü", "loss", "loss"]
    assert lines[1]["weight_gradient_rms"] is None
    assert lines[1]["nonfinite"] == 1  # of three arrays
    assert lines[2] == {"step": 0, "name": "loss", "loss": None, "nonfinite": 1}
    assert lines[3]["loss"] == 2.5


def test_the_verdict_lists_causes_first_and_a_change_for_each():
    monitor = Monitor(classes=10, activations={"a": "tanh", "b": "tanh"})
    monitor.record_loss(0, 4.0)
    for name in "ab":
        monitor.record(0, name, activations=np.ones((8, 8)))
    for layer in range(5):
        monitor.record(0, f"{layer}.weight", weights=np.zeros((8, 8)), updates=np.zeros((8, 8)))
    verdict = monitor.verdict()
    assert not verdict.healthy
    assert str(verdict) == verdict.text
    assert verdict.text.splitlines() == [
        "symmetric: 0.weight has equal units: 100% of the compared rows are alike. "
        "Also 1.weight, 2.weight, 3.weight and 1 more. Use xavier_normal.",
        "saturated: a is 100% saturated. Also b. Use xavier_normal.",
        "loss: loss starts at 4, far more than ln(10) = 2.3. Draw the last layer small: use normal(std=0.01).",
    ]


def test_the_verdict_begins_with_what_began_first():
    monitor = Monitor(activations={"layer0": "relu"})
    through_layers(0.1)(monitor)
    monitor.record_loss(1, math.nan)
    assert monitor.verdict().text.splitlines() == [
        "exploding: gradients explode: towards the input each layer multiplies their mean square by 10, "
        "9 layers by 10^9. Use he_normal.",
        "non-finite: loss is not finite. Lower the learning rate by 10x.",
    ]


@pytest.mark.parametrize(
    ("case", "advice"),
    [
        ("vanishing gradients", "Use xavier_normal."),
        ("dead units", "Use xavier_normal, with biases of zero."),
        ("a large update", "Lower the learning rate by a factor of 10^4."),
        ("a tiny update twice", "Raise the learning rate by a factor of 10^5."),
        ("a first loss 60 % below ln 10", "Check the classes, and that no label is among the inputs."),
    ],
)
def test_the_change_that_is_advised(case, advice):
    monitor = Monitor(classes=10, activations={"h": "tanh"})
    CASES[case][0](monitor)
    assert monitor.alarms[0].advice == advice


@pytest.mark.parametrize(
    ("activation", "layers", "advice"),
    [
        ("relu", 10, "Use he_normal."),
        ("gelu", 10, "Use he_normal with activation='gelu'."),
        ("tanh", 40, "Use orthogonal."),
        (None, 10, "Use he_normal for ReLU and its like, xavier_normal for tanh."),
    ],
)
def test_the_scheme_is_the_one_recommended_for_the_activation_and_depth(activation, layers, advice):
    monitor = Monitor(activations={} if activation is None else {"layer0": activation})
    through_layers(4.0, layers)(monitor)
    assert [alarm.advice for alarm in monitor.alarms] == [advice]


def test_one_recorded_layer_is_not_taken_for_a_linear_model():
    """For a linear model zeros are recommended."""
    monitor = Monitor(activations={"h": "tanh"})
    monitor.record(0, "h", activations=np.ones((8, 8)), gradients=RANDOM)
    assert [alarm.advice for alarm in monitor.alarms] == ["Use xavier_normal."]


def test_what_goes_wrong_in_training_is_blamed_on_the_learning_rate():
    monitor = Monitor()
    monitor.record(0, "h", activations=units(0))
    monitor.record(100, "h", activations=np.full((64, 100), math.nan))
    (alarm,) = monitor.alarms
    assert (alarm.step, alarm.name, alarm.rule) == (100, "h", "non-finite")
    assert str(alarm) == "step 100, non-finite: h is not finite. Lower the learning rate by 10x."


def test_an_alarm_is_raised_once_and_a_verdict_is_about_the_first_steps():
    monitor = Monitor()
    for step in range(0, 200, 10):
        monitor.record(step, "h", activations=units(99 if step >= 100 else 0))
    assert [(alarm.step, alarm.rule) for alarm in monitor.alarms] == [(110, "dead")]
    assert monitor.verdict() == Verdict(True, (), "healthy: no alarm in 10 recorded steps")
    assert not monitor.verdict(12).healthy
    assert monitor.verdict(None).alarms == tuple(monitor.alarms)
    assert isinstance(monitor.alarms[0], Alarm)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.record(0, "h"), ValueError, "activations, gradients, weights or updates must be given, got none"),
        (
            lambda m: m.record(0, "h", activations=np.ones((0, 3))),
            ValueError,
            r"activations must not be empty, got .*\(0, 3\)",
        ),
        (lambda m: m.record(0, "h", weights=["a"]), TypeError, "weights must be real numbers, got <U1"),
        (lambda m: m.record(0, "h", updates=1j * EYE), TypeError, "updates must be real numbers, got complex128"),
        (lambda m: m.record_loss(0, [1.0, 2.0]), ValueError, "loss must be one number, got shape \\(2,\\)"),
        (lambda m: m.record_loss(0, "low"), TypeError, "loss must be real numbers, got <U3"),
        (lambda m: m.record(0.5, "h", updates=EYE), TypeError, "integer"),
        (lambda m: m.verdict(), ValueError, "nothing was recorded"),
        (lambda m: m.verdict(0), ValueError, "steps must be at least 1, or None for all, got 0"),
        (lambda m: m.declare("h", "swoosh"), ValueError, "activation must be one of .*, got 'swoosh'"),
        (lambda m: (m.close(), m.close(), m.record_loss(0, 1.0)), ValueError, "the monitor is closed"),
        (lambda _: Monitor(classes=1), ValueError, "classes must be at least 2, got 1"),
        (lambda _: Monitor(keep=0), ValueError, "keep must be at least 1, or None for all, got 0"),
        (lambda _: Monitor(layout="HWIO"), ValueError, "layout must be .*, got 'HWIO'|layout must be"),
        (lambda _: Thresholds(dead_layer=-1), ValueError, "dead_layer must not be negative, got -1"),
        (lambda _: Thresholds(loss=math.nan), ValueError, "loss must not be negative, got nan"),
    ],
)
def test_errors_say_what_is_allowed(call, error, message):
    with pytest.raises(error, match=message):
        call(Monitor())
