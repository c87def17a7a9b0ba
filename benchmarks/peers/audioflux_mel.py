# SPDX-License-Identifier: BSD-3-Clause
"""audioFlux: its BFT object with a mel scale, made once, then its own or NumPy's decibels.

It has no window shorter than the transform and does not pad: the padding is done before the
clock starts, and where Keras uses 400 of 512 samples it windows all 512 (the same work).
"""

from __future__ import annotations

from typing import Any

import audioflux
import numpy as np
from audioflux.type import SpectralDataType, SpectralFilterBankScaleType, WindowType
from numpy.typing import NDArray

from .. import definitions
from ..workloads import SAMPLING_RATE_HZ, Workload
from .base import Call, versions_of


class Adapter:
    """audioFlux's mel spectrogram, float32 only."""

    def __init__(self, threads: int) -> None:
        pass  # OMP_NUM_THREADS is all it listens to

    def versions(self) -> dict[str, str]:
        return versions_of("audioflux")

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        padded = definitions.reflect_padded(work, x)
        transform = audioflux.BFT(
            num=work.num_mel_bins,
            radix2_exp=work.fft_length.bit_length() - 1,
            samplate=SAMPLING_RATE_HZ,
            low_fre=definitions.MIN_FREQ_HZ,
            high_fre=definitions.MAX_FREQ_HZ,
            window_type=WindowType.HANN,
            slide_length=work.hop,
            scale_type=SpectralFilterBankScaleType.MEL,
            data_type=SpectralDataType.POWER,
        )

        def own_level() -> NDArray[Any]:
            power = transform.bft(padded, result_type=1)
            return np.asarray(audioflux.utils.power_to_db(power, -definitions.TOP_DB))

        def numpy_level() -> NDArray[Any]:
            power = transform.bft(padded, result_type=1)
            np.maximum(power, np.float32(definitions.MIN_POWER), out=power)
            np.log10(power, out=power)
            power *= np.float32(10)
            np.maximum(power, power.max() - np.float32(definitions.TOP_DB), out=power)
            return np.asarray(power)

        return {"own decibels": own_level, "NumPy decibels": numpy_level}

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(value)
