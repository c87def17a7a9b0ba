# SPDX-License-Identifier: BSD-3-Clause
"""
A recording
===========

One call draws it.
"""

import matplotlib.pyplot as plt

from specfast import plot

figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
plot.recording("speech.wav", ax=ax, colorbar=True)
plt.show()
