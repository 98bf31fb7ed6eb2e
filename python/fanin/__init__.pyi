"""The names of `fanin`.

Written by tools/write_names.py.
"""

from collections.abc import Sequence
from typing import SupportsIndex

from . import cuda as cuda
from . import diagnose as diagnose
from . import layers as layers
from . import models as models
from . import recipes as recipes
from . import schemes as schemes
from . import torch as torch
from .arrays.seed import fresh_seed as fresh_seed
from .arrays.seed import seed_from as seed_from
from .arrays.types import (
    Activation,
    Array,
    Bounds,
    Convention,
    Device,
    Distribution,
    DType,
    Index,
    Layout,
    Mode,
    Out,
    Per,
    Seed,
    Shape,
    TransformerStack,
)
from .axes import layout as layout
from .fans import Blocks
from .fans import Fans as Fans
from .info import info as info
from .namespace import Seeded as Seeded
from .namespace import seeded as seeded
from .plans import Plan as Plan
from .plans import plan as plan
from .recommendation import Recommendation as Recommendation
from .recommendation import recommend as recommend
from .recommendation import review as review
from .schemes import Scheme
from .signals.gains import gain as gain
from .threads import get_num_threads as get_num_threads
from .threads import num_threads as num_threads
from .threads import set_num_threads as set_num_threads

__version__: str
__all__ = [
    "Fans",
    "Plan",
    "Recommendation",
    "Seeded",
    "bits",
    "concatenate",
    "constant",
    "cuda",
    "deepnorm",
    "delta_orthogonal",
    "diagnose",
    "dirac",
    "embedding",
    "eye",
    "fixup",
    "fresh_seed",
    "gain",
    "gate_bias",
    "get_num_threads",
    "glorot_normal",
    "glorot_uniform",
    "gru_bias",
    "haar",
    "he_normal",
    "he_uniform",
    "identity",
    "info",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_scale",
    "layers",
    "layout",
    "lecun_normal",
    "lecun_uniform",
    "lstm_bias",
    "mamba_log_range",
    "mamba_step_bias",
    "models",
    "mup",
    "normal",
    "num_threads",
    "ones",
    "orthogonal",
    "padded",
    "plan",
    "prior_probability",
    "recipes",
    "recommend",
    "review",
    "rezero",
    "scaled_residual",
    "schemes",
    "seed_from",
    "seeded",
    "set_num_threads",
    "sinusoid",
    "siren",
    "siren_first",
    "skip_init",
    "sparse",
    "t_fixup",
    "t_fixup_embedding",
    "torch",
    "torchtitan_residual",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

def __dir__() -> list[str]: ...
def bits(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def constant(
    shape: Shape | None = None,
    value: float = 0.0,
    *,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def normal(
    shape: Shape | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def ones(
    shape: Shape | None = None, *, dtype: DType = None, index: Index = None, out: Out = None, device: Device = None
) -> Array: ...
def truncated_normal(
    shape: Shape | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    low: float = -2.0,
    high: float = 2.0,
    *,
    bounds: Bounds = "std",
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def uniform(
    shape: Shape | None = None,
    low: float = 0.0,
    high: float = 1.0,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def zeros(
    shape: Shape | None = None, *, dtype: DType = None, index: Index = None, out: Out = None, device: Device = None
) -> Array: ...
def concatenate(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    schemes: Sequence[Scheme],
    sizes: Sequence[int] | None = None,
    axis: int = 0,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def padded(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    of: Scheme,
    row: int,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def embedding(
    shape: Shape | None = None,
    std: float = 0.02,
    *,
    seed: Seed,
    name: str,
    padding: int | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def prior_probability(
    shape: Shape | None = None,
    probability: float = 0.01,
    *,
    seed: Seed = 0,
    name: str = "",
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def gate_bias(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    gate: int,
    gates: int,
    value: float = 1.0,
    others: Scheme | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def lstm_bias(
    shape: Shape | None = None,
    forget: float = 1.0,
    others: Scheme | None = None,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def gru_bias(
    shape: Shape | None = None,
    update: float = 1.0,
    others: Scheme | None = None,
    *,
    seed: Seed,
    name: str,
    order: str = "rzn",
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def variance_scaling(
    shape: Shape | None = None,
    scale: float | None = None,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    *,
    seed: Seed,
    name: str,
    gain: float | None = None,
    layout: Layout | None = None,
    truncate: float = 2.0,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def xavier_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def xavier_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "linear",
    gain: float | None = None,
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def he_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def he_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    activation: Activation = "relu",
    gain: float | None = None,
    mode: Mode = "fan_in",
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def lecun_uniform(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def lecun_normal(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    truncate: float | None = None,
    groups: int = 1,
    transposed: bool = False,
    blocks: Blocks = 1,
    convention: Convention | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def scaled_residual(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    std: float = 0.02,
    branches: int = 2,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def torchtitan_residual(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layer: int,
    std: float = 0.02,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def deepnorm(
    shape: Shape | None = None,
    encoder_layers: int = 0,
    decoder_layers: int = 0,
    *,
    seed: Seed,
    name: str,
    stack: TransformerStack = "encoder",
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def fixup(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    blocks: int,
    depth: int = 2,
    layout: Layout | None = None,
    gain: float | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def t_fixup(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    stack: TransformerStack = "encoder",
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def t_fixup_embedding(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    layers: int,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def rezero(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def layer_scale(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    layers: int,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def orthogonal(
    shape: Shape | None = None,
    gain: float | None = None,
    blocks: Blocks = 1,
    *,
    seed: Seed,
    name: str,
    activation: Activation | None = None,
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def haar(
    n: SupportsIndex | None = None,
    count: SupportsIndex | None = None,
    *,
    seed: Seed,
    name: str,
    gain: float = 1.0,
    special: bool = False,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def delta_orthogonal(
    shape: Shape | None = None,
    gain: float | None = None,
    *,
    seed: Seed,
    name: str,
    activation: Activation | None = None,
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def mamba_step_bias(
    shape: Shape | None = None,
    low: float = 0.001,
    high: float = 0.1,
    floor: float = 0.0001,
    *,
    seed: Seed,
    name: str,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def mamba_log_range(
    shape: Shape | None = None,
    *,
    seed: Seed = 0,
    name: str = "",
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def sinusoid(
    shape: Shape | None = None,
    base: float = 10000.0,
    *,
    seed: Seed = 0,
    name: str = "",
    interleaved: bool = True,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def siren_first(
    shape: Shape | None = None,
    gain: float = 1.0,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def siren(
    shape: Shape | None = None,
    first: bool = False,
    omega: float = 30.0,
    *,
    seed: Seed,
    name: str,
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def identity(
    shape: Shape | None = None,
    gain: float = 1.0,
    *,
    seed: Seed = 0,
    name: str = "",
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def dirac(
    shape: Shape | None = None,
    gain: float = 1.0,
    groups: int = 1,
    *,
    seed: Seed = 0,
    name: str = "",
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def sparse(
    shape: Shape | None = None,
    std: float = 0.01,
    *,
    seed: Seed,
    name: str,
    nonzeros: int | None = None,
    sparsity: float | None = None,
    per: Per = "output",
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...
def mup(
    shape: Shape | None = None,
    *,
    seed: Seed,
    name: str,
    of: Scheme,
    base: Shape,
    readout: bool = False,
    layout: Layout | None = None,
    dtype: DType = None,
    index: Index = None,
    out: Out = None,
    device: Device = None,
) -> Array: ...

glorot_uniform = xavier_uniform
glorot_normal = xavier_normal
kaiming_uniform = he_uniform
kaiming_normal = he_normal
skip_init = rezero
eye = identity
