# SPDX-License-Identifier: BSD-3-Clause
"""The front ends of specfast as a feature extractor of lhotse.

lhotse, which brings torch, is imported by this module and by nothing else of the package:
`pip install lhotse`. Importing the module registers the extractor under the name "specfast".

    from lhotse import CutSet
    from specfast.corpus.lhotse import SpecfastConfig, SpecfastExtractor

    extractor = SpecfastExtractor(SpecfastConfig("whisper"))
    cuts = CutSet.from_file("cuts.jsonl.gz").compute_and_store_features(
        extractor, "features", num_jobs=8
    )
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lhotse.features.base import FeatureExtractor as LhotseExtractor
from lhotse.features.base import register_extractor
from lhotse.utils import compute_num_frames_from_samples

from specfast._corpus.fronts import spec_of
from specfast._spec import checks
from specfast._spec.arguments import MAX_THREADS
from specfast._spec.feature_spec import FeatureSpec
from specfast._spec.preset_specs import spec as preset
from specfast.layers import FeatureExtractor

__all__ = ["SpecfastConfig", "SpecfastExtractor"]


def _lhotse_fbank() -> FeatureSpec:
    """Returns what lhotse 1.33.0 computes by default, `Fbank()`."""
    return preset("kaldi_fbank").replace(input_scale=1.0, padding="hops", max_freq=7600.0)


@dataclass
class SpecfastConfig:
    """The settings of a SpecfastExtractor, which lhotse keeps in manifests and YAML files.

    Attributes:
        front: The front end: the name of a preset, a file that describes one, a FeatureSpec, or
            the dictionary of one's JSON. None: what lhotse's own `Fbank` computes. It becomes
            that dictionary, so that what is stored means the same everywhere.
        max_frame_difference: By how many frames the result of the front end may differ from
            round(samples / hop length), the number of frames that lhotse expects. Surplus frames
            at the end are left out, and the last frame is repeated in the place of missing ones.
        num_threads: Threads of a call; lhotse runs as many processes as `num_jobs` says.

    Raises:
        TypeError, ValueError, OSError: A value is not what is accepted.
    """

    front: Any = None
    max_frame_difference: int = 1
    num_threads: int = 1

    def __post_init__(self) -> None:
        self.front = json.loads(_spec_of(self.front).to_json())
        self.max_frame_difference = checks.integer(
            "max_frame_difference", self.max_frame_difference, minimum=0, maximum=1 << 31
        )
        self.num_threads = checks.integer(
            "num_threads", self.num_threads, minimum=1, maximum=MAX_THREADS
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings as lhotse stores them."""
        return {
            "front": dict(self.front),
            "max_frame_difference": self.max_frame_difference,
            "num_threads": self.num_threads,
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> SpecfastConfig:
        """Returns the settings that `to_dict` gave."""
        return SpecfastConfig(**data)


def _spec_of(front: Any) -> FeatureSpec:
    if front is None:
        return _lhotse_fbank()
    return FeatureSpec.from_json(json.dumps(front)) if isinstance(front, dict) else spec_of(front)


@register_extractor
class SpecfastExtractor(LhotseExtractor):
    """A front end of specfast for `CutSet.compute_and_store_features` and its like.

    Args:
        config: See `SpecfastConfig`.

    Raises:
        ValueError: The front end makes a fixed number of frames of any clip, which lhotse, for
            which frames are times, cannot describe.

    Features are [frames, rows], of the front end's dtype, whatever its layout. Nothing is
    resampled. Mixing of features is not defined: lhotse says so, and mixes sounds instead.
    """

    name = "specfast"
    config_type = SpecfastConfig

    def __init__(self, config: SpecfastConfig | None = None) -> None:
        super().__init__(config)
        spec = _spec_of(self.config.front)
        for field in ("num_samples", "num_frames"):
            if getattr(spec, field) is not None:
                raise ValueError(
                    f"`front` must make as many frames as a clip is long; its `{field}` cuts and "
                    f"pads every clip. {checks.received(field, getattr(spec, field))}"
                )
        self._extractor = FeatureExtractor(spec, num_threads=self.config.num_threads)

    @property
    def frame_shift(self) -> float:
        """The time from one frame to the next, in seconds."""
        spec = self._extractor.spec
        return spec.hop_length * spec.join_frames / spec.sampling_rate

    def feature_dim(self, sampling_rate: int) -> int:
        """Returns the number of values of a frame."""
        return self._extractor.spec.num_rows

    def extract(self, samples: Any, sampling_rate: int) -> Any:
        """Returns the features of one clip.

        Args:
            samples: An array or a tensor, of shape [samples] or [1, samples].
            sampling_rate: In Hz; that of the front end.

        Returns:
            [frames, rows]: an array, or a tensor for a tensor.

        Raises:
            ValueError: The clip has several channels, another sampling rate, or a number of
                frames that lhotse cannot take; see `SpecfastConfig`.
        """
        self._check_rate(sampling_rate)
        signal = _signal(samples)
        values = self._by_frame(self._extractor(signal))
        return _like(samples, self._fitted(values, len(signal)))

    def extract_batch(self, samples: Any, sampling_rate: int, lengths: Any = None) -> Any:
        """Returns the features of several clips, each as `extract` gives them.

        Args:
            samples: A list of clips, or one array or tensor of shape [clips, samples].
            sampling_rate: In Hz; that of the front end.
            lengths: How many samples each clip of a padded tensor has.

        Returns:
            [clips, frames, rows] if all clips have as many frames, else a list of [frames, rows];
            as from lhotse's own extractors, one clip has no axis of clips unless it came in a
            list.
        """
        self._check_rate(sampling_rate)
        in_list = isinstance(samples, list | tuple)
        clips = list(samples) if in_list or samples.ndim > 1 else [samples]
        signals = [_signal(clip) for clip in clips]
        if lengths is not None:
            signals = [
                signal[: int(length)] for signal, length in zip(signals, lengths, strict=True)
            ]
        found = [
            _like(clips[0], self._fitted(values, len(signal)))
            for values, signal in zip(self._computed(signals), signals, strict=True)
        ]
        if len(found) == 1:
            return found if in_list else found[0]
        if any(each.shape != found[0].shape for each in found):
            return found
        return torch.stack(found) if isinstance(found[0], torch.Tensor) else np.stack(found)

    def _computed(self, signals: Sequence[Any]) -> list[Any]:
        """Returns the frames of each signal, computed in one call."""
        result = self._extractor(list(signals))
        frames = self._by_frame(result.values)
        return [each[:count] for each, count in zip(frames, result.num_frames, strict=True)]

    def _by_frame(self, values: Any) -> Any:
        by_frame = self._extractor.spec.layout == "frames_first"
        return values if by_frame else values.swapaxes(-1, -2)

    def _fitted(self, values: Any, num_samples: int) -> Any:
        """Returns as many frames as lhotse expects of so many samples.

        Raises:
            ValueError: They are too few or too many for that.
        """
        spec = self._extractor.spec
        rate = round(spec.sampling_rate)
        expected = compute_num_frames_from_samples(num_samples, self.frame_shift, rate)
        missing = expected - len(values)
        if not len(values) or abs(missing) > self.config.max_frame_difference:
            raise ValueError(
                f"lhotse expects {expected} frames of {num_samples} samples, round(samples / "
                f"{spec.hop_length * spec.join_frames}), and the front end makes {len(values)}. "
                "`max_frame_difference` allows for more; `padding` 'hops' makes as many as "
                f"expected. Received: padding={spec.padding!r}, max_frame_difference="
                f"{self.config.max_frame_difference}"
            )
        if missing > 0:
            values = np.concatenate([values, np.repeat(values[-1:], missing, axis=0)])
        return np.ascontiguousarray(values[:expected])

    def _check_rate(self, sampling_rate: Any) -> None:
        wanted = self._extractor.spec.sampling_rate
        if sampling_rate != wanted:
            raise ValueError(
                f"`sampling_rate` must be {wanted:g} Hz, that of the front end; nothing is "
                "resampled: CutSet.resample does. "
                f"{checks.received('sampling_rate', sampling_rate)}"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["config"])  # type: ignore[misc]


def _signal(samples: Any) -> Any:
    """Returns a clip as an array [samples].

    Raises:
        ValueError: It has several channels.
    """
    array = samples.numpy(force=True) if isinstance(samples, torch.Tensor) else np.asarray(samples)
    if array.ndim == 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 1:
        raise ValueError(
            "`samples` must be of one channel, [samples] or [1, samples]: lhotse stores matrices. "
            f"Received: samples of shape {tuple(array.shape)}"
        )
    return array


def _like(samples: Any, values: Any) -> Any:
    """Returns an array as a tensor where the samples came in one."""
    return torch.from_numpy(values) if isinstance(samples, torch.Tensor) else values
