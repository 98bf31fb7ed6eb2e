"""Every public function, arguments with which it can be called, and what is compared of its results."""

import inspect

import numpy as np

import fanin
from fanin import Fans, layers, models, recipes, schemes
from fanin.schemes import Scheme, deepnorm_alpha
from fanin.schemes.registry import ALIASES, REGISTRY

NORMAL = schemes.normal(std=0.02)
OWN = {  # parameters of schemes without a default, and what else makes a call valid
    "gate": 1,
    "gates": 4,
    "layers": 12,
    "layer": 3,
    "of": NORMAL,
    "row": 0,
    "schemes": [NORMAL, schemes.zeros()],
    "layout": "OI",
}
BY_SCHEME = {
    "stack": {"names": "layers.{}.w"},
    "regions": {"boxes": ["0", "1:"]},
    "fixup": {"blocks": 8},
    "sparse": {"nonzeros": 1},
    "deepnorm": {"encoder_layers": 6},
    "mup": {"base": (4, 4)},
    "integers": {"low": 0, "high": 9},
    "expression": {"operation": "exp"},
}
SHAPES = {"delta_orthogonal": (4, 2, 3), "dirac": (4, 2, 3), "lstm_bias": (8,), "gru_bias": (6,), "mup": (12, 12)}
KEY = {"seed": 7, "name": "w"}


def of_scheme(name):
    parameters = inspect.signature(REGISTRY[name]).parameters
    return {key: value for key, value in OWN.items() if key in parameters} | BY_SCHEME.get(name, {})


def calls():
    """Yield every public function, by a name, and arguments with which it can be called."""
    for name, build in REGISTRY.items():
        if name in ALIASES:
            continue
        own = of_scheme(name)
        yield f"schemes.{name}", build, own
        sized = {"n": 4} if name == "haar" else {"shape": SHAPES.get(name, (4, 4))}
        index = {} if name == "mup" else {"index": 0}
        key = KEY if "seed" in inspect.signature(getattr(fanin, name)).parameters else {}
        yield f"fanin.{name}", getattr(fanin, name), {**own, **sized, **index, **key}
        without = {key: value for key, value in own.items() if key != "layout" or name == "mup"}
        method = getattr(fanin.seeded(7, layout="OI"), name)
        yield f"Seeded.{name}", method, {**without, **sized, **index, "name": "w"}
    yield "fanin.bits", fanin.bits, {"shape": (4, 4), "index": 0, **KEY}
    yield "Seeded.bits", fanin.seeded(7).bits, {"shape": (4, 4), "index": 0, "name": "w"}
    yield "Seeded.draw", fanin.seeded(7).draw, {"scheme": NORMAL, "shape": (4, 4), "index": 0, "name": "w"}
    yield "scheme.__call__", NORMAL.__call__, {"shape": (4, 4), "index": 0, **KEY}
    yield "seeded", fanin.seeded, {"seed": 7}
    yield "layout", fanin.layout, {"ndim": 4}
    yield "Fans.of", Fans.of, {"shape": (8, 4), "layout": "OI"}
    yield "Fans.of_blocks", Fans.of_blocks, {"shape": (8, 4), "layout": "OI"}
    yield "Fans.by", Fans(3, 4).by, {"mode": "fan_in"}
    yield "gain", fanin.gain, {"activation": "relu"}
    yield "deepnorm_alpha", deepnorm_alpha, {"encoder_layers": 6}
    yield "recommend", fanin.recommend, {}
    yield "review", fanin.review, {"scheme": NORMAL, "shape": (8, 8)}
    yield "set_num_threads", fanin.set_num_threads, {"n": 2}
    yield "num_threads", fanin.num_threads, {"n": 2}
    yield "seed_from", fanin.seed_from, {"generator": np.random.default_rng(0)}
    yield "plan", fanin.plan, {"source": {"fc.weight": (3, 2)}, "recipe": "torch-default", "seed": 0}
    yield "expected_std", schemes.he_normal(layout="OI").expected_std, {"shape": (3, 2)}
    for name in ("gpt2", "llama", "bert", "vit", "resnet", "lstm_lm", "deepnorm"):
        yield f"recipes.{name}", getattr(recipes, name), {}
    yield "recipes.torch_default", recipes.torch_default, {}
    yield "recipes.mup", recipes.mup, {"recipe": recipes.gpt2(), "base": models.gpt2(width=64)}
    yield "recipes.scheme", recipes.scheme, {"text": "zeros"}
    sizes = {"inputs": 8, "outputs": 4, "size": (3,), "channels": 8, "features": 8, "hidden": 4, "heads": 2}
    sizes |= {"count": 10, "classes": 3, "shape": (8,), "layer": layers.linear(3, 2), "seed": 0}
    for name in layers.__all__:
        if name[0].islower():
            function = getattr(layers, name)
            known = inspect.signature(function).parameters
            yield f"layers.{name}", function, {key: value for key, value in sizes.items() if key in known}


CALLS = {label: (function, base) for label, function, base in calls()}


def plain(result):
    """Return what is to be equal where results are."""
    if isinstance(result, Scheme):
        return result, result.to_dict(), result.describe(), hash(result), repr(result)
    if isinstance(result, recipes.Recipe):
        return result, result.digest
    if isinstance(result, fanin.Plan):
        return result.seed, [row.scheme.describe() for row in result.rows], result.nbytes
    if isinstance(result, dict):
        return {key: plain(value) for key, value in result.items()}
    if isinstance(result, np.ndarray | np.generic):
        return str(result.dtype), result.shape, result.tobytes()
    return (type(result), result) if result is None or isinstance(result, int | float | tuple) else type(result)


def outcome(function, arguments):
    """Return what a call returns, or its error."""
    try:
        return plain(function(**arguments))
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        return error
