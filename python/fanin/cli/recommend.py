"""Define the command `fanin recommend`."""

from __future__ import annotations

import argparse
import re
import textwrap

from .. import schemes
from ..plans.table import shorten
from ..recommendation import LAYERS, recommend, review
from ..text import terminal_width
from .diagnose import activation
from .errors import CommandError
from .terminal import encodable


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add this command to the parser of `fanin`."""
    advise = commands.add_parser("recommend", help="say which scheme suits a layer, and why")
    advise.add_argument(
        "--activation",
        type=activation,
        default="relu",
        help="what follows the layer, such as leaky_relu:0.2; default %(default)s",
    )
    advise.add_argument("--layer", choices=LAYERS, default="linear", help="%(choices)s; default %(default)s")
    advise.add_argument("--depth", type=int, metavar="N", help="how many layers or residual blocks the network has")
    advise.add_argument("--norm", action="store_true", help="every layer is normalized")
    advise.add_argument("--residual", action="store_true", help="the layer is in a residual branch")
    advise.add_argument(
        "--layout",
        default="OI",
        help="the order of axes, OI (out, in, *spatial) or IO (*spatial, in, out); default %(default)s",
    )
    advise.add_argument(
        "--shape", type=_shape, metavar="OxI", help="the shape of the weight, such as 4096x1024: prints its std"
    )
    advise.add_argument(
        "--std", type=float, metavar="STD", help="a std to judge, with --shape: prints what is wrong with it"
    )
    advise.set_defaults(run=_recommend)


def _shape(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"\d+([x,]\d+)*", text):
        return tuple(map(int, re.split("[x,]", text)))
    raise argparse.ArgumentTypeError(f"must be sizes such as 4096x1024, got {text!r}")


def _recommend(arguments: argparse.Namespace) -> None:
    situation = {"depth": arguments.depth, "layout": arguments.layout}
    advice = recommend(
        arguments.activation, arguments.layer, norm=arguments.norm, residual=arguments.residual, **situation
    )
    lines = {"scheme": advice.name, "exactly": shorten(advice.scheme.describe())}
    if arguments.shape:
        lines["std"] = f"{advice.expected_std(arguments.shape):.6g} for {'x'.join(map(str, arguments.shape))}"
    lines |= {"why": advice.why, "source": advice.source}
    if arguments.std is not None:
        if not arguments.shape:
            raise CommandError("--std needs --shape, from which the weight's fans follow")
        scheme = schemes.normal(std=arguments.std)
        problems = review(scheme, arguments.shape, activation=arguments.activation, layer=arguments.layer, **situation)
        lines[f"std {arguments.std:g}"] = " ".join(problems) or "is fine"
    width = terminal_width() or 1000
    margin = max(map(len, lines)) + 2
    for heading, text in zip(lines, map(encodable, lines.values()), strict=True):
        print(textwrap.fill(text, width, initial_indent=heading.ljust(margin), subsequent_indent=" " * margin))
