# SPDX-License-Identifier: BSD-3-Clause
"""Tensors of torch as NumPy arrays, without importing torch."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine import advice
from specfast._spec import checks, policy


def is_tensor(x: Any) -> bool:
    """Tells whether `x` is a tensor of torch; where nobody has imported torch, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, getattr(torch, "Tensor", ()))


def to_array(tensor: Any) -> npt.NDArray[Any]:
    """Returns the numbers of a tensor, in its own memory wherever that is possible.

    Raises:
        TypeError: for a tensor whose numbers are not in CPU memory, or as `plain`.
        ImportError: for bfloat16 without the package ml_dtypes.
    """
    resolved = plain(tensor, "cpu")
    torch = sys.modules["torch"]
    try:
        # NumPy knows bfloat16 by the package ml_dtypes only, and torch gives it as integers only.
        if resolved.dtype is torch.bfloat16:
            return np.asarray(resolved.view(torch.int16).numpy().view(policy.bfloat16()))
        return np.asarray(resolved.numpy())
    except (TypeError, RuntimeError) as error:
        raise TypeError(
            "`x` is a torch tensor that NumPy cannot read: pass x.float(). Received: x of "
            f"{type(tensor).__name__}, dtype {tensor.dtype}: {checks.clipped(str(error))}"
        ) from error


def plain(tensor: Any, device_type: str = "cuda") -> Any:
    """Returns a tensor of the same numbers whose memory holds just these.

    Args:
        tensor: any tensor.
        device_type: the type of device that it must be on.

    Raises:
        TypeError: for a tensor elsewhere, one whose numbers are not stored one by one, or part of
            a derivative, which would end here unseen.
    """
    if tensor.is_nested:
        raise TypeError(
            f"`x` is a nested tensor of torch; {advice.UNEQUAL_CLIPS}: "
            "torch.nested.to_padded_tensor(x, 0.0) pads. "
            f"Received: x of {tensor.size(0)} tensors, dtype {tensor.dtype}"
        )
    if refused := _why_not(tensor, device_type):
        why, way_out = refused
        raise TypeError(
            f"`x` is a torch tensor {why}: {way_out}. Received: x of dtype {tensor.dtype}, shape "
            f"{tuple(tensor.shape)}, device {tensor.device}"
        )
    return tensor.resolve_conj().resolve_neg()


def _why_not(tensor: Any, device_type: str) -> tuple[str, str] | None:
    """Returns why a tensor is refused and what to do instead, or None."""
    functorch = sys.modules["torch"]._C._functorch
    if functorch.is_functorch_wrapped_tensor(tensor):
        return (
            "inside a transform of torch.func, which ends at NumPy",
            "use the modules of specfast.torch",
        )
    if tensor.device.type == "meta":
        return "on the device meta, which has no values", "pass one on the CPU"
    if tensor.device.type != device_type:
        return "that is not in CPU memory", "pass x.cpu()"
    if tensor.layout is not sys.modules["torch"].strided:
        return "that is sparse", "pass x.to_dense()"
    if tensor.requires_grad:
        return (
            "that requires a gradient, and NumPy passes none on",
            "pass x.detach(), or use the modules of specfast.torch",
        )
    return None
