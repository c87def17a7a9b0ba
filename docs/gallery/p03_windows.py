# SPDX-License-Identifier: BSD-3-Clause
"""
Time against frequency
======================

A short window shows when the vocal cords close, a long one shows the overtones of the voice;
none shows both.
"""

import matplotlib.pyplot as plt

from specfast import STFTSpectrogram, plot
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
clip = samples[: int(1.2 * rate)]

figure, panels = plt.subplots(3, sharex=True, figsize=(10, 8), layout="constrained")
for length, ax in zip((80, 320, 1280), panels, strict=True):
    stft = STFTSpectrogram("magnitude", frame_length=length, frame_step=20, fft_length=2048)
    title = f"frames of {1000 * length / rate:g} ms"
    plot.recording(clip, stft, sampling_rate=rate, ax=ax, vmin=-80, title=title)
    ax.set_ylim(0, 1500)
    ax.label_outer()
plt.show()
