"""Define recipes that follow the depth or the width of a network: DeepNorm and µP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import models, schemes
from ..arguments import integer
from ..arrays.shape import as_shape
from ..arrays.types import Layout, Shape, TransformerStack
from ..axes import require_layout
from ..entry import entry
from ..schemes import Constant, Scheme
from ..text import short
from .families import families
from .recipe import NamedShape, Recipe, pairs
from .rule import Rule
from .transformers import gpt2

_ZEROS, _ONES = schemes.zeros(), schemes.ones()


@entry
def deepnorm(encoder_layers: int = 6, decoder_layers: int = 6) -> Recipe:
    """Return the recipe of DeepNorm: Xavier normal, times β for MLP, value and output projections.

    It follows Wang et al. (2022), *DeepNet: Scaling Transformers to 1,000 Layers*, figure 2. β is that of
    `schemes.deepnorm`, and the model must multiply its residuals by `schemes.deepnorm_alpha`. Biases are 0, norms 1 and
    0. The paper says nothing of embeddings and head; here they are N(0, 1/width), like tokens and head in
    microsoft/torchscale, component/embedding.py and architecture/decoder.py. Elsewhere torchscale differs from the
    paper: positions are N(0, 1) and weights uniform, Xavier's times 1/√2 for queries, keys and values and torch's in
    the MLP, each times β as here.

    An encoder beside a decoder has names such as `encoder.layers.0.self_attn.q_proj.weight`, after any prefix, as in
    torchscale and Hugging Face's BART. A single stack has names such as `layers.0.…`, after any prefix.

    Parameters
    ----------
    encoder_layers : int
        The number of encoder layers of the network; 0 if it has no encoder. Default 6.
    decoder_layers : int
        The number of decoder layers of the network; 0 if it has no decoder. Default 6.

    Returns
    -------
    Recipe
        The recipe "deepnorm".

    Raises
    ------
    ValueError
        If both numbers are 0, or one is negative.

    Examples
    --------
    >>> deepnorm(0, 100).rule("layers.9.self_attn.v_proj.weight").scheme.describe()[:35]
    'variance_scaling(gain=0.18803015465'
    """
    encoder_layers = integer("encoder_layers", encoder_layers, 0)
    decoder_layers = integer("decoder_layers", decoder_layers, 0)
    stacks: tuple[TransformerStack, ...] = ("encoder", "decoder")
    if encoder_layers == 0 or decoder_layers == 0:
        stacks = ("decoder",) if encoder_layers == 0 else ("encoder",)
    both = len(stacks) == 2
    rows = schemes.variance_scaling(1.0, "fan_in", "normal", layout="OI")
    scaled = r"((self|encoder)_attn\.(v|out)_proj|(ffn\.)?fc[12])"
    return Recipe(
        "deepnorm",
        (
            *(
                Rule(
                    rf"/(.*\.)?{f'{stack}[.]' if both else ''}layers\.[0-9]+\.{scaled}\.weight/",
                    schemes.deepnorm(encoder_layers, decoder_layers, stack=stack, layout="OI"),
                    f"scaled, {stack}",
                )
                for stack in stacks
            ),
            Rule(r"/.*attn\.[qk]_proj\.weight/", schemes.xavier_normal(layout="OI"), "queries and keys"),
            Rule(r"/(.*\.)?(shared|embed_tokens|embed_positions)\.weight/", rows, "embeddings", optional=True),
            Rule(r"/(.*\.)?(output_projection|lm_head)\.weight/", rows, "head", optional=True),
            Rule(r"/(.*\.)?[^.]*(layer_?norm)[^.]*\.weight/", _ONES, "norm scales"),
            Rule("*.bias", _ZEROS, "biases, norm shifts"),
        ),
        source="Wang et al. (2022), figure 2",
    )


@entry
def mup(
    recipe: Recipe | None = None,
    base: Mapping[str, Shape] | Iterable[NamedShape] | None = None,
    *,
    layout: Layout | None = None,
) -> Recipe:
    """Return a recipe under µP: unchanged for a base model, and scaled for wider ones such that its learning rate fits.

    It follows Yang et al. (2021), *Tensor Programs V*, table 8, as `mup.init` of microsoft/mup 1.0 does. Where a layer
    has n times as many inputs as in the base model, the std of hidden weights is divided by √n; input and output
    weights and biases keep theirs: see `schemes.mup`. The model must divide its output by the growth of the width, and
    Adam the learning rate of hidden weights.

    Parameters
    ----------
    recipe : Recipe, optional
        The recipe that suits the base model. Default: `gpt2()`.
    base : mapping of str to shape, or iterable of objects with a name and a shape, optional
        The parameters of the base model, which differs from the wider models in nothing but the width. Default: GPT-2
        of width 256. It must be given with `recipe`, and not without.
    layout : str, optional
        The layout of weights whose scheme names none, as normal(std=0.02). It is needed where inputs and outputs grow
        by different factors.

    Returns
    -------
    Recipe
        The recipe "mup".

    Raises
    ------
    ValueError
        If only one of `recipe` and `base` is given, or no rule matches a parameter of the base model.

    Examples
    --------
    >>> rule = mup().rule("h.0.attn.c_attn.weight", (1024, 3072))
    >>> rule.scheme.expected_std((256, 768)), rule.scheme.expected_std((1024, 3072))
    (0.02, 0.01)
    >>> mup().rule("wte.weight", (50257, 1024)).scheme.expected_std((50257, 1024))
    0.02
    """
    if (recipe is None) != (base is None):
        raise ValueError(
            f"recipe and base must be given together, or neither for GPT-2, got {short(recipe)} and {short(base)}"
        )
    if recipe is None or base is None:
        recipe, base = gpt2(), models.gpt2(width=256)
    if not isinstance(recipe, Recipe):
        raise TypeError(f"recipe must be a Recipe, as fanin.recipes.gpt2(), got {short(recipe)}")
    if layout is not None:
        require_layout(layout)
    shapes = {name: as_shape(shape) for name, shape in pairs("base", base)}
    drawn = {}
    for name, rule in recipe.match(shapes).items():
        scheme: Scheme = rule.scheme
        if not isinstance(scheme, Constant):
            scheme = schemes.mup(scheme, shapes[name], layout=layout)
        drawn[name] = (scheme, rule.role, len(shapes[name]))
    return Recipe(
        "mup",
        tuple(Rule(pattern, scheme, role, ndim) for pattern, (scheme, role, ndim) in families(drawn)),
        source=f"Yang et al. (2021), table 8; over {recipe.name}: {recipe.source}",
    )
