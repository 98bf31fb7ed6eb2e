"""TOML, rules and JSON that are made to hang, to exhaust or to break what reads them: each is one error."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from costs import require_linear
from hostile import READERS, refused
from processes import run

from fanin.models import parameters
from fanin.models.offline import NetworkRefused, offline
from fanin.recipes import Recipe

pytestmark = pytest.mark.usefixtures("no_transformers")


TOML = {
    "dotted": ("." * 1 + "a.a" * 20_000 + "=1", "keys of at most 32 parts, got more in .* in line 1"),
    "dotted with quotes": ("x = 1\n" + '"a" . ' * 40 + "b = 1", "keys of at most 32 parts, got more in .* in line 2"),
    "header": ("[" + "a." * 20_000 + "a]", "keys of at most 32 parts"),
    "lists": ("w = " + "[" * 5000, "at most 64 lists and tables within each other, got more at 'w' in line 1"),
    "lists in lines": (
        "w = " + "[\n" * 5000,
        "at most 64 lists and tables within each other, got more at 'w' in line 65",
    ),
    "tables": ("w = " + "{a=" * 5000, "at most 64 lists and tables within each other, got more at 'a' in line 1"),
    "tables of dotted keys": ("w = " + "{a.b.c.d.e=" * 30, "at most 64 lists and tables within each other"),
    "number": (
        "[a]\nw = [" + "9" * 5000 + "]",
        r"numbers of at most 500 characters, got a number of 5000 .* at 'w' in line 2 in \[a\]",
    ),
    "hexadecimal": ("w = 0x" + "f" * 6000, "numbers of at most 500 characters, got a number of 6002 characters at 'w'"),
    "fraction": ("w = 0." + "3" * 6000, "numbers of at most 500 characters"),
    "key": ("k" * 6000 + " = 1", "keys and numbers of at most 500 characters, got 'kkk"),
    "twice": ("a = 1\na = 2\n", r"valid TOML: Cannot overwrite a value \(at line 2, column 6\), got 'a = 2'"),
    "open string": ('a = "' + "x" * 10**5, "valid TOML: "),
    "open lines": ('a = """' + "x\n" * 10**5, "valid TOML: "),
    "quotes": ('a = """' + '"' * 10**5, "valid TOML: "),
    "backslashes": ('a = "' + "\\" * 10**5, "valid TOML: "),
    "large": (" " * 4_000_001, "at most 4000000 bytes, got more"),
}


@pytest.mark.parametrize("name", ["recipe.toml", "shapes.toml"])
@pytest.mark.parametrize("kind", TOML)
def test_hostile_toml_is_one_error_that_costs_little(name, kind, tmp_path):
    text, message = TOML[kind]
    path = tmp_path / name
    path.write_text(text)
    error = refused(READERS[name], path, most=12_000_000)
    assert type(error) is ValueError
    assert str(error).startswith(f"{path}: the file must ")
    with pytest.raises(ValueError, match=message):
        raise error


def test_what_looks_hostile_within_a_string_or_a_comment_is_none(tmp_path):
    path = tmp_path / "recipe.toml"
    odd = "[" * 100 + "a." * 100 + "9" * 600
    path.write_text(
        f'# {odd}\nname = \'a\'\nsource = """\n{odd} "" \\""""\nrules = [{{pattern = \'\'\'{odd}\'\'\', '
        f'scheme = \'zeros\', role = "{odd}\\"" }}]  # {odd}\n'
    )
    it = Recipe.load(path)
    assert it.rules[0].pattern == odd
    assert it.rules[0].role == odd + '"'
    assert it.source == odd + ' "" "'


def test_the_deepest_that_is_allowed_is_read(tmp_path):
    path = tmp_path / "shapes.toml"
    path.write_text(".".join("a" * 32) + " = [2]\nb = " + "{c=" * 60 + "[3]" + "}" * 60)
    assert [parameter.shape for parameter in parameters(path)] == [(2,), (3,)]


def test_toml_of_more_lines_takes_longer_in_proportion(tmp_path):
    def read(lines: int) -> Callable[[], object]:
        path = tmp_path / f"{lines}.toml"
        path.write_text("".join(f'{"a." * 20}b{line} = [{line}]\n"x{line}" = [2]\n' for line in range(lines)))
        return lambda: parameters(path)

    require_linear(read, 100)


RECIPE = 'name = "it"\n[[rules]]\npattern = "*.bias"\nscheme = "zeros"\n[[rules]]\n'
RULES = {
    "key twice": ('pattern = "*"\npattern = "a"\nscheme = "zeros"', r"got 'pattern = \"a\"' in \[\[rules\]\] number 2"),
    "no key": ('scheme = "zeros"', "rule 2 of recipe 'it': a rule must have pattern and scheme, got no 'pattern'"),
    "no such key": (
        'patern = "*"\nscheme = "zeros"',
        "rule 2 of recipe 'it': a rule has .*, got 'patern' = .*: did you mean 'pattern'",
    ),
    "wrong type": ('pattern = 3\nscheme = "zeros"', "rule 2 of recipe 'it': pattern must be a string, got 3"),
    "deep scheme": (f'pattern = "*"\nscheme = {"[" * 60}1{"]" * 60}', "rule 2 of recipe 'it': scheme must be a name"),
    "long list": (
        'pattern = "*"\nscheme = "zeros"\nndim = [' + "1," * 10**4 + "-1]",
        "rule 2 of recipe 'it': ndim must be",
    ),
    "large number": (
        f'pattern = "*"\nscheme = {{scheme="normal", std=0x{"f" * 490}}}',
        "number that a float64 can hold",
    ),
    "repetitions": ('pattern = "/a{99999999999999}/"\nscheme = "zeros"', r"\{99999999999999\} is more than 1000 times"),
    "repetitions of repetitions": (
        'pattern = "/((a{99}){99}){99}/"\nscheme = "zeros"',
        "it has 970299 characters with all rep",
    ),
    "empty repetitions": (
        'pattern = "/(((){999}){999}){999}/"\nscheme = "zeros"',
        "it has 997002999 characters with all rep",
    ),
    "groups": (f'pattern = "/{"(" * 400}a{")" * 400}/"\nscheme = "zeros"', "more than 20 groups are within each other"),
    "long pattern": (f'pattern = "/{"(" * 5000}a{")" * 5000}/"\nscheme = "zeros"', "it has more than 1000 characters"),
    "long shell pattern": (f'pattern = "{"*a" * 5000}"\nscheme = "zeros"', "it has more than 1000 characters"),
    "reference": (r"""pattern = '/(a)\1/'""" + '\nscheme = "zeros"', "reference or position, which is not taken, at 3"),
    "lookaround": ('pattern = "/(?=a)a/"\nscheme = "zeros"', r"\(\?= is not taken: a group is \(…\), \(\?:…\) or"),
    "atomic": ('pattern = "/(?>a)a/"\nscheme = "zeros"', r"\(\?> is not taken"),
    "possessive": ('pattern = "/a*+a/"\nscheme = "zeros"', r"possessive \*\+ is not taken"),
    "position": (r"""pattern = '/a\bb/'""" + '\nscheme = "zeros"', "reference or position, which is not taken"),
}


@pytest.mark.parametrize("kind", RULES)
def test_hostile_rules_are_one_error_that_costs_little(kind, tmp_path):
    text, message = RULES[kind]
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE + text)
    with pytest.raises((ValueError, TypeError), match=message):
        raise refused(Recipe.load, path, most=16_000_000)


CONFIG = {
    "deep": ("[" * 10**6, "at most 64 lists and objects within each other, got more"),
    "deep value": (
        '{"model_type": ' + "[" * 5000,
        "at most 64 lists and objects within each other, got more at 'model_type'",
    ),
    "deep objects": ('{"a":' * 5000, "at most 64 lists and objects within each other, got more at 'a'"),
    "deep after strings": ('{"a": "' + "]" * 100 + '\\"", "b": ' + "[" * 65, "got more at 'b'"),
    "integer": (
        '{"model_type": "gpt2", "n_layer": ' + "9" * 5000 + "}",
        "numbers of at most 500 characters, got one of 5000 digits at 'n_layer'",
    ),
    "fraction": ('{"model_type": "gpt2", "n_layer": [0.' + "9" * 5000 + "]}", "got one of 5001 digits at 'n_layer'"),
    "twice": ('{"a": 1, "a": 2}', "the file must give each name once, got 'a' again"),
    "twice within": (
        '{"model_type": "gpt2", "b": [{"a": 1, "a": 2}]}',
        "the file must give each name once, got 'a' again",
    ),
    "infinite": ('{"model_type": "gpt2", "n_layer": 1e999}', "n_layer must be an integer in .*, got inf"),
    "not a number": ('{"model_type": "gpt2", "n_layer": NaN}', "n_layer must be an integer in .*, got nan"),
    "layers": ('{"model_type": "gpt2", "n_layer": 99999}', r"n_layer must be an integer in \[0, 10000\], got 99999"),
    "open string": ('{"' + "a" * 10**6, "must be valid JSON"),
    "backslashes": ('{"' + "\\" * 10**6, "must be valid JSON"),
    "surrogate": ('{"model_type": "\\ud800"}', "where transformers is not installed"),
    "large": (" " * 10_000_001, "at most 10000000 bytes, got more"),
}


@pytest.mark.parametrize("kind", CONFIG)
def test_a_hostile_config_is_one_error_that_costs_little(kind, tmp_path):
    text, message = CONFIG[kind]
    path = tmp_path / "config.json"
    path.write_text(text)
    error = refused(parameters, path, most=12_000_000)
    assert type(error) is ValueError
    with pytest.raises(ValueError, match=message):
        raise error


def test_the_network_is_refused_where_a_config_is_built():
    import socket

    with offline(), pytest.raises(NetworkRefused):
        socket.create_connection(("localhost", 1))
    with offline(), pytest.raises(NetworkRefused):
        socket.getaddrinfo("localhost", 1)
    with pytest.raises(OSError, match=r".*"):  # of the network itself
        socket.create_connection(("256.256.256.256", 1))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="memory is measured with the resource module")
@pytest.mark.parametrize("name", ["config.json", "shapes.toml", "recipe.toml"])
def test_the_largest_text_takes_little_memory(name, tmp_path):
    path = tmp_path / name
    path.write_text('{"a": "' + "\\n" * 4_999_000 + '"' if name == "config.json" else "a = [" + "[]," * 1_300_000)
    program = """
    import sys
    from fanin.models import parameters
    from fanin.recipes import Recipe
    from processes import peak

    before = peak()
    try:
        (Recipe.load if "recipe" in sys.argv[1] else parameters)(sys.argv[1])
    except ValueError as refusal:
        print(peak() - before, refusal)
    """
    memory, error = run(program, path).split(maxsplit=1)
    assert int(memory) < 700_000_000
    assert error.startswith(f"{path}: the file must be valid ")
