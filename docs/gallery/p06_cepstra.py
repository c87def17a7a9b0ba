# SPDX-License-Identifier: BSD-3-Clause
"""
Cepstra and their derivatives
=============================

Thirteen coefficients of Kaldi's MFCC, and how they change: one specification, with derivatives
of two orders.
"""

import matplotlib.pyplot as plt

from specfast import plot, presets

spec = presets.spec("kaldi_mfcc", delta_order=2)
figure, ax = plt.subplots(figsize=(10, 5), layout="constrained")
plot.recording("speech.wav", spec, ax=ax, colorbar=True, vmin=-60, vmax=60)
plt.show()
