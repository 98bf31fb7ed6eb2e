"""What the monitor records of torch modules is what the same arrays give in NumPy, for every kind of module."""

import gc
import importlib
import math

import numpy as np
import pytest
from lazily import Peer
from monitored import rules
from watched import CLASSES, INPUTS, batch, mlp, of, one_thread, train  # noqa: F401

from fanin.diagnose.monitor import Monitor
from fanin.diagnose.torch import watch

torch = Peer("torch")
pytestmark = pytest.mark.peer


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
