# SPDX-License-Identifier: BSD-3-Clause
"""Every preset against the program that it is made after, on clips of all kinds and lengths."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import of_presets
import programs
import pytest

import signals
from front_end_limits import TOLERANCES
from specfast import presets

PRESETS = presets.names()

# The shortest clips that the originals take: others pad by less than a clip, need a whole frame,
# or the two frames without which a deviation is NaN.
SHORTEST = {
    "whisper": 201,
    "whisper_large_v3": 201,
    "nemo": 320,
    "parakeet": 320,
    "seamless_m4t": 560,
    "phi4_multimodal": 400,
    "lasr": 400,
    "ast": 240,
    "beats": 400,
    "yamnet": 400,
    "vggish": 400,
    "panns": 513,
    "hifigan": 385,
    "bigvgan": 385,
    "vocos": 513,
    "torchaudio_mel": 201,
    "torchaudio_mfcc": 201,
}
LENGTHS = (
    1,
    2,
    159,
    160,
    161,
    240,
    399,
    400,
    401,
    512,
    513,
    559,
    560,
    800,
    1023,
    1024,
    1025,
    4001,
)


def features(name: str, clips: Any, **changes: Any) -> npt.NDArray[Any]:
    """What is under test: the features of a clip, a batch, or a list of clips."""
    result = presets.get(name, **changes)(clips)
    return np.asarray(getattr(result, "values", result))


def noise(num_samples: int, level: float = 0.1) -> signals.Signal:
    return level * signals.noise(num_samples, seed=num_samples)


@cache
def hard_clips() -> dict[str, signals.Signal]:
    """Clips at any sampling rate, of a second or two and odd lengths."""
    square = np.sign(np.sin(0.13 * np.arange(8001)))
    return {
        **{path.stem: signals.read_wav(path)[20000:53333] for path in signals.RECORDINGS},
        "chirp": signals.chirp(20011) + noise(20011, 1e-2),
        "on a level": np.float32(0.5) + noise(9999, 0.01),
        "square": np.asarray(0.99 * square, np.float32) + noise(8001, 1e-2),
    }


def assert_alike(result: Any, wanted: Any, tolerance: float) -> None:
    assert result.shape == wanted.shape
    assert np.isfinite(wanted).all()
    np.testing.assert_allclose(result, wanted, rtol=0, atol=tolerance)


def test_every_preset_has_its_original() -> None:
    assert set(PRESETS) == set(of_presets.all_presets()) == set(TOLERANCES)


@pytest.mark.parametrize("name", PRESETS)
def test_clips_of_all_kinds(name: str) -> None:
    for clip in hard_clips().values():
        wanted = of_presets.all_presets()[name].call(clip)
        assert_alike(features(name, clip), wanted, TOLERANCES[name][1])


@pytest.mark.parametrize("name", PRESETS)
def test_noise_of_any_length_and_level(name: str) -> None:
    clips = [noise(n) for n in LENGTHS if n >= SHORTEST.get(name, 1)]
    for clip in (*clips, noise(24001, 0.3), noise(12007, 1e-3)):
        wanted = of_presets.all_presets()[name].call(clip)
        assert_alike(features(name, clip), wanted, TOLERANCES[name][0])


@pytest.mark.parametrize("name", SHORTEST)
def test_originals_refuse_shorter_clips(name: str) -> None:
    """So that nothing is left out above that could be compared."""
    clip = noise(SHORTEST[name] - 1)
    try:
        wanted = of_presets.all_presets()[name].call(clip)
    except Exception:
        return
    assert np.isnan(wanted).any()


# --- batches ----------------------------------------------------------------------------------

BATCH = [noise(16000, 0.2), noise(9001), noise(4000, 0.01)]


@pytest.mark.parametrize(
    ("name", "kind"), [("parakeet", "Parakeet"), ("seamless_m4t", "SeamlessM4T")]
)
def test_clips_of_several_lengths(name: str, kind: str) -> None:
    import transformers

    extractor = getattr(transformers, f"{kind}FeatureExtractor")()
    wanted = extractor(BATCH, sampling_rate=16000, return_tensors="np")["input_features"]
    assert_alike(features(name, BATCH), np.asarray(wanted), TOLERANCES[name][1])


def test_one_maximum_for_a_batch() -> None:
    import librosa

    batch = np.stack([noise(8000), noise(8000, 1e-5)])
    wanted = librosa.power_to_db(librosa.feature.melspectrogram(y=batch))
    assert_alike(features("librosa_mel_db", batch), wanted, TOLERANCES["librosa_mel_db"][1])
    result = features("whisper", batch, dynamic_range_scope="batch")
    assert_alike(result, programs.of_openai_whisper(80).call(batch), TOLERANCES["whisper"][1])
