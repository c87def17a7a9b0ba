# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of STFTSpectrogram, each with its check."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from specfast import _core
from specfast._spec import arguments, checks, windows
from specfast._spec.fields import Option, argument, optional, with_others

MODES = tuple(_core.mode_names())
SCALINGS = ("density", "spectrum")
PADDINGS = ("valid", "same")
DATA_FORMATS = ("channels_last", "channels_first")

MAX_EPSILON = 1e15  # its square, which the mode "log" needs, is still a float32


def _data_format(name: str, value: Any) -> str:
    if value is None:
        return "channels_last"
    if isinstance(value, str) and value.lower() in DATA_FORMATS:
        return value.lower()
    return checks.choice(name, value, DATA_FORMATS)


def _epsilon(name: str, value: Any) -> int | float:
    number = arguments.not_negative(name, value)
    if number > MAX_EPSILON:
        raise ValueError(
            f"`{name}` must be between 0 and {MAX_EPSILON:g}. {checks.received(name, value)}"
        )
    return number


@dataclass(frozen=True, eq=False)
class StftArguments(arguments.Arguments):
    """Arguments of STFTSpectrogram.

    Attributes:
        hop: samples from frame to frame: `frame_step`, or what its default means.
        num_points: `fft_length`, or what its default means.
        window_values: float64 [frame_length]; None: no window.
    """

    # Whether a length of the transform that is no power of two gives Keras' warning.
    warns_of_length: ClassVar[bool] = True

    hop: int
    num_points: int
    window_values: windows.Values | None

    mode: str = argument(
        "log",
        partial(checks.choice, accepted=MODES),
        option=Option(MODES, "Quantity to compute for each bin."),
    )
    frame_length: int = argument(
        256,
        partial(checks.integer, minimum=1, maximum=arguments.MAX_LENGTH),
        sizes_tables=True,
        setting="frame_length",
        aliases=("win_length", "window_length", "nperseg", "sequence_length"),
        option=Option(int, "Samples in a frame."),
    )
    frame_step: int | None = argument(
        None,
        optional(partial(checks.integer, minimum=-sys.maxsize, maximum=sys.maxsize)),
        aliases=("hop_length", "hop", "hop_size", "stride", "noverlap", "sequence_stride"),
        option=Option(
            int, "Samples from one frame to the next; none: half a frame.", takes_none=True
        ),
    )
    fft_length: int | None = argument(
        None,
        optional(partial(checks.integer, minimum=-sys.maxsize, maximum=arguments.MAX_LENGTH)),
        sizes_tables=True,
        aliases=("n_fft", "nfft", "fft_size", "mfft"),
        option=Option(
            int, "Points of each Fourier transform; none: the next power of two.", takes_none=True
        ),
    )
    window: str | windows.Values | None = argument(
        "hann",
        with_others,
        aliases=("window_fn", "win", "window_type"),
        option=Option(
            "window", "A name that SciPy knows, or an array in a .npy file.", takes_none=True
        ),
    )
    periodic: bool = argument(
        False,
        checks.strict_flag,
        aliases=("fftbins",),
        option=Option(bool, "Kind of window that a name stands for.", off="--symmetric"),
    )
    scaling: str | None = argument(
        "density",
        optional(partial(checks.choice, accepted=SCALINGS, otherwise="None")),
        setting="scaling",
        option=Option(
            SCALINGS,
            "Divide the window by the root of its energy (density), or by its sum (spectrum).",
            takes_none=True,
        ),
    )
    padding: str = argument(
        "valid",
        partial(checks.choice, accepted=PADDINGS),
        setting="padding",
        option=Option(
            PADDINGS, "Keep whole frames only (valid), or add zeros at both ends (same)."
        ),
    )
    data_format: str = argument(
        None, _data_format, option=Option(DATA_FORMATS, "Position of the channels in the result.")
    )
    expand_dims: bool = argument(
        False,
        checks.flag,
        option=Option(bool, "Give channels an axis of their own, or join them with the bins."),
    )
    epsilon: float = argument(
        1e-7,
        _epsilon,
        in_keras=False,
        setting="epsilon",
        aliases=("eps", "amin"),
        option=Option(float, "Smallest magnitude in the modes magnitude and log."),
    )
    num_threads: int | None = argument(
        None, arguments.thread_count, in_keras=False, aliases=("n_jobs", "workers")
    )
    device: str | None = argument(None, arguments.device_name, in_keras=False)

    @classmethod
    def _resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        frame_length, scaling = values["frame_length"], values["scaling"]
        window, window_values = _window(
            values["window"], frame_length, values["periodic"], scaling
        )
        return {
            **values,
            "window": window,
            "hop": _hop(values["frame_step"], frame_length),
            "num_points": _num_points(
                values["fft_length"], frame_length, warns=cls.warns_of_length
            ),
            "window_values": window_values,
        }

    def check_precision(self, dtype: str) -> None:
        arguments.check_window_precision(self.window, self.window_values, self.scaling, dtype)
        if self.mode in ("magnitude", "log"):
            arguments.check_floor_precision("epsilon", self.epsilon, dtype)


def _hop(frame_step: int | None, frame_length: int) -> int:
    if frame_step is None:
        if frame_length == 1:
            raise ValueError(
                "`frame_step` defaults to frame_length // 2, which is 0 for frame_length=1; "
                "pass frame_step=1. Received: frame_step=None, frame_length=1"
            )
        return frame_length // 2
    if not 1 <= frame_step <= frame_length:
        raise ValueError(
            "`frame_step` should be a positive integer not greater than `frame_length`. "
            f"Received frame_step={frame_step}, frame_length={frame_length}"
        )
    return frame_step


def _num_points(fft_length: int | None, frame_length: int, *, warns: bool) -> int:
    """Returns the length of the transform; gives Keras' warning where it is due."""
    length = 1 << (frame_length - 1).bit_length() if fft_length is None else fft_length
    if length < frame_length:
        raise ValueError(
            "`fft_length` should be not less than `frame_length`. "
            f"Received fft_length={length}, frame_length={frame_length}"
        )
    if warns and length & (length - 1):
        warnings.warn(
            f"`fft_length` is recommended to be a power of two. Received fft_length={length}",
            stacklevel=arguments.caller_level(),
        )
    if length < 2:
        # Keras divides by (fft_length // 2) * 2 and so returns NaN.
        raise ValueError(
            "`fft_length` must be at least 2: a DFT of (fft_length // 2) * 2 = 0 points does not "
            f"exist. Received fft_length={fft_length}, frame_length={frame_length}"
        )
    return length


def _window(
    window: Any, frame_length: int, periodic: bool, scaling: str | None
) -> tuple[str | windows.Values | None, windows.Values | None]:
    """Returns the window as the layer shows it, and its values."""
    if window is None:
        return None, None
    if isinstance(window, str):
        values = windows.named(window, frame_length, periodic=periodic)
    else:
        values = windows.from_values(window, frame_length, "frame_length")
    if scaling is not None and not np.any(values):
        raise ValueError(
            f"`window` must not be zero everywhere with scaling={scaling!r}, which divides by "
            f"its norm. Received: window={checks.short(window)} of length {frame_length}"
        )
    return arguments.public_window(window, values), values
