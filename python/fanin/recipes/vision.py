"""Define recipes of image classifiers as published: ViT by its Hugging Face names, ResNet by torchvision's."""

from __future__ import annotations

from .. import schemes
from ..arguments import flag, integer
from ..entry import entry
from ..layers import torch
from ..schemes import Scheme
from ..text import short
from .recipe import Recipe
from .rule import Rule
from .torch_default import WEIGHT

_ZEROS, _ONES = schemes.zeros(), schemes.ones()
_BASIC, _BOTTLENECK = (18, 34), (50, 101, 152)


@entry
def vit(*, std: float = 0.02, paper: bool = False) -> Recipe:
    """Return the recipe of ViT: N(0, std) for linear layers, patches, positions and class token; norms 1 and 0.

    It follows transformers 5.24, models/vit/modeling_vit.py, `_init_weights`: positions and class token are cut at ±2,
    which is many std; up to version 4 the weights were too. Biases are 0. Names may be those of a checkpoint, whose
    layers are `vit.encoder.layer.0`, or those of a model of version 5, whose layers are `vit.layers.0`.

    Parameters
    ----------
    std : float
        The std, `initializer_range` in the configuration. Default 0.02.
    paper : bool
        Whether to follow the authors' google-research/vision_transformer, vit_jax/models_vit.py, instead, which is the
        code of Dosovitskiy et al. (2021): Xavier uniform for attention and MLP, std 10⁻⁶ for the biases of the MLP,
        LeCun normal cut at two std for patches, N(0, 0.02) for positions, zeros for class token and head. `std` then
        does not matter. Default False.

    Returns
    -------
    Recipe
        The recipe "vit".

    Examples
    --------
    >>> vit().rule("vit.embeddings.patch_embeddings.projection.weight").scheme.describe()
    'normal(mean=0, std=0.02)'
    >>> vit(paper=True).rule("classifier.weight").scheme.describe()
    'constant(0)'
    """
    weight: Scheme = schemes.normal(std=std)
    positions: Scheme = schemes.truncated_normal(std=std, low=-2.0, high=2.0, bounds="absolute")
    patches, token, head = weight, positions, weight
    mlp_biases: Scheme = _ZEROS
    if flag("paper", paper):
        weight = schemes.xavier_uniform(layout="OI")
        patches = schemes.lecun_normal(layout="OI", truncate=2.0)
        positions = schemes.normal(std=0.02)
        token = head = _ZEROS
        mlp_biases = schemes.normal(std=1e-6)
    attention = r"attention\.(attention\.(query|key|value)|output\.dense|[qkvo]_proj)"
    mlp = r"(intermediate\.dense|output\.dense|mlp\.fc[12])"
    return Recipe(
        "vit",
        (
            Rule("*embeddings.cls_token", token, "embeddings"),
            Rule("*embeddings.position_embeddings", positions, "embeddings"),
            Rule("*embeddings.mask_token", _ZEROS, "embeddings", optional=True),
            Rule("*patch_embeddings.projection.weight", patches, "patches"),
            Rule(rf"/.*\.{attention}\.weight/", weight, "attention"),
            Rule(rf"/.*\.{mlp}\.weight/", weight, "feed-forward"),
            Rule(r"/(.*\.)?(classifier|pooler\.dense|decoder\.0)\.weight/", head, "head", optional=True),
            Rule(r"/(.*\.)?layernorm(_before|_after)?\.weight/", _ONES, "norm scales"),
            Rule(r"/(.*\.)?layernorm(_before|_after)?\.bias/", _ZEROS, "norm shifts"),
            Rule(
                rf"/.*\.{attention}\.bias/", _ZEROS, "biases"
            ),  # must come first, since the MLP has an output.dense too
            Rule(rf"/.*\.{mlp}\.bias/", mlp_biases, "biases"),
            Rule("*.bias", _ZEROS, "biases"),
        ),
        source="google-research/vision_transformer, vit_jax/models_vit.py" if paper else "transformers 5.24, ViTConfig",
    )


@entry
def resnet(depth: int = 50, *, zero_init_residual: bool = True, features: int | None = None) -> Recipe:
    """Return the recipe of ResNet: He normal by fan_out for convolutions, batch norms 1 and 0, `fc` as torch's default.

    It follows He et al. (2015), *Delving deep into rectifiers*, §2.2, and Goyal et al. (2017), *Accurate, large
    minibatch SGD*, §5.1, who start the last norm of a block at zero, so that the block is the identity at first.
    models/resnet.py of torchvision does so with `zero_init_residual`. Names are those of torchvision, after any prefix;
    ResNeXt and wide ResNets are included.

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
        The depth, which says how many convolutions a block has: two up to 34, then three. Default 50.
    zero_init_residual : bool
        Whether the last norm of a block starts at zero. Default True; torchvision's default is False.
    features : int, optional
        The number of inputs of `fc`. Default: 512, and 2048 from depth 50 on.

    Returns
    -------
    Recipe
        The recipe "resnet".

    Raises
    ------
    ValueError
        If the depth is another number.

    Examples
    --------
    >>> resnet().rule("layer1.0.bn3.weight").scheme.describe()
    'constant(0)'
    >>> round(resnet().rule("conv1.weight", (64, 3, 7, 7)).scheme.expected_std((64, 3, 7, 7)), 6)  # √(2/(64·49))
    0.025254
    """
    depth = integer("depth", depth)
    if features is not None:
        features = integer("features", features, 1)
    flag("zero_init_residual", zero_init_residual)
    if depth not in _BASIC + _BOTTLENECK:
        raise ValueError(f"depth must be one of {', '.join(map(str, _BASIC + _BOTTLENECK))}, got {short(depth)}")
    convolutions, inputs = (2, 512) if depth in _BASIC else (3, 2048)
    inputs = inputs if features is None else features
    convolution = schemes.he_normal(layout="OI", mode="fan_out", convention="torch")
    head_bias = torch.linear(inputs, 1, True, "linear")["bias"].scheme
    inside = rf"layer[1-4]\.[0-9]+\.(%s[1-{convolutions}]|downsample\.%d)"
    norm, last = rf"(.*\.)?(bn1|{inside % ('bn', 1)})", rf"(.*\.)?layer[1-4]\.[0-9]+\.bn{convolutions}"
    return Recipe(
        "resnet",
        (
            Rule(rf"/(.*\.)?(conv1|{inside % ('conv', 0)})\.weight/", convolution, "convolutions", ndim=4),
            *([Rule(rf"/{last}\.weight/", _ZEROS, "last norms of blocks")] if zero_init_residual else []),
            Rule(rf"/{norm}\.weight/", _ONES, "norm scales"),
            Rule(rf"/{norm}\.bias/", _ZEROS, "norm shifts"),
            Rule(rf"/{norm}\.running_mean/", _ZEROS, "running means", optional=True),
            Rule(rf"/{norm}\.running_var/", _ONES, "running variances", optional=True),
            Rule(r"/(.*\.)?fc\.weight/", WEIGHT, "head", shape=(None, inputs)),
            Rule(r"/(.*\.)?fc\.bias/", head_bias, "head"),
        ),
        source="torchvision, models/resnet.py; Goyal et al. (2017), section 5.1",
    )
