"""List names and shapes of ResNet (He et al., 2016) and the vision transformer (Dosovitskiy et al., 2021)."""

from __future__ import annotations

from collections.abc import Sequence

from .shapes import Shapes, joined, linear, norm


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
    image: int = 224,
    patch: int = 16,
    channels: int = 3,
    classes: int = 1000,
    input_bias: bool = True,
) -> Shapes:
    """List names and shapes of Hugging Face's ViTForImageClassification, by default google/vit-base-patch16-224.

    The names are those of its checkpoints. transformers 5 has others in memory, and still reads and writes these.

    Parameters
    ----------
    layers, width, feed_forward : int
        The numbers of blocks, channels, and channels within the feed-forward network.
    image, patch, channels, classes : int
        The sides of an image and of a patch in pixels, and the numbers of color channels and outputs.
    input_bias : bool
        Whether queries, keys and values have biases.

    Examples
    --------
    >>> vit_shapes()["vit.embeddings.position_embeddings"]
    (1, 197, 768)
    """
    block = joined(
        {
            "attention.attention.query": linear(width, width, bias=input_bias),
            "attention.attention.key": linear(width, width, bias=input_bias),
            "attention.attention.value": linear(width, width, bias=input_bias),
            "attention.output.dense": linear(width, width),
            "intermediate.dense": linear(width, feed_forward),
            "output.dense": linear(feed_forward, width),
            "layernorm_before": norm(width),
            "layernorm_after": norm(width),
        }
    )
    embeddings: Shapes = {
        "cls_token": (1, 1, width),
        "position_embeddings": (1, (image // patch) ** 2 + 1, width),
        "patch_embeddings.projection.weight": (width, channels, patch, patch),
        "patch_embeddings.projection.bias": (width,),
    }
    return joined(
        {
            "vit.embeddings": embeddings,
            **{f"vit.encoder.layer.{layer}": block for layer in range(layers)},
            "vit.layernorm": norm(width),
            **({"classifier": linear(width, classes)} if classes else {}),
        }
    )
