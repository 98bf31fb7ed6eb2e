"""A plan that was saved draws the same bytes for ever, and says so by the same digest."""

import json

import make_corpus
import numpy as np
import pytest

from fanin import Plan

FILES = sorted(make_corpus.CORPUS.glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def saved(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_every_recipe_and_dtype_has_a_saved_plan():
    assert {path.stem for path in FILES} >= make_corpus.plans().keys()


def test_it_draws_what_it_drew(saved):
    plan = Plan.from_dict(saved["plan"])
    assert make_corpus.digests(plan) == saved["digests"]


def test_its_parts_are_those_of_the_whole(saved):
    plan = Plan.from_dict(saved["plan"])
    for row in plan.rows:
        if row.shape and row.shape[0] > 1:
            assert plan[row.name, 1:].tobytes() == np.ascontiguousarray(plan[row.name][1:]).tobytes()


def test_its_recipe_has_the_digest_that_it_had(saved):
    assert Plan.from_dict(saved["plan"]).recipe.digest == saved["recipe_digest"]


def test_it_is_written_as_it_was(saved):
    """But for the release that writes it, and the rounding of the expected std, which is told and decides no bit."""
    again, before = Plan.from_dict(saved["plan"]).to_dict(), saved["plan"]
    stds = [[row.pop("std") for row in plan["parameters"]] for plan in (again, before)]
    assert stds[0] == pytest.approx(stds[1], rel=1e-9)
    assert again | {"version": None} == before | {"version": None}
