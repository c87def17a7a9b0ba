# SPDX-License-Identifier: BSD-3-Clause
"""
Why mel is not mel
==================

Two scales, two norms: the twelve bands of a small bank as HTK, torchaudio and Keras place them,
and as Slaney, librosa and Whisper do. A front end with the wrong one gives no error, and other
numbers.
"""

import matplotlib.pyplot as plt
import numpy as np

from specfast import FeatureExtractor, FeatureSpec

# A bank is linear in the power of the bins, so the response to sines shows its triangles.
rate, count = 16000, 4096
frequencies = np.linspace(10, 4000, 400)
sines = np.sin(2 * np.pi * frequencies[:, np.newaxis] / rate * np.arange(count)).astype(np.float32)

figure, panels = plt.subplots(2, sharex=True, figsize=(10, 5), layout="constrained")
for ax, scale, norm in zip(panels, ("htk", "slaney"), (None, "slaney"), strict=True):
    spec = FeatureSpec(
        frame_length=count, hop_length=count, level="energy", num_mel_bins=12, max_freq=4000,
        mel_scale=scale, mel_norm=norm,
    )  # fmt: skip
    responses = FeatureExtractor(spec)(sines)[:, :, 0]
    ax.plot(frequencies, responses / responses.max())
    ax.set_title(f"mel_scale={scale!r}, mel_norm={norm!r}")
    ax.set_ylabel("weight")
panels[-1].set_xlabel("frequency (Hz)")
plt.show()
