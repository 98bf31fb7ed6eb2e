"""Expressions that take others exponential time are matched in time proportional to the name, in bounded memory."""

from __future__ import annotations

import random

import pytest
from costs import require_linear

from fanin.recipes import Rule
from fanin.schemes import zeros

EVIL = ["(a+)+b", "(a|aa)*b", "(a?){30}a{30}b", "(.*a){20}b", "((a*)*)*b", ".*.*.*.*.*b", "(a|b|ab)*c", "[a]*?a*?a*?b"]


@pytest.mark.parametrize("expression", EVIL)
def test_any_expression_is_matched_in_time_proportional_to_the_name(expression):
    rule = Rule(f"/{expression}/", zeros())
    # The ending, which most names fail at first, is left aside.
    require_linear(lambda count: lambda: rule._regex.fullmatch("a" * count), 1000)
    assert not rule.matches("a" * 32_000)


def test_a_name_of_ever_new_characters_is_matched_in_time_proportional_to_it():
    """What is kept of them is bounded, and begun anew."""
    rule = Rule("/(a|[^b])*.{50}x/", zeros())
    require_linear(lambda count: lambda: rule._regex.fullmatch("".join(map(chr, range(1000, 1000 + count)))), 400)


def test_shell_patterns_take_time_proportional_to_the_name():
    rule = Rule("*a*a*a*a*a*a*a*b", zeros())
    require_linear(lambda count: lambda: rule._regex.fullmatch("a" * count), 1000)


def test_what_a_match_keeps_is_bounded(monkeypatch):
    """Each character leads to other places in the pattern; the answer stays the same when they are forgotten."""
    monkeypatch.setattr("fanin.recipes.patterns._STEPS_KEPT", 100)
    rule = Rule("/(a|b)*a(a|b){99}/", zeros())
    chance = random.Random(0)
    for _ in range(20):
        name = "".join(chance.choices("ab", k=500))
        assert rule.matches(name) == (name[-100] == "a")
    assert len(rule._regex._met) <= 100
