# SPDX-License-Identifier: BSD-3-Clause
"""Presets and oracle against what the originals returned: tests/golden/front_ends.

`make front-ends-golden` wrote these files. The oracle computes in float64 what the preset says,
so that the distance between both is the original's own error, which stands here. An error in a
preset or in the oracle is far larger, as the last test shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import feature_oracle
import front_ends
from specfast._spec import preset_specs

CLIPS = ("speech", "synth", "short", "silence")
# What a float64 result may differ by between mathematical libraries.
EXACT = 1e-12

# Largest difference on each clip, as measured and rounded up. Where it is larger than the
# rounding of the result, the original computes in float32 throughout, and
# - quiet bands beside loud ones hold the rounding of the transform: kaldi-native-fbank, Parakeet;
# - weights and edges of the bands are rounded too: Gemma 3n, Phi-4;
# - energies of some thousands are not brought down by a logarithm: librosa_mel.
MEASURED: dict[str, tuple[float, float, float, float]] = {
    "hf_ast": (1.2e-7, 1.3e-7, 7.6e-8, 1.3e-8),
    "hf_clap": (3.7e-6, 2e-6, 3.8e-6, EXACT),
    "hf_gemma3n": (1.6e-3, 1.1e-3, 2.3e-5, 3.2e-7),
    "hf_lasr": (4.8e-7, 4.8e-7, 4.8e-7, 3.2e-7),
    # Silence minus its mean is rounding, here divided by 1e-5: noise over nothing.
    "hf_parakeet": (2.9e-5, 7.8e-4, 5.7e-6, 1.6e-1),
    "hf_phi4": (3.8e-4, 3.1e-4, 1.4e-5, 0.0),
    # The same, divided by the root of 1e-7; loud and steady bands are nearly as bad.
    "hf_seamless_m4t": (2.9e-7, 6.7e-6, 5.5e-6, 3.1e-3),
    "hf_speecht5_target": (2.5e-7, 1.4e-7, 1.2e-7, EXACT),
    "hf_univnet": (5.2e-7, 2.9e-7, 2.5e-7, 3.2e-7),
    "hf_whisper_80": (2.5e-5, 7.6e-6, 3.7e-6, EXACT),
    "hf_whisper_128": (2.1e-5, 2.2e-5, 4.7e-6, EXACT),
    "kaldi_fbank_40_energy": (1.1e-3, 6e-4, 1.6e-5, 4.4e-7),
    "kaldi_fbank_80": (4.4e-3, 2.4e-3, 5.1e-5, 4.4e-7),
    "kaldi_fbank_80_hamming_noedges": (2.7e-4, 5.7e-4, 4.4e-5, 4.4e-7),
    "kaldi_mfcc_13": (1.4e-3, 7.9e-4, 1.2e-4, 1.6e-5),
    "librosa_mel": (3.2e-5, 4.5e-5, 3.6e-6, 0.0),
    "librosa_mel_db": (8.6e-6, 4.8e-6, 4e-6, 7.7e-6),
    "librosa_mel_htk": (2.1e-6, 1.3e-5, 7.5e-7, 0.0),
    # Coefficient 0 of silence is -100 dB times the root of 128 bands.
    "librosa_mfcc_20": (4.1e-5, 3e-5, 2.2e-5, 1.3e-4),
    "librosa_pcen": (2.6e-7, 2.9e-7, 2.6e-7, 0.0),
    "openai_whisper_80": (2.5e-5, 7.6e-6, 3.7e-6, EXACT),
    "openai_whisper_128": (2.1e-5, 2.2e-5, 4.7e-6, EXACT),
}


def error(name: str, clip: str, **changes: Any) -> float:
    """Returns the largest difference between the oracle and a stored result."""
    spec = front_ends.spec(name).replace(**changes)
    wanted = front_ends.stored(name, clip)
    result = feature_oracle.features(spec, front_ends.clips()[clip])
    assert result.shape == wanted.shape
    return float(np.abs(result - wanted).max())


@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.parametrize("name", front_ends.CALLS)
def test_presets_are_their_originals(name: str, clip: str) -> None:
    assert error(name, clip) <= MEASURED[name][CLIPS.index(clip)]


def test_every_file_is_compared() -> None:
    files = {path.stem for path in front_ends.GOLDEN.glob("*.npz")} - {"clips"}
    assert files == set(front_ends.CALLS) == set(MEASURED)
    assert set(front_ends.clips()) == set(CLIPS)


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("hf_ast", {"remove_dc": False}),
        ("hf_clap", {"sample_padding": "zeros"}),
        ("hf_gemma3n", {"fft_length": 512}),
        ("hf_lasr", {"window_periodic": True}),
        ("hf_parakeet", {"pad_mode": "reflect"}),
        ("hf_parakeet", {"normalization_ddof": 0}),
        ("hf_phi4", {"preemphasis": 0.96}),
        ("hf_phi4", {"window_periodic": True}),
        ("hf_seamless_m4t", {"normalization_ddof": 0}),
        ("hf_speecht5_target", {"magnitude_exponent": 2.0}),
        ("hf_univnet", {"power_offset": 0.0}),
        ("hf_whisper_80", {"window_periodic": False}),
        ("hf_whisper_80", {"dynamic_range": 7.9}),
        ("kaldi_fbank_40_energy", {"energy": "windowed"}),
        ("kaldi_fbank_80", {"mel_triangles": "hertz"}),
        ("kaldi_fbank_80_hamming_noedges", {"pad_mode": "reflect"}),
        ("kaldi_mfcc_13", {"lifter": 23.0}),
        ("librosa_mel", {"pad_mode": "reflect"}),
        ("librosa_mel_db", {"dynamic_range": 79.9}),
        ("librosa_mel_htk", {"mel_scale": "slaney"}),
        ("librosa_mfcc_20", {"dct_norm": None}),
        ("librosa_pcen", {"pcen_time_constant": 0.395}),
    ],
    ids=str,
)
def test_a_mistake_is_larger(name: str, mistake: dict[str, Any]) -> None:
    found = max(error(name, clip, **mistake) for clip in CLIPS[:3])
    assert found > 3 * max(MEASURED[name][:3])


# --- the table of presets ---------------------------------------------------------------------


def test_presets_by_name() -> None:
    names = preset_specs.names()
    assert len(names) == len({preset_specs.spec(name) for name in names}) == 29
    assert {preset for preset, _ in front_ends.CALLS.values()} <= set(names)
    for alias, name in preset_specs.ALIASES.items():
        assert alias not in names
        assert preset_specs.spec(alias) is preset_specs.spec(name)


def test_a_preset_that_is_not_there() -> None:
    with pytest.raises(
        ValueError, match="Received: name=.whisperr..*mean 'whisper'.*There are wh"
    ):
        preset_specs.spec("whisperr")
    with pytest.raises(TypeError, match="`name` must be the name of a preset"):
        preset_specs.spec(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", preset_specs.names())
def test_presets_give_finite_features_of_any_clip(name: str) -> None:
    spec = preset_specs.spec(name)
    for num_samples in (1, 401, 5000):
        clip = 0.1 * np.random.default_rng(num_samples).standard_normal(num_samples)
        result = feature_oracle.features(spec, clip)
        bands = result if spec.layout == "bands_first" else result.T
        assert bands.shape[0] == spec.num_rows
        assert np.isfinite(bands).all()
