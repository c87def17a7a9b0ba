# SPDX-License-Identifier: BSD-3-Clause
"""How far presets may be from their originals where both run: tests/originals, and the guide."""

from __future__ import annotations

# Largest differences from the originals, as measured and then doubled: on noise of any length; and
# on recordings and other clips with bands far below the loudest, where float32 transforms leave
# their rounding, the original's and ours. Presets in float64 differ by the rounding of the result.
# Two are not levels: librosa_mel and torchaudio_mel have energies of up to 2e4.
TOLERANCES: dict[str, tuple[float, float]] = {
    "whisper": (2e-6, 7e-5),
    "whisper_large_v3": (9e-6, 2e-4),
    "nemo": (2e-4, 3e-3),
    "parakeet": (2e-4, 3e-3),
    # Clips of two frames, and steady ones, are divided by a deviation of nearly nothing.
    "seamless_m4t": (7e-4, 3e-3),
    "phi4_multimodal": (3e-4, 2e-3),
    "gemma3n": (5e-5, 3e-3),
    "lasr": (1e-6, 1e-6),
    "ast": (3e-7, 3e-7),
    "beats": (8e-5, 4e-3),
    "yamnet": (3e-5, 2e-3),
    "vggish": (1e-6, 1e-6),
    "clap": (2e-5, 2e-5),
    "clap_fusion": (8e-6, 2e-5),
    "panns": (5e-5, 5e-3),
    "speecht5_target": (5e-7, 1e-6),
    "hifigan": (4e-6, 2e-3),
    "bigvgan": (6e-6, 2e-3),
    "univnet": (2e-6, 2e-6),
    "vocos": (3e-5, 2e-3),
    "kaldi_fbank": (2e-4, 3e-2),
    "kaldi_mfcc": (2e-4, 5e-3),
    "librosa_mel": (2e-5, 4e-3),
    "librosa_mel_db": (2e-5, 2e-5),
    "librosa_mfcc": (2e-4, 2e-4),
    "librosa_pcen": (1e-6, 1e-6),
    "torchaudio_mel": (5e-3, 2e-1),
    "torchaudio_mfcc": (4e-4, 2e-3),
    "tf_signal": (2e-5, 3e-3),
}
