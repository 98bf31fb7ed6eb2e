"""Define the commands for whole models: `fanin plan`, `fanin init` and `fanin verify`."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import os
import sys
import warnings
from typing import Any

from .. import transformers
from ..checkpoint import DTYPES, Split
from ..checkpoint.split import MAX_SHARD_SIZE, parse_size
from ..models import MODELS, Parameters, files_of, parameters
from ..planning import is_as_written
from ..plans import Plan, Saved
from ..plans.table import render
from ..recipes import RECIPES, Rule, resolve, scheme
from ..text import printable, short, terminal_width
from ..torch.as_written import AS_WRITTEN
from .errors import CommandError, reads_files
from .terminal import explain, print_saved, print_verified, progress_bar, write_json


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add these commands to the parser of `fanin`."""
    plan = commands.add_parser("plan", help="show how every parameter of a model would be drawn")
    _add_model(plan)
    plan.add_argument("--json", metavar="FILE", help="write the plan to this file; - prints it, not the table")
    plan.set_defaults(run=_plan)

    init = commands.add_parser("init", help="write the initial weights of a model as safetensors")
    _add_model(init)
    init.add_argument(
        "-o", "--output", required=True, metavar="PATH", help="the file to write, or a directory with a / at its end"
    )
    init.add_argument(
        "--max-shard-size",
        type=_size,
        default=MAX_SHARD_SIZE,
        metavar="SIZE",
        help="the most bytes in a file, such as 5GB; several files get an index; default %(default)s",
    )
    again = init.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on where an interrupted run stopped")
    again.add_argument("--force", action="store_true", help="replace existing files")
    _add_work(init)
    init.set_defaults(run=_init)

    verify = commands.add_parser(
        "verify", help="draw the weights in a checkpoint again and compare every byte; status 1 if any differs"
    )
    verify.add_argument("path", help="a .safetensors file, an .index.json, or a directory with either")
    _add_model(verify, optional=True)
    _add_work(verify)
    verify.set_defaults(run=_verify)


def _add_model(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    parser.add_argument(
        "model",
        nargs="?" if optional else None,
        help=f"{', '.join(MODELS)}, or a config.json, .safetensors, .index.json or .toml file"
        + ("; default: what the checkpoint contains" if optional else ""),
    )
    parser.add_argument(
        "--recipe", help=f"{', '.join(RECIPES)}, or a .toml file; default: the one that suits the model"
    )
    default = "what the checkpoint says" if optional else "0"
    parser.add_argument("--seed", type=_seed, help=f"an integer in [0, 2^64); default {default}")
    parser.add_argument("--dtype", choices=DTYPES, help="%(choices)s; default: what a file has, else float32")
    parser.add_argument(
        "--override",
        "--set",
        dest="set",
        type=_override,
        action="append",
        default=[],
        metavar="NAME=SCHEME",
        help="draw parameters of this name or pattern by SCHEME: '*.bias=zeros', 'head.weight=normal(std=0.01)'",
    )
    parser.add_argument(
        "--rename",
        type=_renaming,
        action="append",
        default=[],
        metavar="NEW=OLD",
        help="let the parameter NEW have the values that it had by its old name",
    )


def _add_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=_count, metavar="N", help="threads; default: as many as cores, at most 8")
    parser.add_argument("--json", metavar="FILE", help="write what was done to this file; - prints it and nothing else")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _seed(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 2**64:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer in [0, 2^64), got {text!r}")


def _count(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= 1024:
        return int(text)
    raise argparse.ArgumentTypeError(f"must be an integer in [1, 1024], got {text!r}")


def _size(text: str) -> int:
    try:
        return parse_size(int(text) if text.isascii() and text.isdecimal() else text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a size such as 5GB or 500MB, got {text!r}") from None


def _override(text: str) -> Rule:
    name, equals, spelled = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"must be like 'head.weight=normal(std=0.01)', got {text!r}")
    try:
        return Rule(name, scheme(spelled), "set")
    except (ValueError, TypeError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _renaming(text: str) -> tuple[str, str]:
    new, equals, old = text.partition("=")
    if not equals or not new or not old:
        raise argparse.ArgumentTypeError(f"must be like new.weight=old.weight, got {text!r}")
    return new, old


@reads_files
def _plan(arguments: argparse.Namespace) -> None:
    plan = _new(arguments)
    if arguments.json != "-":
        print(render(plan, terminal_width()))
    write_json(arguments.json, plan.to_dict())


@reads_files
def _init(arguments: argparse.Namespace) -> None:
    plan = _new(arguments)
    journal = Split.of(arguments.output, ()).path + ".journal"
    try:
        with progress_bar(plan.nbytes, visible=not arguments.quiet) as advance:
            saved = plan.save(
                arguments.output,
                max_shard_size=arguments.max_shard_size,
                force=arguments.force,
                resume=arguments.resume,
                workers=arguments.workers,
                progress=advance,
            )
    except OSError as error:
        raise CommandError(explain(error, arguments.output, plan.nbytes) + _way_on(journal, error)) from error
    except KeyboardInterrupt:
        raise CommandError("interrupted" + _way_on(journal), status=130) from None
    if not arguments.quiet and arguments.json != "-":
        print_saved(plan, saved)
    write_json(arguments.json, _saved_to_dict(plan, saved))


@reads_files
def _verify(arguments: argparse.Namespace) -> int:
    stored = parameters(arguments.path)
    told = _origin(arguments.path)
    seed = told.get("seed") if arguments.seed is None else arguments.seed
    if type(seed) is not int or not 0 <= seed < 2**64:
        raise CommandError(f"{arguments.path} does not say which seed it is from; give --seed")
    recipe = arguments.recipe
    if recipe is None:
        recipe = told.get("recipe")
        if recipe not in (None, AS_WRITTEN, *RECIPES):  # whoever wrote the file must not choose a path to open
            raise CommandError(
                f"{arguments.path} is from the recipe {short(recipe)}, not a built-in one; give --recipe"
            )
    source = arguments.model
    if recipe == AS_WRITTEN and not source:  # the config.json beside the weights
        source = arguments.path if os.path.isdir(arguments.path) else os.path.dirname(arguments.path) or "."
    if source is not None and is_as_written(source, recipe):
        plan = _written(arguments, source, seed, {each.name: each.dtype for each in stored if each.dtype})
        return _verified(arguments, plan)
    if recipe == AS_WRITTEN:
        raise CommandError(
            f"{arguments.path} is as its model's own code says; give its config.json, where transformers is installed"
        )
    model = stored
    if arguments.model:
        dtypes = {parameter.name: parameter.dtype for parameter in stored}
        model = parameters(arguments.model)
        own = tuple(dataclasses.replace(each, dtype=dtypes.get(each.name)) for each in model.parameters)
        model = dataclasses.replace(model, parameters=own)
    return _verified(arguments, _planned(arguments, model, recipe, seed))


def _verified(arguments: argparse.Namespace, plan: Plan) -> int:
    try:
        with progress_bar(plan.nbytes, visible=not arguments.quiet) as advance:
            verified = plan.verify(arguments.path, workers=arguments.workers, progress=advance)
    except OSError as error:
        raise CommandError(f"cannot read {error.filename or arguments.path}: {error.strerror}") from error
    if not arguments.quiet and arguments.json != "-":
        print_verified(verified)
    write_json(arguments.json, dataclasses.asdict(verified))
    return 0 if verified else 1


def _new(arguments: argparse.Namespace) -> Plan:
    """Return the plan that is asked for."""
    seed = arguments.seed or 0
    if is_as_written(arguments.model, arguments.recipe):
        return _written(arguments, arguments.model, seed, arguments.dtype)
    return _planned(arguments, parameters(arguments.model), arguments.recipe, seed)


def _written(arguments: argparse.Namespace, source: str, seed: int, dtype: Any) -> Plan:
    """Return the plan of a config.json, by what its model's own code asks for."""
    return transformers.plan(
        source,
        seed=seed,
        dtype=dtype,
        overrides={rule.pattern: rule.scheme for rule in arguments.set} or None,
        renamed=dict(arguments.rename) or None,
    )


def _planned(arguments: argparse.Namespace, model: Parameters, recipe: Any, seed: int) -> Plan:
    chosen = resolve(recipe, model)
    if arguments.set:
        chosen = chosen.with_rules(arguments.set)
    renamed = dict(arguments.rename) or None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plan = Plan.of(model, chosen, seed, dtype=arguments.dtype, renamed=renamed)
    used = {id(row.rule) for row in plan.rows}
    for rule in arguments.set:
        if id(rule) not in used:
            raise CommandError(f"--override {rule.pattern}: no parameter is so called, or an earlier one draws it")
    for warning in caught:
        print(f"fanin: warning: {printable(str(warning.message))}", file=sys.stderr)
    return plan


def _origin(path: str) -> dict[str, Any]:
    """Return what the metadata of a checkpoint say of its origin."""
    for header in files_of(path).values():
        if header.origin:
            return header.origin
    return {}


def _way_on(journal: str, error: OSError | None = None) -> str:
    """Say how to go on after an interrupted run, if it left a journal."""
    if os.path.islink(journal) or not os.path.isfile(journal):
        return ""
    if error and error.errno in (errno.EEXIST, errno.EBUSY, errno.EINVAL):
        return ""
    return "; the same command with --resume goes on from what is on disk, --force starts anew"


def _saved_to_dict(plan: Plan, saved: Saved) -> dict[str, Any]:
    groups = [
        {
            "role": group.role,
            "scheme": group.scheme,
            "tensors": group.tensors,
            "parameters": group.expected.count,
            "mean": group.expected.mean,
            "std": group.expected.std,
            "observed_mean": group.observed.mean if group.observed.count else None,
            "observed_std": group.observed.std if group.observed.count else None,
        }
        for group in saved.groups
    ]
    return {**dataclasses.asdict(saved), "seed": plan.seed, "recipe_digest": plan.recipe.digest, "groups": groups}
