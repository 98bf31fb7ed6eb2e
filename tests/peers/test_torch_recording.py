"""What a model's code does to its parameters becomes a plan: each way of writing, and what is refused."""

import copy
import math
import threading

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin import schemes

torch = Peer("torch")
replay = Peer("fanin.torch.replay")
recorded = Peer("recorded")
nn = Peer("torch.nn")
pytestmark = pytest.mark.peer


def module(**makers):
    """A function that builds a module whose parameters are made by the functions, in their order."""

    def build():
        made = nn.Module()
        for name, make in makers.items():
            made.register_parameter(name, nn.Parameter(make()))
        return made

    return build


def planned(**makers):
    return fanin.torch.plan(module(**makers), seed=5)


def written(shape, *writes):
    """A tensor to which functions write, one after the other."""
    tensor = torch.empty(shape)
    for write in writes:
        write(tensor)
    return tensor


def rows(tensor):
    for row in tensor:
        row.normal_(std=0.1)


def chunks(tensor):
    for chunk in tensor.chunk(3):
        nn.init.xavier_uniform_(chunk)


def drawn(scheme, name, shape, **options):
    return scheme(shape, seed=5, name=name, **options)


# ---- What is one law -------------------------------------------------------------------------------------------------

LAWS = {
    "a method": (lambda: written((4, 3), lambda w: w.normal_(std=0.1)), schemes.normal(std=0.1)),
    "through data": (lambda: written((4, 3), lambda w: w.data.uniform_(-1, 2)), schemes.uniform(-1, 2)),
    "a function": (lambda: torch.randn(4, 3), schemes.normal()),
    "like another": (lambda: torch.rand_like(torch.empty(4, 3)), schemes.uniform()),
    "the last of two": (lambda: written((4, 3), lambda w: w.normal_(), lambda w: w.fill_(2)), schemes.constant(2)),
    "another shape, in order": (lambda: written((4, 3), lambda w: w.view(-1).normal_()), schemes.normal()),
    "scaled and shifted": (lambda: torch.randn(4, 3) * 0.5 - 1, schemes.normal(-1, 0.5)),
    "in place": (
        lambda: written((4, 3), lambda w: w.uniform_(), lambda w: w.mul_(2).sub_(1).div_(4)),
        schemes.uniform(-0.25, 0.25),
    ),
    "from a number": (lambda: 1 - torch.rand(5), schemes.uniform(0, 1)),
    "a number from Python": (lambda: torch.tensor(2.6592), schemes.constant(2.6592)),
    "numbers from NumPy": (lambda: torch.from_numpy(np.full((2, 2), 0.25, "float32")), schemes.constant(0.25)),
    "the old constructor": (lambda: torch.Tensor(2, 3).normal_(), schemes.normal()),
    "a copy": (lambda: written((4, 3), lambda w: w.copy_(torch.randn(4, 3))), schemes.normal()),
    "a dtype": (lambda: torch.randn(4, 3).to(torch.bfloat16), schemes.normal()),
    "kaiming": (
        lambda: nn.init.kaiming_normal_(torch.empty(4, 3), nonlinearity="relu"),
        schemes.he_normal(layout="OI"),
    ),
    "a gain that fanin has not": (
        lambda: nn.init.kaiming_normal_(torch.empty(4, 9), nonlinearity="tanh"),
        schemes.normal(std=5 / 3 / 3),
    ),
    "xavier": (lambda: nn.init.xavier_uniform_(torch.empty(4, 3)), schemes.xavier_uniform(layout="OI")),
    "orthogonal": (lambda: nn.init.orthogonal_(torch.empty(4, 3, 2), 2.0), schemes.orthogonal(2.0, layout="OI")),
    "eye": (lambda: nn.init.eye_(torch.empty(4, 3)), schemes.identity()),
    "timm's truncation": (
        lambda: written(
            (4, 3),
            lambda w: w.uniform_(-math.erf(2 / math.sqrt(2)), math.erf(2 / math.sqrt(2))),
            lambda w: w.erfinv_().mul_(0.02 * math.sqrt(2)).add_(0.0).clamp_(-0.04, 0.04),
        ),
        schemes.truncated_normal(0.0, 0.02, -0.04, 0.04, bounds="absolute"),
    ),
    "empty": (lambda: torch.empty(0, 3), schemes.zeros()),
}


@pytest.mark.parametrize("way", LAWS)
def test_what_is_one_law_is_one_scheme(way):
    make, scheme = LAWS[way]
    plan = planned(w=make)
    row = plan.row("w")
    assert row.scheme.expected_std(row.shape) == pytest.approx(scheme.expected_std(row.shape), rel=1e-9)
    assert np.array_equal(plan["w"], drawn(scheme, "w", row.shape, dtype=row.dtype))


# ---- Regions ---------------------------------------------------------------------------------------------------------


def test_rows_are_numbered_draws():
    plan = planned(w=lambda: written((4, 3), rows))
    for number in range(4):
        name = f"w#{number}" if number else "w"
        assert np.array_equal(plan["w", number], drawn(schemes.normal(std=0.1), name, 3))


def test_chunks_have_fans_of_their_own():
    plan = planned(w=lambda: written((12, 4), chunks))
    assert np.array_equal(plan["w", 4:8], drawn(schemes.xavier_uniform(layout="OI"), "w#1", (4, 4)))


def test_a_region_over_a_draw():
    plan = planned(w=lambda: written(12, lambda w: w.uniform_(-1, 1), lambda w: w[3:6].fill_(1)))
    whole = drawn(schemes.uniform(-1, 1), "w", 12)
    assert plan["w", 3:6].tolist() == [1, 1, 1]
    assert np.array_equal(plan["w", 6:], whole[6:])


def test_interleaved_heads_are_boxes_of_a_view():
    plan = planned(w=lambda: written((12, 4), lambda w: w.zero_(), lambda w: w.view(2, 3, 2, 4)[:, 1].normal_()))
    heads = plan["w"].reshape(2, 3, 2, 4)
    assert not heads[:, [0, 2]].any()
    assert np.array_equal(heads[:, 1], drawn(schemes.normal(), "w", (2, 2, 4)))


def test_every_other_column():
    plan = planned(w=lambda: written((4, 6), lambda w: w[:, ::2].normal_(), lambda w: w[:, 1::2].fill_(0.5)))
    assert (plan["w"][:, 1::2] == 0.5).all()
    assert np.array_equal(plan["w"][:, ::2], drawn(schemes.normal(), "w", (4, 3)))


def test_a_transposed_write_has_the_index_of_the_view():
    plan = planned(
        w=lambda: written((3, 5), lambda w: nn.init.kaiming_uniform_(w.t())), v=lambda: torch.randn(3, 5).t()
    )
    assert np.array_equal(plan["w"].T, drawn(schemes.he_uniform(layout="OI"), "w", (5, 3)))
    assert np.array_equal(plan["v"].T, drawn(schemes.normal(), "v", (3, 5)))


def test_what_is_overwritten_is_no_draw():
    plan = planned(
        w=lambda: written((4, 2), lambda w: w.normal_(), lambda w: w[:2].uniform_(), lambda w: w[2:].normal_())
    )
    assert np.array_equal(plan["w", :2], drawn(schemes.uniform(), "w", (2, 2)))
    assert np.array_equal(plan["w", 2:], drawn(schemes.normal(), "w#1", (2, 2)))


def test_an_embedding_with_padding_that_is_scaled_as_a_whole():
    def build():
        layer = nn.Embedding(7, 3, padding_idx=2)
        layer.weight.data.mul_(0.02)
        return layer.to(torch.bfloat16)

    plan = fanin.torch.plan(build, seed=5)
    assert plan.row("weight").scheme == schemes.padded(schemes.normal(std=0.02), 2)
    assert plan.row("weight").dtype == "bfloat16"


def test_parts_that_are_joined():
    plan = planned(w=lambda: torch.cat([torch.zeros(2, 3), torch.randn(2, 3)]))
    assert not plan["w", :2].any()
    assert np.array_equal(plan["w", 2:], drawn(schemes.normal(), "w", (2, 3)))


# ---- What is derived -------------------------------------------------------------------------------------------------


def step_bias():
    steps = torch.exp(torch.rand(500) * (math.log(0.1) - math.log(0.001)) + math.log(0.001)).clamp(min=1e-4)
    return steps + torch.log(-torch.expm1(-steps))


DERIVED = {
    "log of a range": lambda: torch.log(torch.arange(1, 9, dtype=torch.float32).repeat(3, 1)),
    "log of a range, expanded": lambda: torch.arange(1, 17).float()[None, :].expand(5, -1).contiguous().log(),
    "log of a draw": lambda: torch.log(torch.empty(40).uniform_(1, 16)),
    "two draws": lambda: torch.exp(torch.randn(50)) + torch.rand(50),
    "a draw for each row": lambda: torch.randn(6, 1).exp() * torch.ones(6, 4),
    "a choice": lambda: torch.where(torch.rand(50) < 0.5, 1.0, torch.randn(50)),
    "a sigmoid": lambda: torch.sigmoid(torch.randn(50)),
    "roots and powers": lambda: (torch.rand(50) + 1).sqrt() ** 3 + (torch.rand(50) + 2).rsqrt(),
    "linspace": lambda: torch.linspace(0.5, 2, 7),
}


@pytest.mark.parametrize("way", DERIVED)
def test_what_is_derived_is_an_expression(way):
    """It has the values that torch computes from the same draws, but for torch's rounding; torch computes nothing."""
    with fanin.torch.record() as recording:
        built = module(w=DERIVED[way])()
    plan = recording.plan(built, seed=5)
    assert plan.row("w").scheme.is_portable
    value = recording._recorder.value(built.w)
    own = {
        draw: stream._replace(owner="") for draw, stream in Peer("fanin.torch.draws").numbered([("w", value)]).items()
    }
    theirs = replay.Replayed(value, own).tensor(5, "w").numpy()
    assert plan["w"] == pytest.approx(theirs, rel=2e-6, abs=1e-6)
    part = np.s_[..., 2:5]
    assert np.array_equal(plan["w", part], plan["w"][part])
    assert fanin.Plan.from_dict(plan.to_dict()).digest == plan.digest


def test_the_bias_of_mambas_time_steps_is_its_scheme():
    assert planned(dt=step_bias).row("dt").scheme == schemes.mamba_step_bias()


def test_what_fanin_cannot_compute_is_replayed_by_torch_and_marked():
    plan = planned(w=lambda: torch.sin(torch.randn(3, 4)), v=lambda: torch.randn(3))
    assert not plan.row("w").scheme.is_portable
    assert "1 tensor, 12 parameters, computed by torch from fanin's draws" in str(plan)
    assert plan["w"] == pytest.approx(np.sin(drawn(schemes.normal(), "w", (3, 4))), rel=1e-5)
    assert np.array_equal(plan["w", 1, ::-2], plan["w"][1, ::-2])
    with pytest.raises(TypeError, match=r"what torch computes cannot be written down"):
        plan.to_dict()


@pytest.mark.parametrize("after", [False, True])
def test_adding_a_parameter_changes_nothing(after):
    """`p = exp(d) + rand`, with and without `q = d` beside it."""

    def build(*, also):
        def make():
            d = torch.randn(20)
            made = nn.Module()
            if also and not after:
                made.other = nn.Parameter(torch.randn(20))
            made.p = nn.Parameter(torch.exp(d) + torch.rand(20))
            if also and after:
                made.q = nn.Parameter(d)
            return made

        return make

    alone, both = (fanin.torch.plan(build(also=also), seed=5) for also in (False, True))
    assert np.array_equal(alone["p"], both["p"])
    if after:
        assert np.array_equal(both["q"], drawn(schemes.normal(), "p", 20))
        assert both.row("q").shares == "p"


def test_a_shared_draw_is_followed_and_not_only_its_law():
    """The negative of a draw has the law of one drawn anew, and must be the negative all the same."""

    def build():
        d = torch.randn(20)
        made = nn.Module()
        made.p, made.q = nn.Parameter(d), nn.Parameter(-d)
        return made

    plan = fanin.torch.plan(build, seed=5)
    assert np.array_equal(plan["q"], -plan["p"])


# ---- Copies, ties, what was there before -----------------------------------------------------------------------------


def copied():
    layer = nn.Linear(3, 3)
    return nn.ModuleList([layer, copy.deepcopy(layer)])


def test_copies_are_equal_as_in_torch_and_may_be_drawn_apart():
    with fanin.torch.record() as recording:
        layers = copied()
    plan = recording.plan(layers, seed=5)
    assert np.array_equal(plan["0.weight"], plan["1.weight"])
    assert "1.weight has the draws of 0.weight" in str(plan)
    apart = recording.plan(layers, seed=5, copies="separate")
    assert np.array_equal(apart["0.weight"], plan["0.weight"])
    assert not np.array_equal(apart["1.weight"], plan["1.weight"])
    with pytest.raises(ValueError, match=r"copies must be 'equal' or 'separate', got 'other'"):
        recording.plan(layers, seed=5, copies="other")


def tied():
    made = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 7))
    made[1].weight = made[0].weight
    return made


def test_ties_are_kept_and_restored():
    built = fanin.torch.build(tied, seed=5)
    assert built[1].weight is built[0].weight
    with fanin.torch.record() as recording:
        model = tied()
    plan = recording.plan(seed=5)
    assert plan.ties == {"1.weight": "0.weight"}
    model.to_empty(device="cpu")
    fanin.torch.fill_(model, plan)
    assert model[1].weight is model[0].weight
    assert torch.equal(model[0].weight, built[0].weight)


def test_buffers_and_attributes_are_restored():
    def build():
        made = nn.BatchNorm1d(3)
        made.register_buffer("table", torch.arange(6).view(2, 3), persistent=False)
        made.scale = torch.full((2,), 3.0)
        return made

    built = fanin.torch.build(build, seed=5)
    assert built.running_var.tolist() == [1, 1, 1]
    assert built.table.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert built.scale.tolist() == [3, 3]
    plan = fanin.torch.plan(build, seed=5)
    assert {"running_mean": "buffer", "table": "buffer", "scale": "attribute"}.items() <= dict(plan.skipped).items()
    assert plan.buffers["table"].tolist() == [[0, 1, 2], [3, 4, 5]]
    other = build().to("meta").to_empty(device="cpu")
    other.scale = torch.empty(2)
    fanin.torch.fill_(other, plan)
    assert other.table.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert other.scale.tolist() == [3, 3]


def test_only_what_is_new_is_drawn():
    backbone = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    before = recorded.state(backbone)
    with fanin.torch.record() as recording:
        backbone[1] = nn.Linear(4, 5)
    plan = recording.fill_(backbone, seed=5)
    assert list(plan) == ["1.weight", "1.bias"]
    assert ("0.weight", "made before the recording, and kept") in plan.skipped
    assert torch.equal(backbone[0].weight, before["0.weight"])
    assert np.array_equal(backbone[1].weight.detach(), plan["1.weight"])
    assert backbone(torch.ones(1, 3)).shape == (1, 5)


def test_low_rank_adapters_on_a_base_with_values():
    class Adapted(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.a = nn.Parameter(torch.empty(2, base.in_features, device=base.weight.device))
            self.b = nn.Parameter(torch.zeros(base.out_features, 2))
            nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    base = nn.Linear(6, 4)
    before = recorded.state(base)
    with fanin.torch.record() as recording:
        model = Adapted(base)
    recording.fill_(model, seed=5)
    assert all(torch.equal(before[name], tensor) for name, tensor in recorded.state(base).items())
    assert np.array_equal(
        model.a.detach(), drawn(schemes.he_uniform(activation=("leaky_relu", 5**0.5), layout="OI"), "a", (2, 6))
    )
    assert not model.b.any()


def test_lazy_layers_after_a_batch():
    with fanin.torch.record() as recording:
        model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2))
        model(torch.empty(1, 3))
    plan = recording.plan(model, seed=5)
    assert plan.row("0.weight").shape == (4, 3)
    assert np.array_equal(
        plan["2.weight"],
        fanin.torch.plan(lambda: nn.Sequential(nn.ReLU(), nn.ReLU(), nn.Linear(4, 2)), seed=5)["2.weight"],
    )


def test_a_root_that_is_not_clear():
    with fanin.torch.record() as recording:
        one, other = nn.Linear(2, 2), nn.Linear(2, 2)
    with pytest.raises(
        ValueError, match=r"module must be given, as recording.plan\(model, seed=…\): the recording built 2"
    ):
        recording.plan(seed=5)
    assert len(recording.plan(one, seed=5)) == len(recording.plan(other, seed=5)) == 2
    with fanin.torch.record() as nothing:
        pass
    with pytest.raises(ValueError, match=r"no module with parameters was built"):
        nothing.plan(seed=5)


# ---- What is refused, and what is said -------------------------------------------------------------------------------


def test_a_parameter_that_nobody_wrote():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.empty(3))
            self.v = nn.Parameter(torch.empty(3))
            self.v.data[1:].fill_(0)

    with fanin.torch.record() as recording:
        model = nn.Sequential(Odd())
    with pytest.raises(ValueError, match=r"'0.w' of Odd '0', '0.v' of Odd '0' are not, or not wholly"):
        recording.plan(model, seed=5)
    plan = recording.plan(model, seed=5, overrides={"*": "ones"})
    assert plan["0.w"].tolist() == [1, 1, 1]
    assert len(recording.plan(nn.Sequential(nn.ReLU()), seed=5)) == 0


BRANCHES = {
    "item": lambda w: w[0].item(),
    "a condition": lambda w: 1 if w.sum() > 0 else 2,
    "a list": lambda w: w.tolist(),
    "a search": lambda w: w.nonzero(),
    "a mask": lambda w: w[w > 0],
}


@pytest.mark.parametrize("way", BRANCHES)
def test_a_branch_on_random_values_names_the_line(way):
    def build():
        w = torch.randn(4)
        BRANCHES[way](w)  # this line asks
        return nn.Linear(2, 2)

    with pytest.raises(fanin.torch.RandomBranch, match=r"test_torch_recording.py:\d+: "):
        fanin.torch.plan(build, seed=5)


def test_values_that_are_not_random_are_there():
    def build():
        rates = torch.linspace(0, 0.1, 3)
        assert [round(rate.item(), 3) for rate in rates] == [0, 0.05, 0.1]
        assert rates.tolist() == pytest.approx([0, 0.05, 0.1])
        assert bool((rates >= 0).all())
        assert rates.numpy().dtype == "float32"
        assert (rates > 0).nonzero().tolist() == [[1], [2]]
        return nn.Linear(2, 2)

    assert len(fanin.torch.plan(build, seed=5)) == 2


def test_comparing_random_values_is_noted():
    def build():
        a, b = torch.randn(3), torch.randn(3)
        assert not torch.equal(a, b)
        return nn.Linear(2, 2)

    assert "compares random values, which are taken to be different" in fanin.torch.plan(build, seed=5).notes[0]


def test_a_generator_is_ignored_and_noted():
    def build():
        generator = torch.Generator().manual_seed(1)
        made = nn.Linear(2, 2)
        nn.init.normal_(made.weight, generator=generator)
        nn.init.trunc_normal_(made.bias, generator=generator)
        return made

    assert sum("was given a generator, which is ignored" in note for note in fanin.torch.plan(build, seed=5).notes) == 2


def test_unseeded_numpy_is_refused():
    def build():
        made = nn.Linear(2, 2)
        made.weight.data.copy_(torch.from_numpy(np.random.default_rng().normal(size=(2, 2)).astype("float32")))
        return made

    with pytest.raises(ValueError, match=r"must give the same values from Python or NumPy each time"):
        fanin.torch.build(build, seed=5)
    seeded = planned(w=lambda: torch.from_numpy(np.random.default_rng(1).normal(size=3)))
    assert np.array_equal(seeded["w"], np.random.default_rng(1).normal(size=3))


def test_a_law_that_fanin_has_not_is_an_error_where_it_is_needed():
    chosen = {"w": lambda: torch.multinomial(torch.ones(5), 3).float(), "v": lambda: torch.randn(3)}
    with pytest.raises(ValueError, match="'w' of Module is drawn by multinomial, which fanin does not have"):
        planned(**chosen)
    assert list(fanin.torch.plan(module(**chosen), seed=5, only="v")) == ["v"]


def test_a_parameter_of_another_thread_is_refused():
    made = []
    with fanin.torch.record() as recording:
        worker = threading.Thread(target=lambda: made.append(nn.Linear(2, 2)))
        worker.start()
        worker.join()
        model = nn.Sequential(nn.Linear(2, 2), made[0])
    with pytest.raises(ValueError, match=r"'1.weight' must be made in the thread that records"):
        recording.plan(model, seed=5)


def test_two_threads_record_at_once_and_a_third_is_not_disturbed():
    plans, ready, done = {}, threading.Barrier(3), threading.Event()

    def record(width):
        with fanin.torch.record() as recording:
            ready.wait()
            model = nn.Sequential(*(nn.Linear(width, width) for _ in range(50)))
            ready.wait()
        plans[width] = recording.plan(model, seed=width)

    threads = [threading.Thread(target=record, args=(width,)) for width in (3, 4)]
    for thread in threads:
        thread.start()
    ready.wait()
    torch.manual_seed(9)
    free = nn.Linear(3, 3)
    ready.wait()
    for thread in threads:
        thread.join()
    done.set()
    torch.manual_seed(9)
    assert torch.equal(free.weight, nn.Linear(3, 3).weight)
    for width, plan in plans.items():
        alone = fanin.torch.plan(
            lambda width=width: nn.Sequential(*(nn.Linear(width, width) for _ in range(50))), seed=width
        )
        assert plan.digest == alone.digest
