"""Make the config of any model of transformers small, so that the model is built and drawn in a moment.

A model has the same kinds of parameters when it has fewer layers, experts and tokens, and narrower ones. The rule reads
nothing but the names of fields: counts of layers, and the lists that have an entry for each of them, keep one layer of
each kind; widths are divided by one number, so that a width that is a product of heads and a head's width stays one;
experts, vocabulary, positions and images get a small number. Where a model cannot be built from that, steps are left
out, in a fixed order, until it can: `smallest` tries them.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Values = dict[str, Any]

LAYERS, MOST_KINDS = 2, 6  # layers that are kept, or one of each kind, of at most so many kinds
TOKENS, PATCHES = 128, 4  # words in a vocabulary, and patches along the side of an image

# What the name of a field says that its number is. Of two patterns that fit, the first counts.
_CAPPED = (
    ("layers", re.compile(r"(period|interval|frequency|_every|_step|_freq)$"), 2),
    ("layers", re.compile(r"offset$|first_k_dense_replace$|dense_layers$"), 1),
    ("experts", re.compile(r"per_tok(en)?$|(?<!index_)topk?(_group|_experts)?$|(?<!index_)top_k|moe_k$|n_group$"), 2),
    ("experts", re.compile(r"(^|_)experts?$|num_experts|moe_num|n_routed_experts|expert_num"), 4),
    (
        "vocabulary",
        re.compile(r"vocab\w*_size(_\w+)?$|^vocab(ulary)?$|_vocab$|^n_vocab|codebook_size$|n(um)?_codes$"),
        TOKENS,
    ),
    (
        "positions",
        re.compile(r"(^|_)(max|n|num)_(\w+_)?(positions?|ctx|seq_len(gth)?|position_embeddings|length)$"),
        128,
    ),
)
_TOKEN = re.compile(r"(token|_id|_index)(_id|_ids|_index|_idx)?$|_ids$")
_LAYER_COUNT = re.compile(r"(^|_)(layers?|depth|blocks?|repeats?|num_hidden_groups)$")
_NO_LAYER_COUNT = re.compile(
    r"feature_layers?$|dense_layers$|head_depth$|index|offset|select|skip|exit|window_layers|(?<!n)_layer$|^(?!n_|num_).*_block$"
)
_STAGES = re.compile(r"depths$|^num_blocks$|(layers|blocks)_per|^num_layers$")
_LAYER_NUMBERS = re.compile(r"ind(ex|exes|ices)$|layer_ids$|_layers$|layer_idx$|_at_layers?$")
_CYCLE = re.compile(r"block_types$|pattern$")  # lists of kinds that are gone through again and again
_OUTPUTS = re.compile(r"^_?out_(features|indices)$")
_WIDTH = re.compile(
    r"(^|_)(dim|dims|width|widths|channels|rank|n_embd|n_inner|units|hidden|filters|groups)$"
    r"|(^|_)d_(model|ff|inner|kv|embed|state|head|hidden|proj|v|k|mlp|ssm)$|^(dim|ff|ffn|embed|hidden)_(model|head|inner)$"
    r"|(hidden|intermediate|embedding|embed|embeddings|projection|proj|ffn|inner|bottleneck|state|adapter|latent|head|rnn"
    r"|pooler_output|model|channel|filter|mlp|ff|expert|output|feature|attention|qkv|key|value|gate|adapter_input)_sizes?$"
    r"|(dim|width|channels|rank|size)_(\w+_)?(list|head|mlp|ffn|in|out|model|stage)$|^head_dim|channels_\w+$|hidden_size\w*$"
)
_NO_WIDTH = re.compile(r"^num_channels|^in_channels|image|window|kernel|patch_size|crop|pool_size|vocab|codebook_size")


@dataclass(frozen=True, slots=True)
class Steps:
    """Say which steps of the rule are taken.

    Parameters
    ----------
    divisor : int
        What widths are divided by; 1 leaves them.
    without : tuple of str
        The steps that are left out, of "layers", "experts", "vocabulary", "positions" and "images". Default: none.
    """

    divisor: int
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"widths / {self.divisor}" + "".join(f", {step} kept" for step in self.without)


ALL = ("layers", "experts", "vocabulary", "positions", "images")
DIVISORS = (8, 4, 2, 1)


def every_step() -> Iterator[Steps]:
    """Yield steps from the ones that shrink most to none; of those between, at most two are left out at a time."""
    for without in itertools.chain.from_iterable(itertools.combinations(ALL, left_out) for left_out in range(3)):
        yield from (Steps(divisor, without) for divisor in DIVISORS)
    yield Steps(1, ALL)


def smallest(values: Values, build: Callable[[Values], T]) -> tuple[Steps, T]:
    """Return the first steps by which `build` succeeds, and what it returned.

    Parameters
    ----------
    values : dict
        The values of a config, as its `to_dict` returns them.
    build : callable
        A function that builds the model from such values, or raises an error.

    Raises
    ------
    Exception
        The error of `build` for the values as they are, if it succeeds by no steps.
    """
    *some, none = every_step()
    for steps in some:
        with contextlib.suppress(Exception):
            return steps, build(shrink(values, steps))
    return none, build(shrink(values, none))


def shrink(values: Values, steps: Steps = Steps(8)) -> Values:
    """Return the values of a small config, of the same kind as `values`; configs within it are shrunk likewise.

    Examples
    --------
    >>> shrink({"num_hidden_layers": 32, "layer_types": ["a", "b"] * 16, "hidden_size": 4096, "vocab_size": 32000})
    {'num_hidden_layers': 2, 'layer_types': ['a', 'b'], 'hidden_size': 512, 'vocab_size': 128}
    """
    layers = _Layers.of(values) if "layers" not in steps.without else _Layers()
    return {key: _shrunk(str(key), value, values, steps, layers) for key, value in values.items()}


@dataclass(frozen=True, slots=True)
class _Layers:
    """Say which layers are kept, for each number of layers in a config."""

    kept: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Values) -> _Layers:
        """Keep two layers; or one of each kind, as the lists and tables of layers tell; or one for each output."""
        counts = {value for key, value in values.items() if _is_count(str(key), value)}
        needed = [
            len(value) for key, value in values.items() if _is_outputs(str(key), value) or _is_cycle(str(key), value)
        ]
        least = max([LAYERS, *needed])
        kept = {}
        for count in counts:
            lists = [value for value in values.values() if isinstance(value, list) and len(value) == count]
            tables = [value for key, value in values.items() if _is_table(str(key), value)]
            members = [value for key, value in values.items() if _are_layers(str(key), value, count)]
            told = [
                [each[layer] for each in lists]
                + [_row(table, layer) for table in tables]
                + [layer in each for each in members]
                for layer in range(count)
            ]
            kinds = _first_of_each([repr(each) for each in told])
            coarse = _first_of_each([repr([_kind(value) for value in each]) for each in told])
            first = next((found for found in (kinds, coarse) if len(found) <= MOST_KINDS), [])
            more = [layer for layer in range(count) if layer not in first]
            kept[count] = sorted((first + more)[: max(least, len(first))])
        return cls(kept)

    @property
    def largest(self) -> tuple[int, list[int]]:
        """The largest number of layers, and those that are kept of them."""
        return max(self.kept.items())


def _first_of_each(told: list[str]) -> list[int]:
    return sorted({each: layer for layer, each in reversed(list(enumerate(told)))}.values())


def _kind(value: object) -> object:
    """Return what matters of a layer's value where every layer has another one: a name, or only its Python type."""
    return value if isinstance(value, str | bool) else type(value).__name__


def _is_count(key: str, value: object) -> bool:
    return type(value) is int and value > LAYERS and bool(_LAYER_COUNT.search(key)) and not _NO_LAYER_COUNT.search(key)


def _is_outputs(key: str, value: object) -> bool:
    """Tell whether a list says which layers a backbone puts out, as "stage3" or by their numbers from the stem, 0."""
    if not isinstance(value, list) or not value or not _OUTPUTS.search(key):
        return False
    return key.endswith("indices") or all(str(each).startswith("stage") for each in value)


def _is_cycle(key: str, value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_KINDS and bool(_CYCLE.search(key))


def _are_layers(key: str, value: object, count: int) -> bool:
    """Tell whether a list says by their numbers which of so many layers are of one kind."""
    if not isinstance(value, list) or not value or len(value) == count or not _LAYER_NUMBERS.search(key):
        return False
    return all(type(each) is int and 0 <= each < count for each in value)


def _is_table(key: str, value: object) -> bool:
    """Tell whether a dict has an entry for each of some layers, by their numbers."""
    return key.startswith("per_layer") and isinstance(value, dict) and all(str(name).isdecimal() for name in value)


def _row(table: Values, layer: int) -> Any:
    return {int(key): row for key, row in table.items()}.get(layer)


def _shrunk(key: str, value: Any, values: Values, steps: Steps, layers: _Layers) -> Any:
    if isinstance(value, dict):
        return _shrunk_dict(key, value, values, steps, layers)
    if isinstance(value, list):
        return _shrunk_list(key, value, values, steps, layers)
    return _shrunk_number(key, value, values, steps, layers) if type(value) is int else value


def _shrunk_dict(key: str, value: Values, values: Values, steps: Steps, layers: _Layers) -> Values:
    if layers.kept and _is_table(key, value):
        _, kept = layers.largest
        value = {str(new): _row(value, old) for new, old in enumerate(kept) if _row(value, old) is not None}
    inner = shrink(value, steps)
    return {name: _image(size, values) for name, size in inner.items()} if _is_image(key, steps) else inner


def _shrunk_list(key: str, value: list[Any], values: Values, steps: Steps, layers: _Layers) -> list[Any]:
    if "layers" not in steps.without and _STAGES.search(key):
        return [min(each, 1) if type(each) is int else each for each in value]
    if layers.kept and _is_outputs(key, value):
        _, kept = layers.largest
        numbers = range(len(kept) - len(value) + 1, len(kept) + 1)
        return [
            f"stage{number}" if isinstance(each, str) else number for number, each in zip(numbers, value, strict=True)
        ]
    if key == "mrope_section":
        return _spread(sum(value) // steps.divisor, len(value))
    if len(value) in layers.kept:
        value = [value[layer] for layer in layers.kept[len(value)]]
    elif layers.kept and _are_layers(key, value, layers.largest[0]):
        _, kept = layers.largest
        value = [new for new, old in enumerate(kept) if old in value]
    return [each if isinstance(each, list) else _shrunk(key, each, values, steps, _Layers()) for each in value]


def _shrunk_number(key: str, value: int, values: Values, steps: Steps, layers: _Layers) -> Any:
    if value in layers.kept and _is_count(key, value):
        return len(layers.kept[value])
    for step, pattern, most in _CAPPED:
        if step not in steps.without and pattern.search(key):
            return min(value, most)
    if "vocabulary" not in steps.without and _TOKEN.search(key):
        return value % TOKENS if value >= TOKENS else value
    if _is_image(key, steps):
        return _image(value, values)
    narrow = _WIDTH.search(key) and not _NO_WIDTH.search(key) and value % steps.divisor == 0
    return value // steps.divisor if narrow else value


def _spread(total: int, parts: int) -> list[int]:
    """Return whole numbers with this sum, as equal as can be, the first one the largest."""
    return [total - (parts - 1) * (total // parts), *[total // parts] * (parts - 1)]


def _is_image(key: str, steps: Steps) -> bool:
    return "images" not in steps.without and key.endswith("image_size")


def _image(value: Any, values: Values) -> Any:
    patch = values.get("patch_size")
    if (
        type(value) is int
        and type(patch) is int
        and value % patch == 0
        and not {"depths", "window_size"} & values.keys()
    ):
        return min(value, PATCHES * patch)
    return value
