"""Layouts name the axes of a weight: which are outputs, inputs, spatial, and of a batch."""

from functools import partial

import numpy as np
import pytest

import fanin
from fanin import Fans, schemes
from fanin.axes import Axes, Matrices


@pytest.mark.parametrize(
    ("arguments", "letters"),
    [
        ({"ndim": 1, "in_axis": ()}, "O"),
        ({"ndim": 2}, "IO"),
        ({"ndim": 4}, "XYIO"),
        ({"ndim": 4, "in_axis": 1, "out_axis": 0}, "OIXY"),
        ({"ndim": 3, "in_axis": 1, "out_axis": 2, "batch_axis": 0}, "BIO"),
        ({"ndim": 3, "in_axis": 0, "out_axis": (1, 2)}, "IOO"),
        ({"ndim": 5, "in_axis": [-1], "out_axis": -5, "batch_axis": (1, -2)}, "OBXBI"),
        ({"ndim": np.int64(3), "in_axis": np.array([1]), "out_axis": np.int8(2)}, "XIO"),
        ({"ndim": 11}, "XYZHWDTXYIO"),
    ],
)
def test_axes_by_number_have_letters(arguments, letters):
    assert fanin.layout(**arguments) == letters


@pytest.mark.parametrize("ndim", [2, 3, 5])
def test_the_default_axes_are_those_of_keras_and_jax(ndim):
    shape = tuple(range(2, 2 + ndim))
    assert Fans.of(shape, fanin.layout(ndim)) == Fans.of(shape, "IO")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ndim": 0}, ValueError, "ndim must be at least 1, got 0"),
        ({"ndim": 65}, ValueError, "ndim must be at most 64, got 65"),
        ({"ndim": "2"}, TypeError, "ndim must be an integer"),
        ({"ndim": True}, TypeError, "ndim must be an integer"),
        ({"ndim": 1}, ValueError, "in_axis must be axes of the weight, from -1 to 0, got -2"),
        ({"ndim": 3, "out_axis": 3}, ValueError, "out_axis must be axes of the weight, from -3 to 2, got 3"),
        ({"ndim": 3, "in_axis": 2}, ValueError, "in_axis must be .* no letter yet, got 2, which is one of out_axis"),
        ({"ndim": 3, "batch_axis": (0, -3)}, ValueError, "batch_axis must be .* got -3, which is one of batch_axis"),
        ({"ndim": 3, "out_axis": ()}, ValueError, r"out_axis must have at least one axis, got \(\)"),
        ({"ndim": 3, "in_axis": 1.0}, TypeError, "in_axis must be an integer or a sequence of integers, got 1.0"),
        ({"ndim": 3, "in_axis": "0"}, TypeError, "in_axis must be an integer or a sequence of integers, got '0'"),
        ({"ndim": 3, "in_axis": [True]}, TypeError, "in_axis must be an integer"),
        ({"ndim": 3, "batch_axis": None}, TypeError, "batch_axis must be an integer"),
    ],
)
def test_axes_that_cannot_be(arguments, error, message):
    with pytest.raises(error, match=message):
        fanin.layout(**arguments)


@pytest.mark.parametrize("layout", ["EOI", "NOI", "OIS", "oi", "BI", "", "O I"])
def test_an_unknown_letter_is_refused_and_the_error_names_those_allowed(layout):
    allowed = "O output, at least once, I input, any of X, Y, Z, H, W, D, T spatial, B batch; got"
    for make in (schemes.he_normal, schemes.orthogonal, schemes.sparse, schemes.dirac, schemes.delta_orthogonal):
        options = {"nonzeros": 1} if make is schemes.sparse else {}
        with pytest.raises(ValueError, match=allowed):
            make(layout=layout, **options)
    with pytest.raises(ValueError, match=allowed):
        Fans.of((2, 3, 4), layout)


def test_axes_are_found_by_their_letters():
    assert Axes.of("OIHW", (4, 3, 2, 1))[1:] == ((0,), (1,), (2, 3), ())
    assert Axes.of("IO", (4, 3, 2, 1))[1:] == ((3,), (2,), (0, 1), ())
    assert Axes.of("IOBO", (4, 3, 2, 1)) == Axes("IOBO", (1, 3), (0,), (), (2,))
    assert Axes.of("XBOIO", (5, 4, 3, 2, 2)).matrices((5, 4, 3, 2, 2)) == Matrices(4, 6, 2, 5)


MATRICES = {
    "orthogonal": schemes.orthogonal,
    "sparse": partial(schemes.sparse, nonzeros=2),
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_needs_no_layout_and_anything_else_does(name):
    make = MATRICES[name]
    key = {"seed": 0, "name": "w"}
    assert (make()((4, 6), **key) == make(layout="OI")((4, 6), **key)).all()
    assert make().expected_std((4, 6)) == make(layout="OI").expected_std((4, 6))
    for shape in ((6,), (4, 6, 3)):
        with pytest.raises(ValueError, match=r"none was given, and only a matrix, .out, in., needs none") as caught:
            make()(shape, **key)
        assert "std" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "shape"),
    [
        (schemes.orthogonal(2.0, layout="BOI"), (3, 8, 20)),
        (schemes.orthogonal(2.0, (1, 2), layout="IOO"), (20, 3, 4)),
        (schemes.orthogonal(layout="HBIWO"), (3, 2, 4, 2, 30)),
        (schemes.delta_orthogonal(3.0, layout="BHWIO"), (2, 3, 4, 5, 8)),
        (schemes.dirac(2.0, 2, layout="BOIX"), (3, 8, 3, 5)),
        (schemes.dirac(2.0, layout="IIOX"), (2, 3, 4, 3)),
    ],
)
def test_a_scheme_knows_the_moments_of_a_weight_in_any_layout(scheme, shape):
    w = scheme(shape, seed=0, name="w", dtype="float64")
    assert np.isclose(scheme.expected_mean(shape), 0 if "orthogonal" in scheme.describe() else w.mean(), rtol=1e-12)
    assert np.isclose(scheme.expected_std(shape), np.sqrt((w**2).mean() - scheme.expected_mean(shape) ** 2), rtol=1e-12)


@pytest.mark.parametrize("per", ["output", "input"])
def test_a_sparse_line_has_as_many_weights_in_any_layout(per):
    scheme = schemes.sparse(nonzeros=3, per=per, layout="OBXIO")
    w = scheme((3, 2, 4, 5, 2), seed=0, name="w")
    assert (np.count_nonzero(w, axis=(2, 3) if per == "output" else (0, 4)) == 3).all()
    assert scheme.count((3, 2, 4, 5, 2)) == (3, 20 if per == "output" else 6)
