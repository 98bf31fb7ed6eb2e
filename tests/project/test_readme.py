"""The Python examples of the README and of the pages run as they stand."""

import re

import pytest
from paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{page.name} {number}")
    for page in PAGES
    for number, example in enumerate(
        re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
]


def test_the_first_example_proves_the_promise():
    assert "assert (part == w[1024:2048]).all()" in EXAMPLES[0].values[0]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_runs_by_itself(example):
    names = {"__name__": "readme"}
    exec(compile(example, "example", "exec"), names)
    assert names.keys() > {"__name__", "__builtins__"}
