"""Parts with names: a stacked, fused, interleaved or transposed weight equals the separate ones in every bit."""

import itertools
import json
import math
import tomllib

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheme_cases import indices

import fanin
from fanin import Plan, recipes, schemes
from fanin.recipes import Recipe, Rule
from fanin.schemes import Scheme
from fanin.schemes.boxes import as_text, common, within, without
from fanin.schemes.cuts import meet
from fanin.schemes.part_names import as_names, part_name

OI, IO = {"layout": "OI"}, {"layout": "IO"}
HE, ORTHOGONAL, NORMAL, ZEROS = (
    schemes.he_normal(**OI),
    schemes.orthogonal(**OI),
    schemes.normal(std=0.5),
    schemes.zeros(),
)
SPARSE = schemes.sparse(nonzeros=2, **OI)
DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
SEED = 5


def draw(scheme, shape, name, dtype="float32", **more):
    return scheme(shape, seed=SEED, name=name, dtype=dtype, **more)


def same(a, b):
    return np.shape(a) == np.shape(b) and np.asarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def separate(dtype):
    """Pairs of a scheme with its shape, and the parameter put together by NumPy from separate ones."""

    def each(scheme, shape, *names):
        return [draw(scheme, shape, name, dtype) for name in names]

    layers = [f"layers.{k}.wi" for k in range(2, 6)]
    yield schemes.stack(HE, "layers.{}.wi", start=2), (4, 5, 6), np.stack(each(HE, (5, 6), *layers))
    yield schemes.stack(HE, layers, axis=1), (5, 4, 6), np.stack(each(HE, (5, 6), *layers), axis=1)
    yield schemes.stack(SPARSE, "layers.{}.wi", -1, 2), (5, 6, 4), np.stack(each(SPARSE, (5, 6), *layers), axis=-1)
    yield (
        schemes.stack([NORMAL, ZEROS, HE], "{name}{#}"),
        (3, 4, 5),
        np.stack([draw(scheme, (4, 5), name, dtype) for scheme, name in ((NORMAL, "w"), (ZEROS, ""), (HE, "w#2"))]),
    )
    experts = [[f"layers.{i}.experts.{k}" for k in range(3)] for i in range(2)]
    nested = schemes.stack(schemes.stack(ORTHOGONAL, "{name}.experts.{}"), "layers.{}", axis=1)
    wanted = np.stack([np.stack(each(ORTHOGONAL, (4, 6), *names)) for names in experts], axis=1)
    yield nested, (3, 2, 4, 6), wanted

    q, (k, v) = draw(ORTHOGONAL, (12, 6), "q", dtype), each(HE, (6, 6), "k", "v")
    fused = schemes.concatenate([ORTHOGONAL, HE, HE], (12, 6, 6), names=("q", "k", "v"))
    yield fused, (24, 6), np.concatenate([q, k, v])
    grouped = np.concatenate([each.reshape(3, -1, 6) for each in (q, k, v)], axis=1).reshape(24, 6)
    yield fused.replace(groups=3), (24, 6), grouped
    yield schemes.transpose(fused.replace(groups=3)), (6, 24), grouped.T
    gate, up = each(schemes.he_normal(**IO), (6, 4), "up.0", "up.1")
    turns = schemes.concatenate([schemes.he_normal(**IO)] * 2, axis=-1, names="up.{}", groups=4)
    yield turns, (6, 8), np.stack([gate, up], axis=-1).reshape(6, 8)
    unnamed = schemes.concatenate([NORMAL, NORMAL], groups=2)
    pair = [each.reshape(2, -1) for each in each(NORMAL, (4,), "w[0]", "w[1]")]
    yield unnamed, (8,), np.concatenate(pair, axis=1).reshape(8)

    yield schemes.transpose(HE, (2, 3, 1, 0)), (3, 2, 5, 4), draw(HE, (4, 5, 3, 2), "w", dtype).transpose(2, 3, 1, 0)
    yield schemes.transpose(SPARSE, (-1, 0)), (6, 5), draw(SPARSE, (5, 6), "w", dtype).T
    yield (
        schemes.transpose(schemes.stack(HE, "l.{}"), (1, 2, 0)),
        (5, 6, 3),
        np.stack(each(HE, (5, 6), "l.0", "l.1", "l.2")).transpose(1, 2, 0),
    )
    yield (
        schemes.stack(schemes.transpose(HE), "l.{}"),
        (3, 5, 6),
        np.stack([layer.T for layer in each(HE, (6, 5), "l.0", "l.1", "l.2")]),
    )

    base = draw(NORMAL, (24, 5), "w", dtype).reshape(2, 4, 3, 5).copy()
    base[:, :, 1] = 0
    base[:, :, 0] = draw(schemes.orthogonal(layout="OOI"), (2, 4, 5), "w#2", dtype)
    base[1, 1::2, :, 1:4:2] = draw(HE, (2, 3, 2), "other", dtype)
    over = schemes.regions(
        [ZEROS, schemes.orthogonal(layout="OOI"), HE],
        [":, :, 1", np.s_[..., 0, :], np.s_[1, 1::2, :, 1:4:2]],
        of=NORMAL,
        names=["{name}#1", "{name}#2", "other"],
        view=(2, 4, 3, 5),
    )
    yield over, (24, 5), base.reshape(24, 5)
    yield (
        schemes.regions([schemes.ones()], ["3:6"], of=ZEROS),
        (12,),
        np.repeat([0, 1, 0], (3, 3, 6)).astype(base.dtype),
    )
    rows = schemes.regions([NORMAL, HE], ["::2", "1::2"])
    yield rows, (6, 3), np.stack([draw(NORMAL, (3, 3), "w", dtype), draw(HE, (3, 3), "w#1", dtype)], 1).reshape(6, 3)
    yield (
        schemes.regions([ZEROS], ["-1"], of=schemes.regions([NORMAL], ["0"], of=HE)),
        (4, 5),
        np.stack([draw(NORMAL, (5,), "w#1", dtype), *draw(HE, (4, 5), "w", dtype)[1:3], np.zeros(5, base.dtype)]),
    )
    yield (
        schemes.regions([NORMAL, NORMAL], ["0", "1"], names=["w", "w"]),
        (2, 5),
        np.stack([draw(NORMAL, (5,), "w", dtype)] * 2),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_put_together_equals_the_separate_parts(dtype, data):
    for scheme, shape, wanted in separate(dtype):
        assert same(draw(scheme, shape, "w", dtype), wanted), scheme
        index = data.draw(indices(shape))
        part = draw(scheme, shape, "w", dtype, index=index)
        assert same(part, wanted[index]), (scheme, index)
        memory = np.zeros((*np.shape(part)[::-1], 2), DTYPES[dtype])[..., 0].T
        assert draw(scheme, shape, "w", dtype, index=index, out=memory) is memory
        assert same(memory.copy("C"), wanted[index]), (scheme, index)


def test_plans_carry_them_through_json_and_toml():
    for scheme, shape, wanted in separate("float32"):
        plan = fanin.plan({"w": shape}, Recipe("one", [Rule("w", scheme)]), seed=SEED)
        assert same(plan["w"], wanted)
        assert same(Plan.from_dict(json.loads(json.dumps(plan.to_dict())))["w"], wanted)
        toml = plan.recipe.to_toml()
        assert Recipe.from_dict(tomllib.loads(toml)).rules[0].scheme == scheme
        arrays = {"w": np.empty(shape, np.float32)}
        plan.fill(arrays)
        assert same(arrays["w"], wanted)


def test_a_command_line_spells_them():
    text = "concatenate(schemes=(normal, zeros), names=(q, '{parent}.k'), groups=2)"
    assert recipes.scheme(text) == schemes.concatenate([schemes.normal(), ZEROS], names=["q", "{parent}.k"], groups=2)
    for scheme, _, _ in separate("float32"):
        assert recipes.scheme(scheme.describe()) == scheme


def test_a_layout_of_a_recipe_reaches_the_parts():
    table = {"scheme": "stack", "of": "he_normal", "names": "layers.{}.wi"}
    rule = {"pattern": "*", "scheme": table}
    recipe = Recipe.from_dict({"name": "r", "layout": "IO", "rules": [rule]})
    assert recipe.rules[0].scheme == schemes.stack(schemes.he_normal(**IO), "layers.{}.wi")


def test_fans_are_those_of_each_part():
    stacked = schemes.stack(schemes.he_normal(**IO), "layers.{}.wi", axis=1)
    assert stacked.expected_std((100, 7, 30)) == pytest.approx(math.sqrt(2 / 100))
    assert schemes.transpose(HE).expected_std((200, 10)) == 0.1
    xavier = schemes.concatenate([schemes.xavier_normal(**OI)] * 2, (60, 20), names="{}", groups=4)
    assert xavier.expected_std((80, 20)) == pytest.approx(math.sqrt((60 * 2 / 80 + 20 * 2 / 40) / 80))
    over = schemes.regions([schemes.ones(), HE], ["0", "1:, :50"], of=NORMAL)
    squares = 0.25 * 3 * 50 + 3 * 50 * 2 / 50 + 100 * (1 - 0.25) ** 2 + 300 * 0.25**2
    assert over.expected_mean((4, 100)) == 0.25
    assert over.expected_std((4, 100)) == pytest.approx(math.sqrt(squares / 400))


def test_a_number_scales_every_part():
    for scheme, shape, wanted in separate("float64"):
        assert (draw(2 * scheme, shape, "w", "float64") == 2 * wanted).sum() >= wanted.size - np.isin(wanted, 1).sum()
        assert (0.5 * scheme).expected_std(shape) == 0.5 * scheme.expected_std(shape)


def test_without_names_a_block_has_its_number():
    """As plans that exist have it."""
    fused = schemes.concatenate([NORMAL, HE], sizes=(2, 3))
    wanted = np.concatenate([draw(NORMAL, (2, 4), "w[0]"), draw(HE, (3, 4), "w[1]")])
    assert same(draw(fused, (5, 4), "w"), wanted)
    assert fused.to_dict().keys() == {"scheme", "schemes", "sizes", "axis"}
    assert fused.describe().endswith("sizes=(2, 3), axis=0)")


@pytest.mark.parametrize("scheme", [schemes.stack(ORTHOGONAL, "{}"), schemes.stack(NORMAL, "{}", axis=1)])
def test_only_the_slices_that_are_asked_for_are_looked_at(scheme):
    """A stack may have more slices than can be listed."""
    shape = (2**40, 3, 4) if scheme.axis == 0 else (3, 2**40, 4)
    index = np.s_[2**39 + 5] if scheme.axis == 0 else np.s_[:, 2**39 + 5]
    part = draw(scheme, shape, "w", index=index)
    assert same(part, draw(scheme.of, (3, 4), str(2**39 + 5)))


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_parts_of_size_zero_are_empty(shape):
    of = schemes.normal()
    for scheme in (
        schemes.stack(of, "{}"),
        schemes.stack(of, "{}", axis=1),
        schemes.transpose(of, (1, 2, 0)),
        schemes.concatenate([of, of], (0, shape[1]), axis=1, names="{}"),
        schemes.concatenate([of, of], (0, shape[1]), axis=1, names="{}", groups=1 if shape[1] % 2 else 2),
        schemes.regions([of, ZEROS], ["0:0", ":, :0"], of=of),
        schemes.regions([of], ["..."], view=(*shape, 1)),
    ):
        assert draw(scheme, shape, "w").shape == shape
        assert draw(scheme, shape, "w", index=np.s_[:, ::-1, 1:]).shape == np.zeros(shape)[:, ::-1, 1:].shape
        assert scheme.expected_std(shape) >= 0


def test_of_a_whole_matrix_that_takes_turns_little_is_drawn_twice(monkeypatch):
    """An orthogonal block costs as much in part as in whole: it is drawn once, whatever its turns."""
    calls = []

    def counted(*arguments):
        calls.append(1)
        return fanin._core.orthogonal(*arguments)

    native = type(ORTHOGONAL).native
    monkeypatch.setattr(type(ORTHOGONAL), "native", lambda *key: (counted, native(*key)[1]))
    draw(schemes.concatenate([ORTHOGONAL, ORTHOGONAL], names="{}", groups=8), (32, 16), "w")
    assert len(calls) == 2


class TestNames:
    @pytest.mark.parametrize(
        ("template", "name", "wanted"),
        [
            ("layers.{}.wi", "a", "layers.3.wi"),
            ("{parent}.{}.{leaf}", "a.b.weight", "a.b.3.weight"),
            ("{parent.parent}.k{}.{leaf}", "a.b.weight", "a.k3.weight"),
            ("{parent.parent.parent}.k{}", "a.b.weight", "k3"),
            ("{parent}/{}", "params/Dense_0/kernel", "params/Dense_0/3"),
            ("{parent}.{}", "w", "3"),
            ("{leaf}.{}", "w", "w.3"),
            ("{name}{#}", "w", "w#3"),
            (".{}", "w", ".3"),
            ("{{{}}}{{", "w", "{3}{"),
            ("é{}", "w", "é3"),
        ],
    )
    def test_a_template(self, template, name, wanted):
        assert part_name(as_names("names", template), 0, 3, name) == wanted
        assert part_name(as_names("names", ["x", template], 2), 1, 3, name) == wanted

    def test_the_first_draw_has_the_name_itself(self):
        assert [part_name("{name}{#}", k, k, "w") for k in range(3)] == ["w", "w#1", "w#2"]

    @pytest.mark.parametrize(
        ("names", "error", "message"),
        [
            ("layers.wi", ValueError, r"names must have \{\}, which stands for the number of a part, got 'layers.wi'"),
            ("{nam}.{}", ValueError, r"names may have \{\}, .*, got '\{nam\}\.\{\}': did you mean '\{name\}'\?"),
            ("{0}", ValueError, r"names may have"),
            ("{parent.name}.{}", ValueError, r"names may have"),
            ("a{.{}", ValueError, r"names must write a brace that is one as \{\{, got"),
            ("a}{}", ValueError, r"names must write a brace that is one as \}\}, got"),
            ("", ValueError, "names must not be empty"),
            ("\ud800{}", ValueError, "names must be valid Unicode"),
            (["q", "q"], ValueError, "names must be different, got 'q' twice"),
            (["q"], ValueError, "names must be one for each of 2 parts, got 1"),
            (["q", ""], ValueError, r"names\[1\] must not be empty, got ''"),
            (["q", 1], TypeError, "names must be a sequence of strings"),
            (3, TypeError, "names must be a sequence of strings"),
        ],
    )
    def test_what_names_cannot_be(self, names, error, message):
        with pytest.raises(error, match=message):
            schemes.concatenate([NORMAL, NORMAL], names=names)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: schemes.stack(NORMAL), TypeError, "stack.. needs names"),
        (lambda: schemes.stack(NORMAL, "w"), ValueError, r"names must have \{\}"),
        (lambda: schemes.stack([], "{}"), ValueError, "of must be a scheme, or one for every slice"),
        (lambda: schemes.stack(NORMAL, "{}", start=-1), ValueError, "start must be at least 0"),
        (lambda: draw(schemes.stack(NORMAL, "{}", axis=2), (3, 4), "w"), ValueError, "axis must be one of the 2 of"),
        (lambda: draw(schemes.stack([NORMAL], "{}"), (3,), "w"), ValueError, "of must be one for each of 3 slices"),
        (lambda: draw(schemes.stack(NORMAL, ["a"]), (3,), "w"), ValueError, "names must be one for each of 3 slices"),
        (lambda: schemes.concatenate([NORMAL], groups=0), ValueError, "groups must be at least 1"),
        (
            lambda: draw(schemes.concatenate([NORMAL, NORMAL], groups=2), (6,), "w"),
            ValueError,
            r"groups must divide the size of every block, \(3, 3\), got 2",
        ),
        (lambda: schemes.transpose(NORMAL, (0, 0)), ValueError, "axes must be the numbers of all axes"),
        (lambda: schemes.transpose(NORMAL, (0, 2)), ValueError, "axes must be the numbers of all axes"),
        (lambda: draw(schemes.transpose(NORMAL, (1, 0)), (3,), "w"), ValueError, "axes must be one for each axis of"),
        (lambda: schemes.regions([NORMAL], []), ValueError, "boxes must be one for each of 1 schemes, got 0"),
        (lambda: schemes.regions(NORMAL, ["0"]), TypeError, "schemes must be a sequence"),
        (lambda: schemes.regions([NORMAL], "0"), TypeError, "boxes must be a sequence"),
        (lambda: schemes.regions([NORMAL], ["a"]), ValueError, r"boxes\[0\] must be an index, .* got 'a'"),
        (lambda: schemes.regions([NORMAL], [None]), TypeError, r"boxes\[0\] must be an index of integers and slices"),
        (lambda: schemes.regions([NORMAL], [True]), TypeError, r"boxes\[0\] must be an index of integers and slices"),
        (lambda: schemes.regions([NORMAL], ["::-1"]), ValueError, r"boxes\[0\] must go forwards"),
        (lambda: schemes.regions([NORMAL], ["::0"]), ValueError, r"boxes\[0\] must go forwards"),
        (lambda: schemes.regions([NORMAL], ["..., ..."]), ValueError, r"boxes\[0\] must have \"...\" once"),
        (lambda: schemes.regions([NORMAL], ["0"], view=(-1,)), ValueError, r"view\[0\] must be at least 0"),
        (lambda: draw(schemes.regions([NORMAL], ["0"]), (3,), "w"), ValueError, "2 are in none"),
        (lambda: draw(schemes.regions([NORMAL], ["3"]), (3,), "w"), ValueError, r"boxes\[0\] must lie within shape"),
        (lambda: draw(schemes.regions([NORMAL], ["2:4"]), (3,), "w"), ValueError, r"boxes\[0\] must lie within shape"),
        (
            lambda: draw(schemes.regions([NORMAL], ["..."], view=(2, 3)), (3, 2), "w"),
            ValueError,
            r"view must be shape \(3, 2\) with axes split, got \(2, 3\)",
        ),
        (lambda: draw(schemes.regions([NORMAL], ["..."], view=(6,)), (3, 2), "w"), ValueError, "view must be shape"),
        (lambda: draw(schemes.regions([NORMAL], ["..."], view=(3, 2, 2)), (3, 2), "w"), ValueError, "view must be"),
    ],
)
def test_what_cannot_be(make, error, message):
    with pytest.raises(error, match=message):
        make()


class TestPlans:
    STACKED = (Rule("stacked.*", schemes.stack(NORMAL, "layers.{}.{leaf}")),)
    REST = Rule("*", NORMAL)

    def test_a_part_beside_its_separate_twin_is_refused(self):
        shapes = {"stacked.wi": (4, 3), "layers.2.wi": (3,)}
        message = "own stream, got 'layers.2.wi' for 'stacked.wi' and 'layers.2.wi', .*: leave one out, or"
        with pytest.raises(ValueError, match=message):
            fanin.plan(shapes, Recipe("r", [*self.STACKED, self.REST]), seed=0)
        plan = fanin.plan(shapes, Recipe("r", [*self.STACKED, self.REST]), seed=0, renamed={"layers.2.wi": "other"})
        assert not same(plan["stacked.wi", 2], plan["layers.2.wi"])

    def test_a_template_derives_from_the_name_that_renamed_gives(self):
        rules = [Rule("new.weight", schemes.stack(NORMAL, "{parent}.{}.{leaf}"))]
        plan = fanin.plan({"new.weight": (2, 3)}, Recipe("r", rules), seed=0, renamed={"new.weight": "old.weight"})
        assert same(plan["new.weight", 1], NORMAL((3,), seed=0, name="old.1.weight"))

    def test_the_table_and_the_files_have_them(self, tmp_path):
        plan = fanin.plan({"stacked.wi": (40, 300, 100)}, Recipe("r", self.STACKED), seed=0, dtype="bfloat16")
        assert "stack" in str(plan)
        plan.save(tmp_path / "w.safetensors")
        assert plan.verify(tmp_path / "w.safetensors")

    def test_a_stacked_plan_has_the_values_of_the_separate_one(self):
        separate = fanin.plan({f"layers.{k}.wi": (5, 6) for k in range(4)}, Recipe("r", [Rule("*", HE)]), seed=0)
        scanned = Recipe("r", [Rule("wi", schemes.stack(HE, "layers.{}.{name}", axis=1))])
        stacked = fanin.plan({"wi": (5, 4, 6)}, scanned, seed=0)
        assert same(stacked["wi"], np.stack([separate[f"layers.{k}.wi"] for k in range(4)], axis=1))


class TestBoxes:
    @settings(max_examples=200, deadline=None)
    @given(st.integers(-9, 9), st.integers(1, 5) | st.integers(-5, -1), st.integers(0, 9), st.data())
    def test_what_two_ranges_have_in_common(self, start, step, count, data):
        a = range(start, start + step * count, step)
        first, stride = data.draw(st.integers(-9, 9)), data.draw(st.integers(1, 5))
        b = range(first, first + stride * data.draw(st.integers(0, 9)), stride)
        of_a, of_b = meet(a, b)
        assert [a[k] for k in of_a] == [b[k] for k in of_b] == [position for position in a if position in b]

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 7), st.slices(7), st.slices(7)), min_size=1, max_size=3))
    def test_what_is_left_of_a_box(self, axes):
        """Every element once, in the other box or in what is left."""
        ahead = [[slice(*s.indices(n)) if (s.step or 1) > 0 else slice(None) for s in both] for n, *both in axes]
        a, b = (tuple(range(*s[which].indices(n)) for s, (n, *_) in zip(ahead, axes, strict=True)) for which in (0, 1))
        inner = common(a, b)
        points = set(itertools.product(*a))
        both = points & set(itertools.product(*b))
        assert (inner is None) == (not both)
        if inner is not None:
            parts = [inner, *without(a, inner)]
            assert sorted(each for part in parts for each in itertools.product(*part)) == sorted(points)
            assert set(itertools.product(*inner)) == both

    @pytest.mark.parametrize("text", ["0", "-1", "0, 3:5", ":, ::2", "..., 1", "1:, -3:-1, 0"])
    def test_text(self, text):
        assert as_text("box", text) == text
        assert as_text("box", eval(f"np.s_[{text}]", {"np": np})) == text  # the test's own text
        zeros = np.zeros((6, 7, 8))
        zeros[eval(f"np.s_[{text}]", {"np": np})] = 1
        chosen, _ = within("box", text, zeros.shape)
        assert set(itertools.product(*chosen)) == {tuple(map(int, each)) for each in np.argwhere(zeros)}


def test_a_scheme_of_ones_own_is_a_part():
    """Whatever has the methods of a scheme."""
    from dataclasses import dataclass

    @dataclass(frozen=True, slots=True, repr=False)
    class Own(Scheme):
        def expected_mean(self, shape):
            return 0.0

        def expected_std(self, shape):
            return 1.0

        def native(self, shape, seed, name):
            return NORMAL.native(shape, seed, name)

    assert same(draw(schemes.stack(Own(), "{}"), (2, 3), "w")[1], draw(NORMAL, (3,), "1"))
