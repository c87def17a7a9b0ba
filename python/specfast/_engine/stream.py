# SPDX-License-Identifier: BSD-3-Clause
"""Applies a layer to a signal that arrives piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np

from specfast import _core
from specfast._engine import arrays, device_calls
from specfast._engine.arrays import Array
from specfast._engine.pipeline import Pipeline
from specfast._spec import checks

_MAX_CHANNELS = 65536
_MAX_SAMPLES = 1 << 62


class Stream:
    """Takes one signal through a layer, in pieces of any length. Made by `layer.stream(...)`.

    The arrays that all `push` calls and the `flush` return, joined along `frame_axis`, equal bit
    for bit what the layer returns for the whole signal, whatever the pieces were.

    A stream is for one thread at a time; a call during another one is refused with RuntimeError.
    It can be copied and pickled at any moment, and continues exactly where it was. The weights
    are those that the layer had when it made the stream.

    Attributes:
        layer: the layer that made the stream.
        channels: number of channels.
        frame_axis: the axis of the returned arrays along which the frames follow each other.
        latency_samples: frame t is returned by the push that brings the total to
            t * hop + latency_samples samples, hop being `frame_step` or `sequence_stride`. Frame 0
            of a MelSpectrogram may wait for two samples more, which it reflects to its front.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        layer: Any,
        *,
        channels: Any,
        maximum: Any,
        num_samples: Any,
    ) -> None:
        if pipeline.computes_on_device:
            raise device_calls.refuse("streams")
        self.layer = layer
        self._pipeline = pipeline  # `set_weights` on the layer gives the layer another one
        self.channels = checks.integer("channels", channels, minimum=1, maximum=_MAX_CHANNELS)
        self._maximum = _checked_maximum(pipeline, maximum)
        self._num_samples = _checked_num_samples(pipeline, num_samples)
        level, rule = 0.0, self._maximum
        if isinstance(rule, int | float):
            level, rule = float(rule), "fixed"
        try:
            self._core = _core.Stream(
                pipeline.plan, self.channels, rule or "none", level, self._num_samples or 0
            )
        except MemoryError as error:
            raise MemoryError(
                f"no memory for a stream. Received: channels={self.channels} for {layer!r}"
            ) from error
        self.frame_axis = pipeline.frame_axis(self.channels)
        self.latency_samples = self._core.latency_samples

    def push(self, samples: Any, *, scale: float | None = None) -> Array:
        """Takes the next samples and returns the frames that became ready.

        Args:
            samples: any number of samples, none included, of shape (samples,) for one channel;
                else of the shape of one signal: (channels, samples), or (samples, channels) for
                an STFTSpectrogram with `data_format` "channels_last". The dtypes are those of a
                call. Never written to.
            scale: the factor by which these samples are multiplied, as in a call.

        Returns:
            The frames that a call returns for one signal, without the batch axis:
            `layer(signal[None, :, None])[0]` for an STFTSpectrogram and one channel,
            `layer(signal)` for a MelSpectrogram. There may be none.

        Raises:
            TypeError: for samples of a wrong type or dtype.
            ValueError: for a wrong shape, or after `flush`.
            RuntimeError: during another call on this stream.
            MemoryError: if there is no room for the result; the stream is as before then.
        """
        pipeline = self._pipeline
        x = samples
        if not (type(x) is np.ndarray and x.dtype in pipeline.readable_dtypes and x.flags.aligned):
            x = pipeline.samples(x, scaled=scale is not None)
        return self._rounded(self._core.push(x, pipeline.checked_scale(scale)))

    def flush(self) -> Array:
        """Ends the signal and returns the frames that reach beyond its end.

        None with padding "valid", where samples behind the last whole frame are left out. For a
        signal for which a call would raise (shorter than one frame, or empty) there is no frame.
        Only `reset` may follow.

        Raises:
            ValueError: after `flush`, and with padding "same" if the signal's length does not fit
                `num_samples`.
            RuntimeError: during another call on this stream.
        """
        return self._rounded(self._core.flush())

    def reset(self) -> None:
        """Makes the stream ready for another signal.

        Raises:
            RuntimeError: during another call on this stream.
        """
        self._core.reset()

    def _rounded(self, result: Array) -> Array:
        half = self._pipeline.half_dtype
        return result if half is None else arrays.rounded(result, half, None)

    def __reduce__(self) -> tuple[Any, ...]:
        # A plan does not travel: the layer makes it again, for the stream's own weights.
        weights = self._pipeline.plan.kernels
        arguments = (self.layer, weights, self.channels, self._maximum, self._num_samples)
        return _restored, (*arguments, self._core.save())

    def __repr__(self) -> str:
        changed = {"channels": self.channels, self._pipeline.maximum_name: self._maximum}
        if self._num_samples is not None:
            changed["num_samples"] = self._num_samples
        shown = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        return f"{self.layer!r}.stream({shown})"


def _restored(
    layer: Any,
    weights: list[Array] | None,
    channels: int,
    maximum: Any,
    num_samples: Any,
    state: bytes,
) -> Stream:
    pipeline = layer.pipeline.with_weights(weights, layer.name)
    stream = Stream(pipeline, layer, channels=channels, maximum=maximum, num_samples=num_samples)
    stream._core.load(state)
    return stream


def _checked_maximum(pipeline: Pipeline, maximum: Any) -> float | int | str | None:
    name, unit, clamp = pipeline.maximum_name, pipeline.maximum_unit, pipeline.clamp_name
    clamps = pipeline.clamps_to_maximum
    if maximum is None and clamps:
        raise ValueError(
            f"`{name}` must be a {unit} or 'running' where there is `{clamp}`: the clamp needs "
            "the maximum of the whole signal, which a stream cannot know. Pass "
            f"{name}=<the maximum>, or {name}='running' for the maximum so far, or "
            f"choose {clamp}=None. {checks.received(name, maximum)}"
        )
    if maximum is None or (clamps and isinstance(maximum, str) and maximum == "running"):
        return maximum
    if not clamps:
        raise ValueError(
            f"`{name}` must be None where nothing is clamped to a maximum (no `{clamp}`). "
            f"{checks.received(name, maximum)}"
        )
    level = checks.real(name, maximum, accepted=f"a finite {unit}, or 'running'")
    if abs(level) > 1e30:
        raise ValueError(
            f"`{name}` must be a {unit} between -1e30 and 1e30, or 'running'. "
            f"{checks.received(name, maximum)}"
        )
    return level


def _checked_num_samples(pipeline: Pipeline, num_samples: Any) -> int | None:
    step = pipeline.step_of_same_padding
    if step is None:
        if num_samples is None:
            return None
        raise ValueError(
            "`num_samples` must be None unless the layer has padding='same'. "
            f"{checks.received('num_samples', num_samples)}"
        )
    if num_samples is not None:
        return checks.integer("num_samples", num_samples, minimum=1, maximum=_MAX_SAMPLES)
    if step == 1:
        return None
    raise ValueError(
        "`num_samples` must be the length of the signal for a layer with padding='same': the "
        "zeros in front of the signal depend on it. If only its remainder is known, pass any "
        f"number with the same remainder modulo frame_step={step}. "
        f"{checks.received('num_samples', num_samples)}"
    )
