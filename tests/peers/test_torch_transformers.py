"""Models of transformers, built as they are: laws, constants, ties, copies and buffers as their own code has them."""

import pytest
from lazily import Peer

import fanin

torch = Peer("torch")
transformers = Peer("transformers")
recorded = Peer("recorded")
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 99,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
IMAGE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}
HEADS = {"num_key_value_heads": 2, "head_dim": 8}
PAIR = {
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "vocab_size": 99,
    "pad_token_id": 3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
SPEECH = {
    "conv_dim": (16, 16),
    "conv_stride": (5, 2),
    "conv_kernel": (10, 3),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
OLD = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 2}
MODELS = {
    "GPT2LMHeadModel": OLD | {"n_positions": 20},
    "LlamaForCausalLM": TEXT | {"num_key_value_heads": 2, "pad_token_id": 5},
    "BertForMaskedLM": TEXT,
    "RobertaForMaskedLM": TEXT | {"pad_token_id": 1},
    "ViTModel": IMAGE,
    "T5ForConditionalGeneration": {
        "d_model": 32,
        "d_ff": 48,
        "num_layers": 2,
        "num_heads": 4,
        "d_kv": 8,
        "vocab_size": 99,
    },
    "MambaForCausalLM": {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 99, "state_size": 4},
    "Mamba2ForCausalLM": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "vocab_size": 99,
        "state_size": 8,
        "num_heads": 4,
        "head_dim": 16,
        "n_groups": 2,
    },
    "CLIPModel": {"text_config": TEXT, "vision_config": IMAGE, "projection_dim": 16},
    "Qwen3MoeForCausalLM": TEXT | HEADS | {"num_experts": 4, "moe_intermediate_size": 16},
    "Gemma2ForCausalLM": TEXT | HEADS,
    "WhisperForConditionalGeneration": PAIR
    | {"max_source_positions": 20, "max_target_positions": 20, "num_mel_bins": 8},
    "DeepseekV3ForCausalLM": TEXT
    | {
        "num_key_value_heads": 4,
        "n_routed_experts": 8,
        "moe_intermediate_size": 16,
        "q_lora_rank": 8,
        "kv_lora_rank": 8,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 8,
        "v_head_dim": 8,
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
    },
    "BloomForCausalLM": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99},
    "BeitModel": IMAGE,
    "SwinModel": {
        "image_size": 32,
        "patch_size": 2,
        "embed_dim": 16,
        "depths": [1, 1],
        "num_heads": [2, 2],
        "window_size": 4,
    },
    "Qwen3NextForCausalLM": TEXT
    | HEADS
    | {
        "num_hidden_layers": 4,
        "num_experts": 4,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
        "linear_num_value_heads": 4,
        "linear_num_key_heads": 2,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
    "RwkvForCausalLM": {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 99, "attention_hidden_size": 32},
    "XLNetLMHeadModel": {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, "vocab_size": 99},
    "GptOssForCausalLM": TEXT | HEADS | {"num_local_experts": 4},
    "Wav2Vec2Model": TEXT | SPEECH,
    "ConvNextModel": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "BartForConditionalGeneration": PAIR | {"max_position_embeddings": 20},
    "OPTForCausalLM": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "ffn_dim": 48,
        "vocab_size": 99,
        "word_embed_proj_dim": 16,
        "max_position_embeddings": 20,
    },
}


COMPUTED_BY_TORCH = {  # in part, and why
    "WhisperForConditionalGeneration": "sines and cosines of positions",
    "RwkvForCausalLM": "powers of numbers that Python computes",
    "Wav2Vec2Model": "norms of slices, for weight_norm",
}


def builder(name):
    kind = getattr(transformers, name)
    config = kind.config_class(**MODELS[name])
    return lambda: kind(config)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_keeps_its_law(name):
    plan = recorded.assert_same_law(builder(name), times=4)
    foreign = [row.name for row in plan.rows if not row.scheme.is_portable]
    assert bool(foreign) == (name in COMPUTED_BY_TORCH)


def test_a_model_of_transformers_says_itself_how_it_starts():
    """So it needs no recipe, and what it drew is not drawn again by transformers."""
    build = builder("LlamaForCausalLM")
    model = build()
    plan = fanin.torch.init_(model, seed=3)
    assert plan.digest == fanin.torch.plan(build, seed=3).digest
    before = recorded.state(model)
    model.initialize_weights()
    assert all(torch.equal(before[name], tensor) for name, tensor in recorded.state(model).items())
    assert not before["model.embed_tokens.weight"][5].any()


def test_a_built_model_computes():
    model = fanin.torch.build(builder("GPT2LMHeadModel"), seed=3)
    tokens = torch.arange(12).view(1, 12)
    loss = model(tokens, labels=tokens).loss
    assert abs(float(loss) - 4.6) < 0.3  # ln 99 = 4.595: it knows nothing yet
    loss.backward()
    assert model.transformer.wte.weight.grad is model.lm_head.weight.grad


def test_the_plan_of_a_large_model_takes_no_memory_for_it():
    kind = transformers.LlamaForCausalLM
    plan = fanin.torch.plan(lambda: kind(kind.config_class()), seed=3, dtype="bfloat16")
    assert plan.size == 6_738_415_616
    assert len(plan.recipe.rules) == 12
    assert plan["model.layers.31.mlp.down_proj.weight", 0].astype("float32").std() == pytest.approx(0.02, rel=0.05)
