# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of MelSpectrogram, each with its check."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import Any

from specfast._spec import arguments, checks, windows
from specfast._spec.fields import Option, argument, optional, with_others

MEL_WINDOWS = ("hann", "hamming")
TOP_DB_SCOPES = ("batch", "clip")

_length = partial(checks.integer, minimum=1, maximum=arguments.MAX_LENGTH)


def _top_db(name: str, value: Any) -> int | float:
    accepted = "None or a number of dB, not negative"
    number = checks.real_or_infinite(name, value, accepted=accepted)
    if number < 0:
        raise ValueError(f"`{name}` must be {accepted}. {checks.received(name, value)}")
    return number


@dataclass(frozen=True, eq=False)
class MelArguments(arguments.Arguments):
    """Arguments of MelSpectrogram; `sequence_length` and `max_freq` are resolved, as in Keras.

    Attributes:
        window_values: float64 [sequence_length]; None: no window.
        level: the name of what the energy of a band becomes, for the engine.
    """

    window_values: windows.Values | None
    level: str

    fft_length: int = argument(
        2048,
        _length,
        sizes_tables=True,
        setting="fft_length",
        aliases=("n_fft", "nfft", "fft_size"),
        option=Option(int, "Points of each Fourier transform."),
    )
    sequence_stride: int = argument(
        512,
        _length,
        setting="hop",
        aliases=("hop_length", "hop", "hop_size", "stride", "noverlap", "frame_step"),
        option=Option(int, "Samples from one frame to the next."),
    )
    sequence_length: int = argument(
        None,
        optional(partial(checks.integer, minimum=0, maximum=sys.maxsize)),
        derived=lambda values: values.fft_length,
        sizes_tables=True,
        aliases=("win_length", "window_length", "nperseg", "frame_length"),
        option=Option(int, "Samples under the window; none: as --fft-length.", takes_none=True),
    )
    window: str | windows.Values | None = argument(
        "hann",
        with_others,
        aliases=("window_fn", "win", "window_type"),
        option=Option("window", "hann, hamming, or an array in a .npy file.", takes_none=True),
    )
    sampling_rate: int | float = argument(
        16000,
        with_others,
        setting="sampling_rate_hz",
        aliases=("sr", "sample_rate", "samplerate", "rate", "fs"),
    )
    num_mel_bins: int = argument(
        128,
        partial(checks.integer, minimum=1, maximum=arguments.MAX_BANDS),
        sizes_tables=True,
        setting="num_mel_bins",
        aliases=("n_mels", "num_mels", "num_mel_filters", "mel_bins", "n_bands", "feature_size"),
        option=Option(int, "Number of mel bands."),
    )
    min_freq: int | float = argument(
        20.0,
        with_others,
        setting="min_freq_hz",
        aliases=("fmin", "f_min", "low_freq", "min_frequency", "lower_edge_hertz"),
        option=Option(float, "Lower edge of the lowest band in Hz."),
    )
    max_freq: int | float = argument(
        None,
        with_others,
        derived=lambda values: int(values.sampling_rate / 2),
        setting="max_freq_hz",
        aliases=("fmax", "f_max", "high_freq", "max_frequency", "upper_edge_hertz"),
        option=Option(
            float, "Upper edge of the highest band in Hz; none: half the rate.", takes_none=True
        ),
    )
    power_to_db: bool = argument(
        True,
        checks.flag,
        aliases=("log_mel", "to_db"),
        option=Option(bool, "Return levels in dB, or powers."),
    )
    top_db: int | float | None = argument(
        80.0,
        optional(_top_db),
        aliases=("db_range", "dynamic_range"),
        option=Option(
            float,
            "Raise levels lower than this many dB below the highest one; none: keep them.",
            takes_none=True,
        ),
    )
    mag_exp: int | float = argument(
        2.0,
        checks.real,
        setting="mag_exp",
        aliases=("power",),
        option=Option(float, "Exponent applied to magnitudes."),
    )
    min_power: int | float = argument(
        1e-10,
        arguments.not_negative,
        setting="min_power",
        aliases=("amin", "min_value", "mel_floor"),
        option=Option(float, "Raise smaller powers to this one before the logarithm."),
    )
    ref_power: int | float = argument(
        1.0,
        checks.real,
        setting="ref_power",
        aliases=("ref", "reference"),
        option=Option(float, "Power that corresponds to 0 dB."),
    )
    top_db_scope: str = argument(
        "batch",
        partial(checks.choice, accepted=TOP_DB_SCOPES),
        in_keras=False,
        option=Option(
            TOP_DB_SCOPES,
            "The highest level is that of all channels (batch), or of each by itself (clip).",
        ),
    )
    num_threads: int | None = argument(
        None, arguments.thread_count, in_keras=False, aliases=("n_jobs", "workers")
    )
    device: str | None = argument(None, arguments.device_name, in_keras=False)

    @classmethod
    def _resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        sequence_length = _sequence_length(values["sequence_length"], values["fft_length"])
        window, window_values = _window(values["window"], sequence_length)
        sampling_rate, min_freq, max_freq = frequencies(
            *(values[name] for name in _FREQUENCIES), names=_FREQUENCIES
        )
        if max(abs(values["ref_power"]), values["min_power"]) == 0:
            raise ValueError(
                "`ref_power` and `min_power` must not both be zero: levels are relative to the "
                f"larger. Received: ref_power={values['ref_power']}, "
                f"min_power={values['min_power']}"
            )
        return {
            **values,
            "sequence_length": sequence_length,
            "window": window,
            "sampling_rate": sampling_rate,
            "min_freq": min_freq,
            "max_freq": max_freq,
            "window_values": window_values,
            "level": "decibel" if values["power_to_db"] else "energy",
        }

    def check_precision(self, dtype: str) -> None:
        arguments.check_window_precision(self.window, self.window_values, None, dtype)
        if self.power_to_db:
            arguments.check_floor_precision("min_power", self.min_power, dtype)


_FREQUENCIES = ("sampling_rate", "min_freq", "max_freq")


def _sequence_length(value: int | None, fft_length: int) -> int:
    length = value or fft_length  # 0 means the default, as in Keras
    if fft_length < length:
        raise ValueError(
            "`fft_length` must be greater than or equal to `sequence_length`. "
            f"Received: `sequence_length`={length}, `fft_length`={fft_length}."
        )
    return length


def _window(
    window: Any, sequence_length: int
) -> tuple[str | windows.Values | None, windows.Values | None]:
    """Returns the window as the layer shows it, and its values."""
    if window is None:
        return None, None
    if isinstance(window, str):
        if window not in MEL_WINDOWS:
            raise ValueError(
                "If a string is passed to `window`, it must be one of "
                f"{', '.join(map(repr, MEL_WINDOWS))}; any other window can be passed as an "
                f"array of length {sequence_length}. Received: window={checks.short(window)}"
            )
        values = windows.named(window, sequence_length, periodic=True)
    else:
        values = windows.from_values(window, sequence_length, "sequence_length")
    return arguments.public_window(window, values), values


def frequencies(
    sampling_rate: Any, low: Any, high: Any, *, names: tuple[str, str, str]
) -> tuple[int | float, int | float, int | float]:
    """Returns a sampling rate and the edges of a filterbank in Hz; `high` defaults to half of it.

    Keras also takes low > high (a mirrored filterbank), low == high (NaN) and negative
    frequencies; none of them can be meant.
    """
    rate_name, low_name, high_name = names
    rate = checks.positive_hertz(rate_name, sampling_rate)
    low_hz = arguments.not_negative(low_name, low)
    high_hz = 0 if high is None else arguments.not_negative(high_name, high)
    source = ""
    if high_hz == 0:
        high_hz = int(rate / 2)
        source = f" from {rate_name}={rate}"
    if not low_hz < high_hz:
        raise ValueError(
            f"`{high_name}` must be greater than `{low_name}`. "
            f"Received: {high_name}={high_hz}{source}, {low_name}={low_hz}"
        )
    return rate, low_hz, high_hz
