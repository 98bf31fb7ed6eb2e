"""What a layer is here: its parameters by name; and what each framework's module says about layers."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeAlias

from ..arrays.types import Activation
from ..schemes import Constant, Scheme


class Parameter(NamedTuple):
    """A parameter of a layer, or a buffer that starts at a value.

    Parameters
    ----------
    shape : tuple of int
        As its framework stores it.
    scheme : Scheme
        Draws it, or any slice of it.

    Examples
    --------
    >>> from fanin import layers
    >>> shape, scheme = layers.linear(100, 300, framework="keras")["kernel"]
    >>> shape, round(scheme.std(shape), 6)
    ((100, 300), 0.070711)
    """

    shape: tuple[int, ...]
    scheme: Scheme


Parameters: TypeAlias = dict[str, Parameter]
Framework: TypeAlias = Literal["fanin", "torch", "keras", "flax"]


class Library(Protocol):
    """The layers of a framework; `fanin.layers` has checked the arguments."""

    def linear(self, inputs: int, outputs: int, bias: bool, activation: Activation) -> Parameters: ...

    def conv(
        self, inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
    ) -> Parameters: ...

    def conv_transposed(
        self, inputs: int, outputs: int, size: tuple[int, ...], groups: int, bias: bool, activation: Activation
    ) -> Parameters: ...

    def depthwise_conv(
        self, channels: int, size: tuple[int, ...], multiplier: int, bias: bool, activation: Activation
    ) -> Parameters: ...

    def embedding(self, count: int, features: int, padding: int | None) -> Parameters: ...

    def batch_norm(self, features: int) -> Parameters: ...

    def layer_norm(self, shape: tuple[int, ...]) -> Parameters: ...

    def group_norm(self, channels: int) -> Parameters: ...

    def rms_norm(self, shape: tuple[int, ...]) -> Parameters: ...

    def rnn(self, inputs: int, hidden: int, bias: bool) -> Parameters: ...

    def lstm(self, inputs: int, hidden: int, bias: bool) -> Parameters: ...

    def gru(self, inputs: int, hidden: int, bias: bool) -> Parameters: ...

    def attention(
        self, features: int, heads: int, key_features: int, value_features: int, bias: bool
    ) -> Parameters: ...

    def head(self, inputs: int, classes: int, bias: bool) -> Parameters: ...


def constants(shape: tuple[int, ...], **values: float) -> Parameters:
    """Parameters of one shape that each start at a value."""
    return {name: Parameter(shape, Constant(value)) for name, value in values.items()}


def dense(kernel: tuple[int, ...], scheme: Scheme, outputs: tuple[int, ...], bias: bool) -> Parameters:
    """A kernel, and a bias of zeros, as Keras and Flax name them."""
    return {"kernel": Parameter(kernel, scheme)} | (constants(outputs, bias=0.0) if bias else {})


def within(part: str, parameters: Parameters) -> Parameters:
    """The parameters of a part of a layer, as the layer names them."""
    return {part + name: parameter for name, parameter in parameters.items()}
