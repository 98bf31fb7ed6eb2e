"""The index of a checkpoint that is split among safetensors files, whose headers alone are read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .checks import as_name, short
from .files import parse_object, read_text
from .headers import Header, read_header

_PLAIN = re.compile(r"[^/\\:\0]+\.safetensors")


def read_index(path: str | os.PathLike[str]) -> Header:
    """The tensors of all files that a model.safetensors.index.json names, in its order.

    Raises ValueError where the index and the headers disagree, and where a file's name would lead out of the
    index's directory.
    """
    name = os.fspath(path)
    places = parse_object(read_text(path), f"{name}: the file").get("weight_map")
    if not isinstance(places, dict):
        raise ValueError(f"{name}: weight_map must be an object of file names, got {short(places)}")
    for tensor, file in places.items():
        if not isinstance(file, str) or not _PLAIN.fullmatch(as_name(file, f"{name}: ")):
            raise ValueError(
                f"{name}: tensor {short(tensor)}: its file must be the plain name of a .safetensors file in the same "
                f"directory, got {short(file)}"
            )
    headers = {file: _read_beside(path, file) for file in dict.fromkeys(places.values())}
    for file, header in headers.items():
        for tensor in header.tensors:
            if places.get(tensor) != file:
                told = short(places[tensor]) if tensor in places else "no file"
                raise ValueError(f"{name}: tensor {short(tensor)} must be in {short(file)}, which holds it, got {told}")
    for tensor, file in places.items():
        if tensor not in headers[file].tensors:
            raise ValueError(f"{name}: tensor {short(tensor)} must be in {short(file)}, which does not hold it")
    metadata = {key: text for header in headers.values() for key, text in header.metadata.items()}
    return Header({tensor: headers[file].tensors[tensor] for tensor, file in places.items()}, metadata)


def _read_beside(index: str | os.PathLike[str], file: str) -> Header:
    try:
        return read_header(Path(index).parent / file)
    except OSError as error:
        raise ValueError(f"{os.fspath(index)}: {short(file)} must be a file beside it: {error.strerror}") from error
