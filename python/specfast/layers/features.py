# SPDX-License-Identifier: BSD-3-Clause
"""FeatureExtractor: the front end of a model, from a specification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine import clips
from specfast._engine.arrays import Array
from specfast._engine.clips import Features
from specfast._engine.feature_pipeline import FeatureArguments, FeaturePipeline
from specfast._engine.gradients import Pullback
from specfast._engine.pipeline import Shape
from specfast._engine.stream import Stream
from specfast._spec import axes, checks, description, html
from specfast._spec.arguments import thread_count
from specfast._spec.feature_spec import FeatureSpec

__all__ = ["FeatureExtractor", "Features"]


class FeatureExtractor:
    """Turns recordings into the features that a trained model expects.

    Immutable and shared by threads; it can be pickled. `specfast.presets` has specifications by
    name, `specfast.load_front` reads those of other programs.

    Args:
        spec: what is computed.
        num_threads: threads for a call, 1 to 4096; None: the global setting.

    Input of a call: [..., samples], as of a MelSpectrogram; or a list of clips [samples], each an
    array or a list of numbers; or one padded array with `lengths`.

    Output: [..., rows, frames] or [..., frames, rows], as `spec.layout` says, of `spec.dtype`; for
    a list or with `lengths` a `Features`.

    Example:
        >>> import numpy as np
        >>> from specfast import FeatureExtractor, FeatureSpec
        >>> spec = FeatureSpec(padding="center", num_mel_bins=40, level="ln")
        >>> FeatureExtractor(spec)(np.zeros(16000, np.float32)).shape
        (40, 101)
    """

    _is_new = True  # and gives warnings; False: a copy of one that has given them

    def __init__(self, spec: FeatureSpec, *, num_threads: int | None = None) -> None:
        if not isinstance(spec, FeatureSpec):
            raise TypeError(f"`spec` must be a FeatureSpec. {checks.received('spec', spec)}")
        threads = thread_count("num_threads", num_threads)
        self._pipeline = FeaturePipeline(FeatureArguments(spec, threads))
        if self._is_new:
            self._pipeline.warn_of_empty_bands()

    @property
    def spec(self) -> FeatureSpec:
        """What is computed."""
        return self._pipeline.spec

    @property
    def pipeline(self) -> FeaturePipeline:
        """What calls run with; for adapters."""
        return self._pipeline

    @property
    def name(self) -> str:
        """The name for messages."""
        return "feature_extractor"

    # ---- Calls -------------------------------------------------------------------------------

    def __call__(
        self, x: Any, *, lengths: Any = None, out: Any = None, scale: float | None = None
    ) -> Any:
        """Returns the features of every clip in `x`.

        Args:
            x: the samples; see the class. Dtypes are those of a MelSpectrogram.
            lengths: the samples of each clip of a padded array [..., samples], integers of shape
                [...]: each clip gives what it gives alone, padded with `spec.pad_value`.
            out: written to and returned, if given; as for a layer.
            scale: the factor by which samples are multiplied while they are read, beside
                `spec.input_scale`: 1 / 32768 for 16-bit PCM in [-1, 1).

        Raises:
            TypeError: for samples or an `out` of a wrong type or dtype.
            ValueError: for a wrong shape, an empty list, a length beyond the array, or an unfit
                `out`.
            NotImplementedError: for samples on a GPU.
            MemoryError: if there is no room for the result.
        """
        if lengths is not None or clips.is_list_of_clips(x, nested=True):
            return clips.call(self._pipeline, x, lengths, out, scale)
        return self._pipeline.run(x, out, scale)

    def spectra(self, x: Any, *, lengths: Any = None, scale: float | None = None) -> Any:
        """Returns the complex spectra of every clip in `x`, with mode "stft".

        A call returns their real parts and, as further rows, their imaginary parts. Joined they
        are what other libraries have, and what `ISTFT.from_spec(extractor.spec)` inverts.

        Args:
            x, lengths, scale: as for a call, in CPU memory.

        Returns:
            [..., bins, frames] or [..., frames, bins], as `spec.layout` says; complex64, or
            complex128 where `spec.dtype` is "float64". For a list or with `lengths` a `Features`.

        Raises:
            ValueError: if the specification has another mode, or joins frames.
            NotImplementedError, TypeError, MemoryError: as a call.
        """
        for name, accepted in (("mode", "stft"), ("join_frames", 1)):
            value = getattr(self.spec, name)
            if value != accepted:
                raise ValueError(
                    f"`{name}` of the specification must be {accepted!r} for spectra. "
                    f"{checks.received(name, value)}"
                )
        result = self(x, lengths=lengths, scale=scale)
        if isinstance(result, Features):
            return Features(self._joined(result.values), result.num_frames, result.mask)
        return self._joined(result)

    def _joined(self, parts: Array) -> Array:
        """Returns complex numbers whose real and imaginary parts are the halves of all rows."""
        axis = -2 if self.spec.layout == "bands_first" else -1
        real, imaginary = np.split(parts, 2, axis)
        joined = np.empty_like(real, dtype=np.result_type(parts.dtype, np.complex64))
        joined.real, joined.imag = real, imaginary
        return joined

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Shape:
        """Returns the shape that a call returns for an array of this shape, as of a layer."""
        return self._pipeline.output_shape(input_shape)

    def vjp(self, x: Any) -> tuple[Array, Pullback]:
        """Returns the features of an array and their pullback, as `MelSpectrogram.vjp` does.

        Raises:
            ValueError: where the specification has a step without a gradient, by its name.
        """
        return self._pipeline.vjp(x)

    def stream(
        self,
        channels: int = 1,
        *,
        max_level: float | str | None = None,
        num_samples: int | None = None,
    ) -> Stream:
        """Returns a stream: this extractor on a clip that arrives piece by piece.

        Args:
            channels: how many channels the clip has.
            max_level: only with `dynamic_range`, and in place of the maximum of the whole clip: a
                level before gain and offset, or "running", the maximum so far.
            num_samples: only with padding "same": the length of the clip.

        Raises:
            TypeError, ValueError: as `MelSpectrogram.stream`; ValueError also where the
                specification needs the whole clip: normalization, or a fixed number of samples or
                frames.
        """
        refuse_whole_clips(self.spec)
        return Stream(
            self._pipeline, self, channels=channels, maximum=max_level, num_samples=num_samples
        )

    # ---- Coordinates -------------------------------------------------------------------------

    def times(self, num_frames: int, *, num_samples: int | None = None) -> npt.NDArray[np.float64]:
        """Returns the middle of each frame in seconds from the first sample.

        Args:
            num_frames: the number of frames of a result.
            num_samples: the length of the clip; needed for padding "same", where the first frame
                begins before the clip.

        Raises:
            TypeError, ValueError: if a number is no integer, or negative; ValueError also if
                `num_samples` is missing.
            MemoryError: if there is no room for the times of so many frames.
        """
        spec = self.spec
        times = axes.frame_numbers(num_frames)
        times *= spec.join_frames
        times += (spec.join_frames - 1) / 2
        times *= spec.hop_length
        times += _first_middle(spec, num_samples)
        times /= spec.sampling_rate
        return times

    @property
    def has_frequencies(self) -> bool:
        """Whether the frequencies of rows are known: not those of cepstra or a `mel_matrix`."""
        return self.spec.num_cepstra is None and self.spec.mel_matrix is None

    def frequencies(self) -> npt.NDArray[np.float64]:
        """Returns the frequency of each row of a frame in Hz; NaN for an energy.

        Raises:
            ValueError: for cepstra, which have none.
        """
        if self.spec.num_cepstra is not None:
            raise ValueError(
                "the rows of cepstra have no frequency. "
                f"Received: num_cepstra={self.spec.num_cepstra}"
            )
        if self.spec.mel_matrix is not None:
            raise ValueError(
                "the frequencies of bands by `mel_matrix` are not known. "
                f"Received: mel_matrix={checks.short(self.spec.mel_matrix)}"
            )
        return np.tile(self._pipeline.frequencies(), self.spec.join_frames)

    # ---- As a value --------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self.spec, self._pipeline.arguments.num_threads)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeatureExtractor):
            return NotImplemented
        return self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        threads = self._pipeline.arguments.num_threads
        more = "" if threads is None else f", num_threads={threads}"
        return f"FeatureExtractor({self.spec!r}{more})"

    def _repr_html_(self) -> str:
        return html.table("FeatureExtractor", description.steps(self.spec))


def restored(spec: FeatureSpec, num_threads: int | None) -> FeatureExtractor:
    """Returns another extractor of a specification whose first one has given its warnings."""
    extractor = FeatureExtractor.__new__(FeatureExtractor)
    extractor._is_new = False
    extractor.__init__(spec, num_threads=num_threads)  # type: ignore[misc]
    return extractor


def refuse_whole_clips(spec: FeatureSpec) -> None:
    """Refuses what a stream cannot know.

    Raises:
        ValueError: naming the first field that needs the whole clip.
    """
    reasons = {
        "normalization": "needs the mean and the deviation of the whole clip, which a stream does "
        "not know: where they are known, pass them as `gain` and `offset`",
        "num_samples": "cuts or pads the whole clip, which a stream does not know",
        "num_frames": "cuts or pads the whole clip, which a stream does not know",
        "join_frames": "joins frames, which a stream does not: join those of the stream yourself",
        "frames_multiple": "pads the whole clip, which a stream does not know",
        "delta_order": "needs frames that are still to come, which a stream does not know",
    }
    for name, reason in reasons.items():
        value = getattr(spec, name)
        if value != FeatureSpec.__dataclass_fields__[name].default:
            raise ValueError(f"`{name}` {reason}. {checks.received(name, value)}")


def _first_middle(spec: FeatureSpec, num_samples: int | None) -> float:
    """Returns the sample at the middle of frame 0."""
    offset = (spec.frame_span - spec.frame_length) // 2
    half = spec.frame_length / 2
    if spec.padding == "same":
        num_samples = spec.num_samples or num_samples
        if num_samples is None:
            raise ValueError(
                "`num_samples` must be the length of the clip with padding 'same', on which the "
                "times of frames depend. Received: num_samples=None"
            )
        count = checks.integer("num_samples", num_samples, minimum=0, maximum=1 << 62)
        last = (-(-count // spec.hop_length) - 1) * spec.hop_length
        return half - max(last + spec.frame_length - count, 0) // 2
    if spec.padding == "center":
        return offset + half - spec.fft_length // 2
    if spec.padding == "hops":
        return half - spec.frame_length // 2 + spec.hop_length // 2
    return offset + half - (spec.pad_length or 0)
