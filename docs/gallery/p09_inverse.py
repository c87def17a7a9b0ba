# SPDX-License-Identifier: BSD-3-Clause
"""
A tone is taken out
===================

A whistle lies over the sentence. Its bins are set to zero in the spectrum, and the inverse makes
a signal of what is left: see :doc:`/docs/inverse`.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import ISTFT, STFTSpectrogram, plot
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
whistle = 0.1 * np.sin(2 * np.pi * 2000 * np.arange(len(samples)) / rate)
noisy = (samples + whistle).astype(np.float32)

layer = STFTSpectrogram("stft", frame_length=1024, frame_step=256, fft_length=1024, padding="same")
spectra = layer(noisy[np.newaxis, :, np.newaxis])
bins = layer.frequencies(rate)
spectra[..., (bins > 1900) & (bins < 2100)] = 0
clean = ISTFT.from_layer(layer)(spectra, length=len(samples)).ravel()

figure, panels = plt.subplots(2, figsize=(10, 6), sharex=True, layout="constrained")
shown = STFTSpectrogram("log", frame_length=512, frame_step=128, fft_length=512)
for signal, title, ax in zip((noisy, clean), ("before", "after"), panels, strict=True):
    plot.recording(signal, shown, sampling_rate=rate, ax=ax, vmin=-70, title=title)
    ax.label_outer()
plt.show()
