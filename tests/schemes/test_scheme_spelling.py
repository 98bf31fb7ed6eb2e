"""Schemes as a command line spells them; a hostile text is one clear ValueError in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin import recipes, schemes
from fanin.recipes import scheme

NORMAL = schemes.normal(std=0.02)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zeros", schemes.zeros()),
        (" zeros() ", schemes.zeros()),
        ("normal(std=0.01)", schemes.normal(std=0.01)),
        ("normal(mean=-1, std=2e-2)", schemes.normal(-1, 0.02)),
        ("constant(value=+3)", schemes.constant(3)),
        ("he_normal(layout=OI, activation=gelu)", schemes.he_normal(layout="OI", activation="gelu")),
        ("he_normal(layout='OI', mode=fan_out)", schemes.he_normal(layout="OI", mode="fan_out")),
        (
            "he_normal(layout=OI, activation=(leaky_relu, 0.2))",
            schemes.he_normal(layout="OI", activation=("leaky_relu", 0.2)),
        ),
        ("he_normal(layout=OI, gain=None, transposed=True)", schemes.he_normal(layout="OI", transposed=True)),
        ("orthogonal(layout=OI, gain=1.5)", schemes.orthogonal(1.5, layout="OI")),
        ("orthogonal(layout=OI, blocks=(2, 1))", schemes.orthogonal(blocks=(2, 1), layout="OI")),
        ("truncated_normal(low=-inf, high=3)", schemes.truncated_normal(low=-float("inf"), high=3)),
        ("padded(of=normal(std=0.02), row=0)", schemes.embedding(0.02, padding=0)),
        ("mup(of=normal(std=0.02), base=(256, 768))", schemes.mup(NORMAL, (256, 768))),
        (
            "concatenate(schemes=(zeros, ones(), normal))",
            schemes.concatenate([schemes.zeros(), schemes.ones(), schemes.normal()]),
        ),
        ("lstm_bias(forget=2, others=zeros)", schemes.lstm_bias(2, schemes.zeros())),
    ],
)
def test_a_scheme_is_spelled_as_its_name_and_keywords(text, expected):
    assert scheme(text) == expected


EVERY = {rule.scheme for build in recipes.RECIPES.values() for rule in build().rules} | {
    schemes.sparse(nonzeros=3, layout="OI"),
    schemes.siren(True, layout="OI"),
    schemes.siren(layout="OI"),
    schemes.mamba_log_range(),
    schemes.mamba_step_bias(),
    schemes.dirac(layout="OI"),
    schemes.delta_orthogonal(layout="OI"),
    schemes.haar(2.0),
    schemes.identity(),
    schemes.sinusoid(interleaved=False),
    schemes.integers(-5, 12),
    0.3 * schemes.expression("log", schemes.uniform(1.0, 16.0)) - schemes.from_stream(NORMAL, 1, along=(0,)),
    schemes.mup(NORMAL, (5,)),
    schemes.concatenate([NORMAL]),
    schemes.concatenate([NORMAL, schemes.orthogonal(layout="OI", blocks=(3, 1))], sizes=(3, 2)),
    schemes.truncated_normal(high=float("inf")),
    schemes.xavier_uniform(layout="OI", blocks=(2, 3), groups=2),
}


@pytest.mark.parametrize("it", sorted(EVERY, key=str), ids=str)
def test_what_describe_prints_is_read(it):
    assert scheme(it.describe()) == it


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scheme must be a name, or a call of one with keywords, as he_normal.*, got ''"),
        ("3", "scheme must be a name, .*, got '3'"),
        ("(zeros, ones)", "scheme must be a name"),
        ("zeros ones", "scheme must be a name, .* invalid syntax"),
        ("zeros; ones", "scheme must be a name"),
        ("x = 3", "scheme must be a name"),
        ("import os", "scheme must be a name"),
        ("zeros(", r"scheme must be a name, .*, got 'zeros\(': '\(' was never closed"),
        ("zero", "scheme must be a name of fanin.schemes, .*, got 'zero': did you mean 'zeros'"),
        ("Scheme()", "scheme must be a name of fanin.schemes, .*, got 'Scheme'"),
        ("deepnorm_alpha", "got 'deepnorm_alpha': did you mean 'deepnorm'"),
        ("exec(value=1)", "scheme must be a name of fanin.schemes, .*, got 'exec'"),
        ("__import__('os')", "must have its parameters by name, as std=0.01, got"),
        ("normal(0, 1)", r"must have its parameters by name, as std=0.01, got 'normal\(0, 1\)'"),
        ("normal(*x)", "must have its parameters by name"),
        ("normal(**x)", "must have its parameters by name"),
        ("os.system(value=1)", "a value must be a word, a number, .*, got 'os.system"),
        ("normal(std=os.name)", "a value must be a word, a number, .*, got 'os.name'"),
        ("normal(std=x[0])", "a value must be a word"),
        ("normal(std=lambda: 1)", "a value must be a word"),
        ("normal(std=1 if x else 2)", "a value must be a word"),
        ("normal(std=[x for x in y])", "a value must be a word"),
        ("normal(std=2 * 3)", r"a value must be a word, .*, got '2 \* 3'"),
        ("normal(std=~1)", "a value must be a word"),
        ("normal(std=-x)", "a value must be a word"),
        ("normal(std=(y := 1))", "a value must be a word"),
        ("normal(std=1j)", "a value must be a word"),
        ("normal(std=b'1')", "a value must be a word"),
        ("normal(std=...)", "a value must be a word"),
        ("normal(std=f'{x}')", "a value must be a word"),
        ("normal(std=x)", "scheme 'normal': std must be a number, got 'x'"),
        ("normal(std=True)", "scheme 'normal': std must be a number, got True"),
        ("normal(std=None)", "scheme 'normal': std must be a number, got None"),
        ("normal(std=-1)", "std must be finite and not negative, got -1"),
        ("normal(sd=1)", "scheme 'normal': normal.. has no parameter 'sd': here it is std="),
        ("normal(std=1, std=2)", "scheme 'normal' must have each parameter once, got std again"),
        (f"normal(std=1{'0' * 400})", "std must be a number that a float64 can hold"),
        (f"constant(1{'0' * 5000})", "scheme must be a name"),
        ("constant(inf)", "value must be finite, got inf"),
        ("he_normal", "layout must be .* none was given"),
        ("he_normal(layout=OI, activation=foo)", "activation must be one of .*, got 'foo'"),
        ("mup(of=normal, base=wide)", "base must be an integer or a sequence of integers, got 'wide'"),
        ("padded(of=3, row=0)", "of must be a scheme, .*, got 3"),
        ("padded(of=normal(sd=1), row=0)", "scheme 'normal': normal.. has no parameter 'sd': here it is std="),
        ("gate_bias(gate=0, gates=100000000000)", "gates must be at most 1000"),
        ("x" * 10_001, "it has more than 10000 characters"),
        ("(" * 9000, "too many nested parentheses"),
        ("-" * 9000 + "1", "scheme must be a name"),
        ("a+" * 4999 + "a", "scheme must be a name"),
        ("normal(std=" + "padded(of=" * 900 + "1" + ")" * 901, "scheme must be a name"),
        ("padded(of=" * 90 + "zeros" + ", row=0)" * 90 + ")", "unmatched"),
        ("zeros\0", "scheme must be a name"),
        ("\ud800", "scheme must be a name"),
        ("normal(std='\\d')", "invalid escape sequence"),
        ("zeros\n()", "scheme must be a name"),
    ],
)
def test_other_texts_are_one_line_of_error(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        scheme(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_a_scheme_is_spelled_in_a_string():
    with pytest.raises(TypeError, match="scheme must be a string, got constant"):
        scheme(schemes.zeros())


words = ["normal", "std", "he_normal", "layout", "OI", "1", "0.5", "of", "mup", *"(),=+-*.'\"[]{}:;@ \n\\"]


@given(st.text(max_size=30) | st.lists(st.sampled_from(words), max_size=20).map("".join))
def test_any_text_is_a_scheme_or_an_error_of_one_line(text):
    message = ""
    try:
        assert isinstance(scheme(text), schemes.Scheme)
    except ValueError as error:
        message = str(error)
    assert "\n" not in message
