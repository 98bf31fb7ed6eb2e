"""The polynomials compiled in, those of the page and those of their derivation are the same numbers."""

import re
import subprocess
import sys

import pytest
import reference
from paths import ROOT


def header_tables(text: str) -> dict[str, list[float]]:
    """Name -> coefficients; a float literal's suffix is dropped."""
    found = re.findall(r"FANIN_POLYNOMIAL\((\w+), (?:float|double),(.*?)\)\n", text, re.DOTALL)
    return {name: [float.fromhex(c) for c in re.findall(r"-?0x[0-9a-f.]+p[+-]?\d+", body)] for name, body in found}


@pytest.fixture(scope="module")
def compiled() -> dict[str, list[float]]:
    return header_tables((ROOT / "cpp" / "core" / "coefficients.hpp").read_text(encoding="utf-8"))


def test_the_page_has_the_compiled_polynomials(compiled):
    page = {name: [float(c) for c in table] for name, table in reference.tables().items()}
    assert compiled == page


@pytest.mark.exhaustive
def test_the_derivation_gives_the_compiled_polynomials(compiled):
    derived = subprocess.run(
        [sys.executable, ROOT / "tools" / "coefficients.py"], capture_output=True, text=True, check=True
    ).stdout
    assert header_tables(derived) == compiled
