"""Read the index of a checkpoint that is split among safetensors files, and the headers of these files."""

from __future__ import annotations

import os
import re

from ..files import limits
from ..files.json_reader import parse_object
from ..files.regular import read_text
from ..files.validation import as_name
from ..text import short
from .headers import Header, read_header

# The plain name of a file; Windows reserves the excluded ones for devices.
_PLAIN = re.compile(r"(?!(con|prn|aux|nul|(com|lpt)[0-9])\.)[^/\\:\0]+\.safetensors", re.IGNORECASE)


def read_index(path: str | os.PathLike[str]) -> Header:
    """Return the tensors of all files that a model.safetensors.index.json names, in its order.

    Raise ValueError if the index and the headers disagree, or the name of a file would lead out of the directory of the
    index.
    """
    places, headers = _read(path)
    metadata = {key: text for header in headers.values() for key, text in header.metadata.items()}
    return Header({tensor: headers[file].tensors[tensor] for tensor, file in places.items()}, metadata)


def read_parts(path: str | os.PathLike[str]) -> dict[str, Header]:
    """Return the header of each file, by its path; raise the errors of `read_index`."""
    return {_beside(path, file): header for file, header in _read(path)[1].items()}


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, str], dict[str, Header]]:
    """Return the file of each tensor, and the header of each file."""
    name = os.fspath(path)
    places = parse_object(read_text(path, limits.INDEX_BYTES), f"{name}: the file").get("weight_map")
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
    return places, headers


def _beside(index: str | os.PathLike[str], file: str) -> str:
    return os.path.join(os.path.dirname(os.fspath(index)), file)


def _read_beside(index: str | os.PathLike[str], file: str) -> Header:
    try:
        return read_header(_beside(index, file))
    except OSError as error:
        raise ValueError(f"{os.fspath(index)}: {short(file)} must be a file beside it: {error.strerror}") from error
