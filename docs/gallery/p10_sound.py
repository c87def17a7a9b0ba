# SPDX-License-Identifier: BSD-3-Clause
"""
Sound from what Whisper hears
=============================

``MelToSound`` undoes each step of a front end and finds the phases. Its sound is heard by
Whisper nearly as the original is; what lies between the overtones is lost with the bands. See
:doc:`/docs/sound`.
"""

import matplotlib.pyplot as plt

from specfast import MelToSound, STFTSpectrogram, plot, presets
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
rebuilt = MelToSound("whisper")(presets.get("whisper")(samples))

figure, panels = plt.subplots(2, figsize=(10, 6), sharex=True, layout="constrained")
shown = STFTSpectrogram("log", frame_length=512, frame_step=128, fft_length=512)
titles = ("the recording", "sound from its 80 bands")
for signal, title, ax in zip((samples, rebuilt), titles, panels, strict=True):
    plot.recording(signal, shown, sampling_rate=rate, ax=ax, vmin=-70, title=title)
    ax.label_outer()
plt.show()
