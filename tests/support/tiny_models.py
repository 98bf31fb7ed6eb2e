"""Tiny configs of well-known types of transformers, and inputs for their models."""

import torch

_TEXT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 60}
_LLAMA = {**_TEXT, "intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0}
_TOKENS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}
_IMAGE = {**_TEXT, "intermediate_size": 48, "image_size": 32, "patch_size": 8}
_SPEECH = {
    **{"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 30},
    **{"conv_dim": [16, 16], "conv_stride": [5, 2], "conv_kernel": [10, 3], "num_feat_extract_layers": 2},
    **{"num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0},
}
_CLIP = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}

# The values of a config.json by the class of the model.
TINY = {
    "GPT2LMHeadModel": {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 60, "n_positions": 32, **_TOKENS},
    "LlamaForCausalLM": {**_LLAMA, **_TOKENS},
    "Gemma2ForCausalLM": {**_LLAMA, **_TOKENS, "tie_word_embeddings": True},
    "Qwen3MoeForCausalLM": {**_LLAMA, **_TOKENS, **_EXPERTS},
    "GptOssForCausalLM": {**_LLAMA, **_TOKENS, **_EXPERTS},
    "DeepseekV3ForCausalLM": {
        **{**_LLAMA, **_TOKENS, "num_key_value_heads": 4, "n_routed_experts": 4, "n_shared_experts": 1, "n_group": 2},
        **{"topk_group": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "first_k_dense_replace": 1},
        **{"kv_lora_rank": 8, "q_lora_rank": 8, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8},
    },
    "BertForMaskedLM": {**_TEXT, "intermediate_size": 48, "max_position_embeddings": 32},
    "RobertaForMaskedLM": {**_TEXT, "intermediate_size": 48, "max_position_embeddings": 32},
    "T5ForConditionalGeneration": {
        **{"d_model": 32, "d_ff": 48, "d_kv": 8, "num_layers": 2, "num_heads": 4, "vocab_size": 60},
        **{"decoder_start_token_id": 0},
    },
    "BloomForCausalLM": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 60, **_TOKENS},
    "GPTNeoXForCausalLM": {**_TEXT, "intermediate_size": 48, "max_position_embeddings": 32, **_TOKENS},
    "MambaForCausalLM": {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "vocab_size": 60, **_TOKENS},
    "Mamba2ForCausalLM": {
        **{"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "vocab_size": 60, **_TOKENS},
        **{"num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 8},
    },
    "JambaForCausalLM": {
        **{**_LLAMA, **_TOKENS, "num_experts": 2, "num_experts_per_tok": 1, "use_mamba_kernels": False},
        **{"attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4, "mamba_dt_rank": 4},
    },
    "RwkvForCausalLM": {"hidden_size": 32, "attention_hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 60},
    "ViTForImageClassification": _IMAGE,
    "BeitForImageClassification": {**_IMAGE, "use_relative_position_bias": True},
    "SwinForImageClassification": {
        **{"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 4], "window_size": 4}
    },
    "ConvNextForImageClassification": {
        **{"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "image_size": 64, "num_labels": 3}
    },
    "CLIPModel": {
        **{"text_config": {**_CLIP, "vocab_size": 60, "max_position_embeddings": 16, **_TOKENS}},
        **{"vision_config": {**_CLIP, "image_size": 32, "patch_size": 8}, "projection_dim": 16},
    },
    "WhisperForConditionalGeneration": {
        **{"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 4, "vocab_size": 60},
        **{"decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "num_mel_bins": 8, **_TOKENS},
        **{"max_source_positions": 16, "max_target_positions": 16, "decoder_start_token_id": 3},
    },
    "Wav2Vec2ForCTC": {**_SPEECH, **_TOKENS},
}


def inputs(model):
    """Return inputs for a model, by name."""
    config, generator = model.config, torch.Generator().manual_seed(0)
    tokens = torch.randint(3, 30, (2, 8), generator=generator)
    name = model.main_input_name
    if name == "input_ids":
        given = {"input_ids": tokens}
    elif name == "pixel_values":
        side = config.image_size if hasattr(config, "image_size") else config.vision_config.image_size
        given = {name: torch.randn((2, 3, side, side), generator=generator)}
    elif name == "input_features":
        given = {name: torch.randn((2, config.num_mel_bins, 32), generator=generator)}
    else:
        given = {name: torch.randn((2, 400), generator=generator)}
    if config.is_encoder_decoder:
        given["decoder_input_ids"] = tokens
    if type(model).__name__ == "CLIPModel":
        given |= {"input_ids": tokens, "pixel_values": torch.randn((2, 3, 32, 32), generator=generator)}
    return given
