# SPDX-License-Identifier: BSD-3-Clause
"""ISTFT: signals from short-time Fourier transforms."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._engine.arrays import Array
from specfast._engine.inverse_pipeline import InversePipeline, InversePullback
from specfast._engine.inverse_stream import InverseStream
from specfast._spec import checks, html, policy
from specfast._spec.feature_spec import FeatureSpec
from specfast._spec.inverse_arguments import InverseArguments
from specfast._spec.inverse_of_spec import inverse_arguments
from specfast._spec.keywords import unknown_keywords
from specfast.layers.stft import STFTSpectrogram


class ISTFT:
    """The inverse of a short-time Fourier transform: of `STFTSpectrogram`, torch, librosa, SciPy.

    Returns the signal whose frames come nearest to those given (Griffin and Lim, 1984), which for
    the transform of a signal is that signal:
    `x[p] = sum_t w[p - t * hop] y_t[p - t * hop] / sum_t w[p - t * hop]^2`
    with the window w, the frames y_t and their distance hop. The padding is taken off again.

    Samples are lost where no frame has more than 1e-10 of the largest sum of squared windows:
    between frames, which is refused when the inverse is made, and with padding "valid" at both
    ends of a signal, of which a `LostSamplesWarning` tells. They become 0. Near them, changes of a
    spectrum grow by up to 1e5, because little of a frame is there. See docs/inverse.md for all of
    this, and for the arguments that other libraries' transforms need.

    Args:
        frame_length, frame_step, fft_length, window, periodic, scaling, expand_dims, data_format:
            as for `STFTSpectrogram`.
        padding: that of the transform. "valid" and "same": as for `STFTSpectrogram`. "center":
            fft_length // 2 samples on both sides, as in torch and librosa. "sides": `pad_length`
            samples on both sides, as in SciPy. What the padding held makes no difference.
        layout: "layer": real arrays as an `STFTSpectrogram` with mode "stft" returns them.
            "bins_frames": complex arrays [..., bins, frames], as in torch, librosa and SciPy.
            "frames_bins": complex arrays [..., frames, bins]. These have no `expand_dims` and no
            `data_format`.
        centered_window: whether a window shorter than `fft_length` lies in the middle of its
            transform, between zeros, as in torch and librosa; else it lies at its beginning.
        pad_length: samples of padding on each side, for padding "sides" only.
        gain: the number by which the transform has multiplied its result, 1e-15 .. 1e15: with
            torch's `normalized` it is fft_length ** -0.5.
        phase_origin: the sample of a frame at which phases are 0, as in
            `scipy.signal.ShortTimeFFT`, whose origin is the middle of the window.
        exact_fft_length: whether an odd `fft_length` is the number of points, as everywhere but
            in Keras, where it runs as one less.
        name: name of the inverse. None: "istft".
        dtype: "float32" (default), "float64" or "float16", which is computed in float32; as for
            `STFTSpectrogram`.
        num_threads: threads for calls. None: the global setting. The result does not depend on it.

    Raises:
        ValueError: if a value is out of its range, a keyword is unknown, or window and
            `frame_step` lose samples between frames.
        TypeError: if a value is of a wrong type.
        ImportError: for a window that only SciPy has, without SciPy.

    Example:
        >>> import numpy as np
        >>> from specfast import ISTFT, STFTSpectrogram
        >>> layer = STFTSpectrogram(mode="stft", frame_length=512, padding="same")
        >>> x = np.sin(0.1 * np.arange(8000, dtype=np.float32))[None, :, None]
        >>> y = ISTFT.from_layer(layer)(layer(x), length=8000)
        >>> bool(np.abs(x - y).max() < 1e-6)
        True
    """

    frame_length: int
    frame_step: int | None
    fft_length: int | None
    window: str | npt.NDArray[Any] | None
    periodic: bool
    scaling: str | None
    padding: str
    expand_dims: bool
    data_format: str
    layout: str
    centered_window: bool
    pad_length: int | None
    gain: float
    phase_origin: int
    exact_fft_length: bool
    num_threads: int | None
    name: str

    _is_new = True  # and gives warnings; False: a copy of an inverse that has given them

    def __init__(
        self,
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: str | npt.ArrayLike | None = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        *,
        layout: str = "layer",
        centered_window: bool = False,
        pad_length: int | None = None,
        gain: float = 1.0,
        phase_origin: int = 0,
        exact_fft_length: bool = False,
        name: str | None = None,
        dtype: Any = None,
        num_threads: int | None = None,
        **unknown: Any,
    ) -> None:
        values = locals()
        if unknown:
            raise unknown_keywords("ISTFT", unknown, _keywords(), InverseArguments.fields())
        if not isinstance(name, str | None):
            raise TypeError(f"`name` must be a string or None. {checks.received('name', name)}")
        arguments = InverseArguments.checked(values)
        precision = policy.policy(dtype)
        if precision.compute_dtype == "bfloat16":
            raise ValueError(
                "`dtype` must be one of 'float16', 'float32', 'float64' for an inverse. "
                f"{checks.received('dtype', dtype)}"
            )
        arguments.check_precision(precision.plan_dtype)
        self._pipeline = InversePipeline(arguments, precision)
        self.__dict__.update({"name": name or "istft", **arguments.public()})
        if self._is_new:
            self._pipeline.warn_of_lost_samples()

    @classmethod
    def from_layer(cls, layer: STFTSpectrogram, **changes: Any) -> ISTFT:
        """Returns the inverse of a layer in mode "stft".

        Args:
            layer: the layer; its weights must be the analytic ones.
            **changes: arguments that are to differ, such as `num_threads`.

        Raises:
            TypeError: if `layer` is no STFTSpectrogram.
            ValueError: if it has another mode, trained kernels, or no inverse.
        """
        if not isinstance(layer, STFTSpectrogram):
            raise TypeError(
                f"`layer` must be an STFTSpectrogram. {checks.received('layer', layer)}"
            )
        if layer.mode != "stft":
            raise ValueError(
                "`layer` must have mode='stft', whose spectra say everything about a signal. "
                f"Received: layer with mode={layer.mode!r}"
            )
        if not layer.is_analytic:
            raise ValueError(
                "`layer` must have its analytic kernels: others are no Fourier transform. "
                "Received: layer with trained kernels"
            )
        names = {field.name for field in InverseArguments.fields()}
        own = layer.pipeline.arguments.public()
        shared = {name: value for name, value in own.items() if name in names}
        return cls(**{**shared, "dtype": layer.pipeline.policy.serialize(), **changes})

    @classmethod
    def from_spec(cls, spec: FeatureSpec, **changes: Any) -> ISTFT:
        """Returns the inverse of what `FeatureExtractor.spectra` returns for a specification.

        With mode "magnitude" it is what `GriffinLim` takes for the magnitudes of an extractor.

        Args:
            spec: the specification, with mode "stft" or "magnitude".
            **changes: arguments that are to differ, such as `num_threads`.

        Raises:
            TypeError: if `spec` is no FeatureSpec.
            ValueError: if it has another mode, an odd `fft_length`, padding "end" or "hops",
                frames that are joined, padded or masked, or no inverse.
        """
        if not isinstance(spec, FeatureSpec):
            raise TypeError(f"`spec` must be a FeatureSpec. {checks.received('spec', spec)}")
        return cls(**{**inverse_arguments(spec), **changes})

    @property
    def pipeline(self) -> InversePipeline:
        """The arguments, precision and plan of calls."""
        return self._pipeline

    @property
    def dtype(self) -> str:
        """The name of the dtype of the signals that a call returns."""
        return self._pipeline.result_dtype.name

    def __call__(
        self, spectra: Any, *, length: int | None = None, out: Array | None = None
    ) -> Array:
        """Returns the signals of spectra.

        Args:
            spectra: with layout "layer", what an `STFTSpectrogram` with mode "stft", the same
                `expand_dims` and `data_format` returns; float16, float32 or float64. Else complex
                arrays of any number of leading axes. Arrays of NumPy, or anything with DLPack,
                the buffer protocol or `__array__`. Read in place where the dtype is that of the
                inverse, whatever the strides. Never written to. The imaginary parts of the first
                and, for an even `fft_length`, the last bin are not looked at.
            length: samples of each signal. None: those between the padding of whole frames,
                `(frames - 1) * frame_step` for padding "center". Up to the last sample that a
                frame reaches, it may be any number; with padding "same" it must be given, and be
                a length of which the transform makes so many frames.
            out: written to and returned, if given; C-contiguous, of the shape and dtype of the
                result, in other memory than `spectra`.

        Returns:
            [batch, samples, channels], or [batch, channels, samples] for "channels_first"; with
            the complex layouts [..., samples]. A NaN makes the samples of its frame NaN, no other.

        Raises:
            TypeError: for spectra or an `out` of a wrong type or dtype.
            ValueError: for a wrong shape or number of bins, a `length` that cannot be, or an
                unfit `out`.
            MemoryError: if there is no room for the result.
        """
        return self._pipeline.run(spectra, length, out)

    def vjp(self, spectra: Any, *, length: int | None = None) -> tuple[Array, InversePullback]:
        """Returns the result of a call, and a function from its gradient to that of `spectra`.

        Args:
            spectra: as for a call.
            length: as for a call.

        Returns:
            `(signals, pullback)`. `pullback(cotangent)` takes the gradient of some number with
            respect to `signals`, an array of their shape and any real dtype, and returns the
            gradient of `spectra`, in their shape and the precision of the inverse. In complex
            layouts its real and imaginary parts are the gradients of the real and imaginary
            parts, as in torch. Imaginary parts that a call does not look at have gradient 0.

        Raises:
            TypeError, ValueError, MemoryError: as a call; the pullback for a `cotangent` of
                another shape, or one that is no array of real numbers.
        """
        return self._pipeline.vjp(spectra, length)

    def stream(self, channels: int = 1, *, length: int | None = None) -> InverseStream:
        """Returns a stream: this inverse on spectra that arrive frame by frame.

        Args:
            channels: how many channels the signal has, 1 to 65536.
            length: the samples that it will have, as in a call. None: the usual ones.

        Raises:
            TypeError: if a value is of a wrong type.
            ValueError: if a value is out of its range, or `length` is missing.
            MemoryError: if there is no room for the samples of a frame.
        """
        return InverseStream(self._pipeline, self, channels=channels, length=length)

    def compute_output_shape(
        self, input_shape: Sequence[int], length: int | None = None
    ) -> tuple[int, ...]:
        """Returns the shape that a call returns for spectra of this shape.

        Raises:
            TypeError, ValueError: as a call.
        """
        return self._pipeline.output_shape(input_shape, length)

    def lost_samples(self, num_frames: int, length: int | None = None) -> tuple[int, int]:
        """Returns how many samples are lost at the beginning and at the end of a signal.

        Args:
            num_frames: the frames of the signal.
            length: its samples, as in a call.

        Raises:
            TypeError, ValueError: as a call.
        """
        frames = checks.integer("num_frames", num_frames, minimum=0, maximum=1 << 40)
        return self._pipeline.lost_samples(frames, self._pipeline.num_samples(frames, length))

    def get_config(self) -> dict[str, Any]:
        """Returns all arguments as a dictionary of plain values, for `from_config`."""
        arguments = self._pipeline.arguments.config()
        return {"name": self.name, "dtype": self._pipeline.policy.name, **arguments}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ISTFT:
        """Returns an inverse like the one that had this configuration."""
        return cls(**config)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            raise AttributeError(
                f"ISTFT.{name} is fixed when the inverse is made, make a new one instead. "
                f"{checks.received(name, value)}"
            )
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.get_config(),)

    def __repr__(self) -> str:
        changed = self._pipeline.arguments.changed()
        if self._pipeline.policy.name != "float32":
            changed["dtype"] = self._pipeline.policy.name
        shown = (
            f"{name}=<array of {value.size}>"
            if isinstance(value, np.ndarray)
            else f"{name}={value!r}"
            for name, value in changed.items()
        )
        return f"ISTFT({', '.join(shown)})"

    def _repr_html_(self) -> str:
        arguments = self._pipeline.arguments
        rows = {"name": self.name, "dtype": self.dtype, **arguments.public()}
        return html.table("ISTFT", rows.items(), arguments.changed())


def _restored(config: dict[str, Any]) -> ISTFT:
    """Returns an inverse like the one that had this configuration; gives no warnings again."""
    istft = ISTFT.__new__(ISTFT)
    istft.__dict__["_is_new"] = False
    istft.__init__(**config)  # type: ignore[misc]
    return istft


def _keywords() -> list[str]:
    parameters = inspect.signature(ISTFT).parameters.values()
    return [
        parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD
    ]
