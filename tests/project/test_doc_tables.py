"""What is registered has its row in the documentation: schemes, recipes, models and commands."""

import re
from pathlib import Path

import pytest

from fanin import recipes
from fanin.cli import main
from fanin.models import MODELS, parameters
from fanin.recipes import RECIPES
from fanin.schemes.registry import ALIASES, REGISTRY

DOCS = Path(__file__).parents[2] / "docs"


def names_in(page):
    """Return what a page writes as code: words, and words with their parameters."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"[a-z][\w-]*", code)}


@pytest.mark.parametrize("name", [name for name in REGISTRY if name not in ALIASES])
def test_every_scheme_is_in_its_table(name):
    assert name in names_in("schemes.md")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_in_its_table_and_in_its_package(name):
    assert f"| `{name}` |" in (DOCS / "models.md").read_text(encoding="utf-8")
    assert getattr(recipes, name.replace("-", "_")) is RECIPES[name]
    assert name.replace("-", "_") in recipes.__all__


@pytest.mark.parametrize("name", MODELS)
def test_every_built_in_model_is_among_the_sources(name):
    assert f'`"{name}"`' in (DOCS / "models.md").read_text(encoding="utf-8")
    assert f'"{name}"' in parameters.__doc__


def test_every_command_is_shown(capsys):
    assert main(["--help"]) == 0
    commands = re.findall(r"^    ([a-z]+)", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) == 8
    pages = [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [command for command in commands if f"fanin {command}" not in text] == []
