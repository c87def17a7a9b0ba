# SPDX-License-Identifier: BSD-3-Clause
"""What published files say about front ends, as dictionaries: keys and values of these files.

Each entry names the models or programs whose file it is.
"""

from __future__ import annotations

from typing import Any

# ---- Hugging Face ------------------------------------------------------------------------------

_MASKED = {"padding_side": "right", "padding_value": 0.0, "return_attention_mask": True}

# openai/whisper-tiny to large-v2, as they are saved today; old ones hold `mel_filters` too.
WHISPER: dict[str, Any] = {
    "chunk_length": 30,
    "feature_extractor_type": "WhisperFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 400,
    "n_samples": 480000,
    "nb_max_frames": 3000,
    "padding_side": "right",
    "padding_value": 0.0,
    "processor_class": "WhisperProcessor",
    "return_attention_mask": False,
    "sampling_rate": 16000,
}
# openai/whisper-large-v3 and large-v3-turbo.
WHISPER_LARGE_V3 = {**WHISPER, "feature_size": 128}
# Qwen/Qwen2-Audio-7B-Instruct.
QWEN2_AUDIO = {
    **WHISPER_LARGE_V3,
    "processor_class": "Qwen2AudioProcessor",
    "return_attention_mask": True,
}
# Qwen's Omni models keep their image processor in the same file.
QWEN_OMNI = {
    **QWEN2_AUDIO,
    "chunk_length": 300,
    "dither": 0.0,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_processor_type": "Qwen2VLImageProcessor",
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "max_pixels": 12845056,
    "merge_size": 2,
    "min_pixels": 3136,
    "n_samples": 4800000,
    "nb_max_frames": 30000,
    "patch_size": 14,
    "temporal_patch_size": 2,
}

# MIT/ast-finetuned-audioset-10-10-0.4593.
AST = {
    "do_normalize": True,
    "feature_extractor_type": "ASTFeatureExtractor",
    "feature_size": 1,
    "max_length": 1024,
    "mean": -4.2677393,
    "num_mel_bins": 128,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "sampling_rate": 16000,
    "std": 4.5689974,
}

# facebook/w2v-bert-2.0.
W2V_BERT = {
    **_MASKED,
    "feature_extractor_type": "SeamlessM4TFeatureExtractor",
    "feature_size": 80,
    "num_mel_bins": 80,
    "padding_value": 1,
    "processor_class": "Wav2Vec2BertProcessor",
    "sampling_rate": 16000,
    "stride": 2,
}
# facebook/hf-seamless-m4t-medium and seamless-m4t-v2-large.
SEAMLESS_M4T = {
    **W2V_BERT,
    "language_code": ["__afr__", "__eng__"],
    "padding_value": 0.0,
    "processor_class": "SeamlessM4TProcessor",
}

# nvidia/parakeet-tdt-0.6b-v3: processor_config.json.
PARAKEET = {
    "blank_token": "<blank>",
    "feature_extractor": {
        **_MASKED,
        "feature_extractor_type": "ParakeetFeatureExtractor",
        "feature_size": 128,
        "hop_length": 160,
        "n_fft": 512,
        "preemphasis": 0.97,
        "sampling_rate": 16000,
        "win_length": 400,
    },
    "processor_class": "ParakeetProcessor",
}

# google/gemma-3n-E2B-it and E4B-it.
GEMMA3N = {
    **_MASKED,
    "dither": 0.0,
    "feature_extractor_type": "Gemma3nAudioFeatureExtractor",
    "feature_size": 128,
    "fft_length": 1024,
    "fft_overdrive": True,
    "frame_length": 512,
    "hop_length": 160,
    "input_scale_factor": 1.0,
    "max_frequency": 7600.0,
    "mel_floor": 1e-05,
    "min_frequency": 125.0,
    "per_bin_mean": None,
    "per_bin_stddev": None,
    "preemphasis": 0.97,
    "preemphasis_htk_flavor": True,
    "sampling_rate": 16000,
}

# microsoft/Phi-4-multimodal-instruct, as transformers saves it.
PHI4 = {
    **_MASKED,
    "audio_compression_rate": 8,
    "audio_downsample_rate": 1,
    "audio_feat_stride": 1,
    "feature_extractor_type": "Phi4MultimodalFeatureExtractor",
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 512,
    "preemphasis": 0.97,
    "sampling_rate": 16000,
    "win_length": 400,
}

# google/medasr.
LASR = {
    **_MASKED,
    "feature_extractor_type": "LasrFeatureExtractor",
    "feature_size": 128,
    "hop_length": 160,
    "n_fft": 512,
    "processor_class": "LasrProcessor",
    "sampling_rate": 16000,
    "win_length": 400,
}

# microsoft/speecht5_vc and speecht5_tts.
SPEECHT5 = {
    **_MASKED,
    "do_normalize": False,
    "feature_extractor_type": "SpeechT5FeatureExtractor",
    "feature_size": 1,
    "fmax": 7600,
    "fmin": 80,
    "frame_signal_scale": 1.0,
    "hop_length": 16,
    "mel_floor": 1e-10,
    "n_fft": 1024,
    "n_freqs": 513,
    "num_mel_bins": 80,
    "processor_class": "SpeechT5Processor",
    "reduction_factor": 2,
    "sample_size": 1024,
    "sample_stride": 256,
    "sampling_rate": 16000,
    "win_function": "hann_window",
    "win_length": 64,
}

# laion/clap-htsat-fused.
CLAP_FUSED = {
    "chunk_length_s": 10,
    "feature_extractor_type": "ClapFeatureExtractor",
    "feature_size": 64,
    "fft_window_size": 1024,
    "frequency_max": 14000,
    "frequency_min": 50,
    "hop_length": 480,
    "max_length_s": 10,
    "n_fft": 1024,
    "nb_frequency_bins": 513,
    "nb_max_frames": 1000,
    "nb_max_samples": 480000,
    "padding": "repeatpad",
    "padding_side": "right",
    "padding_value": 0.0,
    "processor_class": "ClapProcessor",
    "return_attention_mask": False,
    "sampling_rate": 48000,
    "top_db": None,
    "truncation": "fusion",
}
# laion/clap-htsat-unfused.
CLAP_UNFUSED = {**CLAP_FUSED, "truncation": "rand_trunc"}

# dg845/univnet-dev.
UNIVNET = {
    **_MASKED,
    "center": False,
    "compression_clip_val": 1e-05,
    "compression_factor": 1.0,
    "do_normalize": False,
    "feature_extractor_type": "UnivNetFeatureExtractor",
    "feature_size": 1,
    "filter_length": 1024,
    "fmax": 12000.0,
    "fmin": 0.0,
    "hop_length": 256,
    "max_length_s": 10,
    "mel_floor": 1e-09,
    "model_in_channels": 64,
    "normalize_max": 2.3143386840820312,
    "normalize_min": -11.512925148010254,
    "num_mel_bins": 100,
    "pad_end_length": 10,
    "sampling_rate": 24000,
    "win_function": "hann_window",
    "win_length": 1024,
}

# facebook/wav2vec2-base-960h.
WAV2VEC2 = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0.0,
    "return_attention_mask": False,
    "sampling_rate": 16000,
}

# ---- Vocoders ----------------------------------------------------------------------------------

# jik876/hifi-gan, config_v1.json; v2 and v3 differ in the network only.
HIFIGAN: dict[str, Any] = {
    "resblock": "1",
    "num_gpus": 0,
    "batch_size": 16,
    "learning_rate": 0.0002,
    "adam_b1": 0.8,
    "adam_b2": 0.99,
    "lr_decay": 0.999,
    "seed": 1234,
    "upsample_rates": [8, 8, 2, 2],
    "upsample_kernel_sizes": [16, 16, 4, 4],
    "upsample_initial_channel": 512,
    "resblock_kernel_sizes": [3, 7, 11],
    "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
    "segment_size": 8192,
    "num_mels": 80,
    "num_freq": 1025,
    "n_fft": 1024,
    "hop_size": 256,
    "win_size": 1024,
    "sampling_rate": 22050,
    "fmin": 0,
    "fmax": 8000,
    "fmax_for_loss": None,
    "num_workers": 4,
    "dist_config": {
        "dist_backend": "nccl",
        "dist_url": "tcp://localhost:54321",
        "world_size": 1,
    },
}
HIFIGAN_V3 = {
    **HIFIGAN,
    "resblock": "2",
    "upsample_rates": [8, 8, 4],
    "upsample_kernel_sizes": [16, 16, 8],
    "upsample_initial_channel": 256,
    "resblock_kernel_sizes": [3, 5, 7],
    "resblock_dilation_sizes": [[1, 2], [2, 6], [3, 12]],
}
# jik876/hifi-gan, config_32k.json.
HIFIGAN_32K = {
    **HIFIGAN,
    "n_fft": 2048,
    "hop_size": 512,
    "win_size": 2048,
    "sampling_rate": 32000,
    "fmax": 11025,
}
# NVIDIA/BigVGAN, bigvgan_24khz_100band.json.
BIGVGAN: dict[str, Any] = {
    **HIFIGAN,
    "activation": "snakebeta",
    "snake_logscale": True,
    "resolutions": [[1024, 120, 600], [2048, 240, 1200], [512, 50, 240]],
    "mpd_reshapes": [2, 3, 5, 7, 11],
    "use_spectral_norm": False,
    "discriminator_channel_mult": 1,
    "num_mels": 100,
    "sampling_rate": 24000,
    "fmax": 12000,
}
# NVIDIA/BigVGAN, bigvgan_v2_24khz_100band_256x.json.
BIGVGAN_V2 = {
    **{key: value for key, value in BIGVGAN.items() if key != "resolutions"},
    "use_tanh_at_final": False,
    "use_bias_at_final": False,
    "use_cqtd_instead_of_mrd": True,
    "cqtd_filters": 128,
    "cqtd_max_filters": 1024,
    "cqtd_filters_scale": 1,
    "cqtd_dilations": [1, 2, 4],
    "cqtd_hop_lengths": [512, 256, 256],
    "cqtd_n_octaves": [9, 9, 9],
    "cqtd_bins_per_octaves": [24, 36, 48],
    "use_multiscale_melloss": True,
    "lambda_melloss": 15,
    "clip_grad_norm": 500,
    "fmax": None,
}
# NVIDIA/BigVGAN, bigvgan_v2_44khz_128band_512x.json.
BIGVGAN_V2_44K = {
    **BIGVGAN_V2,
    "num_mels": 128,
    "num_freq": 2049,
    "n_fft": 2048,
    "hop_size": 512,
    "win_size": 2048,
    "sampling_rate": 44100,
    "normalize_volume": True,
}

# ---- NeMo: the section `preprocessor` ----------------------------------------------------------

_MEL = "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor"

# nvidia/parakeet-tdt-0.6b-v2.
NEMO_PARAKEET: dict[str, Any] = {
    "_target_": _MEL,
    "sample_rate": 16000,
    "normalize": "per_feature",
    "window_size": 0.025,
    "window_stride": 0.01,
    "window": "hann",
    "features": 128,
    "n_fft": 512,
    "log": True,
    "frame_splicing": 1,
    "dither": 1e-05,
    "pad_to": 0,
    "pad_value": 0.0,
}
# nvidia/stt_en_fastconformer_ctc_large.
NEMO_FASTCONFORMER = {**NEMO_PARAKEET, "features": 80}
# nvidia/stt_en_fastconformer_hybrid_large_streaming_multi.
NEMO_STREAMING = {**NEMO_FASTCONFORMER, "normalize": "NA"}
# nvidia/stt_en_citrinet_512.
NEMO_CITRINET = {
    key: value
    for key, value in {**NEMO_FASTCONFORMER, "pad_to": 16, "stft_conv": False}.items()
    if key not in ("log", "pad_value")
}
# nvidia/tts_en_fastpitch at 44.1 kHz.
NEMO_FASTPITCH: dict[str, Any] = {
    "_target_": _MEL,
    "features": 80,
    "lowfreq": 0,
    "highfreq": None,
    "n_fft": 2048,
    "n_window_size": 2048,
    "window_size": False,
    "n_window_stride": 512,
    "window_stride": False,
    "pad_to": 1,
    "pad_value": 0,
    "sample_rate": 44100,
    "window": "hann",
    "normalize": None,
    "preemph": None,
    "dither": 0.0,
    "frame_splicing": 1,
    "log": True,
    "log_zero_guard_type": "add",
    "log_zero_guard_value": 1e-05,
    "mag_power": 1.0,
}
# nvidia/tts_hifigan.
NEMO_HIFIGAN: dict[str, Any] = {
    "_target_": "nemo.collections.asr.parts.preprocessing.features.FilterbankFeatures",
    "nfilt": 80,
    "lowfreq": 0,
    "highfreq": 8000,
    "n_fft": 1024,
    "n_window_size": 1024,
    "n_window_stride": 256,
    "pad_to": 0,
    "pad_value": -11.52,
    "sample_rate": 22050,
    "window": "hann",
    "normalize": None,
    "preemph": None,
    "dither": 0.0,
    "frame_splicing": 1,
    "log": True,
    "log_zero_guard_type": "clamp",
    "log_zero_guard_value": 1e-05,
    "mag_power": 1.0,
    "use_grads": False,
    "exact_pad": True,
}
# nvidia/vad_marblenet and commandrecognition_en_matchboxnet.
NEMO_MFCC: dict[str, Any] = {
    "_target_": "nemo.collections.asr.modules.AudioToMFCCPreprocessor",
    "window_size": 0.025,
    "window_stride": 0.01,
    "window": "hann",
    "n_mels": 64,
    "n_mfcc": 64,
    "n_fft": 512,
}

# ---- Kaldi: options by the name of their file --------------------------------------------------

KALDI: dict[str, dict[str, str]] = {
    "aishell/s10/conf/fbank.conf": {"sample-frequency": "16000", "num-mel-bins": "40"},
    "aspire/s5/conf/fbank.conf": {
        "use-energy": "false",
        "sample-frequency": "8000",
        "num-mel-bins": "40",
        "low-freq": "40",
        "high-freq": "-200",
    },
    "aishell/v1/conf/mfcc.conf": {
        "sample-frequency": "16000",
        "num-mel-bins": "40",
        "num-ceps": "20",
    },
    "aishell2/s5/conf/mfcc_hires.conf": {
        "use-energy": "false",
        "sample-frequency": "16000",
        "num-mel-bins": "40",
        "num-ceps": "40",
        "low-freq": "20",
        "high-freq": "-400",
    },
    "vosk/mfcc.conf": {
        "sample-frequency": "16000",
        "use-energy": "false",
        "num-mel-bins": "40",
        "num-ceps": "40",
        "low-freq": "20",
        "high-freq": "7600",
        "allow-upsample": "true",
        "allow-downsample": "true",
    },
}
# A recipe for telephone speech that asks for noise.
KALDI_DITHERED = {
    "window-type": "hamming",
    "sample-frequency": "8000",
    "low-freq": "64",
    "high-freq": "3800",
    "dither": "1",
    "num-mel-bins": "40",
}
