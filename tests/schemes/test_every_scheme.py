"""What holds for every scheme: a part is that of the whole, halves are rounded, a dict carries it, numbers scale it."""

import json
import math

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scheme_cases import CASES, OI, indices

from fanin import schemes
from fanin.schemes import Scheme
from fanin.schemes.registry import ALIASES, REGISTRY

KEY = {"seed": 11, "name": "layer.weight"}


BOUNDED = {
    *(
        name
        for name in CASES
        if name.startswith(("uniform", "truncated", "xavier_uniform", "siren", "lstm", "t_fixup"))
    ),
    "variance_scaling",
    "lecun_normal, a convention",
    "torchtitan_residual",
} - {"t_fixup_embedding"}
every = pytest.mark.parametrize("case", CASES)


@every
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_part_is_that_of_the_whole(case, data):
    scheme, possible = CASES[case]
    shape = data.draw(possible)
    index = data.draw(indices(shape))
    for dtype in ("float32", "bfloat16", "float64"):
        whole = scheme(shape, dtype=dtype, **KEY)
        part = scheme(shape, dtype=dtype, index=index, **KEY)
        assert whole.shape == shape
        assert np.asarray(part).tobytes() == np.ascontiguousarray(whole[index]).tobytes()
        assert np.shape(part) == whole[index].shape
        assert np.asarray(part).dtype == whole.dtype
        out = np.zeros_like(whole[index]) if index is not ... else np.zeros(shape, whole.dtype)
        target = np.zeros((*out.shape, 2), out.dtype)[..., 0]  # every second element
        assert scheme(shape, dtype=dtype, index=index, out=target, **KEY) is target
        assert target.tobytes() == np.asarray(part).tobytes()


@every
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_half_is_the_float_rounded_once(case, half, data):
    scheme, possible = CASES[case]
    shape = data.draw(possible)
    dtype = np.dtype(getattr(ml_dtypes, half, half))
    halves, wanted = scheme(shape, dtype=half, **KEY), scheme(shape, **KEY).astype(dtype)
    assert halves.dtype == dtype
    differ = np.flatnonzero(halves.view(np.uint16).ravel() != wanted.view(np.uint16).ravel())
    if case in BOUNDED:  # what rounding takes past a bound becomes the value before it
        got, cast = halves.ravel()[differ], wanted.ravel()[differ]
        assert (np.nextafter(got, cast) == cast).all()
        assert {*got.tolist()} <= {halves.min(), halves.max()}
    else:
        assert differ.size == 0


@every
def test_a_dict_of_json_carries_it(case):
    scheme, _ = CASES[case]
    data = json.loads(json.dumps(scheme.to_dict()))
    assert Scheme.from_dict(data) == scheme
    assert hash(Scheme.from_dict(data)) == hash(scheme)
    assert Scheme.from_dict(data).describe() == scheme.describe()


@every
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_number_scales_it(case, data):
    """A power of two scales values exactly, and the expected std too."""
    scheme, possible = CASES[case]
    shape = data.draw(possible)
    if case.startswith(("mamba", "sinusoid", "permutation")):
        with pytest.raises(TypeError, match="cannot be scaled"):
            2 * scheme
        return
    doubled = 2 * scheme
    assert (doubled(shape, **KEY) == 2 * scheme(shape, **KEY)).all()
    assert (scheme * 2) == doubled
    assert doubled.expected_std(shape) == 2 * scheme.expected_std(shape)
    assert doubled.expected_mean(shape) == 2 * scheme.expected_mean(shape)


LARGE = {
    "orthogonal": (60, 500),
    "haar": (50, 30, 30),
    "delta_orthogonal": (60, 50, 3),
    "dirac": (60, 50, 3),
    "embedding": (1000, 50),
    "mup": (12, 12),
    "identity": (30, 40),
    "xavier_normal, unequal blocks": (5000, 7),
    "orthogonal, blocks": (5000, 7),
    "concatenate": (5000, 9),
    "xavier_uniform, letters": (2000, 5, 4),
    "concatenate, groups": (12, 3000),
    "stack": (60, 50, 4),
    "stack, of stacks": (4, 5, 30, 40),
    "transpose": (30, 20, 10),
    "regions": (24, 5),
    "lstm_bias": (40000,),
    "gru_bias": (3000,),
    "he_normal, blocks": (300, 200),
    "sinusoid": (100, 20),
    "sinusoid, halves": (100, 20),
    "from_stream, along an axis": (2, 60_000),
}


@every
def test_its_mean_and_std_are_those_of_what_it_draws(case):
    """Within 5 standard errors of normal values; many seeds where a shape must be small."""
    scheme, _ = CASES[case]
    shape = LARGE.get(case, (200, 300))
    draws = [
        scheme(shape, seed=seed, name="w", dtype="float64") for seed in range(200 if math.prod(shape) < 1e3 else 1)
    ]
    count = sum(draw.size for draw in draws)
    std = math.sqrt(np.mean([np.square(draw - scheme.expected_mean(shape)).mean() for draw in draws]))
    assert std == pytest.approx(scheme.expected_std(shape), rel=5 / math.sqrt(count), abs=1e-12)
    assert np.mean(draws) == pytest.approx(
        scheme.expected_mean(shape), abs=5 * scheme.expected_std(shape) / math.sqrt(count) + 1e-12
    )


@every
@pytest.mark.parametrize("axis", [0, -1])
def test_a_size_of_zero_is_an_empty_result(case, axis):
    scheme, _ = CASES[case]
    shape = {"haar": (0, 3, 3), "mup": None, "identity": (0, 3)}.get(case, LARGE.get(case, (2, 6)))
    fixed = ("blocks", "concatenate", "letters", "regions", "of stacks")
    if shape is None or any(word in case for word in fixed) or case == "sparse, per output":
        return  # their sizes are fixed
    empty = list(shape)
    empty[0 if case in ("haar", "delta_orthogonal", "embedding") else axis] = 0
    if case in ("delta_orthogonal", "dirac"):
        empty = [4, 2, 0]
    if case == "embedding":
        empty = [3, 0]
    result = scheme(tuple(empty), **KEY)
    assert result.shape == tuple(empty)
    assert result.size == 0
    assert math.isfinite(scheme.expected_std(tuple(empty)))
    assert math.isfinite(scheme.expected_mean(tuple(empty)))


def test_every_builder_has_a_case():
    builders = REGISTRY.keys() - ALIASES.keys()
    same = {"zeros", "ones", "gate_bias", "rezero", "padded", "siren_first"}  # what other cases are made of
    same |= {"he_uniform", "xavier_normal", "lecun_uniform"}  # another distribution or fan of VarianceScaling
    assert builders - same <= {name.partition(",")[0] for name in CASES}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"scheme": "gauss"}, "scheme must be a name of fanin.schemes, .*, got 'gauss'"),
        ({"std": 0.1}, "scheme must be a name of fanin.schemes, or a dict .*, got None"),
        ({"scheme": "Scheme"}, "scheme must be a name of fanin.schemes"),
        ({"scheme": "importlib"}, "scheme must be a name of fanin.schemes"),
        ({"scheme": "normal", "sigma": 1.0}, "scheme 'normal': normal.. has no parameter 'sigma': here it is std="),
        ({"scheme": "he_normal"}, "layout must be"),
    ],
)
def test_a_dict_that_describes_no_scheme(data, message):
    with pytest.raises(ValueError, match=message):
        Scheme.from_dict(data)


@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_a_factor_is_finite(factor):
    with pytest.raises(ValueError, match="factor must be finite"):
        factor * schemes.normal()


def test_a_factor_is_a_number_and_not_negative_where_values_are_symmetric():
    with pytest.raises(ValueError, match="factor of normal must be finite and not negative"):
        -1 * schemes.normal()
    assert (-1 * schemes.orthogonal(**OI)).gain == -1
    for factor in ("2", True, None):
        with pytest.raises(TypeError):
            factor * schemes.normal()


@pytest.mark.parametrize("scheme", [schemes.embedding(padding=1), schemes.lstm_bias(), CASES["concatenate"][0]])
def test_pieces_refuse_an_output_as_a_whole(scheme):
    """Rows that share memory, though each piece alone would not; a wrong shape or dtype; read-only memory."""
    shape = (4, 9)
    shared = np.lib.stride_tricks.as_strided(np.zeros(9, np.float32), shape, (0, 4))
    fixed = np.zeros(shape, np.float32)
    fixed.flags.writeable = False
    for out in (shared, fixed, np.zeros((4, 8), np.float32), np.zeros(shape, ">f4")):
        with pytest.raises(ValueError, match="out"):
            scheme(shape, out=out, **KEY)
    with pytest.raises(ValueError, match="out"):
        scheme(shape, out=fixed.astype(np.float64), dtype="float32", **KEY)
