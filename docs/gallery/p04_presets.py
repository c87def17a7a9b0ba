# SPDX-License-Identifier: BSD-3-Clause
"""
What four models hear
=====================

The same sentence as Whisper, Parakeet, Kaldi and Google's YAMNet get it: other bands, other
levels, another normalisation. :doc:`/docs/front-ends` lists all presets.
"""

import matplotlib.pyplot as plt

from specfast import plot

figure, panels = plt.subplots(4, figsize=(10, 9), sharex=True, layout="constrained")
for name, ax in zip(("whisper", "parakeet", "kaldi_fbank", "yamnet"), panels, strict=True):
    plot.recording("speech.wav", name, ax=ax, colorbar=True, title=name)
    ax.label_outer()
plt.show()
