"""Each rule of the monitor speaks of a sick case and is silent at the nearest healthy one, whole networks too."""

import math

import numpy as np
import pytest
from monitored import CASES, INF, RNG, rules

import fanin
from fanin import schemes
from fanin.diagnose.monitor import Monitor, Thresholds
from fanin.diagnose.network import Network
from fanin.diagnose.stack import Stack


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
