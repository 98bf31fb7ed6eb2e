"""Every type that transformers has and builds, made small, follows the law of its own code; this takes hours."""

from __future__ import annotations

import pytest
import write_coverage
from lazily import Peer
from shrinking import shrink, smallest

recorded = Peer("recorded")
pytestmark = [pytest.mark.peer, pytest.mark.exhaustive, pytest.mark.filterwarnings("ignore")]

PARTS = 32  # tests, each of which tries some of the types; to name the types here would import transformers
MOST = 20_000_000  # elements of a model that is drawn here


def compare(model_type):
    """Compare a type's small model with what is built of it by fanin; return why it was not, or ""."""
    try:
        config = write_coverage.default(model_type)
        kinds = list(write_coverage.models(model_type, type(config)))
        values = config.to_dict()
    except Exception as error:
        return write_coverage.reason(error)
    why = "there is no model of this type"
    for kind in kinds:
        make = type(config).from_dict
        try:
            steps, (told, _) = smallest(
                values, lambda some, kind=kind, make=make: write_coverage.measured(kind, make(some))
            )
        except Exception as error:
            why = write_coverage.reason(error)
            continue
        if told["parameters"] > MOST:
            return f"the smallest has {told['parameters']:,} parameters"
        small = make(shrink(values, steps))
        try:
            kind(small)
        except Exception as error:  # transformers builds it on the meta device alone, as Pix2Struct's text model
            why = write_coverage.reason(error)
            continue
        try:
            recorded.assert_same_law(lambda kind=kind, small=small: kind(small), times=4)
        except ValueError as error:
            if "must be written by the model's code" not in str(error):
                raise
            return write_coverage.reason(error)  # transformers leaves whatever was in memory there
        return ""
    return why


@pytest.mark.parametrize("part", range(PARTS))
def test_every_type_follows_the_law_of_its_own_code(part):
    failed, compared = {}, 0
    for model_type in write_coverage.every_type()[part::PARTS]:
        try:
            why = compare(model_type)
        except Exception as error:
            failed[model_type] = f"{type(error).__name__}: {error}"[:300]
            continue
        compared += not why
        if why:
            print(f"{model_type} is not compared: {why}")
    assert not failed
    assert compared
