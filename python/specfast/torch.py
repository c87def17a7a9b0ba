# SPDX-License-Identifier: BSD-3-Clause
"""STFTSpectrogram and MelSpectrogram as torch modules, and the operators behind them.

CPU tensors only. The operators `specfast::spectrogram` and `specfast::spectrogram_pull_back` are
known to autograd and `torch.compile`; where no gradient is needed the modules pass them by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from specfast._adapters import functional as _functional
from specfast._adapters.functional import SpectrogramFunction
from specfast._spec import policy as _policy
from specfast.layers import mel, stft
from specfast.layers.layer import Layer

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

_DTYPES = {torch.float32: "float32", torch.float64: "float64"}


class STFTSpectrogram(torch.nn.Module):
    """`specfast.STFTSpectrogram` as a module.

    Args:
        *args, **kwargs: those of `specfast.STFTSpectrogram`, but for `dtype`: "float32" or
            "float64", also as torch has them. It is the dtype of kernels and output, and `.to()`,
            `.float()` and `.double()` change it. (Kernels that `.double()` made keep the rounding
            of float32, with which they are not the analytic ones: no FFT runs.)

    Attributes:
        real_kernel, imag_kernel: [frame_length, 1, bins], in modes "real" and "imag" only the one
            of that name. Parameters if `trainable`, else buffers. While they hold the analytic
            values an FFT runs.
        layer: the specfast layer with the arguments; of its weights the module is independent.

    Input and output of a call are those of the layer. Gradients reach the input and the kernels.
    TypeError for tensors that are not on the CPU, or kernels in half precision.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.layer = stft.STFTSpectrogram(*args, **_plain_dtype(kwargs))
        self._keys = _keys(self.layer)
        for weight in self.layer.weights:
            value = torch.from_numpy(weight.numpy())
            if self.layer.trainable:
                self.register_parameter(weight.name, torch.nn.Parameter(value))
            else:
                self.register_buffer(weight.name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernels = [getattr(self, name) for name in self.layer.pipeline.weight_names]
        key = self._keys.get(kernels[0].dtype)
        if key is None:
            raise TypeError(
                "the kernels must be float32 or float64, as `.float()` and `.double()` make them. "
                f"Received: {self.layer.pipeline.weight_names[0]} of dtype {kernels[0].dtype}"
            )
        return _spectrogram(key, x, kernels)

    def extra_repr(self) -> str:
        return repr(self.layer)


class MelSpectrogram(torch.nn.Module):
    """`specfast.MelSpectrogram` as a module.

    Args:
        *args, **kwargs: those of `specfast.MelSpectrogram`, but for `dtype`: that of the output,
            "float32" or "float64", also as torch has them. None: that of the input, float32 for
            integers and half precision.

    Attributes:
        layer: the specfast layer with the arguments.

    Input and output of a call are those of the layer. Gradients reach the input. TypeError for
    tensors that are not on the CPU.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        arguments = _plain_dtype(kwargs)
        self.layer = mel.MelSpectrogram(*args, **arguments)
        keys = _keys(self.layer)
        fixed = next(d for d, name in _DTYPES.items() if name == self.layer.compute_dtype)
        self._keys = keys if arguments["dtype"] is None else {}
        self._key = keys[fixed]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _spectrogram(self._keys.get(x.dtype, self._key), x, [])

    def extra_repr(self) -> str:
        return repr(self.layer)


def _plain_dtype(kwargs: dict[str, Any]) -> dict[str, Any]:
    dtype = kwargs.get("dtype")
    name = _DTYPES.get(dtype, dtype)
    if name not in (None, *_DTYPES.values()):
        raise ValueError(f"`dtype` must be float32, float64 or None. Received: dtype={dtype!r}")
    return {**kwargs, "dtype": name}


def _keys(layer: Layer) -> dict[torch.dtype, str]:
    """Returns the keys of the layer's function in both precisions."""
    config = layer.get_config()
    return {
        dtype: _functional.key_of(type(layer).from_config({**config, "dtype": name}))
        for dtype, name in _DTYPES.items()
    }


def _spectrogram(key: str, x: torch.Tensor, kernels: Sequence[torch.Tensor]) -> torch.Tensor:
    if x.device.type not in ("cpu", "meta"):
        raise TypeError(
            "specfast computes on the CPU: pass x.cpu(), or keep this module in front of the data "
            f"transfer. Received: x on device {x.device}"
        )
    needs_gradient = torch.is_grad_enabled() and (
        x.requires_grad or any(kernel.requires_grad for kernel in kernels)
    )
    if not needs_gradient and _is_plain(x):
        return _compute(x, kernels, key, False)
    result: torch.Tensor = torch.ops.specfast.spectrogram(x, kernels, key, needs_gradient)
    return result


def _is_plain(x: torch.Tensor) -> bool:
    """Tells whether there are only numbers to compute: no trace, no transformation."""
    return (
        not torch.compiler.is_compiling()
        and type(x) is torch.Tensor
        and x.device.type == "cpu"
        and not torch._C._are_functorch_transforms_active()
    )


def spectrogram(
    function: SpectrogramFunction, x: torch.Tensor, kernels: Sequence[torch.Tensor]
) -> Any:
    """Returns the function's output, differentiable; for the Keras layers."""
    return _spectrogram(function.key, x, kernels)


# ---- Operators -------------------------------------------------------------------------------
#
# Defined through the library object and not by decorators: half the time of a call.

_library = torch.library.Library("specfast", "DEF")
_library.define("spectrogram(Tensor x, Tensor[] kernels, str key, bool keep) -> Tensor")
_library.define(
    "spectrogram_pull_back(Tensor x, Tensor[] kernels, Tensor cotangent, str key, bool signal, "
    "bool weights) -> Tensor[]"
)


def _compute(
    x: torch.Tensor, kernels: Sequence[torch.Tensor], key: str, keep: bool
) -> torch.Tensor:
    function = _functional.from_key(key)
    return _tensor(function(_array(x), [_array(kernel) for kernel in kernels], keep=keep))


def _describe(
    x: torch.Tensor, kernels: Sequence[torch.Tensor], key: str, keep: bool
) -> torch.Tensor:
    del kernels, keep
    function = _functional.from_key(key)
    function.check_dtype(_numpy_dtype(x.dtype))
    shape = function.symbolic_result(x.shape)
    return x.new_empty(shape, dtype=getattr(torch, function.dtype.name))


def _pull_back(
    x: torch.Tensor,
    kernels: Sequence[torch.Tensor],
    cotangent: torch.Tensor,
    key: str,
    signal: bool,
    weights: bool,
) -> list[torch.Tensor]:
    gradients = _functional.from_key(key).pull_back(
        _array(x),
        [_array(kernel) for kernel in kernels],
        _array(cotangent),
        signal=signal,
        weights=weights,
    )
    of_signal = [] if gradients.signal is None else [gradients.signal]
    return [_tensor(gradient) for gradient in of_signal + gradients.weights]


def _describe_pull_back(
    x: torch.Tensor, kernels: Sequence[torch.Tensor], *others: Any
) -> list[torch.Tensor]:
    _cotangent, _key, signal, weights = others
    wanted = ([x] if signal else []) + (list(kernels) if weights else [])
    return [tensor.new_empty(tensor.shape) for tensor in wanted]


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    del output
    x, kernels, ctx.key, _ = inputs
    ctx.save_for_backward(x, *kernels)


def _backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    x, *kernels = ctx.saved_tensors
    signal = ctx.needs_input_grad[0]
    weights = any(ctx.needs_input_grad[1])
    gradients = torch.ops.specfast.spectrogram_pull_back(
        x, kernels, cotangent, ctx.key, signal, weights
    )
    of_kernels = gradients[signal:] if weights else [None] * len(kernels)
    return gradients[0] if signal else None, of_kernels, None, None


def _refuse_second(ctx: Any, *cotangents: Any) -> None:
    raise NotImplementedError("specfast has no second derivatives: leave out create_graph=True")


_library.impl("spectrogram", _compute, "CPU")
_library.impl("spectrogram_pull_back", _pull_back, "CPU")
torch.library.register_fake("specfast::spectrogram", _describe, lib=_library)
torch.library.register_fake("specfast::spectrogram_pull_back", _describe_pull_back, lib=_library)
torch.library.register_autograd(
    "specfast::spectrogram", _backward, setup_context=_save, lib=_library
)
torch.library.register_autograd("specfast::spectrogram_pull_back", _refuse_second, lib=_library)


# NumPy knows bfloat16 by the package ml_dtypes only, and torch hands it over as integers only.


def _array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any]
    if tensor.dtype is torch.bfloat16:
        array = tensor.detach().view(torch.int16).numpy().view(_policy.bfloat16())
    else:
        array = tensor.detach().numpy()
    return array


def _tensor(array: np.ndarray[Any, Any]) -> torch.Tensor:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    name = str(dtype).removeprefix("torch.")
    return _policy.bfloat16() if name == "bfloat16" else np.dtype(name)
