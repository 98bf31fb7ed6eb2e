"""Configs of transformers, made small: the models are built, with the same kinds of parameters as the whole ones."""

from __future__ import annotations

import pytest
import write_coverage
from lazily import Peer
from shrinking import smallest

transformers = Peer("transformers")
pytestmark = pytest.mark.peer

# A type of each sort: text, experts, state spaces, hybrids, encoders and decoders, images, sound, and several together.
TYPES = ["gpt2", "bert", "t5", "qwen3_moe", "deepseek_v3", "mamba2", "jamba", "gemma3_text", "gpt_oss", "modernbert"]
TYPES += ["vit", "swin", "convnext", "sam2", "whisper", "wav2vec2", "mimi", "clip", "qwen3_vl", "mllama", "bark"]


@pytest.mark.parametrize("model_type", TYPES)
def test_a_small_model_has_the_kinds_of_parameters_of_the_whole_one(model_type):
    config = write_coverage.default(model_type)
    model_class = next(write_coverage.models(model_type, type(config)))

    def build(values):
        return write_coverage.measured(model_class, type(config).from_dict(values))

    told, whole = write_coverage.measured(model_class, config)
    _, (small, model) = smallest(config.to_dict(), build)
    assert write_coverage.kinds(model) == write_coverage.kinds(whole)
    assert small["parameters"] < min(told["parameters"] / 2, 40e6)
