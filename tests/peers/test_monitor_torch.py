"""The monitor, watching torch modules: sick ones are named, healthy ones pass."""

import pytest
from lazily import Peer
from monitored import rules
from watched import CLASSES, INPUTS, filled, mlp, one_thread, train  # noqa: F401

torch = Peer("torch")
pytestmark = pytest.mark.peer


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: filled(mlp(), 0.0), "symmetric"),
        (lambda: filled(mlp("tanh"), 0.01), "symmetric"),
        (lambda: filled(mlp(), -10.0, biases=True), "dead"),
        (lambda: mlp("tanh", factor=20), "saturated"),
        (lambda: mlp("sigmoid", factor=40), "saturated"),
        (lambda: mlp("tanh", depth=20, factor=5), "exploding"),
        (lambda: mlp("relu", depth=20, factor=5), "exploding"),
        (lambda: mlp("tanh", depth=20, factor=0.2), "vanishing"),
        (lambda: mlp("relu", depth=20, factor=0.2), "vanishing"),
        (lambda: mlp("sigmoid", depth=10), "vanishing"),
    ],
)
def test_a_sick_module_is_named_in_its_first_step(make, rule):
    monitor = train(make(), steps=1)
    assert rule in rules(monitor)
    assert not monitor.verdict().healthy


def test_torchs_default_under_relu_loses_five_sixths_of_the_gradients_square_a_layer():
    """Its weights have variance 1/(3·fan_in), a sixth of He's 2/fan_in."""
    torch.manual_seed(0)
    layers = [part for _ in range(8) for part in (torch.nn.Linear(256, 256), torch.nn.ReLU())]
    model = torch.nn.Sequential(torch.nn.Linear(INPUTS, 256), *layers, torch.nn.Linear(256, CLASSES))
    (alarm,) = [alarm for alarm in train(model, steps=1).alarms if alarm.rule == "vanishing"]
    assert alarm.value == pytest.approx(1 / 6, rel=0.1)
    assert alarm.advice == "Use he_normal."


def test_a_learning_rate_that_is_too_high_is_named():
    monitor = train(mlp(), steps=5, rate=1e4)
    assert "update" in rules(monitor)
    update = next(alarm for alarm in monitor.alarms if alarm.rule == "update")
    assert update.value > 10
    assert update.advice.startswith("Lower the learning rate by a factor of 10^")


def test_the_alarm_is_at_the_place():
    model = mlp("tanh")
    with torch.no_grad():
        model[4].weight.mul_(30)
    (alarm,) = [alarm for alarm in train(model, steps=1).alarms if alarm.rule == "saturated"]
    assert (alarm.step, alarm.name) == (0, "5")
    assert alarm.advice == "Use xavier_normal."


HEALTHY = [
    (activation, depth, seed)
    for activation, depths in {
        "relu": (2, 8, 20),
        "leaky_relu": (8,),
        "tanh": (2, 8, 35),
        "gelu": (6,),
        "silu": (4,),
        "selu": (8,),
    }.items()
    for depth in depths
    for seed in (0, 1)
]


def test_twenty_healthy_modules_raise_no_alarm_in_ten_steps():
    assert len(HEALTHY) == 20
    for activation, depth, seed in HEALTHY:
        monitor = train(mlp(activation, depth, width=100, seed=seed))
        assert monitor.verdict().text == "healthy: no alarm in 10 recorded steps", (activation, depth, seed)


def test_a_layer_of_zeros_at_the_end_is_healthy():
    """Its rows are equal, but their gradients are not."""
    model = mlp()
    with torch.no_grad():
        model[-1].weight.zero_()
    assert train(model).alarms == []
