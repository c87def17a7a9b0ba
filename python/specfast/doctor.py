# SPDX-License-Identifier: BSD-3-Clause
"""Says why two front ends differ: the first stage that does, by how much, and the likely cause.

>>> from specfast import doctor
>>> diagnosis = doctor.diagnose("whisper", features, clip)
>>> print(diagnosis)
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from specfast._doctor import diagnosing
from specfast._doctor import values as _values
from specfast._doctor.clip import Clip, given_clip, made_clip
from specfast._doctor.errors import DoctorError
from specfast._doctor.result import Cause, Diagnosis, Finding, StageGap
from specfast._doctor.sources import Source, source_of
from specfast._spec import checks as _checks
from specfast.audio import read_audio

__all__ = ["Cause", "Diagnosis", "DoctorError", "Finding", "StageGap", "diagnose", "make_clip"]

# Where they are public.
for _public in (Cause, Diagnosis, DoctorError, Finding, StageGap):
    _public.__module__ = __name__

_USUAL_RATE = 16000.0


def diagnose(a: Any, b: Any, clip: Any = None, *, rate: float | None = None) -> Diagnosis:
    """Compares two front ends, and says why they differ.

    Two known ones are compared stage by stage, and each choice in which they differ is put back
    alone to see what it does. With one that is not known, an array or a function, hundreds of
    usual mistakes are tried on the known one until it gives the numbers of the other.

    Args:
        a, b: what is compared. Known are the name of a preset, a FeatureSpec, a FeatureExtractor,
            a layer, and a file that `specfast.load_front` reads. Not known are an array of
            features [rows, frames] or [frames, rows], also a tensor of torch or a .npy, .npz or
            .csv file, and a function of (samples) or (samples, rate), also as "module:function",
            which imports that module.
        clip: the samples that both are computed on: an array [samples] or the path of a recording,
            of which the channels are averaged. None: `make_clip` of the front end's rate. An
            array of features needs the clip that it was made from.
        rate: the sampling rate of an array in Hz; None: that of the known front end.

    Returns:
        The diagnosis; `str()` of it is the report.

    Raises:
        DoctorError: (a ValueError) for what is no front end or no features, a function that fails,
            and features without their clip.
        TypeError, ValueError: for a clip that is no array of finite samples, or too short.
        FrontFileError, OSError, AudioError, ImportError: for files that cannot be read.
    """
    sources = source_of(a, "a"), source_of(b, "b")
    labels = sources[0].label, sources[1].label
    if sources[0].spec is None and sources[1].spec is not None:
        sources = sources[1], sources[0]
        labels = f"{labels[1]} (given as B)", f"{labels[0]} (given as A)"
    _check_has_clip(sources, clip)
    spec, other = sources[0].spec, sources[1].spec
    usual = _USUAL_RATE if spec is None else spec.sampling_rate
    sound = _clip(clip, rate, usual)
    if spec is None:
        first, second = (_features(source, sound, usual) for source in sources)
        return diagnosing.of_two_results(labels, first, second)
    if other is not None:
        return diagnosing.of_two_specs(labels, spec, other, sound)
    return diagnosing.of_values(labels, spec, _features(sources[1], sound, usual), sound)


def make_clip(rate: float = _USUAL_RATE) -> npt.NDArray[np.float32]:
    """Returns the clip that is used where none is given, float32 [samples], the same every time.

    A voice with hiss and some DC, 2.5 seconds long, that starts and ends loudly and fades to
    silence in between, so that paddings and floors have an effect.
    """
    rate = float(_checks.positive_hertz("rate", rate))
    return np.array(made_clip(rate).samples, np.float32)


def _check_has_clip(sources: tuple[Source, Source], clip: Any) -> None:
    """Refuses features without the samples that they belong to."""
    has_array = any(source.values is not None for source in sources)
    if clip is None and has_array and not all(source.values is not None for source in sources):
        raise DoctorError(
            "`clip` must be the samples that the array of features was made from. "
            "Received: clip=None"
        )


def _clip(clip: Any, rate: float | None, usual: float) -> Clip:
    if clip is None:
        if rate is not None:
            raise ValueError(
                f"`rate` is that of `clip`, which is missing. {_checks.received('rate', rate)}"
            )
        return made_clip(usual)
    if isinstance(clip, str | os.PathLike):
        if rate is not None:
            raise ValueError(
                "`rate` must be None for a recording, which states its own. "
                f"{_checks.received('rate', rate)}"
            )
        samples, its_rate = read_audio(os.fspath(clip), mono=True)
        return given_clip(samples, its_rate)
    return given_clip(clip, rate)


def _features(source: Source, clip: Clip, rate: float) -> np.ndarray[Any, Any]:
    if source.values is not None:
        return source.values
    if source.function is None:
        raise DoctorError(f"{source.label} gives no features")
    return _values.called(source.function, clip, clip.rate or rate, source.label)
