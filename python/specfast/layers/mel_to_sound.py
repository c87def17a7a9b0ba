# SPDX-License-Identifier: BSD-3-Clause
"""MelToSound: sound from mel spectrograms and other features."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._engine.mel_inverse import (
    BAND_ITERATIONS,
    MelInverse,
    edge_weights,
    magnitude_spec,
)
from specfast._spec import checks, description, html
from specfast._spec.arguments import thread_count
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers.features import FeatureExtractor
from specfast.layers.griffin_lim import GriffinLim
from specfast.layers.inverse import ISTFT
from specfast.layers.mel import MelSpectrogram
from specfast.layers.specs import spec_of_front

_MAX_SAMPLES = 1 << 62


class MelToSound:
    """Turns the features of a front end back into sound.

    Undoes, in the reverse order, what the front end did: joined frames, derivatives (left out),
    normalization, gain and offset, cepstra, the level, the filterbank by non-negative least
    squares, phases by Griffin and Lim's algorithm, preemphasis, the scale of the samples.

    What is lost stays lost: phases; what bands do not tell of their bins; what lies below the
    floor or the dynamic range of a level; cepstra that were not kept; the mean of frames
    (`remove_dc`); samples at both ends that no window reaches, before which sound fades.
    Preemphasis with the rule "frame" is undone as if it were that of the whole clip, from which it
    differs by the first sample of each frame. Padded and masked frames become silence. See
    docs/sound.md.

    Args:
        front: the name of a preset, a FeatureSpec, a FeatureExtractor or a MelSpectrogram.
        num_iterations: how often phases are improved, at least 1.
        momentum: 0 to 1, as of `GriffinLim`.
        seed: 0 to 2^64 - 1, decides on the phases at the beginning.
        band_iterations: steps of the least squares, 1 to 1000000. With the default, energies
            that a spectrum has are met to about 1e-3 of their norm.
        num_threads: threads for calls, 1 to 4096; None: the global setting. The result does not
            depend on it.

    Raises:
        TypeError: if `front` is none of these, or a value is of a wrong type.
        ValueError: if a value is out of its range, or the front end has a step that cannot be
            undone, by its name: another mode than "mel", PCEN, an energy in the place of C0, a
            gain of 0, an exponent that is not positive, an odd `fft_length`.

    Example:
        >>> import numpy as np
        >>> from specfast import FeatureExtractor, FeatureSpec, MelToSound
        >>> spec = FeatureSpec(padding="center", num_mel_bins=40, level="ln")
        >>> mel = FeatureExtractor(spec)(np.sin(0.1 * np.arange(16000, dtype=np.float32)))
        >>> MelToSound(spec, num_iterations=4)(mel).shape
        (16000,)
    """

    def __init__(
        self,
        front: str | FeatureSpec | FeatureExtractor | MelSpectrogram,
        *,
        num_iterations: int = 32,
        momentum: float = 0.99,
        seed: int = 0,
        band_iterations: int = BAND_ITERATIONS,
        num_threads: int | None = None,
    ) -> None:
        threads = thread_count("num_threads", num_threads)
        steps = checks.integer("band_iterations", band_iterations, minimum=1, maximum=1000000)
        self._spec = spec_of_front(front)
        self._inverse = MelInverse(self._spec, steps, threads or 0)
        self._options: dict[str, Any] = {
            "num_iterations": num_iterations,
            "momentum": momentum,
            "seed": seed,
            "band_iterations": band_iterations,
            "num_threads": num_threads,
        }
        istft = _istft_of(self._spec)
        has_padding = istft.padding in ("center", "sides")
        self._search = GriffinLim(
            istft,
            num_iterations=num_iterations,
            momentum=momentum,
            seed=seed,
            pad_mode=(has_padding and self._spec.pad_mode) or "constant",
            num_threads=num_threads,
        )

    @property
    def spec(self) -> FeatureSpec:
        """What the front end computes."""
        return self._spec

    def energies(self, features: Any, *, mean: Any = None, deviation: Any = None) -> Array:
        """Returns the energies of the bands for which features stand.

        Args:
            features: as for a call.
            mean, deviation: as for a call.

        Returns:
            float64 [..., bands, frames].

        Raises:
            TypeError, ValueError: as a call.
        """
        return self._inverse.energies(features, mean, deviation).swapaxes(-1, -2)

    def magnitudes(self, features: Any, *, mean: Any = None, deviation: Any = None) -> Array:
        """Returns magnitudes of spectra whose bands come nearest to those of the features.

        Args:
            features: as for a call; a frame with a NaN becomes NaN, no other.
            mean, deviation: as for a call.

        Returns:
            [..., bins, frames] of the precision of the front end.

        Raises:
            TypeError, ValueError, MemoryError: as a call.
        """
        return self._inverse.magnitudes(self._inverse.energies(features, mean, deviation))

    def __call__(
        self, features: Any, length: int | None = None, *, mean: Any = None, deviation: Any = None
    ) -> Array:
        """Returns sound whose features come near to those given.

        Args:
            features: what the front end returns, [..., rows, frames] or [..., frames, rows];
                float16, float32 or float64.
            length: samples of each signal, at most `max_length`. None: those that so many frames
                usually stand for.
            mean, deviation: with a normalization, which must be undone: what it took off each
                row and what it divided by, [rows] or [..., rows].

        Returns:
            [..., samples] of the precision of the front end.

        Raises:
            TypeError: for features of a wrong type or dtype.
            ValueError: for a wrong shape, features that are not finite, a `length` that cannot
                be, statistics that are missing or too many.
            MemoryError: if there is no room for the result.
        """
        magnitudes = self.magnitudes(features, mean=mean, deviation=deviation)
        num_samples = self._length(magnitudes.shape[-1], length)
        if not np.isfinite(magnitudes).all():
            raise ValueError(
                "`features` must be finite, and energies that their precision holds. "
                f"Received: features of shape {np.shape(features)} with others"
            )
        return self._sound(magnitudes, num_samples)

    def from_magnitudes(self, magnitudes: Any, length: int | None = None) -> Array:
        """Returns the sound of magnitudes, as a call does of those that it finds.

        Args:
            magnitudes: [..., bins, frames] as `magnitudes` returns them; float16, float32 or
                float64.
            length: as for a call.

        Returns:
            [..., samples] of the precision of the front end.

        Raises:
            TypeError: for magnitudes of a wrong type or dtype.
            ValueError: for a wrong shape, magnitudes that are negative or not finite, a `length`
                that cannot be.
            MemoryError: if there is no room for the result.
        """
        values = arrays.view_of("magnitudes", magnitudes)
        shape = values.shape
        if values.dtype.kind != "f" or values.ndim < 2 or shape[-2] != self._spec.num_bins:
            kind = TypeError if values.dtype.kind != "f" else ValueError
            raise kind(
                "`magnitudes` must be floating point numbers of shape "
                f"(..., {self._spec.num_bins}, frames). "
                f"Received: magnitudes of shape {shape} and dtype {values.dtype}"
            )
        return self._sound(values, self._length(shape[-1], length))

    def _sound(self, magnitudes: Array, num_samples: int) -> Array:
        if magnitudes.shape[-1] == 0 or num_samples == 0:
            return np.zeros((*magnitudes.shape[:-2], num_samples), self._inverse.dtype)
        return self._inverse.samples(self._framed(magnitudes, num_samples))

    def filtered_magnitudes(self, signals: Any) -> Array:
        """Returns the magnitudes of signals as the front end has them before its bands.

        Args:
            signals: floating point numbers [..., samples], such as the result of a call; beside
                what `magnitudes` returns, they tell how far phases fit.

        Returns:
            [..., bins, frames], of the precision of the front end.

        Raises:
            TypeError, ValueError: as a FeatureExtractor's call.
        """
        extractor = FeatureExtractor(magnitude_spec(self._spec))
        found: Array = extractor(self._inverse.filtered(np.asarray(signals)))
        return found

    def max_length(self, num_frames: int) -> int:
        """Returns how many samples so many frames reach, before frames are joined.

        Raises:
            TypeError, ValueError: if it is no integer, or negative.
        """
        frames = checks.integer("num_frames", num_frames, minimum=0, maximum=1 << 40)
        return self._max_length(frames)

    # ---- Lengths -------------------------------------------------------------------------------

    def _length(self, num_frames: int, length: int | None) -> int:
        most = self._max_length(num_frames)
        if length is None:
            return min(self._usual_length(num_frames), most)
        accepted = checks.integer("length", length, minimum=0, maximum=_MAX_SAMPLES)
        if accepted > most:
            raise ValueError(
                f"`length` must be at most {most}, the samples that {num_frames} frames reach. "
                f"{checks.received('length', length)}"
            )
        least = (num_frames - 1) * self._spec.hop_length + 1
        if self._spec.padding == "same" and accepted < least:
            raise ValueError(
                f"`length` must be at least {least}, as padding 'same' makes {num_frames} frames "
                f"of no shorter signal. {checks.received('length', length)}"
            )
        return accepted

    def _usual_length(self, num_frames: int) -> int:
        spec = self._spec
        frames = num_frames + spec.drop_frames
        if spec.padding in ("same", "end", "hops"):
            return frames * spec.hop_length
        sides = {"center": spec.fft_length // 2, "sides": spec.pad_length or 0}
        reach = (frames - 1) * spec.hop_length + spec.frame_span
        return max(reach - 2 * sides.get(spec.padding, 0), 0)

    def _max_length(self, num_frames: int) -> int:
        """Returns the sample behind the last one of the last frame."""
        if num_frames == 0:
            return 0
        spec = self._spec
        if spec.padding == "same":
            return num_frames * spec.hop_length
        last = (num_frames - 1) * spec.hop_length + self._begin(num_frames, 0)
        return max(last + spec.frame_length, 0)

    def _begin(self, num_frames: int, num_samples: int) -> int:
        """Returns the sample at which the window of the first frame begins."""
        spec = self._spec
        offset = (spec.frame_span - spec.frame_length) // 2
        if spec.padding == "center":
            return (spec.fft_length - spec.frame_length) // 2 - spec.fft_length // 2
        if spec.padding == "hops":
            return spec.hop_length // 2 - spec.frame_length // 2
        if spec.padding == "same":
            reach = (num_frames - 1) * spec.hop_length + spec.frame_length
            return -(max(reach - num_samples, 0) // 2)
        return offset - (spec.pad_length or 0)

    def _framed(self, magnitudes: Array, num_samples: int) -> Array:
        """Returns signals whose frames, where the front end has them, have these magnitudes."""
        num_frames = magnitudes.shape[-1]
        begin = self._begin(num_frames, num_samples)
        if self._search.istft.padding in ("center", "sides"):
            result = self._search(magnitudes, length=num_samples)
        else:
            whole = self._search(magnitudes)
            result = np.zeros((*whole.shape[:-1], num_samples), whole.dtype)
            part = whole[..., max(-begin, 0) :][..., : max(num_samples - max(begin, 0), 0)]
            result[..., max(begin, 0) : max(begin, 0) + part.shape[-1]] = part
        self._fade(result, begin, num_frames)
        return result

    def _fade(self, signals: Array, begin: int, num_frames: int) -> None:
        """Multiplies the ends by their weights; the first frame begins at sample `begin`."""
        spec = self._spec
        end = begin + (num_frames - 1) * spec.hop_length
        for start, weights in zip((begin, end), edge_weights(spec, num_frames), strict=True):
            low, high = max(start, 0), min(start + spec.frame_length, signals.shape[-1])
            if high > low:
                signals[..., low:high] *= weights[low - start : high - start]

    # ---- As a value ----------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._spec, self._options)

    def __repr__(self) -> str:
        changed = (f", {name}={value!r}" for name, value in self._changed().items())
        return f"MelToSound({self._spec!r}{''.join(changed)})"

    def _repr_html_(self) -> str:
        rows = [*self._options.items(), *description.steps(self._spec)]
        return html.table("MelToSound", rows, self._changed())

    def _changed(self) -> dict[str, Any]:
        """Returns the options that differ from their defaults."""
        usual = MelToSound.__init__.__kwdefaults__ or {}
        return {name: value for name, value in self._options.items() if value != usual[name]}


def _restored(spec: FeatureSpec, options: dict[str, Any]) -> MelToSound:
    return MelToSound(spec, **options)


def _istft_of(spec: FeatureSpec) -> ISTFT:
    """Returns the inverse of the transform: with its padding where that lies on both sides of a
    signal, else of the padded signal."""
    is_centered = spec.padding in ("center", "sides") and spec.frame_span == spec.fft_length
    with warnings.catch_warnings():
        # The class says that samples at the ends are lost; a length was the front end's choice.
        warnings.simplefilter("ignore", UserWarning)
        return ISTFT(
            frame_length=spec.frame_length,
            frame_step=spec.hop_length,
            fft_length=spec.fft_length,
            window=spec.window_values(),
            scaling=None,
            padding=spec.padding if is_centered else "valid",
            pad_length=spec.pad_length if is_centered and spec.padding == "sides" else None,
            layout="bins_frames",
            centered_window=is_centered,
            dtype=spec.precision,
        )
