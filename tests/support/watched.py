"""Make torch modules, sick and healthy, and train them while the monitor watches."""

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin.diagnose.monitor import Monitor
from fanin.diagnose.torch import watch

torch = Peer("torch")
CLASSES, INPUTS = 10, 64
MODULES = {
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "leaky_relu": "LeakyReLU",
    "gelu": "GELU",
    "silu": "SiLU",
    "selu": "SELU",
    "elu": "ELU",
}


@pytest.fixture(autouse=True)
def one_thread():
    """So that no thread takes processor time while it waits for others."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def mlp(activation="relu", depth=4, width=64, factor=1.0, seed=0):
    """Drawn as recommended for the activation and depth, times `factor`, with a small head."""
    layers = []
    for layer in range(depth):
        layers.append(torch.nn.Linear(width if layer else INPUTS, width))
        layers.append(getattr(torch.nn, MODULES[activation])())
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, CLASSES))
    hidden = fanin.recommend(activation, depth=depth).scheme
    head = fanin.recommend(layer="head").scheme
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.zero_()
            else:
                scheme = head if len(parameter) == CLASSES else factor * hidden
                scheme(out=parameter, seed=seed, name=name)
    return model


def filled(model, value, biases=False):
    """The model with a constant in its weights, or its biases."""
    with torch.no_grad():
        for parameter in model.parameters():
            if (parameter.ndim == 1) == biases:
                parameter.fill_(value)
    return model


def batch(seed=0, size=64):
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(size, INPUTS)).astype(np.float32))
    return x, torch.from_numpy(rng.integers(0, CLASSES, size))


def train(model, steps=10, rate=0.01, monitor=None, **options):
    """The monitor of some steps of SGD."""
    monitor = monitor or Monitor(classes=CLASSES)
    optimizer = torch.optim.SGD(model.parameters(), rate)
    with watch(model, monitor, optimizer=optimizer, **options) as watched:
        for step in range(steps):
            x, y = batch(step)
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x).float(), y)
            monitor.record_loss(watched.step, loss)
            loss.backward()
            optimizer.step()
    return monitor


def of(monitor, name, step=0):
    """What was recorded under a name in a step."""
    found = [line for line in monitor.history if (line["step"], line["name"]) == (step, name)]
    assert len(found) == 1
    return found[0]
