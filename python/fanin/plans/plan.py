"""Plans: the parameters of a model, each with the rule that draws it, ready to read, to fill or to save."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Self

from .. import _core
from ..arguments import flag
from ..arrays.seed import as_seed
from ..arrays.types import DType, Seed
from ..checkpoint.split import MAX_SHARD_SIZE
from ..entry import entry
from ..models import Parameter, Parameters, parameters
from ..recipes import Recipe, resolve
from ..text import terminal_width
from .contents import Contents
from .filling import fill
from .rows import Renamed, Row, rows
from .saving import STREAM, Saved, save
from .table import render
from .verifying import Verified, verify

Source = str | os.PathLike[str] | Mapping[str, Any] | Iterable[Parameter]


@entry
def plan(
    source: Source,
    recipe: Recipe | str | os.PathLike[str] | None,
    seed: Seed,
    *,
    dtype: DType = None,
    renamed: Renamed | None = None,
    strict: bool = False,
) -> Plan:
    """Decide for every parameter of a model how it will be drawn.

    Parameters
    ----------
    source : str, path-like, mapping or iterable of Parameter
        Where names and shapes come from: a built-in name, a mapping of shapes or arrays such as a state_dict, the path
        of a .safetensors file, its index, a Hugging Face config.json or a .toml file; see `fanin.models.parameters`.
    recipe : Recipe, str, path-like or None
        Rules for them; or the name of a built-in recipe, which then is the one for this model's depth; or the path of a
        .toml file. None takes the built-in that suits a built-in model or a config.json.
    seed : int or numpy.random.SeedSequence
        In [0, 2^64).
    dtype : str or dtype, optional
        Of all parameters: float32, float64, float16 or bfloat16. By default each has that of its source, and float32
        where there is none, as with shapes.
    renamed : mapping of str to str, or callable, optional
        For parameters that had another name: the name now, and the one before, whose random stream they keep.
    strict : bool
        Let a rule that draws nothing be an error, rather than a warning.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        For a parameter that no rule matches, a name given twice, a recipe or a source that does not exist.
    TypeError
        For a dtype that is not drawn.

    Examples
    --------
    >>> import fanin
    >>> plan = fanin.plan("gpt2", "gpt2", seed=0, dtype="bfloat16")
    >>> plan.size, plan.nbytes
    (124439808, 248879616)
    >>> plan["h.0.mlp.c_fc.weight", 5:7].shape
    (2, 3072)
    """
    model = parameters(source)
    return Plan.of(model, resolve(recipe, model), seed, dtype=dtype, renamed=renamed, strict=strict)


@dataclass(frozen=True, repr=False)
class Plan(Contents):
    """The parameters of a model, each with the rule that draws it; printing shows a table. See `fanin.plan`.

    Attributes
    ----------
    recipe : Recipe
        Where the rules come from.
    seed : int
        Of all random streams.
    rows : tuple of Row
        One for every parameter, in the order of the model.
    skipped : tuple of (str, str)
        Names of what is no parameter, each with the reason.

    Examples
    --------
    >>> import fanin
    >>> plan = fanin.plan({"fc.weight": (3, 2), "fc.bias": (3,)}, "torch-default", seed=0)
    >>> plan["fc.bias"].dtype, list(plan.fill())
    (dtype('float32'), ['fc.weight', 'fc.bias'])
    """

    @classmethod
    @entry
    def of(
        cls,
        model: Iterable[Parameter],
        recipe: Recipe,
        seed: Seed,
        *,
        dtype: DType = None,
        renamed: Renamed | None = None,
        strict: bool = False,
    ) -> Self:
        """As `fanin.plan`, for parameters and a recipe at hand."""
        skipped = model.skipped if isinstance(model, Parameters) else ()
        seed, strict = as_seed(seed), flag("strict", strict)
        made = rows(model, recipe, dtype=dtype, renamed=renamed, strict=strict)
        return cls(recipe, seed, made, tuple(skipped))

    def __repr__(self) -> str:
        """One line, however many parameters."""
        return f"<Plan: {len(self)} parameters, recipe {self.recipe.name!r}, seed {self.seed}>"

    def __str__(self) -> str:
        """The table, as wide as the terminal."""
        return render(self, terminal_width())

    def fill(self, arrays: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """All parameters as arrays by name, or into arrays that exist.

        Parameters
        ----------
        arrays : mapping of str to array, optional
            NumPy arrays, torch tensors on the CPU or what else supports DLPack, such as a state_dict: filled in place,
            each in its own dtype. What the plan skipped is left alone; of tied names one suffices.

        Returns
        -------
        mapping
            `arrays`, or a dict of new arrays in the dtypes of the plan.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            For an array that is missing, not of the plan, of another shape, that cannot be written to, or that shares
            memory with another parameter's: before anything is written.

        Examples
        --------
        >>> import fanin, numpy as np
        >>> weights = {"fc.weight": np.empty((3, 2), "float16")}
        >>> plan = fanin.plan(weights, fanin.recipes.Recipe.from_dict(
        ...     {"name": "mine", "rules": [{"pattern": "*", "scheme": "ones"}]}), seed=0)
        >>> plan.fill(weights)["fc.weight"].sum()
        np.float16(6.0)
        """
        if arrays is None:
            return {row.name: self[row.name] for row in self.rows}
        fill(self, arrays)
        return arrays

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        max_shard_size: int | str = MAX_SHARD_SIZE,
        force: bool = False,
        resume: bool = False,
        executor: Executor | None = None,
        workers: int | None = None,
        progress: Callable[[int], object] = lambda nbytes: None,
    ) -> Saved:
        """Write all parameters to a safetensors checkpoint, in pieces: memory does not grow with the model.

        Files and index have Hugging Face's names, and appear when all is complete, the index last. Meanwhile there are
        `.partial` files and a `.journal`, from which an interrupted run is resumed. The bytes do not depend on workers.

        Parameters
        ----------
        path : str or path-like
            The file; in a directory, `model.safetensors`. A directory that ends with a slash is made where there is
            none. More than one file are called `model-00001-of-00002.safetensors`, beside
            `model.safetensors.index.json`.
        max_shard_size : int or str
            Most bytes of tensors in a file: a number, or as "5GB".
        force : bool
            Replace a checkpoint that is there, or what an interrupted run left.
        resume : bool
            Go on where an interrupted run of the same plan stopped; start where there is none; do nothing where the
            checkpoint is complete.
        executor : concurrent.futures.Executor, optional
            Draws and writes: a ProcessPoolExecutor, a Dask client's `get_executor()`. Its workers must see the same
            files. By default threads.
        workers : int, optional
            Number of threads. Default: that of fanin, at most 8.
        progress : callable
            Called with a number of bytes as they are on disk.

        Returns
        -------
        Saved

        Raises
        ------
        FileExistsError
            Where there is a checkpoint, or what an interrupted run left, and neither `force` nor `resume` is given.
        ValueError
            If what an interrupted run left is of another plan; for a size that is none.
        OSError
            Whatever else the file system refuses; a full disk before anything is written.

        Examples
        --------
        >>> import fanin
        >>> plan = fanin.plan({"fc.weight": (300, 200), "fc.bias": (300,)}, "torch-default", seed=0)
        >>> saved = plan.save("sharded.safetensors", max_shard_size="200kB")
        >>> bool(plan.verify(saved.path))
        True
        """
        return save(
            self,
            path,
            max_shard_size=max_shard_size,
            force=force,
            resume=resume,
            executor=executor,
            count=workers,
            progress=progress,
        )

    def verify(
        self,
        path: str | os.PathLike[str],
        *,
        executor: Executor | None = None,
        workers: int | None = None,
        progress: Callable[[int], object] = lambda nbytes: None,
    ) -> Verified:
        """Draw every tensor of a checkpoint again and compare every byte.

        Parameters
        ----------
        path : str or path-like
            A .safetensors file, an index, or a directory of either; who wrote it does not matter.
        executor, workers, progress
            As for `save`.

        Returns
        -------
        Verified
            True where all is as planned, else with a line for each problem.

        Raises
        ------
        ValueError
            If a file is not what its name says.
        OSError
            If a file cannot be read.

        Examples
        --------
        >>> import fanin
        >>> one, other = (fanin.plan({"fc.weight": (3, 2)}, "torch-default", seed=seed) for seed in (0, 1))
        >>> _ = one.save("model.safetensors")
        >>> bool(one.verify("model.safetensors")), bool(other.verify("model.safetensors"))
        (True, False)
        """
        return verify(self, path, executor=executor, count=workers, progress=progress)

    def to_dict(self) -> dict[str, Any]:
        """The plan as strings, numbers, lists and dicts: what JSON can hold, and `from_dict` reads."""
        return {
            "version": _core.__version__,
            "stream": STREAM,
            "seed": self.seed,
            "recipe": self.recipe.to_dict(),
            "parameters": [_row_to_dict(row) for row in self.rows],
            "skipped": [list(pair) for pair in self.skipped],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The plan that `to_dict` described.

        Examples
        --------
        >>> import fanin, json
        >>> plan = fanin.plan({"fc.weight": (3, 2)}, "torch-default", seed=0)
        >>> Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
        True
        """
        if not isinstance(data, Mapping):
            raise TypeError(f"a plan must be a mapping, got {type(data).__name__}")
        for key in ("stream", "seed", "recipe", "parameters"):
            if key not in data:
                raise ValueError(f"a plan must have stream, seed, recipe and parameters, got no {key!r}")
        if data["stream"] != STREAM:
            raise ValueError(f"stream must be {STREAM!r}, got {data['stream']!r}")
        table = data["parameters"]
        try:
            model = parameters(
                [Parameter(row["name"], row["shape"], row.get("aliases", ()), row["dtype"]) for row in table]
            )
            skipped = tuple((name, reason) for name, reason in data.get("skipped", ()))
            renamed = {row["name"]: row["stream"] for row in table if "stream" in row}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                "parameters of a plan must each have name, shape and dtype, and what it skipped a name and a reason, "
                f"got {error!r}"
            ) from error
        recipe = Recipe.from_dict(data["recipe"])
        return cls.of(replace(model, skipped=skipped), recipe, data["seed"], renamed=renamed)


def _row_to_dict(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"name": row.name, "shape": list(row.shape), "dtype": row.dtype}
    if row.aliases:
        data["aliases"] = list(row.aliases)
    if row.stream != row.name:
        data["stream"] = row.stream
    return data | {
        "rule": row.rule.describe(),
        "scheme": row.scheme.describe(),
        "std": row.scheme.expected_std(row.shape),
    }
