# SPDX-License-Identifier: BSD-3-Clause
"""Compares the layers on a GPU with the CPU, on arrays of the frameworks that are installed.

    python -m benchmarks.gpu.frameworks

Exits with 1 if a result is of another kind than the samples, differs from that of the CPU by more
than 2e-3 dB, or is not in the order of the stream; and if no framework is installed.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import specfast

ACCEPTED_DB = 2e-3
REPETITIONS = 50

Array = NDArray[Any]
Check = Callable[[Any], None]

layer = specfast.MelSpectrogram(fft_length=512, sequence_stride=160, num_mel_bins=40)
samples: Array = np.random.default_rng(0).standard_normal((64, 48000)).astype(np.float32)
wanted: Array = layer(samples)


def require(is_so: bool, what: str) -> None:
    if not is_so:
        raise AssertionError(what)


def require_close(values: Array, expected: Array = wanted) -> None:
    error = float(np.abs(values.astype(np.float64) - expected).max())
    require(error <= ACCEPTED_DB, f"differs by {error:.1e} dB")


# ---- One check for each framework --------------------------------------------------------------


def check_torch(torch: Any) -> None:
    x = torch.from_numpy(samples).cuda()
    y = layer(x)
    require(isinstance(y, torch.Tensor) and y.device == x.device, "result of another kind")
    require_close(y.cpu().numpy())
    require_close(layer(x.T.contiguous().T).cpu().numpy())
    out = torch.full_like(y, float("nan"))
    require(layer(x, out=out) is out, "out is another array")
    require_close(out.cpu().numpy())
    half = layer(x.bfloat16()).cpu().numpy()
    require_close(half, layer(x.bfloat16().float().cpu().numpy()))
    module = importlib.import_module("specfast.torch").MelSpectrogram(
        fft_length=512, sequence_stride=160, num_mel_bins=40
    )
    require_close(module(x).cpu().numpy())
    require_close(module(x.clone().requires_grad_()).detach().cpu().numpy())
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(REPETITIONS):  # memory goes at once, and is used again behind the work
            y = layer(torch.zeros_like(x) + x)
    side.synchronize()
    require_close(y.cpu().numpy())


def check_cupy(cupy: Any) -> None:
    x = cupy.asarray(samples)
    y = layer(x)
    require(isinstance(y, cupy.ndarray), "result of another kind")
    require_close(cupy.asnumpy(y))
    out = cupy.full(y.shape, cupy.nan, y.dtype)
    require(layer(x, out=out) is out, "out is another array")
    require_close(cupy.asnumpy(out))
    cupy.cuda.Stream.null.synchronize()
    with cupy.cuda.Stream(non_blocking=True) as stream:
        for _ in range(REPETITIONS):
            y = layer(cupy.zeros_like(x) + x)
        stream.synchronize()
    require_close(cupy.asnumpy(y))


def check_jax(jax: Any) -> None:
    require(jax.default_backend() == "gpu", "jax has no GPU")
    x = jax.numpy.asarray(samples)
    for _ in range(REPETITIONS):
        y = layer(x + 0)
    require(isinstance(y, jax.Array), "result of another kind")
    require_close(np.asarray(y))
    half = layer(x.astype(jax.numpy.bfloat16))
    require_close(np.asarray(half), layer(np.asarray(x.astype(jax.numpy.bfloat16))))


def check_numba(cuda: Any) -> None:
    stream = cuda.stream()
    y = layer(cuda.to_device(samples, stream=stream))
    require(isinstance(y, specfast.DeviceArray), "result of another kind")
    require_close(y.copy_to_host())
    require_close(cuda.as_cuda_array(y).copy_to_host())


def check_device_array(torch: Any) -> None:
    class Interface:
        def __init__(self, x: Any) -> None:
            self.__cuda_array_interface__ = {**x.__cuda_array_interface__, "stream": 1}

    y = layer(Interface(torch.from_numpy(samples).cuda()))
    require_close(torch.from_dlpack(y).cpu().numpy())
    require_close(torch.as_tensor(y, device="cuda").cpu().numpy())


CHECKS: list[tuple[str, Check]] = [
    ("torch", check_torch),
    ("cupy", check_cupy),
    ("jax", check_jax),
    ("numba.cuda", check_numba),
    ("torch", check_device_array),
]


def outcome(name: str, check: Check) -> str:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return "not installed"
    try:
        check(module)
    except Exception as error:
        return f"FAILED: {type(error).__name__}: {error}"
    return "ok"


def main() -> int:
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the others need memory too
    outcomes = [(f"{name} {check.__name__}", outcome(name, check)) for name, check in CHECKS]
    for title, result in outcomes:
        print(f"{title:<28} {result}")
    results = {result for _, result in outcomes}
    return 0 if "ok" in results and results <= {"ok", "not installed"} else 1


if __name__ == "__main__":
    sys.exit(main())
