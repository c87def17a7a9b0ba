# SPDX-License-Identifier: BSD-3-Clause
"""What specfast does not know or cannot compute exactly is refused, with key and value."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import front_file_makers as makers
import published
import pytest

from specfast.front_files import DitherWarning, FrontFileError, read_front

# Which file, what is changed in it, and what the error says.
Case = tuple[Mapping[str, Any], Mapping[str, Any], str]

WHISPER_ALONE = {"feature_extractor_type": "WhisperFeatureExtractor"}
HUGGING_FACE: list[Case] = [
    (published.WHISPER, {"n_mel": 80}, "`n_mel` is a key that specfast does not know"),
    (published.WHISPER, {"hop_lenght": 160}, "did you mean 'hop_length'?"),
    (published.WHISPER, {"dither": 0.1}, "`dither` must be 0.0, as specfast adds no noise"),
    (published.WHISPER, {"n_samples": 1}, "`n_samples` must be 480000, which follows from"),
    (published.WHISPER, {"nb_max_frames": 1}, "`nb_max_frames` must be 3000"),
    (published.WHISPER, {"num_mel_bins": 128}, "`num_mel_bins` must be 80"),
    (published.WHISPER, {"padding_side": "left"}, "`padding_side` must be 'right'"),
    (published.WHISPER, {"padding_value": 1.0}, "`padding_value` must be 0.0"),
    (published.WHISPER, {"mel_filters": [[0.0]]}, "`mel_filters` must be a matrix of 201 by 80"),
    (published.WHISPER, {"mel_filters": "slaney"}, "`mel_filters` must be a matrix of 201 by 80"),
    (published.WHISPER, {"feature_size": "80"}, "`feature_size` must be an integer"),
    (published.WHISPER, {"feature_size": True}, "`feature_size` must be an integer"),
    (published.WHISPER, {"hop_length": 0}, "`hop_length` must be an integer between 1"),
    (published.WHISPER, {"hop_length": 160.5}, "`hop_length` must be an integer"),
    (published.WHISPER, {"image_mean": [0.5]}, "`image_mean` is a key that specfast does not"),
    (WHISPER_ALONE, {"chunk_length": 100000}, "`num_samples` of a file must be at most"),
    (published.WHISPER, {"feature_size": 16385}, "`num_mel_bins` of a file must be at most"),
    (published.WHISPER, {"feature_extractor_type": None}, "`feature_extractor_type` must be one"),
    (published.WHISPER, {"feature_extractor_type": ["x"]}, "`feature_extractor_type` must be one"),
    (published.WHISPER, {"feature_extractor_type": "NewFeatureExtractor"}, "must be one of Whi"),
    (published.WAV2VEC2, {}, "Wav2Vec2FeatureExtractor computes no spectrogram"),
    (
        published.WAV2VEC2,
        {"feature_extractor_type": "EncodecFeatureExtractor"},
        "its models take samples as they are",
    ),
    (published.AST, {"sampling_rate": 44100}, "`sampling_rate` must be 16000"),
    (published.AST, {"std": 0}, "`std` must be above 0"),
    (published.AST, {"do_normalize": 1}, "`do_normalize` must be true or false"),
    (published.W2V_BERT, {"feature_size": 160}, "`feature_size` must be 80"),
    (published.W2V_BERT, {"padding_side": "left"}, "`padding_side` must be 'right'"),
    (published.PARAKEET["feature_extractor"], {"preemphasis": 2}, "`preemphasis` must be a numb"),
    (published.GEMMA3N, {"frame_length": 400}, "`frame_length` must be 512, which follows from"),
    (published.GEMMA3N, {"fft_overdrive": False}, "`fft_length` must be 512"),
    (published.GEMMA3N, {"preemphasis_htk_flavor": False}, "`preemphasis_htk_flavor` must be"),
    (published.GEMMA3N, {"per_bin_mean": [0.0]}, "`per_bin_mean` must be a list of 128 numbers"),
    (published.GEMMA3N, {"per_bin_stddev": [0.0] * 128}, "`per_bin_stddev` must be above 0"),
    (published.GEMMA3N, {"per_bin_mean": [None] * 128}, "`per_bin_mean` must be a finite number"),
    (published.GEMMA3N, {"frame_length_ms": 1e300}, "`frame_length_ms` must be at most 1e.18"),
    (published.PHI4, {"n_fft": 256}, "`fft_length` must be at least `frame_length`"),
    (published.PHI4, {"mel_max_frequency": 0}, "`max_freq` must be"),
    (published.SPEECHT5, {"sample_stride": 160}, "`sample_stride` must be 256"),
    (published.SPEECHT5, {"win_function": "kaiser"}, "`win_function` is invalid"),
    (published.SPEECHT5, {"frame_signal_scale": 2}, "`frame_signal_scale` must be 1.0"),
    (
        {**published.SPEECHT5, "sampling_rate": 22050},
        {"win_length": 50},
        "`sample_size` must be 1102",
    ),
    (published.CLAP_FUSED, {"padding": "repeat"}, "`padding` is invalid"),
    (published.CLAP_FUSED, {"truncation": "cut"}, "`truncation` is invalid"),
    (published.CLAP_FUSED, {"nb_max_samples": 1}, "`nb_max_samples` must be 480000"),
    (published.UNIVNET, {"center": True}, "`center` must be False"),
    (published.UNIVNET, {"win_length": 512}, "`win_length` must be the length of the transform"),
    (published.UNIVNET, {"hop_length": 2048}, "`hop_length` must be an integer between 1"),
    (
        published.UNIVNET,
        {"do_normalize": True, "normalize_max": -20},
        "`normalize_max` must be above `normalize_min`",
    ),
]
VOCODERS: list[Case] = [
    (published.HIFIGAN, {"center": True}, "`center` is a key that specfast does not know"),
    (published.HIFIGAN, {"win_length": 512}, "`win_length` must be 1024, which follows from"),
    (published.HIFIGAN, {"mel_fmax": 7600}, "`mel_fmax` must be 8000"),
    (published.HIFIGAN, {"mel_type": "slaney"}, "`mel_type` must be 'pytorch'"),
    (published.HIFIGAN, {"hop_size": 1025}, "`hop_size` must be an integer between 1 and 1024"),
    (published.HIFIGAN, {"fmax": "8000"}, "`fmax` must be a finite number"),
    (published.HIFIGAN, {"fmin": 9000}, "`max_freq` must be greater than `min_freq`"),
]


@pytest.mark.parametrize(("values", "changes", "message"), [*HUGGING_FACE, *VOCODERS])
def test_json(
    tmp_path: Path, values: Mapping[str, Any], changes: Mapping[str, Any], message: str
) -> None:
    path = makers.json_file(tmp_path, {**values, **changes})
    with pytest.raises(FrontFileError, match=message) as caught:
        read_front(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    assert caught.value.path == path
    assert len(caught.value.reason) < 600


@pytest.mark.parametrize("key", ["n_fft", "fmin", "fmax"])
def test_vocoders_have_no_defaults(tmp_path: Path, key: str) -> None:
    values = {name: value for name, value in published.HIFIGAN.items() if name != key}
    with pytest.raises(FrontFileError, match=f"`{key}` is missing"):
        read_front(makers.json_file(tmp_path, values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "whisper"}, "front end is in preprocessor_config.json"),
        ({"image_processor_type": "ViTImageProcessor"}, "it configures images"),
        ({}, "JSON that describes no front end"),
        ({"format": "specfast.FeatureSpec"}, "`schema` must be 1"),
        ({"format": "specfast.FeatureSpec", "schema": 1, "hop": 1}, "has no field 'hop'"),
        (
            {"format": "specfast.FeatureSpec", "schema": 1, "frame_length": 1 << 26},
            "`frame_length` of a file must be at most 1048576",
        ),
        (
            {
                "format": "specfast.FeatureSpec",
                "schema": 1,
                "fft_length": 1 << 20,
                "num_mel_bins": 1 << 14,
            },
            "a filterbank of a file must have at most",
        ),
    ],
)
def test_other_json(tmp_path: Path, values: Mapping[str, Any], message: str) -> None:
    with pytest.raises(FrontFileError, match=message):
        read_front(makers.json_file(tmp_path, values))


NEMO: list[Case] = [
    (published.NEMO_PARAKEET, {"featuers": 1}, "did you mean 'features'?"),
    (published.NEMO_PARAKEET, {"normalize": "all_features"}, '`normalize` must be "per_feature"'),
    (published.NEMO_PARAKEET, {"normalize": "per_featrue"}, '`normalize` must be "per_feature"'),
    (published.NEMO_PARAKEET, {"normalize": {"fixed_mean": [0.0]}}, "`normalize` must be"),
    (published.NEMO_PARAKEET, {"frame_splicing": 3}, "`frame_splicing` must be 1"),
    (published.NEMO_PARAKEET, {"use_grads": False}, "`use_grads` is a key that specfast does not"),
    (published.NEMO_PARAKEET, {"pad_to": "max"}, "`pad_to` must be an integer"),
    (published.NEMO_PARAKEET, {"window": "none"}, "`window` is invalid"),
    (published.NEMO_PARAKEET, {"mel_norm": 2}, "`mel_norm` is invalid"),
    (published.NEMO_PARAKEET, {"log_zero_guard_value": "zero"}, "`log_zero_guard_value` is inv"),
    (published.NEMO_PARAKEET, {"log_zero_guard_type": "max"}, "`log_zero_guard_type` is invalid"),
    (published.NEMO_PARAKEET, {"use_torchaudio": True}, "`use_torchaudio` must be False"),
    (published.NEMO_PARAKEET, {"exact_pad": True}, "`preemph` must be null with exact_pad"),
    (published.NEMO_PARAKEET, {"n_window_size": 400}, "`n_window_size` and `window_size` contra"),
    (published.NEMO_PARAKEET, {"window_size": 1e17}, "`frame_length` of a file must be at most"),
    (published.NEMO_PARAKEET, {"n_fft": 256}, "`fft_length` must be at least `frame_length`"),
    (published.NEMO_PARAKEET, {"sample_rate": "${sample_rates.x}"}, "`sample_rate` refers to"),
    (published.NEMO_PARAKEET, {"features": "${preprocessor.features}"}, "`features` refers to"),
    (published.NEMO_PARAKEET, {"features": "${oc.env:X}"}, "`features` refers to what this file"),
    (published.NEMO_PARAKEET, {"features": "???"}, "`features` refers to what this file"),
    (published.NEMO_PARAKEET, {"_target_": "x.Other"}, "`preprocessor._target_` must be one of"),
    (published.NEMO_PARAKEET, {"_target_": None}, "`preprocessor._target_` must be one of"),
    (published.NEMO_HIFIGAN, {"n_window_stride": 255}, "`n_window_stride` must be even"),
    (published.NEMO_MFCC, {"dct_type": 3}, "`dct_type` must be 2"),
    (published.NEMO_MFCC, {"n_mfcc": 65}, "`num_cepstra` must be at most `num_mel_bins`"),
    (published.NEMO_MFCC, {"preemph": 0.97}, "`preemph` is a key that specfast does not know"),
]


@pytest.mark.parametrize(("values", "changes", "message"), NEMO)
def test_nemo(
    tmp_path: Path, values: Mapping[str, Any], changes: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(FrontFileError, match=message):
        read_front(makers.yaml_file(tmp_path, {**values, **changes}))


_FBANK = published.KALDI["aishell/s10/conf/fbank.conf"]
_MFCC = published.KALDI["aishell/v1/conf/mfcc.conf"]
KALDI: list[tuple[str, dict[str, str], str]] = [
    ("fbank.conf", {"num-fft-bins": "512"}, "`num-fft-bins` is a key that specfast does not"),
    ("fbank.conf", {"vtln-warp": "1.1"}, "`vtln-warp` must be 1, as specfast does not warp"),
    ("fbank.conf", {"vtln-map": "ark:map"}, "`vtln-map` must be empty"),
    ("fbank.conf", {"subtract-mean": "true"}, "`subtract-mean` must be false"),
    ("fbank.conf", {"htk-mode": "true"}, "`htk-mode` must be false"),
    ("fbank.conf", {"htk-compat": "t", "use-energy": "1"}, "`htk-compat` must be false"),
    ("mfcc.conf", {"htk-compat": "true"}, "`htk-compat` must be false"),
    ("fbank.conf", {"config": "more.conf"}, "`config` is a key that specfast does not know"),
    ("fbank.conf", {"use-energy": "yes"}, "`use-energy` must be true or false"),
    ("fbank.conf", {"num-mel-bins": "many"}, "`num-mel-bins` must be an integer"),
    ("fbank.conf", {"num-mel-bins": "nan"}, "`num-mel-bins` must be an integer"),
    ("fbank.conf", {"frame-length": "1e999"}, "`frame-length` must be a finite number"),
    ("fbank.conf", {"frame-length": "1e9"}, "`frame-length` must be from 1 to 1048576 samples"),
    ("fbank.conf", {"frame-shift": "0.01"}, "`frame-shift` must be from 1 to"),
    (
        "fbank.conf",
        {"round-to-power-of-two": "false", "frame-length": "25.6"},
        "`frame-length` must be an even number of samples",
    ),
    ("fbank.conf", {"num-mel-bins": "2"}, "`num-mel-bins` must be an integer between 3"),
    ("fbank.conf", {"high-freq": "9000"}, "`low-freq` and `high-freq` must be in order"),
    ("fbank.conf", {"high-freq": "-8000"}, "`low-freq` and `high-freq` must be in order"),
    ("fbank.conf", {"window-type": "kaiser"}, "`window-type` is invalid"),
    ("fbank.conf", {"dither": "-1"}, "`dither` must be at least 0"),
    ("fbank.conf", {"preemphasis-coefficient": "1.5"}, "`preemphasis` must be a number between 0"),
    ("fbank.conf", {"num-ceps": "13"}, "contradict each other about the program"),
    ("mfcc.conf", {"use-power": "true"}, "contradict each other about the program"),
    ("feats.conf", {}, "do not say the program.*pass kind="),
    ("fbank.conf", {"Num_Mel_Bins": "40"}, "`--num-mel-bins` is there twice"),
]


@pytest.mark.parametrize(("name", "changes", "message"), KALDI)
def test_kaldi(tmp_path: Path, name: str, changes: dict[str, str], message: str) -> None:
    options = _MFCC if name == "mfcc.conf" else _FBANK
    with pytest.raises(FrontFileError, match=message):
        read_front(makers.kaldi_file(tmp_path, {**options, **changes}, name))


def test_kaldi_lines_that_are_no_options(tmp_path: Path) -> None:
    path = tmp_path / "fbank.conf"
    path.write_text("--num-mel-bins=40\nnum-mel-bins=40\n")
    with pytest.raises(FrontFileError, match="line 2 is no option of Kaldi"):
        read_front(path)


def test_kind(tmp_path: Path) -> None:
    """The argument decides where file and options do not, and belongs to Kaldi alone."""
    path = makers.kaldi_file(tmp_path, _FBANK, "feats.conf")
    assert read_front(path, kind="mfcc").num_cepstra == 13
    assert read_front(path, kind="fbank").num_cepstra is None
    with pytest.raises(ValueError, match="`kind` is invalid, it must be one of 'fbank', 'mfcc'"):
        read_front(path, kind="plp")
    path = makers.kaldi_file(tmp_path, {"num-ceps": "13"}, "feats.conf")
    assert read_front(path).num_cepstra == 13
    with pytest.raises(FrontFileError, match="`num-ceps` is a key that specfast does not know"):
        read_front(path, kind="fbank")
    with pytest.raises(FrontFileError, match="`kind` is for option files of Kaldi only"):
        read_front(makers.json_file(tmp_path, published.WHISPER), kind="fbank")


def test_refused_values_that_change_nothing_are_taken(tmp_path: Path) -> None:
    neutral = {
        "vtln-warp": "1.0",
        "vtln-map": "",
        "vtln-low": "60",
        "subtract-mean": "false",
        "htk-compat": "true",  # without energy, which it would move
        "dither": "0.0",
        "allow-downsample": "true",
        "channel": "-1",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error", DitherWarning)
        spec = read_front(makers.kaldi_file(tmp_path, {**_FBANK, **neutral}))
        assert spec == read_front(makers.kaldi_file(tmp_path, _FBANK))


def test_padding_on_the_left_is_no_matter_without_padding(tmp_path: Path) -> None:
    path = makers.json_file(tmp_path, {**published.WHISPER, "padding_side": "left"})
    assert read_front(path, num_samples=None).num_samples is None
