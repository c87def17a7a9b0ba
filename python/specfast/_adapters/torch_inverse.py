# SPDX-License-Identifier: BSD-3-Clause
"""The inverse transform on tensors of torch: two operators, each of which is the other's gradient.

It is linear, so that the pullback of its pullback is the inverse again, and the engine computes
derivatives of every order.
"""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from specfast._adapters import torch_operators as _operators
from specfast._engine import tensors as _tensors
from specfast._engine.inverse_pipeline import InversePipeline
from specfast._spec import checks
from specfast.layers.inverse import ISTFT


def inverse(key: str, spectra: Any, length: int | None) -> torch.Tensor:
    """Returns the signals of spectra, differentiable.

    Args:
        key: that of the inverse, by `key_of`.
        spectra: as the inverse takes them.
        length: samples of each signal; None: the usual ones.

    Raises:
        TypeError, ValueError: as a call of the inverse; TypeError for what is no tensor on the
            CPU too.
        NotImplementedError: where the call is recorded for a program without Python.
    """
    if not isinstance(spectra, torch.Tensor):
        raise TypeError(
            "`spectra` must be a tensor of torch: pass torch.from_numpy(spectra) for an array of "
            f"NumPy. {checks.received('spectra', spectra)}"
        )
    if _operators.leaves_python():
        raise NotImplementedError(
            "ISTFT has no form of torch's own operations, of which traces and exports consist: "
            f"torch.istft has. Received: spectra of shape {tuple(spectra.shape)}"
        )
    if spectra.device.type not in ("cpu", "meta"):
        raise TypeError(
            "ISTFT computes on the CPU: pass spectra.cpu(). "
            f"Received: spectra on device {spectra.device}"
        )
    way = _Inverse.apply if _operators.is_transformed() else torch.ops.specfast.inverse
    result: torch.Tensor = way(spectra, key, length)
    return result


def key_of(layer: ISTFT) -> str:
    """Returns the text that operators know an inverse by."""
    return json.dumps(layer.get_config())


@functools.lru_cache(maxsize=256)
def _pipeline(key: str) -> InversePipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the layer has given them
        return ISTFT.from_config(json.loads(key)).pipeline


def _compute(spectra: torch.Tensor, key: str, length: int | None) -> torch.Tensor:
    return torch.from_numpy(_pipeline(key).run(_array(spectra), length))


def _pull_back(
    cotangent: torch.Tensor, shape: Sequence[int], length: int, key: str
) -> torch.Tensor:
    return torch.from_numpy(_pipeline(key).pull_back(_array(cotangent), tuple(shape), length))


def _array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    return _tensors.to_array(tensor.detach())


# ---- What is known without numbers -----------------------------------------------------------


def _describe(spectra: torch.Tensor, key: str, length: Any) -> torch.Tensor:
    pipeline = _pipeline(key)
    pipeline.check_dtype(_operators.numpy_dtype(spectra.dtype), spectra.shape)
    shape = tuple(spectra.shape)
    pipeline.layout.check_shape(shape)
    frames = shape[pipeline.layout.frames_axis(len(shape))]
    if type(frames) is int and (length is None or type(length) is int):
        samples: Any = pipeline.num_samples(frames, length)
    else:
        samples = pipeline.symbolic_samples(frames) if length is None else length
    dtype = getattr(torch, pipeline.result_dtype.name)
    return spectra.new_empty(pipeline.layout.signal_shape(shape, samples), dtype=dtype)


def _describe_pull_back(
    cotangent: torch.Tensor, shape: Sequence[Any], length: Any, key: str
) -> torch.Tensor:
    del length
    return cotangent.new_empty(
        tuple(shape), dtype=getattr(torch, _pipeline(key).spectra_dtype.name)
    )


# ---- Derivatives and mapped axes -------------------------------------------------------------


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    spectra, ctx.key, _ = inputs
    ctx.shape, ctx.dtype = spectra.shape, spectra.dtype
    ctx.length = output.shape[_pipeline(ctx.key).layout.samples_axis]


def _backward(ctx: Any, cotangent: torch.Tensor, way: Any = None) -> tuple[Any, ...]:
    way = way or torch.ops.specfast.inverse_pull_back
    return way(cotangent, ctx.shape, ctx.length, ctx.key).to(ctx.dtype), None, None


def _save_for_second(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    del output
    cotangent, _, ctx.length, ctx.key = inputs
    ctx.dtype = cotangent.dtype


def _second_backward(ctx: Any, cotangent: torch.Tensor, way: Any = None) -> tuple[Any, ...]:
    way = way or torch.ops.specfast.inverse
    return way(cotangent, ctx.key, ctx.length).to(ctx.dtype), None, None, None


class _Inverse(torch.autograd.Function):
    """The operator for torch.func, which takes no derivative of one itself."""

    generate_vmap_rule = True
    setup_context = staticmethod(_save)

    @staticmethod
    def forward(*arguments: Any) -> torch.Tensor:
        found: torch.Tensor = torch.ops.specfast.inverse(*arguments)
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        return _backward(ctx, cotangent, _PullBack.apply)


class _PullBack(torch.autograd.Function):
    """The same of its pullback."""

    generate_vmap_rule = True
    setup_context = staticmethod(_save_for_second)

    @staticmethod
    def forward(*arguments: Any) -> torch.Tensor:
        found: torch.Tensor = torch.ops.specfast.inverse_pull_back(*arguments)
        return found

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        return _second_backward(ctx, cotangent, _Inverse.apply)


# A mapped axis is one more of signals, where the layout has room for it: "layer" has one only.


def _map(info: Any, axes: tuple[Any, ...], spectra: torch.Tensor, key: str, length: Any) -> Any:
    del info
    full = spectra.movedim(axes[0], 0)
    if _pipeline(key).layout.has_any_rank:
        return torch.ops.specfast.inverse(full, key, length), 0
    found = torch.ops.specfast.inverse(full.flatten(0, 1), key, length)
    return found.unflatten(0, full.shape[:2]), 0


def _map_pull_back(
    info: Any,
    axes: tuple[Any, ...],
    cotangent: torch.Tensor,
    shape: Sequence[Any],
    length: Any,
    key: str,
) -> Any:
    full, operator = cotangent.movedim(axes[0], 0), torch.ops.specfast.inverse_pull_back
    if _pipeline(key).layout.has_any_rank:
        return operator(full, [info.batch_size, *shape], length, key), 0
    found = operator(full.flatten(0, 1), [info.batch_size * shape[0], *shape[1:]], length, key)
    return found.unflatten(0, full.shape[:2]), 0


_library = torch.library.Library("specfast", "FRAGMENT")
_library.define("inverse(Tensor spectra, str key, SymInt? length) -> Tensor")
_library.define(
    "inverse_pull_back(Tensor cotangent, SymInt[] shape, SymInt length, str key) -> Tensor"
)
for _name, _way, _fake, _gradient, _context, _vmap in (
    ("inverse", _compute, _describe, _backward, _save, _map),
    (
        *("inverse_pull_back", _pull_back, _describe_pull_back),
        *(_second_backward, _save_for_second, _map_pull_back),
    ),
):
    _library.impl(_name, _way, "CPU")
    torch.library.register_fake(f"specfast::{_name}", _fake, lib=_library)
    torch.library.register_autograd(
        f"specfast::{_name}", _gradient, setup_context=_context, lib=_library
    )
    torch.library.register_vmap(f"specfast::{_name}", _vmap, lib=_library)
