"""Tasks, plain SGD, and strategies side by side: known answers first, then what the papers found."""

import dataclasses
import json
import math
import sys

import numpy as np
import pytest

import fanin
from fanin import schemes
from fanin.diagnose import MeanField, Network, Stack, Task, compare, digits, load, train
from fanin.diagnose.tasks import batches, permutation

HE, XAVIER = schemes.he_normal(layout="OI"), schemes.xavier_normal(layout="OI")
SMALL = Stack(weights=HE, depth=3, width=32)
# How far two of its steps may be apart: the sums forward, back and over the batch have 64 + 3·32, 10 + 2·32 and at most
# 64 products, and each is rounded by 2⁻²⁴ in both.
STEP = 2 * (160 + 74 + 64) * 2**-24


@pytest.fixture(scope="module")
def task():
    return digits()


def trained(stack, task, seed=0, **options):
    network = Network(stack, task.shape(stack.kind), task.classes, seed=seed)
    return train(network, task, seed=seed, **options)


# Tasks


def test_digits_are_all_of_them_and_the_split_never_changes(task):
    assert (task.inputs.shape, task.test_inputs.shape, task.classes) == ((1438, 64), (359, 64), 10)
    assert task.inputs.dtype == np.float32
    assert task.labels.dtype == np.int64
    both = np.concatenate([task.labels, task.test_labels])
    # UCI's optical digits, the test set of 1797: so many of each class.
    assert np.bincount(both).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert len(np.unique(np.concatenate([task.inputs, task.test_inputs]), axis=0)) == 1797
    assert task.test_labels[:8].tolist() == [6, 2, 6, 1, 1, 6, 1, 8]


def test_inputs_are_standardized_by_the_training_examples(task):
    assert abs(task.inputs.mean(0)).max() < 1e-5
    assert (task.inputs.astype(np.float64) ** 2).mean() == pytest.approx(1, abs=1e-5)
    assert (task.inputs[:, 0] == 0).all()  # a pixel that is always dark
    assert abs(task.inputs).max() < 5  # 38, if a rare pixel were divided by its own std


def test_examples_take_the_shape_of_the_stack(task):
    first = task.inputs[0].reshape(8, 8)
    assert (task.shaped("dense")[0] == task.inputs[0]).all()
    assert (task.shaped("conv")[0, 0] == first).all()
    assert (task.shaped("lstm")[0] == first).all()
    assert (task.shaped("rnn")[0] == first).all()


def of(shape):
    x = np.zeros((2, *shape), np.float32)
    return Task("task", x, np.zeros(2, np.int64), x, np.zeros(2, np.int64), 2)


@pytest.mark.parametrize(
    ("given", "kind", "wanted"),
    [
        ((3, 4, 5), "dense", (60,)),
        ((3, 4, 5), "conv", (3, 4, 5)),
        ((4, 5), "conv", (1, 4, 5)),
        ((4, 5), "rnn", (4, 5)),
        ((1, 4, 5), "lstm", (4, 5)),
        ((9,), "conv", (1, 3, 3)),
    ],
)
def test_images_take_the_shape_that_a_kind_of_network_needs(given, kind, wanted):
    assert of(given).shape(kind) == wanted


@pytest.mark.parametrize(("given", "kind"), [((3, 4, 5), "lstm"), ((8,), "conv"), ((8,), "rnn")])
def test_examples_that_are_no_picture_or_sequence(given, kind):
    with pytest.raises(ValueError, match=r"^inputs must be of shape"):
        of(given).shape(kind)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"^kind must be one of dense, conv, rnn, lstm, got 'mlp'"):
        of((4,)).shape("mlp")


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digits()


def test_a_file_of_ones_own_is_split_and_each_feature_standardized(tmp_path):
    x = np.stack([np.arange(50.0), 1000 + 5 * np.arange(50.0), np.full(50, 7.0)], axis=1)
    np.savez(tmp_path / "mine.npz", x=x, y=np.arange(50) % 3)
    task = load(tmp_path / "mine.npz")
    assert (task.name, task.classes, len(task.labels), len(task.test_labels)) == ("mine", 3, 40, 10)
    assert task.inputs[:, :2].std(0) == pytest.approx(1)
    assert task.inputs[:, 0] == pytest.approx(task.inputs[:, 1])  # the unit of a feature does not matter
    assert (task.inputs[:, 2] == 0).all()
    assert (task.test_inputs[:, 2] == 0).all()


def test_a_file_may_hold_test_examples(tmp_path):
    x, test_x = np.array([[0.0], [2.0]]), np.array([[4.0]])
    np.savez(tmp_path / "mine.npz", x=x, y=[0, 1], test_x=test_x, test_y=[4])
    task = load(str(tmp_path / "mine.npz"))
    assert task.inputs.tolist() == [[-1], [1]]
    assert task.test_inputs.tolist() == [[3]]
    assert task.classes == 5


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((2, 2))}, r"^path must hold x and y"),
        ({"x": np.zeros((2, 2)), "y": [0, 1], "test_x": np.zeros((2, 2))}, r"^path must hold x and y"),
        ({"x": np.zeros(2), "y": [0, 1]}, r"^x must be finite real numbers"),
        ({"x": np.full((2, 2), np.nan), "y": [0, 1]}, r"^x must be finite real numbers"),
        ({"x": np.zeros((2, 2)), "y": [0.0, 1.0]}, r"^y must be 2 whole numbers from 0"),
        ({"x": np.zeros((2, 2)), "y": [0, -1]}, r"^y must be 2 whole numbers from 0"),
        ({"x": np.zeros((2, 2)), "y": [0, 1, 2]}, r"^y must be 2 whole numbers from 0"),
        (
            {"x": np.zeros((2, 2)), "y": [0, 1], "test_x": np.zeros((2, 3)), "test_y": [0, 1]},
            r"^test_x must have examples of shape",
        ),
    ],
)
def test_files_that_are_no_task(arrays, message, tmp_path):
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "mine.npz")


def test_a_single_array_is_no_task(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(2))
    with pytest.raises(ValueError, match=r"x\.npy: it must be a complete \.npz file: File is not a zip file"):
        load(tmp_path / "x.npy")


# Training


def test_the_order_of_examples_depends_on_seed_and_name_alone():
    order = permutation(1000, seed=1, name="order")
    assert sorted(order) == list(range(1000))
    assert (permutation(1000, seed=1, name="order") == order).all()
    assert (permutation(1000, seed=2, name="order") != order).any()
    assert (permutation(1000, seed=1, name="other") != order).any()


def test_every_epoch_sees_every_example_once_in_another_order():
    chosen = batches(10, 4, 10, seed=0)
    assert chosen.shape == (10, 4)
    epochs = chosen.reshape(4, 10)
    assert (np.sort(epochs) == np.arange(10)).all()
    assert len(np.unique(epochs, axis=0)) == 4
    assert batches(3, 8, 2, seed=0).shape == (2, 3)  # a batch is no larger than the task


def test_a_step_subtracts_the_rate_times_the_gradient(task):
    network = Network(SMALL, (64,), 10, seed=3)
    before = {name: value.copy() for name, value in network.parameters.items()}
    chosen = batches(len(task.labels), 32, 1, seed=3)[0]
    loss, gradient = network.loss(task.inputs[chosen], task.labels[chosen])
    network.backward(gradient)
    gradients = dict(network.gradients)
    training = train(network, task, steps=1, rate=0.5, batch=32, seed=3)
    assert training.losses == pytest.approx([loss])
    for name, value in network.parameters.items():
        assert value == pytest.approx(before[name] - 0.5 * gradients[name], rel=1e-6, abs=1e-7)
    name = "layers.1.weight"
    ratio = 0.5 * np.linalg.norm(gradients[name]) / np.linalg.norm(before[name])
    assert training.updates[name] == pytest.approx([ratio], rel=1e-5)
    assert set(training.updates) == {*(f"layers.{layer}.weight" for layer in range(3)), "head.weight"}


def test_zeros_start_at_the_loss_of_a_guess_and_move_only_the_bias_of_the_head(task):
    training = trained(Stack(weights=schemes.zeros(), depth=3, width=32), task, steps=50, rate=0.1)
    assert training.losses[0] == pytest.approx(math.log(10), abs=1e-6)
    assert training.losses[-1] > 2.2  # what the frequencies of the classes give
    assert training.updates["layers.1.weight"].tolist() == [0] * 50
    assert not training.diverged


def test_the_same_seed_trains_to_the_same_and_another_does_not(task):
    """But for rounding: BLAS may add up in another order each time, and the changes of 5 steps add."""
    first, again, other = (trained(SMALL, task, seed=seed, steps=5) for seed in (0, 0, 1))
    assert first.losses == pytest.approx(again.losses, rel=5 * STEP)
    assert abs(first.losses - other.losses).min() > 1e-3


@pytest.mark.parametrize(
    ("stack", "rate"),
    [
        (SMALL, 0.2),
        (dataclasses.replace(SMALL, norm="batch"), 0.2),
        (dataclasses.replace(SMALL, residual=True, norm="layer"), 0.2),
        (Stack(kind="conv", weights=HE, depth=3, width=16, norm="batch"), 0.5),
        (Stack(kind="rnn", weights=schemes.orthogonal(layout="OI"), activation="tanh", width=32), 0.2),
        (Stack(kind="lstm", weights=schemes.orthogonal(blocks=4, layout="OI"), activation="tanh", width=32), 1.0),
    ],
    ids=["dense", "batch norm", "residual, layer norm", "conv", "rnn", "lstm"],
)
def test_every_kind_of_network_learns_digits(stack, rate, task):
    # After 100 steps, four and a half epochs; a guess is right in a tenth.
    assert trained(stack, task, steps=100, rate=rate).accuracy > 0.7


def test_an_explosion_ends_the_training_and_warns_of_nothing(task):
    training = trained(dataclasses.replace(SMALL, weights=1e10 * HE), task, steps=20, rate=1e10)
    assert training.diverged
    assert np.isinf(training.losses[-1])
    assert training.accuracy < 0.3  # logits that are not finite are no answer
    assert np.isnan(training.updates["head.weight"][-1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, r"^steps must be at least 1, got 0"),
        ({"batch": 0}, r"^batch must be at least 1, got 0"),
        ({"rate": 0.0}, r"^rate must be positive and finite, got 0.0"),
        ({"rate": math.inf}, r"^rate must be positive and finite, got inf"),
    ],
)
def test_training_that_makes_no_sense(options, message, task):
    with pytest.raises(ValueError, match=message):
        trained(SMALL, task, **options)


# What the papers found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_thirty_relu_layers_train_from_he_and_stall_from_xavier(seed, task):
    """He et al. (2015), section 2.2 and figure 3: at 30 layers Xavier's stalls, and theirs converges.

    Xavier's loss stays that of a guess, ln 10 within 0.05, at rates over two decades, in as many steps.
    """
    stack = Stack(weights=HE, depth=30)
    he = trained(stack, task, seed, steps=800, rate=0.01)
    assert he.accuracy > 0.9
    assert he.losses[-80:].mean() < 0.3
    for rate in (0.01, 0.1, 1.0):
        xavier = trained(dataclasses.replace(stack, weights=XAVIER), task, seed, steps=800, rate=rate)
        assert xavier.accuracy < 0.3  # logits that hardly differ may still favour the right class of a few
        assert xavier.losses[-80:].mean() == pytest.approx(math.log(10), abs=0.05)


@pytest.mark.parametrize(
    "variance", [0.8, pytest.param(1.2, marks=pytest.mark.slow), pytest.param(3.0, marks=pytest.mark.slow)]
)
def test_the_trainable_depth_of_tanh_is_about_six_depth_scales(variance, task):
    """Schoenholz et al. (2017), figure 5: nets train to a depth of 6 ξ_c, here half of it and not twice it.

    Their σ_b² is 0.05; σ_w² of 0.8 and 1.2 is in the ordered phase, 3 in the chaotic one. After 300 steps at the
    better of two rates above 75 % is trained, below 30 % is not, and a guess has 10 %. In the chaotic phase training
    multiplies rounding too: from BLAS to BLAS the accuracy, 91 %, varies by 3 % (one standard deviation).
    """
    field = MeanField("tanh", variance, 0.05)
    weights = math.sqrt(variance) * schemes.lecun_normal(layout="OI")
    stack = Stack(weights=weights, biases=schemes.normal(std=math.sqrt(0.05)), activation="tanh", width=64)

    def accuracy(depth):
        there = dataclasses.replace(stack, depth=round(depth))
        return max(trained(there, task, steps=300, rate=rate).accuracy for rate in (0.01, 0.1))

    assert accuracy(field.trainable_depth / 2) > 0.75
    assert accuracy(field.trainable_depth * 2) < 0.3


# Comparisons


def constant(name, strategy, seed):
    """Losses of 1 + seed from the first strategy, 100 times as much from the second, nan from the third."""
    while True:
        yield {"one": 1.0, "hundred": 100.0}.get(strategy, math.nan) * (1 + seed)


def test_a_step_of_ones_own_is_ranked_by_its_losses():
    result = compare({"c": "none", "b": "hundred", "a": "one"}, step=constant, seeds=3, steps=5)
    assert [row.name for row in result.rows] == ["a", "b", "c"]
    # 1, 2 and 3 have mean 2 and standard error 1/√3; 4.30 of these on either side are 95 % of Student's t.
    assert [row.loss for row in result.rows] == [2, 200, math.inf]
    assert result.rows[0].loss_error == pytest.approx(1 / math.sqrt(3))
    assert [row.diverged for row in result.rows] == [0, 0, 3]
    assert result.losses.shape == (3, 3, 5)
    assert result.losses[1, 2].tolist() == [300] * 5
    assert result.reports == ((), (), ())
    assert not result.better("a", "b")  # 200 ± 4.30·57.7 reaches down to -48
    assert result.better("a", "c")
    assert not result.better("b", "a")


def test_better_is_claimed_only_where_the_intervals_are_apart():
    def at(losses):
        return lambda name, strategy, seed: [losses[name][seed]]

    apart = compare({"a": 0, "b": 0}, step=at({"a": [1.0, 1.1, 1.2], "b": [2.0, 2.1, 2.2]}), steps=1)
    assert apart.better("a", "b")
    assert "a is better than b" in str(apart)
    touching = compare({"a": 0, "b": 0}, step=at({"a": [1.0, 1.1, 1.2], "b": [1.4, 1.5, 1.6]}), steps=1)
    assert not touching.better("a", "b")  # 1.1 + 0.248 and 1.5 - 0.248
    assert "no strategy is better beyond the scatter of seeds" in str(touching)
    alone = compare({"a": 0, "b": 0}, step=at({"a": [1.0], "b": [2.0]}), steps=1, seeds=1)
    assert not alone.better("a", "b")


def test_a_step_may_return_losses_and_accuracy(task):
    def sgd(name, scheme, seed):
        return trained(dataclasses.replace(SMALL, weights=scheme), task, seed, steps=20, rate=0.1)

    own = compare({"he": HE}, step=sgd, seeds=2, steps=20)
    ours = compare({"he": HE}, stack=SMALL, task=task, seeds=2, steps=20, rates=(0.1,))
    assert own.losses == pytest.approx(ours.losses, rel=20 * STEP)
    assert own.rows[0].accuracy == pytest.approx(ours.rows[0].accuracy, abs=0.01)
    assert math.isnan(own.rows[0].rate)


def test_a_step_that_ends_early():
    with pytest.raises(ValueError, match=r"^step must give 5 losses, got 2 for 'a' with seed 0"):
        compare({"a": 0}, step=lambda *_: [1.0, 2.0], steps=5)


def test_good_ranks_above_bad_and_zeros_are_last(task):
    stack = dataclasses.replace(SMALL, activation="tanh", depth=8)
    strategies = {"zeros": schemes.zeros(), "small": 0.6 * XAVIER, "xavier": XAVIER}
    result = compare(strategies, stack=stack, task=task, steps=150, rates=(0.03, 0.3))
    names = [row.name for row in result.rows]
    assert names == ["xavier", "small", "zeros"]
    assert result.better("xavier", "zeros")
    assert result.better("small", "zeros")
    best, _, zeros = result.rows
    assert best.accuracy > 0.85
    assert zeros.accuracy < 0.2
    assert zeros.loss == pytest.approx(math.log(10), abs=0.05)
    assert 0 < best.loss_error < 0.1
    assert len(result.reports[0]) == 3
    # Small gradients lose about -ln 0.36 more a layer, a little less as tanh is less saturated; theory knows how much.
    assert result.rows[1].slope - best.slope == pytest.approx(-math.log(0.36), abs=0.25)
    for row in result.rows[:2]:
        assert row.predicted == pytest.approx(row.slope, abs=0.1)  # eight layers of 32 units, three seeds
    assert best.spread < 5 < result.rows[1].spread


def test_equals_are_not_told_apart(task):
    """The normal and the uniform He have the same variance, which is all that He et al. ask for."""
    uniform = schemes.he_uniform(layout="OI")
    result = compare({"normal": HE, "uniform": uniform}, stack=SMALL, task=task, steps=60, rates=(0.1,))
    assert not result.better("normal", "uniform")
    assert not result.better("uniform", "normal")


def test_every_strategy_gets_the_rate_that_suits_it(task):
    """A weight c times as large, with the activation linear, wants a smaller rate: no single rate is fair."""
    stack = dataclasses.replace(SMALL, activation="linear")
    strategies = {"one": XAVIER, "three": 3.0 * XAVIER}
    rates = (0.0003, 0.003, 0.03, 0.3)
    result = compare(strategies, stack=stack, task=task, seeds=2, steps=60, rates=rates)
    chosen = {row.name: row.rate for row in result.rows}
    assert chosen["three"] < chosen["one"]
    for rate in rates:
        alone = compare({"three": strategies["three"]}, stack=stack, task=task, seeds=2, steps=60, rates=(rate,))
        best = next(row.loss for row in result.rows if row.name == "three")
        assert alone.rows[0].loss > 0.999 * best  # one of them is the best again, but for rounding


def test_a_file_of_ones_own_and_whole_stacks(tmp_path):
    """Two moons of numbers: the class is the sign of a product, which a linear model cannot tell."""
    x = fanin.normal((400, 2), seed=0, name="x")
    np.savez(tmp_path / "signs.npz", x=x, y=(x[:, 0] * x[:, 1] > 0).astype(int))
    stacks = {name: dataclasses.replace(SMALL, activation=name) for name in ("relu", "linear")}
    result = compare(stacks, task=load(tmp_path / "signs.npz"), steps=200, rates=(0.1, 0.3))
    assert [row.name for row in result.rows] == ["relu", "linear"]
    assert result.better("relu", "linear")
    assert result.title.startswith("signs, ")


@pytest.mark.parametrize(
    ("name", "stack", "scheme"),
    [
        ("xavier", SMALL, XAVIER),
        ("he", SMALL, HE),
        ("lecun", SMALL, schemes.lecun_normal(layout="OI")),
        ("he_uniform", SMALL, schemes.he_uniform(layout="OI")),
        ("he", Stack(weights=HE, activation="gelu"), schemes.he_normal(layout="OI", activation="gelu")),
        ("orthogonal", SMALL, schemes.orthogonal(math.sqrt(2), layout="OI")),
        ("orthogonal", Stack(weights=HE, activation="tanh"), schemes.orthogonal(layout="OI")),
        ("orthogonal", Stack(weights=HE, kind="lstm", activation="tanh"), schemes.orthogonal(blocks=4, layout="OI")),
        ("zeros", SMALL, schemes.zeros()),
    ],
)
def test_names_stand_for_schemes(name, stack, scheme):
    seen = []
    compare([name], stack=stack, step=lambda _, given, __: seen.append(given) or [1.0], steps=1, seeds=1)
    assert seen == [scheme]


def test_a_comparison_prints_as_a_table_and_goes_through_json(task):
    result = compare(["he", "zeros"], stack=SMALL, task=task, seeds=2, steps=40, rates=(0.1,))
    lines = str(result).splitlines()
    assert lines[0] == "digits, 3 dense layers of width 32, relu, 40 steps of SGD, 2 seeds, rate 0.1"
    assert lines[1].split()[:3] == ["strategy", "rate", "final"]
    assert lines[2].split()[:3] == ["1", "he", "0.1"]
    assert lines[3].split()[:3] == ["2", "zeros", "0.1"]
    assert any(line.startswith("zeros: every unit starts equal") for line in lines)
    assert max(map(len, lines)) <= 120
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert [row["name"] for row in data["rows"]] == ["he", "zeros"]
    assert data["losses"] == result.losses.tolist()


@pytest.mark.parametrize(
    ("strategies", "options", "error", "message"),
    [
        ({}, {}, ValueError, r"^strategies must be a mapping or a sequence of names, and not empty"),
        ("he", {}, ValueError, r"^strategies must be a mapping or a sequence of names"),
        (["kaiming"], {}, ValueError, r"^name must be xavier, he, lecun or a name of fanin.schemes, got 'kaiming'"),
        (["Scheme"], {}, ValueError, r"^name must be xavier"),
        (["fixup"], {}, ValueError, r"^name must be of a scheme whose parameters have defaults: .*blocks"),
        ({"he": "he"}, {}, TypeError, r"^strategies must be schemes or stacks, got 'he' for 'he'"),
        (["he"], {"seeds": 0}, ValueError, r"^seeds must be at least 1, got 0"),
        (["he"], {"steps": 0}, ValueError, r"^steps must be at least 1, got 0"),
        (["he"], {"rates": ()}, ValueError, r"^rates must not be empty"),
    ],
)
def test_comparisons_that_make_no_sense(strategies, options, error, message):
    with pytest.raises(error, match=message):
        compare(strategies, **options)


def test_columns_that_say_nothing_are_left_out():
    lines = str(compare({"a": 0, "b": 0}, step=lambda *_: [1.0], steps=1)).splitlines()
    assert lines[1].split() == ["strategy", "final", "loss", "diverged"]


def test_better_names_what_was_compared():
    result = compare({"a": 0}, step=lambda *_: [1.0], steps=1)
    with pytest.raises(ValueError, match=r"^second must be one of a, got 'b'"):
        result.better("a", "b")


def test_a_constant_feature_becomes_0(tmp_path):
    x = np.arange(40.0).reshape(20, 2)
    x[:, 1] = 0.1  # whose mean rounds
    np.savez(tmp_path / "task.npz", x=x, y=np.arange(20) % 2)
    task = load(tmp_path / "task.npz")
    assert not task.inputs[:, 1].any()
    assert not task.test_inputs[:, 1].any()


@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", b"PK\x03\x04 and no more"])
def test_what_is_no_npz_file_is_an_error_in_one_line(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.npz: it must be a complete \.npz file: File is not a zip file"):
        load(tmp_path / "bad.npz")


def test_a_truncated_npz_file_is_an_error(tmp_path):
    np.savez(tmp_path / "task.npz", x=np.ones((200, 2)), y=np.arange(200) % 2)
    whole = (tmp_path / "task.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"cut\.npz: it must be a complete \.npz file"):
        load(tmp_path / "cut.npz")
