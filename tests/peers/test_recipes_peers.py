"""What transformers, torchvision's rules and torch start a model from, and what the recipes say that they do."""

import json
import math

import pytest
from lazily import Peer

from fanin import recipes, schemes
from fanin.models import parameters

torch, transformers = Peer("torch"), Peer("transformers")
pytestmark = pytest.mark.peer

ERRORS = 6  # standard errors of mean and std that may be apart: p < 2e-9 each, for a normal


def assert_the_same(model, recipe, rename=lambda name: name):
    """Every parameter has its rule: constants exactly, mean and std of the rest; and every rule its parameter."""
    tensors = {rename(name): tensor.detach().double() for name, tensor in model.named_parameters()}
    matched = recipe.match({name: tuple(tensor.shape) for name, tensor in tensors.items()}, strict=True)
    for name, tensor in tensors.items():
        scheme, shape = matched[name].scheme, tuple(tensor.shape)
        mean, std = scheme.expected_mean(shape), scheme.expected_std(shape)
        if isinstance(scheme, schemes.Constant):
            assert (tensor == mean).all(), name
            continue
        error = ERRORS * std / math.sqrt(tensor.numel())
        assert abs(tensor.mean().item() - mean) <= error, name
        assert abs(tensor.std(correction=0).item() - std) <= error / math.sqrt(2), name
        if isinstance(scheme, schemes.Padded):
            assert not tensor[scheme.row].any(), name
    return tensors, matched


@pytest.mark.parametrize("tied", [True, False])
def test_gpt2_is_that_of_transformers(tied):
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_layer=3, n_embd=192, n_head=4, vocab_size=2000, n_positions=256, bos_token_id=0, eos_token_id=0
    )
    config.tie_word_embeddings = tied
    assert_the_same(transformers.GPT2LMHeadModel(config), recipes.gpt2(3))


@pytest.mark.parametrize("kind", ["LlamaModel", "LlamaForCausalLM"])
@pytest.mark.parametrize("bias", [False, True])
def test_llama_is_that_of_transformers(kind, bias):
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=2000,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=256,
        attention_bias=bias,
        mlp_bias=bias,
        pad_token_id=5 if bias else None,
    )
    model = getattr(transformers, kind)(config)
    assert_the_same(model, recipes.llama(padding=5 if bias else None))


@pytest.mark.parametrize("family", ["Mistral", "Qwen2"])
def test_relatives_of_llama_start_by_its_recipe(family):
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SMALL | {"vocab_size": 2000, "num_key_value_heads": 2})
    assert_the_same(getattr(transformers, f"{family}ForCausalLM")(config), recipes.llama())


@pytest.mark.parametrize(
    "kind",
    ["BertModel", "BertForPreTraining", "BertForMaskedLM", "BertForSequenceClassification", "BertForQuestionAnswering"],
)
def test_bert_is_that_of_transformers(kind):
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=2000,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=96,
    )
    assert_the_same(getattr(transformers, kind)(config), recipes.bert())


SMALL = {
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 99,
}
TASKS = ("Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")
ARCHITECTURES = [
    *(f"{family}{task}" for family in ("Llama", "Mistral", "Qwen2") for task in TASKS),
    *(
        f"Bert{task}"
        for task in ("ForMaskedLM", "LMHeadModel", "ForMultipleChoice", "ForNextSentencePrediction", *TASKS[2:])
    ),
    *(f"GPT2{task}" for task in ("LMHeadModel", *TASKS[2:])),
    *(f"ViT{task}" for task in ("Model", "ForImageClassification")),
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("tied", [False, True])
def test_the_recipe_that_suits_a_config_has_a_rule_for_every_parameter(architecture, tied, tmp_path):
    """By the names of config.json, and by those of the state_dict."""
    build = getattr(transformers, architecture)
    gpt2 = {"n_layer": 2, "n_embd": 48, "n_head": 4} if architecture.startswith("GPT2") else SMALL
    with torch.device("meta"):
        model = build(build.config_class(**gpt2, tie_word_embeddings=tied))
    (tmp_path / "config.json").write_text(json.dumps({**model.config.to_dict(), "architectures": [architecture]}))
    described, held = parameters(tmp_path / "config.json"), parameters(model.state_dict())
    recipe = recipes.resolve(None, described)
    assert len(recipe.match(described, strict=True)) == len(described) > 10
    assert len(recipes.resolve(described.family, held).match(held, strict=True)) == len(held)


VIT = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}


@pytest.mark.parametrize("kind", ["ViTModel", "ViTForImageClassification"])
def test_vit_is_that_of_transformers(kind):
    torch.manual_seed(0)
    config = transformers.ViTConfig(**VIT, image_size=64, num_labels=20)
    assert_the_same(getattr(transformers, kind)(config), recipes.vit())


def test_vit_by_the_names_of_its_checkpoint(tmp_path):
    """They are not those of the model, from version 5 on."""
    from safetensors import safe_open

    transformers.ViTForImageClassification(transformers.ViTConfig(**VIT)).save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    assert any(name.startswith("vit.encoder.layer.1.attention.attention.query") for name in shapes)
    for recipe in (recipes.vit(), recipes.vit(paper=True)):
        assert list(recipe.match(shapes, strict=True)) == list(shapes)


@pytest.mark.parametrize(("depth", "kind"), [(18, "basic"), (50, "bottleneck")])
def test_resnet_is_that_of_torchvision(depth, kind):
    """transformers starts its own from what torchvision does, by other names."""
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        layer_type=kind, depths=[2, 2, 1, 1], hidden_sizes=[64, 128, 256, 512], embedding_size=64, num_labels=100
    )
    model = transformers.ResNetForImageClassification(config)
    assert_the_same(model, recipes.resnet(depth, zero_init_residual=False, features=512), torchvision_name)


def torchvision_name(name):
    *path, module, kind = name.removeprefix("resnet.").split(".")
    norm = module == "normalization"
    if path[0] == "embedder":
        return f"{'bn1' if norm else 'conv1'}.{kind}"
    if path[0] == "classifier" or module == "1":
        return f"fc.{kind}"
    block = f"layer{int(path[2]) + 1}.{path[4]}"
    if path[5] == "shortcut":
        return f"{block}.downsample.{int(norm)}.{kind}"
    return f"{block}.{'bn' if norm else 'conv'}{int(path[6]) + 1}.{kind}"


def test_torch_default_is_what_its_modules_start_from():
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.ModuleDict(
        {
            "tok_emb": nn.Embedding(500, 64),
            "stem": nn.Sequential(nn.Conv2d(16, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3, groups=8), nn.ReLU()),
            "up": nn.ConvTranspose2d(64, 32, 3),
            "sequence": nn.Conv1d(64, 128, 5, bias=False),
            "group": nn.GroupNorm(4, 64),
            "layers": nn.ModuleList([nn.TransformerEncoderLayer(64, 4, 256, batch_first=True) for _ in range(3)]),
            "rms": nn.RMSNorm(64),
            "lstm": nn.LSTM(64, 96, 2, bidirectional=True),
            "projected": nn.LSTM(64, 96, proj_size=32),
            "gru": nn.GRU(64, 80),
            "cell": nn.RNNCell(64, 128),
            "cross": nn.MultiheadAttention(64, 4, kdim=32, vdim=48),
            "head": nn.Linear(64, 1000),
        }
    )
    tensors, matched = assert_the_same(model, recipes.torch_default(dict(shapes(model))))
    uniform = [name for name, rule in matched.items() if isinstance(rule.scheme, schemes.Uniform)]
    assert len(uniform) == 39  # biases, and all of the recurrent layers
    for name in uniform:
        assert tensors[name].abs().max() <= matched[name].scheme.high * (1 + 1e-7), name


def shapes(model):
    for name, parameter in model.named_parameters():
        yield name, tuple(parameter.shape)


def test_deepnorm_by_the_names_of_bart():
    """Names only: BART itself is started from another distribution."""
    config = transformers.BartConfig(
        vocab_size=100, d_model=64, encoder_layers=2, decoder_layers=3, encoder_ffn_dim=64, decoder_ffn_dim=64
    )
    with torch.device("meta"):
        model = transformers.BartForConditionalGeneration(config)
    matched = recipes.deepnorm(2, 3).match(dict(shapes(model)), strict=True)
    roles = [rule.role for rule in matched.values()]
    assert (roles.count("scaled, encoder"), roles.count("scaled, decoder")) == (2 * 4, 3 * 6)
    assert roles.count("queries and keys") == 2 * 2 + 3 * 4


def test_lstm_lm_by_the_names_of_torch():
    """Names only: torch starts recurrent layers from the uniform distribution."""
    with torch.device("meta"):
        nn = torch.nn
        model = nn.ModuleDict(
            {"encoder": nn.Embedding(99, 64), "rnn": nn.LSTM(64, 64, 2), "decoder": nn.Linear(64, 99)}
        )
    assert recipes.lstm_lm().match(dict(shapes(model)), strict=True).keys() == dict(shapes(model)).keys()
