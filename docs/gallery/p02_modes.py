# SPDX-License-Identifier: BSD-3-Clause
"""
One transform, four modes
=========================

``mode`` says what an ``STFTSpectrogram`` returns of each bin: see :doc:`/docs/arguments`. Half a
second, in which the phases of the overtones can be seen.
"""

import matplotlib.pyplot as plt

from specfast import STFTSpectrogram, plot
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
clip = samples[int(0.5 * rate) : int(1.0 * rate)]

figure, panels = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
for mode, ax in zip(("log", "psd", "real", "angle"), panels.flat, strict=True):
    stft = STFTSpectrogram(mode, frame_length=400, frame_step=40, fft_length=512)
    # Real parts of weak overtones would be white beside those of the strongest.
    limits = {"vmin": -0.1, "vmax": 0.1} if mode == "real" else {}
    title = f'mode="{mode}"'
    plot.recording(clip, stft, sampling_rate=rate, ax=ax, colorbar=True, title=title, **limits)
    ax.set_ylim(0, 2500)
    ax.label_outer()
plt.show()
