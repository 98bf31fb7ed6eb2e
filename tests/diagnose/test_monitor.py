"""The monitor: what it measures, when each rule speaks and when it is silent, what it writes and what it advises."""

import json
import math

import ml_dtypes
import numpy as np
import pytest

import fanin
from fanin import schemes
from fanin.diagnose.measures import signal_strides, unit_axis, weight_strides
from fanin.diagnose.monitor import Alarm, Monitor, Thresholds, Verdict
from fanin.diagnose.network import Network
from fanin.diagnose.stack import Stack

RNG = np.random.default_rng(0)
RANDOM = RNG.normal(size=(64, 50))
INF = math.inf


def rules(monitor):
    return {alarm.rule for alarm in monitor.alarms}


# What is measured


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


# The rules: a sick case, and the nearest healthy one


def through_layers(factor, layers=10, kind="gradients", head=1.0):
    """Records of layers whose mean square grows by `factor` from one to the next, and a last one times `head`."""

    def record(monitor):
        for layer in range(layers):
            scale = factor ** (layer / 2) * (head if layer == layers - 1 else 1.0)
            monitor.record(0, f"layer{layer}", **{kind: scale * RANDOM})

    return record


def activations(values, *, step=0, **known):
    return lambda monitor: monitor.record(step, "h", activations=values)


def weight(*records):
    def record(monitor):
        for step, arrays in enumerate(records):
            monitor.record(step, "w", **arrays)

    return record


def gradients(sizes, *, steps=1, **weights):
    """Record a step of layers, with these weights and their gradients."""

    def record(monitor):
        for step in range(steps):
            for layer, size in enumerate(sizes):
                monitor.record(step, f"layer{layer}", gradients=size * RANDOM)
            for name, (values, gradient) in weights.items():
                monitor.record(step, name, weights=values, gradients=gradient)

    return record


def loss(value):
    return lambda monitor: monitor.record_loss(0, value)


def units(dead, of=100):
    x = np.abs(RNG.normal(size=(64, of)))
    x[:, :dead] = 0
    return x


def share(high, low, percent):
    x = np.full((10, 100), low)
    x[:, :percent] = high
    return x


ZERO, EYE, SAME = np.zeros((40, 30)), np.eye(40), np.tile(RANDOM[:1], (40, 1))
BROKEN = RNG.normal(size=(1200, 1200)).astype(np.float32)
BROKEN[1001, 7] = np.nan  # in no sample

CASES = {
    # Xavier's weights under ReLU, and the same in fewer layers than matter; towards the input gradients fall
    "vanishing gradients": (through_layers(2.0, layers=12), "vanishing"),
    "few layers that fall": (through_layers(2.0, layers=10), None),
    "too few layers for a slope": (through_layers(1000.0, layers=3), None),
    "gradients that fall slowly": (through_layers(1.45, layers=20), None),
    "exploding gradients": (through_layers(0.5, layers=12), "exploding"),
    "gradients that grow slowly": (through_layers(1 / 1.45, layers=20), None),
    "a head of std 0.01 and fan_in 64 after three equal layers": (through_layers(1.0, layers=4, head=12.5), None),
    "one layer that is far off": (through_layers(1.0, layers=5, head=1e6), None),
    "vanishing signals": (through_layers(0.5, layers=12, kind="activations"), "vanishing"),
    "exploding signals": (through_layers(2.0, layers=12, kind="activations"), "exploding"),
    "signals that stay": (through_layers(1.2, kind="activations"), None),
    "a gradient below 1e-7 twice": (
        weight(*[{"weights": RANDOM, "gradients": 9e-8 * RANDOM / RANDOM.std()}] * 2),
        "vanishing",
    ),
    "a gradient below 1e-7 once": (
        weight({"weights": RANDOM, "gradients": ZERO}, {"weights": RANDOM, "gradients": RANDOM}),
        None,
    ),
    "a gradient below 1e-7 that grows": (
        weight(*[{"weights": RANDOM, "gradients": size * RANDOM} for size in (0, 1e-9, 1e-8)]),
        None,
    ),
    "a gradient above 1e-7": (weight(*[{"weights": RANDOM, "gradients": 1.1e-7 * RANDOM / RANDOM.std()}] * 2), None),
    "dead units": (activations(units(51)), "dead"),
    "half of the units dead": (activations(units(50)), None),
    "units active in one of 64 examples": (activations(np.eye(64)), None),
    "units active in one of 128": (activations(np.eye(128)), "dead"),
    "saturated tanh": (activations(share(-0.98, 0.5, 51)), "saturated"),
    "half saturated": (activations(share(-0.98, 0.5, 50)), None),
    "large but not saturated": (activations(share(0.96, 0.96, 0)), None),
    "symmetric: zeros": (weight({"weights": ZERO}), "symmetric"),
    "symmetric: one row, many times": (weight({"weights": SAME, "gradients": SAME}), "symmetric"),
    "zeros whose gradients differ, as of a last layer": (
        weight({"weights": ZERO, "gradients": RANDOM[:40, :30]}),
        None,
    ),
    "rows that differ, whose gradients are zero": (weight({"weights": EYE, "gradients": ZERO}), None),
    "one row times many numbers": (weight({"weights": SAME * np.arange(1, 41)[:, None]}), None),
    "identity": (weight({"weights": EYE}), None),
    # Zero on purpose: B of LoRA, whose first learning rate is 0, so that A has no gradient twice; a zero last layer
    "zeros that stop the gradient of others twice": (
        gradients([0, 0, 0, 0, 1], steps=2, a=(EYE, ZERO), b=(ZERO, RANDOM[:40, :30])),
        None,
    ),
    "zeros without a gradient, behind others": (
        gradients([1, 1], steps=2, stem=(EYE, ZERO), gate=(ZERO, ZERO), head=(ZERO, RANDOM[:40, :30])),
        None,
    ),
    "zeros whose gradients are equal": (gradients([1], w=(ZERO, SAME), head=(EYE, RANDOM)), "symmetric"),
    "all weights zero": (gradients([0, 0, 1], steps=2, a=(ZERO, ZERO), b=(ZERO, ZERO), c=(ZERO, RANDOM)), "symmetric"),
    "zeros and no gradient in the whole step": (
        gradients([0, 0, 1], steps=2, a=(ZERO, ZERO), b=(ZERO, ZERO), head=(EYE, ZERO)),
        "symmetric",
    ),
    "gradients that became 0": (gradients([0, 0, 0, 0, 0, 1e-3]), "vanishing"),
    "gradients that fall below the least number": (
        gradients([10.0 ** (-60 * i) for i in range(5, -1, -1)]),
        "vanishing",
    ),
    "gradients that are 0 in a branch": (gradients([1, 0, 0, 1, 1, 1, 1]), None),
    "gradients that are all 0": (gradients([0, 0, 0, 0, 0]), None),
    "gradients whose squares overflow": (gradients([1e200, 1e200, 1, 1, 1]), "exploding"),
    "gradients that grow by more than any number": (gradients([10.0 ** (140 - 70 * i) for i in range(5)]), "exploding"),
    "signals whose squares overflow": (
        lambda monitor: [monitor.record(0, f"layer{i}", activations=10.0 ** (80 * i) * RANDOM) for i in range(4)],
        "exploding",
    ),
    "a saturated output": (
        lambda monitor: [
            monitor.record(0, "layer0", gradients=RANDOM),
            monitor.record(0, "h", activations=np.ones((8, 8))),
        ],
        None,
    ),
    "one unit": (weight({"weights": np.ones((1, 9))}), None),
    "a large update": (weight({"weights": EYE, "updates": 11 * EYE}), "update"),
    "an update below the limit": (weight({"weights": EYE, "updates": 9 * EYE}), None),
    "a tiny update twice": (weight(*[{"weights": EYE, "updates": 9e-9 * EYE}] * 2), "update"),
    "a tiny update once": (weight(*[{"weights": EYE, "updates": size * EYE} for size in (0, 1e-3)]), None),
    "tiny updates of tiny gradients": (
        weight(*[{"weights": EYE, "gradients": 1e-9 * RANDOM, "updates": 1e-9 * EYE}] * 2),
        "vanishing",
    ),
    "a small update": (weight(*[{"weights": EYE, "updates": 1.1e-8 * EYE}] * 2), None),
    "a first loss 60 % above ln 10": (loss(1.6 * math.log(10)), "loss"),
    "a first loss 40 % above ln 10": (loss(1.4 * math.log(10)), None),
    "a first loss 60 % below ln 10": (loss(0.4 * math.log(10)), "loss"),
    "a loss that is NaN": (loss(math.nan), "non-finite"),
    "one NaN in a million weights": (weight({"weights": BROKEN}), "non-finite"),
    "one NaN in a million gradients": (lambda monitor: monitor.record(0, "h", gradients=BROKEN), "non-finite"),
    "an infinite signal": (lambda monitor: monitor.record(0, "g", activations=np.where(EYE, -INF, 1)), "non-finite"),
    "the largest numbers": (lambda monitor: monitor.record(0, "g", activations=np.full((4, 4), 3e38, "float32")), None),
}


@pytest.mark.parametrize(("record", "rule"), CASES.values(), ids=CASES.keys())
def test_a_rule_speaks_or_is_silent(record, rule):
    monitor = Monitor(classes=10, activations={"h": "tanh"})
    record(monitor)
    assert rules(monitor) == ({rule} if rule else set())
    assert monitor.verdict().healthy == (rule is None)


@pytest.mark.parametrize(
    ("case", "thresholds"),
    [
        ("vanishing gradients", {"per_layer": 2.1}),
        ("vanishing gradients", {"over_depth": 1e4}),
        ("exploding gradients", {"over_depth": INF}),
        ("exploding gradients", {"layers": 13}),
        ("gradients that became 0", {"over_depth": INF}),
        ("gradients that became 0", {"layers": 7}),
        ("gradients whose squares overflow", {"per_layer": INF}),
        ("a gradient below 1e-7 twice", {"gradient": 0}),
        ("dead units", {"dead_layer": 0.52}),
        ("units active in one of 128", {"dead_unit": 0.005}),
        ("saturated tanh", {"saturated_layer": 0.52}),
        ("saturated tanh", {"saturation": 0.99}),
        ("symmetric: zeros", {"symmetric": 1.0}),
        ("a large update", {"largest_update": INF}),
        ("a tiny update twice", {"smallest_update": 0}),
        ("a first loss 60 % above ln 10", {"loss": 0.7}),
    ],
)
def test_a_threshold_can_be_relaxed(case, thresholds):
    monitor = Monitor(classes=10, activations={"h": "tanh"}, thresholds=Thresholds(**thresholds))
    CASES[case][0](monitor)
    assert monitor.alarms == []


@pytest.mark.parametrize(
    ("case", "thresholds", "rule"),
    [
        ("few layers that fall", {"over_depth": 10}, "vanishing"),
        ("gradients that grow slowly", {"per_layer": 1.2}, "exploding"),
        ("a gradient above 1e-7", {"gradient": 1e-6}, "vanishing"),
        ("half of the units dead", {"dead_layer": 0.4}, "dead"),
        ("units active in one of 64 examples", {"dead_unit": 0.05}, "dead"),
        ("large but not saturated", {"saturation": 0.9}, "saturated"),
        ("an update below the limit", {"largest_update": 0.1}, "update"),
        ("a small update", {"smallest_update": 1e-6}, "update"),
        ("a first loss 40 % above ln 10", {"loss": 0.2}, "loss"),
        ("one row times many numbers", {"equal": 1.0}, "symmetric"),
    ],
)
def test_a_threshold_can_be_tightened(case, thresholds, rule):
    monitor = Monitor(classes=10, activations={"h": "tanh"}, thresholds=Thresholds(**thresholds))
    CASES[case][0](monitor)
    assert rules(monitor) == {rule}


@pytest.mark.parametrize(
    ("activation", "value", "saturated"),
    [
        ("tanh", 0.975, 1.0),
        ("softsign", -0.975, 1.0),
        ("sigmoid", 0.986, 1.0),
        ("sigmoid", 0.984, 0.0),
        ("sigmoid", 0.014, 1.0),
        ("hardsigmoid", 0.0, 1.0),
        (("hard_tanh", -2.0, 4.0), 3.92, 1.0),
        (("hard_tanh", -2.0, 4.0), 3.9, 0.0),
        ("relu", 0.0, None),
        (math.tanh, 1.0, None),
    ],
)
def test_saturation_is_near_the_ends_of_an_activations_range(activation, value, saturated):
    monitor = Monitor(activations={"h": activation})
    monitor.record(0, "h", activations=np.full((4, 4), value))
    assert monitor.history[0].get("saturated") == saturated


def test_a_unit_that_was_active_in_the_batch_before_is_not_dead():
    monitor = Monitor()
    odd, even = np.tile([1.0, 0.0], (32, 10)), np.tile([0.0, 1.0], (32, 10))
    for step in range(4):
        monitor.record(step, "h", activations=odd if step % 2 else even)
    assert [found["dead"] for found in monitor.history] == [0.5, 0, 0, 0]
    for step in range(4, 12):
        monitor.record(step, "h", activations=0 * odd)
    assert monitor.history[-1]["dead"] == 1


def test_units_in_the_other_layout_are_columns():
    weights = np.tile(RNG.normal(size=(3, 3, 8, 1)), 16)
    for layout, expected in (("IO", {"symmetric"}), ("OI", set())):
        monitor = Monitor(layout=layout)
        monitor.record(0, "w", weights=weights)
        assert rules(monitor) == expected


# Whole networks in NumPy


def run(stack, steps=2, rate=0.01, batch=64, classes=10, width_in=64, seed=0):
    """The monitor of a network's first SGD steps on normal data."""
    network = Network(stack, (width_in,), classes, seed=seed)
    monitor = Monitor(classes=classes, activations={f"layer{i}": stack.activation for i in range(stack.depth)})
    rng = np.random.default_rng(seed)
    for step in range(steps):
        value, gradient = network.loss(rng.normal(size=(batch, width_in)), rng.integers(0, classes, batch))
        network.backward(gradient)
        monitor.record_loss(step, value)
        for layer, (hidden, signal) in enumerate(zip(network.hidden, network.signals, strict=True)):
            monitor.record(step, f"layer{layer}", activations=hidden, gradients=signal)
        for name, parameter in network.parameters.items():
            update = -rate * network.gradients[name]
            if parameter.ndim > 1:
                monitor.record(step, name, weights=parameter, gradients=network.gradients[name], updates=update)
            network.parameters[name] = parameter + update
    return monitor


HE, XAVIER = schemes.he_normal(layout="OI"), schemes.xavier_normal(layout="OI")


@pytest.mark.parametrize(
    ("stack", "rule"),
    [
        (Stack(weights=schemes.zeros(), width=64), "symmetric"),
        (Stack(weights=schemes.constant(value=0.01), width=64), "symmetric"),
        (Stack(weights=HE, biases=schemes.constant(value=-10.0), width=64), "dead"),
        (Stack(weights=20 * XAVIER, activation="tanh", width=64), "saturated"),
        (Stack(weights=5 * XAVIER, activation="tanh", depth=20, width=64), "exploding"),
        (Stack(weights=5 * HE, depth=20, width=64), "exploding"),
        (Stack(weights=XAVIER, depth=30), "vanishing"),  # He et al. (2015): half of the variance a layer
        (Stack(weights=0.2 * XAVIER, activation="tanh", depth=20, width=64), "vanishing"),
    ],
)
def test_a_sick_network_is_named(stack, rule):
    monitor = run(stack)
    assert rule in rules(monitor)


def test_xavier_under_relu_halves_each_layer_and_he_is_advised():
    (alarm,) = [alarm for alarm in run(Stack(weights=XAVIER, depth=30, width=512), steps=1).alarms if not alarm.name]
    assert alarm.value == pytest.approx(0.5, rel=0.05)  # He et al. (2015), section 2.2
    assert alarm.advice == "Use he_normal."


DEPTHS = {"relu": (3, 10, 20), "tanh": (3, 10, 20), "leaky_relu": (3, 10), "silu": (3,), "selu": (6,)}
HEALTHY = [(activation, depth, seed) for activation in DEPTHS for depth in DEPTHS[activation] for seed in (0, 1)]


def test_twenty_healthy_networks_raise_no_alarm():
    assert len(HEALTHY) == 20
    for activation, depth, seed in HEALTHY:
        stack = Stack(
            weights=fanin.recommend(activation, depth=depth).scheme,
            head=fanin.recommend(layer="head").scheme,
            activation=activation,
            depth=depth,
            width=64,
        )
        assert run(stack, steps=10, seed=seed).verdict().text == "healthy: no alarm in 10 recorded steps"


# What is written and said


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
