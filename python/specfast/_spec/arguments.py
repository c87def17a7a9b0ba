# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of both layers: checked and resolved once, when a layer is made.

Names, order and defaults are those of Keras. What Keras refuses is refused with the same
exception; what Keras lets through and then fails on, or turns into NaN, is refused as well.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from specfast._spec import checks as _checks
from specfast._spec import windows as _windows

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")
SCALINGS = ("density", "spectrum")
PADDINGS = ("valid", "same")
DATA_FORMATS = ("channels_last", "channels_first")
MEL_WINDOWS = ("hann", "hamming")
TOP_DB_SCOPES = ("batch", "clip")

# The engine's own bounds, checked here too so that no window is computed for an absurd length.
MAX_LENGTH = 1 << 27
MAX_BANDS = 1 << 20
MAX_THREADS = 4096
MAX_EPSILON = 1e15  # its square, which the mode "log" needs, is still a float32


def _addition(default: Any) -> Any:
    """A field that Keras does not have; written into a configuration only when it is changed."""
    return field(default=default, metadata={"addition": True})


# A field that is no argument but follows from the arguments; it is not shown.
_RESOLVED = {"resolved": True}


@dataclass(frozen=True, eq=False)
class _Arguments:
    @classmethod
    def _public_fields(cls) -> list[dataclasses.Field[Any]]:
        return [f for f in dataclasses.fields(cls) if not f.metadata.get("resolved")]

    def public(self) -> dict[str, Any]:
        """Every argument under its name, as attributes of the layer show it."""
        return {f.name: getattr(self, f.name) for f in self._public_fields()}

    def config(self) -> dict[str, Any]:
        """The part of a Keras configuration that these arguments make.

        A window given as an array becomes a list of floats: Keras reads that back, also from
        JSON, which it does not with an array.
        """
        config: dict[str, Any] = {}
        for f in self._public_fields():
            value = getattr(self, f.name)
            if not (f.metadata.get("addition") and value == f.default):
                config[f.name] = value.tolist() if isinstance(value, np.ndarray) else value
        return config

    def changed(self) -> dict[str, Any]:
        """The arguments that differ from their defaults."""
        return {
            name: value
            for f, (name, value) in zip(self._public_fields(), self.public().items(), strict=True)
            if isinstance(value, np.ndarray) or value != f.default
        }


@dataclass(frozen=True, eq=False)
class StftArguments(_Arguments):
    """Arguments of STFTSpectrogram; `hop`, `num_points` and `window_values` are resolved."""

    mode: str = "log"
    frame_length: int = 256
    frame_step: int | None = None
    fft_length: int | None = None
    window: str | _windows.Values | None = "hann"
    periodic: bool = False
    scaling: str | None = "density"
    padding: str = "valid"
    data_format: str = "channels_last"
    expand_dims: bool = False
    epsilon: float = _addition(1e-7)
    num_threads: int | None = _addition(None)
    hop: int = field(default=128, metadata=_RESOLVED)
    num_points: int = field(default=256, metadata=_RESOLVED)
    window_values: _windows.Values | None = field(default=None, metadata=_RESOLVED)

    def check_precision(self, dtype: str) -> None:
        """Refuses what "float32" or "float64", the engine's own precision, cannot hold.

        Raises:
            ValueError: for a scaled window, or an `epsilon` that its mode uses, that becomes
                zero or infinite there.
        """
        if self.window_values is not None:
            _check_window_precision(self.window, self.window_values, self.scaling, dtype)
        if self.mode in ("magnitude", "log"):
            _check_floor_precision("epsilon", self.epsilon, dtype)


@dataclass(frozen=True, eq=False)
class MelArguments(_Arguments):
    """Arguments of MelSpectrogram; `sequence_length` and `max_freq` are resolved, as in Keras."""

    fft_length: int = 2048
    sequence_stride: int = 512
    sequence_length: int = 2048
    window: str | _windows.Values | None = "hann"
    sampling_rate: int | float = 16000
    num_mel_bins: int = 128
    min_freq: int | float = 20.0
    max_freq: int | float = 8000
    power_to_db: bool = True
    top_db: int | float | None = 80.0
    mag_exp: int | float = 2.0
    min_power: int | float = 1e-10
    ref_power: int | float = 1.0
    top_db_scope: str = _addition("batch")
    num_threads: int | None = _addition(None)
    window_values: _windows.Values | None = field(default=None, metadata=_RESOLVED)

    def check_precision(self, dtype: str) -> None:
        """As that of StftArguments, for the window and for `min_power` where levels need it."""
        if self.window_values is not None:
            _check_window_precision(self.window, self.window_values, None, dtype)
        if self.power_to_db:
            _check_floor_precision("min_power", self.min_power, dtype)


def _check_window_precision(
    window: Any, values: _windows.Values, scaling: str | None, dtype: str
) -> None:
    """Refuses a window that loses its digits on its way into the engine.

    It must be made of normal numbers of `dtype` after it was scaled, and of float64 while its
    norm is computed; below, digits are lost and soon everything, above it is infinite.
    """
    largest = float(np.max(np.abs(values)))
    if largest == 0:
        return  # without a scaling that is silence, and sound; with one it is refused already
    with np.errstate(all="ignore"):
        # In this order and precision the engine does it too.
        total = float(np.sum(values**2 if scaling == "density" else np.abs(values)))
        norm = {None: 1.0, "density": math.sqrt(total), "spectrum": total}[scaling]
        scaled = largest * float(np.float64(1.0) / norm)
    sound = _is_normal(scaled, dtype) and (scaling is None or _is_normal(total, "float64"))
    if not sound:
        limits = np.finfo(dtype)
        held = f"{dtype} can hold ({limits.tiny:.2g} to {limits.max:.2g})"
        raise ValueError(
            f"`window` must have a largest value that {held}"
            + (f" also after scaling={scaling!r}, and a norm that float64 can" if scaling else "")
            + f". {_checks.received('window', window)}, whose largest value is {largest:.3g}"
            + (f" and whose norm is {norm:.3g}" if scaling else "")
        )


def sample_scale(value: Any, dtype: str) -> float:
    """The argument `scale` of a call, for the engine: 0 stands for None, no scale.

    Raises:
        TypeError: if it is no number.
        ValueError: if it is 0, or not finite or no normal number in `dtype`.
    """
    if value is None:
        return 0.0
    accepted = f"None or a number that is not 0 and that {dtype} can hold, such as 1 / 32768"
    scale = float(_checks.real("scale", value, accepted=accepted))
    if not _is_normal(abs(scale), dtype):
        raise ValueError(f"`scale` must be {accepted}. {_checks.received('scale', value)}")
    return scale


def _is_normal(number: float, dtype: str) -> bool:
    limits = np.finfo(dtype)
    return float(limits.tiny) <= number <= float(limits.max)  # False for NaN


def _check_floor_precision(name: str, value: float, dtype: str) -> None:
    with np.errstate(over="ignore", under="ignore"):
        rounded = float(np.dtype(dtype).type(float(value)))
    if value > 0 and not 0 < rounded < np.inf:
        raise ValueError(
            f"`{name}` must be 0 or a number that does not become {rounded} in {dtype}. "
            f"{_checks.received(name, value)}"
        )


def stft(
    *,
    mode: Any,
    frame_length: Any,
    frame_step: Any,
    fft_length: Any,
    window: Any,
    periodic: Any,
    scaling: Any,
    padding: Any,
    expand_dims: Any,
    data_format: Any,
    epsilon: Any,
    num_threads: Any,
) -> StftArguments:
    """Checks the arguments of STFTSpectrogram.

    Raises:
        TypeError: for a value of a wrong type.
        ValueError: for a value out of its range.
        ImportError: for a window that only SciPy has, without SciPy.
    """
    frame_length = _checks.integer("frame_length", frame_length, minimum=1, maximum=MAX_LENGTH)
    frame_step, hop = _frame_step(frame_step, frame_length)
    fft_length, num_points = _fft_length(fft_length, frame_length)
    mode = _checks.choice("mode", mode, MODES)
    if scaling is not None:
        scaling = _checks.choice("scaling", scaling, SCALINGS, otherwise="None")
    padding = _checks.choice("padding", padding, PADDINGS)
    periodic = _checks.strict_flag("periodic", periodic)
    window, values = _stft_window(window, frame_length, periodic, scaling)
    return StftArguments(
        mode=mode,
        frame_length=frame_length,
        frame_step=frame_step,
        fft_length=fft_length,
        window=window,
        periodic=periodic,
        scaling=scaling,
        padding=padding,
        expand_dims=_checks.flag("expand_dims", expand_dims),
        data_format=_data_format(data_format),
        epsilon=_epsilon(epsilon),
        num_threads=_num_threads(num_threads),
        hop=hop,
        num_points=num_points,
        window_values=values,
    )


def _epsilon(value: Any) -> int | float:
    number = _not_negative("epsilon", value)
    if number > MAX_EPSILON:
        raise ValueError(
            f"`epsilon` must be between 0 and {MAX_EPSILON:g}. "
            f"{_checks.received('epsilon', value)}"
        )
    return number


def _frame_step(value: Any, frame_length: int) -> tuple[int | None, int]:
    """`frame_step` as given, and the step that it means."""
    if value is None:
        if frame_length == 1:
            raise ValueError(
                "`frame_step` defaults to frame_length // 2, which is 0 for frame_length=1; "
                "pass frame_step=1. Received: frame_step=None, frame_length=1"
            )
        return None, frame_length // 2
    step = _checks.integer("frame_step", value, minimum=-sys.maxsize, maximum=sys.maxsize)
    if not 1 <= step <= frame_length:
        raise ValueError(
            "`frame_step` should be a positive integer not greater than `frame_length`. "
            f"Received frame_step={step}, frame_length={frame_length}"
        )
    return step, step


def _fft_length(value: Any, frame_length: int) -> tuple[int | None, int]:
    """`fft_length` as given, and the length that it means; Keras' warning where it is due."""
    if value is None:
        length = 1 << (frame_length - 1).bit_length()
    else:
        length = _checks.integer("fft_length", value, minimum=-sys.maxsize, maximum=MAX_LENGTH)
        if length < frame_length:
            raise ValueError(
                "`fft_length` should be not less than `frame_length`. "
                f"Received fft_length={length}, frame_length={frame_length}"
            )
        if length & (length - 1):
            warnings.warn(
                f"`fft_length` is recommended to be a power of two. Received fft_length={length}",
                stacklevel=_caller_level(),
            )
    if length < 2:
        # Keras divides by (fft_length // 2) * 2 and so returns NaN.
        raise ValueError(
            "`fft_length` must be at least 2: a DFT of (fft_length // 2) * 2 = 0 points does not "
            f"exist. Received fft_length={value}, frame_length={frame_length}"
        )
    return (None if value is None else length), length


def _stft_window(
    window: Any, frame_length: int, periodic: bool, scaling: str | None
) -> tuple[str | _windows.Values | None, _windows.Values | None]:
    if window is None:
        return None, None
    if isinstance(window, str):
        values = _windows.named(window, frame_length, periodic=periodic)
    else:
        values = _windows.given(window, frame_length, "frame_length")
    if scaling is not None and not np.any(values):
        raise ValueError(
            f"`window` must not be zero everywhere with scaling={scaling!r}, which divides by "
            f"its norm. Received: window={_checks.short(window)} of length {frame_length}"
        )
    return _public_window(window, values), values


def _public_window(window: Any, values: _windows.Values) -> str | _windows.Values:
    if isinstance(window, str):
        return str(window)
    shown = values.copy()
    shown.flags.writeable = False  # the plan would not follow a change
    return shown


def _data_format(value: Any) -> str:
    if value is None:
        return "channels_last"
    if isinstance(value, str) and value.lower() in DATA_FORMATS:
        return value.lower()
    return _checks.choice("data_format", value, DATA_FORMATS)


def mel(
    *,
    fft_length: Any,
    sequence_stride: Any,
    sequence_length: Any,
    window: Any,
    sampling_rate: Any,
    num_mel_bins: Any,
    min_freq: Any,
    max_freq: Any,
    power_to_db: Any,
    top_db: Any,
    mag_exp: Any,
    min_power: Any,
    ref_power: Any,
    top_db_scope: Any,
    num_threads: Any,
) -> MelArguments:
    """Checks the arguments of MelSpectrogram. Raises as `stft` does."""
    fft_length = _checks.integer("fft_length", fft_length, minimum=1, maximum=MAX_LENGTH)
    sequence_length = _sequence_length(sequence_length, fft_length)
    window, values = _mel_window(window, sequence_length)
    sampling_rate, min_freq, max_freq = frequencies(
        sampling_rate, min_freq, max_freq, names=("sampling_rate", "min_freq", "max_freq")
    )
    min_power = _not_negative("min_power", min_power)
    ref_power = _checks.real("ref_power", ref_power)
    if max(abs(ref_power), min_power) == 0:
        raise ValueError(
            "`ref_power` and `min_power` must not both be zero: levels are relative to the "
            f"larger. Received: ref_power={ref_power}, min_power={min_power}"
        )
    return MelArguments(
        fft_length=fft_length,
        sequence_stride=_checks.integer(
            "sequence_stride", sequence_stride, minimum=1, maximum=MAX_LENGTH
        ),
        sequence_length=sequence_length,
        window=window,
        sampling_rate=sampling_rate,
        num_mel_bins=_checks.integer("num_mel_bins", num_mel_bins, minimum=1, maximum=MAX_BANDS),
        min_freq=min_freq,
        max_freq=max_freq,
        power_to_db=_checks.flag("power_to_db", power_to_db),
        top_db=_top_db(top_db),
        mag_exp=_checks.real("mag_exp", mag_exp),
        min_power=min_power,
        ref_power=ref_power,
        top_db_scope=_checks.choice("top_db_scope", top_db_scope, TOP_DB_SCOPES),
        num_threads=_num_threads(num_threads),
        window_values=values,
    )


def _sequence_length(value: Any, fft_length: int) -> int:
    if value is None:
        return fft_length
    length = _checks.integer("sequence_length", value, minimum=0, maximum=sys.maxsize)
    length = length or fft_length  # 0 means the default, as in Keras
    if fft_length < length:
        raise ValueError(
            "`fft_length` must be greater than or equal to `sequence_length`. "
            f"Received: `sequence_length`={length}, `fft_length`={fft_length}."
        )
    return length


def _mel_window(
    window: Any, sequence_length: int
) -> tuple[str | _windows.Values | None, _windows.Values | None]:
    if window is None:
        return None, None
    if isinstance(window, str):
        if window not in MEL_WINDOWS:
            raise ValueError(
                "If a string is passed to `window`, it must be one of "
                f"{', '.join(map(repr, MEL_WINDOWS))}; any other window can be passed as an "
                f"array of length {sequence_length}. Received: window={_checks.short(window)}"
            )
        return str(window), _windows.named(window, sequence_length, periodic=True)
    values = _windows.given(window, sequence_length, "sequence_length")
    return _public_window(window, values), values


def frequencies(
    sampling_rate: Any, low: Any, high: Any, *, names: tuple[str, str, str]
) -> tuple[int | float, int | float, int | float]:
    """A sampling rate and the edges of a filterbank, all in Hz; `high` defaults to half the rate.

    Keras also takes low > high (a mirrored filterbank), low == high (NaN) and negative
    frequencies; none of them can be meant.
    """
    rate_name, low_name, high_name = names
    rate = _checks.real(rate_name, sampling_rate, accepted="a positive number of Hz")
    if rate <= 0:
        raise ValueError(
            f"`{rate_name}` must be a positive number of Hz. "
            f"{_checks.received(rate_name, sampling_rate)}"
        )
    low_hz = _not_negative(low_name, low)
    high_hz = 0 if high is None else _not_negative(high_name, high)
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


def _not_negative(name: str, value: Any) -> int | float:
    number = _checks.real(name, value, accepted="a finite number, not negative")
    if number < 0:
        raise ValueError(
            f"`{name}` must be a finite number, not negative. {_checks.received(name, value)}"
        )
    return number


def _top_db(value: Any) -> int | float | None:
    if value is None:
        return None
    accepted = "None or a number of dB, not negative"
    number = _checks.real_or_infinite("top_db", value, accepted=accepted)
    if number < 0:
        raise ValueError(f"`top_db` must be {accepted}. {_checks.received('top_db', value)}")
    return number


def _num_threads(value: Any) -> int | None:
    if value is None:
        return None
    return _checks.integer("num_threads", value, minimum=1, maximum=MAX_THREADS)


def _caller_level() -> int:
    """The stacklevel of the first frame outside specfast, for a warning by who calls this."""
    level = 2
    frame = sys._getframe(2)
    while frame.f_back and (frame.f_globals.get("__package__") or "").split(".")[0] == "specfast":
        frame = frame.f_back
        level += 1
    return level
