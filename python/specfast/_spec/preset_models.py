# SPDX-License-Identifier: BSD-3-Clause
"""The front ends of well-known models as specifications, a function each.

The comment says what the original is and which version was read or run. A specification has the
layout in which the original returns one clip, and computes in float64 where that does.
"""

from __future__ import annotations

from specfast._spec.feature_spec import FeatureSpec
from specfast._spec.preset_programs import INT16, kaldi_fbank

# ---- Speech recognition ------------------------------------------------------------------------


def whisper() -> FeatureSpec:
    # openai-whisper 20250625, `log_mel_spectrogram`; Hugging Face transformers 5.24.0,
    # WhisperFeatureExtractor. Both leave it to the caller to pad a clip to 30 seconds:
    # num_samples=480000. A batch has one maximum with openai-whisper, one each with transformers.
    return FeatureSpec(
        frame_length=400,
        hop_length=160,
        fft_length=400,
        padding="center",
        drop_frames=1,
        mel_scale="slaney",
        mel_norm="slaney",
        level="log10",
        dynamic_range=8.0,
        gain=0.25,
        offset=1.0,
    )


def whisper_large_v3() -> FeatureSpec:
    # The same with 128 bands, from the model large-v3 on.
    return whisper().replace(num_mel_bins=128)


def nemo() -> FeatureSpec:
    # NVIDIA NeMo, AudioToMelSpectrogramPreprocessor as the configurations of FastConformer and
    # Parakeet set it (without them it has 64 bands of windows of 20 ms). Its dither is for
    # training only.
    return FeatureSpec(
        frame_length=400,
        hop_length=160,
        fft_length=512,
        padding="center",
        pad_mode="constant",
        masked_frames=1,
        preemphasis=0.97,
        preemphasis_rule="signal",
        window_periodic=False,
        mel_scale="slaney",
        mel_norm="slaney",
        level="ln",
        floor=2.0**-24,
        floor_rule="add",
        normalization="per_band",
        normalization_ddof=1,
        normalization_epsilon=1e-5,
    )


def parakeet() -> FeatureSpec:
    # transformers 5.24.0, ParakeetFeatureExtractor: NeMo's, transposed.
    return nemo().replace(layout="frames_first")


def seamless_m4t() -> FeatureSpec:
    # transformers 5.24.0, SeamlessM4TFeatureExtractor, also that of w2v-BERT: NumPy, float64.
    return kaldi_fbank().replace(
        precision="float64",
        normalization="per_band",
        normalization_epsilon=1e-7,
        normalization_epsilon_in="variance",
        frames_multiple=2,
        join_frames=2,
    )


def phi4_multimodal() -> FeatureSpec:
    # transformers 5.24.0, Phi4MultimodalFeatureExtractor: a transform in float64.
    return FeatureSpec(
        precision="float64",
        input_scale=INT16,
        frame_length=400,
        hop_length=160,
        fft_length=512,
        preemphasis=0.97,
        window="hamming",
        window_periodic=False,
        max_freq=7690.0,
        mel_triangles="mel",
        level="ln",
        floor=1.0,
        layout="frames_first",
    )


def gemma3n() -> FeatureSpec:
    # transformers 5.24.0, Gemma3nAudioFeatureExtractor, which takes a sample more than it uses.
    # It pads a clip to a multiple of 128 samples first, unless told padding=False. NumPy, since
    # 2.0 with a transform in float32: ours in float32 has a larger error, hence float64.
    return FeatureSpec(
        precision="float64",
        frame_length=512,
        hop_length=160,
        fft_length=1024,
        frame_span=513,
        preemphasis=0.97,
        magnitude_exponent=1.0,
        num_mel_bins=128,
        min_freq=125.0,
        max_freq=7600.0,
        level="ln",
        floor=1e-5,
        layout="frames_first",
    )


def lasr() -> FeatureSpec:
    # transformers 5.24.0, LasrFeatureExtractor, in float64; TensorFlow's mel matrix.
    return FeatureSpec(
        precision="float64",
        frame_length=400,
        hop_length=160,
        fft_length=512,
        window_periodic=False,
        num_mel_bins=128,
        min_freq=125.0,
        max_freq=7500.0,
        mel_triangles="mel",
        level="ln",
        floor=1e-5,
        layout="frames_first",
    )


# ---- Sounds ------------------------------------------------------------------------------------


def ast() -> FeatureSpec:
    # transformers 5.24.0, ASTFeatureExtractor without torchaudio: NumPy, float64. Frames of zeros
    # are added before gain and offset are applied, hence the value of the padding.
    mean, twice_deviation = -4.2677393, 2 * 4.5689974
    return kaldi_fbank().replace(
        precision="float64",
        input_scale=1.0,
        window="hann",
        window_periodic=False,
        num_mel_bins=128,
        gain=1 / twice_deviation,
        offset=-mean / twice_deviation,
        num_frames=1024,
        pad_value=-mean / twice_deviation,
    )


def beats() -> FeatureSpec:
    # microsoft/unilm, BEATs.preprocess: torchaudio.compliance.kaldi.fbank of int16 values.
    mean, twice_deviation = 15.41663, 2 * 6.55582
    return kaldi_fbank().replace(
        num_mel_bins=128, gain=1 / twice_deviation, offset=-mean / twice_deviation
    )


def yamnet() -> FeatureSpec:
    # tensorflow/models, research/audioset/yamnet: features.py and params.py, the spectrogram
    # before it is cut into patches of 96 frames.
    return FeatureSpec(
        frame_length=400,
        hop_length=160,
        fft_length=512,
        magnitude_exponent=1.0,
        num_mel_bins=64,
        min_freq=125.0,
        max_freq=7500.0,
        mel_triangles="mel",
        level="ln",
        floor=0.001,
        floor_rule="add",
        layout="frames_first",
    )


def vggish() -> FeatureSpec:
    # tensorflow/models, research/audioset/vggish: mel_features.py and vggish_params.py, NumPy in
    # float64, the spectrogram before it is cut into examples of 96 frames.
    return yamnet().replace(precision="float64", floor=0.01)


def clap() -> FeatureSpec:
    # transformers 5.24.0, ClapFeatureExtractor with truncation="rand_trunc": NumPy, float64. Of
    # a longer clip it takes a random part, this the first ten seconds.
    return FeatureSpec(
        sampling_rate=48000.0,
        precision="float64",
        num_samples=480000,
        sample_padding="repeat",
        frame_length=1024,
        hop_length=480,
        fft_length=1024,
        padding="center",
        num_mel_bins=64,
        max_freq=14000.0,
        mel_scale="slaney",
        mel_norm="slaney",
        level="decibel",
        layout="frames_first",
    )


def clap_fusion() -> FeatureSpec:
    # The same with truncation="fusion", which returns a clip of up to ten seconds four times.
    return clap().replace(mel_scale="htk", mel_norm=None)


def panns() -> FeatureSpec:
    # qiuqiangkong/audioset_tagging_cnn, Cnn14 at 32 kHz, by torchlibrosa 0.1.0.
    return FeatureSpec(
        sampling_rate=32000.0,
        frame_length=1024,
        hop_length=320,
        fft_length=1024,
        padding="center",
        num_mel_bins=64,
        min_freq=50.0,
        max_freq=14000.0,
        mel_scale="slaney",
        mel_norm="slaney",
        level="decibel",
        layout="frames_first",
    )


# ---- Speech synthesis and vocoders -------------------------------------------------------------


def speecht5_target() -> FeatureSpec:
    # transformers 5.24.0, SpeechT5FeatureExtractor for audio_target: NumPy, float64.
    return FeatureSpec(
        precision="float64",
        frame_length=1024,
        hop_length=256,
        fft_length=1024,
        padding="center",
        magnitude_exponent=1.0,
        min_freq=80.0,
        max_freq=7600.0,
        mel_scale="slaney",
        mel_norm="slaney",
        level="log10",
        layout="frames_first",
    )


def hifigan() -> FeatureSpec:
    # jik876/hifi-gan, meldataset.py with config_v1.json.
    return FeatureSpec(
        sampling_rate=22050.0,
        frame_length=1024,
        hop_length=256,
        fft_length=1024,
        padding="sides",
        magnitude_exponent=1.0,
        power_offset=1e-9,
        max_freq=8000.0,
        mel_scale="slaney",
        mel_norm="slaney",
        level="ln",
        floor=1e-5,
    )


def bigvgan() -> FeatureSpec:
    # NVIDIA/BigVGAN, meldataset.py with the configuration of bigvgan_v2_24khz_100band_256x.
    return hifigan().replace(sampling_rate=24000.0, num_mel_bins=100, max_freq=None)


def univnet() -> FeatureSpec:
    # transformers 5.24.0, UnivNetFeatureExtractor: NumPy, float64.
    return bigvgan().replace(precision="float64", layout="frames_first")


def vocos() -> FeatureSpec:
    # vocos 0.1.0, MelSpectrogramFeatures as vocos-mel-24khz has it, by torchaudio.
    return FeatureSpec(
        sampling_rate=24000.0,
        frame_length=1024,
        hop_length=256,
        fft_length=1024,
        padding="center",
        magnitude_exponent=1.0,
        num_mel_bins=100,
        level="ln",
        floor=1e-7,
    )
