"""Expressions for names: each matches what `re` says that it does, whichever of the two ways it is matched in."""

from __future__ import annotations

import copy
import pickle
import random
import re

import pytest

from fanin.recipes.patterns import Expression, compiled

ATOMS = ["a", "b", ".", r"\.", "[ab]", "[^a]", "[]a]", r"\w", r"\D", "é", r"\x61", "-", " ", "#"]
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{2,}", "{0}"]


def expression(chance: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(chance.randint(1, 4)):
        nested = depth < 3 and chance.random() < 0.25
        part = f"{chance.choice(['(', '(?:'])}{expression(chance, depth + 1)})" if nested else chance.choice(ATOMS)
        parts.append(part + (chance.choice(REPEATS) if chance.random() < 0.4 else ""))
    return "".join(parts) + (f"|{chance.choice(['a', 'b*', ''])}" if chance.random() < 0.2 else "")


@pytest.mark.parametrize("flags", ["", "(?i)", "(?x)", "(?s)", "(?a)"])
def test_an_expression_matches_what_re_matches(flags):
    chance = random.Random(0)
    matched = 0
    for _ in range(400):
        text = flags + expression(chance)
        try:
            theirs = re.compile(text)
        except re.error:  # in a verbose expression a space, or what follows #, is none
            with pytest.raises(ValueError, match="pattern must be shell-style or"):
                compiled(f"/{text}/")
            continue
        own = Expression(text)
        matcher, ending = compiled(f"/{text}/")
        for _ in range(10):
            name = "".join(chance.choices("aabbA.x- é\n#1", k=chance.randint(0, 6)))
            expected = theirs.fullmatch(name) is not None
            assert own.fullmatch(name) == bool(matcher.fullmatch(name)) == expected, (text, name)
            assert name.endswith(ending) or not expected, (text, name)
            matched += expected
    assert matched > 300


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (r"^h\.[0-9]+$", ["h.0", "h.11"]),
        (r"\Aa|^b$|c\Z", ["a", "b", "c"]),
        (r"(?P<layer>h)\.(?:w|b)", ["h.w", "h.b"]),
        (r"a{,}b{x}", ["b{x}", "aab{x}"]),
        ("", [""]),
        ("a||b", ["a", "", "b"]),
    ],
)
def test_what_an_expression_may_say(text, names):
    given = [*names, "h.", "h.x", "ab", "b{2}", "^a", "a$"]
    assert [name for name in given if Expression(text).fullmatch(name)] == names
    assert [name for name in given if re.compile(text).fullmatch(name)] == names


@pytest.mark.parametrize(
    "text", ["(", ")", "a)", "[a", "*a", "a**", "a{2}{3}", "a{3,2}", "\\", r"\q", "a^b", "(?z)a", "[b-a]"]
)
def test_what_is_no_expression_is_an_error_that_shows_it(text):
    with pytest.raises(ValueError) as caught:
        compiled(f"/{text}/")
    start = f"pattern must be shell-style or a regular expression between slashes, got {f'/{text}/'!r}: "
    assert str(caught.value).startswith(start)
    assert len(str(caught.value)) > len(start)


@pytest.mark.parametrize(
    ("pattern", "ending"),
    [
        (r"/(.*\.)?norm\.weight/", "norm.weight"),
        (r"/a(b|c)d/", "d"),
        (r"/a(bc)/", "abc"),
        ("/(?i)a/", ""),
        ("/a[b]/", ""),
        ("/ab?/", ""),
        (r"/a\d/", ""),
        ("/a./", ""),
        ("*.bias", ".bias"),
        ("h.[0-9]", ""),
    ],
)
def test_all_names_that_match_end_alike(pattern, ending):
    assert compiled(pattern)[1] == ending


def test_an_expression_goes_to_other_processes():
    it = Expression("(a+)+b")
    assert it.fullmatch("aab")
    for other in (pickle.loads(pickle.dumps(it)), copy.deepcopy(it)):
        assert other.fullmatch("aab")
        assert not other.fullmatch("aa")
