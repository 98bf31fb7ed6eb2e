"""Recommend a scheme for a layer, and say what is wrong with one that does not suit it."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Unpack, get_args

from . import schemes
from .arguments import choice, flag, integer
from .arrays.shape import as_shape
from .arrays.types import Activation, Convention, Layer, Layout, Shape
from .axes import require_layout
from .entry import entry
from .fans import CONVENTIONS, Blocks, FanOptions, Fans, as_blocks
from .schemes import Scheme, as_scheme
from .schemes.registry import expanded
from .signals.gains import GAINS, gain

LAYERS: tuple[Layer, ...] = get_args(Layer)
_HIDDEN = ("linear", "conv", "recurrent", "input", "attention")
# Families of activations that share a rule; any other gets the gain of its own.
_SATURATING = ("tanh", "sigmoid", "hard_tanh", "hard_sigmoid", "softsign")
_RECTIFIERS = ("relu", "leaky_relu", "prelu", "rrelu", "relu6", "elu", "celu")
_DEEP = 30  # from so many layers on, without normalization or residuals, the spread of singular values matters
_TOLERANCE = 1.25  # a layer may multiply the squares of gradients by up to this: ten layers make it 9


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Hold a scheme, and why it is recommended; printing it shows all of it.

    Parameters
    ----------
    name : str
        The name of the function in `fanin` and `fanin.schemes` that builds the scheme.
    scheme : Scheme
        The scheme, which draws the parameter.
    why : str
        The reason, in a few sentences.
    source : str
        The paper or book that it follows.

    Examples
    --------
    >>> print(recommend("relu", "recurrent").source)
    Saxe, McClelland and Ganguli (2014); Le, Jaitly and Hinton (2015)
    """

    name: str
    scheme: Scheme
    why: str
    source: str

    def expected_std(self, shape: Shape) -> float:
        """Return the standard deviation of a parameter of this shape."""
        return self.scheme.expected_std(shape)

    def __str__(self) -> str:
        """Return name and scheme, reason and source, each on its line."""
        return f"{self.name}: {self.scheme.describe()}\n{self.why}\n{self.source}"


@entry
def recommend(
    activation: Activation = "relu",
    layer: Layer = "linear",
    *,
    depth: int | None = None,
    norm: bool = False,
    residual: bool = False,
    layout: Layout = "OI",
    **fans: Unpack[FanOptions],
) -> Recommendation:
    """Recommend the scheme that suits a parameter, with the reason and its source.

    Parameters
    ----------
    activation : str, (str, float) or callable
        The activation that follows the layer: a name, alone or with its parameters, or a callable; see `fanin.gain`.
        Default "relu".
    layer : str
        "linear" (the default), "conv", "recurrent" (from the hidden state to itself), "input" (from the input to the
        hidden state of a recurrent layer), "attention", "embedding", "norm" (the scale of a normalization; its bias is
        a "bias"), "bias", or "head" (the last layer).
    depth : int, optional
        The number of layers of the network, or of its residual blocks; 1 is a linear or logistic model. Default:
        unknown, and neither deep nor 1.
    norm : bool
        Whether batch, layer or another normalization follows or precedes every layer. Default False.
    residual : bool
        Whether the layer is inside a residual branch. Default False.
    layout : str
        The order of the weight's axes: "OI", the default, is (out, in, *spatial); see `fanin.Fans.of`.
    groups, transposed, blocks, convention : optional
        How the fans follow from the shape: see `fanin.Fans.of`, which has their defaults.

    Returns
    -------
    Recommendation
        `name`, `scheme`, `why` and `source`; its `expected_std(shape)` is a number.

    Raises
    ------
    ValueError
        If the layer or activation is unknown, or depth is below 1.

    Examples
    --------
    >>> round(recommend("gelu").expected_std((4096, 1024)), 4)
    0.0479
    >>> print(recommend("tanh", "recurrent").source)
    Saxe, McClelland and Ganguli (2014); Le, Jaitly and Hinton (2015)
    """
    choice("layer", layer, LAYERS)
    if depth is not None:
        depth = integer("depth", depth, 1)
    norm, residual = flag("norm", norm), flag("residual", residual)
    require_layout(layout)
    _require_fans(**fans)
    advice = None
    if depth == 1 and layer in ("linear", "head"):
        advice = _convex()
    elif layer in _FIXED:
        advice = _FIXED[layer](activation)
    elif layer == "recurrent":
        advice = _recurrent(layout, fans)
    elif layer in ("attention", "input"):
        advice = _linear_map(layer, layout, fans)
    elif residual and not norm and depth is not None:
        advice = _residual(activation, depth, layout)
    elif not norm and not residual and depth is not None and (depth >= _DEEP or _name(activation) == "linear"):
        advice = _deep(activation, layer, layout)
    return advice or _feedforward(activation, norm, residual, layout, fans)


def _require_fans(
    groups: int = 1, transposed: bool = False, blocks: Blocks = 1, convention: Convention | None = None
) -> None:
    integer("groups", groups, 1)
    flag("transposed", transposed)
    as_blocks(blocks)
    if convention is not None:
        choice("convention", convention, CONVENTIONS)


def _feedforward(
    activation: Activation, norm: bool, residual: bool, layout: Layout, fans: FanOptions
) -> Recommendation:
    name = _name(activation)
    after = " With fan_in the signal keeps its size whatever the width, and the gradient nearly so."
    if name in _SATURATING:
        after = " A larger gain would push units into saturation."
    if norm:
        after = " Normalization repairs the size of signals, and the right std keeps gradients from growing with depth."
    if residual:
        after = " End each branch with fanin.scaled_residual, or a last scale of zero, so that branches add up slowly."
    if name in _SATURATING or name == "linear":
        what = f"{name} is nearly linear at 0" if name in _SATURATING else "Only the weights change a signal's size"
        why = f"{what}, and the mean of both fans keeps signals and gradients at about theirs.{after}"
        return Recommendation(
            "xavier_normal", schemes.xavier_normal(layout=layout, **fans), why, "Glorot and Bengio (2010)"
        )
    if name == "selu":
        why = f"SELU's own constants have gain 1, so that variance 1/fan_in keeps mean 0 and variance 1.{after}"
        return Recommendation(
            "lecun_normal", schemes.lecun_normal(layout=layout, **fans), why, "Klambauer et al. (2017)"
        )
    if name == "sin":
        why = "Through sin(30·x) weights of this size keep the same distribution of signals in every layer."
        why += " The first layer has its own: fanin.siren(first=True)."
        return Recommendation("siren", schemes.siren(layout=layout), why, "Sitzmann et al. (2020)")
    scheme = schemes.he_normal(layout=layout, activation=activation, **fans)
    if name in _RECTIFIERS:
        why = f"{name} loses about half of the signal's square, and gain {scheme.gain:.4g} makes up for it.{after}"
        return Recommendation("he_normal", scheme, why, "He et al. (2015)")
    why = (
        f"He's equation for ReLU holds here too, with the gain of {name} itself, {scheme.gain:.4g} = 1/√E f(z)².{after}"
    )
    return Recommendation("he_normal", scheme, why, "He et al. (2015), its equation for this activation")


def _deep(activation: Activation, layer: Layer, layout: Layout) -> Recommendation | None:
    """Recommend orthogonal weights for deep networks, whose singular values should all be near 1.

    Only activations that are odd with slope 1 at 0 keep them there; None for any other, and for other layouts.
    """
    if _name(activation) not in ("linear", "tanh", "hard_tanh", "softsign") or layout not in ("OI", "IO"):
        return None
    if layer == "conv":
        why = "Deep networks train if each layer keeps the length of every signal: this convolution, orthogonal at"
        why += " its centre and zero elsewhere, does. It needs no more inputs than outputs, and circular padding."
        return Recommendation("delta_orthogonal", schemes.delta_orthogonal(layout=layout), why, "Xiao et al. (2018)")
    why = "Orthogonal layers keep every singular value at 1, where the product of Gaussian ones spreads exponentially."
    why += " Then depth does not slow learning, for linear layers exactly and for tanh while its signals are small."
    return Recommendation(
        "orthogonal",
        schemes.orthogonal(layout=layout),
        why,
        "Saxe, McClelland and Ganguli (2014); Pennington et al. (2017)",
    )


def _recurrent(layout: Layout, fans: FanOptions) -> Recommendation:
    why = "The same matrix acts at every step, so that any singular value but 1 vanishes or explodes over time."
    why += " Give a fused weight its gates as blocks, each orthogonal on its own."
    scheme = schemes.orthogonal(1.0, fans.get("blocks", 1), layout=layout)
    return Recommendation(
        "orthogonal", scheme, why, "Saxe, McClelland and Ganguli (2014); Le, Jaitly and Hinton (2015)"
    )


def _linear_map(layer: Layer, layout: Layout, fans: FanOptions) -> Recommendation:
    what = (
        "Queries, keys and values are linear maps" if layer == "attention" else "Gates saturate, so inputs stay small"
    )
    why = f"{what}: the mean of both fans keeps signals and gradients. In a fused weight each block has its own fans."
    return Recommendation(
        "xavier_uniform", schemes.xavier_uniform(layout=layout, **fans), why, "Glorot and Bengio (2010)"
    )


def _residual(activation: Activation, depth: int, layout: Layout) -> Recommendation:
    scheme = schemes.fixup(blocks=depth, gain=gain(activation), layout=layout)
    why = "Without normalization the variance doubles with every branch, unless the first steps change little."
    why += f" He times {depth}^(-1/2) and a zero last layer in every branch keep the update the size of one layer's."
    return Recommendation("fixup", scheme, why, "Zhang, Dauphin and Ma (2019)")


def _convex() -> Recommendation:
    why = "Without a hidden layer no units can stay alike, and the loss of a linear or logistic model is convex."
    why += " Any start reaches the same optimum, and from zero no class is favoured."
    return Recommendation("zeros", schemes.zeros(), why, _BOOK)


def _head(_: Activation) -> Recommendation:
    why = "Small logits start the loss at ln(classes), so that the first steps are not spent on unlearning guesses."
    why += " Its inputs differ already, so a small std, or zeros, keeps no units alike."
    return Recommendation("normal", schemes.normal(std=0.01), why, "Goyal et al. (2017)")


def _embedding(_: Activation) -> Recommendation:
    why = "Rows are looked up, not summed: fan_in does not enter, and their std is that of the signal."
    why += " Small ones suit an output layer that shares them, whose logits then start near 0."
    return Recommendation("embedding", schemes.embedding(), why, "Radford et al. (2019)")


def _norm(_: Activation) -> Recommendation:
    why = "A scale of 1 and a bias of 0 leave the normalized signal as it is."
    why += " The last one of a residual branch may start at 0, so that the block starts as the identity."
    return Recommendation("ones", schemes.ones(), why, "Ioffe and Szegedy (2015); Goyal et al. (2017)")


def _bias(activation: Activation) -> Recommendation:
    why = "Weights break the symmetry already, and a bias only shifts what they keep at the right size."
    if _name(activation) == "relu":
        why += " For ReLU 0.01 starts every unit alive, if that is wanted: fanin.constant(value=0.01)."
    else:
        why += " The forget gate of an LSTM is the exception: fanin.lstm_bias."
    return Recommendation("zeros", schemes.zeros(), why, _BOOK)


_BOOK = "Goodfellow, Bengio and Courville (2016), sections 5.7, 8.4"
_FIXED: dict[str, Callable[[Activation], Recommendation]] = {
    "embedding": _embedding,
    "norm": _norm,
    "bias": _bias,
    "head": _head,
}


@entry
def review(
    scheme: Scheme,
    shape: Shape,
    *,
    activation: Activation = "relu",
    layer: Layer = "linear",
    depth: int | None = None,
    layout: Layout = "OI",
    **fans: Unpack[FanOptions],
) -> tuple[str, ...]:
    """Say what is wrong with a scheme for a weight: equal units, or a std under which gradients vanish or explode.

    Parameters
    ----------
    scheme : Scheme
        The scheme to judge.
    shape : int or sequence of int
        The shape of the weight.
    activation : str, (str, float) or callable
        The activation that follows the layer: see `fanin.gain`. Default "relu".
    layer : str
        The kind of layer, one of those that `recommend` takes; only hidden layers are judged. Default "linear".
    depth : int, optional
        The number of layers over which a problem is shown. Default: ten layers.
    layout : str
        The order of the weight's axes: "OI", the default, is (out, in, *spatial).
    groups, transposed, blocks, convention : optional
        How the fans follow from the shape: see `fanin.Fans.of`, which has their defaults.

    Returns
    -------
    tuple of str
        A sentence for each problem; empty where there is none.

    Raises
    ------
    ValueError
        If an argument is one that `recommend` refuses, or the layout does not suit the shape.

    Notes
    -----
    A layer multiplies the mean square of gradients by χ = g²·E f'(√q·z)², where g is std·√fan_in and q the value at
    which the mean square of the signal, g²·E f(√q·z)², settles: Schoenholz et al. (2017). A χ below 0.8 or above 1.25
    is reported, unless the recommended scheme is no closer to 1.

    Examples
    --------
    >>> from fanin import schemes
    >>> review(schemes.zeros(), (64, 64))[0].partition(":")[0]
    'every unit starts with the same weights'
    >>> review(schemes.he_normal(layout="OI"), (64, 64))
    ()
    """
    scheme = as_scheme("scheme", scheme)
    advice = recommend(activation, layer, depth=depth, layout=layout, **fans)
    sizes = as_shape(shape)
    if layer not in _HIDDEN or depth == 1 or len(sizes) < 2 or 0 in sizes:
        return ()
    std = scheme.expected_std(sizes)
    if std == 0:
        return (
            "every unit starts with the same weights: all get the same gradient and stay equal, and the layer is as "
            f"good as one unit. Use {advice.name}.",
        )
    if layer not in ("linear", "conv"):
        return ()
    root, wanted = math.sqrt(Fans.of(sizes, layout, **fans).fan_in), advice.expected_std(sizes)
    factor, best = _growth(activation, std * root), _growth(activation, wanted * root)
    if abs(math.log(factor)) <= max(abs(math.log(best)), math.log(_TOLERANCE)):
        return ()
    over, what = depth or 10, "vanish" if factor < 1 else "explode"
    power = over * math.log10(factor)
    total = f"{factor**over:.1e}" if abs(power) < 300 else f"10^{power:.0f}"
    return (
        f"gradients {what}: with std {std:.3g} each layer multiplies their squares by {factor:.3g}, {over} layers by "
        f"{total}. Use {advice.name}, std {wanted:.3g}.",
    )


_public: Any
for _public in (recommend, review):
    _public.__signature__ = expanded(inspect.signature(_public))


def _growth(activation: Activation, weight: float) -> float:
    """Return χ of layers without biases whose weights have std weight/√fan_in; 1 where the activation has no slope."""
    return _chi(activation, float(f"{weight:.4g}"))


@functools.lru_cache(maxsize=1024)
def _chi(activation: Activation, weight: float) -> float:
    from .signals.meanfield import MeanField  # `import fanin` is quicker without it

    try:
        chi = MeanField(activation, min(max(weight, 1e-50), 1e50) ** 2).chi
    except ValueError:
        if callable(activation):
            return 1.0
        raise
    return min(max(chi, 1e-300), 1e300)


def _name(activation: Activation) -> str:
    """Return what to call an activation; raise ValueError for an unknown name."""
    if callable(activation):
        return str(getattr(activation, "__name__", "the activation"))
    if isinstance(activation, str) and activation in GAINS:
        return activation
    from .signals import activations

    return activations.resolve(activation)[0]
