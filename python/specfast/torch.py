# SPDX-License-Identifier: BSD-3-Clause
"""STFTSpectrogram, MelSpectrogram, FeatureExtractor and ISTFT as torch modules.

The engine computes on the CPU, differentiably, and in `torch.compile` and `torch.func` too. What
`torch.jit.trace`, `torch.export` and `torch.onnx.export` record is composed of torch's own
operations and needs neither this package nor Python; so is what a module with `portable=True`
does, on any device. Tensors on a GPU of NVIDIA stay there: with the package specfast-cuda13 the
engine computes where no gradient is asked for, and torch elsewhere. A FeatureExtractor and an
ISTFT compute on the CPU by the engine only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.fx

from specfast._adapters import functional as _functional
from specfast._adapters import torch_inverse as _inverse
from specfast._adapters import torch_operators as _operators
from specfast._adapters.functional import SpectrogramFunction
from specfast._spec import checks as _checks
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers import features, inverse, mel, stft
from specfast.layers.layer import Layer, restored

__all__ = ["ISTFT", "FeatureExtractor", "MelSpectrogram", "STFTSpectrogram"]

_DTYPES = {torch.float32: "float32", torch.float64: "float64"}


class _Module(torch.nn.Module):
    """The base of all modules.

    Attributes:
        layer: the specfast layer with the arguments.
        portable: whether torch computes in place of the engine.
    """

    def __init__(
        self,
        layer: _functional.Source,
        functions: dict[torch.dtype, SpectrogramFunction],
        portable: Any = False,
    ) -> None:
        super().__init__()
        if not isinstance(portable, bool):
            raise TypeError(f"`portable` must be True or False. Received: portable={portable!r}")
        self.layer = layer
        self.portable = portable
        # A text, as torch.func.vmap asks for it, which torch.compile can read.
        self._shown = repr(layer)
        self._functions = functions

    def _call(self, x: torch.Tensor, kernels: list[torch.Tensor]) -> torch.Tensor:
        if isinstance(x, torch.fx.Proxy):
            keys = [function.key for function in self._functions.values()]
            return _call_by_keys(x, kernels, keys, self.portable)
        return _call(self._functions, x, kernels, self.portable)

    def extra_repr(self) -> str:
        return self._shown + (", portable=True" if self.portable else "")

    def __prepare_scriptable__(self) -> torch.nn.Module:
        raise NotImplementedError(
            f"torch.jit.script cannot compile {type(self).__name__}: use torch.jit.trace(module, "
            "example) and script the rest around it, or torch.export.export(module, (example,)). "
            f"Received: {self!r}"
        )


class STFTSpectrogram(_Module):
    """`specfast.STFTSpectrogram` as a module.

    Args:
        *args, **kwargs: those of `specfast.STFTSpectrogram`, but for `dtype`: "float32" or
            "float64", also as torch has them. It is the dtype of kernels and output, and `.to()`,
            `.float()` and `.double()` change it. (Kernels that `.double()` made keep the rounding
            of float32, with which they are not the analytic ones: no FFT runs.)
        portable: whether torch computes in place of the engine, by a product with the kernels:
            slower, equal but for rounding, on any device. Can be set later.

    Attributes:
        real_kernel, imag_kernel: [frame_length, 1, bins], in modes "real" and "imag" only the one
            of that name. Parameters if `trainable`, else buffers. While they hold the analytic
            values an FFT runs.
        layer: the specfast layer with the arguments; of its weights the module is independent.

    Input and output of a call are those of the layer. Gradients reach the input and the kernels.
    TypeError for tensors that are neither on the CPU nor on a GPU of NVIDIA for which there is an
    engine (see docs/gpu.md), or kernels in half precision.
    """

    def __init__(self, *args: Any, portable: bool = False, **kwargs: Any) -> None:
        layer = stft.STFTSpectrogram(*args, **_plain_dtype(kwargs))
        super().__init__(layer, _functions_of(layer, _DTYPES), portable)
        for weight in layer.weights:
            value = torch.from_numpy(weight.numpy())
            if layer.trainable:
                self.register_parameter(weight.name, torch.nn.Parameter(value))
            else:
                self.register_buffer(weight.name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._call(x, [getattr(self, name) for name in self.layer.pipeline.weight_names])


class MelSpectrogram(_Module):
    """`specfast.MelSpectrogram` as a module.

    Args:
        *args, **kwargs: those of `specfast.MelSpectrogram`, but for `dtype`: that of the output,
            "float32" or "float64", also as torch has them. None: that of the input, float32 for
            integers and half precision.
        portable: whether torch computes in place of the engine: slower, equal but for rounding,
            on any device. Can be set later.

    Attributes:
        layer: the specfast layer with the arguments.

    Input and output of a call are those of the layer. Gradients reach the input. TypeError for
    tensors that are neither on the CPU nor on a GPU of NVIDIA for which there is an engine (see
    docs/gpu.md).
    """

    def __init__(self, *args: Any, portable: bool = False, **kwargs: Any) -> None:
        arguments = _plain_dtype(kwargs)
        layer = mel.MelSpectrogram(*args, **arguments)
        fixed = None if arguments["dtype"] is None else layer.compute_dtype
        dtypes = {dtype: fixed or name for dtype, name in _DTYPES.items()}
        super().__init__(layer, _functions_of(layer, dtypes), portable)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._call(x, [])


class FeatureExtractor(_Module):
    """`specfast.FeatureExtractor` as a module.

    Args:
        spec: what is computed; it has the dtype of the output too.
        num_threads: threads for a call; None: the global setting.

    Attributes:
        layer: the specfast extractor.

    Input and output of a call are those of the extractor for one array, integers included.
    Gradients reach the input; ValueError in the backward pass for a specification with a step
    that has none. TypeError for tensors that are not on the CPU, NotImplementedError for exports,
    forward and second derivatives.
    """

    def __init__(self, spec: FeatureSpec, *, num_threads: int | None = None) -> None:
        extractor = features.FeatureExtractor(spec, num_threads=num_threads)
        function = _functional.registered(extractor)
        super().__init__(extractor, dict.fromkeys(_DTYPES, function))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._call(x, [])


class ISTFT(torch.nn.Module):
    """`specfast.ISTFT` as a module.

    Args:
        *args, **kwargs: those of `specfast.ISTFT`, but for `dtype`: that of the signals,
            "float32" or "float64", also as torch has them. None: that of the spectra.

    Attributes:
        layer: the specfast inverse with the arguments.

    `module(spectra, length=None)` is a call of the inverse. Gradients of every order reach the
    spectra, in `torch.compile`, `torch.func.vmap` and `torch.func.grad` too. TypeError for
    tensors that are not on the CPU, NotImplementedError for traces and exports.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        arguments = _plain_dtype(kwargs)
        fixed = arguments.pop("dtype")
        self.layer = inverse.ISTFT(*args, **arguments, dtype=fixed or "float32")
        config = self.layer.get_config()
        self._keys = {
            dtype: json.dumps({**config, "dtype": fixed or name})
            for dtype, name in _DTYPES.items()
        }

    def forward(self, spectra: torch.Tensor, length: int | None = None) -> torch.Tensor:
        dtype = getattr(spectra, "dtype", None)
        is_double = dtype in (torch.complex128, torch.float64)
        key = self._keys[torch.float64 if is_double else torch.float32]
        return _inverse.inverse(key, spectra, length)

    def extra_repr(self) -> str:
        return repr(self.layer)


def _functions_of(
    layer: Layer, dtypes: Mapping[torch.dtype, str]
) -> dict[torch.dtype, SpectrogramFunction]:
    """Returns the function for each dtype of a call, which computes in the dtype of this name."""
    config = layer.get_config()
    return {
        dtype: _functional.registered(restored(type(layer), {**config, "dtype": name}))
        for dtype, name in dtypes.items()
    }


def _plain_dtype(kwargs: dict[str, Any]) -> dict[str, Any]:
    dtype = kwargs.get("dtype")
    name = _DTYPES.get(dtype, dtype)
    if name not in (None, *_DTYPES.values()):
        raise ValueError(f"`dtype` must be float32, float64 or None. Received: dtype={dtype!r}")
    return {**kwargs, "dtype": name}


def _call(
    functions: Mapping[torch.dtype, SpectrogramFunction],
    x: torch.Tensor,
    kernels: Sequence[torch.Tensor],
    portable: bool,
) -> torch.Tensor:
    """Calls the function of the kernels' dtype, or of that of the samples."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            "`x` must be a tensor of torch: pass torch.from_numpy(x) for an array of NumPy, the "
            f"layers of specfast for any other. {_checks.received('x', x)}"
        )
    dtype = kernels[0].dtype if kernels else x.dtype
    if kernels and dtype not in functions:
        raise TypeError(
            "the kernels must be float32 or float64, as `.float()` and `.double()` make them. "
            f"Received: kernels of dtype {dtype}"
        )
    function = functions.get(dtype) or functions[torch.float32]
    return _operators.spectrogram(function, x, kernels, portable=portable)


def _call_by_keys(
    x: torch.Tensor, kernels: Sequence[torch.Tensor], keys: Sequence[str], portable: bool
) -> torch.Tensor:
    """The node of a module in a graph of `torch.fx`, where dtypes are not known yet."""
    functions = dict(zip(_DTYPES, map(_functional.from_key, keys), strict=True))
    return _call(functions, x, kernels, portable)


torch.fx.wrap("_call_by_keys")


def spectrogram(
    function: SpectrogramFunction, x: torch.Tensor, kernels: Sequence[torch.Tensor]
) -> Any:
    """Returns the function's output, differentiable; for the Keras layers."""
    return _operators.spectrogram(function, x, kernels)
