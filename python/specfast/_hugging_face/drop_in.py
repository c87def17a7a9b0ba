# SPDX-License-Identifier: BSD-3-Clause
"""DropIn: the half of a drop-in class that is this package's; the other is transformers' own."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from specfast._front_file import hugging_face
from specfast._hugging_face import padding as paddings
from specfast._hugging_face import versions
from specfast._hugging_face.padding import Array
from specfast._spec import checks
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers.features import FeatureExtractor, restored

# What the originals derive from their options when they are made.
_TABLES = ("mel_filters", "mel_filters_slaney", "window")
# Of the largest feature: float32 changes noise by less than 1e-4, another option by percents.
_ALIKE = 1e-3


class DropIn(ABC):
    """The base of all drop-in classes; stands before transformers' class.

    A class says on which options its numbers depend, and computes with `_engines` in place of the
    method of the original that does. All else is the original's: arguments, masks, files.
    """

    # Not in __dict__, of which transformers makes the file of an extractor.
    __slots__ = ("_engines",)

    _engines: dict[str, FeatureExtractor]
    _options: tuple[str, ...]
    # The argument of a call that takes the clips.
    _argument = "raw_speech"

    # Of transformers.
    feature_size: int
    sampling_rate: int
    padding_value: float
    padding_side: str
    return_attention_mask: bool
    model_input_names: list[str]
    _get_padding_strategies: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.__bases__[-1].__module__.startswith("transformers."):
            cls.__signature__ = inspect.signature(original_of(cls))  # type: ignore[attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        original = original_of(type(self))
        given = inspect.signature(original).bind(*args, **kwargs).arguments
        options = {name: _as_in_files(given[name]) for name in self._options if name in given}
        specs = self._specs(options)
        self._engines = {name: restored(spec, None) for name, spec in specs.items()}
        if not versions.is_known():
            self._compare(original(*args, **kwargs))

    @abstractmethod
    def _specs(self, options: Mapping[str, Any]) -> dict[str, FeatureSpec]:
        """Returns what is computed, a specification by name for each case.

        Args:
            options: those of `_options` that the caller gave.
        """

    def _read(self, options: Mapping[str, Any]) -> FeatureSpec:
        """Returns what a file with these options describes.

        Raises:
            TypeError, ValueError: naming an option that cannot be computed.
        """
        kind = original_of(type(self)).__name__
        return hugging_face.read({**options, "feature_extractor_type": kind}, ("num_samples",))

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute, but no other value for one on which features depend.

        Raises:
            AttributeError: for these, as no call would notice.
        """
        matters = name in (*self._options, *_TABLES) and hasattr(self, "_engines")
        if matters and not _alike(getattr(self, name, None), value):
            raise AttributeError(
                f"`{name}` of a specfast.huggingface.{type(self).__name__} cannot be changed: "
                f"make another one with this value. {checks.received(name, value)}"
            )
        super().__setattr__(name, value)

    def pad(
        self,
        processed_features: Any,
        padding: Any = True,
        max_length: int | None = None,
        truncation: bool = False,
        pad_to_multiple_of: int | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: Any = None,
    ) -> Any:
        """Returns what the original returns, for clips of samples several times as fast."""
        name = self.model_input_names[0]
        found = self._clips_and_counts(processed_features, name)
        length = None
        if found is not None and (max_length is not None or not truncation):
            strategy = self._get_padding_strategies(padding=padding, max_length=max_length).value
            lengths = [len(clip) for clip in found[0]]
            length = paddings.final_length(
                lengths, strategy, max_length, truncation, pad_to_multiple_of
            )
        if found is None or length is None:
            return super().pad(  # type: ignore[misc]
                processed_features,
                padding,
                max_length,
                truncation,
                pad_to_multiple_of,
                return_attention_mask,
                return_tensors,
            )
        clips, counts = found
        side = self.padding_side
        data = {name: paddings.columns(clips, length, side, self.padding_value), **counts}
        if return_attention_mask is None:
            return_attention_mask = self.return_attention_mask
        if return_attention_mask:
            data["attention_mask"] = paddings.mask(clips, length, side)
        if return_tensors is None:
            return_tensors = "np" if isinstance(processed_features[name][0], np.ndarray) else "pt"
        return versions.transformers().BatchFeature(data, tensor_type=return_tensors)

    def _clips_and_counts(
        self, features: Any, name: str
    ) -> tuple[list[Array], dict[str, Array]] | None:
        """Returns the clips of a batch and what stands beside them; None for anything else."""
        if not isinstance(features, Mapping) or self.padding_side not in ("left", "right"):
            return None
        # The original takes features of one number for rows rather than columns.
        if self.feature_size <= 1 or self.padding_value is None:
            return None
        clips = paddings.clips_of(features.get(name))
        counts = paddings.counts_beside(features, name)
        return None if clips is None or counts is None else (clips, counts)

    def _compare(self, original: Any) -> None:
        """Compares with an original of an unknown version, on a quarter of a second of noise.

        Raises:
            ImportError: if it computes something else.
        """
        rng = np.random.default_rng(0)
        clip = 0.1 * rng.standard_normal(self.sampling_rate // 4).astype(np.float32)
        before = np.random.get_state()  # noqa: NPY002 - of which CLAP takes numbers
        ours, theirs = (self._results_of(extractor, clip) for extractor in (self, original))
        np.random.set_state(before)  # noqa: NPY002
        if ours.keys() != theirs.keys() or not all(
            ours[key].shape == value.shape
            and np.abs(ours[key] - value).max() <= _ALIKE * np.abs(value).max()
            for key, value in theirs.items()
        ):
            raise ImportError(
                f"{type(self).__name__} of transformers {versions.transformers().__version__} "
                f"computes other features than that of transformers {versions.KNOWN}, after which "
                "specfast's is made"
            )

    def _results_of(self, extractor: Any, clip: Array) -> dict[str, Array]:
        """Returns all that a call returns of a clip, but for random numbers."""
        result = extractor(**{self._argument: clip}, sampling_rate=self.sampling_rate)
        return {
            key: np.asarray(value[0], np.float64)
            for key, value in result.items()
            if key != "noise_sequence"
        }


def differing(extractor: Any, other: Any) -> list[str]:
    """Returns the names of the attributes that two extractors do not have alike."""
    mine, others = vars(extractor), vars(other)
    names = {**mine, **others}.keys() - {"feature_extractor_type"}
    return sorted(
        name
        for name in names
        if name not in mine or name not in others or not _alike(mine[name], others[name])
    )


def mono(clip: Any) -> Array:
    """Returns a clip as [samples].

    Raises:
        ValueError: if it has several channels.
    """
    samples = np.atleast_1d(np.squeeze(np.asarray(clip)))
    if samples.ndim != 1:
        raise ValueError(
            f"each clip must have one channel. Received: a clip of shape {np.shape(clip)}"
        )
    return samples


def batch(waveform: Any) -> Array:
    """Returns a tensor [clips, samples] on the CPU as an array.

    Raises:
        ValueError: if clips have several channels.
    """
    if waveform.ndim != 2:
        raise ValueError(
            f"each clip must have one channel. Received: a batch of shape {tuple(waveform.shape)}"
        )
    samples: Array = waveform.numpy()
    return samples


def refuse_device(device: Any) -> None:
    """Refuses all devices but the CPU, on which the engine computes.

    Raises:
        ValueError: naming the device.
    """
    if device is not None and str(device) != "cpu":
        raise ValueError(
            "`device` must be 'cpu', where specfast computes: move the result with `.to`. "
            f"{checks.received('device', device)}"
        )


def original_of(cls: type) -> Any:
    """Returns the class of transformers for which a drop-in class stands."""
    return next(base for base in cls.__mro__ if base.__module__.startswith("transformers."))


def _as_in_files(value: Any) -> Any:
    """Returns arrays and tuples as the lists and numbers that files have."""
    if isinstance(value, np.ndarray):
        return value.ravel().tolist() if value.ndim else value.item()
    return list(value) if isinstance(value, tuple) else value


def _alike(value: Any, other: Any) -> bool:
    return value is other or bool(np.array_equal(value, other))
