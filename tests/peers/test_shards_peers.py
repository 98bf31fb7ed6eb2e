"""The files and the index that huggingface_hub and transformers make of the same tensors."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lazily import Peer

import fanin
from fanin.checkpoint import Entry, Split
from fanin.checkpoint.split import parse_size
from fanin.models import Parameter, Parameters
from fanin.plans import Plan

serialization = Peer("huggingface_hub.serialization._base")
torch = Peer("torch")
safetensors_torch = Peer("safetensors.torch")
transformers = Peer("transformers")

pytestmark = pytest.mark.peer


@given(
    st.dictionaries(st.text("abc.12", min_size=1, max_size=6), st.integers(0, 40), min_size=1, max_size=20),
    st.integers(1, 120),
)
def test_tensors_are_divided_as_theirs(sizes, most):
    """Tensors that are larger than a file may be are among them."""
    theirs = serialization.split_state_dict_into_shards_factory(
        sizes,
        get_storage_size=lambda size: 4 * size,
        filename_pattern="model{suffix}.safetensors",
        get_storage_id=lambda size: None,
        max_shard_size=most,
    )
    split = Split.of(
        "model.safetensors", [Entry(name, "float32", (size,)) for name, size in sizes.items()], max_shard_size=most
    )
    ours = {os.path.basename(file.path): sorted(entry.name for entry in file.entries) for file in split.files}
    assert ours == {name: sorted(names) for name, names in theirs.filename_to_tensors.items()}
    if split.index:
        index = json.loads(split.index)
        assert index["weight_map"] == theirs.tensor_to_filename
        assert index["metadata"]["total_size"] == theirs.metadata["total_size"]


@pytest.mark.parametrize("size", ["5GB", "500MB", "10kb", "1TB"])
def test_sizes_are_read_as_theirs(size):
    assert parse_size(size) == serialization.parse_size_to_int(size)


SIZES = {"n_layer": 2, "n_embd": 64, "n_head": 4, "vocab_size": 500, "n_positions": 32}


@pytest.mark.parametrize("size", ["40kB", "100kB", "1GB"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_saved_model_is_theirs_but_for_the_metadata(tmp_path, size, dtype):
    """Their model saved by them, and one of the same tensors saved by us: index and data are the same bytes."""
    model = transformers.GPT2Model(transformers.GPT2Config(**SIZES)).to(getattr(torch, dtype))
    shapes = tuple(Parameter(name, tuple(t.shape), (), dtype) for name, t in model.state_dict().items())
    plan = Plan.of(Parameters(shapes), fanin.recipes.gpt2(layers=2), 0)
    plan.fill(model.state_dict())
    model.save_pretrained(tmp_path / "theirs", max_shard_size=size)
    (tmp_path / "ours").mkdir()
    saved = plan.save(tmp_path / "ours", max_shard_size=size)
    theirs = {name for name in os.listdir(tmp_path / "theirs") if "config" not in name}
    assert set(os.listdir(tmp_path / "ours")) == theirs
    assert (len(saved.files) > 1) == (size != "1GB")
    for name in theirs:
        ours, other = (tmp_path / "ours" / name).read_bytes(), (tmp_path / "theirs" / name).read_bytes()
        if name.endswith(".json"):
            assert ours == other
        else:
            start, begin = (8 + int.from_bytes(data[:8], "little") for data in (ours, other))
            header, their_header = json.loads(ours[8:start]), json.loads(other[8:begin])
            assert header.pop("__metadata__").keys() - their_header.pop("__metadata__").keys() == {"fanin"}
            assert list(header.items()) == list(their_header.items())
            assert ours[start:] == other[begin:]
    assert plan.verify(tmp_path / "theirs")


@pytest.mark.parametrize("size", ["40kB", "1GB"])
def test_transformers_loads_what_is_saved(tmp_path, size):
    config = transformers.GPT2Config(**SIZES)
    config.save_pretrained(tmp_path)
    model = transformers.GPT2Model(config)
    plan = fanin.plan(
        {name: tuple(t.shape) for name, t in model.state_dict().items()}, fanin.recipes.gpt2(layers=2), seed=0
    )
    plan.save(tmp_path, max_shard_size=size)
    loaded, report = transformers.GPT2Model.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    for name, values in plan.fill().items():
        assert torch.equal(loaded.state_dict()[name], torch.from_numpy(values))


def test_transformers_does_not_load_what_is_not_complete(tmp_path):
    """Killed at whatever moment, it finds no weights."""
    config = transformers.GPT2Config(**SIZES)
    config.save_pretrained(tmp_path)
    model = transformers.GPT2Model(config)
    plan = fanin.plan(
        {name: tuple(t.shape) for name, t in model.state_dict().items()}, fanin.recipes.gpt2(layers=2), seed=0
    )

    def stop(nbytes: int) -> None:
        raise KeyboardInterrupt

    for size in ("40kB", "1GB"):
        with pytest.raises(KeyboardInterrupt):
            plan.save(tmp_path, max_shard_size=size, workers=1, progress=stop, force=True)
        with pytest.raises(OSError, match="no file named"):
            transformers.GPT2Model.from_pretrained(tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_torch_reads_the_values(tmp_path, dtype):
    plan = fanin.plan(
        {"w": (7, 5), "s": (), "e": (0, 3)},
        fanin.recipes.Recipe.from_dict(
            {"name": "normal", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 1.0}}]}
        ),
        seed=0,
        dtype=dtype,
    )
    plan.save(tmp_path)
    tensors = safetensors_torch.load_file(tmp_path / "model.safetensors")
    assert {str(tensor.dtype) for tensor in tensors.values()} == {f"torch.{dtype}"}
    filled = {name: torch.empty(tensor.shape, dtype=tensor.dtype) for name, tensor in tensors.items()}
    plan.fill(filled)
    assert all(torch.equal(tensors[name], filled[name]) for name in filled)
