"""Plans for torch's modules and Hugging Face's models: filled in place, or saved and loaded, to the same values."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin.arrays.target import as_ndarray
from fanin.recipes import Recipe, Rule

torch = Peer("torch")
transformers = Peer("transformers")

pytestmark = pytest.mark.peer


def small(kind: str):
    """A config of two layers; Llama's ends are tied in no way, GPT-2's are."""
    if kind == "gpt2":
        return transformers.GPT2Config(n_layer=2, n_embd=64, n_head=4, vocab_size=1000, n_positions=96)
    return transformers.LlamaConfig(
        num_hidden_layers=2,
        hidden_size=64,
        intermediate_size=172,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=1000,
        tie_word_embeddings=False,
    )


@pytest.mark.parametrize("shards", ["50GB", "200kB"])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_saved_plan_loads_as_a_pretrained_model_and_starts_at_ln_vocabulary(tmp_path, kind, shards):
    config = small(kind)
    config.architectures = ["GPT2LMHeadModel" if kind == "gpt2" else "LlamaForCausalLM"]
    config.save_pretrained(tmp_path)
    plan = fanin.plan(tmp_path / "config.json", None, seed=0)
    plan.save(tmp_path, max_shard_size=shards)
    assert (tmp_path / "model.safetensors.index.json").exists() == (shards == "200kB")
    model, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    for name, tensor in model.state_dict().items():
        assert np.array_equal(tensor.numpy(), plan[name]), name
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(1000, (8, 96), generator=generator)
    with torch.no_grad():
        result = model(tokens, labels=tokens)
    assert torch.isfinite(result.logits).all()
    assert abs(result.loss.item() / math.log(1000) - 1) < 0.02


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_init_draws_the_values_that_the_plan_saves(tmp_path, kind):
    config = small(kind)
    config.architectures = ["GPT2LMHeadModel" if kind == "gpt2" else "LlamaForCausalLM"]
    config.save_pretrained(tmp_path)
    with torch.device("meta"):
        model = getattr(transformers, config.architectures[0])(config)
    model.to_empty(device="cpu")
    model.tie_weights()
    plan = fanin.torch.init_(model, "gpt2" if kind == "gpt2" else "llama", seed=7)
    saved = fanin.plan(tmp_path / "config.json", None, seed=7)
    assert {row.name for row in plan.rows} == {row.name for row in saved.rows}
    assert plan.ties == saved.ties
    for name, tensor in model.named_parameters():
        assert np.array_equal(tensor.detach().numpy(), saved[name]), name
    if kind == "gpt2":
        assert model.lm_head.weight is model.transformer.wte.weight


def test_init_keeps_memory_dtype_and_gradients_and_counts_the_change():
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3).bfloat16())
    before = {name: (tensor.data_ptr(), tensor.dtype, tensor._version) for name, tensor in model.named_parameters()}
    model[1].running_mean.fill_(7)
    plan = fanin.torch.init_(model, "torch-default", seed=1)
    for name, tensor in model.named_parameters():
        address, dtype, version = before[name]
        assert (tensor.data_ptr(), tensor.dtype) == (address, dtype)
        assert tensor._version > version
        assert tensor.requires_grad
        assert np.array_equal(tensor.detach().float().numpy(), plan[name].astype("float32"))
    assert (model[1].running_mean == 7).all()
    assert [name for name, _ in plan.skipped] == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert plan.row("2.weight").dtype == "bfloat16"


def test_tied_parameters_stay_tied():
    model = torch.nn.ModuleDict({"embed": torch.nn.Embedding(9, 4), "head": torch.nn.Linear(4, 9, bias=False)})
    model["head"].weight = model["embed"].weight
    plan = fanin.torch.init_(model, "torch-default", seed=1)
    assert plan.ties == {"head.weight": "embed.weight"}
    assert model["head"].weight is model["embed"].weight
    assert np.array_equal(model["head"].weight.detach().numpy(), plan["embed.weight"])


def test_what_has_no_memory_or_no_rule_is_refused_before_anything_is_drawn():
    with pytest.raises(ValueError, match=r"'weight' must have memory.*to_empty"):
        fanin.torch.init_(torch.nn.Linear(3, 2, device="meta"), "torch-default", seed=0)
    with pytest.raises(ValueError, match=r"'weight' must have a shape: pass a first batch"):
        fanin.torch.init_(torch.nn.LazyLinear(3), "torch-default", seed=0)
    with pytest.raises(TypeError, match=r"module must be a torch\.nn\.Module, got dict"):
        fanin.torch.init_({}, "torch-default", seed=0)
    model = torch.nn.Linear(3, 2)
    before = model.weight.detach().clone()
    with pytest.raises(ValueError, match="no rule of recipe 'gpt2'"):
        fanin.torch.init_(model, "gpt2", seed=0)
    assert torch.equal(model.weight, before)


def test_overlapping_parameters_are_refused_before_anything_is_drawn():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(4, 3))
    model[1].weight = torch.nn.Parameter(torch.zeros(1, 4).expand(3, 4))
    before = model[0].weight.detach().clone()
    with pytest.raises(ValueError, match=r"'1\.weight': the array must not have elements whose memory overlaps"):
        fanin.torch.init_(model, "torch-default", seed=0)
    assert torch.equal(model[0].weight, before)


def test_parameters_that_are_left_alone_are_a_warning():
    model = torch.nn.Linear(4, 3, dtype=torch.complex64)
    with pytest.warns(UserWarning, match=r"leaves parameters alone: weight \(dtype torch\.complex64 is not floating"):
        plan = fanin.torch.init_(model, "torch-default", seed=0)
    assert len(plan) == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit, which torch.compile imports
def test_a_wrapped_module_has_the_names_and_values_of_what_it_wraps():
    model = torch.nn.Sequential(torch.nn.Linear(4, 3))
    plan = fanin.torch.init_(model, "torch-default", seed=0)
    for wrapper in (torch.compile, torch.nn.DataParallel):
        wrapped = fanin.torch.init_(wrapper(model), "torch-default", seed=0)
        assert list(wrapped) == list(plan)
        assert np.array_equal(model[0].weight.detach().numpy(), plan["0.weight"])


def test_modules_of_other_kinds_are_drawn():
    with torch.inference_mode():
        model = torch.nn.Linear(4, 3)
    plan = fanin.torch.init_(model, "torch-default", seed=0)
    assert np.array_equal(model.weight.detach().numpy(), plan["weight"])
    convolution = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last).requires_grad_(False)
    plan = fanin.torch.init_(convolution, "torch-default", seed=0)
    assert np.array_equal(convolution.weight.numpy(), plan["weight"])
    assert not convolution.weight.requires_grad
    assert len(fanin.torch.init_(torch.nn.MultiheadAttention(8, 2), "torch-default", seed=0)) == 4
    assert len(fanin.torch.init_(torch.nn.Identity(), "torch-default", seed=0)) == 0


def test_a_state_dict_is_filled_in_place_and_saved():
    model = torch.nn.LSTM(6, 5, num_layers=2)
    state = model.state_dict()
    plan = fanin.plan(state, "torch-default", seed=4)
    plan.fill(state)
    assert all(np.array_equal(tensor.detach().numpy(), plan[name]) for name, tensor in model.named_parameters())


def test_shards_and_index_are_those_that_transformers_writes(tmp_path):
    """Names, index and bytes of the tensors; theirs is written from the values that ours draws."""
    model = transformers.LlamaForCausalLM(small("llama"))
    plan = fanin.torch.init_(model, "llama", seed=3)
    model.save_pretrained(tmp_path / "theirs", max_shard_size="200KB")
    os.mkdir(tmp_path / "ours")
    plan.save(tmp_path / "ours", max_shard_size="200kB")
    theirs = {path for path in os.listdir(tmp_path / "theirs") if "safetensors" in path}
    assert set(os.listdir(tmp_path / "ours")) == theirs
    assert len(theirs) > 3
    index = "model.safetensors.index.json"
    assert (tmp_path / "ours" / index).read_bytes() == (tmp_path / "theirs" / index).read_bytes()
    for name in theirs - {index}:
        header, data = split((tmp_path / "ours" / name).read_bytes())
        assert (header, data) == split((tmp_path / "theirs" / name).read_bytes())
    assert plan.verify(tmp_path / "theirs")


def split(file: bytes) -> tuple[dict[str, object], bytes]:
    """A file's header, without its free text, and its data."""
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    del header["__metadata__"]
    return header, file[8 + length :]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_what_has_no_kernel_where_the_array_is_is_copied_there(monkeypatch, dtype):
    """Parameters are filled as on a GPU; only the device is made up here."""
    recipe = Recipe("orthogonal", [Rule("*", fanin.schemes.orthogonal(layout="OI"))])
    plan = fanin.plan({"w": (30, 20)}, recipe, seed=0, dtype=dtype)
    monkeypatch.setattr("fanin.plans.filling.memory", lambda out: ("cuda:0", as_ndarray(out)))
    transposed = torch.zeros(20, 30, dtype=getattr(torch, dtype)).T
    before = transposed._version
    plan.fill({"w": transposed})
    with pytest.raises(ValueError, match="'w': the array must be torch's or on the CPU, as no GPU can draw orthogonal"):
        plan.fill({"w": np.zeros((30, 20), np.float32)})
    assert transposed._version > before
    assert torch.equal(transposed, torch.from_numpy(plan["w"].astype("float64")).to(transposed.dtype))
