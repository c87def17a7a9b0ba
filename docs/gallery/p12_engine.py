# SPDX-License-Identifier: BSD-3-Clause
"""
How the engine works
====================

A frame goes through four steps: samples are multiplied by the window, transformed, and become
energies, which the bands add up; the level is the logarithm of that.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import MelSpectrogram, STFTSpectrogram
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
frame = samples[16000:16512]
window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
stft = STFTSpectrogram(
    "magnitude", frame_length=512, frame_step=512, fft_length=512, periodic=True, scaling=None
)
mel = MelSpectrogram(
    sampling_rate=rate, fft_length=512, sequence_stride=512, num_mel_bins=40, top_db=None
)

figure, panels = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
(gather, product), (transform, bands) = panels
gather.plot(frame)
gather.set_title("512 samples")
product.plot(frame * window)
product.plot(window * abs(frame).max(), linewidth=0.7)
product.set_title("under the window")
magnitude = stft(frame[np.newaxis, :, np.newaxis]).ravel()
transform.plot(stft.frequencies(rate), 20 * np.log10(magnitude))
transform.set_title("257 bins of the transform (dB)")
middle = mel(np.pad(frame, (256, 256)))[:, 1]
bands.step(mel.frequencies(), middle, where="mid")
bands.set_title("40 mel bands (dB)")
for ax in (transform, bands):
    ax.set_xlabel("frequency (Hz)")
plt.show()

# %%
# The engine computes many frames at once. A vector register of the processor holds numbers of as
# many consecutive frames as it is wide, 16 with AVX-512: one number of each. No step ever has to
# move numbers from one place of a register to another, and the code is the same at any length of
# the transform. As many frames are a **tile**; threads take tiles, and since each frame passes
# through the same instructions wherever it stands, its bits depend neither on the number of
# threads nor on the batch.

figure, ax = plt.subplots(figsize=(10, 4), layout="constrained")
hop, length, lanes = 160, 400, 8
position = np.arange(hop * lanes + length)
ax.plot(position, 1.5 * samples[16000:][: len(position)] / abs(samples).max(), linewidth=0.6)
colours = plt.cm.viridis(np.linspace(0, 0.9, lanes))
for lane, colour in enumerate(colours):
    ax.barh(-2 - lane, length, left=lane * hop, height=0.8, color=colour)
    ax.add_patch(plt.Rectangle((1900 + 70 * lane, -6.4), 64, 0.9, color=colour))
    ax.annotate("", (1932 + 70 * lane, -5.5), (lane * hop + length, -2 - lane),
                arrowprops={"arrowstyle": "->", "color": colour, "alpha": 0.6})  # fmt: skip
ax.text(1900, -4.6, "one register: the n-th sample of eight frames")
ax.text(0, -10.6, "eight consecutive frames, which overlap: a tile")
ax.set_xlim(-20, 2560)
ax.set_axis_off()
plt.show()

# %%
# What follows is read in one pass while it is in the processor's cache: a tile goes from samples
# to levels before the next one is touched, and no array of frames or of spectra is ever written.
# :doc:`/docs/design` tells the whole story, and :doc:`/docs/measurements` what was tried on the
# way.
