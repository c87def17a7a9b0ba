# SPDX-License-Identifier: BSD-3-Clause
"""
A recording and its bands
=========================

The waveform above, and below it the mel spectrogram with the numbers of Keras, on one time axis.
:doc:`/docs/pictures` has all that pictures can do.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import MelSpectrogram, plot
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
mel = MelSpectrogram(sampling_rate=rate, fft_length=1024, sequence_stride=160, num_mel_bins=96)

figure, (wave, bands) = plt.subplots(2, sharex=True, figsize=(10, 5), layout="constrained")
wave.plot(np.arange(len(samples)) / rate, samples, linewidth=0.4)
wave.set_ylabel("sample")
plot.features(mel(samples), mel, ax=bands, colorbar=True)
plt.show()
