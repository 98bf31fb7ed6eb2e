"""Headers of safetensors files and .npz archives that claim what is not so: each is one error of little memory."""

from __future__ import annotations

import os
import struct
import zipfile

import numpy as np
import pytest
from hostile import archive, claiming, entry, header, npy, refused

from fanin.diagnose import audit
from fanin.files.npz_reader import read_npz

TENSORS = {
    "trailing bytes": (
        header({"w": entry([2], 0, 8)}, bytes(9)),
        "the tensors must take all 9 bytes of the data, got 8",
    ),
    "overlap": (
        header({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
        "tensor 'b' must begin at byte 8 .*, got 4: it overlaps 'a'",
    ),
    "long header": (
        header({}, length=2**63),
        "header must have 2 to 100000000 bytes within a file of 10, got 9223372036854775808",
    ),
    "other shape": (header({"w": entry([3], 0, 8)}, bytes(8)), r"data_offsets must be 12 bytes apart for F32 \[3\]"),
    "huge shape": (header({"w": entry([2**40, 2**40], 0, 8)}, bytes(8)), "shape must have fewer than 2\\^63 elements"),
    "negative shape": (header({"w": entry([-1, -2], 0, 8)}, bytes(8)), "shape must have at axis 0 an integer in"),
}


@pytest.mark.parametrize("kind", TENSORS)
def test_an_audit_refuses_what_a_header_tells_wrongly(kind, tmp_path):
    data, message = TENSORS[kind]
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    error = refused(audit, path)
    assert "reshape" not in str(error)
    with pytest.raises(ValueError, match=message):
        raise error


ARCHIVES = {
    "empty": (b"", "it must be a complete .npz file: File is not a zip file"),
    "text": (b"PK no more", "it must be a complete .npz file"),
    "claims 4 TB": (
        archive(("w.npy", npy("(1000000000000,)"))),
        "array 'w': it must have 4000000000000 bytes for float32 .*, got 0",
    ),
    "claims more than there is": (
        claiming(archive(("w.npy", npy("(1000000000,)"))), 2**32 - 2),
        "its arrays must have at most 268435456 bytes for a file of .*, got 4294967294",
    ),
    "bomb": (
        archive(("w.npy", npy("(100000000,)", bytes(400_000_000))), method=zipfile.ZIP_DEFLATED),
        "its arrays must have at most 268435456 bytes",
    ),
    "hidden bomb": (
        claiming(archive(("w.npy", npy("(2,)", bytes(10**7))), method=zipfile.ZIP_DEFLATED), len(npy("(2,)")) + 8),
        "it must be a complete|array 'w': Bad CRC-32|more bytes",
    ),
    "deep header": (
        archive(("w.npy", npy("(" * 4000 + ")" * 4000))),
        "array 'w': its header must give descr, fortran_order and shape",
    ),
    "deep dtype": (archive(("w.npy", npy("(1,)", dtype="[" * 4000))), "array 'w': its header must give descr"),
    "long header": (
        archive(("w.npy", npy("(1,)", before=" " * 20_000))),
        "array 'w': its header must have at most 10000 bytes, got 200",
    ),
    "huge shape": (
        archive(("w.npy", npy("(9999999999999999999, 9999999999)"))),
        "array 'w': shape must have at axis 0",
    ),
    "long shape": (archive(("w.npy", npy(f"({'9' * 5000},)"))), "array 'w': shape must have at axis 0"),
    "many axes": (
        archive(("w.npy", npy(f"({'1,' * 70})", bytes(4)))),
        "array 'w': shape must be a sequence of at most 64",
    ),
    "objects": (
        archive(("w.npy", npy("(1,)", b"x", "'|O'"))),
        "array 'w': it must be an array of numbers, got one of objects",
    ),
    "dtype": (archive(("w.npy", npy("(1,)", b"x", "'<f3'"))), "array 'w': its dtype must be one of NumPy's, got '<f3'"),
    "no header": (archive(("w.npy", b"")), "array 'w': it ends too early"),
    "no array": (archive(("w.npy", b"GIF89a, and more")), "array 'w': it must begin as an .npy file does"),
    "short": (
        archive(("w.npy", npy("(3,)", bytes(8)))),
        r"array 'w': it must have 12 bytes for float32 of shape \(3,\), got 8",
    ),
    "long": (archive(("w.npy", npy("(1,)", bytes(8)))), "array 'w': it must have 4 bytes for float32 .*, got 8"),
    "twice": (
        archive(("w.npy", npy("(1,)", bytes(4))), ("w.npy", npy("(1,)", bytes(4)))),
        "each array must be there once, got 'w' again",
    ),
    "other packing": (
        archive(("w.npy", npy("(1,)", bytes(4))), method=zipfile.ZIP_BZIP2),
        "array 'w.npy' must be stored or deflated",
    ),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_hostile_archive_is_one_error_that_names_it(kind, tmp_path):
    data, message = ARCHIVES[kind]
    path = tmp_path / "w.npz"
    path.write_bytes(data)
    error = refused(audit, path)
    assert type(error) is ValueError
    assert str(error).startswith(f"{path}: ")
    with pytest.raises(ValueError, match=message):
        raise error


def test_an_archive_of_a_large_directory_is_not_read_whole(tmp_path):
    path = tmp_path / "w.npz"
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 9, 9, 120_000_000, 0, 0)
    with path.open("wb") as file:
        file.truncate(120_000_000)
        file.seek(0, os.SEEK_END)
        file.write(end)
    with pytest.raises(ValueError, match="its directory must have at most 100000000 bytes, got 120000000"):
        raise refused(audit, path, most=-900_000_000)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes_is_read(save, tmp_path):
    arrays = {
        **{name: np.arange(24, dtype=name).reshape(2, 3, 4) for name in ("float16", ">f4", "f8", "int32", "complex64")},
        **{
            "none": np.empty((0, 3)),
            "scalar": np.array(2.5),
            "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        },
        **{"text": np.array(["a", "b"]), "pairs": np.zeros(2, "f4,i4"), "large": np.zeros(3_000_000)},
    }
    save(tmp_path / "w.npz", **arrays)
    found = dict(read_npz(tmp_path / "w.npz"))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array, strict=True)
        else:
            assert found[name].dtype == ("structured" if name == "pairs" else str(array.dtype))
