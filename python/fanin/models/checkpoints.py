"""Find the safetensors files that a path stands for."""

from __future__ import annotations

import os

from ..text import short
from .headers import Header, read_header
from .index import read_parts


def files_of(path: str | os.PathLike[str]) -> dict[str, Header]:
    """Return the safetensors files of a checkpoint, each with its header, which says what tensors it has and where.

    Parameters
    ----------
    path : str or path-like
        One of:

        - a .safetensors file;
        - the .index.json of several files, which must lie beside it;
        - a directory, which stands for its model.safetensors, or the only .safetensors file in it, or its
          model.safetensors.index.json.

    Returns
    -------
    dict of str to Header
        The header of each file, by its path.

    Raises
    ------
    ValueError
        If the path is of another kind, a directory has no checkpoint or several, or a file is not what its name says.
    OSError
        If the path cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from fanin.checkpoint import Entry, Writer
    >>> with Writer("model.safetensors", [Entry("w", "float32", (2, 3))]) as file:
    ...     file.write("w", np.ones((2, 3), "float32"))
    >>> for path, header in files_of(".").items():
    ...     print(path, header.places)
    ./model.safetensors {'w': (72, 96)}
    """
    name = os.fspath(path)
    if os.path.isdir(name):
        name = checkpoint_in(name)
    if name.endswith(".safetensors"):
        return {name: read_header(name)}
    if name.endswith(".index.json"):
        return read_parts(name)
    raise ValueError(
        f"path must be that of a .safetensors or an .index.json file, or of a directory of one, got {short(name)}"
    )


def checkpoint_in(directory: str) -> str:
    """Return the path of the checkpoint in a directory, or of its index; raise ValueError if there is none."""
    names = sorted(os.listdir(directory))
    files = [name for name in names if name.endswith(".safetensors")]
    for name in ("model.safetensors", *(files if len(files) == 1 else ()), "model.safetensors.index.json"):
        if name in names:
            return os.path.join(directory, name)
    raise ValueError(
        f"{directory}: it must have a model.safetensors, a single .safetensors file, or a model.safetensors.index.json,"
        f" got {short(files) if files else 'none of them'}"
    )
