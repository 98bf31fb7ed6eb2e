"""Draw what a checkpoint lacks, where transformers loads it."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import transformers
from transformers import PreTrainedModel

from .. import torch
from ..arrays import dtypes
from ..arrays.seed import as_seed
from ..arrays.types import Seed
from ..plans import Plan
from ..torch.modules import PARAMETER, entries
from .building import RecipeLike

_STEP = "_initialize_missing_keys"  # where transformers initializes what it did not load
_DONE = "_is_hf_initialized"  # how it marks what it did


@contextlib.contextmanager
def missing(recipe: RecipeLike = None, *, seed: Seed) -> Iterator[list[Plan]]:
    """Draw the parameters that a checkpoint lacks, as a new head, where `from_pretrained` is called in a `with` block.

    They are drawn as the model's own code says, or by a recipe, each by its name in the model; so two loads give equal
    models, and a model that is built with the same seed by `from_config` has the same values in these places. What was
    loaded is left alone. The same holds for parameters whose shape in the checkpoint is another one, with
    `ignore_mismatched_sizes=True`. Other threads are not disturbed.

    Parameters
    ----------
    recipe : Recipe, str or path, optional
        A recipe: see `fanin.plan`. Default: "as-written", what the model's own code asks for.
    seed : int or SeedSequence
        The seed, in [0, 2**64).

    Yields
    ------
    list of Plan
        It gets the plan of what was drawn, for each model that lacked something.

    Raises
    ------
    RuntimeError
        If transformers is older than version 5, which does not tell what was loaded.
    ValueError
        As `fanin.torch.plan` does, while the model is loaded.

    Examples
    --------
    >>> import fanin
    >>> from transformers import GPT2Config, GPT2ForSequenceClassification
    >>> config = GPT2Config(n_layer=1, n_embd=32, n_head=2, vocab_size=100, pad_token_id=0)
    >>> _ = fanin.plan(config, seed=0).save("backbone/")
    >>> with fanin.transformers.missing(seed=1) as drawn:
    ...     model = GPT2ForSequenceClassification.from_pretrained("backbone")
    >>> list(drawn[0])
    ['score.weight']
    """
    _install()
    request = _Request(recipe, as_seed(seed))
    token = _request.set(request)
    try:
        yield request.plans
    finally:
        _request.reset(token)


@dataclass
class _Request:
    """Hold how to draw what is missing, and the plans of what was drawn."""

    recipe: RecipeLike
    seed: int
    plans: list[Plan] = field(default_factory=list)

    def draw(self, model: Any) -> None:
        """Draw the parameters of a model that were not loaded."""
        found = (entry for entry in entries(model) if entry.kind == PARAMETER and not entry.tensor.is_meta)
        tensors = {entry.name: entry.tensor for entry in found if not getattr(entry.tensor, _DONE, False)}
        if not tensors:
            return
        by_name = {name: dtypes.name(tensor.dtype) for name, tensor in tensors.items()}
        every = set(by_name.values())
        plan = torch.plan(
            (lambda: type(model)(copy.deepcopy(model.config))) if self.recipe in (None, "as-written") else model,
            self.recipe,
            seed=self.seed,
            dtype=every.pop() if len(every) == 1 else by_name,
            only=list(tensors),
        ).carrying({}, ())
        plan.fill(tensors)
        for tensor in tensors.values():
            setattr(tensor, _DONE, True)
        self.plans.append(plan)


_request: ContextVar[_Request | None] = ContextVar("fanin_missing", default=None)


@functools.cache
def _install() -> None:
    """Let transformers ask before it initializes what it did not load; this is done once, for good."""
    original = getattr(PreTrainedModel, _STEP, None)
    if original is None or int(transformers.__version__.partition(".")[0]) < 5:
        raise RuntimeError(f"transformers must be of version 5 or later, got {transformers.__version__}")

    @functools.wraps(original)
    def initialize(model: Any, *args: Any, **kwargs: Any) -> Any:
        request = _request.get()
        if request is not None:
            request.draw(model)
        return original(model, *args, **kwargs)

    setattr(PreTrainedModel, _STEP, initialize)
