# SPDX-License-Identifier: BSD-3-Clause
"""specfast itself: a plain call of the layer on a NumPy array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import specfast

from ..workloads import Workload
from .base import Call, flattened, versions_of


class Adapter:
    """specfast's two layers, its presets and its inverse."""

    def __init__(self, threads: int) -> None:
        specfast.set_num_threads(threads)

    def versions(self) -> dict[str, str]:
        info = specfast.build_info()
        return {**versions_of("specfast", "numpy"), "isa": str(info["isa"])}

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        if work.layer == "preset":
            changes = {name: value for name, value in work.params.items() if name != "preset"}
            extractor = specfast.presets.get(work.preset, **changes)
            return {"extractor(x)": lambda: extractor(x)}
        if work.layer in ("inverse", "griffin_lim"):
            istft = specfast.ISTFT(
                **work.params,
                periodic=True,
                scaling=None,
                padding="center",
                layout="bins_frames",
                dtype=work.compute_dtype,
            )
            if work.layer == "inverse":
                return {"istft(x)": lambda: istft(x, length=work.samples)}
            griffin_lim = specfast.GriffinLim(istft, pad_mode="reflect")
            return {"griffin_lim(x)": lambda: griffin_lim(x, length=work.samples)}
        kind = specfast.STFTSpectrogram if work.layer == "stft" else specfast.MelSpectrogram
        layer = kind(**work.params, dtype=work.compute_dtype)
        work.prepare_kernels(layer)
        if work.gradient:
            cotangent = work.make_cotangent(layer.compute_output_shape(x.shape))

            def gradients() -> Any:
                _, pullback = layer.vjp(x)
                return pullback(cotangent)

            return {"layer.vjp(x)": gradients}
        if work.reuse_output:
            out = layer(x)
            return {"layer(x, out=out)": lambda: layer(x, out=out)}
        return {"layer(x)": lambda: layer(x)}

    def result(self, value: Any) -> NDArray[Any]:
        if isinstance(value, specfast.Gradients):
            return flattened([value.signal, *value.weights])
        return np.asarray(value)
