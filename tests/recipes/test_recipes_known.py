"""The recipes of well-known models: every parameter has its rule, and the rules draw what their sources say."""

import math

import numpy as np
import pytest
from scipy.stats import truncnorm

from fanin import recipes, schemes

ZEROS, ONES = schemes.zeros(), schemes.ones()
TRUNCATED = {cut: truncnorm(-cut, cut).std() for cut in (2, 3)}


def linear(outputs, inputs):
    return {"weight": (outputs, inputs), "bias": (outputs,)}


def norm(width):
    return {"weight": (width,), "bias": (width,)}


def named(modules):
    return {f"{module}.{kind}": shape for module, shapes in modules.items() for kind, shape in shapes.items()}


def scheme(recipe, name, shape=None):
    return recipe.rule(name, shape).scheme


def llama_model(layers):
    square, half, wide, deep = ({"weight": shape} for shape in ((64, 64), (32, 64), (128, 64), (64, 128)))
    block = {
        "self_attn.q_proj": square,
        "self_attn.k_proj": half,
        "self_attn.v_proj": half,
        "self_attn.o_proj": square,
        "mlp.gate_proj": wide,
        "mlp.up_proj": wide,
        "mlp.down_proj": deep,
        "input_layernorm": {"weight": (64,)},
        "post_attention_layernorm": {"weight": (64,)},
    }
    blocks = {f"model.layers.{layer}.{module}": shapes for layer in range(layers) for module, shapes in block.items()}
    return named({"model.embed_tokens": {"weight": (99, 64)}, **blocks, "model.norm": {"weight": (64,)}})


def test_norms_of_llama_scale_by_their_weight_or_by_one_more():
    names = ["norm", "layers.0.input_layernorm", "layers.0.self_attn.q_norm", "layers.0.post_feedforward_layernorm"]
    for name in names:
        assert recipes.llama().rule(f"model.{name}.weight").scheme == ONES
        assert recipes.llama(zero_centered=True).rule(f"model.{name}.weight").scheme == ZEROS
    for name in ("layers.0.pre_feedforward_layernorm", "vision_model.post_layernorm", "layers.0.attn_norm"):
        with pytest.raises(ValueError, match="no rule of recipe 'llama' matches"):
            recipes.llama().rule(f"model.{name}.weight")


def test_the_std_of_a_recipe_scales_all_but_norms_and_biases():
    assert recipes.gpt2(8, std=0.01).rule("h.0.attn.c_proj.weight").scheme.expected_std((1, 1)) == 0.01 / 4
    for name in ("wte.weight", "wpe.weight", "h.0.mlp.c_fc.weight", "h.0.crossattention.q_attn.weight"):
        assert recipes.gpt2(8, std=0.01).rule(name).scheme == schemes.normal(std=0.01)


@pytest.mark.parametrize(("padding", "padded"), [(0, False), (7, True), (None, True)])
def test_bert_has_its_padding_row_among_words_and_roberta_among_positions_too(padding, padded):
    recipe = recipes.bert(std=0.1, padding=padding, padded_positions=padded)
    row = schemes.embedding(0.1, padding=padding)
    assert recipe.rule("embeddings.word_embeddings.weight").scheme == row
    expected = row if padded else schemes.normal(std=0.1)
    assert recipe.rule("embeddings.position_embeddings.weight").scheme == expected
    assert recipe.rule("lm_head.dense.weight").scheme == schemes.normal(std=0.1)


@pytest.mark.parametrize("extra", [{}, {"lm_head.weight": (99, 64), "model.layers.1.self_attn.q_proj.bias": (64,)}])
def test_llama_is_normal_everywhere(extra):
    model = llama_model(12) | extra
    for name, rule in recipes.llama().match(model, strict=True).items():
        expected = ONES if "norm" in name else ZEROS if name.endswith("bias") else schemes.normal(std=0.02)
        assert rule.scheme == expected, name


def test_llama_scaled_by_depth_is_torchtitans():
    """As models/llama3/__init__.py of torchtitan, at b5bcd76c6, gives each layer its own std."""
    recipe = recipes.llama(12, depth_scaled=True)
    matched = recipe.match(llama_model(12) | {"lm_head.weight": (99, 64)}, strict=True)
    for layer in range(12):
        residual = schemes.truncated_normal(0.0, 0.02 / math.sqrt(2 * (layer + 1)), -2, 2, bounds="absolute")
        plain = schemes.truncated_normal(0.0, 0.02, -2, 2, bounds="absolute")
        for module in ("self_attn.o_proj", "mlp.up_proj", "mlp.down_proj"):
            assert matched[f"model.layers.{layer}.{module}.weight"].scheme == residual
        for module in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj"):
            assert matched[f"model.layers.{layer}.{module}.weight"].scheme == plain
    assert matched["model.embed_tokens.weight"].scheme == schemes.normal(std=1.0)
    head = matched["lm_head.weight"].scheme
    assert head.expected_std((99, 64)) == pytest.approx(TRUNCATED[3] / 8, rel=1e-12)
    assert 2.9 / 8 < abs(head((999, 64), seed=0, name="lm_head.weight")).max() <= 3 / 8 * (1 + 1e-7)
    with pytest.raises(ValueError, match=r"'model\.layers\.12\.self_attn\.o_proj\.weight'"):
        recipe.match(llama_model(13))


BERT = named(
    {
        "bert.embeddings.word_embeddings": {"weight": (99, 64)},
        "bert.embeddings.position_embeddings": {"weight": (32, 64)},
        "bert.embeddings.token_type_embeddings": {"weight": (2, 64)},
        "bert.embeddings.LayerNorm": norm(64),
        **{f"bert.encoder.layer.0.attention.self.{kind}": linear(64, 64) for kind in ("query", "key", "value")},
        "bert.encoder.layer.0.attention.output.dense": linear(64, 64),
        "bert.encoder.layer.0.attention.output.LayerNorm": norm(64),
        "bert.encoder.layer.0.intermediate.dense": linear(128, 64),
        "bert.encoder.layer.0.output.dense": linear(64, 128),
        "bert.encoder.layer.0.output.LayerNorm": norm(64),
    }
)
HEADS = named(
    {
        "bert.pooler.dense": linear(64, 64),
        "cls.predictions": {"bias": (99,)},
        "cls.predictions.transform.dense": linear(64, 64),
        "cls.predictions.transform.LayerNorm": norm(64),
        "cls.seq_relationship": linear(2, 64),
        "classifier": linear(2, 64),
        "qa_outputs": linear(2, 64),
    }
)


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("heads", [{}, HEADS])
def test_bert_is_normal_cut_at_two_std_or_not(truncated, heads):
    std = 0.02 * TRUNCATED[2] if truncated else 0.02
    matched = recipes.bert(truncated=truncated).match(BERT | heads, strict=True)
    for name, rule in matched.items():
        constant = "LayerNorm" in name or name.endswith("bias")
        shape = (BERT | heads)[name]
        if name != "bert.embeddings.word_embeddings.weight":
            assert rule.scheme.expected_std(shape) == pytest.approx(0.0 if constant else std, rel=1e-12), name
        assert rule.scheme.expected_mean(shape) == pytest.approx(float("LayerNorm.weight" in name), abs=1e-15)
    words = matched["bert.embeddings.word_embeddings.weight"].scheme((99, 64), seed=0, name="w")
    assert words[0].any() == truncated
    assert words[1:].std() == pytest.approx(std, rel=0.05)
    without = {name.removeprefix("bert."): shape for name, shape in BERT.items()}
    assert list(recipes.bert(truncated=truncated).match(without, strict=True)) == list(without)


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        (recipes.gpt2(), "lm_head.weight"),
        (recipes.gpt2(), "score.weight"),
        (recipes.llama(), "score.weight"),
        (recipes.bert(), "cls.predictions.decoder.weight"),
    ],
)
def test_what_is_not_tied_is_normal_too(recipe, name):
    assert scheme(recipe, name) == schemes.normal(std=0.02)


def test_bert_takes_the_names_of_norms_in_old_checkpoints():
    """Those of google-bert/bert-base-uncased, for one, which come from TensorFlow."""
    assert scheme(recipes.bert(), "bert.embeddings.LayerNorm.gamma") == ONES
    assert scheme(recipes.bert(), "bert.encoder.layer.0.output.LayerNorm.beta") == ZEROS


def vit_model(attention, output, up, down, block):
    return named(
        {
            "vit.embeddings": {"cls_token": (1, 1, 64), "position_embeddings": (1, 17, 64), "mask_token": (1, 1, 64)},
            "vit.embeddings.patch_embeddings.projection": {"weight": (64, 3, 16, 16), "bias": (64,)},
            **{f"vit.{block}.0.{module}": linear(64, 64) for module in (*attention, output)},
            f"vit.{block}.0.{up}": linear(128, 64),
            f"vit.{block}.0.{down}": linear(64, 128),
            f"vit.{block}.0.layernorm_before": norm(64),
            f"vit.{block}.0.layernorm_after": norm(64),
            "vit.layernorm": norm(64),
            "vit.pooler.dense": linear(64, 64),
            "classifier": linear(10, 64),
        }
    )


VITS = [
    vit_model(
        [f"attention.attention.{kind}" for kind in ("query", "key", "value")],
        "attention.output.dense",
        "intermediate.dense",
        "output.dense",
        "encoder.layer",
    ),
    vit_model([f"attention.{kind}_proj" for kind in "qkv"], "attention.o_proj", "mlp.fc1", "mlp.fc2", "layers"),
]


@pytest.mark.parametrize("model", VITS, ids=["checkpoint", "version 5"])
def test_vit_is_normal_or_the_papers(model):
    for name, rule in recipes.vit().match(model, strict=True).items():
        constant = "layernorm" in name or name.endswith(("bias", "mask_token"))
        assert rule.scheme.expected_std(model[name]) == pytest.approx(0.0 if constant else 0.02, rel=1e-12), name
        scales = "layernorm" in name and name.endswith("weight")
        assert rule.scheme.expected_mean(model[name]) == pytest.approx(float(scales), abs=1e-15)
    paper = {name: rule.scheme for name, rule in recipes.vit(paper=True).match(model, strict=True).items()}
    assert paper["classifier.weight"] == paper["vit.embeddings.cls_token"] == ZEROS
    assert paper["vit.embeddings.patch_embeddings.projection.weight"].expected_std((64, 3, 16, 16)) == 1 / math.sqrt(
        768
    )
    layer = {name: value for name, value in paper.items() if ".0." in name and "norm" not in name}
    assert sum(value == schemes.xavier_uniform(layout="OI") for value in layer.values()) == 6
    biases = {name for name, value in layer.items() if value == schemes.normal(std=1e-6)}
    assert len(biases) == 2
    assert not any("attention" in name for name in biases)


def resnet_model(depth):
    blocks, expansion = {18: ((2, 2, 2, 2), 1), 50: ((3, 4, 6, 3), 4)}[depth]
    shapes = {"conv1.weight": (64, 3, 7, 7)} | named({"bn1": norm(64)})
    inputs = 64
    for stage, count in enumerate(blocks):
        width = 64 << stage
        for block in range(count):
            at, outputs = f"layer{stage + 1}.{block}", expansion * width
            sizes = [(inputs, width, 3), (width, width, 3)]
            if expansion == 4:
                sizes = [(inputs, width, 1), (width, width, 3), (width, outputs, 1)]
            for number, (ins, outs, k) in enumerate(sizes, 1):
                shapes |= {f"{at}.conv{number}.weight": (outs, ins, k, k)} | named({f"{at}.bn{number}": norm(outs)})
            if inputs != outputs:
                shapes[f"{at}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                shapes |= named({f"{at}.downsample.1": norm(outputs)})
            inputs = outputs
    return shapes | named({"fc": linear(1000, inputs)})


@pytest.mark.parametrize(("depth", "count", "size"), [(18, 62, 11_689_512), (50, 161, 25_557_032)])
@pytest.mark.parametrize("zero", [True, False])
def test_resnet_is_he_normal_and_each_block_starts_at_zero(depth, count, size, zero):
    model = resnet_model(depth)
    assert (len(model), sum(map(math.prod, model.values()))) == (count, size)  # torchvision's own numbers
    recipe = recipes.resnet(depth, zero_init_residual=zero)
    matched = recipe.match(model, strict=True)
    last = "bn2" if depth == 18 else "bn3"
    for name, rule in matched.items():
        shape = model[name]
        if len(shape) == 4:
            assert rule.scheme.expected_std(shape) == pytest.approx(
                math.sqrt(2 / (shape[0] * shape[2] * shape[3])), rel=1e-14
            )
        elif not name.startswith("fc"):
            scales = name.endswith("weight") and not (zero and f".{last}." in name)
            assert rule.scheme == (ONES if scales else ZEROS), name
    inputs = model["fc.weight"][1]
    for name in ("fc.weight", "fc.bias"):
        assert matched[name].scheme.expected_std(model[name]) == pytest.approx(1 / math.sqrt(3 * inputs), rel=1e-14)
    assert scheme(recipe, "layer1.0.bn1.running_var") == ONES
    assert scheme(recipe, "layer1.0.downsample.1.running_mean") == ZEROS


@pytest.mark.parametrize("prefix", ["module.", "model.backbone."])
def test_a_resnet_may_be_part_of_another_module(prefix):
    model = {prefix + name: shape for name, shape in resnet_model(18).items()}
    plain = recipes.resnet(18).match(resnet_model(18))
    matched = recipes.resnet(18).match(model, strict=True)
    assert [rule.pattern for rule in matched.values()] == [rule.pattern for rule in plain.values()]


def test_a_resnet_of_other_blocks_has_parameters_without_a_rule():
    with pytest.raises(ValueError, match=r"'layer1\.0\.conv3\.weight'"):
        recipes.resnet(34).match(resnet_model(50))
    with pytest.raises(ValueError, match=r"'fc\.weight'"):
        recipes.resnet(50).match(resnet_model(18))
    with pytest.raises(ValueError, match="depth must be one of 18, 34, 50, 101, 152, got 51"):
        recipes.resnet(51)
    assert scheme(recipes.resnet(features=64), "fc.bias").expected_std(9) == pytest.approx(
        1 / math.sqrt(192), rel=1e-14
    )


def test_lstm_lm_has_orthogonal_gates_and_an_open_forget_gate():
    recurrent = {"weight_ih": (128, 32), "weight_hh": (128, 32), "bias_ih": (128,), "bias_hh": (128,)}
    model = {f"rnn.{kind}_l{layer}": shape for kind, shape in recurrent.items() for layer in (0, 1)}
    model |= {"encoder.weight": (99, 32), "decoder.weight": (99, 32), "decoder.bias": (99,)}
    matched = recipes.lstm_lm().match(model, strict=True)
    drawn = {name: rule.scheme(model[name], seed=0, name=name) for name, rule in matched.items()}
    for gate in np.split(drawn["rnn.weight_hh_l1"], 4):
        assert np.allclose(gate @ gate.T, np.eye(32), atol=1e-6)
    assert drawn["rnn.weight_ih_l0"].std() == pytest.approx(math.sqrt(2 / 64), rel=0.05)
    total = drawn["rnn.bias_ih_l1"] + drawn["rnn.bias_hh_l1"]
    assert (total.reshape(4, 32) == [[0], [1], [0], [0]]).all()
    assert abs(drawn["encoder.weight"]).max() == pytest.approx(0.1, rel=0.01)
    tied = {name: shape for name, shape in model.items() if name != "decoder.weight"}
    assert list(recipes.lstm_lm().match(tied, strict=True)) == list(tied)


@pytest.mark.parametrize("prefix", ["", "model."])
def test_deepnorm_scales_each_stack_by_its_own(prefix):
    """β of table 1: 0.87·(N⁴M)^(-1/16) in the encoder and (12M)^(-1/4) in the decoder."""
    recipe = recipes.deepnorm(6, 12)
    for stack, attentions, beta in (
        ("encoder", ["self_attn"], 0.87 * (6**4 * 12) ** (-1 / 16)),
        ("decoder", ["self_attn", "encoder_attn"], (12 * 12) ** (-1 / 4)),
    ):
        at = f"{prefix}{stack}.layers.3."
        for module in ("fc1", "ffn.fc2", *(f"{attn}.{kind}_proj" for attn in attentions for kind in ("v", "out"))):
            assert scheme(recipe, f"{at}{module}.weight").gain == pytest.approx(beta, rel=1e-14)
        for module in (f"{attn}.{kind}_proj" for attn in attentions for kind in "qk"):
            assert scheme(recipe, f"{at}{module}.weight") == schemes.xavier_normal(layout="OI")
        assert scheme(recipe, f"{at}final_layer_norm.weight") == ONES
        assert scheme(recipe, f"{at}self_attn.q_proj.bias") == scheme(recipe, f"{at}final_layer_norm.bias") == ZEROS
    assert scheme(recipe, f"{prefix}decoder.embed_tokens.weight").expected_std((99, 64)) == 1 / 8


@pytest.mark.parametrize("layers", [(0, 7), (7, 0)])
def test_deepnorm_of_a_single_stack_needs_no_name_for_it(layers):
    for name in ("layers.0.fc1.weight", "model.decoder.layers.0.self_attn.out_proj.weight"):
        assert scheme(recipes.deepnorm(*layers), name).gain == pytest.approx((8 * 7) ** (-1 / 4), rel=1e-14)


def test_mup_is_gpt2_at_the_base_width_and_smaller_in_the_hidden_weights_of_wider_ones():
    recipe, plain = recipes.mup(), recipes.gpt2()
    for width, factor in ((256, 1.0), (1024, 0.5)):
        for name, shape in {
            "wte.weight": (50257, width),
            "h.11.attn.c_attn.weight": (width, 3 * width),
            "h.0.mlp.c_proj.weight": (4 * width, width),
            "h.0.mlp.c_fc.bias": (4 * width,),
            "ln_f.weight": (width,),
        }.items():
            hidden = factor if name.endswith(("attn.weight", "proj.weight")) else 1.0
            assert scheme(recipe, name, shape).expected_std(shape) == hidden * scheme(plain, name).expected_std(shape)
            assert scheme(recipe, name, shape).expected_mean(shape) == scheme(plain, name).expected_mean(shape)


def test_mup_of_another_recipe():
    base = resnet_model(18)
    recipe = recipes.mup(recipes.resnet(18), base)
    fixed = (3, 1000)  # colours and classes
    wide = {name: (*(n if n in fixed else 2 * n for n in shape[:2]), *shape[2:]) for name, shape in base.items()}
    assert list(recipe.match(wide, strict=True)) == list(base)
    shape = (256, 128, 3, 3)
    assert scheme(recipe, "layer2.0.conv1.weight", shape).expected_std(shape) == pytest.approx(
        schemes.he_normal(layout="OI", mode="fan_out").expected_std((128, 64, 3, 3)) / math.sqrt(2), rel=1e-14
    )
    with pytest.raises(ValueError, match="recipe and base must be given together"):
        recipes.mup(recipes.gpt2())


def test_torch_default_reads_bounds_from_the_model():
    model = {
        "0.weight": (8, 3),
        "0.bias": (8,),
        "2.weight": (4, 8, 5),
        "2.bias": (4,),
        "3.weight": (4,),
        "3.bias": (4,),
    }
    model |= {f"block.{i}.fc.{kind}": shape for i in range(3) for kind, shape in linear(6, 5).items()}
    model |= {"rnn.weight_ih_l0": (28, 3), "rnn.weight_hh_l0": (28, 7), "rnn.bias_hh_l0": (28,), "cell.bias_ih": (3,)}
    model |= {"cell.weight_hh": (3, 3), "p.weight_hr_l0": (2, 9), "p.weight_hh_l0": (36, 2)}
    model |= {
        "a.in_proj_weight": (24, 8),
        "a.in_proj_bias": (24,),
        "a.out_proj.weight": (8, 8),
        "a.out_proj.bias": (8,),
    }
    model |= {"tok_emb.weight": (9, 4), "bn.running_mean": (4,), "bn.running_var": (4,)}
    recipe = recipes.torch_default(model)
    matched = recipe.match(model, strict=True)
    fans = {"0": 3, "2": 40, "block.1.fc": 5, "rnn": 7, "cell": 3, "p": 9, "a.out_proj": 8}
    constants = {"3.weight": 1, "3.bias": 0, "a.in_proj_bias": 0, "a.out_proj.bias": 0, "bn.running_mean": 0}
    for name, rule in matched.items():
        fan = fans.get(name.rpartition(".")[0])
        if name in constants:
            assert rule.scheme == schemes.constant(constants[name]), name
        elif fan:
            assert rule.scheme.expected_std(model[name]) == pytest.approx(1 / math.sqrt(3 * fan), rel=1e-14), name
    assert matched["a.in_proj_weight"].scheme.expected_std((24, 8)) == math.sqrt(2 / 32)
    assert matched["tok_emb.weight"].scheme == schemes.normal()
    assert matched["bn.running_var"].scheme == ONES
    assert len({rule for name, rule in matched.items() if name.startswith("block")}) == 2
    biases = {name: (4,) for name in model if name.endswith("bias")}
    with pytest.raises(
        ValueError, match=r"matches 7 parameters: '0\.bias', '2\.bias', '3\.bias', 'block\.0\.fc\.bias', "
    ):
        recipes.torch_default().match(biases)


def test_torch_default_without_the_model_knows_norms_by_name():
    recipe = recipes.torch_default(embeddings=["encoder.weight"])
    for name in ("h.0.ln_1.bias", "bn1.bias", "ln.bias", "a.LayerNorm.bias", "batchnorm2d.bias", "q_norm.bias"):
        assert scheme(recipe, name, (8,)) == ZEROS
    for name in ("kiln.bias", "fc.bias", "walnut.bias"):
        with pytest.raises(ValueError, match=name):
            recipe.rule(name, (8,))
    assert scheme(recipe, "encoder.weight", (9, 8)) == schemes.normal()
    assert scheme(recipe, "tok_emb.weight", (9, 8)).expected_std((9, 8)) == pytest.approx(1 / math.sqrt(24), rel=1e-14)
