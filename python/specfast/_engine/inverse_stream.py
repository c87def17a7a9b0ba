# SPDX-License-Identifier: BSD-3-Clause
"""Inverts the spectra of a signal that arrive frame by frame."""

from __future__ import annotations

from typing import Any

from specfast import _core
from specfast._engine import arrays
from specfast._engine.arrays import Array
from specfast._engine.inverse_pipeline import InversePipeline
from specfast._spec import checks

_MAX_CHANNELS = 65536
_MAX_SAMPLES = 1 << 62


class InverseStream:
    """Makes one signal of spectra, in pieces of any number of frames. Made by `istft.stream(...)`.

    The arrays that all `push` calls and the `flush` return, joined along their samples, equal bit
    for bit what the inverse returns for all frames, whatever the pieces were.

    A stream is for one thread at a time; a call during another one is refused with RuntimeError.
    It can be copied and pickled at any moment, and continues exactly where it was.

    Attributes:
        istft: the inverse that made the stream.
        channels: number of channels.
        length: the length that the signal will have; None: the usual one.
        delay_samples: after n frames there have been n * hop - delay_samples samples, once this is
            not negative.
    """

    def __init__(
        self, pipeline: InversePipeline, istft: Any, *, channels: Any, length: Any
    ) -> None:
        self.istft = istft
        self._pipeline = pipeline
        self.channels = checks.integer("channels", channels, minimum=1, maximum=_MAX_CHANNELS)
        self.length: int | None = None
        if length is not None:
            self.length = checks.integer("length", length, minimum=0, maximum=_MAX_SAMPLES)
        elif pipeline.plan.num_samples(1) < 0:
            raise ValueError(
                "`length` must be given with padding='same', whose zeros in front of the signal "
                "depend on it. Received: length=None"
            )
        known = -1 if self.length is None else self.length
        try:
            self._core = _core.InverseStream(pipeline.plan, self.channels, known)
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a stream. Received: channels={self.channels} for {istft!r}"
            ) from error
        self.delay_samples = self._core.delay_samples

    def push(self, spectra: Any) -> Array:
        """Takes the next frames and returns the samples that became final.

        Args:
            spectra: any number of frames, none included, as a call takes them for one signal,
                without the batch axis: [frames, channels * rows] for "channels_last", [bins,
                frames] with layout "bins_frames" and one channel, [channels, bins, frames] with
                more. The dtypes are those of a call. Never written to.

        Returns:
            The samples of one signal, without the batch axis: [samples, channels] or [channels,
            samples] as `data_format` says, [channels, samples] with complex layouts; [samples]
            for one channel. There may be none.

        Raises:
            TypeError: for spectra of a wrong type or dtype.
            ValueError: for a wrong shape, or after `flush`.
            RuntimeError: during another call on this stream.
            MemoryError: if there is no room for the result; the stream is as before then.
        """
        real, imag = self._pipeline.parts_of_signal(spectra, self.channels)
        return self._result(self._core.push(real, imag))

    def flush(self) -> Array:
        """Ends the signal and returns the samples that are left. Only `reset` may follow.

        Raises:
            ValueError: after `flush`, and where `length` is not one that so many frames have.
            RuntimeError: during another call on this stream.
        """
        return self._result(self._core.flush())

    def reset(self) -> None:
        """Makes the stream ready for another signal of the same length.

        Raises:
            RuntimeError: during another call on this stream.
        """
        self._core.reset()

    def _result(self, samples: Array) -> Array:
        pipeline = self._pipeline
        if self.channels == 1:
            samples = samples[0]
        elif pipeline.layout.has_channels_last:
            samples = samples.swapaxes(0, 1)
        if samples.dtype == pipeline.result_dtype:
            return samples
        return arrays.rounded(samples, pipeline.result_dtype, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.istft, self.channels, self.length, self._core.save())

    def __repr__(self) -> str:
        return f"{self.istft!r}.stream(channels={self.channels}, length={self.length})"


def _restored(istft: Any, channels: int, length: int | None, state: bytes) -> InverseStream:
    stream: InverseStream = istft.stream(channels, length=length)
    stream._core.load(state)
    return stream
