# SPDX-License-Identifier: BSD-3-Clause
"""
Frames as they arrive
=====================

A stream is fed pieces of random lengths, as a network brings them, and returns each frame when
its last sample is there. The picture shows what each push returned; together they are, bit for
bit, one call. See :doc:`/docs/streams`.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import MelSpectrogram, plot
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
layer = MelSpectrogram(
    sampling_rate=rate, fft_length=512, sequence_stride=160, num_mel_bins=80, top_db=None
)
cuts = np.sort(np.random.default_rng(3).integers(0, len(samples), 12))
stream = layer.stream()
pushed = [stream.push(piece) for piece in np.split(samples, cuts)]
pushed.append(stream.flush())
levels = np.concatenate(pushed, axis=stream.frame_axis)
assert np.array_equal(levels, layer(samples))

figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
plot.features(levels, layer, ax=ax, vmin=-50, title="each line is a push")
ends = np.cumsum([part.shape[stream.frame_axis] for part in pushed])
for moment in layer.times(len(levels[0]))[ends[:-1] - 1]:
    ax.axvline(moment, color="white", linewidth=1)
plt.show()
