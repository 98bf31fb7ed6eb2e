"""List names and shapes of ResNet (He et al., 2016) and the vision transformer (Dosovitskiy et al., 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .shapes import Shapes, joined, linear, norm, within


def resnet_shapes(*, blocks: Sequence[int] = (3, 4, 6, 3), width: int = 64, classes: int = 1000) -> Shapes:
    """List names and shapes of torchvision's ResNet with bottleneck blocks, by default resnet50.

    The running statistics and counters of its batch norms are not parameters.

    Parameters
    ----------
    blocks : sequence of int
        The number of blocks in each stage; a stage has twice the channels of the one before.
    width : int
        The number of channels in the first stage.
    classes : int
        The number of outputs.

    Examples
    --------
    >>> resnet_shapes()["layer4.0.downsample.0.weight"]
    (2048, 1024, 1, 1)
    """
    modules: dict[str, Shapes] = {"conv1": {"weight": (width, 3, 7, 7)}, "bn1": norm(width)}
    channels = width
    for stage, count in enumerate(blocks):
        inner = width << stage
        for block in range(count):
            name = f"layer{stage + 1}.{block}"
            modules |= {
                f"{name}.conv1": {"weight": (inner, channels, 1, 1)},
                f"{name}.bn1": norm(inner),
                f"{name}.conv2": {"weight": (inner, inner, 3, 3)},
                f"{name}.bn2": norm(inner),
                f"{name}.conv3": {"weight": (4 * inner, inner, 1, 1)},
                f"{name}.bn3": norm(4 * inner),
            }
            if block == 0:
                modules[f"{name}.downsample.0"] = {"weight": (4 * inner, channels, 1, 1)}
                modules[f"{name}.downsample.1"] = norm(4 * inner)
            channels = 4 * inner
    return joined({**modules, "fc": linear(channels, classes)})


def vit_shapes(
    *,
    layers: int = 12,
    width: int = 768,
    feed_forward: int = 3072,
    image: tuple[int, int] = (224, 224),
    patch: tuple[int, int] = (16, 16),
    channels: int = 3,
    input_bias: bool = True,
    mask: bool = False,
    pooler: int | None = None,
) -> Shapes:
    """List names and shapes of Hugging Face's ViTModel, as transformers 5 has them in memory.

    Its checkpoints have other names, those of transformers 4, and it reads both.

    Parameters
    ----------
    layers, width, feed_forward : int
        The numbers of blocks, channels, and channels within the feed-forward network.
    image, patch : tuple of int
        The height and width of an image, and of a patch, in pixels.
    channels : int
        The number of color channels.
    input_bias : bool
        Whether queries, keys and values have biases.
    mask : bool
        Whether there is a token for patches that are masked.
    pooler : int, optional
        The number of outputs of the pooler, a layer on the class token. Default: there is none.

    Examples
    --------
    >>> vit_shapes()["embeddings.position_embeddings"]
    (1, 197, 768)
    """
    block = joined(
        {
            "attention.q_proj": linear(width, width, bias=input_bias),
            "attention.k_proj": linear(width, width, bias=input_bias),
            "attention.v_proj": linear(width, width, bias=input_bias),
            "attention.o_proj": linear(width, width),
            "layernorm_before": norm(width),
            "layernorm_after": norm(width),
            "mlp.fc1": linear(width, feed_forward),
            "mlp.fc2": linear(feed_forward, width),
        }
    )
    token = (1, 1, width)
    patches = math.prod(side // part for side, part in zip(image, patch, strict=True))
    return joined(
        {
            "embeddings": {
                "cls_token": token,
                **({"mask_token": token} if mask else {}),
                "position_embeddings": (1, patches + 1, width),
                "patch_embeddings.projection.weight": (width, channels, *patch),
                "patch_embeddings.projection.bias": (width,),
            },
            **{f"layers.{layer}": block for layer in range(layers)},
            "layernorm": norm(width),
            **({"pooler.dense": linear(width, pooler)} if pooler else {}),
        }
    )


def vit_classifier_shapes(base: Shapes, *, classes: int = 1000) -> Shapes:
    """Extend what `vit_shapes` lists to ViTForImageClassification, with so many classes; without any, no classifier.

    Examples
    --------
    >>> vit_classifier_shapes(vit_shapes(layers=0))["classifier.weight"]
    (1000, 768)
    """
    (width,) = base["layernorm.weight"]
    return {**within("vit", base), **(within("classifier", linear(width, classes)) if classes else {})}
