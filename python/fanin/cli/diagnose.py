"""Define the commands that diagnose: `fanin probe`, `fanin compare` and `fanin audit`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..arrays.types import Activation
from .errors import reads_files
from .terminal import write_json

if TYPE_CHECKING:
    from ..diagnose import Stack, Task
    from ..schemes import Scheme

_KINDS = ("dense", "conv", "rnn", "lstm")
_JSON = "write everything measured to this file; - prints it and nothing else"


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add these commands to the parser of `fanin`. Heavy imports wait until one of them runs."""
    probe = commands.add_parser(
        "probe", help="run a deep network forward and backward, and say what happens to signals"
    )
    probe.add_argument("scheme", nargs="?", default="he", help="the scheme of the weights: %(default)s, xavier, …")
    _add_stack(probe)
    probe.add_argument("--seed", type=int, default=0, help="the seed of the weights; default %(default)s")
    probe.add_argument("--draws", type=int, default=3, help="how many networks to draw; default %(default)s")
    _add_output(probe, None)
    probe.set_defaults(run=_probe)

    compare = commands.add_parser("compare", help="probe and train a network with several schemes, and rank them")
    compare.add_argument("schemes", nargs="+", metavar="SCHEME", help="he, xavier, lecun, orthogonal, or another")
    _add_stack(compare)
    compare.add_argument("--steps", type=int, default=200, help="steps of plain SGD; default %(default)s")
    compare.add_argument("--seeds", type=int, default=3, help="runs of each scheme; default %(default)s")
    _add_output(compare, "compare.png")
    compare.set_defaults(run=_compare)

    audit = commands.add_parser(
        "audit", help="look for what is wrong with the weights in a file; status 1 if anything is"
    )
    audit.add_argument("file", help="a .safetensors, .index.json or .npz file, or a directory")
    audit.add_argument(
        "--activation", type=activation, default="relu", help="the model's activation; default %(default)s"
    )
    audit.add_argument(
        "--layout",
        default="OI",
        help="the order of axes, OI (out, in, *spatial) or IO (*spatial, in, out); default %(default)s",
    )
    audit.add_argument("--json", metavar="FILE", help=_JSON)
    audit.set_defaults(run=_audit)


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--activation",
        type=activation,
        default="",
        help="such as leaky_relu:0.2; default relu, or tanh for rnn and lstm",
    )
    parser.add_argument("--depth", type=int, default=10, help="how many hidden layers; default %(default)s")
    parser.add_argument("--width", type=int, default=64, help="units or channels of a layer; default %(default)s")
    parser.add_argument(
        "--kind", choices=_KINDS, default="dense", help="the kind of layers: %(choices)s; default %(default)s"
    )
    parser.add_argument(
        "--norm", choices=("batch", "layer"), help="normalize before every activation: %(choices)s; default none"
    )
    parser.add_argument("--residual", action="store_true", help="add every layer's input to its output")
    parser.add_argument("--data", metavar="FILE", help="an .npz file with x and y; default: scikit-learn's digits")


def _add_output(parser: argparse.ArgumentParser, figure: str | None) -> None:
    note = f"default {figure}" if figure else "default: none"
    parser.add_argument("-o", "--output", default=figure, metavar="FILE", help=f"draw the figure to this file; {note}")
    parser.add_argument("--json", metavar="FILE", help=_JSON)


def activation(text: str) -> Activation:
    """Parse an activation: a name, alone or with parameters, such as leaky_relu:0.2."""
    name, *parameters = text.split(":")
    try:
        return (name, *map(float, parameters)) if parameters else name
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a name, alone or with parameters, such as leaky_relu:0.2, got {text!r}"
        ) from None


def _stack(arguments: argparse.Namespace, weights: Scheme) -> Stack:
    from ..diagnose import Stack

    names = ("activation", "depth", "width", "kind", "norm", "residual")
    return Stack(weights=weights, **{name: getattr(arguments, name) for name in names})


def _task(arguments: argparse.Namespace) -> Task:
    from ..diagnose import digits, load

    return digits() if arguments.data is None else load(arguments.data)


@reads_files
def _probe(arguments: argparse.Namespace) -> int:
    from .. import schemes
    from ..diagnose import plots, probe, scheme_named
    from ..diagnose.tasks import permutation

    stack = _stack(arguments, schemes.zeros())
    stack = _stack(arguments, scheme_named(arguments.scheme, stack))
    task = _task(arguments)
    some = permutation(len(task.inputs), seed=0, name="probe")[:256]  # enough for every mean
    x, labels = task.shaped(stack.kind)[some], task.labels[some]
    report = probe(stack, x, labels, seed=arguments.seed, draws=arguments.draws, classes=task.classes)
    if arguments.json != "-":
        print(report)
    write_json(arguments.json, report.to_dict())
    if arguments.output:
        plots.layers({arguments.scheme: report}, path=arguments.output)
    return 0


@reads_files
def _compare(arguments: argparse.Namespace) -> int:
    from .. import schemes
    from ..diagnose import compare, plots

    stack = _stack(arguments, schemes.zeros())  # the schemes replace these weights
    result = compare(
        arguments.schemes, stack=stack, task=_task(arguments), seeds=arguments.seeds, steps=arguments.steps
    )
    if arguments.json != "-":
        print(result)
    write_json(arguments.json, result.to_dict())
    plots.comparison(result, path=arguments.output)
    if arguments.json != "-":
        print(f"\n{arguments.output}: the figure")
    return 0


@reads_files
def _audit(arguments: argparse.Namespace) -> int:
    from ..diagnose import audit

    found = audit(arguments.file, activation=arguments.activation, layout=arguments.layout)
    if arguments.json != "-":
        print(found)
    write_json(arguments.json, found.to_dict())
    return 1 if found.findings else 0
