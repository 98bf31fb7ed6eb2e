"""The monitor, watching torch modules: sick ones are named, healthy ones pass, training is not changed nor slowed."""

import copy
import gc
import importlib
import math
import pickle
import time

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin.diagnose.monitor import Monitor
from fanin.diagnose.torch import watch

torch = Peer("torch")
pytestmark = pytest.mark.peer

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


def rules(monitor):
    return {alarm.rule for alarm in monitor.alarms}


def of(monitor, name, step=0):
    """What was recorded under a name in a step."""
    found = [line for line in monitor.history if (line["step"], line["name"]) == (step, name)]
    assert len(found) == 1
    return found[0]


# What is named


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


# What is recorded


def test_it_is_what_the_same_arrays_give_in_numpy():
    model = mlp("tanh", depth=2)
    x, y = batch()
    hidden = model[0](x)
    tanh = model[1](hidden)
    hidden.retain_grad()
    torch.nn.functional.cross_entropy(model[2:](tanh), y).backward()
    expected = Monitor(activations={"1": "tanh"})
    gradient = model[0].weight.grad.clone()
    expected.record(0, "0", activations=hidden, gradients=hidden.grad)
    expected.record(0, "1", activations=tanh)
    expected.record(0, "0.weight", weights=model[0].weight, gradients=gradient, updates=-0.01 * gradient)
    monitor = train(model, steps=1)
    for line in expected.history:
        found = of(monitor, line["name"])
        if line["name"] == "0":
            del line["dead"], line["zero"]  # of activation modules only
        assert found.keys() == line.keys()
        for key in line.keys() - {"name"}:  # an update is what rounding leaves of it
            assert found[key] == pytest.approx(line[key], rel=1e-3 if key.startswith("update") else 1e-6), key
    assert of(monitor, "0.weight")["update_ratio"] > 0


def test_the_first_steps_and_then_every_so_many_are_recorded():
    monitor = train(mlp(depth=1, width=8), steps=25, first=3, every=10)
    assert sorted({line["step"] for line in monitor.history if line["name"] == "0"}) == [0, 1, 2, 10, 20]


def test_without_an_optimizer_a_forward_pass_that_may_be_differentiated_is_a_step():
    model, monitor = mlp(depth=2), Monitor()
    with watch(model, monitor) as watched:
        for step in range(3):
            assert watched.step == max(0, step - 1)
            with torch.no_grad():
                model(batch()[0])
            model(batch()[0]).sum().backward()
    assert [line["step"] for line in monitor.history if line["name"] == "0.weight"] == [0, 1, 2]
    assert [line["step"] for line in monitor.history if line["name"] == "0"] == [0, 1, 2]
    assert "update_rms" not in of(monitor, "0.weight")


def test_a_module_that_is_called_several_times_is_measured_over_all_calls():
    class Recurrent(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.act = torch.nn.Linear(INPUTS, INPUTS), torch.nn.ReLU()

        def forward(self, x):
            self.steps = []
            for _ in range(3):
                self.steps.append(self.cell(x))
                self.steps[-1].retain_grad()
                x = self.act(self.steps[-1])
            return x[:, :CLASSES]

    model = Recurrent()
    monitor = train(model, steps=1)
    steps, gradients = torch.stack(model.steps).detach(), torch.stack([step.grad for step in model.steps])
    assert of(monitor, "cell")["activation_rms"] == pytest.approx(float(steps.square().mean().sqrt()))
    assert of(monitor, "cell")["gradient_norm"] == pytest.approx(float(gradients.norm()))
    assert of(monitor, "act")["zero"] == pytest.approx(float((steps <= 0).float().mean()))
    assert of(monitor, "act")["dead"] == float((steps <= 0).all(1).all(0).float().mean())


def test_accumulated_gradients_are_of_one_step():
    model, monitor = mlp(depth=1), Monitor()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, monitor, optimizer=optimizer):
        for seed in range(4):
            x, y = batch(seed)
            torch.nn.functional.cross_entropy(model(x), y).backward()
        gradient = float(model[0].weight.grad.norm())
        optimizer.step()
    found = of(monitor, "0.weight")
    assert found["weight_gradient_rms"] * 64 == pytest.approx(gradient)
    assert found["update_rms"] == pytest.approx(0.1 * found["weight_gradient_rms"], rel=1e-3)


def test_a_small_part_that_is_not_finite_is_found():
    model = mlp(depth=1, width=5000)
    with torch.no_grad():
        model[0].weight[4998, 63] = math.inf  # in no sample
    monitor = train(model, steps=1)
    assert of(monitor, "0.weight")["nonfinite"] == 2  # the weights, and so the gradient
    assert "non-finite" in rules(monitor)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_modules_of_other_dtypes(dtype):
    model, monitor = mlp("tanh").to(getattr(torch, dtype)), Monitor()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, monitor, optimizer=optimizer):
        model(batch()[0].to(getattr(torch, dtype))).square().sum().backward()
        optimizer.step()
    reference = train(mlp("tanh"), steps=1)
    for name, key in (("0", "activation_rms"), ("1", "activation_rms"), ("0.weight", "weight_rms")):
        assert of(monitor, name)[key] == pytest.approx(of(reference, name)[key], rel=0.01)
    assert monitor.alarms == []


def test_layers_in_autocast_are_watched():
    model, monitor = mlp("relu", depth=8), Monitor(classes=CLASSES)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, monitor, optimizer=optimizer):
        for step in range(10):
            x, y = batch(step)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
    assert monitor.alarms == []
    reference = train(mlp("relu", depth=8), steps=1)
    assert of(monitor, "8")["gradient_rms"] == pytest.approx(of(reference, "8")["gradient_rms"], rel=0.02)


def test_every_kind_of_module_is_watched():
    """Convolutions, in-place activations, norms, recurrent layers, sparse embeddings and attention."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(50, 16, sparse=True)
            self.lstm = torch.nn.LSTM(16, 16, batch_first=True)
            self.block = torch.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
            self.conv = torch.nn.Sequential(
                torch.nn.Conv2d(1, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(inplace=True), torch.nn.PReLU()
            )
            self.head = torch.nn.Linear(8, CLASSES)

        def forward(self, tokens):
            x = self.block(self.lstm(self.embed(tokens))[0])
            return self.head(self.conv(x[:, None]).mean((2, 3)))

    torch.manual_seed(0)
    model, monitor = Net(), Monitor(classes=CLASSES)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, monitor, optimizer=optimizer):
        for step in range(10):
            tokens = torch.from_numpy(np.random.default_rng(step).integers(0, 50, (8, 12)))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(tokens), batch(step, 8)[1]).backward()
            optimizer.step()
    assert monitor.verdict().healthy
    assert of(monitor, "embed.weight")["weight_gradient_rms"] > 0
    assert "weight_equal" not in of(monitor, "embed.weight")
    assert of(monitor, "lstm")["gradient_rms"] > 0
    assert of(monitor, "lstm.weight_hh_l0")["update_ratio"] > 0
    assert of(monitor, "conv.2")["zero"] > 0.2
    assert abs(of(monitor, "conv.1")["activation_mean"]) < 1e-6  # measured before it was overwritten


def test_updates_are_those_of_the_optimizers_own_weights():
    model = mlp(depth=2)
    own, other = [model[0].weight], [model[2].weight, model[4].weight]
    first, last = torch.optim.SGD(own, 0.1), torch.optim.SGD(other, 0.1)
    for optimizer, updated in ((first, own), ([first, last], own + other)):
        monitor = Monitor()
        with watch(model, monitor, optimizer=optimizer) as watched:
            for step in range(2):
                model(batch(step)[0]).square().mean().backward()
                first.step()
                last.step()
        assert watched.step == 2
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                assert ("update_rms" in of(monitor, name)) == any(weight is one for one in updated)
        assert monitor.alarms == []


def test_lora_with_a_first_learning_rate_of_0_is_healthy():
    """B is zero for two steps, and so is A's gradient (Hu et al., 2021)."""

    class Adapted(torch.nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base.requires_grad_(False)
            self.a, self.b = torch.nn.Linear(64, 4, False), torch.nn.Linear(4, len(base.weight), False)
            torch.nn.init.zeros_(self.b.weight)

        def forward(self, x):
            return self.base(x) + self.b(self.a(x))

    torch.manual_seed(0)
    layers = [Adapted(part) if isinstance(part, torch.nn.Linear) else part for part in mlp(depth=4)]
    model, monitor = torch.nn.Sequential(*layers), Monitor(classes=CLASSES)
    optimizer = torch.optim.SGD((weight for weight in model.parameters() if weight.requires_grad), 0.1)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 10)
    with watch(model, monitor, optimizer=optimizer):
        for step in range(10):
            x, y = batch(step)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            warmup.step()
    assert of(monitor, "0.a.weight")["weight_gradient_rms"] == of(monitor, "0.a.weight", 1)["weight_gradient_rms"] == 0
    assert monitor.verdict(None).healthy


@pytest.mark.parametrize("gate", [lambda: torch.zeros(()), lambda: torch.zeros(64), lambda: torch.zeros(64, 64)])
def test_residual_branches_that_start_at_0_are_healthy(gate):
    """ReZero's number, a scale for each channel, adaLN-Zero's matrix; and a last layer of zeros, as in adaLN-Zero.

    What they gate has no gradient at first, nor have they.
    """

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64))
            self.gate = torch.nn.Parameter(gate())

        def forward(self, x):
            y = self.inner(x)
            return x + (y @ self.gate.T if self.gate.ndim == 2 else y * self.gate)

    torch.manual_seed(0)
    model = torch.nn.Sequential(*[Block() for _ in range(4)], torch.nn.Linear(64, CLASSES))
    torch.nn.init.zeros_(model[-1].weight)
    monitor = train(model, steps=1)
    assert of(monitor, "0.gate")["weight_rms"] == 0
    assert of(monitor, "0.inner.0")["gradient_norm"] == 0
    assert monitor.alarms == []


@pytest.mark.parametrize("sparse", [False, True])
def test_a_table_of_which_few_rows_are_looked_up_is_healthy(sparse):
    torch.manual_seed(0)
    table = torch.nn.Embedding(100_000, INPUTS, sparse=sparse)
    model, monitor = torch.nn.Sequential(table, torch.nn.Linear(INPUTS, CLASSES)), Monitor()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, monitor, optimizer=optimizer):
        for step in range(4):
            optimizer.zero_grad()
            model(torch.tensor([0, 1, 2 + step])).square().mean().backward()
            optimizer.step()
    rows = table.weight.grad.coalesce().values() if sparse else table.weight.grad[[0, 1, 5]]
    expected = float(rows.square().mean().sqrt())
    assert of(monitor, "0.weight", 3)["weight_gradient_rms"] == pytest.approx(expected)
    assert monitor.alarms == []


def test_a_module_that_is_called_at_several_widths():
    model = torch.nn.ModuleDict({"fc": torch.nn.Linear(INPUTS, 8), "act": torch.nn.ReLU()})
    monitor = Monitor()
    with watch(model, monitor):
        for values in (torch.ones(16, 4), torch.zeros(16, 2), torch.ones(16, 4)):
            model["act"](values)
    found = of(monitor, "act")
    assert found["zero"] == pytest.approx(32 / 160)
    assert found["dead"] == pytest.approx(2 / 6)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_gradients_and_tensors_of_nothing():
    """Lookups of nothing, empty bags, a layer of no inputs, and a gradient that its optimizer has used already."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(9, 4, sparse=True)
            self.bag = torch.nn.EmbeddingBag(9, 4, sparse=True, mode="sum")
            self.none, self.head = torch.nn.Linear(0, 4), torch.nn.Linear(4, 4)

        def forward(self, tokens):
            bags = self.bag(tokens, torch.zeros(3, dtype=torch.long))
            return self.head(self.embed(tokens).sum(0) + bags + self.none(torch.zeros(3, 0)))

    torch.manual_seed(0)
    model, monitor = Net(), Monitor()

    def use(weight):
        weight.grad = None

    model.head.weight.register_post_accumulate_grad_hook(use)
    with watch(model, monitor):
        for tokens in ([], [1, 2], []):
            model(torch.tensor(tokens, dtype=torch.long)).sum().backward()
            model.zero_grad()
    assert of(monitor, "embed.weight", 1)["weight_gradient_rms"] > 0
    assert {line["name"] for line in monitor.history} >= {"none", "head"}
    assert not {"none.weight", "head.weight"} & {line["name"] for line in monitor.history}


def test_the_infinite_gradients_of_a_step_that_was_skipped_are_forgotten():
    """A loss scaler skips a step whose gradients overflow."""
    model, monitor = mlp(), Monitor()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, monitor, optimizer=optimizer) as watched:
        for step, scale in enumerate((math.inf, 1.0, 1.0)):
            optimizer.zero_grad()
            (scale * model(batch(step)[0]).square().mean()).backward()
            if scale == 1:
                optimizer.step()
    assert watched.step == 2
    assert not any(line["nonfinite"] for line in monitor.history)
    assert monitor.alarms == []


def test_layers_that_a_checkpoint_computes_again_are_in_their_order():
    """Checkpointing calls layers again in the backward pass, the last ones first."""
    checkpoint = importlib.import_module("torch.utils.checkpoint").checkpoint
    model, monitor = mlp(depth=12, factor=2.0), Monitor()
    x, y = batch()
    x.requires_grad_()  # the reentrant kind differentiates only by what comes from its input
    with watch(model, monitor):
        for layer in range(0, 24, 2):
            x = checkpoint(model[layer : layer + 2], x, use_reentrant=True)
        torch.nn.functional.cross_entropy(model[-1](x), y).backward()
    assert rules(monitor) == {"exploding"}


def test_what_is_gathered_does_not_grow_without_an_optimizers_step():
    model, monitor = mlp(), Monitor()
    watched = watch(model, monitor, optimizer=torch.optim.SGD(model.parameters(), 0.01))
    counts = []
    for step in range(6):
        loss = model(batch(step)[0]).square().mean()
        if step < 3:
            loss.backward()
        counts.append(sum(type(thing) is torch.Tensor for thing in gc.get_objects()))
    assert len(set(counts[1:3])) == len(set(counts[4:])) == 1
    watched.close()


# What is not changed


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_watched_model_is_not_watched(copied):
    model, monitor = mlp(), Monitor()
    with watch(model, monitor) as watched:
        other = copied(model)
        copied(watched).close()
        other(batch()[0]).sum().backward()
    assert monitor.history == []


def test_the_hooks_go_though_the_monitor_is_closed():
    model, monitor = mlp(), Monitor()
    watched = watch(model, monitor)
    model(batch()[0]).sum().backward()
    monitor.close()
    with pytest.raises(ValueError, match="the monitor is closed"):
        watched.close()
    assert not any(module._forward_hooks for module in model.modules())
    model(batch()[0]).sum().backward()
    watched.close()


@pytest.mark.parametrize(
    ("make", "activation"),
    [
        (lambda: torch.nn.Hardtanh(-10, 10), ("hardtanh", -10.0, 10.0)),
        (lambda: torch.nn.Hardtanh(-1, 1), "hardtanh"),
        (lambda: torch.nn.LeakyReLU(0.2), ("leaky_relu", 0.2)),
        (lambda: torch.nn.LeakyReLU(0.01), "leaky_relu"),
        (lambda: torch.nn.ELU(0.5), ("elu", 0.5)),
        (lambda: torch.nn.CELU(2.0), ("celu", 2.0)),
    ],
)
def test_an_activation_modules_parameters_are_declared(make, activation):
    monitor = Monitor()
    with watch(torch.nn.Sequential(torch.nn.Linear(4, 4), make()), monitor):
        assert monitor.activations == {"1": activation}


def test_outputs_may_be_saturated():
    """A sigmoid that ends a model, and is sure; the same one before a last layer."""
    sure = torch.nn.Linear(INPUTS, 32)
    with torch.no_grad():
        sure.weight.mul_(100)
    for rest, named in ((), set()), ((torch.nn.Linear(32, CLASSES),), {"saturated"}):
        model, monitor = torch.nn.Sequential(sure, torch.nn.Sigmoid(), *rest), Monitor()
        with watch(model, monitor):
            model(batch()[0]).square().mean().backward()
        assert of(monitor, "1")["saturated"] > 0.9
        assert rules(monitor) == named


def test_training_has_the_same_bits_and_no_hook_stays():
    plain = mlp()
    watched = copy.deepcopy(plain)
    train(watched, steps=5)
    optimizer = torch.optim.SGD(plain.parameters(), 0.01)
    for step in range(5):
        x, y = batch(step)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(plain(x), y).backward()
        optimizer.step()
    for ours, theirs in zip(watched.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    for module in watched.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert not any(parameter._post_accumulate_grad_hooks for parameter in watched.parameters())


def test_closing_records_what_there_is_and_twice_does_nothing():
    model, monitor = mlp(), Monitor()
    watched = watch(model, monitor)
    model(batch()[0]).sum().backward()
    assert monitor.history == []
    watched.close()
    count = len(monitor.history)
    assert count > 0
    watched.close()
    model(batch()[0]).sum().backward()
    assert len(monitor.history) == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"first": -1}, "first must not be negative, got -1"),
        ({"monitor": lambda: Monitor(layout="IO")}, "monitor must have the layout 'OI', torch's, got 'IO'"),
    ],
)
def test_errors_say_what_is_allowed(options, message):
    monitor = options.pop("monitor", Monitor)()
    with pytest.raises(ValueError, match=message):
        watch(mlp(), monitor, **options)


# What it costs


def times(width, repetitions, every=50):
    """The least processor time, on one thread, of a training step alone, of one not recorded, and of one recorded."""
    torch.manual_seed(0)
    layers = [part for _ in range(4) for part in (torch.nn.Linear(width, width), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, CLASSES))
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, momentum=0.9)
    x, y = torch.randn(128, width), torch.randint(0, CLASSES, (128,))

    def step():
        start = time.process_time()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        return time.process_time() - start

    found = []
    for _ in range(repetitions):
        alone = step()
        with watch(model, Monitor(), optimizer=optimizer, first=0, every=every):
            recorded = step()
            step()  # after it caches are as they were
            found.append((alone, step(), recorded))
    return np.min(found, axis=0)


@pytest.mark.slow
def test_it_costs_less_than_5_percent_of_training_ten_million_parameters(capsys):
    """One step of 50 is recorded; in the others hooks return, which takes the same time whatever the width.

    It costs 0.5%; if every step was recorded, it would cost more than 20%.
    """
    assert 4 * 1600 * 1601 > 10e6
    alone, _, recorded = times(1600, 30)
    small, returning, _ = times(8, 1000)
    cost = (recorded - alone + 49 * (returning - small)) / 50 / alone
    with capsys.disabled():
        print(f"\na step takes {alone * 1e3:.0f} ms, and {recorded / alone - 1:.0%} more where it is recorded;")
        print(f"hooks that return take {(returning - small) * 1e6:.0f} µs; over 50 steps it is {cost:.2%}")
    assert cost < 0.05
