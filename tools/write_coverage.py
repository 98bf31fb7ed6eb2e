"""Write docs/coverage.md: for every type of transformers' config.json, whether its model is built, and is planned.

    python tools/write_coverage.py              # goes on where it stopped, then writes the page
    python tools/write_coverage.py bert t5      # asks again about these types

A child process builds one model after another, since importing transformers takes seconds: whole, and small by the rule
of shrinking.py; the small one is then planned as its own code initializes it. The child has a limit on memory, and each
type a limit on time. If the child dies or takes too long, the type is recorded so and another child goes on.
What was found is kept in build/coverage.jsonl, a line for each type. Nothing uses the network.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib
import importlib.metadata
import json
import math
import os
import re
import resource
import select
import subprocess
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from shrinking import Values, shrink, smallest

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "build" / "coverage.jsonl", ROOT / "docs" / "coverage.md"
SECONDS, BYTES = 120, 24 * 2**30  # for a type; and of address space, most of which is libraries

REPLAYED = "replayed"  # the kind of what torch computes, from draws of fanin's

Found = dict[str, Any]

# Fields without which no model of the type is built, since their default is none, or of no use: a config.json has them.
_FORECAST, _HEAD, _DROPOUT = {"prediction_length": 8}, {"head_dim": 128}, {"dropout_rate": 0.0}
_EXPERTS = {"num_experts": 8, "top_k_experts": 2, "moe_intermediate_size": 704}
_SHARED = {"shared_expert_intermediate_size": 512}
_INDEXER = {
    **{"indexer_n_heads": 4, "indexer_kv_heads": 1, "indexer_head_dim": 256, "indexer_budget": 1024},
    "indexer_compress_ratio": 4,
}
_WORDS = ("<image>", "<|extra_200|>", "<|extra_201|>", "<|image start|>", "<|image end|>", "<|image token|>")
_IMAGES = {"vocabulary_map": {word: number for number, word in enumerate(_WORDS)}}
GIVEN: dict[str, Values] = {
    **dict.fromkeys(("autoformer", "informer", "time_series_transformer"), _FORECAST),
    **dict.fromkeys(("ministral", "hunyuan_v1_dense", "hunyuan_v1_moe", "hunyuan_vl_text"), _HEAD),
    **dict.fromkeys(("t5gemma2_text", "t5gemma2_decoder"), _DROPOUT),
    **dict.fromkeys(("chameleon", "emu3"), _IMAGES),
    "aya_vision": {"vision_config": {"num_attention_heads": 16}},
    "dbrx": {"attn_config": {"rope_theta": 10000.0}},
    "diffusion_gemma": {"text_config": _EXPERTS},
    "diffusion_gemma_text": _EXPERTS,
    "dots1": {"n_routed_experts": 8, "num_experts_per_tok": 2, "n_shared_experts": 1},
    "esm": {"vocab_size": 33, "pad_token_id": 1},
    "gemma4_assistant": {
        "text_config": {"model_type": "gemma4_text", "hidden_size_per_layer_input": 0, "vocab_size_per_layer_input": 0}
    },
    "granite4_vision": {
        **{"deepstack_layer_map": [[-1, 0]], "spatial_target_layers": [1, 2, 3, 4], "downsample_rate": "4/8"}
    },
    "hunyuan_vl": {"text_config": _HEAD},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 16},
    "moonshine_streaming": {"num_key_value_heads": 8},
    "nemotron": {"num_key_value_heads": 8},
    "qwen3_omni_moe_talker_text": _SHARED,
    "qwen3_omni_moe": {"talker_config": {"text_config": _SHARED, "spatial_merge_size": 2}},
    "qwen4_exp": {"text_config": _INDEXER},
    "qwen4_exp_text": _INDEXER,
    "t5gemma2_encoder": {"text_config": _DROPOUT},
}


# In the child


def answer() -> None:
    """Examine the types whose names come by standard input, and print what was found as a line of JSON for each."""
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what models print is none of the answers
    warnings.simplefilter("ignore")
    importlib.import_module("transformers").logging.set_verbosity(50)
    for name in ("transformers.models.auto.modeling_auto", "fanin.torch.recording"):
        importlib.import_module(name)
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(examine(line.strip())), file=out, flush=True)


def examine(model_type: str) -> Found:
    """Tell how the model of a type is built, as its defaults say and small, and how the small one is planned."""
    found: Found = {"type": model_type}
    try:
        config = default(model_type)
    except Exception as error:
        return found | {"error": reason(error)}
    for candidate in models(model_type, type(config)):
        found["class"] = candidate.__name__
        try:
            found["whole"], whole = measured(candidate, config)
            break
        except Exception as error:
            found.setdefault("error", reason(error))
    else:
        found.setdefault("error", "there is no model of this type")
        found.pop("class", None)
        return found
    found.pop("error", None)
    began = time.perf_counter()
    values = default(model_type).to_dict()
    steps, (small, model) = smallest(values, lambda values: measured(candidate, type(config).from_dict(values)))
    if lost := sorted(kinds(whole) - kinds(model)):
        small["lost"] = lost
    found |= {"small": small | {"steps": str(steps)}, "search": round(time.perf_counter() - began, 3)}
    try:
        return found | {"plan": planned(candidate, type(config).from_dict(shrink(values, steps)))}
    except Exception as error:
        return found | {"unplanned": reason(error)}


def default(model_type: str) -> Any:
    """Return the config of a type that is given nothing but what it must be."""
    auto = importlib.import_module("transformers.models.auto.configuration_auto")
    return auto.CONFIG_MAPPING[model_type](**copy.deepcopy(GIVEN.get(model_type, {})))


def models(model_type: str, config_class: Any) -> Iterator[Any]:
    """Yield classes that may be the model of a type: AutoModel's, other tasks', and all that take its config."""
    transformers = importlib.import_module("transformers")
    auto = importlib.import_module("transformers.models.auto.modeling_auto")
    names: dict[str, None] = {}
    mappings = [auto.MODEL_MAPPING_NAMES]
    mappings += [found for name, found in sorted(vars(auto).items()) if name.endswith("_MAPPING_NAMES")]
    for mapping in mappings:
        given = mapping.get(model_type, ()) if mapping is not auto.CONFIG_MAPPING_NAMES else ()
        names |= dict.fromkeys([given] if isinstance(given, str) else given)
    for name in names:
        with contextlib.suppress(AttributeError):
            yield getattr(transformers, name)
    if names:
        return
    package = config_class.__module__.rpartition(".")[0]
    (folder,) = map(Path, importlib.import_module(package).__path__)
    base: Any = transformers.PreTrainedModel
    for path in sorted(folder.glob("modeling_*.py")):
        for name, value in vars(importlib.import_module(f"{package}.{path.stem}")).items():
            is_model = isinstance(value, type) and issubclass(value, base) and not name.endswith("PreTrainedModel")
            if is_model and getattr(value, "config_class", None) is config_class:
                yield value


def measured(model_class: Any, config: Any) -> tuple[Found, Any]:
    """Build a model on the meta device; return its number of parameters, and the seconds that it took, with it."""
    torch = importlib.import_module("torch")
    offline = importlib.import_module("fanin.models.offline").offline
    began = time.perf_counter()
    with offline(), torch.device("meta"):
        model = model_class(config)
    seconds = round(time.perf_counter() - began, 3)
    return {"parameters": sum(p.numel() for p in model.parameters()), "seconds": seconds}, model


def planned(model_class: Any, config: Any) -> Found:
    """Plan a model as its own code initializes it; return its elements by the kind of scheme that draws them."""
    record = importlib.import_module("fanin.torch").record
    offline = importlib.import_module("fanin.models.offline").offline
    began = time.perf_counter()
    with offline(), record() as recording:
        model = model_class(config)
    plan = recording.plan(model, seed=0)
    counts: Counter[str] = Counter()
    for row in plan.rows:
        replayed = REPLAYED in row.scheme.describe()
        counts[REPLAYED if replayed else row.scheme.scheme_name] += math.prod(row.shape)
    return {"kinds": dict(counts.most_common()), "seconds": round(time.perf_counter() - began, 3)}


def kinds(model: Any) -> set[str]:
    """Return the names of a model's parameters, with a star for each number: a small model should have the same."""
    return {re.sub("[0-9]+", "*", name) for name, _ in model.named_parameters()}


def reason(error: BaseException) -> str:
    """Return why a model is not built, in short."""
    text = textwrap.shorten(str(error).replace("|", "/"), 160, placeholder=" …")
    if isinstance(error, ImportError):
        words = text.split()
        named = words[words.index("requires") + 2] if "requires" in words else text
        return f"needs the package {named}"
    return f"{type(error).__name__}: {text}"


# In the parent


def ask(types: Iterable[str]) -> Iterator[Found]:
    """Yield what a child finds of each type, as long as it lives; begin another one where it does not."""
    child: subprocess.Popen[str] | None = None
    for model_type in types:
        child = child or _begin()
        line = _tell(child, model_type)
        if line:
            yield json.loads(line)
            continue
        child.kill()
        child.communicate()
        child = None
        yield {"type": model_type, "error": "the process died" if line == "" else f"takes more than {SECONDS} s"}
    if child:
        child.communicate()


def _begin() -> subprocess.Popen[str]:
    """Return a child that has imported what it needs."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--answer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT / "python")},
        text=True,
    )
    assert child.stdout
    if child.stdout.readline() != "ready\n":
        raise SystemExit("transformers, torch and fanin must be there: the child did not begin")
    return child


def _tell(child: subprocess.Popen[str], model_type: str) -> str | None:
    """Ask a child about a type; return its answer, "" if it died, or None if it takes too long."""
    assert child.stdin
    assert child.stdout
    child.stdin.write(model_type + "\n")
    child.stdin.flush()
    ready = select.select([child.stdout], [], [], SECONDS)[0]
    return child.stdout.readline() if ready else None


def read() -> dict[str, Found]:
    """Return what earlier runs found, by type; the last line about a type counts."""
    if not FOUND.exists():
        return {}
    return {found["type"]: found for found in map(json.loads, FOUND.read_text().splitlines())}


def every_type() -> list[str]:
    """Return the types that the installed transformers has."""
    auto = importlib.import_module("transformers.models.auto.configuration_auto")
    return sorted(auto.CONFIG_MAPPING_NAMES)


def page(found: dict[str, Found]) -> str:
    """Return docs/coverage.md."""
    built = {name: each for name, each in sorted(found.items()) if "small" in each}
    plans = {name: each for name, each in built.items() if "plan" in each}
    versions = {name: importlib.metadata.version(name).partition("+")[0] for name in ("transformers", "torch")}
    elements = sum((Counter(each["plan"]["kinds"]) for each in plans.values()), Counter[str]())
    own = 100 * (1 - elements[REPLAYED] / max(1, elements.total()))
    lines = [
        "# Coverage of transformers",
        "",
        "<!-- written by tools/write_coverage.py -->",
        "",
        f"transformers {versions['transformers']} has {len(found)} types of config.json. Without network, and with "
        f"torch {versions['torch']}, {len(built)} of them are built from the defaults of their config, "
        f"{len(set(built) & set(GIVEN))} of these with fields that have no default. Of these models, made small by "
        f"`tools/shrinking.py`, {len(plans)} are planned as their own code initializes them, and fanin alone draws "
        f"{own:.2f} % of their elements; torch computes the rest, which is called *{REPLAYED}*, from draws of fanin's.",
        "",
        "| type | class | parameters | made small by | parameters then | elements by the scheme that draws them |",
        "|---|---|---|---|---|---|",
        *(f"| `{name}` | {each['class']} | {_sizes(each)} | {_plan(each)} |" for name, each in built.items()),
        "",
        "| type | why it is not built |",
        "|---|---|",
        *(f"| `{name}` | {each['error']} |" for name, each in sorted(found.items()) if name not in built),
        "",
    ]
    return "\n".join(lines)


def _sizes(each: Found) -> str:
    return f"{each['whole']['parameters']:,} | {each['small']['steps']} | {each['small']['parameters']:,}"


def _plan(each: Found) -> str:
    if "plan" not in each:
        return f"not planned: {each['unplanned']}"
    return ", ".join(f"{kind} {count:,}" for kind, count in each["plan"]["kinds"].items())


def main() -> None:
    """Ask about the types that are given, or all that earlier runs did not ask about; then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("types", nargs="*", help="types to ask about again; default: all that are not recorded")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--no-page", action="store_true", help="only record what is found")
    arguments = parser.parse_args()
    if arguments.answer:
        answer()
        return
    found = read()
    FOUND.parent.mkdir(exist_ok=True)
    with FOUND.open("a") as file:
        for each in ask(arguments.types or [name for name in every_type() if name not in found]):
            found[each["type"]] = each
            print(json.dumps(each), file=file, flush=True)
            print(each["type"], each.get("error") or f"{each['class']}, {each['small']['steps']}", flush=True)
    if not arguments.no_page:
        PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
