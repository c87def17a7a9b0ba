# SPDX-License-Identifier: BSD-3-Clause
"""
Levels and PCEN
===============

Per-channel energy normalisation divides each band by its own recent past: the hum that was added
to the second half stands out in decibels, and fades with PCEN.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import plot, presets
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
time = np.arange(len(samples)) / rate
hum = 0.05 * np.sin(2 * np.pi * 1500 * time) * (time > 2.5)
noisy = (samples + hum).astype(np.float32)

figure, panels = plt.subplots(2, figsize=(10, 6), sharex=True, layout="constrained")
for name, ax in zip(("librosa_mel_db", "librosa_pcen"), panels, strict=True):
    spec = presets.spec(name, sampling_rate=rate)
    plot.recording(noisy, spec, sampling_rate=rate, ax=ax, colorbar=True, title=name)
    ax.label_outer()
plt.show()
