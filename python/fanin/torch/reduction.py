"""Find the scheme that says what was recorded: one law, folded with the numbers that it was scaled and shifted by."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from .. import schemes
from ..schemes import Scheme
from ..schemes.distributions import Constant as Same
from ..schemes.distributions import Normal, TruncatedNormal, Uniform
from ..schemes.laws import Bernoulli, Exponential, Integers, LogNormal, Permutation
from ..schemes.orthogonal import Orthogonal
from ..schemes.structured import Identity, Sparse
from .evaluation import evaluate
from .values import Constant, Draw, Known, Operation, Read, Replaced, Value, in_order

_WHOLE_NUMBERS = (Bernoulli, Integers, Permutation)
ANYWHERE = (
    Same,
    Normal,
    Uniform,
    TruncatedNormal,
    Bernoulli,
    Exponential,
    Integers,
    LogNormal,
)  # laws that do not see the shape, only the order of the elements
_SMALL = 1 << 20  # elements of a value that is computed to see whether they are all equal
_NEARLY = 1e-5  # of a std: how far from each other the bounds of a uniform and of the clamp after it may be


class Law(NamedTuple):
    """A scheme that draws what a value has.

    Attributes
    ----------
    scheme : Scheme
        The scheme.
    draw : Draw or None
        What it draws from; None where nothing is random.
    is_exact : bool
        Whether the values are those that the operations make of the draw, and not only of the same law.
    """

    scheme: Scheme
    draw: Draw | None = None
    is_exact: bool = True


def laws(root: Value) -> dict[Value, Law | None]:
    """Return the law of a value, and of all that it is computed from, where there is one."""
    found: dict[Value, Law | None] = {}
    for value in in_order(root):
        try:
            found[value] = _law(value, found)
        except ValueError:  # numbers that no scheme has, such as an infinite std
            found[value] = None
    return found


def named(law: Law, shape: tuple[int, ...]) -> Scheme:
    """Return the scheme of the function that was called, as `he_normal`, if it draws the same."""
    draw = law.draw
    if draw is None or draw.named is None or draw.scheme is not law.scheme or draw.shape != shape:
        return law.scheme
    (ours, one), (theirs, other) = (each.native(shape, 0, "") for each in (draw.named, law.scheme))
    numbers = zip(one[:2], other[:2], strict=True)
    agree = ours is theirs and all(math.isclose(a, b, rel_tol=1e-12) for a, b in numbers)
    return draw.named if agree else law.scheme


def _law(value: Value, found: dict[Value, Law | None]) -> Law | None:
    law: Law | None = None
    match value:
        case Value() if 0 in value.shape:
            law = Law(schemes.zeros())
        case Constant():
            law = _constant(value.value)
        case Draw():
            fits = value.dtype.is_floating_point or isinstance(value.scheme, _WHOLE_NUMBERS)
            law = Law(value.scheme, value) if value.formula is None and fits else None
        case Known():
            law = _all_equal(value)
        case Read():
            law = _reordered(value, found)
        case Operation():
            law = _folded(value, found) or _all_equal(value)
    return law


def _constant(number: Any) -> Law | None:
    return None if isinstance(number, complex) else Law(schemes.constant(float(number)))


def _all_equal(value: Value) -> Law | None:
    """Return the law of one number, if a value that is not random has it everywhere."""
    if value.is_random or value.has_holes or not 0 < math.prod(value.shape) <= _SMALL or value.dtype.is_complex:
        return None
    flat = evaluate(value).flatten()
    return _constant(flat[0].item()) if bool((flat == flat[0]).all()) else None


def _reordered(value: Read, found: dict[Value, Law | None]) -> Law | None:
    """Return the law of what was written as a whole, if the view shows it in the order in which it was drawn."""
    if len(value.layers) != 1:
        return _all_equal(value)
    layer = value.layers[0]
    law = found[layer.value]
    if law is None or layer.geometry.dtype != value.dtype or not isinstance(law.scheme, ANYWHERE):
        return None
    if law.draw is None:
        return law
    whole = math.prod(layer.geometry.shape) == math.prod(value.shape) and layer.geometry.offset == value.geometry.offset
    return law if whole and layer.geometry.is_in_order and value.geometry.is_in_order else None


def _folded(value: Operation, found: dict[Value, Law | None]) -> Law | None:
    fold = FOLDS.get(value.title.rstrip("_"))
    if fold is None:
        return None
    operands = [found[each] if isinstance(each, Value) else each for each in value.args]
    shaped = (i for i, each in enumerate(value.args) if isinstance(each, Value) and each.shape == value.shape)
    place = next((i for i in shaped if not isinstance(value.args[i], Replaced)), None)
    if place is None or operands[place] is None:
        return fold(None, value, operands) if place is None else None
    return fold(operands[place], value, [*operands[:place], *operands[place + 1 :]], first=place == 0)


def _number(each: Any) -> float | None:
    """Return the number that an operand is, if it is one everywhere."""
    if isinstance(each, bool | int | float):
        return float(each)
    return each.scheme.value if isinstance(each, Law) and isinstance(each.scheme, Same) else None


def _moved(law: Law | None, factor: float, shift: float) -> Law | None:
    """Return the law of factor · x + shift."""
    scheme = None if law is None else _moved_scheme(law.scheme, factor, shift)
    if law is None or scheme is None:
        return None
    follows = factor >= 0 or isinstance(scheme, Same | Orthogonal | Identity)
    return Law(scheme, law.draw, law.is_exact and follows)


def _moved_scheme(x: Scheme, factor: float, shift: float) -> Scheme | None:
    found: Scheme | None = None
    match x:
        case Same():
            found = schemes.constant(factor * x.value + shift)
        case Normal():
            found = schemes.normal(factor * x.mean + shift, abs(factor) * x.std)
        case Uniform():
            found = schemes.uniform(*sorted((factor * x.low + shift, factor * x.high + shift)))
        case TruncatedNormal(bounds="absolute"):
            bounds = sorted((factor * x.low + shift, factor * x.high + shift))
            found = schemes.truncated_normal(factor * x.mean + shift, abs(factor) * x.std, *bounds, bounds="absolute")
        case Orthogonal() | Identity() if shift == 0:
            found = factor * x
        case Sparse() if shift == 0:
            found = abs(factor) * x
    return found


def _multiplied(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    number = _number(others[0]) if others else None
    return None if number is None else _moved(law, number, 0.0)


def _divided(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    number = _number(others[0]) if others else None
    return None if not number or not first else _moved(law, 1 / number, 0.0)


def _added(sign: float) -> Callable[..., Law | None]:
    def added(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
        number = _number(others[0]) if others else None
        alpha = value.kwargs.get("alpha", value.args[2] if len(value.args) > 2 else 1)
        if number is None:
            return None
        return _moved(law, 1.0, sign * alpha * number) if first else _moved(law, sign * alpha, number)

    return added


def _subtracted_from(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    number = _number(others[0]) if others else None
    alpha = value.kwargs.get("alpha", value.args[2] if len(value.args) > 2 else 1)
    return None if number is None or not first else _moved(law, -alpha, number)


def _negated(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    return _moved(law, -1.0, 0.0)


def _copied(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    """Return the law of a copy in a dtype of the same precision, or less."""
    source = next(each for each in value.inputs if each.shape == value.shape and not isinstance(each, Replaced))
    if law is None or law.draw is None:
        return law if value.dtype.is_floating_point and source.dtype.is_floating_point else None
    if isinstance(law.scheme, _WHOLE_NUMBERS):
        return law
    if not (value.dtype.is_floating_point and source.dtype.is_floating_point):
        return None
    return law if torch.finfo(value.dtype).eps >= torch.finfo(source.dtype).eps else None


def _inverted(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    """Return the truncated normal that is drawn by inversion, as timm and earlier releases of torch do."""
    if law is None or not isinstance(law.scheme, Uniform):
        return None
    low, high = torch.tensor([law.scheme.low, law.scheme.high], dtype=torch.float64, device="cpu").erfinv().tolist()
    scheme = schemes.truncated_normal(0.0, math.sqrt(0.5), low, high, bounds="absolute")
    return Law(scheme, law.draw, False)


def _clamped(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    """Return the law where the bounds are those that the values have anyway."""
    low, high = (*(_number(each) for each in others), None, None)[:2]
    low = value.kwargs.get("min", -math.inf) if low is None else low
    high = value.kwargs.get("max", math.inf) if high is None else high
    x = None if law is None else law.scheme
    if law is None or low is None or high is None:
        return None
    match x:
        case TruncatedNormal(bounds="absolute") if low - x.low <= _NEARLY * x.std and x.high - high <= _NEARLY * x.std:
            return law._replace(scheme=x.replace(low=max(low, x.low), high=min(high, x.high)))
        case Uniform() if low <= x.low and x.high <= high:
            return law
        case Same():
            return Law(schemes.constant(min(max(x.value, low), high)))
    return None


def _diagonal(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    return Law(schemes.identity()) if len(value.shape) == 2 else None


def _centered(law: Law | None, value: Operation, others: list[Any], first: bool = True) -> Law | None:
    """Return the scheme of torch's `dirac_`, whose center is fanin's where all sizes are odd."""
    is_odd = all(size % 2 for size in value.shape[2:])
    return Law(schemes.dirac(groups=value.args[0], layout="OI")) if is_odd else None


FOLDS: dict[str, Callable[..., Law | None]] = {
    "mul": _multiplied,
    "div": _divided,
    "add": _added(1.0),
    "sub": _added(-1.0),
    "rsub": _subtracted_from,
    "neg": _negated,
    "clone": _copied,
    "copy": _copied,
    "_to_copy": _copied,
    "erfinv": _inverted,
    "clamp": _clamped,
    "clip": _clamped,
    "eye": _diagonal,
    "dirac": _centered,
}
