"""One grammar for torch: plan, build, fill_, init_ and verify, of functions, recordings, modules and state_dicts."""

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin import schemes

torch = Peer("torch")
recorded = Peer("recorded")
nn = Peer("torch.nn")
pytestmark = pytest.mark.peer


def net():
    return nn.Sequential(
        nn.Embedding(11, 6, padding_idx=1),
        nn.Linear(6, 8),
        nn.LayerNorm(8),
        nn.Linear(8, 8),
        nn.PReLU(),
        nn.BatchNorm1d(8),
    )


def values(module):
    return {name: tensor.numpy() for name, tensor in recorded.state(module).items()}


def require_planned(module, plan):
    found = values(module)
    for name in plan:
        assert np.array_equal(found[name], plan[name]), name


# ---- plan and build --------------------------------------------------------------------------------------------------


def test_every_way_to_a_plan_is_the_same():
    with fanin.torch.record() as recording:
        model = net()
    plans = [
        fanin.torch.plan(net, seed=3),
        fanin.torch.plan(net, "as-written", seed=3),
        fanin.torch.plan(recording, seed=3),
        recording.plan(seed=3),
        recording.plan(model, seed=3),
        fanin.torch.plan(model, seed=3),
    ]
    assert len({plan.digest for plan in plans}) == 1
    assert plans[0].recipe.name == "as-written"
    built = fanin.torch.build(net, seed=3)
    require_planned(built, plans[0])
    assert fanin.torch.verify(built, plans[0])


def test_a_built_model_is_a_model_like_any_other():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(4, 5, 2)
            self.head = nn.Linear(5, 3)
            self.head.weight.requires_grad_(False)
            self.head.weight.mark = "kept"

    built = fanin.torch.build(Recurrent, seed=3)
    built.rnn(torch.ones(2, 1, 4))[0].sum().backward()
    assert built.rnn.weight_hh_l1.grad is not None
    assert not built.head.weight.requires_grad
    assert built.head.weight.mark == "kept"
    assert built.rnn._flat_weights[0] is built.rnn.weight_ih_l0
    assert built.load_state_dict(Recurrent().state_dict())


def test_dtypes_by_pattern():
    built = fanin.torch.build(net, seed=3, dtype={"2.*": "float32", "*": "bfloat16"})
    assert built[1].weight.dtype == torch.bfloat16
    assert built[2].weight.dtype == torch.float32
    assert built[5].running_mean.dtype == torch.float32
    with pytest.raises(ValueError, match=r"dtype must have patterns of parameters, got 'x.\*', which match none"):
        fanin.torch.plan(net, seed=3, dtype={"x.*": "float32", "*": "bfloat16"})


def test_a_recipe_for_a_function():
    built = fanin.torch.build(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), "torch-default", seed=3)
    assert built[1].running_var.tolist() == [1] * 4
    rules = fanin.recipes.Recipe("ones", [fanin.recipes.Rule("*", schemes.ones())])
    assert fanin.torch.build(net, rules, seed=3)[1].weight.eq(1).all()


def test_what_is_no_source():
    with pytest.raises(
        TypeError, match=r"source must be a function that builds a module, a recording, a module or a state"
    ):
        fanin.torch.plan(3, seed=0)
    with pytest.raises(TypeError, match=r"the function must return a torch.nn.Module, got 3"):
        fanin.torch.plan(lambda: 3, seed=0)
    with pytest.raises(TypeError, match=r"build_function must be a function that returns a module"):
        fanin.torch.build(nn.Linear(2, 2), seed=0)
    with pytest.raises(ValueError, match=r"recipe must be given for a state_dict"):
        fanin.torch.plan(nn.Linear(2, 2).state_dict(), seed=0)
    with fanin.torch.record() as recording:
        net()
    with pytest.raises(ValueError, match=r"recipe must be None for a recording"):
        fanin.torch.plan(recording, "gpt2", seed=0)
    assert len(fanin.torch.plan(nn.Linear(2, 2).state_dict(), "torch-default", seed=0)) == 2


# ---- overrides, only, replace ----------------------------------------------------------------------------------------


def test_overrides_come_first_and_must_be_used():
    plan = fanin.torch.plan(net, seed=3, overrides={"3.weight": schemes.orthogonal(layout="OI"), "*.bias": "ones"})
    assert plan.row("3.weight").scheme == schemes.orthogonal(layout="OI")
    assert plan["1.bias"].tolist() == [1] * 8
    assert np.array_equal(plan["1.weight"], fanin.torch.plan(net, seed=3)["1.weight"])
    with pytest.raises(ValueError, match=r"overrides must have patterns of parameters, got '3.weigth'"):
        fanin.torch.plan(net, seed=3, overrides={"3.weigth": "ones"})


def test_only_some_parameters():
    missing = ["3.weight", "3.bias"]
    plan = fanin.torch.plan(net, seed=3, only=missing)
    assert list(plan) == missing
    assert ("1.weight", "left out by only") in plan.skipped
    assert np.array_equal(plan["3.weight"], fanin.torch.plan(net, seed=3)["3.weight"])
    model = net()
    before = values(model)
    fanin.torch.fill_(model, plan)
    after = values(model)
    assert {name for name in before if not np.array_equal(before[name], after[name])} == {"3.weight", "3.bias"}
    with pytest.raises(ValueError, match=r"only must have names or patterns of parameters, got 'x'"):
        fanin.torch.plan(net, seed=3, only="x")


def test_a_plan_with_another_seed_dtype_or_scheme():
    plan = fanin.torch.plan(net, seed=3)
    assert plan.replace(seed=4).digest == fanin.torch.plan(net, seed=4).digest
    assert plan.replace(dtype="float16").digest == fanin.torch.plan(net, seed=3, dtype="float16").digest
    changed = plan.replace(overrides={"1.weight": "zeros"})
    assert not changed["1.weight"].any()
    assert changed.buffers["5.running_var"].tolist() == [1] * 8
    assert plan.replace().digest == plan.digest


def test_a_plan_in_a_file(tmp_path):
    plan = fanin.torch.plan(net, seed=3)
    plan.write(tmp_path / "init.json")
    again = fanin.Plan.read(tmp_path / "init.json")
    assert again.digest == plan.digest
    require_planned(fanin.torch.fill_(net(), again) and fanin.torch.build(net, seed=3), again)


def test_a_recipe_as_written_is_read_and_edited_as_toml():
    plan = fanin.torch.plan(net, seed=3)
    text = plan.recipe.to_toml()
    assert 'pattern = "0.weight"' in text
    recipe = fanin.recipes.Recipe.from_toml(text)
    assert recipe == plan.recipe
    assert np.array_equal(fanin.torch.plan(net, recipe, seed=3)["0.weight"], plan["0.weight"])


def test_names_that_a_parameter_had():
    plan = fanin.torch.plan(lambda: nn.Sequential(nn.Linear(3, 3)), seed=3, renamed={"0.weight": "fc.weight"})
    old = fanin.torch.plan(lambda: nn.ModuleDict({"fc": nn.Linear(3, 3)}), seed=3)
    assert np.array_equal(plan["0.weight"], old["fc.weight"])
    with pytest.raises(ValueError, match=r"renamed must have names of parameters as its keys, got 'x'"):
        fanin.torch.plan(net, seed=3, renamed={"x": "y"})


# ---- fill_, init_ and verify -----------------------------------------------------------------------------------------


def test_fill_after_to_empty_with_buffers():
    with fanin.torch.record() as recording:
        model = net()
    plan = recording.plan(seed=3)
    model.to_empty(device="cpu")
    assert fanin.torch.fill_(model, plan) is plan
    require_planned(model, plan)
    assert model[5].running_var.tolist() == [1] * 8


def test_what_cannot_be_filled():
    plan = fanin.torch.plan(net, seed=3)
    with pytest.raises(ValueError, match=r"'0.weight' must have memory, and is on the meta device"):
        fanin.torch.fill_(net().to("meta"), plan)
    with pytest.raises(ValueError, match=r"module must have parameters of the plan, got '6.weight'"):
        fanin.torch.fill_(net().append(nn.PReLU()), plan)
    with pytest.raises(ValueError, match=r"arrays must have every parameter of the plan, got none named '5.weight'"):
        fanin.torch.fill_(net()[:5], plan)
    stage = fanin.torch.fill_(net()[:5], plan, partial=True)
    assert stage is plan
    with pytest.raises(TypeError, match=r"plan must be a Plan"):
        fanin.torch.fill_(net(), "plan")
    with pytest.raises(TypeError, match=r"module must be a torch.nn.Module, got dict"):
        fanin.torch.fill_({}, plan)


def test_a_constructor_that_initializes_leaves_no_trace():
    """As those of torchvision do: torch's own resets would be another law, so nothing is drawn."""

    class Convolutions(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")

    model = Convolutions()
    before = recorded.state(model)
    with pytest.raises(ValueError, match=r"recipe must be given for a Convolutions .*build.*record\(\).*torch-default"):
        fanin.torch.init_(model, seed=3)
    assert all(torch.equal(before[name], tensor) for name, tensor in recorded.state(model).items())
    with fanin.torch.record() as recording:
        model = Convolutions()
    model.to_empty(device="cpu")
    plan = fanin.torch.init_(model, seed=3)
    assert plan.row("conv.weight").scheme == schemes.he_normal(layout="OI", mode="fan_out")
    assert plan.digest == recording.plan(seed=3).digest


def test_a_root_that_declares_its_reset():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 4)
            self.register_buffer("table", torch.zeros(4))

        def init_weights(self):
            nn.init.normal_(self.fc.weight, std=0.5)
            nn.init.zeros_(self.fc.bias)
            self.table = torch.arange(4.0)

    model = Model()
    plan = fanin.torch.init_(model, seed=3)
    assert plan.row("fc.weight").scheme == schemes.normal(std=0.5)
    assert plan.recipe.name == "as-written"
    assert model.table.tolist() == [0, 1, 2, 3]
    require_planned(model, plan)


DEFAULTS = {  # what torch-default got wrong where it knew names and ranks alone
    "PReLU": (lambda: nn.PReLU(1), "weight", schemes.constant(0.25)),
    "LayerNorm of two axes": (lambda: nn.LayerNorm((8, 8)), "weight", schemes.constant(1)),
    "an embedding by any name": (lambda: nn.ModuleDict({"tok": nn.Embedding(9, 4)}), "tok.weight", schemes.normal()),
    "a layer called embed": (
        lambda: nn.ModuleDict({"embed_proj": nn.Linear(100, 64)}),
        "embed_proj.weight",
        schemes.he_uniform(activation=("leaky_relu", 5**0.5), layout="OI"),
    ),
    "padding": (lambda: nn.EmbeddingBag(9, 4, padding_idx=2), "weight", schemes.padded(schemes.normal(), 2)),
    "attention": (lambda: nn.MultiheadAttention(8, 2), "out_proj.bias", schemes.constant(0)),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_torch_default_is_each_layers_own_reset(case):
    make, name, scheme = DEFAULTS[case]
    model = make()
    plan = fanin.torch.init_(model, "torch-default", seed=3)
    assert plan.row(name).scheme == scheme
    assert plan.recipe.name == "torch-default"
    require_planned(model, plan)


def test_torch_default_of_a_bilinear_layer_has_its_bound():
    plan = fanin.torch.init_(nn.Bilinear(20, 30, 10), "torch-default", seed=3)
    assert plan.row("weight").scheme == schemes.uniform(-(20**-0.5), 20**-0.5)


def test_torch_default_names_what_no_layer_resets():
    class Token(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(torch.zeros(3))

    with pytest.raises(ValueError, match=r"'token' of Token is not"):
        fanin.torch.init_(Token(), "torch-default", seed=3)
    plan = fanin.torch.init_(Token(), "torch-default", seed=3, overrides={"token": "normal"})
    assert np.array_equal(plan["token"], schemes.normal()(3, seed=3, name="token"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit, which torch.compile imports
def test_wrappers_are_no_part_of_names():
    plan = fanin.torch.plan(lambda: nn.Linear(3, 4), seed=3)
    compiled = torch.compile(nn.DataParallel(nn.Linear(3, 4)))
    fanin.torch.fill_(compiled, plan)
    require_planned(compiled._orig_mod.module, plan)
    own = nn.ModuleDict({"module": nn.Linear(3, 4)})  # an attribute of that name is one
    assert list(fanin.torch.init_(own, "torch-default", seed=3)) == ["module.weight", "module.bias"]


def test_verify_names_the_first_difference():
    plan = fanin.torch.plan(net, seed=3)
    model = fanin.torch.build(net, seed=3)
    assert fanin.torch.verify(model, plan).elements == plan.size
    with torch.no_grad():
        model[1].weight[2, 3] = 7
    found = fanin.torch.verify(model, plan)
    assert not found
    assert found.problems[0].startswith("1.weight differs first at [2, 3]: 7.0 in the module, ")
    assert fanin.torch.verify(model, plan, sample=6)  # of the first row
    with pytest.raises(ValueError, match=r"module must have every parameter of the plan"):
        fanin.torch.verify(net()[:2], plan)
    with pytest.raises(ValueError, match=r"sample must be at least 1"):
        fanin.torch.verify(model, plan, sample=0)
