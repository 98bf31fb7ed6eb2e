"""Writes tests/corpus/: saved plans, and a digest of what each of their parameters was when the plan was saved.

    python tests/make_corpus.py

Whoever saved a plan must get the same bytes from it for ever, so a file that exists is never replaced. A recipe that
has changed, or a new one, is saved under another name.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import fanin
from fanin import recipes, schemes
from fanin.models.bert import bert_shapes
from fanin.models.gpt import gpt2_shapes
from fanin.models.llama import llama_lm_shapes, llama_shapes
from fanin.models.lstm import lstm_lm_shapes
from fanin.models.vision import resnet_shapes, vit_classifier_shapes, vit_shapes

CORPUS = Path(__file__).parent / "corpus"
SEED = 0x243F6A8885A308D3
OI = {"layout": "OI"}

GPT2 = gpt2_shapes(layers=2, width=16, vocabulary=40, positions=12)
MODELS: dict[str, tuple[Any, dict[str, tuple[int, ...]]]] = {
    "gpt2": (recipes.gpt2(2), GPT2),
    "llama": (
        recipes.llama(2),
        llama_lm_shapes(llama_shapes(layers=2, width=16, heads=4, feed_forward=24, vocabulary=40)),
    ),
    "llama-depth-scaled": (
        recipes.llama(2, depth_scaled=True),
        llama_lm_shapes(llama_shapes(layers=2, width=16, heads=4, feed_forward=24, vocabulary=40)),
    ),
    "bert": (recipes.bert(), bert_shapes(layers=2, width=16, feed_forward=24, vocabulary=40, positions=12)),
    "vit-5": (  # by the names of transformers 5; those of the plan "vit" are older
        recipes.vit(),
        vit_classifier_shapes(vit_shapes(layers=2, width=16, feed_forward=24, image=(8, 8), patch=(4, 4)), classes=10),
    ),
    "resnet": (recipes.resnet(50, features=128), resnet_shapes(blocks=(1, 1, 1, 1), width=4, classes=10)),
    "lstm-lm": (recipes.lstm_lm(), lstm_lm_shapes(layers=2, width=16, vocabulary=40)),
    "mup": (recipes.mup(recipes.gpt2(2), gpt2_shapes(layers=2, width=8, vocabulary=40, positions=12)), GPT2),
    "deepnorm": (
        recipes.deepnorm(0, 2),
        {
            f"layers.{layer}.{name}.{kind}": ((16, 16) if kind == "weight" else (16,))
            for layer in (0, 1)
            for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj", "fc1", "fc2")
            for kind in ("weight", "bias")
        }
        | {f"layers.{layer}.final_layer_norm.{kind}": (16,) for layer in (0, 1) for kind in ("weight", "bias")},
    ),
}

# name: (scheme, shape)
SCHEMES: dict[str, tuple[schemes.Scheme, tuple[int, ...]]] = {
    "constant": (schemes.constant(0.3), (5,)),
    "uniform": (schemes.uniform(-0.5, 2.0), (7, 9)),
    "normal": (schemes.normal(0.1, 0.5), (7, 9)),
    "truncated_normal": (schemes.truncated_normal(0.1, 0.5, -1.0, 2.0), (7, 9)),
    "truncated_normal, absolute": (schemes.truncated_normal(0.0, 0.5, -0.4, 2.0, bounds="absolute"), (7, 9)),
    "he_normal": (schemes.he_normal(activation=("leaky_relu", 0.2), **OI), (12, 5, 3)),
    "he_uniform": (schemes.he_uniform(mode="fan_out", activation="gelu", layout="HWIO"), (3, 3, 4, 6)),
    "xavier_normal": (schemes.xavier_normal(truncate=2.0, layout="IO"), (12, 5)),
    "xavier_uniform": (schemes.xavier_uniform(blocks=(4, 1, 2), **OI), (7, 5)),
    "lecun_normal": (schemes.lecun_normal(convention="keras"), (12, 5)),
    "orthogonal": (schemes.orthogonal(blocks=2, **OI), (12, 5)),
    "orthogonal, batched": (schemes.orthogonal(activation="relu", layout="BOI"), (3, 4, 5)),
    "haar": (schemes.haar(special=True), (3, 4, 4)),
    "delta_orthogonal": (schemes.delta_orthogonal(**OI), (6, 4, 3)),
    "identity": (schemes.identity(0.5), (4, 5)),
    "dirac": (schemes.dirac(2.0, groups=2, **OI), (8, 4, 3)),
    "sparse": (schemes.sparse(0.5, nonzeros=3, **OI), (8, 9)),
    "siren": (schemes.siren(**OI), (8, 9)),
    "siren_first": (schemes.siren(first=True, **OI), (8, 2)),
    "embedding": (schemes.embedding(padding=1), (5, 4)),
    "scaled_residual": (schemes.scaled_residual(layers=12), (6, 6)),
    "torchtitan_residual": (schemes.torchtitan_residual(layer=3), (6, 6)),
    "deepnorm": (schemes.deepnorm(6, 6, **OI), (6, 6)),
    "fixup": (schemes.fixup(blocks=8, **OI), (6, 6)),
    "t_fixup": (schemes.t_fixup(layers=6, **OI), (6, 6)),
    "t_fixup_embedding": (schemes.t_fixup_embedding(layers=6), (9, 6)),
    "layer_scale": (schemes.layer_scale(layers=24), (6,)),
    "prior_probability": (schemes.prior_probability(0.01), (6,)),
    "lstm_bias": (schemes.lstm_bias(1.0, schemes.uniform(-0.1, 0.1)), (12,)),
    "gru_bias": (schemes.gru_bias(), (9,)),
    "mamba_step_bias": (schemes.mamba_step_bias(), (30,)),
    "mamba_log_range": (schemes.mamba_log_range(), (3, 8)),
    "sinusoid": (schemes.sinusoid(), (6, 8)),
    "mup": (schemes.mup(schemes.he_normal(**OI), (6, 6)), (12, 24)),
    "concatenate": (schemes.concatenate([schemes.normal(), schemes.zeros(), schemes.he_uniform(**OI)]), (9, 4)),
    "scaled": (0.3 * schemes.normal(std=0.1), (7, 9)),
}
DTYPES = ("float32", "float64", "float16", "bfloat16")


def plans() -> dict[str, fanin.Plan]:
    """The plans by the name of their file."""
    found = {name: fanin.plan(shapes, recipe, seed=SEED) for name, (recipe, shapes) in MODELS.items()}
    rules = [recipes.Rule(name, scheme) for name, (scheme, _) in SCHEMES.items()]
    shapes = {name: shape for name, (_, shape) in SCHEMES.items()}
    for dtype in DTYPES:
        found[f"schemes-{dtype}"] = fanin.plan(shapes, recipes.Recipe("schemes", rules), seed=SEED, dtype=dtype)
    return found


def digests(plan: fanin.Plan) -> dict[str, str]:
    """Of the bytes of every parameter."""
    return {row.name: hashlib.blake2b(plan[row.name].tobytes(), digest_size=8).hexdigest() for row in plan.rows}


def main() -> None:
    CORPUS.mkdir(exist_ok=True)
    for name, plan in plans().items():
        path = CORPUS / f"{name}.json"
        if path.exists():
            print(f"{path} exists and is kept: a saved plan draws the same for ever")
            continue
        data = {"plan": plan.to_dict(), "recipe_digest": plan.recipe.digest, "digests": digests(plan)}
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
