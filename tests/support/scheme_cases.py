"""Every scheme with parameters that show, the shapes that it can have, and indices of its parts."""

from hypothesis import strategies as st

from fanin import schemes


def shapes(low, high, least=1, most=9):
    return st.lists(st.integers(least, most), min_size=low, max_size=high).map(tuple)


ANY, WEIGHT, MATRIX, CONV = shapes(0, 4), shapes(2, 4), shapes(2, 2), shapes(3, 5, most=6)
OI = {"layout": "OI"}
# name: (scheme, shapes it can have)
CASES = {
    "constant": (schemes.constant(0.3), ANY),
    "uniform": (schemes.uniform(-0.5, 2.0), ANY),
    "normal": (schemes.normal(0.1, 0.5), ANY),
    "truncated_normal": (schemes.truncated_normal(0.1, 0.5, -1.0, 2.0), ANY),
    "truncated_normal, absolute": (schemes.truncated_normal(0.0, 0.5, -0.4, 2.0, bounds="absolute"), ANY),
    "variance_scaling": (schemes.variance_scaling(**OI), WEIGHT),
    "xavier_uniform": (schemes.xavier_uniform(layout="IO"), WEIGHT),
    "he_normal": (schemes.he_normal(mode="fan_out", activation="gelu", **OI), WEIGHT),
    "lecun_normal, a convention": (schemes.lecun_normal(convention="keras"), WEIGHT),
    "he_normal, blocks": (schemes.he_normal(blocks=3, **OI), WEIGHT.map(lambda s: (3 * s[0], *s[1:]))),
    "xavier_normal, unequal blocks": (
        schemes.xavier_normal(blocks=(4, 1, 2), layout="IO"),
        WEIGHT.map(lambda s: (*s[:-1], 7)),
    ),
    "xavier_uniform, letters": (
        schemes.xavier_uniform(layout="IOO", blocks=(2, 3)),
        shapes(1, 1).map(lambda s: (*s, 5, 4)),
    ),
    "orthogonal": (schemes.orthogonal(1.5, **OI), WEIGHT),
    "orthogonal, blocks": (schemes.orthogonal(blocks=(2, 5), layout="IO"), WEIGHT.map(lambda s: (*s[:-1], 7))),
    "haar": (schemes.haar(), shapes(1, 3, most=6).map(lambda s: (*s, s[-1]))),
    "delta_orthogonal": (schemes.delta_orthogonal(**OI), CONV.map(lambda s: (s[0] + s[1], s[1], *s[2:]))),
    "identity": (schemes.identity(0.5), MATRIX),
    "dirac": (schemes.dirac(2.0, groups=2, **OI), CONV.map(lambda s: (2 * s[0], *s[1:]))),
    "sparse, per output": (schemes.sparse(0.5, nonzeros=2, **OI), shapes(2, 4, least=2)),
    "sparse, per input": (schemes.sparse(sparsity=0.6, per="input", layout="IO"), WEIGHT),
    "siren, first": (schemes.siren(first=True, **OI), WEIGHT),
    "siren": (schemes.siren(layout="IO"), WEIGHT),
    "embedding": (schemes.embedding(padding=-1), shapes(2, 2)),
    "scaled_residual": (schemes.scaled_residual(layers=12), ANY),
    "torchtitan_residual": (schemes.torchtitan_residual(layer=3), ANY),
    "deepnorm": (schemes.deepnorm(6, 6, **OI), WEIGHT),
    "fixup": (schemes.fixup(blocks=8, **OI), WEIGHT),
    "t_fixup": (schemes.t_fixup(layers=6, **OI), WEIGHT),
    "t_fixup_embedding": (schemes.t_fixup_embedding(layers=6), MATRIX),
    "layer_scale": (schemes.layer_scale(layers=24), ANY),
    "mup": (schemes.mup(schemes.normal(std=0.5), (4, 4)), st.just((12, 12))),
    "prior_probability": (schemes.prior_probability(0.1), ANY),
    "lstm_bias": (schemes.lstm_bias(others=schemes.uniform(-1.0, 1.0)), shapes(1, 2).map(lambda s: (4 * s[0], *s[1:]))),
    "gru_bias": (schemes.gru_bias(order="zrn"), shapes(1, 1).map(lambda s: (3 * s[0],))),
    "concatenate": (
        schemes.concatenate(
            [
                schemes.orthogonal(layout="IO"),
                schemes.concatenate([schemes.zeros(), schemes.normal()]),
                schemes.xavier_normal(layout="IO"),
            ],
            sizes=(2, 3, 4),
            axis=-1,
        ),
        shapes(1, 1).map(lambda s: (2 * s[0], 9)),
    ),
    "concatenate, groups": (
        schemes.concatenate(
            [schemes.orthogonal(**OI), schemes.normal(), schemes.zeros()],
            sizes=(6, 3, 3),
            names="attn.{}.weight",
            groups=3,
        ),
        shapes(1, 1).map(lambda s: (12, *s)),
    ),
    "stack": (schemes.stack(schemes.he_normal(**OI), "layers.{}.{leaf}", axis=-1, start=2), shapes(3, 4, most=6)),
    "stack, of stacks": (
        schemes.stack(schemes.stack(schemes.orthogonal(layout="IO"), "{name}.{}"), "blocks.{}", axis=1),
        shapes(4, 4, most=5),
    ),
    "transpose": (schemes.transpose(schemes.lecun_normal(**OI), (2, 1, 0)), shapes(3, 3)),
    "regions": (
        schemes.regions(
            [schemes.zeros(), schemes.orthogonal(layout="OOI"), schemes.normal(0.5)],
            [":, 1", ":, 0", "1, 1:, ::2"],
            of=schemes.normal(),
            view=(2, 3, 4, 5),
        ),
        st.just((24, 5)),
    ),
    "bernoulli": (schemes.bernoulli(0.3), ANY),
    "exponential": (schemes.exponential(4.0), ANY),
    "log_normal": (schemes.log_normal(0.1, 0.5), ANY),
    "integers": (schemes.integers(-5, 12), ANY),
    "permutation": (schemes.permutation(), shapes(1, 3)),
    "expression": (schemes.expression("log", schemes.uniform(1.0, 16.0)), ANY),
    "expression, of two draws": (
        schemes.expression("exp", schemes.normal(std=0.3)) - schemes.from_stream(schemes.uniform(), 1),
        ANY,
    ),
    "from_stream": (schemes.from_stream(schemes.normal(0.5, 2.0), 3), ANY),
    "from_stream, along an axis": (schemes.from_stream(schemes.normal(std=0.5), along=(1,)), shapes(2, 3)),
    "mamba_step_bias": (schemes.mamba_step_bias(), ANY),
    "mamba_log_range": (schemes.mamba_log_range(), shapes(1, 3)),
    "sinusoid": (schemes.sinusoid(), MATRIX),
    "sinusoid, halves": (schemes.sinusoid(100.0, interleaved=False), MATRIX),
}


def indices(shape):
    """Generate NumPy's basic indices of a shape."""
    entries = [st.integers(-size, size - 1) | st.slices(size) for size in shape]
    whole = st.tuples(*entries)
    return (
        whole
        | st.integers(0, len(shape)).flatmap(lambda count: st.tuples(*entries[:count], st.just(...)))
        | st.just(...)
    )
