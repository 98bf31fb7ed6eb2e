"""Layouts in plain NumPy: which axes of a weight are what, and where an element lies along each kind of them."""

from __future__ import annotations

import math

import numpy as np
from reference import Array

Shape = tuple[int, ...]
OUTPUTS, INPUTS, SPATIAL, BATCH = "O", "I", "XYZHWDT", "B"


def letters(layout: str, rank: int) -> str:
    """One for every axis."""
    field = "X" * (rank - 2)
    return {"OI": "OI" + field, "IO": field + "IO"}.get(layout, layout)


def axes(layout: str, shape: Shape, kinds: str) -> list[int]:
    return [axis for axis, letter in enumerate(letters(layout, len(shape))) if letter in kinds]


def flattened(at: list[Array], layout: str, shape: Shape, kinds: str) -> tuple[Array, int]:
    """Numbers of elements along the axes of these kinds, flattened in C order, and how many there are."""
    number, size = np.zeros_like(at[0]), 1
    for axis in axes(layout, shape, kinds):
        number = number * shape[axis] + at[axis]
        size *= shape[axis]
    return number, size


def from_matrices(matrices: Array, layout: str, shape: Shape) -> Array:
    """A weight from its matrices: batch indices by outputs by inputs and spatial positions."""
    order = [*axes(layout, shape, BATCH), *axes(layout, shape, OUTPUTS), *axes(layout, shape, INPUTS + SPATIAL)]
    return matrices.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))


def sides(layout: str, shape: Shape) -> tuple[int, int, int]:
    """Matrices, and the outputs and columns of each."""
    kinds = BATCH, OUTPUTS, INPUTS + SPATIAL
    number, outs, ins = (math.prod(shape[axis] for axis in axes(layout, shape, kind)) for kind in kinds)
    return number, outs, ins
