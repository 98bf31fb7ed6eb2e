"""Rules and recipes: which rule decides, what is an error, and what TOML carries."""

import re
import tomllib
import warnings

import numpy as np
import pytest
from costs import require_linear
from hypothesis import given
from hypothesis import strategies as st

from fanin import models, schemes
from fanin.models import Parameter
from fanin.recipes import RECIPES, Recipe, Rule, toml

ZEROS, ONES, NORMAL = schemes.zeros(), schemes.ones(), schemes.normal(std=0.02)


def recipe(*rules, name="mine"):
    return Recipe(name, rules)


def matched(pattern, names, **guards):
    return [name for name in names if Rule(pattern, ZEROS, **guards).matches(name)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("h.*.weight", ["h.0.weight", "h.11.attn.weight"]),
        ("h.?.weight", ["h.0.weight"]),
        ("h.[0-9].weight", ["h.0.weight"]),
        ("*", ["h.0.weight", "h.11.attn.weight", "H.0.weight", "wte.weight"]),
        ("weight", []),
        (r"/h\.[0-9]+\..*weight/", ["h.0.weight", "h.11.attn.weight"]),
        ("/weight/", []),
        (r"/h|wte\.weight/", ["wte.weight"]),
        (re.compile(r"h\.[0-9]+\.weight"), ["h.0.weight"]),
        (re.compile(r"h\.[0-9]+\.weight", re.IGNORECASE), ["h.0.weight", "H.0.weight"]),
        (re.compile(r"(?i)H \. 0 \. weight", re.VERBOSE), ["h.0.weight", "H.0.weight"]),
    ],
)
def test_a_pattern_is_shell_style_or_an_expression_for_the_whole_name(pattern, expected):
    assert matched(pattern, ["h.0.weight", "h.11.attn.weight", "H.0.weight", "wte.weight"]) == expected


def test_a_compiled_expression_is_the_one_between_slashes():
    assert Rule(re.compile("a.b"), ZEROS) == Rule("/a.b/", ZEROS)
    assert hash(Rule(re.compile("a.b"), ZEROS)) == hash(Rule("/a.b/", ZEROS))
    assert Rule(re.compile("a", re.IGNORECASE), ZEROS).pattern == "/(?i)a/"


@pytest.mark.parametrize(
    ("guards", "shapes"),
    [
        ({"ndim": 1}, [(3,)]),
        ({"ndim": {4, 1}}, [(3,), (64, 3, 7, 7)]),
        ({"ndim": np.int64(2)}, [(3, 3), (64, 3)]),
        ({"ndim": 0}, [()]),
        ({"shape": (64, 3)}, [(64, 3)]),
        ({"shape": [None, 3]}, [(3, 3), (64, 3)]),
        ({"shape": (None, 3, None, None)}, [(64, 3, 7, 7)]),
        ({"shape": ()}, [()]),
        ({"shape": (None, 3), "ndim": (2, 3)}, [(3, 3), (64, 3)]),
    ],
)
def test_guards_let_shapes_pass(guards, shapes):
    rule = Rule("*", ZEROS, **guards)
    assert [s for s in ((), (3,), (3, 3), (64, 3), (64, 3, 7, 7)) if rule.matches("w", s)] == shapes


def test_the_first_rule_that_matches_name_and_shape_decides():
    it = recipe(
        Rule("a.*", NORMAL, ndim=2), Rule("a.*", ONES, shape=(None,)), Rule("*.bias", ZEROS), Rule("*", NORMAL, "rest")
    )
    shapes = {"a.weight": (3, 4), "a.bias": (3,), "b.bias": (3,), "b.weight": (3,)}
    assert [it.rules.index(rule) for rule in it.match(shapes).values()] == [0, 1, 2, 3]
    assert [it.rules.index(it.rule(name, shape)) for name, shape in shapes.items()] == [0, 1, 2, 3]
    assert it.match([Parameter(name, shape) for name, shape in shapes.items()]) == it.match(shapes)


def test_a_shape_may_be_left_out_where_no_guard_asks_for_it():
    it = recipe(Rule("a", NORMAL, ndim=2), Rule("*", ZEROS))
    assert it.rule("b").scheme == ZEROS
    with pytest.raises(
        ValueError, match="shape of parameter 'a' must be given: the rule a of 2 dimensions has a guard"
    ):
        it.rule("a")


def test_parameters_without_a_rule_are_listed():
    it = recipe(Rule("*.bias", ZEROS), Rule("*.weight", NORMAL, ndim=(2, 3)), Rule("*", ONES, shape=(None, 7)))
    shapes = {f"p{number}.weight": (3,) for number in range(12)} | {"fc.bias": (3,)}
    with pytest.raises(ValueError) as error:
        it.match(shapes)
    names = ", ".join(f"'p{number}.weight'" for number in range(10))
    assert str(error.value) == (
        f"no rule of recipe 'mine' matches 12 parameters: {names} and 2 more; "
        "its patterns are *.bias, *.weight of 2 or 3 dimensions, * of shape (*, 7)"
    )
    with pytest.raises(ValueError, match=r"matches the parameter 'w'; its patterns are none$"):
        recipe().rule("w")


def test_a_shape_that_a_scheme_cannot_have_names_the_parameter():
    it = recipe(Rule("*", schemes.he_normal(layout="OI")))
    with pytest.raises(
        ValueError, match=r"rule \* of recipe 'mine' cannot draw the parameter 'b': shape must have at least 2"
    ):
        it.match({"a": (2, 3), "b": (2,)})


def test_a_name_given_twice_is_an_error():
    with pytest.raises(ValueError, match="own name, got 'a' twice"):
        recipe(Rule("*", ZEROS)).match([Parameter("a", (2,)), Parameter("a", (3,))])


def test_a_rule_that_draws_nothing_is_a_warning_or_an_error():
    it = recipe(
        Rule("*.weight", NORMAL), Rule("a.weight", ONES), Rule("*.bias", ZEROS, ndim=1), Rule("?", ZEROS, optional=True)
    )
    message = r"rule 2 \(a.weight\), rule 3 \(\*.bias of 1 dimension\) of recipe 'mine' draw nothing"
    with pytest.warns(UserWarning, match=message) as caught:
        it.match({"a.weight": (2, 2)})
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match=message):
        it.match({"a.weight": (2, 2)}, strict=True)
    with pytest.warns(UserWarning, match=r"rule 2 \(a\) of recipe 'mine' draws nothing"):
        recipe(Rule("*", ZEROS), Rule("a", ONES)).match({"a": 3})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recipe(Rule("*", ZEROS)).match({"w": 3}, strict=True)["w"].scheme == ZEROS


def test_rules_before_those_of_a_recipe_decide():
    base = Recipe("mine", [Rule("*.bias", ZEROS), Rule("*", NORMAL)], source="a paper")
    it = base.with_rules([Rule("a.*", ONES)])
    assert it == Recipe("mine", [Rule("a.*", ONES), *base.rules], source="a paper")
    assert base.with_rules(iter([Rule("a.*", ONES)]), name="other").name == "other"
    assert base.with_rules([]) == base
    shapes = {"a.bias": (3,), "b.bias": (3,), "a.weight": (3, 3), "b.weight": (3, 3)}
    assert [it.rules.index(rule) for rule in it.match(shapes, strict=True).values()] == [0, 1, 0, 2]
    with pytest.raises(TypeError, match="rules must be Rule objects"):
        base.with_rules([ZEROS])


def test_a_rule_is_not_idle_where_rules_before_it_took_what_it_would_draw():
    it = recipe(Rule("*.bias", ZEROS), Rule("*.gain", ONES), Rule("*", NORMAL, ndim=2)).with_rules([Rule("a.*", ONES)])
    shapes = {"a.bias": (3,), "a.weight": (3, 3)}
    with pytest.raises(ValueError, match=r"^rule 3 \(\*\.gain\) of recipe 'mine' draws nothing"):
        it.match(shapes, strict=True)
    with pytest.raises(ValueError, match=r"^rule 1 \(c\.\*\), rule 4 \(\*\.gain\) of recipe 'mine' draw nothing"):
        it.with_rules([Rule("c.*", ZEROS)]).match(shapes, strict=True)


def test_a_pattern_that_ends_in_brackets_or_slashes_is_matched_whole():
    """What most names fail at first is the ending of the pattern, after its last wildcard."""
    for pattern, name in (
        ("a[!b]", "ac"),
        ("*[.]w", "a.w"),
        ("a]b", "a]b"),
        ("[]]b", "]b"),
        ("a[b", "a[b"),
        ("*/", "a/"),
    ):
        assert Rule(pattern, ZEROS).matches(name)
        assert recipe(Rule(pattern, ZEROS)).rule(name).pattern == pattern
    assert recipe(Rule("/a|b/", ZEROS)).rule("b").scheme == ZEROS


def test_every_shape_of_a_rule_is_tried_once():
    it = recipe(Rule("*", schemes.he_normal(layout="OI")))
    with pytest.raises(ValueError, match="cannot draw the parameter 'c'"):
        it.match({"a": (3, 4), "b": (3, 4), "c": (4,)})
    with pytest.raises(ValueError, match="cannot draw the parameter 'c'"):
        it.match({"a": [3, 4], "c": []})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Rule("", ZEROS), ValueError, "pattern must not be empty"),
        (lambda: Rule("/a(/", ZEROS), ValueError, r"pattern must be .*, got '/a\(/': missing \)"),
        (lambda: Rule(3, ZEROS), TypeError, "pattern must be a string or a compiled regular expression, got 3"),
        (lambda: Rule(re.compile(b"a"), ZEROS), TypeError, "pattern must be a string"),
        (lambda: Rule("*", "zeros"), TypeError, "scheme must be a scheme, .* got 'zeros'"),
        (lambda: Rule("*", ZEROS, role=3), TypeError, "role must be a string, got 3"),
        (lambda: Rule("*", ZEROS, optional=1), TypeError, "optional must be true or false, got 1"),
        (lambda: Rule("*", ZEROS, ndim=-1), ValueError, "ndim must be .*, got -1"),
        (lambda: Rule("*", ZEROS, ndim=True), ValueError, "ndim must be .*, got True"),
        (lambda: Rule("*", ZEROS, ndim=[]), ValueError, r"ndim must be .*, got \[\]"),
        (lambda: Rule("*", ZEROS, ndim="2"), ValueError, "ndim must be .*, got '2'"),
        (lambda: Rule("*", ZEROS, shape=3), ValueError, "shape must be a sequence of sizes, .* got 3"),
        (lambda: Rule("*", ZEROS, shape=(3, -1)), ValueError, r"shape must have sizes .*, got \(3, -1\)"),
        (lambda: Rule("*", ZEROS, ndim=2, shape=(3,)), ValueError, r"as many sizes as ndim allows, 2, got \(3,\)"),
        (lambda: Recipe(3, ()), TypeError, "name must be a string, got 3"),
        (lambda: Recipe("a", [ZEROS]), TypeError, r"rules must be Rule objects, got constant\(0.0\) as number 1"),
    ],
)
def test_what_rules_and_recipes_refuse(make, error, message):
    with pytest.raises(error, match=message):
        make()


BASE = {"pattern": "a.*", "scheme": NORMAL, "role": "x", "ndim": (2, 3), "shape": (None, 3)}


@pytest.mark.parametrize(
    "changes",
    [
        {"pattern": "b.*"},
        {"pattern": "/a.*/"},
        {"scheme": schemes.normal(std=0.03)},
        {"scheme": schemes.truncated_normal(std=0.02)},
        {"ndim": 2},
        {"ndim": None},
        {"shape": (None, 4)},
        {"shape": (3, None)},
        {"shape": None},
    ],
)
def test_the_digest_changes_with_all_that_decides_a_value(changes):
    assert recipe(Rule(**BASE)).digest != recipe(Rule(**BASE | changes)).digest


def test_the_digest_is_equal_for_what_draws_the_same():
    digest = recipe(Rule(**BASE)).digest
    assert recipe(Rule(**BASE | {"role": "y", "optional": True, "ndim": {3, 2}}), name="other").digest == digest
    assert recipe(Rule(**BASE | {"scheme": 0.5 * schemes.normal(std=0.04)})).digest == digest
    first, second = Rule("a", ZEROS), Rule("*", ONES)
    assert recipe(first, second).digest != recipe(second, first).digest != recipe(second).digest


def same(first, second):
    return first == second and first.digest == second.digest


@pytest.mark.parametrize("name", RECIPES)
def test_toml_carries_every_recipe(name, tmp_path):
    it = RECIPES[name]()
    assert it.name == name
    assert it.source
    (tmp_path / "recipe.toml").write_text(it.to_toml(), "utf-8")
    assert same(Recipe.load(tmp_path / "recipe.toml"), it)
    assert same(Recipe.from_dict(it.to_dict()), it)


def test_toml_carries_every_kind_of_value():
    shifted = schemes.truncated_normal(0.1, 1e-300, -np.inf, 3.0)
    fused = schemes.concatenate([schemes.orthogonal(layout="OI", blocks=(2, 1)), shifted, ZEROS], sizes=(3, 1, 1))
    odd = 'a "quoted" \\ \n\t\x7f\x00 é 𝒩'
    it = Recipe(
        odd,
        (
            Rule("/a\\.[0-9]'/", fused, odd, ndim={1, 2}, optional=True),
            Rule("*", schemes.normal(std=np.float64(0.1) + 0.2), shape=(None, 3)),
            Rule(r"/\w/", schemes.embedding(padding=-1)),
        ),
        source=odd,
    )
    assert same(Recipe.from_toml(it.to_toml()), it)
    assert same(Recipe.from_toml(recipe().to_toml()), recipe())
    assert same(recipe(Rule("*", schemes.normal(std=1))), recipe(Rule("*", schemes.normal(std=1.0))))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False), st.integers())
def test_toml_is_read_as_it_was_written(text, number, integer):
    data = {"text": text, text or "empty": number, "a": [{"b": [text, number]}, {"c": {"d": integer, "e": True}}]}
    assert tomllib.loads(toml.write(data)) == data


def test_toml_refuses_what_it_cannot_hold():
    with pytest.raises(TypeError, match=r"TOML holds strings, numbers, lists and tables, got 1j"):
        toml.write({"a": 1j})


def test_a_recipe_written_by_hand():
    it = Recipe.from_toml(
        """
        name = "mine"
        layout = "OI"
        rules = [
          { pattern = "*.weight", ndim = [2, 4], scheme = "he_normal" },
          { pattern = "k.*", layout = "IO", scheme = { scheme = "mup", of = { scheme = "he_normal" }, base = [3, 4] } },
          { pattern = "o.*", shape = ["*", 3], scheme = { scheme = "he_normal", layout = "IO" } },
          { pattern = "/t[0-9]/", scheme = { scheme = "he_normal", convention = "keras" } },
          { pattern = "*", role = "rest", optional = true, scheme = "zeros" },
        ]
        """
    )
    he = schemes.he_normal
    assert it == recipe(
        Rule("*.weight", he(layout="OI"), ndim=(2, 4)),
        Rule("k.*", schemes.mup(he(layout="IO"), (3, 4), layout="IO")),
        Rule("o.*", he(layout="IO"), shape=(None, 3)),
        Rule("/t[0-9]/", he(convention="keras")),
        Rule("*", ZEROS, "rest", optional=True),
    )


RULE = '[[rules]]\npattern = "*.bias"\nscheme = "zeros"\n[[rules]]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "Invalid value"),
        ("", "a recipe must have name and rules, got no 'name'"),
        ('name = "a"', "a recipe must have name and rules, got no 'rules'"),
        ("name = 3\nrules = []", "name must be a string, got 3"),
        ('name = "a"\nrules = 3', r"rules must be a list of tables, \[\[rules\]\] in TOML, got 3"),
        ('name = "a"\nrule = []', "a recipe has format, name, source, layout, rules, got 'rule' = "),
        ('name = "a"\nrules = [3]', "rule 1 of recipe 'a': a rule must be a table of pattern, .*, got 3"),
    ],
)
def test_a_malformed_recipe_says_which_key(text, message, tmp_path):
    (tmp_path / "it.toml").write_text(text)
    with pytest.raises((ValueError, TypeError), match=f"it.toml: .*{message}"):
        Recipe.load(tmp_path / "it.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('scheme = "zeros"', "a rule must have pattern and scheme, got no 'pattern'"),
        ('pattern = "*"', "a rule must have pattern and scheme, got no 'scheme'"),
        ('pattern = 3\nscheme = "zeros"', "pattern must be a string, got 3"),
        ('pattern = "/(/"\nscheme = "zeros"', r"pattern must be .* got '/\(/'"),
        ('pattern = "*"\nrank = 2\nscheme = "zeros"', "a rule has pattern, scheme, role, .*, got 'rank' = 2"),
        ('pattern = "*"\nndim = "two"\nscheme = "zeros"', "ndim must be a number of dimensions, .* got 'two'"),
        ('pattern = "*"\nshape = ["x"]\nscheme = "zeros"', r"shape must have sizes .* got \('x',\)"),
        ('pattern = "*"\nlayout = 3\nscheme = "zeros"', "layout must be a string, got 3"),
        (
            'pattern = "*"\nscheme = "zero"',
            "scheme must be a name of fanin.schemes, .*, got 'zero': did you mean 'zeros'",
        ),
        ('pattern = "*"\nscheme = 3', "scheme must be a name, or a table of a scheme and its parameters, got 3"),
        ('pattern = "*"\nscheme = { std = 1 }', "a scheme must have scheme, got no 'scheme'"),
        ('pattern = "*"\nscheme = { scheme = "zeros", value = 1 }', "zeros.. has no parameter 'value'; it has none"),
        ('pattern = "*"\nscheme = { scheme = "normal", sd = 1 }', "normal.. has no parameter 'sd': here it is std="),
        (
            'pattern = "*"\nscheme = { scheme = "normal", std = "1" }',
            "scheme 'normal': std must be a number, got '1'",
        ),
        (
            'pattern = "*"\nscheme = { scheme = "normal", std = true }',
            "scheme 'normal': std must be a number, got True",
        ),
        ('pattern = "*"\nscheme = { scheme = "normal", std = -1 }', "std must be finite and not negative, got -1"),
        (
            'pattern = "*"\nscheme = { scheme = "haar", gain = [1] }',
            r"scheme 'haar': gain must be a number, got \(1,\)",
        ),
        (
            'pattern = "*"\nscheme = { scheme = "lecun_normal", layout = "OI", groups = 1.5 }',
            "groups must be an integer, got 1.5",
        ),
        ('pattern = "*"\nscheme = "he_normal"', "layout must be .* none was given"),
        ('pattern = "*"\nscheme = { scheme = "scaled_residual" }', "scaled_residual.. needs layers"),
        ('pattern = "*"\nscheme = { scheme = "padded", of = 3, row = 0 }', "scheme 'padded': of must be a scheme"),
        (
            'pattern = "*"\nscheme = { scheme = "mup", of = "zeros", base = ["a"] }',
            "base must be an integer or a sequence of integers, got .'a',.",
        ),
        (
            f'pattern = "*"\nscheme = {{ scheme = "haar", gain = 1{"0" * 400} }}',
            "gain must be a number that a float64 can hold",
        ),
        ('pattern = "*"\nscheme = { scheme = "constant", value = inf }', "value must be finite, got inf"),
        ('pattern = "*"\nscheme = "deepnorm_alpha"', "got 'deepnorm_alpha': did you mean 'deepnorm'"),
        ('pattern = "*"\nscheme = "mup"', "scheme 'mup': mup.. needs of"),
    ],
)
def test_a_malformed_rule_says_its_number_the_key_and_what_is_allowed(text, message):
    with pytest.raises((ValueError, TypeError), match=f"^rule 2 of recipe 'a': .*{message}"):
        Recipe.from_toml(f'name = "a"\n{RULE}{text}\n')


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "it.toml").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"it\.toml: the file must be UTF-8, got b'\\xff' at 0"):
        Recipe.load(tmp_path / "it.toml")


def test_a_recipe_is_no_list():
    with pytest.raises(TypeError, match=r"a recipe must be a table of format, name, source, layout, rules, got \[\]"):
        Recipe.from_dict([])


def test_the_cost_of_a_parameter_does_not_grow_with_their_number():
    it = recipe(*(Rule(f"*{layer}.bias", ZEROS, optional=True) for layer in "abcdefg"), Rule(r"/layers\..*/", NORMAL))

    def match(layers):
        shapes = {f"layers.{layer}.block.{block}.weight": (4, 4) for layer in range(layers) for block in range(50)}
        return lambda: it.match(models.parameters(shapes))

    require_linear(match, 25)


def test_parameters_are_those_of_models():
    assert len(RECIPES["gpt2"]().match(models.gpt2(), strict=True)) == 148
