"""Writes what is generated: the table of names, and the stubs of what is made from the registry of schemes.

    python tools/write_names.py

python/fanin/names.py says which module has which name of `fanin`; the .pyi files say the same, and every signature, to
type checkers. tests/project/test_names.py fails when this has to be run again; mypy's stubtest compares them with the
package.
"""

from __future__ import annotations

import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import fanin
from fanin import functions, sampling, schemes
from fanin._core import Entry
from fanin.arrays import types
from fanin.names import NAMES
from fanin.namespace import Seeded
from fanin.schemes.registry import ALIASES, REGISTRY

PACKAGE = Path(__file__).parents[1] / "python/fanin"

# Names of `fanin` that are imported when they are first asked for, beside the schemes as functions.
MODULES = ("cuda", "diagnose", "layers", "models", "recipes", "schemes", "torch", "transformers")
SAMPLERS = sorted(name for name, value in vars(sampling).items() if isinstance(value, Entry))
EXPORTS = {  # no module is called as one of its names, or it would stand in its place
    "axes": ("layout",),
    "fans": ("Fans",),
    "planning": ("plan",),
    "plans": ("Plan",),
    "recommendation": ("Recommendation", "recommend", "review"),
    "namespace": ("Seeded", "seeded"),
    "signals.gains": ("gain",),
}
HEAD = '"""{}\n\nWritten by tools/write_names.py.\n"""\n\n'


def table() -> dict[str, str]:
    """Return the module of each name that is imported later."""
    exports = {name: module for module, each in EXPORTS.items() for name in each}
    return exports | dict.fromkeys(functions.FUNCTIONS, "functions")


def imports(stubs: str) -> str:
    """Return the imports of the types that stubs have."""
    named = set(re.findall(r"\w+", stubs)) & types.__annotations__.keys()
    return f"""\
from collections.abc import Sequence
from typing import SupportsIndex

from .arrays.types import {", ".join(sorted(named))}
from .fans import Blocks
from .schemes import Scheme
"""


def names() -> str:
    """Return the file with the table of names."""
    lines = "".join(f'    "{name}": "{module}",\n' for name, module in sorted(table().items()))
    modules = ", ".join(f'"{name}"' for name in MODULES)
    return (
        HEAD.format(
            "The names of `fanin` that are imported when they are first asked for, and the modules that have them."
        )
        + f"MODULES = ({modules})\nNAMES = {{\n{lines}}}\n"
    )


def package() -> str:
    """Return the stub of the package itself."""
    exported = sorted({*fanin.__all__} - {*NAMES} | {*table()})
    stubs = [
        *(stub(getattr(fanin, name)) for name in SAMPLERS),
        *(stub(functions.FUNCTIONS[name]) for name in functions.FUNCTIONS if name not in ALIASES),
        *(f"{alias} = {name}\n" for alias, name in ALIASES.items()),
    ]
    lines = [
        HEAD.format("The names of `fanin`."),
        imports("".join(stubs)),
        *(f"from . import {name} as {name}\n" for name in MODULES),
        "from .arrays.seed import fresh_seed as fresh_seed, seed_from as seed_from\n",
        "from .info import info as info\n",
        "from .threads import get_num_threads as get_num_threads, num_threads as num_threads, "
        "set_num_threads as set_num_threads\n",
        *(f"from .{module} import {name} as {name}\n" for module, each in EXPORTS.items() for name in each),
        f"\n__version__: str\n__all__ = {exported!r}\n\ndef __dir__() -> list[str]: ...\n",
        *stubs,
    ]
    return "".join(lines)


def namespace_stub() -> str:
    """Return the stub of the namespace."""
    methods = ("draw", "bits", *(name for name in REGISTRY if name not in ALIASES))
    stubs = "".join(
        [
            "\ndef seeded(seed: Seed, *, layout: Layout | None = None) -> Seeded: ...\n\nclass Seeded:\n",
            "    seed: int\n    layout: Layout | None\n",
            "    def __init__(self, seed: int, layout: Layout | None) -> None: ...\n",
            *("    " + stub(getattr(Seeded, name)) for name in methods),
            *(f"    {alias} = {name}\n" for alias, name in ALIASES.items()),
        ]
    )
    return HEAD.format("The namespace that carries seed and layout.") + imports(stubs) + stubs


def schemes_stub() -> str:
    """Return the stub of the package of schemes."""
    return "".join(
        [
            HEAD.format("Schemes: small frozen objects that say how a parameter is drawn."),
            *sorted(_imports()),
            f"\n__all__ = {schemes.__all__!r}\n\ndef __dir__() -> list[str]: ...\n",
        ]
    )


def _imports() -> Iterator[str]:
    for name in schemes.__all__:
        found = inspect.unwrap(getattr(schemes, name))
        module = getattr(found, "__module__", "")
        module = {"Native": "fanin.schemes.pieces", "Pieces": "fanin.schemes.pieces"}.get(name, module)
        yield f"from .{module.rpartition('.')[2]} import {name} as {name}\n"


def stub(function: object) -> str:
    """Return a function without its body."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    parts, star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            parts.append("*")
        untyped = parameter.annotation is parameter.empty
        typed = parameter.name if untyped else f"{parameter.name}: {parameter.annotation}"
        parts.append(typed if parameter.default is parameter.empty else f"{typed} = {parameter.default!r}")
    name = function.__name__  # type: ignore[attr-defined]
    return f"def {name}({', '.join(parts)}) -> {signature.return_annotation}: ...\n"


def files() -> dict[str, str]:
    """Return what is written, by path below the package."""
    return {
        "names.py": names(),
        "__init__.pyi": package(),
        "namespace.pyi": namespace_stub(),
        "schemes/__init__.pyi": schemes_stub(),
    }


def formatted(text: str, path: Path) -> str:
    """Return the text as ruff sorts and formats it."""
    for command in (["check", "--fix", "--quiet", "--select", "I,F401"], ["format"]):
        whole = ["ruff", *command, "--stdin-filename", str(path), "-"]
        text = subprocess.run(whole, input=text, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    return text


def main() -> None:
    """Write all files."""
    for name, text in files().items():
        path = PACKAGE / name
        path.write_text(formatted(text, path), encoding="utf-8")


if __name__ == "__main__":
    main()
