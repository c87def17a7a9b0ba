# SPDX-License-Identifier: BSD-3-Clause
"""
Why two front ends differ
=========================

The features of Kaldi and those of Phi-4-multimodal look alike. The doctor names the choices in
which they differ, and the picture shows what each of them does alone: see :doc:`/docs/doctor`.
"""

import matplotlib.pyplot as plt

from specfast import doctor
from specfast.audio import read_audio

samples, rate = read_audio("speech.wav", mono=True)
diagnosis = doctor.diagnose("kaldi_fbank", "phi4_multimodal", samples, rate=rate)

figure, ax = plt.subplots(figsize=(10, 3.5), layout="constrained")
causes = [cause for cause in diagnosis.causes if cause.effect]
ax.barh([cause.name for cause in causes], [cause.effect for cause in causes])
ax.invert_yaxis()
ax.set_xscale("log")
ax.set_xlabel("difference of the features, root mean square")
plt.show()
