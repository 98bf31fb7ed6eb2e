"""Record sick and healthy arrays for the monitor, by the rule that each sets off or leaves silent."""

import math

import numpy as np

RNG = np.random.default_rng(0)
RANDOM = RNG.normal(size=(64, 50))
INF = math.inf


def rules(monitor):
    return {alarm.rule for alarm in monitor.alarms}


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
