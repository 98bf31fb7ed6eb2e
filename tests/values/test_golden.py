"""Stream v1 is frozen: the reference and the sampler give the values in tests/golden/, at any index."""

import json
from functools import cache

import make_golden
import numpy as np
import pytest
import reference_expressions
from golden_lines import FILES, HUGE, ROW, check, read

import fanin
from fanin import _core


def scheme(distribution, run):
    """A part of a weight from the native function of its scheme."""
    name, shape, arguments = make_golden.OF_LINES[distribution].parse(run.parameters)
    *rows, column = map(int, np.unravel_index(run.first, shape))
    box = (*rows, (column, 1, run.expected.size))
    if name == "expression":
        arguments = [reference_expressions.steps(*arguments, run.name)]
    arguments = [np.array(v) if isinstance(v, list) else v for v in arguments]
    key = () if name in ("dirac", "broadcast", "sinusoid") else (run.seed, run.name)
    return getattr(_core, name)(*arguments, *key, _core.Dtype[run.dtype], shape, box, None)


@cache
def matrix(seed, name, shape, gain, dtype):
    """An orthogonal matrix, of which many lines have a part each; whatever part is drawn, the whole is made."""
    return fanin.orthogonal(shape, gain, seed=seed, name=name, layout="OI", dtype=dtype)


def sample(distribution, run, shape, index):
    """The public function's elements as flat bit patterns."""
    arguments = [] if run.parameters == "-" else run.parameters.split(",")
    if distribution == "orthogonal":
        outs, ins, gain = int(arguments[0]), int(arguments[1]), float(arguments[2])
        row, column = divmod(run.first, ins)
        part = matrix(run.seed, run.name, (outs, ins), gain, run.dtype)[row, column : column + run.expected.size]
        return part.view(f"u{part.itemsize}")
    if distribution in make_golden.OF_LINES:
        part = scheme(distribution, run)
        return part.view(f"u{part.itemsize}")
    bounds = {"bounds": arguments.pop()} if distribution == "truncated_normal" else {}
    part = getattr(fanin, distribution)(
        shape, *map(float, arguments), **bounds, seed=run.seed, name=run.name, dtype=run.dtype, index=index
    )
    return part.reshape(-1).view(f"u{part.itemsize}")


def test_golden_files_hold_every_run():
    for distribution in make_golden.DISTRIBUTIONS:
        written = [(*run[:-1], run.expected.size) for run in read(make_golden.GOLDEN / f"{distribution}.txt")]
        assert written == list(make_golden.runs(distribution))


# The reference takes seconds for these.
SLOW = {"truncated_normal", "orthogonal", "batched"}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] if path.stem in SLOW else [], id=path.stem) for path in FILES],
)
def test_golden_values_are_the_reference(path):
    for run in read(path):
        index = np.arange(run.expected.size, dtype=np.uint64) + np.uint64(run.first)
        check(path.stem, run, make_golden.values(path.stem, *run[:4], index))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_values_are_the_sampler(path):
    for run in read(path):
        last = run.first + run.expected.size
        check(path.stem, run, sample(path.stem, run, (HUGE,), np.s_[run.first : last]))


def test_the_vectors_for_other_languages_are_golden_values():
    document = json.loads((make_golden.GOLDEN / "vectors.json").read_text(encoding="utf-8"))
    assert document["stream"] == "v1"
    assert {vector["law"] for vector in document["vectors"]} == set(make_golden.FIELDS)
    lines = {path.stem: {run[:5]: run.expected for run in read(path)} for path in FILES}
    for vector in document["vectors"]:
        law, parameters = vector["law"], ",".join(vector["parameters"].values()) or "-"
        file, parameters = (law, parameters) if law in lines else ("schemes", f"{law},{parameters}")
        key = (parameters, vector["dtype"], int(vector["seed"]), vector["name"], int(vector["index"]))
        found = [int(pattern, 16) for pattern in vector["hex"].split()]
        assert found == lines[file][key][: len(found)].tolist()


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.stem not in ("orthogonal", *make_golden.OF_LINES)],
    ids=lambda path: path.stem,
)
def test_golden_values_do_not_depend_on_the_factors_of_the_shape(path):
    for run in read(path):
        row, column = divmod(run.first, ROW)
        index = np.s_[row, column : column + run.expected.size]
        check(path.stem, run, sample(path.stem, run, (HUGE // ROW, ROW), index))
