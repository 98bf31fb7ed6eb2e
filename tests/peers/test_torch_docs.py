"""The examples of the page about torch models run as they stand, one after the other."""

import re

import pytest
from paths import ROOT

pytestmark = pytest.mark.peer


def test_the_examples_run(capsys):
    page = (ROOT / "docs/as-written.md").read_text(encoding="utf-8")
    names = {"__name__": "page"}
    for example in re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        exec(compile(example, "example", "exec"), names)
    assert "recipe as-written, seed 0" in capsys.readouterr().out
