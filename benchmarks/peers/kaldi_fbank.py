# SPDX-License-Identifier: BSD-3-Clause
"""kaldi-native-fbank: one OnlineFbank a clip, frame by frame, as its Python interface has it.

Dither, pre-emphasis and the removal of the mean are off; its levels are natural logarithms,
which the comparison turns into decibels.  Padding, and the conversion of the samples into the
list that the binding asks for, happen before the clock starts.
"""

from __future__ import annotations

import math
from typing import Any

import kaldi_native_fbank
import numpy as np
from numpy.typing import NDArray

from .. import definitions
from ..workloads import SAMPLING_RATE_HZ, Workload
from .base import Call, versions_of


class Adapter:
    """kaldi-native-fbank; one thread, whatever is asked for."""

    def __init__(self, threads: int) -> None:
        pass

    def versions(self) -> dict[str, str]:
        return versions_of("kaldi-native-fbank")

    def forms(self, work: Workload, x: NDArray[Any]) -> dict[str, Call]:
        margin = work.frame_length // 2
        padded = definitions.reflect_padded(work, x, margin).astype(np.float32)
        arrays, lists = list(padded), [clip.tolist() for clip in padded]
        options = _options(work)

        def call(clips: list[Any]) -> NDArray[Any]:
            features = []
            for clip in clips:
                bank = kaldi_native_fbank.OnlineFbank(options)
                bank.accept_waveform(SAMPLING_RATE_HZ, clip)
                bank.input_finished()
                features.append([bank.get_frame(i) for i in range(bank.num_frames_ready)])
            return np.array(features)

        return {"from lists": lambda: call(lists), "from arrays": lambda: call(arrays)}

    def result(self, value: Any) -> NDArray[Any]:
        return np.asarray(np.swapaxes(value, -1, -2) * (10 / math.log(10)))


def _options(work: Workload) -> Any:
    options = kaldi_native_fbank.FbankOptions()
    frames, mel = options.frame_opts, options.mel_opts
    frames.samp_freq = SAMPLING_RATE_HZ
    frames.frame_length_ms = 1000 * work.frame_length / SAMPLING_RATE_HZ
    frames.frame_shift_ms = 1000 * work.hop / SAMPLING_RATE_HZ
    frames.dither = 0
    frames.preemph_coeff = 0
    frames.remove_dc_offset = False
    frames.window_type = "hanning"
    frames.snip_edges = True
    mel.num_bins = work.num_mel_bins
    mel.low_freq = definitions.MIN_FREQ_HZ
    mel.high_freq = definitions.MAX_FREQ_HZ
    return options
