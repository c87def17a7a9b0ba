# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of ISTFT, each with its check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from specfast._spec import arguments, checks, windows
from specfast._spec.fields import Field, argument, fields_of, optional
from specfast._spec.stft_arguments import StftArguments

PADDINGS = ("valid", "same", "center", "sides")
LAYOUTS = ("layer", "bins_frames", "frames_bins")

# What an STFTSpectrogram has, and its inverse has no use for.
_FORWARD_ONLY = {"mode": "stft", "epsilon": 1e-7, "device": None}
_MIN_GAIN, _MAX_GAIN = 1e-15, 1e15  # the engine's own bounds


def _gain(name: str, value: Any) -> int | float:
    accepted = f"a number between {_MIN_GAIN:g} and {_MAX_GAIN:g}"
    number = checks.real(name, value, accepted=accepted)
    if not _MIN_GAIN <= number <= _MAX_GAIN:
        raise ValueError(f"`{name}` must be {accepted}. {checks.received(name, value)}")
    return number


_length = partial(checks.integer, minimum=0, maximum=arguments.MAX_LENGTH)


@dataclass(frozen=True, eq=False)
class InverseArguments(StftArguments):
    """Arguments of ISTFT: those of the transform that it inverts, in mode "stft", and its own."""

    warns_of_length: ClassVar[bool] = False  # the transform has been made already

    padding: str = argument("valid", partial(checks.choice, accepted=PADDINGS), setting="padding")
    pad_length: int | None = argument(None, optional(_length), in_keras=False)
    centered_window: bool = argument(False, checks.strict_flag, in_keras=False)
    gain: float = argument(1.0, _gain, in_keras=False, setting="input_gain")
    phase_origin: int = argument(0, _length, in_keras=False)
    exact_fft_length: bool = argument(False, checks.strict_flag, in_keras=False)
    layout: str = argument("layer", partial(checks.choice, accepted=LAYOUTS), in_keras=False)

    @classmethod
    def fields(cls) -> tuple[Field, ...]:
        return tuple(field for field in fields_of(cls) if field.name not in _FORWARD_ONLY)

    @classmethod
    def _resolved(cls, values: dict[str, Any]) -> dict[str, Any]:
        resolved = super()._resolved({**values, **_FORWARD_ONLY})
        _check_padding(values["padding"], values["pad_length"])
        _check_layout(values)
        num_points = resolved["num_points"]
        if not values["exact_fft_length"]:
            num_points = num_points // 2 * 2
        if values["phase_origin"] >= num_points:
            raise ValueError(
                f"`phase_origin` must be a sample of the transform, 0 to {num_points - 1}. "
                f"{checks.received('phase_origin', values['phase_origin'])}"
            )
        return resolved

    @property
    def num_bins(self) -> int:
        """How many bins a frame has."""
        return self.num_points // 2 + 1

    @property
    def engine_frame_length(self) -> int:
        """How many samples a frame has in the engine, which knows no zeros beside a window.

        With padding "center" a whole transform is centered, wherever its window lies.
        """
        is_filled = self.centered_window or self.padding == "center"
        return self.num_points if is_filled else self.frame_length

    @property
    def engine_window(self) -> windows.Values | None:
        """The window of these samples; None: ones."""
        if self.engine_frame_length == self.frame_length:
            return self.window_values
        values = self.window_values
        padded = np.zeros(self.num_points)
        begin = (self.num_points - self.frame_length) // 2 if self.centered_window else 0
        padded[begin : begin + self.frame_length] = 1.0 if values is None else values
        return padded

    @property
    def engine_scaling(self) -> str | None:
        """What divides the window; one that is absent is not scaled, even between zeros."""
        return None if self.window_values is None else self.scaling


def _check_layout(values: dict[str, Any]) -> None:
    """Refuses axes of layers where spectra are complex, which have none of these."""
    if values["layout"] == "layer":
        return
    for name, usual in (("expand_dims", False), ("data_format", "channels_last")):
        if values[name] != usual:
            raise ValueError(
                f"`{name}` must be {usual!r} with layout={values['layout']!r}, whose axes it does "
                f"not change. {checks.received(name, values[name])}"
            )


def _check_padding(padding: str, pad_length: int | None) -> None:
    if (padding == "sides") == (pad_length is not None):
        return
    accepted = "an integer with padding='sides', and None with every other padding"
    raise ValueError(
        f"`pad_length` must be {accepted}. Received: padding={padding!r}, pad_length={pad_length}"
    )
