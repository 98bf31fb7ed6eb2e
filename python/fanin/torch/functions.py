"""Make tensors on the meta device, and see the functions that skip it, or drop values there, or whose names say more.

They are known by their code, so names that were imported early are no way around it, and nothing is patched.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors

from .. import schemes
from ..schemes import Scheme
from .evaluation import CPU
from .recorder import META, Recorder
from .values import Draw, Operation, Value

init = torch.nn.init

Locals = Mapping[str, Any]


def _truncated_normal(called: Locals, tensor: Any) -> Value:
    low, high = called["a"], called["b"]
    scheme = schemes.truncated_normal(called["mean"], called["std"], low, high, bounds="absolute")
    return Draw("truncated_normal", scheme, tensor.shape, tensor.dtype)


def _orthogonal(called: Locals, tensor: Any) -> Value:
    return Draw("orthogonal", schemes.orthogonal(called["gain"], layout="OI"), tensor.shape, tensor.dtype)


def _sparse(called: Locals, tensor: Any) -> Value:
    scheme = schemes.sparse(called["std"], sparsity=called["sparsity"], per="input", layout="OI")
    return Draw("sparse", scheme, tensor.shape, tensor.dtype)


def _dirac(called: Locals, tensor: Any) -> Value:
    shape, groups = tuple(tensor.shape), called["groups"]

    def dirac(groups: int) -> Any:
        return init.dirac_(torch.empty(shape, dtype=tensor.dtype, device=CPU), groups)

    return Operation(dirac, [groups], {}, shape, tensor.dtype)


# What returns at once on the meta device, after it asked whether a tensor is there.
SKIPPED: dict[Any, Callable[[Locals, Any], Value]] = {
    init._no_grad_trunc_normal_.__code__: _truncated_normal,
    init.orthogonal_.__code__: _orthogonal,
    init.sparse_.__code__: _sparse,
    init.dirac_.__code__: _dirac,
}

# What a function calls its draw, where fanin has the same scheme.
NAMED: dict[Any, Callable[[Locals], Scheme]] = {
    init.kaiming_uniform_.__code__: lambda called: schemes.he_uniform(**_kaiming(called)),
    init.kaiming_normal_.__code__: lambda called: schemes.he_normal(**_kaiming(called)),
    init.xavier_uniform_.__code__: lambda called: called["gain"] * schemes.xavier_uniform(layout="OI"),
    init.xavier_normal_.__code__: lambda called: called["gain"] * schemes.xavier_normal(layout="OI"),
}
_DRAWING = (torch.Tensor.normal_, torch.Tensor.uniform_)
_TENSORS = (torch.tensor, torch.as_tensor, torch.asarray)
_VALUES = (torch.Tensor.numpy, torch.Tensor.tolist, torch.Tensor.__array__, torch.Tensor.__dlpack__)
_MAKERS = _device_constructors()

# transformers leaves initialization out where this function finds that tensors are made on the meta device.
_DEVICE_CHECK = "get_torch_context_manager_or_global_device"


def _kaiming(called: Locals) -> dict[str, Any]:
    slope = called["nonlinearity"], called["a"]
    activation: Any = slope if slope[0] == "leaky_relu" else slope[0]
    return {"activation": activation, "mode": called["mode"], "layout": "OI"}


class Functions(TorchFunctionMode):
    """Tell a recorder what it cannot see below autograd."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self._answers: dict[Any, Callable[..., Any]] = {
            torch.Tensor.is_meta.__get__: self._is_meta,
            init.kaiming_uniform_: self._kaiming_uniform,
            torch.Tensor.new_tensor: self._new_tensor,
            **dict.fromkeys(_DRAWING, self._draw),
            **dict.fromkeys(_TENSORS, self._tensor),
            **dict.fromkeys(_VALUES, self._values),
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch, or answer for it."""
        kwargs = kwargs or {}
        answer = self._answers.get(func)
        if answer is not None:
            return answer(func, args, kwargs)
        if func in _MAKERS and kwargs.get("device") is None:
            kwargs = kwargs | {"device": META}
        return func(*args, **kwargs)

    def _is_meta(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Record what a function would draw that returns at once on the meta device, and let it return."""
        frame = sys._getframe(2)
        if frame.f_code not in SKIPPED:
            return func(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            self.recorder.write(args[0], SKIPPED[frame.f_code](frame.f_locals, args[0]))
            if frame.f_locals.get("generator") is not None:
                self.recorder.note_generator(frame.f_code.co_name)
        return True

    def _draw(self, func: Any, args: Any, kwargs: Any) -> Any:
        with self._naming(_caller()):
            return func(*args, **kwargs)

    def _kaiming_uniform(self, func: Any, args: Any, kwargs: Any) -> Any:
        with self._naming((func.__code__, kwargs)):
            return func(*args, **kwargs)

    def _values(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Return values for Python, which the meta device has not; RandomBranch if they are random."""
        with torch._C.DisableTorchFunction():
            self.recorder.require_known(args[0])
        return func(args[0].cpu(), *args[1:], **kwargs)

    def _new_tensor(self, func: Any, args: Any, kwargs: Any) -> Any:
        if not args[0].is_meta:
            return func(*args, **kwargs)
        made = torch.tensor(*args[1:], **{"dtype": args[0].dtype} | kwargs | {"device": CPU})
        return made.to(kwargs.get("device") or META)

    def _tensor(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Make a tensor of Python's values on the CPU, where it keeps them, and copy it from there."""
        device = kwargs.get("device")
        if sys._getframe(2).f_code.co_name == _DEVICE_CHECK:
            return func(*args, **kwargs | {"device": CPU})
        if isinstance(args[0], torch.Tensor) or (device is not None and torch.device(device) != META):
            return func(*args, **kwargs)
        grad = kwargs.get("requires_grad", False)
        others = {key: value for key, value in kwargs.items() if key != "requires_grad"}
        made = func(*args, **others | {"device": CPU})
        return made.detach().to(META).requires_grad_(grad)

    @contextlib.contextmanager
    def _naming(self, called: tuple[Any, Locals] | None) -> Iterator[None]:
        """Let the recorder know what the function that is called next calls its draw."""
        make = None if called is None else NAMED.get(called[0])
        if make is None:
            yield
            return
        assert called is not None
        try:
            self.recorder.named = make(called[1])
        except (ValueError, TypeError):  # a gain of torch's that fanin does not know
            self.recorder.named = None
        try:
            yield
        finally:
            self.recorder.named = None


def _caller() -> tuple[Any, Locals] | None:
    """Return code and variables of the function that draws: the one that called torch, or the one that called that."""
    frame = sys._getframe(3)
    for _ in range(2):
        if frame.f_code in NAMED:
            return frame.f_code, frame.f_locals
        if frame.f_back is None or frame.f_code.co_filename != init.__file__:
            break
        frame = frame.f_back
    return None
