# SPDX-License-Identifier: BSD-3-Clause
"""Makes examples/speech.wav: a spoken sentence, 16 kHz, mono, 16 bit.

espeak-ng speaks at 22050 Hz. The sound is brought to 16000 Hz by a proper polyphase
low-pass filter (ratio 320/441), scaled to a peak of -3 dBFS and rounded to 16 bits.
The recording in the repository was made by this script with espeak-ng 1.51. Another
version speaks a little differently, and then the golden values of the demo must be
regenerated as well (tests/golden/make_golden.py).

Needs espeak-ng, SciPy and soundfile. Run: python examples/make_speech.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

SENTENCE = "Every sound is a sum of waves: a spectrogram shows which of them are there, and when."
RATE = 16_000
PEAK = 10.0 ** (-3.0 / 20.0)


def speak(sentence: str) -> tuple[np.ndarray, int]:
    """Returns what espeak-ng says: float64 [samples] in [-1, 1), and its rate in Hz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spoken.wav")
        subprocess.run(
            ["espeak-ng", "-v", "en-gb", "-s", "165", "-w", str(path), sentence],
            check=True,
            timeout=60,
        )
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    return samples[:, 0], rate


def main() -> int:
    target = Path(__file__).with_name("speech.wav")
    spoken, rate = speak(SENTENCE)
    # The Kaiser window's 8.6 gives about 90 dB of stop band: below the 16-bit noise.
    resampled = resample_poly(spoken, RATE, rate, window=("kaiser", 8.6))
    scaled = resampled * (PEAK / np.max(np.abs(resampled)))
    pcm = np.rint(scaled * 32768.0).astype(np.int16)
    soundfile.write(target, pcm, RATE, subtype="PCM_16")
    print(f"{target}: {len(pcm)} samples, {len(pcm) / RATE:.2f} s, {target.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
