"""Writes the spellings of the schemes: python/fanin/spellings.py, functions, and namespace.py, methods of `Seeded`.

    python tools/write_spellings.py

Each is one line around a function of `fanin.schemes`, with its parameters; tests/test_spellings.py fails when this has
to be run again.
"""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "python/fanin"

DISTRIBUTIONS = ["uniform", "normal", "truncated_normal", "constant", "zeros", "ones"]  # functions of sampling.py
KEYED = [
    "variance_scaling",
    "xavier_uniform",
    "xavier_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "delta_orthogonal",
    "sparse",
    "siren",
    "embedding",
    "scaled_residual",
    "torchtitan_residual",
    "deepnorm",
    "fixup",
    "t_fixup",
    "t_fixup_embedding",
    "gate_bias",
    "lstm_bias",
    "gru_bias",
    "mamba_step_bias",
]
# No seed or name changes their values.
FIXED = ["identity", "dirac", "prior_probability", "rezero", "layer_scale", "mamba_log_range", "sinusoid"]
ALIASES = {
    "glorot_uniform": "xavier_uniform",
    "glorot_normal": "xavier_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "eye": "identity",
    "skip_init": "rezero",
}
FANS = {
    "groups": "int = 1",
    "transposed": "bool = False",
    "blocks": "Blocks = 1",
    "convention": "Convention | None = None",
}

FUNCTIONS = '''"""The schemes as plain functions: each builds its object of `fanin.schemes` and calls it.

shape, seed, name and the placement (dtype, index, out, device, stream) are those of `fanin.normal`; what stands between
them is the scheme's. Written by tools/write_spellings.py.
"""

from __future__ import annotations

from typing import SupportsIndex, Unpack

from . import schemes
from .arrays.types import Activation, Array, Convention, Distribution, Layout, Mode, Per, Placement, Seed, Shape
from .arrays.types import TransformerStack as Stack
from .fans import Blocks


def haar(
    n: SupportsIndex | None = None,
    count: SupportsIndex | None = None,
    *,
    gain: float = 1.0,
    seed: Seed,
    name: str,
    **placement: Unpack[Placement],
) -> Array:
    """Draw Haar-random orthogonal matrices.

    Parameters
    ----------
    n : int, optional
        Of an n × n matrix. Default: that of `out`.
    count : int, optional
        Of matrices: the result has the shape (count, n, n). Default: one, of shape (n, n).
    gain : float
        Multiplies the matrices.
    seed, name, dtype, index, out, device, stream
        As for `fanin.normal`, which also lists the errors.

    Examples
    --------
    >>> haar(4, 10, seed=0, name="w").shape
    (10, 4, 4)
    """
    shape = None if n is None else (n, n) if count is None else (count, n, n)
    return schemes.haar(gain)(shape, seed=seed, name=name, **placement)
'''

METHODS = '''"""A namespace that carries seed, layout and stream: a model's parameters need only their names and shapes.

Written by tools/write_spellings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import SupportsIndex, Unpack

from . import sampling, schemes, spellings
from .arrays.seed import as_seed
from .arrays.types import (
    Activation,
    Array,
    Bounds,
    Convention,
    Distribution,
    Layout,
    Mode,
    Per,
    Place,
    Seed,
    Shape,
)
from .arrays.types import (
    TransformerStack as Stack,
)
from .fans import Blocks, require_layout


def seeded(seed: Seed, *, layout: Layout | None = None, stream: str = "v1") -> Seeded:
    """All samplers and schemes under one seed, layout and stream.

    Parameters
    ----------
    seed : int or numpy.random.SeedSequence
        In [0, 2**64).
    layout : str, optional
        "OI" is (out, in, *spatial), PyTorch's; "IO" is (*spatial, in, out), Keras's and JAX's. Schemes that use fans
        need it.
    stream : str
        The definition of the values: "v1".

    Returns
    -------
    Seeded
        Its methods are the functions of `fanin`, with the parameter's name first.

    Examples
    --------
    >>> init = seeded(0, layout="OI")
    >>> w = init.he_normal("mlp.0.weight", (4096, 1024))
    >>> part = init.he_normal("mlp.0.weight", (4096, 1024), index=slice(1024, 2048))
    >>> bool((part == w[1024:2048]).all())
    True
    """
    if layout is not None:
        require_layout(layout)
    sampling.require_stream(stream)
    return Seeded(as_seed(seed), layout, stream)


@dataclass(frozen=True, slots=True)
class Seeded:
    """Samplers and schemes under one seed, layout and stream: see `seeded`. It has no state."""

    seed: int
    layout: Layout | None
    stream: str

    def draw(self, scheme: schemes.Scheme, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """Draw the parameter `name` by any scheme."""
        return scheme(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def bits(self, name: str, shape: Shape | None = None, **place: Unpack[Place]) -> Array:
        """See `fanin.bits`."""
        return sampling.bits(shape, seed=self.seed, name=name, stream=self.stream, **place)

    def haar(
        self,
        name: str,
        n: SupportsIndex | None = None,
        count: SupportsIndex | None = None,
        *,
        gain: float = 1.0,
        **place: Unpack[Place],
    ) -> Array:
        """See `fanin.haar`."""
        return spellings.haar(n, count, gain=gain, seed=self.seed, name=name, stream=self.stream, **place)
'''


def factories() -> dict[str, ast.FunctionDef]:
    """The functions that build schemes, by name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((PACKAGE / "schemes").glob("*.py"))]
    return {node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def function(build: ast.FunctionDef) -> str:
    """A scheme as a function."""
    key = "seed: Seed = 0, name: str = ''" if build.name in FIXED else "seed: Seed, name: str"
    positional, keyword = parameters(build)
    given = ", ".join([*(f"{name}" for name in positional), *(f"{name}={name}" for name in keyword)])
    listed = ", ".join(
        [
            "shape: Shape | None = None",
            *(f"{name}: {text}" for name, text in positional.items()),
            "*",
            key,
            *(f"{name}: {text}" for name, text in keyword.items()),
            "**placement: Unpack[Placement]",
        ]
    )
    return (
        f"def {build.name}({listed},) -> Array:\n"
        f'    """{summary(build)}\n\n    `fanin.schemes.{build.name}` explains its parameters.\n    """\n'
        f"    scheme = schemes.{build.name}({given})\n"
        "    return scheme(shape, seed=seed, name=name, **placement)\n"
    )


def method(build: ast.FunctionDef) -> str:
    """A scheme as a method of the namespace."""
    positional, keyword = parameters(build)
    layout = ["layout=self.layout"] if keyword.pop("layout", None) else []
    given = ", ".join([*positional, *layout, *(f"{name}={name}" for name in keyword)])
    own = [f"{name}: {text}" for name, text in positional.items()]
    own += ["*", *(f"{name}: {text}" for name, text in keyword.items())] if keyword else []
    listed = ", ".join(["self", "name: str", "shape: Shape | None = None", *own, "**place: Unpack[Place]"])
    return (
        f"    def {build.name}({listed}{',' if own else ''}) -> Array:\n"
        f'        """See `fanin.schemes.{build.name}`."""\n'
        f"        return self.draw(schemes.{build.name}({given}), name, shape, **place)\n"
    )


def parameters(build: ast.FunctionDef) -> tuple[dict[str, str], dict[str, str]]:
    """A scheme's positional and keyword-only parameters: annotation and default, as in a signature."""
    arguments = build.args
    positional = zip(arguments.args, arguments.defaults, strict=True)  # all have one, as `shape` before them does
    keyword = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return (
        {argument.arg: _text(argument, default) for argument, default in positional},
        {argument.arg: _text(argument, default) for argument, default in keyword} | (FANS if arguments.kwarg else {}),
    )


def _text(argument: ast.arg, default: ast.expr | None) -> str:
    assert argument.annotation is not None
    text = ast.unparse(argument.annotation).replace("Scheme", "schemes.Scheme")
    return text if default is None else f"{text} = {ast.unparse(default)}"


def summary(build: ast.FunctionDef) -> str:
    """The first line of a scheme's documentation."""
    documentation = ast.get_docstring(build)
    assert documentation is not None
    return documentation.partition("\n")[0]


def modules() -> dict[str, str]:
    """The two modules, before they are formatted."""
    builds = factories()
    functions = [FUNCTIONS, *(function(builds[name]) for name in KEYED + FIXED)]
    methods = [METHODS, *(method(builds[name]) for name in DISTRIBUTIONS + KEYED + FIXED)]
    aliases = [f"{alias} = {name}\n" for alias, name in ALIASES.items()]
    return {
        "spellings": "\n\n".join(functions) + "\n\n" + "".join(aliases),
        "namespace": "\n".join(methods) + "\n" + "".join(f"    {alias}" for alias in aliases),
    }


def main() -> None:
    """Write both, formatted as the rest is."""
    for name, text in modules().items():
        path = PACKAGE / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        subprocess.run(["ruff", "format", "--quiet", path], check=True)


if __name__ == "__main__":
    main()
