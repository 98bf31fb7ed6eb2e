"""What the monitor measures of activations, weights and gradients, and what it keeps."""

import math

import ml_dtypes
import numpy as np
import pytest
from monitored import EYE, RANDOM, RNG, ZERO, rules

from fanin.diagnose.measures import signal_strides, unit_axis, weight_strides
from fanin.diagnose.monitor import Monitor, Thresholds


def test_the_statistics_of_activations():
    monitor = Monitor(activations={"h": "sigmoid"})
    monitor.record(3, "h", activations=[[0.0, 1.0, 0.5]] * 8)
    assert monitor.history == [
        {
            "step": 3,
            "name": "h",
            "activation_rms": math.sqrt(1.25 / 3),
            "activation_mean": 0.5,
            "zero": pytest.approx(1 / 3),
            "saturated": 2 / 3,
            "dead": 1 / 3,
            "nonfinite": 0,
        }
    ]


def test_the_statistics_of_a_weight():
    monitor = Monitor()
    weights, updates = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]]), np.full((3, 2), -1e-3)
    monitor.record(0, "w", weights=weights, gradients=weights * [[3.0], [2.0], [1.0]], updates=updates)
    (found,) = monitor.history
    assert found["weight_rms"] == 1
    assert found["weight_gradient_rms"] == pytest.approx(math.sqrt(14 / 3))
    assert (found["update_rms"], found["update_ratio"]) == pytest.approx((1e-3, 1e-3))
    assert found["weight_equal"] == 0.5  # of two pairs of neighbours
    assert found["weight_gradient_equal"] == 0  # the first two have one direction, but not one length


def test_the_statistics_of_a_signals_gradient():
    monitor = Monitor()
    monitor.record(0, "h", gradients=np.full((8, 2), 1e-200))  # whose square is below all of float64
    monitor.record(0, "g", gradients=np.full((8, 2), 3e-30, np.float32))  # and below all of float32
    assert monitor.history[1]["gradient_rms"] == pytest.approx(3e-30)
    assert monitor.history[1]["gradient_norm"] == pytest.approx(12e-30)


def test_updates_may_come_after_the_weights():
    monitor = Monitor()
    monitor.record(0, "w", weights=np.full((4, 4), 2.0))
    monitor.record(0, "w", updates=np.full((4, 4), 0.01))
    assert monitor.history[1]["update_ratio"] == pytest.approx(0.005)
    monitor.record(1, "zero", weights=np.zeros((4, 4)), updates=np.ones((4, 4)))
    assert "update_ratio" not in monitor.history[2]


def test_gradients_are_of_the_activations_where_a_call_has_both():
    monitor = Monitor()
    monitor.record(0, "fc", activations=RANDOM, gradients=2 * RANDOM, weights=np.eye(4), updates=3 * np.eye(4))
    monitor.record(0, "fc", weights=np.eye(4), gradients=np.eye(4))
    both, weights = monitor.history
    assert both["gradient_rms"] == pytest.approx(2 * both["activation_rms"])
    assert both["update_ratio"] == 3
    assert "weight_gradient_rms" not in both
    assert weights["weight_gradient_rms"] == 0.5


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ml_dtypes.bfloat16, "int8", "uint16"])
def test_any_real_dtype_is_measured(dtype):
    monitor = Monitor()
    monitor.record(0, "h", activations=np.array([[3, 4]]).astype(dtype), weights=np.eye(3).astype(dtype))
    assert monitor.history[0]["activation_rms"] == pytest.approx(math.sqrt(12.5))
    assert monitor.history[0]["nonfinite"] == 0


def test_an_array_known_by_dlpack_alone():
    class Exporter:
        def __dlpack__(self, **options):
            return np.arange(4.0).__dlpack__(**options)

        def __dlpack_device__(self):
            return (1, 0)

    monitor = Monitor()
    monitor.record(0, "h", activations=Exporter())
    assert monitor.history[0]["activation_mean"] == 1.5


def test_large_arrays_are_sampled_and_every_unit_is_in_the_sample():
    """A million values, a quarter of them taken: the RMS is good to 4/√2^18, and units 0 to 9 are dead."""
    x = RNG.normal(size=(64, 16384)).astype(np.float32)
    x[:, :8200] = 0
    monitor = Monitor()
    monitor.record(0, "h", activations=x)
    assert monitor.history[0]["activation_rms"] == pytest.approx(float(np.sqrt(np.mean(x**2))), rel=0.01)
    assert monitor.history[0]["dead"] == 8200 / 16384
    images = np.maximum(RNG.normal(size=(32, 20, 40, 40)), 0)
    images[:, 3] = 0
    monitor.record(0, "image", activations=images)
    assert monitor.history[1]["dead"] == 1 / 20


@pytest.mark.parametrize(
    ("layout", "shape", "dead"),
    [("OI", (5, 4, 3, 3), 1 / 4), ("OI", (5, 3, 4), 1 / 4), ("IO", (5, 3, 3, 4), 1 / 4), ("IO", (8, 4), 1 / 4)],
)
def test_the_axis_of_units_is_the_layouts(layout, shape, dead):
    x = np.ones(shape)
    np.moveaxis(x, 1 if (layout, len(shape)) == ("OI", 4) else -1, 0)[2] = 0
    monitor = Monitor(layout=layout)
    monitor.record(0, "h", activations=x)
    assert monitor.history[0]["dead"] == dead


@pytest.mark.parametrize("shape", [(64, 64, 4096), (4096, 2, 64, 4), (3, 2, 1024, 512)])
def test_the_sample_has_several_places_of_every_axis_and_not_the_first(shape):
    units = unit_axis(len(shape), True)
    for sample in (signal_strides(shape, units), weight_strides(shape)):
        kept = [range(size)[part] for size, part in zip(shape, sample, strict=True)]
        assert all(len(places) >= min(2, size) for places, size in zip(kept, shape, strict=True))
        assert all(places[0] > 0 for places, part in zip(kept, sample, strict=True) if part.step > 1)
        assert 2**17 <= math.prod(map(len, kept)) <= 2**19
    assert signal_strides(shape, units)[units] == slice(0, None, 1)


def test_the_first_position_is_not_taken_for_all():
    """Half of the units are 0 where every sequence begins, and in the first row of every image; all live elsewhere."""
    tokens = np.abs(RNG.normal(size=(32, 16, 8192))).astype(np.float32)
    tokens[:, 0, ::2] = 0
    images = np.abs(RNG.normal(size=(64, 64, 16, 16))).astype(np.float32)
    images[:, ::2, 0] = 0
    monitor = Monitor()
    monitor.record(0, "tokens", activations=tokens)
    monitor.record(0, "images", activations=images)
    assert [found["dead"] for found in monitor.history] == [0, 0]
    assert all(found["zero"] < 0.05 for found in monitor.history)


def test_calls_of_other_widths_are_added():
    """One activation module is called with 4 units that live, then with 2 of which one is dead."""
    wide, narrow = np.ones((8, 4)), np.array([[0.0, 1.0]] * 8)
    several = [Monitor()._recorder.signal("activations", values, "h") for values in (wide, narrow, wide)]
    for other in several[1:]:
        several[0].add(other)
    assert several[0].zero == pytest.approx(8 / 80)
    assert Monitor()._recorder._dead("h", several[0].active) == pytest.approx(1 / 6)


def test_units_that_were_seldom_seen_are_not_judged():
    """On a single example half of all ReLUs are 0, but none of them is dead."""
    monitor = Monitor()
    monitor.record(0, "h", activations=np.zeros((3, 10)))
    monitor.record(1, "h", activations=np.zeros((4, 10)))
    assert not any("dead" in found for found in monitor.history)
    assert monitor.alarms == []
    monitor.record(2, "h", activations=np.zeros((4, 10)))
    assert monitor.history[-1]["dead"] == 1
    assert rules(monitor) == {"dead"}
    few = Monitor(thresholds=Thresholds(examples=1))
    few.record(0, "h", activations=np.zeros((1, 10)))
    assert rules(few) == {"dead"}


def test_the_history_keeps_the_last_records_and_the_verdict_all_steps(tmp_path):
    with Monitor(tmp_path / "run.jsonl", keep=3) as monitor:
        monitor.record(0, "w", weights=ZERO)
        for step in range(1, 9):
            monitor.record(step, "w", weights=EYE)
    assert [found["step"] for found in monitor.history] == [6, 7, 8]
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 9
    assert [alarm.step for alarm in monitor.alarms] == [0]
    unbounded = Monitor(keep=None)
    for step in range(10_001):
        unbounded.record_loss(step, 1.0)
    assert len(unbounded.history) == 10_001


def test_what_is_not_finite_stays_so_when_more_is_recorded_under_the_name():
    monitor = Monitor()
    monitor.record(0, "w", weights=np.where(EYE, math.nan, 1))
    monitor.record(0, "w", updates=EYE)
    assert rules(monitor) == {"non-finite"}
