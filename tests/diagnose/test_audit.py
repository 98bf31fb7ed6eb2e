"""Each defect of a parameter is found by its own rule, and healthy parameters by none."""

import json
import math
import re

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

import fanin
from fanin import models, recipes, schemes
from fanin.diagnose.audit import audit

DTYPES = ["float32", "float64", "float16", "bfloat16"]


def draw(shape, scheme=None, name="w", dtype="float32"):
    return (scheme or schemes.he_normal(layout="OI"))(shape, seed=0, name=name, dtype=dtype)


# ---- Healthy ---------------------------------------------------------------------------------------------------------

SQUARE, CONV = (192, 192), (64, 64, 3, 3)
HEALTHY = {
    "he_normal": ("fc.weight", (256, 200), schemes.he_normal(layout="OI"), "relu"),
    "he_uniform": ("fc.weight", (200, 256), schemes.he_uniform(layout="OI"), "relu"),
    "he_conv": ("conv1.weight", CONV, schemes.he_normal(layout="OI"), "relu"),
    "truncated_normal": ("fc.weight", SQUARE, schemes.he_normal(layout="OI", truncate=2.0), "relu"),
    "xavier_normal": ("fc.weight", SQUARE, schemes.xavier_normal(layout="OI"), "tanh"),
    "xavier_uniform": ("fc.weight", SQUARE, schemes.xavier_uniform(layout="OI"), "tanh"),
    "lecun_normal": ("fc.weight", SQUARE, schemes.lecun_normal(layout="OI"), "selu"),
    "orthogonal": ("fc.weight", SQUARE, schemes.orthogonal(layout="OI"), "tanh"),
    "orthogonal_relu": ("fc.weight", SQUARE, schemes.orthogonal(math.sqrt(2), layout="OI"), "relu"),
    "haar": ("fc.weight", SQUARE, schemes.haar(), "tanh"),
    "delta_orthogonal": ("conv.weight", CONV, schemes.delta_orthogonal(layout="OI"), "tanh"),
    "identity": ("fc.weight", SQUARE, schemes.identity(), "tanh"),
    "dirac": ("conv.weight", CONV, schemes.dirac(layout="OI"), "tanh"),
    "sparse": ("fc.weight", SQUARE, schemes.sparse(sparsity=0.9, std=math.sqrt(10 / 192), layout="OI"), "tanh"),
    "gelu": ("mlp.c_fc.weight", SQUARE, schemes.he_normal(layout="OI", activation="gelu"), "gelu"),
    "siren": ("layers.1.weight", SQUARE, schemes.siren(layout="OI"), "sin"),
    "embedding": ("wte.weight", (1000, 64), schemes.embedding(), "relu"),
    "wide_embedding": ("embed_tokens.weight", (500, 64), schemes.normal(), "relu"),
    "recurrent": ("rnn.weight_hh_l0", (4 * 64, 64), schemes.orthogonal(1.0, 4, layout="OI"), "tanh"),
    "input": ("rnn.weight_ih_l0", (4 * 64, 32), schemes.xavier_uniform(layout="OI", blocks=4), "tanh"),
    "lstm_bias": ("rnn.bias_ih_l0", (256,), schemes.lstm_bias(), "tanh"),
    "attention": ("attn.in_proj_weight", (3 * 64, 64), schemes.xavier_uniform(layout="OI", blocks=3), "relu"),
    "head": ("head.weight", (10, 192), schemes.normal(std=0.01), "relu"),
    "zero_head": ("head.weight", (10, 192), schemes.zeros(), "relu"),
    "xavier_head": ("lm_head.weight", (10, 192), schemes.xavier_normal(layout="OI"), "relu"),
    "norm": ("ln_1.weight", (192,), schemes.ones(), "relu"),
    "bias": ("fc.bias", (192,), schemes.zeros(), "relu"),
    "step_bias": ("dt_proj.bias", (192,), schemes.mamba_step_bias(), "relu"),
    "adapter": ("q_proj.lora_B.default.weight", (192, 8), schemes.zeros(), "relu"),
    "few_weights": ("fc.weight", (128, 2048), schemes.sparse(sparsity=2040 / 2048, std=0.5, layout="OI"), "relu"),
    "positions": ("pos_embed", (128, 64), schemes.sinusoid(), "relu"),
    "small": ("fc.weight", (4, 2), schemes.he_normal(layout="OI"), "relu"),
    "one_input": ("fc.weight", (512, 1), schemes.he_normal(layout="OI"), "relu"),
}


@pytest.mark.parametrize("what", HEALTHY)
def test_healthy_parameters_have_no_findings(what):
    name, shape, scheme, activation = HEALTHY[what]
    for dtype in DTYPES:
        assert audit({name: draw(shape, scheme, name, dtype)}, activation=activation).findings == (), dtype


def test_a_healthy_network_has_no_findings_whatever_the_seed():
    shapes = {f"layers.{i}.weight": (96, 64 if i == 0 else 96) for i in range(12)} | {"head.weight": (10, 96)}
    for seed in range(20):
        weights = {k: schemes.he_normal(layout="OI")(shape, seed=seed, name=k) for k, shape in shapes.items()}
        biases = {k.replace("weight", "bias"): np.zeros(shape[0], np.float32) for k, shape in shapes.items()}
        assert audit(weights | biases).findings == ()


def test_the_layout_of_keras_and_jax():
    for shape in [(64, 256), (3, 3, 32, 64)]:
        w = schemes.he_normal(layout="IO")(shape, seed=0, name="kernel")
        assert audit({"kernel": w}, layout="IO").findings == ()
        w[..., 7] = w[..., 5]
        (found,) = audit({"kernel": w}, layout="IO").findings
        assert found.rule == "identical units"
        assert "5, 7" in found.message


def test_a_state_dict_has_more_than_weights():
    place = np.arange(500)[:, None] / 10000 ** (np.arange(0, 64, 2) / 64)
    positions = np.concatenate([np.sin(place), np.cos(place)], axis=1)
    future = np.triu(np.full((64, 64), -np.inf, np.float32), 1)
    buffers = {
        "pos_encoder.pe": positions[:, None].astype(np.float32),  # as in torch's tutorial
        "rotary.inv_freq": place[1],
        "attn.causal_mask": np.tril(np.ones((64, 64), np.float32)),
        "attn.bias": future[None, None],
        "attn.future": future.copy(),
    }
    found = audit(buffers)
    assert found.findings == ()
    assert found.skipped == {
        "pos_encoder.pe": "named as a mask or a table of positions",
        "rotary.inv_freq": "named as a mask or a table of positions",
        "attn.causal_mask": "named as a mask or a table of positions",
        "attn.bias": "a mask of 0 and -inf",
        "attn.future": "a mask of 0 and -inf",
    }
    assert "pe" in audit({"pe": positions}, layers={"pe": "embedding"}).statistics


def test_units_that_are_all_0_are_padding():
    padded = draw((96, 64), schemes.xavier_normal(layout="OI"), "head.weight")
    padded[90:] = 0
    assert audit({"head.weight": padded}).findings == ()
    padded[3] = padded[4]
    assert [f.rule for f in audit({"head.weight": padded}).findings] == ["identical units"]


def test_a_norm_among_the_parameters_frees_the_stds():
    """LLaMA's, all drawn with std 0.02, beside the scales of its RMSNorm; but not beside one slope of a PReLU."""
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    llama = {f"layers.0.{n}.weight": draw((256, 256), schemes.normal(std=0.02), n) for n in names}
    scale = {"layers.0.input_layernorm.weight": np.ones(256, np.float32)}
    assert audit(llama | scale).findings == ()
    for without in (audit(llama), audit(llama | scale, norm=False), audit(llama | {"act.weight": np.full(1, 0.25)})):
        assert {f.rule for f in without.findings} == {"std"}


# ---- Defects ---------------------------------------------------------------------------------------------------------


def not_a_number(w):
    w[3, 4], w[5, 6] = np.nan, np.inf


def infinite(w):
    w[:] = np.inf


def infinite_once(w):
    w[3, 4] = -np.inf


def zero(w):
    w[:] = 0


def constant(w):
    w[:] = 0.1


def equal_units(w):
    w[9] = w[4]


def all_units_equal(w):
    w[:] = w[0]


def nearly_equal_units(w):
    w[9] = w[4] * (1 + 1e-4 * np.sign(w[5]))


def too_small(w):
    w *= 0.5


def too_large(w):
    w *= 2


def beyond_any_size(w):
    w *= 1e20


def one_far_away(w):
    w[11, 12] = 15 * w.std()


def one_gigantic(w):
    w[0, 0] = -1e30


def not_quite_orthogonal(w):
    w[:] = draw(w.shape, schemes.orthogonal(math.sqrt(2), layout="OI"))
    w[3] *= 1.01


DEFECTS = {
    not_a_number: ("non-finite", r"1 NaN and 1 infinite of 16384 values"),
    infinite: ("non-finite", "0 NaN and 16384 infinite"),
    infinite_once: ("non-finite", "0 NaN and 1 infinite"),
    zero: ("zero", "all weights are 0: units start equal, and only other layers can tell them apart"),
    constant: ("constant", "all weights are 0.1: units start equal"),
    equal_units: ("identical units", "2 of 128 units have the weights of another: 4, 9"),
    all_units_equal: ("identical units", "128 of 128 units .*: 0, 1, 2, 3, …"),
    nearly_equal_units: ("identical units", "units 4 and 9 differ by 1.0e-04 of their length"),
    too_small: ("std", "gradients vanish: with std 0.062.* multiplies their squares by 0.2.*, std 0.125"),
    too_large: ("std", "gradients explode: with std 0.2.* multiplies their squares by 4"),
    beyond_any_size: ("std", r"std 1.25e\+19 is 1.0e\+20 times the 0.125 asked for"),
    one_far_away: ("outlier", r"1.8.* is 1[45]\.. std from the mean; of 16384 normal values one exceeds 7.5"),
    one_gigantic: ("outlier", r"-1e\+30 is 128.0 std from the mean"),
    not_quite_orthogonal: ("orthogonality", r"max \|QQᵀ/g² - I\| is 0.02"),
}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda f: f.__name__)
def test_each_defect_has_exactly_its_own_finding(defect):
    healthy = {f"{i}.weight": draw((128, 128), name=f"{i}") for i in range(3)}
    defect(healthy["1.weight"])
    (found,) = audit(healthy).findings
    rule, message = DEFECTS[defect]
    assert (found.name, found.rule) == ("1.weight", rule)
    assert re.search(message, found.message), found.message


def test_a_copy_is_found_and_a_tie_is_not():
    w = {"a.weight": draw((64, 64), name="a"), "b.weight": draw((64, 64), name="b")}
    tied = audit(w | {"c.weight": w["a.weight"], "d.weight": w["b.weight"][:]})
    assert tied.findings == ()
    assert tied.tied == (("a.weight", "c.weight"), ("b.weight", "d.weight"))
    (found,) = audit(w | {"c.weight": w["a.weight"].copy()}).findings
    assert (found.name, found.rule) == ("c.weight", "equal values")
    assert "a.weight" in found.message
    almost = w["a.weight"].copy()
    almost[-1, -1] *= 1.001
    assert audit(w | {"c.weight": almost}).findings == ()


def test_the_same_memory_is_tied_whatever_its_shape_and_byte_order():
    for dtype in ("<f4", ">f4"):
        w = draw((64, 64)).astype(dtype)
        found = audit({"a": w, "b": w.reshape(32, 128), "c": w[:, :], "d": w[::2], "e": w[::2]})
        assert found.findings == ()
        assert found.tied == (("a", "b"), ("a", "c"), ("d", "e"))
        assert found.statistics["b"].shape == (32, 128)
        assert found.statistics["b"].asked == pytest.approx(math.sqrt(2 / 128))
        assert found.statistics["b"].std == found.statistics["a"].std


def test_a_defect_of_tied_weights_is_reported_once():
    w = np.zeros((64, 64), np.float32)
    assert [f.name for f in audit({"a.weight": w, "b.weight": w}).findings] == ["a.weight"]


def test_a_torch_default_under_relu_vanishes_by_its_factor_a_layer():
    w = draw((256, 256), schemes.kaiming_uniform(layout="OI", gain=3**-0.5))  # what torch.nn.Linear draws
    (found,) = audit(w).findings
    assert found.rule == "std"
    assert "by 0.166" in found.message
    assert audit(w, norm=True).findings == ()


@pytest.mark.parametrize(
    ("name", "scale", "message"),
    [
        ("lm_head.weight", 1.0, "logits start with std 16"),
        ("attn.c_proj.weight", 1.0, "squares by 257 of what std 0.0625"),
        ("rnn.weight_hh_l0", 0.005, "squares by 0.00642 of what std 0.0625"),
    ],
)
def test_layers_without_an_exact_factor_are_judged_by_a_wide_one(name, scale, message):
    (found,) = audit({name: draw((256, 256), schemes.normal(std=scale))}).findings
    assert found.rule == "std"
    assert message in found.message


@pytest.mark.parametrize("exponent", [-160, -100, -30, 30, 100, 160, 300])
def test_no_size_is_too_much_for_it(exponent):
    w = draw((64, 64), dtype="float64") * 10.0**exponent
    (found,) = audit(w).findings
    assert found.rule == ("std" if exponent < 150 else "outlier")


def test_the_outlier_rule_keeps_its_promise():
    """Of 2000 normal tensors none exceeds what one in 10⁹ does; the largest of uniform ones stays at √3."""
    x = draw((2000, 4096), schemes.normal())
    assert all(f.rule != "outlier" for f in audit({str(i): row for i, row in enumerate(x)}).findings)


# ---- What it takes and gives -----------------------------------------------------------------------------------------

KINDS = {
    "layers.0.weight": ((8, 8), "linear"),
    "head.weight": ((8, 8), "head"),
    "cell.weight_hh": ((8, 8), "recurrent"),
    "lstm.weight_ih_l0": ((8, 8), "input"),
    "lstm.bias_hh_l0": ((8,), "bias"),
    "recurrent_kernel": ((8, 8), "recurrent"),
    "h.0.attn.c_attn.weight": ((8, 8), "attention"),
    "blocks.0.self_attention.q_proj.weight": ((8, 8), "attention"),
    "transformer.wte.weight": ((8, 8), "embedding"),
    "patch_embed.proj.weight": ((8, 3, 2, 2), "conv"),
    "pos_embed": ((1, 8, 8), "embedding"),
    "conv1d.weight": ((8, 8, 3), "conv"),
    "ln_1.weight": ((8,), "norm"),
    "bn.bias": ((8,), "bias"),
    "logit_scale": ((), "bias"),
    "Dense_0/kernel": ((8, 8), "linear"),
    "multi_head_attention/query/kernel": ((8, 8), "attention"),
    "blocks.0.attn1.to_q.weight": ((8, 8), "attention"),
    "ensemble.0.fc1.weight": ((8, 8), "linear"),
    "member.fc.weight": ((8, 8), "linear"),
    "time_embedding.linear_1.weight": ((8, 8), "linear"),
    "to_patch_embedding.2.weight": ((8, 8), "linear"),
    "Embed_0/embedding": ((8, 8), "embedding"),
    "tok_embeddings.weight": ((8, 8), "embedding"),
    "relative_position_bias_table": ((8, 8), "embedding"),
    "value.0.weight": ((8, 8), "linear"),
    "LayerNorm_0/scale": ((8,), "norm"),
}


def test_the_layer_follows_from_name_and_rank_unless_it_is_given():
    arrays = {name: draw(shape, schemes.normal(std=0.1), name) for name, (shape, _) in KINDS.items()}
    found = audit(arrays).statistics
    assert {name: s.layer for name, s in found.items()} == {name: layer for name, (_, layer) in KINDS.items()}
    assert audit(arrays, layers={"pos_embed": "linear"}).statistics["pos_embed"].layer == "linear"


def test_one_array_lists_and_what_is_no_parameter():
    assert list(audit(draw((8, 8))).statistics) == ["array"]
    assert audit([[0.5, -0.25], [1.0, 2.0]]).statistics["array"].dtype == "float64"
    steps = audit({"steps": np.int64(3), "mask": np.ones((3, 3), bool), "w": draw((8, 8)).astype(">f4")})
    assert steps.skipped == {"steps": "of dtype int64", "mask": "of dtype bool"}
    other = audit({"w": np.zeros((3, 3), np.complex64), "q": np.zeros((3, 3), ml_dtypes.float8_e4m3fn)})
    assert other.skipped == {"w": "of dtype complex64", "q": "of dtype float8_e4m3fn"}
    assert steps.statistics["w"].dtype == "float32"
    assert audit({"empty": np.empty((0, 3), np.float32)}).findings == ()
    assert audit({}).findings == ()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_file_is_audited_as_its_arrays_are(tmp_path, dtype):
    weights = {"a.weight": draw((40, 30), dtype=dtype), "b.bias": np.zeros(30, "float32"), "n": np.arange(3)}
    weights["q"] = np.zeros((3, 3), np.complex64)
    save_file(weights, tmp_path / "w.safetensors", {"format": "pt"})
    expected = audit(weights)
    read = audit(tmp_path / "w.safetensors")
    assert read.statistics == expected.statistics
    assert read.skipped == {"n": "of dtype I64", "q": "of dtype C64"}
    if dtype != "bfloat16":  # .npz loses it
        np.savez(tmp_path / "w.npz", **weights)
        assert audit(str(tmp_path / "w.npz")) == expected


def test_a_damaged_file_is_refused_by_its_name(tmp_path):
    file = tmp_path / "w.safetensors"
    save_file({"a": draw((40, 30))}, file)
    whole = file.read_bytes()
    for damaged in (b"", whole[:5], whole[:40], whole[:-8], whole.replace(b"data_offsets", b"data_Offsets")):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"w\.safetensors: (the header|the tensors|tensor 'a')"):
            audit(file)
    with pytest.raises(ValueError, match=r"arrays must be the path of a .safetensors, .* a path, got 'w.pt'"):
        audit("w.pt")
    (tmp_path / "w.npz").write_bytes(b"PK no more")
    with pytest.raises(ValueError, match=r"w\.npz: it must be a complete \.npz file"):
        audit(tmp_path / "w.npz")
    with pytest.raises(FileNotFoundError):
        audit(tmp_path / "none.npz")


def test_a_directory_and_an_index_are_audited_as_a_file_is(tmp_path):
    weights = {"a.weight": draw((40, 30)), "b.weight": np.zeros((40, 30), np.float32)}
    for number, name in enumerate(weights):
        save_file({name: weights[name]}, tmp_path / f"{number}.safetensors")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a.weight": "0.safetensors", "b.weight": "1.safetensors"}}')
    assert audit(index) == audit(str(tmp_path)) == audit(weights)


def test_errors_name_the_argument():
    w = draw((8, 8))
    with pytest.raises(ValueError, match="layout must be 'OI' or 'IO', got 'HWIO'"):
        audit(w, layout="HWIO")
    with pytest.raises(ValueError, match="layers must name parameters, got 'x', which is not one"):
        audit(w, layers={"x": "linear"})
    with pytest.raises(ValueError, match=r"layers must be of linear, conv, .*, got 'dense' for 'array'"):
        audit(w, layers={"array": "dense"})
    with pytest.raises(ValueError, match="activation must be"):
        audit(w, activation="swoosh")
    with pytest.raises(TypeError, match=r"arrays\['w'\] must be an array of numbers, got NoneType"):
        audit({"w": None})


def test_text_and_dict_say_what_was_found():
    arrays = {
        "a_name_much_longer_than_its_column_has_room.weight": draw((128, 96, 3, 3)),
        "b.weight": np.full((64, 64), np.nan, np.float32),
        "c.weight": draw((64, 64), schemes.normal(std=1e-3)),
        "o.weight": draw((64, 64), schemes.orthogonal(math.sqrt(2), layout="OI"), dtype=ml_dtypes.bfloat16),
        "n": np.arange(3),
    }
    arrays["tied.weight"] = arrays["c.weight"]
    found = audit(arrays)
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[0] == "2 findings in 5 parameters"
    assert lines[1].startswith("b.weight: non-finite: 4096 NaN")
    assert sum("linear" in line for line in lines) == 4
    assert "no findings" in str(audit(draw((8, 8))))
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [f["rule"] for f in data["findings"]] == ["non-finite", "std"]
    assert data["statistics"]["b.weight"]["mean"] is None
    assert data["statistics"]["c.weight"]["hash"] == f"{found.statistics['c.weight'].hash:016x}"
    assert data["statistics"]["o.weight"]["defect"] < 0.01
    assert data["tied"] == [["c.weight", "tied.weight"]]
    assert data["skipped"] == {"n": "of dtype int64"}
    assert "skipped, of dtype int64: n" in lines


def test_gpt2_is_read_in_a_moment():
    """A smaller GPT-2, whose std of 0.02 suits its normalization."""
    plan = fanin.plan(models.gpt2(layers=2, vocabulary=5000), recipes.gpt2(), seed=0)
    found = audit(plan.fill(), activation="gelu", layout="IO", norm=True)
    assert found.findings == ()
    assert len(found.statistics) == 28
