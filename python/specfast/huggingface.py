# SPDX-License-Identifier: BSD-3-Clause
"""Feature extractors of Hugging Face transformers, computed by this package.

Each class is a subclass of the one of transformers that has its name: arguments, calls, padding,
masks, tensors and files are those of transformers, only the spectrogram is the engine's. What it
cannot compute exactly is refused when an extractor is made. `drop_in` makes one of an extractor
that transformers has made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._hugging_face import padding as _padding
from specfast._hugging_face import versions as _versions
from specfast._hugging_face.direct import DirectCalls as _DirectCalls
from specfast._hugging_face.direct import as_one as _as_one
from specfast._hugging_face.drop_in import DropIn as _DropIn
from specfast._hugging_face.drop_in import batch as _batch
from specfast._hugging_face.drop_in import differing as _differing
from specfast._hugging_face.drop_in import mono as _mono
from specfast._hugging_face.drop_in import refuse_device as _refuse_device
from specfast._spec import checks as _checks
from specfast._spec.feature_spec import FeatureSpec

__all__ = [
    "ASTFeatureExtractor",
    "ClapFeatureExtractor",
    "Gemma3nAudioFeatureExtractor",
    "LasrFeatureExtractor",
    "ParakeetFeatureExtractor",
    "Phi4MultimodalFeatureExtractor",
    "SeamlessM4TFeatureExtractor",
    "SpeechT5FeatureExtractor",
    "UnivNetFeatureExtractor",
    "WhisperFeatureExtractor",
    "drop_in",
]

_Array = npt.NDArray[Any]

_AST: Any = _versions.original("ASTFeatureExtractor")
_Clap: Any = _versions.original("ClapFeatureExtractor")
_Gemma3nAudio: Any = _versions.original("Gemma3nAudioFeatureExtractor")
_Lasr: Any = _versions.original("LasrFeatureExtractor")
_Parakeet: Any = _versions.original("ParakeetFeatureExtractor")
_Phi4Multimodal: Any = _versions.original("Phi4MultimodalFeatureExtractor")
_SeamlessM4T: Any = _versions.original("SeamlessM4TFeatureExtractor")
_SpeechT5: Any = _versions.original("SpeechT5FeatureExtractor")
_UnivNet: Any = _versions.original("UnivNetFeatureExtractor")
_Whisper: Any = _versions.original("WhisperFeatureExtractor")

# Numbers of a frame that Parakeet, Phi-4 and LASR have in common.
_FRAMES = ("feature_size", "sampling_rate", "hop_length", "n_fft", "win_length")

# The originals normalize, join and pad frames themselves.
_NOTHING_BEHIND_LEVELS: dict[str, Any] = {
    "normalization": None,
    "gain": 1.0,
    "offset": 0.0,
    "masked_frames": 0,
    "num_frames": None,
    "frames_multiple": 1,
    "join_frames": 1,
    "pad_value": 0.0,
}


# ---- Speech ------------------------------------------------------------------------------------


class WhisperFeatureExtractor(_DirectCalls, _Whisper):
    """`transformers.WhisperFeatureExtractor`, computed by this package.

    As there, features are computed in float32 where torch is installed, else in float64. They are
    NumPy arrays whatever `device` says, which chooses nothing here.
    """

    _options = ("feature_size", "sampling_rate", "hop_length", "n_fft", "dither")

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        spec = self._read(given).replace(num_samples=None)
        return {name: spec.replace(precision=name) for name in ("float32", "float64")}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        with_mask = call.get("return_attention_mask")
        if self.return_attention_mask and not with_mask:
            return None  # the original returns a mask of samples
        has_torch = self.original_module().is_torch_available()
        samples = _as_one(clips, self.n_samples)
        data = {"input_features": self._engines["float32" if has_torch else "float64"](samples)}
        if with_mask:
            starts = self.hop_length * np.arange(data["input_features"].shape[-1])
            lengths = np.array([len(clip) for clip in clips])
            data["attention_mask"] = (starts < lengths[:, None]).astype(np.int32)
        return data

    def _torch_extract_fbank_features(self, waveform: _Array, device: str = "cpu") -> Any:
        return self._engines["float32"](waveform)

    def _np_extract_fbank_features(self, waveform_batch: Any, device: str = "cpu") -> Any:
        return self._engines["float64"](np.asarray(waveform_batch))


class SeamlessM4TFeatureExtractor(_DirectCalls, _SeamlessM4T):
    """`transformers.SeamlessM4TFeatureExtractor`, computed by this package in float64."""

    _options = ("feature_size", "sampling_rate", "num_mel_bins")

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        whole = self._read(given)
        return {"whole": whole, "levels": whole.replace(**_NOTHING_BEHIND_LEVELS)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        whole = self._engines["whole"]
        shortest = whole.spec.frame_length + whole.spec.hop_length  # two frames have a deviation
        strides = {self.stride, whole.spec.join_frames, whole.spec.frames_multiple}
        if len(strides) > 1 or min(map(len, clips)) < shortest:
            return None
        # The engine normalizes, pads and joins frames in the same pass.
        features = whole(clips)
        with_mask = call.get("return_attention_mask")
        data = {"input_features": features.values}
        if self.return_attention_mask if with_mask is None else with_mask:
            data["attention_mask"] = features.mask.astype(np.int32)
        return data

    def _extract_fbank_features(self, waveform: _Array) -> Any:
        first_channel = waveform[0] if waveform.ndim == 2 else waveform
        return self._engines["levels"](_mono(first_channel))


class ParakeetFeatureExtractor(_DirectCalls, _Parakeet):
    """`transformers.ParakeetFeatureExtractor`, computed by this package in float32."""

    _options = (*_FRAMES, "preemphasis")

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        whole = self._read(given)
        levels = whole.replace(preemphasis=0.0, preemphasis_rule="frame")
        return {"whole": whole, "levels": levels.replace(**_NOTHING_BEHIND_LEVELS)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any]:
        # The engine filters, normalizes and pads in the same pass.
        features = self._engines["whole"](clips)
        return {
            "input_features": _tensor(features.values),
            "attention_mask": _tensor(features.mask),
        }

    def _torch_extract_fbank_features(self, waveform: Any, device: str = "cpu") -> Any:
        _refuse_device(device)
        return _tensor(self._engines["levels"](_batch(waveform)))


class LasrFeatureExtractor(_DirectCalls, _Lasr):
    """`transformers.LasrFeatureExtractor`, computed by this package in float64."""

    _options = _FRAMES

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        return {"levels": self._read(given)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        if call.get("return_attention_mask"):
            return None
        samples = _as_one(clips, max(map(len, clips)))
        return {"input_features": _tensor(self._engines["levels"](samples))}

    def _torch_extract_fbank_features(self, waveform: Any, device: str = "cpu") -> Any:
        _refuse_device(device)
        return _tensor(self._engines["levels"](_batch(waveform)))


class Phi4MultimodalFeatureExtractor(_DirectCalls, _Phi4Multimodal):
    """`transformers.Phi4MultimodalFeatureExtractor`, computed by this package in float64."""

    _options = (*_FRAMES, "preemphasis", "mel_min_frequency", "mel_max_frequency")

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        return {"levels": self._read(given)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        lengths = np.array([len(clip) for clip in clips])
        rates = self.audio_feat_stride, self.audio_compression_rate, self.audio_downsample_rate
        if lengths.min() < self.win_length or not all(type(rate) is int for rate in rates):
            return None
        levels = self._levels(_as_one(clips, lengths.max()), lengths.tolist())
        frames = ((lengths - self.win_length) // self.hop_length + 1) * self.audio_feat_stride
        # As _compute_audio_embed_size, whose dozen of small tensors takes as long as two seconds.
        sizes = -(-frames // self.audio_compression_rate)
        sizes = -(-sizes // self.audio_downsample_rate)
        data = {"audio_input_features": _tensor(levels), "audio_embed_sizes": _tensor(sizes)}
        if len(clips) > 1 and call.get("return_attention_mask", True):
            data["audio_attention_mask"] = _tensor(np.arange(frames.max()) < frames[:, None])
        return data

    def _torch_extract_fbank_features(
        self, waveform: Any, audio_lengths: Any, device: str = "cpu"
    ) -> Any:
        _refuse_device(device)
        return _tensor(self._levels(_batch(waveform), audio_lengths.tolist()))

    def _levels(self, samples: _Array, lengths: list[int]) -> _Array:
        levels: _Array = self._engines["levels"](samples)
        for clip, length in zip(levels, lengths, strict=True):
            if length == max(lengths):
                continue
            # Of the frames that reach beyond the end of a clip, the original leaves the last one.
            first = (length - self.win_length) // self.hop_length + 1
            last = length // self.hop_length - 1
            if last > len(clip):
                raise ValueError(
                    "`truncation` must leave the shorter clips of a batch whole. Received: a clip "
                    f"of {length} samples, cut to {samples.shape[-1]}"
                )
            clip[max(first, 0) : max(last, 0)] = 0.0
        return levels


class Gemma3nAudioFeatureExtractor(_DirectCalls, _Gemma3nAudio):
    """`transformers.Gemma3nAudioFeatureExtractor`, computed by this package in float64."""

    _options = (
        "feature_size",
        "sampling_rate",
        "frame_length_ms",
        "hop_length_ms",
        "min_frequency",
        "max_frequency",
        "preemphasis",
        "preemphasis_htk_flavor",
        "fft_overdrive",
        "dither",
        "input_scale_factor",
        "mel_floor",
        "per_bin_mean",
        "per_bin_stddev",
    )

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        return {"levels": self._read(given)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        if call.get("return_attention_mask") is False:
            return None  # the original fails
        # The defaults of `max_length` and `pad_to_multiple_of`.
        lengths = [min(len(clip), 480_000) for clip in clips]
        levels = self._engines["levels"](_as_one(clips, -(-max(lengths) // 128) * 128))
        starts = self.hop_length * np.arange(levels.shape[1])
        masks = starts < np.array(lengths)[:, None]
        return {"input_features": _each(levels, call), "input_features_mask": _each(masks, call)}

    def _extract_spectrogram(self, waveform: _Array, attention_mask: _Array) -> tuple[Any, Any]:
        levels = self._engines["levels"](_mono(waveform))
        mask = attention_mask[:: self.hop_length].astype(bool)
        return levels, mask[: len(levels)]


# ---- Sounds and synthesis ----------------------------------------------------------------------


class ASTFeatureExtractor(_DirectCalls, _AST):
    """`transformers.ASTFeatureExtractor`, computed by this package.

    As there, levels are computed in float32 where torchaudio is installed, else in float64.
    """

    _options = ("sampling_rate", "num_mel_bins")
    _pads_rows = True

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        spec = self._read(given).replace(**_NOTHING_BEHIND_LEVELS)
        return {name: spec.replace(precision=name) for name in ("float32", "float64")}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any] | None:
        mean, deviation = self.mean, self.std
        if not {type(mean), type(deviation)} <= {int, float}:
            return None  # one of NumPy's makes float64 of the original's result
        values = np.zeros((len(clips), self.max_length, self.num_mel_bins), np.float32)
        for row, clip in zip(values, clips, strict=True):
            levels = self._levels(clip, self.max_length)
            row[: len(levels)] = levels
            if self.do_normalize:  # where it lies, a clip after the other in the cache
                row -= mean
                row /= deviation * 2
        return {"input_values": _each(values, call)}

    def _extract_fbank_features(self, waveform: _Array, max_length: int) -> Any:
        levels = self._levels(_mono(waveform), max_length)
        padded = np.zeros((max_length, self.num_mel_bins), levels.dtype)
        padded[: len(levels)] = levels
        return padded

    def _levels(self, clip: _Array, max_length: int) -> _Array:
        has_torchaudio = self.original_module().is_speech_available()
        engine = self._engines["float32" if has_torchaudio else "float64"]
        longest = engine.spec.hop_length * (max_length - 1) + engine.spec.frame_length
        levels: _Array = engine(clip[:longest])
        return levels


class ClapFeatureExtractor(_DropIn, _Clap):
    """`transformers.ClapFeatureExtractor`, computed by this package in float64."""

    _options = (
        "feature_size",
        "sampling_rate",
        "hop_length",
        "fft_window_size",
        "frequency_min",
        "frequency_max",
    )

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        banks = {"mel_filters": "fusion", "mel_filters_slaney": "rand_trunc"}
        return {
            name: self._read({**given, "truncation": truncation}).replace(
                num_samples=None, sample_padding="zeros"
            )
            for name, truncation in banks.items()
        }

    def _np_extract_fbank_features(self, waveform: _Array, mel_filters: Any = None) -> Any:
        for name, engine in self._engines.items():
            if mel_filters is getattr(self, name):
                return engine(_mono(waveform))
        raise ValueError(
            "`mel_filters` must be the extractor's own `mel_filters` or `mel_filters_slaney`. "
            f"{_checks.received('mel_filters', mel_filters)}"
        )


class SpeechT5FeatureExtractor(_DropIn, _SpeechT5):
    """`transformers.SpeechT5FeatureExtractor`, whose `audio_target` this package computes.

    In float64, as there. `audio` is padded samples, of which nothing is computed.
    """

    _options = (
        "sampling_rate",
        "num_mel_bins",
        "hop_length",
        "win_length",
        "win_function",
        "fmin",
        "fmax",
        "mel_floor",
    )
    _argument = "audio_target"

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        return {"levels": self._read(given)}

    def _extract_mel_features(self, one_waveform: _Array) -> Any:
        return self._engines["levels"](_mono(one_waveform))


class UnivNetFeatureExtractor(_DirectCalls, _UnivNet):
    """`transformers.UnivNetFeatureExtractor`, computed by this package in float64."""

    _options = (
        "sampling_rate",
        "num_mel_bins",
        "hop_length",
        "win_length",
        "win_function",
        "filter_length",
        "fmin",
        "fmax",
        "mel_floor",
        "center",
        "compression_factor",
        "compression_clip_val",
    )
    _arguments = frozenset({"return_noise", "generator"})
    _pads_rows = True

    def _specs(self, given: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        return {"levels": self._read(given)}

    def _direct(self, clips: list[_Array], call: Mapping[str, Any]) -> dict[str, Any]:
        clips = [clip[: self.num_max_samples] for clip in clips]
        length = max(map(len, clips))
        levels = self._engines["levels"](_as_one(clips, length))
        if self.do_normalize:
            levels = self.normalize(levels)
        data = {"input_features": _each(levels, call)}
        with_mask = call.get("return_attention_mask")
        if self.return_attention_mask if with_mask is None else with_mask:
            data["padding_mask"] = _each(_padding.mask(clips, length, "right"), call)
        if call.get("return_noise", True):
            data["noise_sequence"] = [
                self.generate_noise(levels.shape[1], call.get("generator")) for _ in clips
            ]
        return data

    def mel_spectrogram(self, waveform: _Array) -> Any:
        """Returns the levels of a clip [samples], float32 [frames, num_mel_bins]."""
        return self._engines["levels"](_mono(waveform))


_CLASSES = (
    WhisperFeatureExtractor,
    SeamlessM4TFeatureExtractor,
    ParakeetFeatureExtractor,
    LasrFeatureExtractor,
    Phi4MultimodalFeatureExtractor,
    Gemma3nAudioFeatureExtractor,
    ASTFeatureExtractor,
    ClapFeatureExtractor,
    SpeechT5FeatureExtractor,
    UnivNetFeatureExtractor,
)


def drop_in(extractor: Any) -> Any:
    """Returns the extractor of this package that does what one of transformers does.

    Args:
        extractor: one of transformers' own classes for which there is a class here, as
            AutoFeatureExtractor and processors have it; one of this package is returned as it is.

    Raises:
        TypeError: for any other object.
        ValueError: if it has been changed since it was made, or holds a value that cannot be
            computed.
    """
    if isinstance(extractor, _DropIn):
        return extractor
    by_name = {cls.__name__: cls for cls in _CLASSES}
    cls = by_name.get(type(extractor).__name__)
    if cls is None or type(extractor) not in cls.__mro__:
        raise TypeError(
            f"`extractor` must be one of transformers' {', '.join(by_name)}. "
            f"{_checks.received('extractor', type(extractor))}"
        )
    made = cls.from_dict(extractor.to_dict())
    for name in _differing(made, extractor):
        raise ValueError(
            f"`{name}` of this {cls.__name__} is not what its class makes of the values that it "
            f"saves: make a specfast.huggingface.{cls.__name__} with its arguments. "
            f"{_checks.received(name, getattr(extractor, name, None))}"
        )
    return made


def _tensor(levels: _Array) -> Any:
    import torch

    return torch.from_numpy(levels)


def _each(batch: _Array, call: Mapping[str, Any]) -> _Array | list[_Array]:
    """Returns what a call without `return_tensors` has as a list, an array for each clip."""
    return [*batch] if call.get("return_tensors") is None else batch
