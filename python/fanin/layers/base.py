"""Define what a layer is: its parameters by name, and the functions that each framework's module has for layers."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeAlias

from ..arrays.types import Activation
from ..schemes import Constant, Scheme


class ParameterSpec(NamedTuple):
    """Hold shape and scheme of a parameter of a layer, or of a buffer that starts at a value.

    Parameters
    ----------
    shape : tuple of int
        The shape, in the order of axes that the framework has.
    scheme : Scheme
        The scheme, which draws the parameter or any slice of it.

    Examples
    --------
    >>> from fanin import layers
    >>> shape, scheme = layers.linear(100, 300, framework="keras")["kernel"]
    >>> shape, round(scheme.expected_std(shape), 6)
    ((100, 300), 0.070711)
    """

    shape: tuple[int, ...]
    scheme: Scheme


ParameterSpecs: TypeAlias = dict[str, ParameterSpec]
Framework: TypeAlias = Literal["fanin", "torch", "keras", "flax"]


class Library(Protocol):
    """List the layers that a framework's module describes; `fanin.layers` has checked the arguments."""

    def linear(self, inputs: int, outputs: int, bias: bool, activation: Activation) -> ParameterSpecs: ...

    def conv(
        self, inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
    ) -> ParameterSpecs: ...

    def conv_transposed(
        self, inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
    ) -> ParameterSpecs: ...

    def depthwise_conv(
        self, channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
    ) -> ParameterSpecs: ...

    def embedding(self, count: int, features: int, padding: int | None) -> ParameterSpecs: ...

    def batch_norm(self, features: int) -> ParameterSpecs: ...

    def layer_norm(self, shape: tuple[int, ...]) -> ParameterSpecs: ...

    def group_norm(self, channels: int) -> ParameterSpecs: ...

    def rms_norm(self, shape: tuple[int, ...]) -> ParameterSpecs: ...

    def rnn(self, inputs: int, hidden: int, bias: bool) -> ParameterSpecs: ...

    def lstm(self, inputs: int, hidden: int, bias: bool) -> ParameterSpecs: ...

    def gru(self, inputs: int, hidden: int, bias: bool) -> ParameterSpecs: ...

    def attention(
        self, features: int, heads: int, key_features: int, value_features: int, bias: bool
    ) -> ParameterSpecs: ...

    def head(self, inputs: int, classes: int, bias: bool) -> ParameterSpecs: ...


def constants(shape: tuple[int, ...], **values: float) -> ParameterSpecs:
    """Describe parameters of one shape that each start at a value."""
    return {name: ParameterSpec(shape, Constant(value)) for name, value in values.items()}


def dense(kernel: tuple[int, ...], scheme: Scheme, outputs: tuple[int, ...], bias: bool) -> ParameterSpecs:
    """Describe a kernel, and a bias of zeros, as Keras and Flax name them."""
    return {"kernel": ParameterSpec(kernel, scheme)} | (constants(outputs, bias=0.0) if bias else {})


def within(part: str, parameters: ParameterSpecs) -> ParameterSpecs:
    """Put the name of a part of a layer before the names of its parameters."""
    return {part + name: parameter for name, parameter in parameters.items()}
