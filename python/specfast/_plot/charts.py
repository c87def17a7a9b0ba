# SPDX-License-Identifier: BSD-3-Clause
"""What a picture has to know of a front end: its axes, its layout, what its values are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._plot.rows import FloatArray, Rows, rows_of_spec
from specfast._spec import axes, checks, description, preset_specs
from specfast._spec.feature_spec import FeatureSpec
from specfast.layers.features import FeatureExtractor, restored
from specfast.layers.mel import MelSpectrogram
from specfast.layers.stft import STFTSpectrogram

Values = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Chart:
    """How the output of a front end is drawn.

    Attributes:
        title: what a picture says of the front end.
        sampling_rate: in Hz.
        hop: seconds from one frame to the next.
        times: returns the middles of frames in seconds, given their number and the length of the
            signal or None.
        rows: the rows of a frame as they are drawn.
        mode: "mel", or the mode of an STFTSpectrogram.
        unit: what values are.
        is_empty: which rows of a block no signal reaches.
        panels: returns values as [clips, signals, rows, frames], having checked their axes.
        signals: what the two first of these axes are called.
    """

    title: str
    sampling_rate: float
    hop: float
    times: Callable[[int, int | None], FloatArray]
    rows: Rows
    mode: str
    unit: str
    is_empty: npt.NDArray[np.bool_]
    panels: Callable[[Values], Values]
    signals: tuple[str, str]


def chart_of(front: Any, sampling_rate: float | None, signals: str = "signal") -> Chart:
    """Returns the chart of a front end.

    Args:
        front: see `specfast.plot.features`.
        sampling_rate: what the caller says; only an STFTSpectrogram needs it.
        signals: what the signals are where a layout does not say that they are channels.

    Raises:
        TypeError: if `front` is no front end.
        ValueError: if it is no preset, or the rate is missing or another one.
    """
    front = made(front)
    if isinstance(front, STFTSpectrogram):
        if sampling_rate is None:
            raise ValueError(
                "`sampling_rate` must be given with an STFTSpectrogram, which does not know it. "
                "Received: sampling_rate=None"
            )
        return _of_stft(front, float(checks.positive_hertz("sampling_rate", sampling_rate)))
    is_mel = isinstance(front, MelSpectrogram)
    rate = float(front.sampling_rate if is_mel else front.spec.sampling_rate)
    if sampling_rate is not None and checks.positive_hertz("sampling_rate", sampling_rate) != rate:
        raise ValueError(
            f"`sampling_rate` must be that of `front`, {rate:g} Hz, as nothing is resampled. "
            f"{checks.received('sampling_rate', sampling_rate)}"
        )
    return _of_mel(front, rate, signals) if is_mel else _of_extractor(front, signals)


def made(front: Any) -> STFTSpectrogram | MelSpectrogram | FeatureExtractor:
    """Returns the front end that is meant: the pictures tell of bands without a bin, so that no
    warning does.

    Raises:
        TypeError, ValueError: as `chart_of`.
    """
    if isinstance(front, STFTSpectrogram | MelSpectrogram | FeatureExtractor):
        return front
    if isinstance(front, str):
        front = preset_specs.spec(front, argument="front")
    if isinstance(front, FeatureSpec):
        return restored(front, None)
    raise TypeError(
        "`front` must be an STFTSpectrogram, a MelSpectrogram, a FeatureExtractor, a FeatureSpec "
        f"or the name of a preset. {checks.received('front', front)}"
    )


# ---- The kinds of front ends -------------------------------------------------------------------


def _of_mel(layer: MelSpectrogram, rate: float, signals: str) -> Chart:
    edges = (float(layer.min_freq), float(layer.max_freq))
    rows = Rows("frequency (Hz), mel scale", layer.frequencies(), edges)
    return Chart(
        title=f"mel, {layer.num_mel_bins} bands",
        sampling_rate=rate,
        hop=layer.sequence_stride / rate,
        times=lambda count, _: layer.times(count),
        rows=rows,
        mode="mel",
        unit="dB" if layer.power_to_db else "power",
        is_empty=axes.empty_mel_bands(layer.get_config()),
        panels=partial(_of_any_rank, rows=rows.count),
        signals=(signals, ""),
    )


def _of_stft(layer: STFTSpectrogram, rate: float) -> Chart:
    bins = axes.stft_frequencies(layer.pipeline.arguments.num_points // 2 + 1, rate)
    return Chart(
        title=f"STFT, mode {layer.mode}",
        sampling_rate=rate,
        hop=layer.pipeline.arguments.hop / rate,
        times=lambda count, length: layer.times(count, rate, num_samples=length),
        rows=Rows("frequency (Hz)", bins),
        mode=layer.mode,
        unit=f"mode {layer.mode}",
        is_empty=np.zeros(len(bins), np.bool_),
        panels=partial(_of_layout, layer=layer),
        signals=("clip", "channel"),
    )


def _of_extractor(extractor: FeatureExtractor, signals: str) -> Chart:
    spec = extractor.spec
    rows = rows_of_spec(spec, extractor.frequencies() if extractor.has_frequencies else None)
    is_empty = np.zeros(len(rows.hertz), np.bool_)
    if spec.num_cepstra is None and spec.mode == "mel":
        is_empty[-spec.num_mel_bins :] = extractor.pipeline.empty_bands()
    return Chart(
        title=f"features, {spec.num_rows} rows",
        sampling_rate=spec.sampling_rate,
        hop=spec.hop_length * spec.join_frames / spec.sampling_rate,
        times=lambda count, length: extractor.times(count, num_samples=length),
        rows=rows,
        mode=spec.mode,
        unit=description.unit(spec),
        is_empty=is_empty,
        panels=partial(_of_any_rank, rows=spec.num_rows, is_swapped=spec.layout == "frames_first"),
        signals=(signals, ""),
    )


# ---- Layouts -----------------------------------------------------------------------------------


def _of_any_rank(values: Values, rows: int, *, is_swapped: bool = False) -> Values:
    """Returns values [..., rows, frames] or swapped ones as [signals, 1, rows, frames]."""
    wanted = f"(..., frames, {rows})" if is_swapped else f"(..., {rows}, frames)"
    if values.ndim < 2 or values.shape[-1 if is_swapped else -2] != rows:
        raise _unfit(values, wanted)
    by_row = values.swapaxes(-1, -2) if is_swapped else values
    return by_row.reshape(-1, 1, *by_row.shape[-2:])


def _of_layout(values: Values, layer: STFTSpectrogram) -> Values:
    """Returns values in the layer's layout, with or without the axis of a batch."""
    first, expanded = layer.data_format == "channels_first", layer.expand_dims
    rows = len(layer.frequencies(1.0))
    if expanded:
        wanted = f"channels, frames, {rows}" if first else f"frames, {rows}, channels"
    else:
        wanted = f"channels * {rows}, frames" if first else f"frames, channels * {rows}"
    rank = 3 if expanded else 2
    if values.ndim not in (rank, rank + 1):
        raise _unfit(values, f"({wanted}) or (batch, {wanted})")
    batch = values.reshape(-1, *values.shape[-rank:])
    if expanded:
        batch = batch.transpose((0, 1, 3, 2) if first else (0, 3, 2, 1))
    else:
        batch = batch if first else batch.swapaxes(1, 2)
        if batch.shape[1] % rows == 0:
            batch = batch.reshape(len(batch), -1, rows, batch.shape[2])
    if batch.ndim != 4 or batch.shape[2] != rows:
        raise _unfit(values, f"({wanted}) or (batch, {wanted})")
    return batch


def _unfit(values: Values, wanted: str) -> ValueError:
    return ValueError(
        f"`values` must have shape {wanted}, as `front` returns them. "
        f"Received: values of shape {values.shape}"
    )
