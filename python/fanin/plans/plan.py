"""A plan: the parameters of a model, each with the rule that draws it, ready to read, fill, save or verify."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, Self

from ..arguments import flag
from ..arrays.seed import as_seed
from ..arrays.types import Array, DType, Seed
from ..checkpoint.split import MAX_SHARD_SIZE
from ..entry import entry
from ..files import json_reader, limits
from ..files.regular import read_text
from ..models import Parameter, Parameters
from ..recipes import Recipe
from ..text import terminal_width
from . import plan_data
from .choices import Only, Overrides, chosen, dtype_by_name, overridden
from .contents import Contents
from .filling import fill
from .rows import Renamed, Row, rows
from .saving import Saved, save
from .table import render
from .verifying import Verified, verify


@dataclass(frozen=True, repr=False)
class Plan(Contents):
    """Hold the parameters of a model, each with the rule that draws it; printing it shows a table.

    `fanin.plan` makes one. `plan[name]` draws a parameter, and `plan[name, index]` the part of it that basic indexing
    selects. A plan is iterated over and measured as a dict of parameters by name.

    Attributes
    ----------
    recipe : Recipe
        The recipe that the rules come from.
    seed : int
        The seed of every random stream.
    rows : tuple of Row
        A row for every parameter, in the order of the model.
    skipped : tuple of (str, str)
        Names in the source that the plan does not draw, such as buffers, each with the reason.

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
        dtype: DType | Mapping[str, DType] = None,
        overrides: Overrides | None = None,
        only: Only | None = None,
        renamed: Renamed | None = None,
        strict: bool = False,
        shares: Mapping[str, str] | None = None,
    ) -> Self:
        """Plan parameters by a recipe, both given as objects; the rest is as for `fanin.plan`.

        Parameters
        ----------
        model : iterable of Parameter
            The parameters, as `fanin.models.parameters` returns them.
        recipe : Recipe
            The rules, as `fanin.recipes.resolve` returns them.
        seed, dtype, overrides, only, renamed, strict
            As for `fanin.plan`, with its errors.
        shares : mapping of str to str, optional
            Parameters that have the random stream of another one on purpose, and the name of that one. Default: none.
        """
        skipped = model.skipped if isinstance(model, Parameters) else ()
        config = model.config if isinstance(model, Parameters) else None
        seed, strict = as_seed(seed), flag("strict", strict)
        model = list(model)
        recipe = overridden(recipe, overrides, model)
        made = rows(model, recipe, dtype=dtype, renamed=renamed, strict=strict, shares=shares)
        planned = chosen(only, [row.name for row in made])
        left_out = [(row.name, "left out by only") for row in made if row.name not in planned]
        rows_planned = tuple(row for row in made if row.name in planned)
        return cls(recipe, seed, rows_planned, (*skipped, *left_out), config=config)

    def carrying(self, buffers: Mapping[str, Array], notes: tuple[str, ...]) -> Self:
        """Return the plan with the values of a model's buffers by name, and notes for its table."""
        return replace(self, buffers=buffers, notes=notes)

    def replace(
        self,
        *,
        seed: Seed | None = None,
        dtype: DType | Mapping[str, DType] = None,
        overrides: Overrides | None = None,
    ) -> Self:
        """Return the same plan with another seed, other dtypes, or other schemes for some parameters.

        Parameters
        ----------
        seed : int or SeedSequence, optional
            The seed. Default: that of this plan.
        dtype : str, dtype or mapping, optional
            The dtype of all parameters, or dtypes by pattern, as for `fanin.plan`. Default: each keeps its own.
        overrides : mapping of str to Scheme, optional
            Schemes by pattern, as for `fanin.plan`. Default: each parameter keeps its own.

        Examples
        --------
        >>> import fanin
        >>> plan = fanin.plan({"fc.weight": (3, 2), "fc.bias": (3,)}, "torch-default", seed=0)
        >>> plan.replace(dtype="float16", overrides={"*.bias": "ones"})["fc.bias"]
        array([1., 1., 1.], dtype=float16)
        """
        model = [Parameter(row.name, row.shape, row.aliases, row.dtype) for row in self.rows]
        given = dtype_by_name(dtype, [row.name for row in self.rows])
        model = [replace(each, dtype=given(each.name) or each.dtype) for each in model]
        changed = type(self).of(
            Parameters(tuple(model), self.skipped, config=self.config),
            self.recipe,
            self.seed if seed is None else seed,
            overrides=overrides,
            renamed={row.name: row.stream for row in self.rows},
            shares={row.name: row.shares for row in self.rows if row.shares},
        )
        buffers = self.buffers.seeded(changed.seed) if hasattr(self.buffers, "seeded") else self.buffers
        return changed.carrying(buffers, self.notes)

    def __repr__(self) -> str:
        """Return one line, however many parameters there are."""
        return f"<Plan: {len(self)} parameters, recipe {self.recipe.name!r}, seed {self.seed}>"

    def __str__(self) -> str:
        """Return the table, at most as wide as the terminal."""
        return render(self, terminal_width())

    def fill(self, arrays: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Draw all parameters, as new arrays by name or into arrays that exist.

        Parameters
        ----------
        arrays : mapping of str to array, optional
            Arrays by name, such as a state_dict, to fill in place, each in its own dtype: NumPy arrays, torch tensors,
            or others that support DLPack. What the plan skipped is left alone; one of several tied names suffices.
            Default: new arrays.

        Returns
        -------
        mapping of str to array
            `arrays`, or a dict of new NumPy arrays in the dtypes of the plan.

        Raises
        ------
        ValueError, TypeError, RuntimeError
            If an array is missing, is not in the plan, has another shape, cannot be written to, or shares memory with
            another parameter's. Nothing is written then.

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

    def fill_rows(self, rows: Sequence[Row], arrays: Mapping[str, Any]) -> None:
        """Draw the parameters of some rows into arrays by name, as `fill` does all."""
        fill(self, arrays, rows)

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

        Files and index have Hugging Face's names, and appear when all of them are complete, the index last. Until then
        there are `.partial` files and a `.journal`, from which an interrupted run is resumed. The bytes do not depend
        on the number of workers.

        Parameters
        ----------
        path : str or path-like
            The file to write, or a directory to write `model.safetensors` into. A path that ends with a slash is a
            directory, which is made if it does not exist. If several files are needed, they are called
            `model-00001-of-00002.safetensors` and so on, beside `model.safetensors.index.json`.
        max_shard_size : int or str
            The largest number of bytes of tensors in a file: an int, or text such as "500MB". Default "50GB".
        force : bool
            Whether to replace a checkpoint that exists, or what an interrupted run left. Default False.
        resume : bool
            Whether to go on where an interrupted run of the same plan stopped. It starts anew where nothing is left of
            one, and does nothing where the checkpoint is complete. Default False.
        executor : concurrent.futures.Executor, optional
            The executor that draws and writes: a ProcessPoolExecutor, or a Dask client's `get_executor()`. Its workers
            must see the same files. Default: threads.
        workers : int, optional
            The number of threads; not together with `executor`. Default: as many as fanin uses, but at most 8.
        progress : callable
            A function that is called with a number of bytes each time so many more are on disk. Default: none.

        Returns
        -------
        Saved
            What was written: files, sizes, expected and observed moments, and the time it took.

        Raises
        ------
        FileExistsError
            If there is a checkpoint, or what an interrupted run left, and neither `force` nor `resume` is given.
        ValueError
            If an interrupted run left files of another plan, or `max_shard_size` or `workers` has no meaning.
        TypeError
            If `executor` is not an executor.
        OSError
            If the file system refuses; a disk that is too full does so before anything is written.

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
            A .safetensors file, an index, or a directory with either; any program may have written them.
        executor : concurrent.futures.Executor, optional
            The executor that draws and compares; its workers must see the same files. Default: threads.
        workers : int, optional
            The number of threads; not together with `executor`. Default: as many as fanin uses, but at most 8.
        progress : callable
            A function that is called with a number of bytes each time so many more are compared. Default: none.

        Returns
        -------
        Verified
            An object that is true if all is as planned; else its `problems` has a line for each.

        Raises
        ------
        ValueError
            If a file is not what its name says, or `workers` has no meaning.
        TypeError
            If `executor` is not an executor.
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

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the plan to a JSON file, from which `read` makes an equal plan.

        Parameters
        ----------
        path : str or path-like
            The file, which is replaced if it exists.

        Raises
        ------
        TypeError
            If torch computes a parameter, since that cannot be written down.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import fanin
        >>> plan = fanin.plan({"fc.weight": (3, 2)}, "torch-default", seed=0)
        >>> plan.write("init.json")
        >>> Plan.read("init.json").digest == plan.digest
        True
        """
        data = json.dumps(self.to_dict(), indent=1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(data + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read the plan that `write` wrote.

        Parameters
        ----------
        path : str or path-like
            The file, which must be a regular one.

        Raises
        ------
        ValueError
            If the file does not hold a plan; the message begins with the path.
        OSError
            If the file cannot be read.
        """
        where = os.fspath(path)
        try:
            return cls.from_dict(json_reader.parse_object(read_text(path, limits.PLAN_BYTES), "the file"))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{where}: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as strings, numbers, lists and dicts, which JSON can hold and `from_dict` reads."""
        return plan_data.written(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the plan that `to_dict` described.

        Parameters
        ----------
        data : mapping
            What `to_dict` returned, perhaps by way of JSON.

        Raises
        ------
        ValueError
            If an entry is missing or wrong, or the random stream is one that this release does not know.
        TypeError
            If `data` is not a mapping.

        Examples
        --------
        >>> import fanin, json
        >>> plan = fanin.plan({"fc.weight": (3, 2)}, "torch-default", seed=0)
        >>> Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
        True
        """
        model, recipe, seed, renamed, shares = plan_data.read(data)
        return cls.of(model, recipe, seed, renamed=renamed, shares=shares)
