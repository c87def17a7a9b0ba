# SPDX-License-Identifier: BSD-3-Clause
"""FeatureSpec: what the front end of a model computes, as one immutable value."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from specfast._spec import checks, description, feature_names, feature_relations, html, windows
from specfast._spec import feature_checks as check
from specfast._spec.fields import optional

SCHEMA = 1
_KIND = "specfast.FeatureSpec"

MODES = ("mel", "real", "imag", "stft", "angle", "magnitude", "log", "psd")
LEVELS = ("energy", "decibel", "log10", "ln")
_PADDINGS = ("valid", "center", "same", "sides", "end", "hops")
_PAD_MODES = ("reflect", "constant", "edge", "symmetric")
# The content of the padding where the caller does not choose it; None: there is none.
_DEFAULT_PAD_MODES = {
    "valid": None,
    "center": "reflect",
    "same": "constant",
    "sides": "reflect",
    "end": "constant",
    "hops": "symmetric",
}
_FULL_SPANS = ("center", "sides")  # a frame is the whole transform, as in torch.stft


# What stands for None in these fields, in this order: later ones build on earlier ones.
_DERIVED: dict[str, Callable[[FeatureSpec], Any]] = {
    "fft_length": lambda spec: check.next_power_of_two(spec.frame_length),
    "frame_span": lambda spec: (
        spec.fft_length if spec.padding in _FULL_SPANS else spec.frame_length
    ),
    "pad_mode": lambda spec: _DEFAULT_PAD_MODES[spec.padding],
    "pad_length": lambda spec: (
        max(spec.fft_length - spec.hop_length, 0) // 2 if spec.padding == "sides" else None
    ),
    "max_freq": lambda spec: spec.sampling_rate / 2,
}


_Class = TypeVar("_Class")


def _field(default: Any, of: check.Check) -> Any:
    return dataclasses.field(default=default, metadata={"check": of})


def _names_checked(cls: type[_Class]) -> type[_Class]:
    """Lets the constructor say of an unknown keyword which field was probably meant."""
    construct = cls.__init__

    @functools.wraps(construct)
    def checked(self: _Class, **given: Any) -> None:
        feature_names.refuse_unknown(given, field_names())
        construct(self, **given)

    cls.__init__ = checked  # type: ignore[method-assign,assignment]
    return cls


@_names_checked
@dataclass(frozen=True, kw_only=True, repr=False)
class FeatureSpec:
    """Says which numbers become of a recording, from its samples to the rows of each frame.

    Every field is one independent choice; together they cover the front ends of Whisper, NeMo,
    Kaldi, Hugging Face's extractors, librosa, torchaudio and vocoders. A specification is checked
    when it is made, never changes, can be compared and used as a key, and its `repr` can be typed
    back. The order of the fields is that of computation. The numbers of a step that is switched
    off, as `pcen_gain` is without `pcen`, are kept and have no effect.

    The whole:
        sampling_rate: samples per second.
        precision: "float32" or "float64", in which everything is computed.
        dtype: "float32" or "float64", that of the result.
        mode: "mel" for bands; or one of the modes of STFTSpectrogram, for which conditioning, the
            level and what is behind it must keep their defaults.

    Samples:
        input_scale: the factor by which each sample is multiplied.
        num_samples: each clip is cut to this many samples, or padded; None: taken as it is.
        sample_padding: what a clip is padded with: "zeros" behind it, or "repeat": the clip as
            often as it fits, and zeros behind that.

    Frames:
        frame_length: samples under the window.
        hop_length: samples from one frame to the next.
        fft_length: points of the transform, zeros behind the frame; None: the smallest power of
            two that is not smaller than `frame_length`.
        padding: where frames lie.
            "valid": all within the clip.
            "center": frame t is centred on sample t * hop_length; fft_length // 2 on both sides.
            "same": zeros on both sides, ceil(samples / hop_length) frames, as in Keras.
            "sides": `pad_length` samples on both sides.
            "end": zeros behind the clip, ceil(samples / hop_length) frames.
            "hops": frame t is centred on the middle of hop t, round(samples / hop_length)
                frames: Kaldi's snip_edges=false.
        pad_mode: the content of the padding in the words of numpy.pad: "reflect", "constant"
            (zeros), "edge" or "symmetric". None: what is usual with the padding.
        pad_length: samples on each side with padding "sides"; None: half of fft_length -
            hop_length.
        frame_span: samples that a frame must have, with the window in their middle; None:
            fft_length with "center" and "sides", as in torch.stft, else frame_length.
        drop_frames: how many frames at the end are left out.
        masked_frames: how many more are not valid: statistics do not see them, and they become
            `pad_value`.

    Conditioning of each frame, in this order:
        remove_dc: whether the mean of the frame is subtracted.
        energy: "raw": the logarithm of the energy of the frame now; "windowed": that of the frame
            behind the window; None: neither. It is the first row, or with `num_cepstra` takes
            the place of C0.
        energy_floor: the smallest energy; 0: 2^-23.
        preemphasis: c in x[n] - c x[n - 1]; 0: none.
        preemphasis_rule: "frame": each frame by itself, with x[0] - c x[0] for its first sample;
            "signal": the whole clip, before it is padded and cut into frames; its first sample
            stays.

    Window and spectrum:
        window: a name, or `frame_length` values; None: ones. The names are those of
            scipy.signal.get_window, and Kaldi's "povey", the Hann window to the power of 0.85,
            and "sine", sin(pi n / (frame_length - 1)) where it is symmetric.
        window_periodic: whether a window by name is periodic rather than symmetric; "povey" is
            always symmetric.
        window_scaling: None, "density" or "spectrum", as in STFTSpectrogram.
        epsilon: the floor of the modes "magnitude" and "log", as in STFTSpectrogram.
        magnitude_exponent: 2 for power, 1 for magnitude.
        power_offset: added to the power of each bin before the exponent is applied:
            (re^2 + im^2 + power_offset) ** (magnitude_exponent / 2).

    Filterbank, of bins evenly from 0 to half the rate, for an odd `fft_length` too, as in Keras:
        num_mel_bins: number of bands.
        min_freq, max_freq: edges of the bank in Hz; None: half the sampling rate.
        mel_scale: "htk" (also Kaldi's) or "slaney".
        mel_triangles: whether triangles are linear in "hertz" or in "mel".
        mel_norm: None: their peak is 1; "slaney": 2 / width in Hz; "area": their weights sum to 1.
        mel_matrix: weights [fft_length // 2 + 1][num_mel_bins] in place of all this.

    Level:
        level: "energy", "decibel" (10 log10), "log10" or "ln".
        floor: the smallest energy of a logarithm.
        floor_rule: "clamp": max(energy, floor); "add": energy + floor.
        reference: the energy of level 0.
        dynamic_range: levels lower than this below the maximum are raised to that; None: none.
        dynamic_range_scope: the maximum is that of each "clip", or of the whole "batch".

    Per-channel energy normalisation (PCEN), in place of a level:
        pcen: whether it is applied: (E / (pcen_epsilon + M)^pcen_gain + pcen_bias)^pcen_power -
            pcen_bias^pcen_power, with M the energy E smoothed over time, 1 before the first frame.
        pcen_time_constant: of the smoothing, in seconds.

    Behind the level, in this order:
        num_cepstra: how many coefficients of the DCT-II of the levels are kept (MFCC); None: no
            DCT.
        dct_norm: "ortho"; None: the plain sum, times 2.
        lifter: Q in the liftering 1 + Q / 2 sin(pi i / Q) of coefficient i; 0: none.
        gain, offset: each value v becomes gain * v + offset; a number, or one for each row.
        normalization: "per_band": each row of a clip gets mean 0 and deviation 1 over its valid
            frames; None: neither.
        normalization_ddof: the degrees of freedom that are subtracted from the number of frames.
        normalization_epsilon: added to the deviation ("std") or to the variance ("variance"), as
            `normalization_epsilon_in` says.
        delta_order: how many derivatives over time follow the rows, 0 to 2, each as many rows.
        delta_window: frames on each side of the regression that gives a derivative.

    Arrangement:
        num_frames: each clip is cut to its first frames, so many, and has no others for statistics
            either; or it is padded; None: as many as it has.
        frames_multiple: frames are padded to a multiple of this.
        pad_value: the value of padded and masked frames.
        join_frames: so many frames become one, with all their rows; needs "frames_first". A rest
            is left out.
        layout: "bands_first" for [..., rows, frames], "frames_first" for [..., frames, rows].

    Raises:
        TypeError: for a value of a wrong type, or a keyword that is no field, with the field that
            is probably meant: the names of other libraries are known.
        ValueError: for a value out of its range, or one that contradicts another.
        ImportError: for a window that only SciPy has, without SciPy.
    """

    sampling_rate: float = _field(16000.0, check.positive)
    precision: str = _field("float32", check.choice("float32", "float64"))
    dtype: str = _field("float32", check.choice("float32", "float64"))
    mode: str = _field("mel", check.choice(*MODES))

    input_scale: float = _field(1.0, check.scale)
    num_samples: int | None = _field(None, optional(check.sample_count))
    sample_padding: str = _field("zeros", check.choice("zeros", "repeat"))

    frame_length: int = _field(400, check.length)
    hop_length: int = _field(160, check.length)
    fft_length: int = _field(None, optional(check.length))
    padding: str = _field("valid", check.choice(*_PADDINGS))
    pad_mode: str | None = _field(None, optional(check.choice(*_PAD_MODES)))
    pad_length: int | None = _field(None, optional(check.count))
    frame_span: int = _field(None, optional(check.length))
    drop_frames: int = _field(0, check.count)
    masked_frames: int = _field(0, check.count)

    remove_dc: bool = _field(False, check.flag)
    energy: str | None = _field(None, optional(check.choice("raw", "windowed")))
    energy_floor: float = _field(0.0, check.not_negative)
    preemphasis: float = _field(0.0, check.coefficient)
    preemphasis_rule: str = _field("frame", check.choice("frame", "signal"))

    window: str | tuple[float, ...] | None = _field("hann", check.window)
    window_periodic: bool = _field(True, check.flag)
    window_scaling: str | None = _field(None, optional(check.choice("density", "spectrum")))
    epsilon: float = _field(1e-7, check.addend)
    magnitude_exponent: float = _field(2.0, check.number)
    power_offset: float = _field(0.0, check.addend)

    num_mel_bins: int = _field(80, check.bands)
    min_freq: float = _field(0.0, check.not_negative)
    max_freq: float = _field(None, optional(check.positive))
    mel_scale: str = _field("htk", check.choice("htk", "slaney"))
    mel_triangles: str = _field("hertz", check.choice("hertz", "mel"))
    mel_norm: str | None = _field(None, optional(check.choice("slaney", "area")))
    mel_matrix: tuple[tuple[float, ...], ...] | None = _field(None, optional(check.matrix))

    level: str = _field("energy", check.choice(*LEVELS))
    floor: float = _field(1e-10, check.addend)
    floor_rule: str = _field("clamp", check.choice("clamp", "add"))
    reference: float = _field(1.0, check.positive)
    dynamic_range: float | None = _field(None, optional(check.not_negative))
    dynamic_range_scope: str = _field("clip", check.choice("clip", "batch"))

    pcen: bool = _field(False, check.flag)
    pcen_gain: float = _field(0.98, check.not_negative)
    pcen_bias: float = _field(2.0, check.positive)
    pcen_power: float = _field(0.5, check.positive)
    pcen_time_constant: float = _field(0.4, check.positive)
    pcen_epsilon: float = _field(1e-6, check.positive)

    num_cepstra: int | None = _field(None, optional(check.bands))
    dct_norm: str | None = _field("ortho", optional(check.choice("ortho")))
    lifter: float = _field(0.0, check.not_negative)
    gain: float | tuple[float, ...] = _field(1.0, check.number_or_row)
    offset: float | tuple[float, ...] = _field(0.0, check.number_or_row)
    normalization: str | None = _field(None, optional(check.choice("per_band")))
    normalization_ddof: int = _field(1, check.count)
    normalization_epsilon: float = _field(1e-5, check.addend)
    normalization_epsilon_in: str = _field("std", check.choice("std", "variance"))
    delta_order: int = _field(0, check.count)
    delta_window: int = _field(2, check.length)

    num_frames: int | None = _field(None, optional(check.length))
    frames_multiple: int = _field(1, check.length)
    pad_value: float = _field(0.0, check.number)
    join_frames: int = _field(1, check.length)
    layout: str = _field("bands_first", check.choice("bands_first", "frames_first"))

    def __post_init__(self) -> None:
        for name, default, check_of in _fields():
            value = getattr(self, name)
            if value is not default:  # which need not be checked
                object.__setattr__(self, name, check_of(name, value))
        self._resolve()
        feature_relations.check(self)

    def _resolve(self) -> None:
        """Puts values in the place of defaults that depend on other fields."""
        for name, derive in _DERIVED.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, derive(self))

    # ---- What follows from the fields ----------------------------------------------------------

    @property
    def num_bins(self) -> int:
        """The number of bins of the spectrum, fft_length // 2 + 1."""
        return self.fft_length // 2 + 1

    @property
    def num_static_rows(self) -> int:
        """The rows of a frame before derivatives and joining."""
        if self.mode != "mel":
            return self.num_bins * (2 if self.mode == "stft" else 1)
        if self.num_cepstra is not None:
            return self.num_cepstra
        return self.num_mel_bins + (self.energy is not None)

    @property
    def num_rows(self) -> int:
        """The rows of a frame of the result."""
        return self.num_static_rows * (1 + self.delta_order) * self.join_frames

    def window_values(self) -> npt.NDArray[np.float64] | None:
        """Returns the window, float64 [frame_length]; None where there is none."""
        if self.window is None:
            return None
        if not isinstance(self.window, str):
            return windows.from_values(np.array(self.window), self.frame_length, "frame_length")
        periodic = self.window_periodic and self.window != "povey"
        return windows.named(self.window, self.frame_length, periodic=periodic)

    def fingerprint(self) -> str:
        """Returns a hash of every value that affects a result; equal on all machines.

        Specifications that differ only in fields without effect have the same one: 64 hexadecimal
        digits.
        """
        values = dataclasses.asdict(self)
        for name in feature_relations.without_effect(self):
            del values[name]
        text = json.dumps({"format": _KIND, "schema": SCHEMA, **values}, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def replace(self, **changes: Any) -> FeatureSpec:
        """Returns the specification with other values for some fields.

        What had been derived from a changed field is derived again.

        Raises:
            TypeError: for a name that is no field.
            ValueError: as the constructor.
        """
        feature_names.refuse_unknown(changes, field_names())
        return FeatureSpec(**{**self.given(), **changes})

    def given(self) -> dict[str, Any]:
        """Returns the fields that are neither their defaults nor derived in the place of these."""
        given = {}
        for name, default, _ in _fields():
            value = getattr(self, name)
            derive = _DERIVED.get(name)
            if value != (derive(self) if derive else default):
                given[name] = value
        return given

    # ---- JSON ----------------------------------------------------------------------------------

    def to_json(self, *, indent: int | None = None) -> str:
        """Returns all fields as JSON, with the version of its schema."""
        values = {"format": _KIND, "schema": SCHEMA, **dataclasses.asdict(self)}
        return json.dumps(values, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> FeatureSpec:
        """Returns the specification that `to_json` wrote.

        Raises:
            TypeError: if a value is of a wrong type, or `text` is no text.
            ValueError: if it is no JSON, not of this format, of another version of the schema, or
                has a key that is no field; and as the constructor.
        """
        if not isinstance(text, str | bytes):
            raise TypeError(
                f"`text` must be JSON as str or bytes. {checks.received('text', text)}"
            )
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"`text` must be JSON. {checks.received('text', text)}: "
                f"{checks.clipped(str(error))}"
            ) from None
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Any) -> FeatureSpec:
        """As `from_json`, for JSON that has been read already."""
        if not isinstance(values, Mapping) or values.get("format") != _KIND:
            raise ValueError(
                f'`values` must be a dictionary with "format": "{_KIND}". '
                f"{checks.received('values', values)}"
            )
        if values.get("schema") != SCHEMA or isinstance(values.get("schema"), bool):
            raise ValueError(
                f"`schema` must be {SCHEMA}, the one that this version of specfast knows. "
                f"{checks.received('schema', values.get('schema'))}"
            )
        given = {key: value for key, value in values.items() if key not in ("format", "schema")}
        feature_names.refuse_unknown(given, field_names())
        return cls(**given)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.given().items())
        return f"FeatureSpec({shown})"

    def _repr_html_(self) -> str:
        return html.table("FeatureSpec", description.steps(self))


@functools.cache
def field_names() -> tuple[str, ...]:
    """Returns the names of the fields of a FeatureSpec, in the order of computation."""
    return tuple(name for name, _, _ in _fields())


@functools.cache
def _fields() -> tuple[tuple[str, Any, check.Check], ...]:
    """Returns name, default and check of each field: specifications are made by the thousand."""
    fields = dataclasses.fields(FeatureSpec)
    return tuple((field.name, field.default, field.metadata["check"]) for field in fields)
