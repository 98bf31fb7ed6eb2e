"""Schemes: small frozen objects that say how a parameter is drawn.

Written by tools/write_names.py.
"""

from .biases import gate_bias as gate_bias
from .biases import gru_bias as gru_bias
from .biases import lstm_bias as lstm_bias
from .biases import prior_probability as prior_probability
from .composition import Concatenate as Concatenate
from .composition import Padded as Padded
from .composition import concatenate as concatenate
from .composition import embedding as embedding
from .composition import padded as padded
from .depth import deepnorm as deepnorm
from .depth import deepnorm_alpha as deepnorm_alpha
from .depth import fixup as fixup
from .depth import layer_scale as layer_scale
from .depth import rezero as rezero
from .depth import scaled_residual as scaled_residual
from .depth import skip_init as skip_init
from .depth import t_fixup as t_fixup
from .depth import t_fixup_embedding as t_fixup_embedding
from .depth import torchtitan_residual as torchtitan_residual
from .distributions import Constant as Constant
from .distributions import Normal as Normal
from .distributions import TruncatedNormal as TruncatedNormal
from .distributions import Uniform as Uniform
from .distributions import constant as constant
from .distributions import normal as normal
from .distributions import ones as ones
from .distributions import truncated_normal as truncated_normal
from .distributions import uniform as uniform
from .distributions import zeros as zeros
from .expression import Expression as Expression
from .expression import FromStream as FromStream
from .expression import expression as expression
from .expression import from_stream as from_stream
from .laws import Bernoulli as Bernoulli
from .laws import Exponential as Exponential
from .laws import Integers as Integers
from .laws import LogNormal as LogNormal
from .laws import Permutation as Permutation
from .laws import bernoulli as bernoulli
from .laws import exponential as exponential
from .laws import integers as integers
from .laws import log_normal as log_normal
from .laws import permutation as permutation
from .orthogonal import DeltaOrthogonal as DeltaOrthogonal
from .orthogonal import Haar as Haar
from .orthogonal import Orthogonal as Orthogonal
from .orthogonal import delta_orthogonal as delta_orthogonal
from .orthogonal import haar as haar
from .orthogonal import orthogonal as orthogonal
from .parts import Stack as Stack
from .parts import Transpose as Transpose
from .parts import stack as stack
from .parts import transpose as transpose
from .pieces import Native as Native
from .pieces import Piece as Piece
from .pieces import Pieces as Pieces
from .regions import Regions as Regions
from .regions import regions as regions
from .registry import register as register
from .scheme import Scheme as Scheme
from .scheme import as_scheme as as_scheme
from .sequence import MambaLogRange as MambaLogRange
from .sequence import MambaStepBias as MambaStepBias
from .sequence import Sinusoid as Sinusoid
from .sequence import mamba_log_range as mamba_log_range
from .sequence import mamba_step_bias as mamba_step_bias
from .sequence import sinusoid as sinusoid
from .siren import SirenFirst as SirenFirst
from .siren import siren as siren
from .siren import siren_first as siren_first
from .structured import Dirac as Dirac
from .structured import Identity as Identity
from .structured import Sparse as Sparse
from .structured import dirac as dirac
from .structured import eye as eye
from .structured import identity as identity
from .structured import sparse as sparse
from .variance import VarianceScaling as VarianceScaling
from .variance import glorot_normal as glorot_normal
from .variance import glorot_uniform as glorot_uniform
from .variance import he_normal as he_normal
from .variance import he_uniform as he_uniform
from .variance import kaiming_normal as kaiming_normal
from .variance import kaiming_uniform as kaiming_uniform
from .variance import lecun_normal as lecun_normal
from .variance import lecun_uniform as lecun_uniform
from .variance import variance_scaling as variance_scaling
from .variance import xavier_normal as xavier_normal
from .variance import xavier_uniform as xavier_uniform
from .width import Mup as Mup
from .width import mup as mup

__all__ = [
    "Bernoulli",
    "Concatenate",
    "Constant",
    "DeltaOrthogonal",
    "Dirac",
    "Exponential",
    "Expression",
    "FromStream",
    "Haar",
    "Identity",
    "Integers",
    "LogNormal",
    "MambaLogRange",
    "MambaStepBias",
    "Mup",
    "Native",
    "Normal",
    "Orthogonal",
    "Padded",
    "Permutation",
    "Piece",
    "Pieces",
    "Regions",
    "Scheme",
    "Sinusoid",
    "SirenFirst",
    "Sparse",
    "Stack",
    "Transpose",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "as_scheme",
    "bernoulli",
    "concatenate",
    "constant",
    "deepnorm",
    "deepnorm_alpha",
    "delta_orthogonal",
    "dirac",
    "embedding",
    "exponential",
    "expression",
    "eye",
    "fixup",
    "from_stream",
    "gate_bias",
    "glorot_normal",
    "glorot_uniform",
    "gru_bias",
    "haar",
    "he_normal",
    "he_uniform",
    "identity",
    "integers",
    "kaiming_normal",
    "kaiming_uniform",
    "layer_scale",
    "lecun_normal",
    "lecun_uniform",
    "log_normal",
    "lstm_bias",
    "mamba_log_range",
    "mamba_step_bias",
    "mup",
    "normal",
    "ones",
    "orthogonal",
    "padded",
    "permutation",
    "prior_probability",
    "regions",
    "register",
    "rezero",
    "scaled_residual",
    "sinusoid",
    "siren",
    "siren_first",
    "skip_init",
    "sparse",
    "stack",
    "t_fixup",
    "t_fixup_embedding",
    "torchtitan_residual",
    "transpose",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

def __dir__() -> list[str]: ...
