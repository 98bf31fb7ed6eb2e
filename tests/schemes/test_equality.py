"""Objects are equal where they draw the same bits: every float field of a scheme tells -0.0 from 0.0."""

import inspect
import itertools
import json

import numpy as np
import pytest
import signatures

import fanin
from fanin import schemes
from fanin.recipes import Recipe, Rule
from fanin.schemes.registry import ALIASES, REGISTRY


def number_parameters():
    """Yield every scheme and parameter that takes a number which is no integer."""
    for name, build in REGISTRY.items():
        if name not in ALIASES:
            for parameter in inspect.signature(build).parameters.values():
                if "float" in str(parameter.annotation):
                    yield name, parameter.name


def with_zero(name, parameter, zero):
    """Return the scheme, or None if no zero is allowed."""
    try:
        return REGISTRY[name](**signatures.of_scheme(name) | {parameter: zero})
    except ValueError:
        return None


@pytest.mark.parametrize(("name", "parameter"), [*number_parameters()])
def test_equal_schemes_have_equal_texts_and_digests(name, parameter):
    found = [with_zero(name, parameter, zero) for zero in (0.0, -0.0, 0, np.float32(-0.0))]
    made = [scheme for scheme in found if scheme is not None]
    for first, second in itertools.product(made, repeat=2):
        same = first == second
        assert (json.dumps(first.to_dict()) == json.dumps(second.to_dict())) == same
        assert (first.describe() == second.describe()) == same
        assert (digest_of(first) == digest_of(second)) == same
        assert hash(first) == hash(second) or not same


def digest_of(scheme):
    return Recipe("r", [Rule("*", scheme)]).digest


def test_the_number_parameters_are_found():
    found = set(number_parameters())
    assert {("constant", "value"), ("normal", "mean"), ("uniform", "low"), ("lstm_bias", "forget")} <= found
    assert len(found) >= 40


def test_a_negative_zero_is_another_constant():
    assert schemes.constant(-0.0) != schemes.constant(0.0) == schemes.constant(0) == schemes.zeros()
    assert schemes.lstm_bias(-0.0) != schemes.lstm_bias(0.0)
    assert schemes.uniform(-0.0, 1.0) != schemes.uniform(0.0, 1.0)
    assert schemes.normal() != "normal"


@pytest.mark.parametrize("zeros", [(0.0, -0.0), (-0.0, 0.0)])
def test_no_call_changes_the_zero_of_the_next(zeros):
    init = fanin.seeded(0, layout="OI")
    draws = {
        "identity": lambda zero: fanin.identity((2, 2), zero)[0, 0],
        "constant": lambda zero: init.constant("b", 3, zero)[0],
        "gate": lambda zero: init.lstm_bias("b", 4, forget=zero)[1],
        "padded": lambda zero: init.padded("e", (3, 2), of=schemes.constant(zero), row=0)[1, 0],
    }
    for name, draw in draws.items():
        assert [bool(np.signbit(draw(zero))) for zero in zeros] == [bool(np.signbit(zero)) for zero in zeros], name


def test_a_scheme_that_is_called_has_the_signature_of_a_draw():
    assert inspect.signature(schemes.normal()) == inspect.signature(schemes.normal().__call__)
    for name, build in REGISTRY.items():
        scheme = build(**signatures.of_scheme(ALIASES.get(name, name)))
        assert list(inspect.signature(scheme).parameters)[:3] == ["shape", "seed", "name"]
    assert list(inspect.signature(schemes.normal).parameters) == ["mean", "std"]
