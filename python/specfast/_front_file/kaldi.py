# SPDX-License-Identifier: BSD-3-Clause
"""Reads option files of Kaldi's compute-fbank-feats and compute-mfcc-feats: `--name=value` lines.

Meanings and defaults are those of Kaldi's FrameExtractionOptions, MelBanksOptions, FbankOptions
and MfccOptions, and of the two programs.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from typing import Any

import numpy as np

from specfast._front_file.errors import DitherWarning
from specfast._front_file.keys import Keys
from specfast._front_file.limits import MAX_LENGTH, specification
from specfast._spec import checks as _checks
from specfast._spec import preset_programs as programs
from specfast._spec import windows
from specfast._spec.feature_spec import FeatureSpec

KINDS = ("fbank", "mfcc")

# Options that only one of the programs has.
_OWN = {
    "fbank": ("use-log-fbank", "use-power"),
    "mfcc": ("num-ceps", "cepstral-lifter"),
}

# Which recordings are read and how: channel, duration, sampling rates that are converted first.
_OF_RECORDINGS = ("allow-downsample", "allow-upsample", "channel", "min-duration", "utt2spk")
# How results are written and what is reported; how many frames a stream remembers.
_OF_PROGRAMS = (
    "debug-mel",
    "help",
    "max-feature-vectors",
    "output-format",
    "print-args",
    "verbose",
    "write-utt2dur",
)
# Where the axis of frequencies bends when it is warped, which `vtln-warp` decides.
_OF_WARPING = ("vtln-low", "vtln-high")

_TRUE = ("true", "t", "1", "")
_FALSE = ("false", "f", "0")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_MAX_OPTIONS = 1000


def is_options(text: str) -> bool:
    """Returns whether the first line that is no comment, if there is one, is an option."""
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return next((line for line in lines if line), "--").startswith("--")


def read(text: str, name: str, kind: str | None, overridden: Collection[str]) -> FeatureSpec:
    """Returns the specification of what the options say.

    Args:
        text: the content of the file.
        name: the name of the file, which may say for which program it is.
        kind: "fbank" or "mfcc", or None to decide by options and name.
        overridden: names of fields that the caller sets.

    Raises:
        ValueError, TypeError: naming what cannot be computed exactly, and if it is not clear for
            which program the file is.
    """
    values = _options(text)
    kind = _kind(values, name, kind)
    keys = Keys({key: _value(value) for key, value in values.items()}, overridden)
    keys.ignore(_OF_RECORDINGS + _OF_PROGRAMS + _OF_WARPING)
    _refuse_what_is_not_done(keys)
    base = programs.kaldi_mfcc() if kind == "mfcc" else programs.kaldi_fbank()
    fields = {**_frames(keys), **_bands(keys), **_energy(keys, kind)}
    fields |= _cepstra(keys) if kind == "mfcc" else _levels(keys)
    keys.ignore(("dither",))
    keys.finish()
    spec = specification(base, **fields)
    _warn_of_dither(keys)
    return spec


def _refuse_what_is_not_done(keys: Keys) -> None:
    keys.only("vtln-warp", 1, "specfast does not warp frequencies")
    if keys.take("vtln-map", True) is not True:  # so is --vtln-map= without a value
        raise ValueError(
            "`vtln-map` must be empty, as specfast does not warp frequencies. "
            f"{_checks.received('vtln-map', keys.take('vtln-map'))}"
        )
    _refuse_flag(keys, "subtract-mean", "specfast does not subtract means alone")
    _refuse_flag(keys, "htk-mode", "specfast does not repeat what HTK does")


def _refuse_flag(keys: Keys, key: str, reason: str) -> None:
    if _flag(keys, key, False):
        raise ValueError(f"`{key}` must be false, as {reason}. Received: {key}=true")


def _options(text: str) -> dict[str, str]:
    """Returns options by their names in lower case with dashes, as Kaldi compares them."""
    values: dict[str, str] = {}
    for count, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if not line:
            continue
        if not line.startswith("--") or len(values) >= _MAX_OPTIONS:
            raise ValueError(
                f"line {count} is no option of Kaldi, --name=value. Received: "
                f"{_checks.short(line)}"
            )
        name, _, value = line[2:].partition("=")
        name = name.strip().lower().replace("_", "-")
        if name in values:
            raise ValueError(f"`--{_checks.clipped(name)}` is there twice")
        values[name] = value.strip()
    return values


def _kind(values: Collection[str], name: str, kind: str | None) -> str:
    """Returns for which program the options are."""
    if kind is not None:
        return _checks.choice("kind", kind, KINDS)
    by_options = [kind for kind in KINDS if any(own in values for own in _OWN[kind])]
    by_name = [kind for kind in KINDS if kind in name.lower()]
    kinds = set(by_options) | set(by_name)
    if len(kinds) == 1:
        return kinds.pop()
    what = "contradict each other about" if kinds else "do not say"
    raise ValueError(
        f"its options and its name {what} the program, compute-fbank-feats or "
        'compute-mfcc-feats: pass kind="fbank" or kind="mfcc"'
    )


def _value(text: str) -> Any:
    """Returns the number, or true or false, that an option holds; else its text.

    0 and 1 are numbers here; `_flag` takes them for false and true.
    """
    if len(text) < 400 and _NUMBER.fullmatch(text):
        number = float(text)
        return int(number) if number.is_integer() and "." not in text else number
    if text in _TRUE:
        return True
    return False if text in _FALSE else text


def _flag(keys: Keys, key: str, default: bool) -> bool:
    value = keys.take(key, default)
    if isinstance(value, int) and value in (0, 1):  # True and False are such integers too
        return bool(value)
    raise TypeError(f"`{key}` must be true or false. {_checks.received(key, value)}")


def _frames(keys: Keys) -> dict[str, Any]:
    rate = keys.number("sample-frequency", 16000, above=0)
    frame = _in_samples(keys, "frame-length", 25.0, rate)
    hop = _in_samples(keys, "frame-shift", 10.0, rate)
    rounded = _flag(keys, "round-to-power-of-two", True)
    if frame % 2 and not rounded:
        raise ValueError(
            "`frame-length` must be an even number of samples with round-to-power-of-two=false, "
            f"which Kaldi demands too. {_checks.received('frame-length', frame)}"
        )
    return {
        "sampling_rate": rate,
        "frame_length": frame,
        "hop_length": hop,
        "fft_length": None if rounded else frame,
        "padding": "valid" if _flag(keys, "snip-edges", True) else "hops",
        "remove_dc": _flag(keys, "remove-dc-offset", True),
        "preemphasis": keys.number("preemphasis-coefficient", 0.97),
        **_window(keys, frame),
    }


def _in_samples(keys: Keys, key: str, default: float, rate: float) -> int:
    """Returns milliseconds as samples, rounded down from the product of Kaldi's float32 values."""
    milliseconds = keys.number(key, default, above=0)
    samples = float(np.float32(rate)) * 0.001 * float(np.float32(milliseconds))
    if not 1 <= samples <= MAX_LENGTH:
        raise ValueError(
            f"`{key}` must be from 1 to {MAX_LENGTH} samples. "
            f"{_checks.received(key, milliseconds)}"
        )
    return int(samples)


def _window(keys: Keys, frame: int) -> dict[str, Any]:
    """Returns the window, all of which are symmetric."""
    names = {
        "povey": {"window": "povey"},
        "hamming": {"window": "hamming", "window_periodic": False},
        "hanning": {"window": "hann", "window_periodic": False},
        "blackman": {"window": "blackman", "window_periodic": False},
        "rectangular": {"window": None},
        "sine": {"window": "sine", "window_periodic": False},
    }
    fields: dict[str, Any] = keys.word("window-type", "povey", names)
    coefficient = keys.number("blackman-coeff", 0.42)
    if fields["window"] == "blackman" and coefficient != 0.42:
        # NumPy's cosine differs between processors; products do not.
        cosine = 1 - 2 * windows.named("hann", frame, periodic=False)
        twice = 2 * cosine * cosine - 1
        return {"window": coefficient - 0.5 * cosine + (0.5 - coefficient) * twice}
    return fields


def _bands(keys: Keys) -> dict[str, Any]:
    nyquist = keys.number("sample-frequency", 16000) / 2
    lowest = keys.number("low-freq", 20.0)
    highest = keys.number("high-freq", 0.0)
    top = highest if highest > 0 else nyquist + highest
    if not 0 <= lowest < top <= nyquist:
        raise ValueError(
            "`low-freq` and `high-freq` must be in order between 0 and half the sampling rate, "
            f"{nyquist:g}. Received: low-freq={lowest:g}, high-freq={highest:g}"
        )
    return {
        "num_mel_bins": keys.integer("num-mel-bins", 23, minimum=3),
        "min_freq": lowest,
        "max_freq": top,
    }


def _energy(keys: Keys, kind: str) -> dict[str, Any]:
    wanted = _flag(keys, "use-energy", kind == "mfcc")
    raw = _flag(keys, "raw-energy", True)
    floor = keys.number("energy-floor", 0.0, minimum=0)
    if kind == "mfcc" or wanted:  # it orders the columns, and scales C0
        _refuse_flag(keys, "htk-compat", "specfast does not repeat what HTK does")
    keys.ignore(("htk-compat",))
    return {
        "energy": ("raw" if raw else "windowed") if wanted else None,
        "energy_floor": floor if wanted else 0.0,
    }


def _levels(keys: Keys) -> dict[str, Any]:
    return {
        "level": "ln" if _flag(keys, "use-log-fbank", True) else "energy",
        "magnitude_exponent": 2.0 if _flag(keys, "use-power", True) else 1.0,
    }


def _cepstra(keys: Keys) -> dict[str, Any]:
    return {
        "num_cepstra": keys.integer("num-ceps", 13),
        "lifter": keys.number("cepstral-lifter", 22.0, minimum=0),
    }


def _warn_of_dither(keys: Keys) -> None:
    """Says that no noise is added, where the file asks for some.

    Kaldi adds it unless told not to; features for inference are computed without, so a file that
    does not mention it is not worth a warning, and one that does is not worth an error.
    """
    dither = keys.number("dither", 0.0, minimum=0)
    if dither:
        warnings.warn(
            f"the file asks for noise, --dither={dither:g}; specfast adds none",
            DitherWarning,
            stacklevel=5,
        )
