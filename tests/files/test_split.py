"""Which files a checkpoint has and where each tensor lies in them, byte for byte as the reference library writes."""

from __future__ import annotations

import json
import os

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

import fanin
from fanin.checkpoint import Entry, Split, Writer
from fanin.checkpoint.split import parse_size
from fanin.plans import chunks, tasks
from fanin.recipes import Recipe

DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32, "float64": np.float64}
NORMAL = Recipe.from_dict({"name": "normal", "rules": [{"pattern": "*", "scheme": {"scheme": "normal", "std": 1.0}}]})

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
entries = st.dictionaries(
    texts.filter(lambda name: name != "__metadata__"),
    st.tuples(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 5), max_size=3)),
    max_size=12,
).map(lambda found: [Entry(name, dtype, shape) for name, (dtype, shape) in found.items()])


def require_sound(split: Split, tensors: list[Entry], most: int) -> None:
    """Every tensor in one file, in the order given; files as full as they may be."""
    assert sorted(entry.name for file in split.files for entry in file.entries) == sorted(e.name for e in tensors)
    assert all(file.data_nbytes <= most or len(file.entries) == 1 for file in split.files)
    for file in split.files:
        assert file.nbytes == len(file.header) + file.data_nbytes
        end = len(file.header)
        for entry in file.entries:
            assert file.places[entry.name] == (end, end := end + entry.nbytes)
            assert (file.places[entry.name][0] - len(file.header)) % entry.itemsize == 0


@given(entries, st.integers(1, 300))
def test_every_tensor_has_one_aligned_place(tensors, most):
    split = Split.of("model.safetensors", tensors, max_shard_size=most)
    require_sound(split, tensors, most)
    if len(split.files) == 1:
        assert (split.files[0].path, split.index) == (os.path.realpath("model.safetensors"), b"")
        return
    index = json.loads(split.index)
    assert index["metadata"]["total_size"] == sum(entry.nbytes for entry in tensors)
    assert index["metadata"]["total_parameters"] == sum(entry.nbytes // entry.itemsize for entry in tensors)
    for number, file in enumerate(split.files, 1):
        name = f"model-{number:05d}-of-{len(split.files):05d}.safetensors"
        assert os.path.basename(file.path) == name
        assert {e.name for e in file.entries} == {each for each, of in index["weight_map"].items() if of == name}


@given(entries, st.integers(1, 300))
def test_each_file_is_the_reference_librarys(tmp_path_factory, tensors, most):
    rng = np.random.default_rng(0)
    values = {each.name: rng.standard_normal(each.shape).astype(DTYPES[each.dtype]) for each in tensors}
    path = tmp_path_factory.mktemp("split") / "model.safetensors"
    with Writer(path, tensors, {"format": "pt"}, max_shard_size=most) as writer:
        for name, array in values.items():
            writer.write(name, array.view(np.uint8) if array.ndim and array.size else array.tobytes())
    for file in writer.split.files:
        there = {entry.name: values[entry.name] for entry in file.entries}
        with open(file.path, "rb") as written:
            assert written.read() == safetensors.numpy.save(there, {"format": "pt"})


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 9), max_size=3)), max_size=6),
    st.integers(1, 2000),
    st.sampled_from([8, 64, 500]),
)
def test_a_plan_writes_the_reference_librarys_files(tmp_path_factory, tensors, most, piece):
    """Tensors and headers, of all dtypes, sizes, splits and pieces."""
    model = fanin.models.Parameters(
        tuple(fanin.models.Parameter(f"w.{n}", shape, (), dtype) for n, (dtype, shape) in enumerate(tensors))
    )
    if not tensors:
        return
    plan = fanin.plans.Plan.of(model, NORMAL, 7)
    path = tmp_path_factory.mktemp("plan") / "model.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK", piece)
        patch.setattr(tasks, "TASK", 3 * piece)
        saved = plan.save(path, max_shard_size=most)
    for file in saved.files:
        with safetensors.safe_open(file, "numpy") as opened:
            metadata = opened.metadata()
            there = {name: plan[name] for name in opened.keys()}  # noqa: SIM118
        with open(file, "rb") as written:
            data = written.read()
        # The reference library writes the two keys of the metadata in either order.
        assert data in {safetensors.numpy.save(there, metadata) for _ in range(64)}
        assert list(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]) == ["format", "fanin"]
        assert metadata["fanin"] == json.dumps(json.loads(metadata["fanin"]), sort_keys=True)


def test_a_file_in_a_directory_is_called_as_transformers_calls_it(tmp_path):
    tensors = [Entry("a", "float32", (3,)), Entry("b", "float32", (3,))]
    assert Split.of(tmp_path, tensors).files[0].path == str(tmp_path / "model.safetensors")
    split = Split.of(tmp_path / "weights.bin", tensors, max_shard_size=12)
    assert [os.path.basename(file.path) for file in split.files] == [
        "weights.bin-00001-of-00002.safetensors",
        "weights.bin-00002-of-00002.safetensors",
    ]
    assert os.path.basename(split.index_path) == "weights.bin.safetensors.index.json"


@pytest.mark.parametrize(
    ("size", "nbytes"),
    [
        (1, 1),
        ("5GB", 5 * 10**9),
        ("500MB", 5 * 10**8),
        ("1kb", 1000),
        (" 2 TB ", 2 * 10**12),
        ("1.1GB", 1_100_000_000),
        ("9007199254740993B", 9007199254740993),
        ("0.5kB", 500),
    ],
)
def test_a_size_in_words_is_an_exact_number_of_bytes(size, nbytes):
    assert parse_size(size) == nbytes


@pytest.mark.parametrize(
    "size",
    [0, -1, True, 1.5, None, "", "5", "GB", "5GiB", "-5GB", "0GB", "1e9B", "5 G B", "٥GB", "9" * 400 + "B", b"5GB"],
)
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="max_shard_size must be a positive number of bytes, or text such as '5GB'"):
        parse_size(size)


def test_a_name_must_be_unique_in_all_files():
    entry = Entry("w", "float32", (3,))
    with pytest.raises(ValueError, match="unique"):
        Split.of("model.safetensors", [entry, entry], max_shard_size=12)


def test_thousands_of_files_take_no_more_descriptors_than_one(tmp_path):
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    plan = fanin.plan({f"w.{number}": (2,) for number in range(300)}, NORMAL, seed=0)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 30, before[1]))
    try:
        saved = plan.save(tmp_path, max_shard_size=8)
        assert plan.verify(saved.path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(saved.files) == 300
    assert len(os.listdir(tmp_path)) == 301


def test_a_name_too_long_for_what_is_beside_it_is_refused_at_once(tmp_path):
    plan = fanin.plan({"w": (2,)}, NORMAL, seed=0)
    longest = "x" * (255 - len(".safetensors.partial"))
    plan.save(tmp_path / f"{longest}.safetensors")
    assert os.listdir(tmp_path) == [f"{longest}.safetensors"]
    for more in ("x", "x" * 8, "x" * 20):
        with pytest.raises(OSError, match="name too long") as caught:
            plan.save(tmp_path / f"{longest}{more}.safetensors")
        assert caught.value.filename.startswith(str(tmp_path / longest))
        assert os.listdir(tmp_path) == [f"{longest}.safetensors"]
